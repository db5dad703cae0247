//! What went wrong in a value, and where in it.

use std::fmt::{self, Display, Write};

use serde::{de, ser};

use crate::{Error, ErrorKind, wire::lex::LexError};

/// A failure to encode or decode, on its way out of the value: each container that it passes adds
/// where it was, so that only failures pay for knowing the path.
#[derive(Debug)]
pub(crate) struct CodecError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    message: String,
    /// Innermost step first.
    path: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    Index(usize),
    Member(String),
}

impl CodecError {
    #[cold]
    pub(super) fn new(message: impl Display) -> Self {
        Self(Box::new(Inner { message: message.to_string(), path: Vec::new() }))
    }

    /// Another kind of value was found than expected.
    #[cold]
    pub(super) fn mismatch(found: impl Display, expected: &dyn de::Expected) -> Self {
        let expected = expected.to_string();
        Self::new(format_args!("expected {}, found {found}", phrase(&expected)))
    }

    /// The failure, seen from the array that holds the element it was in.
    #[cold]
    pub(super) fn in_element(mut self, index: usize) -> Self {
        self.0.path.push(Step::Index(index));
        self
    }

    /// The failure, seen from the object that holds the member it was in.
    #[cold]
    pub(super) fn in_member(mut self, name: impl Into<String>) -> Self {
        self.0.path.push(Step::Member(name.into()));
        self
    }

    /// The error that users see, for a failure within what is called `root`.
    #[cold]
    pub(super) fn into_error(self, kind: ErrorKind, root: &str) -> Error {
        let Inner { message, path } = *self.0;
        if path.is_empty() {
            return Error::of_kind(kind, "TypeError", message);
        }
        let mut text = String::from(root);
        for step in path.iter().rev() {
            step.write(&mut text);
        }
        Error::of_kind(kind, "TypeError", format_args!("{text}: {message}"))
    }
}

impl Step {
    fn write(&self, out: &mut String) {
        let written = match self {
            Step::Index(index) => write!(out, "[{index}]"),
            Step::Member(name) if is_identifier(name) => write!(out, ".{name}"),
            Step::Member(name) => write!(out, "[{name:?}]"),
        };
        debug_assert!(written.is_ok(), "writing to a string does not fail");
    }
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_' || c == '$')
        && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '$')
}

impl ser::Error for CodecError {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(message)
    }
}

impl de::Error for CodecError {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(message)
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let expected = expected.to_string();
        let expected = phrase(&expected);
        let found = describe(found, expected.contains("integer"));
        Self::new(format_args!("expected {expected}, found {found}"))
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let expected = expected.to_string();
        let found = describe(found, true);
        Self::new(format_args!("expected {}, found {found}", phrase(&expected)))
    }
}

impl From<LexError> for CodecError {
    #[cold]
    fn from(error: LexError) -> Self {
        Self::new(format_args!("malformed text: {error}"))
    }
}

impl Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for CodecError {}

/// What serde's own visitors say they expect, in words that mean something outside of Rust.
fn phrase(expected: &str) -> &str {
    match expected {
        "i8" => "an integer from -128 to 127",
        "i16" => "an integer from -32768 to 32767",
        "i32" => "an integer from -2147483648 to 2147483647",
        "i64" | "i128" | "isize" => "an integer",
        "u8" => "an integer from 0 to 255",
        "u16" => "an integer from 0 to 65535",
        "u32" => "an integer from 0 to 4294967295",
        "u64" | "u128" | "usize" => "an integer of 0 or more",
        "f32" | "f64" => "a number",
        "unit" => "undefined",
        "a sequence" => "an array",
        "a map" => "an object",
        "a byte array" | "byte array" => "bytes",
        other => other,
    }
}

/// What was found, in a word or two; for a scalar the value itself if that is what matters.
fn describe(found: de::Unexpected<'_>, exactly: bool) -> String {
    use de::Unexpected::*;
    let kind = match found {
        Bool(value) if exactly => return value.to_string(),
        Unsigned(value) if exactly => return value.to_string(),
        Signed(value) if exactly => return value.to_string(),
        Float(value) if exactly => return value.to_string(),
        Str(value) if exactly && value.len() <= 64 => return format!("{value:?}"),
        Bool(_) => "a boolean",
        Unsigned(_) | Signed(_) | Float(_) => "a number",
        Char(_) | Str(_) => "a string",
        Bytes(_) => "bytes",
        Unit => "undefined",
        Option => "null",
        Seq => "an array",
        Map => "an object",
        other => return other.to_string(),
    };
    kind.to_owned()
}
