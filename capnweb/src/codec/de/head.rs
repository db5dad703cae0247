//! What kind of value comes next.

use crate::{
    codec::{error::CodecError, token::Token},
    value::BytesKind,
    wire::lex::Cursor,
};

/// The beginning of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::codec) enum Head {
    Null,
    Undefined,
    Bool(bool),
    /// A number that has no text, because it is not finite.
    NotFinite(NotFinite),
    /// The number is still to be read.
    Number,
    /// The string is still to be read.
    String,
    /// The elements are still to be read.
    Array,
    /// The members are still to be read.
    Object,
    /// What stands behind the tag is still to be read.
    Special(Tag),
}

/// The special numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::codec) enum NotFinite {
    Infinite,
    NegativeInfinite,
    NotANumber,
}

/// The tags of values that serde has no word for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::codec) enum Tag {
    BigInt,
    Bytes,
    Date,
    Error,
    Headers,
    Hole,
    Request,
    Response,
    Url,
}

impl Head {
    /// Reads so far that it is clear what comes. Scalars that have no further text are read whole.
    pub(in crate::codec) fn read(cursor: &mut Cursor<'_>) -> Result<Self, CodecError> {
        let head = match cursor.peek() {
            Some(b'"') => return Ok(Self::String),
            Some(b'-' | b'0'..=b'9') => return Ok(Self::Number),
            Some(b'{') => Self::Object,
            Some(b'[') => {
                cursor.step(1);
                return Self::read_bracketed(cursor);
            }
            _ if cursor.eat_text("null") => return Ok(Self::Null),
            _ if cursor.eat_text("true") => return Ok(Self::Bool(true)),
            _ if cursor.eat_text("false") => return Ok(Self::Bool(false)),
            _ => return Err(cursor.error("expected a value").into()),
        };
        cursor.step(1);
        Ok(head)
    }

    fn read_bracketed(cursor: &mut Cursor<'_>) -> Result<Self, CodecError> {
        if cursor.eat(b'[') {
            return Ok(Self::Array);
        }
        let whole = match cursor.string()?.as_ref() {
            "undefined" => Self::Undefined,
            "inf" => Self::NotFinite(NotFinite::Infinite),
            "-inf" => Self::NotFinite(NotFinite::NegativeInfinite),
            "nan" => Self::NotFinite(NotFinite::NotANumber),
            "bigint" => return Ok(Self::Special(Tag::BigInt)),
            "bytes" => return Ok(Self::Special(Tag::Bytes)),
            "date" => return Ok(Self::Special(Tag::Date)),
            "error" => return Ok(Self::Special(Tag::Error)),
            "#" => return Ok(Self::Special(Tag::Hole)),
            "url" => return Ok(Self::Special(Tag::Url)),
            "headers" => return Ok(Self::Special(Tag::Headers)),
            "request" => return Ok(Self::Special(Tag::Request)),
            "response" => return Ok(Self::Special(Tag::Response)),
            other => {
                return Err(CodecError::new(format_args!("unsupported kind of value: {other:?}")));
            }
        };
        skip_rest(cursor)?;
        Ok(whole)
    }

    /// What a user calls such a value.
    pub(in crate::codec) fn describe(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Undefined => "undefined",
            Self::Bool(_) => "a boolean",
            Self::Number => "a number",
            Self::NotFinite(NotFinite::NotANumber) => "NaN",
            Self::NotFinite(NotFinite::Infinite) => "Infinity",
            Self::NotFinite(NotFinite::NegativeInfinite) => "-Infinity",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
            Self::Special(tag) => tag.token().describe(),
        }
    }
}

impl NotFinite {
    pub(in crate::codec) fn value(self) -> f64 {
        match self {
            Self::Infinite => f64::INFINITY,
            Self::NegativeInfinite => f64::NEG_INFINITY,
            Self::NotANumber => f64::NAN,
        }
    }
}

impl Tag {
    /// The token that stands for such values; for bytes that of the plainest kind.
    pub(in crate::codec) fn token(self) -> Token {
        match self {
            Self::BigInt => Token::BigInt,
            Self::Bytes => Token::Bytes(BytesKind::Uint8Array),
            Self::Date => Token::Date,
            Self::Error => Token::Error,
            Self::Headers => Token::Headers,
            Self::Hole => Token::Capability,
            Self::Request => Token::Request,
            Self::Response => Token::Response,
            Self::Url => Token::Url,
        }
    }
}

/// Steps over what is left of a tagged value, up to and with its closing bracket.
pub(in crate::codec) fn skip_rest(cursor: &mut Cursor<'_>) -> Result<(), CodecError> {
    while cursor.eat(b',') {
        cursor.skip_value()?;
    }
    Ok(cursor.expect(b']')?)
}

/// Steps over a hole if one is next, and returns the index of its slot. Otherwise the cursor may
/// have moved.
pub(in crate::codec) fn hole(cursor: &mut Cursor<'_>) -> Option<usize> {
    let index = cursor.eat_text("[\"#\",").then(|| cursor.number().ok())??;
    cursor.expect(b']').ok()?;
    index.parse().ok()
}
