//! Dates as text.

use time::OffsetDateTime;

/// The furthest that a JavaScript date can be from the epoch, in milliseconds.
const MAX_DATE_MILLIS: f64 = 8.64e15;

/// A date beyond what a JavaScript date can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid time value")]
pub struct InvalidDate;

/// A date as JavaScript's `toISOString` writes it: UTC, milliseconds, `Z`, and a signed year of six digits where four
/// are not enough.
///
/// # Errors
/// [`InvalidDate`] for a date that is not a number or out of range.
pub fn iso_8601(millis: f64) -> Result<String, InvalidDate> {
    if millis.is_nan() || millis.abs() > MAX_DATE_MILLIS {
        return Err(InvalidDate);
    }
    let nanos = i128::from(millis as i64) * 1_000_000;
    let date = OffsetDateTime::from_unix_timestamp_nanos(nanos).map_err(|_| InvalidDate)?;
    let year = match date.year() {
        year @ 0..=9999 => format!("{year:04}"),
        year => format!("{year:+07}"),
    };
    let (month, day) = (u8::from(date.month()), date.day());
    let (hour, minute, second, milli) = date.to_hms_milli();
    Ok(format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_as_javascript_writes_them() {
        for (millis, text) in [
            (0.0, "1970-01-01T00:00:00.000Z"),
            (-0.0, "1970-01-01T00:00:00.000Z"),
            (1_700_000_000_123.0, "2023-11-14T22:13:20.123Z"),
            (1_582_934_400_000.9, "2020-02-29T00:00:00.000Z"),
            (-1.0, "1969-12-31T23:59:59.999Z"),
            (-62_167_219_200_000.0, "0000-01-01T00:00:00.000Z"),
            (-62_167_219_200_001.0, "-000001-12-31T23:59:59.999Z"),
            (253_402_300_800_000.0, "+010000-01-01T00:00:00.000Z"),
            (8.64e15, "+275760-09-13T00:00:00.000Z"),
            (-8.64e15, "-271821-04-20T00:00:00.000Z"),
        ] {
            assert_eq!(iso_8601(millis).unwrap(), text, "{millis}");
        }
    }

    #[test]
    fn dates_that_javascript_calls_invalid_are_refused() {
        for millis in [f64::NAN, f64::INFINITY, 8.64e15 + 2.0, -8.64e15 - 2.0] {
            assert_eq!(iso_8601(millis), Err(InvalidDate));
        }
    }
}
