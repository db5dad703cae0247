//! Numbers to and from their text, exactly.

use crate::wire::lex::Cursor;

/// Up to here every integer is a double.
const MAX_INTEGER: u64 = 1 << 53;

/// The powers of ten that doubles hold exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// A number as text, taken apart: sign, digits without the point, and what power of ten to
/// multiply with.
pub(super) struct Decimal<'a> {
    text: &'a str,
    negative: bool,
    digits: u64,
    exponent: i32,
    /// Digits and exponent say it all; otherwise only the text does.
    complete: bool,
}

/// An integer, wider than serde's widest of one sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Integer {
    pub(super) negative: bool,
    pub(super) magnitude: u128,
}

/// Reads a JSON number; `None` if there is none.
pub(super) fn read<'a>(cursor: &mut Cursor<'a>) -> Option<Decimal<'a>> {
    let bytes = cursor.rest().as_bytes();
    let negative = bytes.first() == Some(&b'-');
    let first = usize::from(negative);
    // Eighteen digits always fit, and most numbers are nothing but few digits.
    let mut digits = 0_u64;
    let mut len = first;
    while let Some(digit @ b'0'..=b'9') = bytes.get(len)
        && len - first < 18
    {
        digits = digits * 10 + u64::from(digit - b'0');
        len += 1;
    }
    let more = matches!(bytes.get(len), Some(b'0'..=b'9' | b'.' | b'e' | b'E'));
    let leading_zero = bytes.get(first) == Some(&b'0') && len - first > 1;
    if len == first || more || leading_zero {
        return cursor.number().ok().map(|text| take_apart(text, negative));
    }
    let start = cursor.pos();
    cursor.step(len);
    Some(Decimal { text: cursor.since(start), negative, digits, exponent: 0, complete: true })
}

fn take_apart(text: &str, negative: bool) -> Decimal<'_> {
    let mut decimal = Decimal { text, negative, digits: 0, exponent: 0, complete: true };
    let mut behind_point = false;
    let mut bytes = text.bytes().skip(usize::from(negative));
    while let Some(byte) = bytes.next() {
        match byte {
            b'0'..=b'9' => {
                let more = decimal.digits.checked_mul(10);
                match more.and_then(|d| d.checked_add(u64::from(byte - b'0'))) {
                    Some(digits) => decimal.digits = digits,
                    None => decimal.complete = false,
                }
                decimal.exponent = decimal.exponent.saturating_sub(i32::from(behind_point));
            }
            b'.' => behind_point = true,
            _ => {
                let negative = bytes.clone().next() == Some(b'-');
                let power = bytes
                    .filter(u8::is_ascii_digit)
                    .fold(0_i32, |n, d| n.saturating_mul(10).saturating_add(i32::from(d - b'0')));
                let power = if negative { -power } else { power };
                decimal.exponent = decimal.exponent.saturating_add(power);
                break;
            }
        }
    }
    decimal
}

impl Decimal<'_> {
    /// The nearest double; infinite if it is beyond the doubles.
    pub(super) fn to_f64(&self) -> f64 {
        let power = POWERS.get(self.exponent.unsigned_abs() as usize);
        match power {
            // Both are doubles, so one rounded operation gives the nearest.
            Some(power) if self.complete && self.digits <= MAX_INTEGER => {
                let digits = self.digits as f64;
                let value = if self.exponent < 0 { digits / power } else { digits * power };
                if self.negative { -value } else { value }
            }
            // The grammar of JSON numbers is within that of Rust's.
            _ => self.text.parse().unwrap_or(f64::NAN),
        }
    }

    /// The nearest float of single precision, not rounded twice.
    pub(super) fn to_f32(&self) -> f32 {
        match self.digits {
            digits @ 0..0x100_0000 if self.complete && self.exponent == 0 => {
                let value = digits as f32;
                if self.negative { -value } else { value }
            }
            _ => self.text.parse().unwrap_or(f32::NAN),
        }
    }

    /// The integer, if it is one that fits: `5.0` and `1e3` are integers.
    pub(super) fn to_integer(&self) -> Option<Integer> {
        let magnitude = if !self.complete {
            let digits = self.text.strip_prefix('-').unwrap_or(self.text);
            digits.parse().ok().or_else(|| {
                let double = self.to_f64().abs();
                (double.fract() == 0.0 && double < 2_f64.powi(127)).then_some(double as u128)
            })?
        } else if self.exponent >= 0 {
            let digits = u128::from(self.digits);
            let power = 10_u128.checked_pow(self.exponent.unsigned_abs());
            if digits == 0 { 0 } else { digits.checked_mul(power?)? }
        } else {
            let power = 10_u64.checked_pow(self.exponent.unsigned_abs());
            match power {
                Some(power) if self.digits.is_multiple_of(power) => (self.digits / power).into(),
                _ if self.digits == 0 => 0,
                _ => return None,
            }
        };
        Some(Integer { negative: self.negative, magnitude })
    }

    /// The integer, if it is one that every JavaScript number of its size holds, and not the
    /// negative zero.
    pub(super) fn to_safe_integer(&self) -> Option<i64> {
        let Integer { negative, magnitude } = self.to_integer()?;
        if magnitude > MAX_INTEGER.into() || negative && magnitude == 0 {
            return None;
        }
        let value = i64::try_from(magnitude).ok()?;
        Some(if negative { -value } else { value })
    }

    /// The number as it was written.
    pub(super) fn text(&self) -> &str {
        self.text
    }
}

