//! JavaScript's `bigint`.

use std::{fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor},
};

use crate::codec::token::{self, Token};

/// An integer of any size, which JavaScript calls a `bigint`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BigInt(num_bigint::BigInt);

/// The text is no decimal integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseBigIntError;

/// The integer is beyond what the other type holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BigIntOutOfRange;

impl BigInt {
    /// The integer as the type that does arithmetic.
    pub fn as_num(&self) -> &num_bigint::BigInt {
        &self.0
    }

    /// Reads what JavaScript's `BigInt(text)` accepts: surrounding white space, nothing at all for
    /// 0, a sign on decimal digits, and the prefixes `0x`, `0o` and `0b` without one.
    pub(crate) fn from_javascript(text: &str) -> Option<Self> {
        let text = text.trim_matches(|c: char| {
            // Unicode and JavaScript disagree about two characters.
            c == '\u{feff}' || c.is_whitespace() && c != '\u{85}'
        });
        if text.is_empty() {
            return Some(Self::default());
        }
        for (lower, upper, radix) in [("0x", "0X", 16), ("0o", "0O", 8), ("0b", "0B", 2)] {
            if let Some(digits) = text.strip_prefix(lower).or_else(|| text.strip_prefix(upper)) {
                return parse(digits, digits, radix);
            }
        }
        parse(text, text.strip_prefix(['-', '+']).unwrap_or(text), 10)
    }
}

/// The library also takes underscores, which nobody else does, so the digits are looked at here.
fn parse(text: &str, digits: &str, radix: u32) -> Option<BigInt> {
    let plain = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    let parsed = if plain { num_bigint::BigInt::parse_bytes(text.as_bytes(), radix) } else { None };
    parsed.map(BigInt)
}

impl FromStr for BigInt {
    type Err = ParseBigIntError;

    fn from_str(text: &str) -> Result<Self, ParseBigIntError> {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        parse(text, digits, 10).ok_or(ParseBigIntError)
    }
}

impl From<num_bigint::BigInt> for BigInt {
    fn from(value: num_bigint::BigInt) -> Self {
        Self(value)
    }
}

impl From<BigInt> for num_bigint::BigInt {
    fn from(value: BigInt) -> Self {
        value.0
    }
}

macro_rules! integers {
    ($($int:ty)*) => {$(
        impl From<$int> for BigInt {
            fn from(value: $int) -> Self {
                Self(value.into())
            }
        }

        impl TryFrom<&BigInt> for $int {
            type Error = BigIntOutOfRange;

            fn try_from(value: &BigInt) -> Result<Self, BigIntOutOfRange> {
                (&value.0).try_into().map_err(|_| BigIntOutOfRange)
            }
        }

        impl TryFrom<BigInt> for $int {
            type Error = BigIntOutOfRange;

            fn try_from(value: BigInt) -> Result<Self, BigIntOutOfRange> {
                (&value).try_into()
            }
        }
    )*};
}

integers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

impl fmt::Display for BigInt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for BigInt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}n", self.0)
    }
}

impl fmt::Display for ParseBigIntError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a decimal integer")
    }
}

impl fmt::Display for BigIntOutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the integer is out of range")
    }
}

impl std::error::Error for ParseBigIntError {}
impl std::error::Error for BigIntOutOfRange {}

impl Serialize for BigInt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        token::serialize(serializer, Token::BigInt, &self.to_string())
    }
}

impl<'de> Deserialize<'de> for BigInt {
    /// Reads a bigint, and an integral number as well.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Integer;
        impl<'de> Visitor<'de> for Integer {
            type Value = BigInt;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a bigint")
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<BigInt, E> {
                Ok(value.into())
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<BigInt, E> {
                Ok(value.into())
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<BigInt, E> {
                integral(value).ok_or_else(|| E::invalid_type(de::Unexpected::Float(value), &self))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BigInt, A::Error> {
                let digits: String = token::read(map, Token::BigInt, &self)?;
                from_wire(&digits)
            }
        }
        deserializer.deserialize_any(Integer)
    }
}

/// The bigint that the wire's text stands for, or the error that says it stands for none.
pub(super) fn from_wire<E: de::Error>(digits: &str) -> Result<BigInt, E> {
    BigInt::from_javascript(digits).ok_or_else(|| E::custom("the bigint is malformed"))
}

/// The integer that a number is, if it is one. Doubles beyond `i128` are left alone: whoever
/// counts that far has a bigint.
fn integral(value: f64) -> Option<BigInt> {
    let fits = value.fract() == 0.0 && value.abs() < 2_f64.powi(126);
    fits.then(|| (value as i128).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_javascript_reads() {
        for (text, value) in [
            ("", 0),
            (" \u{feff}\n", 0),
            ("12", 12),
            (" -12 ", -12),
            ("+7", 7),
            ("007", 7),
            ("0xFf", 255),
            ("0O17", 15),
            ("0b101", 5),
        ] {
            assert_eq!(BigInt::from_javascript(text), Some(BigInt::from(value)), "{text:?}");
        }
        for text in ["-", "1_000", "-0x1", "0x", "1.0", "1e3", "--1", "1 2", "12n", "\u{85}1"] {
            assert_eq!(BigInt::from_javascript(text), None, "{text:?}");
        }
    }

    #[test]
    fn parses_only_decimals_and_converts_what_fits() {
        let big: BigInt = "-170141183460469231731687303715884105728".parse().unwrap();
        assert_eq!(i128::try_from(&big), Ok(i128::MIN));
        assert_eq!(i64::try_from(&big), Err(BigIntOutOfRange));
        assert_eq!(big.to_string(), "-170141183460469231731687303715884105728");
        for bad in ["", " 1", "0x10", "1_0"] {
            assert_eq!(bad.parse::<BigInt>(), Err(ParseBigIntError), "{bad:?}");
        }
    }
}
