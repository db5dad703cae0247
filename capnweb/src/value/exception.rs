//! JavaScript's `Error` objects.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, SeqAccess, Visitor},
    ser::SerializeTuple,
};

use super::{Object, Value, object::Fill};
use crate::codec::token::{self, Token};

/// An `Error` object: what JavaScript code throws, but also a value like any other.
///
/// The stack is what the sender chose to tell; this side never sends one.
#[derive(Clone, Debug, PartialEq)]
pub struct Exception {
    /// The name of its class, such as `TypeError`. JavaScript peers keep only the names of their
    /// built-in classes and read others as `Error`.
    pub name: String,
    /// What went wrong.
    pub message: String,
    /// Where it went wrong, if the sender said so.
    pub stack: Option<String>,
    /// Everything else that the error carries. A property that cannot be sent is left out.
    pub properties: Object,
}

impl Exception {
    /// An error of this class, with this message.
    pub fn new(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { name: name.into(), message: message.into(), stack: None, properties: Object::new() }
    }

    /// The same error with one more property.
    pub fn with_property(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.properties.insert(name, value);
        self
    }

    /// The same error with what it was caused by.
    pub fn with_cause(self, cause: impl Into<Value>) -> Self {
        self.with_property("cause", cause)
    }

    /// What it was caused by.
    pub fn cause(&self) -> Option<&Value> {
        self.properties.get("cause")
    }

    /// The errors that an `AggregateError` stands for; none for other errors.
    pub fn errors(&self) -> &[Value] {
        match self.properties.get("errors") {
            Some(Value::Array(errors)) if self.name == "AggregateError" => errors,
            _ => &[],
        }
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

impl Serialize for Exception {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        token::serialize(serializer, Token::Error, &Parts(self))
    }
}

/// Name, message, and the properties if there are any.
struct Parts<'a>(&'a Exception);

impl Serialize for Parts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Exception { name, message, properties, .. } = self.0;
        let mut parts = serializer.serialize_tuple(2 + usize::from(!properties.is_empty()))?;
        parts.serialize_element(name)?;
        parts.serialize_element(message)?;
        if !properties.is_empty() {
            parts.serialize_element(properties)?;
        }
        parts.end()
    }
}

impl<'de> Deserialize<'de> for Exception {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        token::deserialize(deserializer, Token::Error).map(|ReadParts(exception)| *exception)
    }
}

/// Name, message, stack and properties as the wire has them, the last two not always there.
pub(super) struct ReadParts(pub(super) Box<Exception>);

impl<'de> Deserialize<'de> for ReadParts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PartsVisitor;
        impl<'de> Visitor<'de> for PartsVisitor {
            type Value = ReadParts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the parts of an error")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ReadParts, A::Error> {
                let mut exception = read_texts(&mut seq, &self)?;
                seq.next_element_seed(Fill(&mut exception.properties))?;
                // These are not properties of their own: what the wire says of them elsewhere
                // counts.
                for reserved in ["name", "message", "stack"] {
                    exception.properties.remove(reserved);
                }
                Ok(ReadParts(exception))
            }
        }
        deserializer.deserialize_seq(PartsVisitor)
    }
}

/// Reads what stands before the properties. Apart, and boxed, so that errors within errors need
/// little stack.
#[inline(never)]
fn read_texts<'de, A: SeqAccess<'de>>(
    seq: &mut A,
    expected: &dyn de::Expected,
) -> Result<Box<Exception>, A::Error> {
    let missing = |at| de::Error::invalid_length(at, expected);
    let name: String = seq.next_element()?.ok_or_else(|| missing(0))?;
    let message: String = seq.next_element()?.ok_or_else(|| missing(1))?;
    let mut exception = Box::new(Exception::new(name, message));
    if let Some(Value::String(stack)) = seq.next_element()? {
        exception.stack = Some(stack);
    }
    Ok(exception)
}