impl Integer {
    /// The integer as a signed one, if it fits.
    pub(super) fn to_i128(self) -> Option<i128> {
        if self.negative {
            0_i128.checked_sub_unsigned(self.magnitude)
        } else {
            self.magnitude.try_into().ok()
        }
    }
}

/// Writes an integer that fits a JavaScript number.
pub(super) fn write_integer(out: &mut String, value: impl itoa::Integer) {
    out.push_str(itoa::Buffer::new().format(value));
}

/// Whether a JavaScript number holds this integer and all smaller ones.
pub(super) fn is_safe(magnitude: u64) -> bool {
    magnitude <= MAX_INTEGER
}

/// Writes a finite double as JavaScript does: as short as can be read back exactly, integers
/// without a fraction.
pub(super) fn write_f64(out: &mut String, value: f64) {
    if value.fract() == 0.0 && value.abs() <= MAX_INTEGER as f64 {
        write_integer(out, value as i64);
    } else if value.fract() != 0.0 && value.abs() >= 1e-5 {
        // The usual fraction, on which both agree; this one is quicker.
        out.push_str(zmij::Buffer::new().format_finite(value));
    } else {
        out.push_str(ryu_js::Buffer::new().format_finite(value));
    }
}

/// Writes a finite float of single precision, as short as can be read back exactly.
pub(super) fn write_f32(out: &mut String, value: f32) {
    if value.fract() == 0.0 {
        write_f64(out, value.into());
    } else {
        out.push_str(zmij::Buffer::new().format_finite(value));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal<'_> {
        read(&mut Cursor::new(text)).unwrap()
    }

    fn integer(text: &str) -> Option<i128> {
        decimal(text).to_integer().and_then(Integer::to_i128)
    }

    #[test]
    fn whatever_is_integral_reads_as_an_integer() {
        for (text, value) in [
            ("0", 0),
            ("-0", 0),
            ("-0.00", 0),
            ("5.0", 5),
            ("1e3", 1000),
            ("-12.50e1", -125),
            ("1200e-2", 12),
            ("1e+21", 1_000_000_000_000_000_000_000),
            ("100000000000000000000", 100_000_000_000_000_000_000),
            ("18446744073709551615", u64::MAX.into()),
            ("18446744073709551616.0", 1 << 64),
            ("-170141183460469231731687303715884105728", i128::MIN),
            ("0e999999999999", 0),
            ("0e-999999999999", 0),
        ] {
            assert_eq!(integer(text), Some(value), "{text}");
        }
        for text in ["0.5", "1e-1", "1e39", "1e999999999999", "1e-999999999999"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn doubles_are_written_as_javascript_writes_them() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (5.0, "5"),
            (-1.5, "-1.5"),
            (9007199254740992.0, "9007199254740992"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1e-7, "1e-7"),
        ] {
            let mut out = String::new();
            write_f64(&mut out, value);
            assert_eq!(out, text);
        }
    }

    proptest! {
        #[test]
        fn doubles_survive_exactly(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite() && bits != (-0.0_f64).to_bits());
            let mut out = String::new();
            write_f64(&mut out, value);
            prop_assert_eq!(decimal(&out).to_f64().to_bits(), bits);
        }

        #[test]
        fn floats_survive_exactly(bits in any::<u32>()) {
            let value = f32::from_bits(bits);
            prop_assume!(value.is_finite() && bits != (-0.0_f32).to_bits());
            let mut out = String::new();
            write_f32(&mut out, value);
            prop_assert_eq!(decimal(&out).to_f32().to_bits(), bits);
        }

        #[test]
        fn any_number_reads_as_the_standard_library_reads_it(
            text in "-?(0|[1-9][0-9]{0,24})([.][0-9]{1,24})?([eE][+-]?[0-9]{1,3})?"
        ) {
            let expected: f64 = text.parse().unwrap();
            prop_assert_eq!(decimal(&text).to_f64().to_bits(), expected.to_bits());
        }

        #[test]
        fn integers_survive_exactly(value in any::<i128>(), shift in 0..127) {
            let value: i128 = value >> shift;
            prop_assert_eq!(integer(&value.to_string()), Some(value));
        }
    }
}
