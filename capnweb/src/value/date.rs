//! JavaScript's `Date`.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::codec::token::{self, Token};

/// The furthest a date can be from the epoch, in milliseconds: JavaScript's own limit.
const MAX_MILLIS: f64 = 8.64e15;

/// A point in time, as JavaScript's `Date` has it: whole milliseconds since 1970, or invalid.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub struct Date(f64);

/// There is no such time: the date is invalid, or the time is beyond what the other type holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidDate;

impl Date {
    /// The date that JavaScript calls an invalid one.
    pub const INVALID: Date = Date(f64::NAN);

    /// The date this many milliseconds after the epoch. As in JavaScript, fractions are cut off,
    /// and what is more than 8.64e15 away from the epoch, or is no number, gives an invalid date.
    pub fn from_millis(millis: f64) -> Self {
        // Adding zero turns the negative zero into the positive.
        if millis.abs() <= MAX_MILLIS { Self(millis.trunc() + 0.0) } else { Self::INVALID }
    }

    /// The current time. On wasm32 this needs the cargo feature `worker`: there the clock is
    /// JavaScript's.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn now() -> Self {
        Self::try_from(SystemTime::now()).unwrap_or(Self::INVALID)
    }

    /// The current time. In a Worker it stands still between two operations of input or output.
    #[cfg(all(feature = "worker", target_arch = "wasm32"))]
    pub fn now() -> Self {
        Self::from_millis(worker::js_sys::Date::now())
    }

    /// Milliseconds since the epoch; not a number if the date is invalid.
    pub fn millis(self) -> f64 {
        self.0
    }

    /// Whether this is a point in time.
    pub fn is_valid(self) -> bool {
        !self.0.is_nan()
    }
}

impl TryFrom<SystemTime> for Date {
    type Error = InvalidDate;

    fn try_from(time: SystemTime) -> Result<Self, InvalidDate> {
        let millis = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_secs_f64() * 1e3,
            Err(before) => before.duration().as_secs_f64() * -1e3,
        };
        let date = Self::from_millis(millis.round());
        if date.is_valid() { Ok(date) } else { Err(InvalidDate) }
    }
}

impl TryFrom<Date> for SystemTime {
    type Error = InvalidDate;

    fn try_from(date: Date) -> Result<Self, InvalidDate> {
        if !date.is_valid() {
            return Err(InvalidDate);
        }
        // A valid date is integral and far within the range of the integers.
        let distance = Duration::from_millis(date.0.abs() as u64);
        let time = if date.0 < 0.0 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        };
        time.ok_or(InvalidDate)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_valid() { write!(f, "Date({})", self.0) } else { f.write_str("Date(invalid)") }
    }
}

impl fmt::Display for InvalidDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the date is invalid or out of range")
    }
}

impl std::error::Error for InvalidDate {}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        token::serialize(serializer, Token::Date, &self.0)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        token::deserialize(deserializer, Token::Date).map(Self::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_times_survive_to_the_millisecond() {
        for millis in [0.0, 1.0, -1.0, 1_700_000_000_123.0, -62_135_596_800_000.0] {
            let date = Date::from_millis(millis);
            let time = SystemTime::try_from(date).unwrap();
            assert_eq!(Date::try_from(time), Ok(date));
        }
    }

    #[test]
    fn dates_are_clipped_as_in_javascript() {
        assert_eq!(Date::from_millis(1.9).millis(), 1.0);
        assert_eq!(Date::from_millis(-1.9).millis(), -1.0);
        assert!(Date::from_millis(8.64e15).is_valid());
        for millis in [8.64e15 + 1.0, f64::INFINITY, f64::NAN] {
            assert!(!Date::from_millis(millis).is_valid());
            assert_eq!(SystemTime::try_from(Date::from_millis(millis)), Err(InvalidDate));
        }
    }
}
