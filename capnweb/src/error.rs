//! What a call can fail with.
//!
//! One type for all failures: a matchable kind, and for what the other side threw, the thrown
//! value with everything it carried.

use std::{fmt, sync::Arc};

use crate::value::{Exception, Value};

/// Why an operation failed. Cheap to clone.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    thrown: Value,
}

/// The classes of failure a caller may want to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The method itself failed: something was thrown by it, on this side or the other.
    Thrown,
    /// The connection ended, or was never made, before there was an answer.
    Disconnected,
    /// The stub, promise or session was disposed before there was an answer.
    Disposed,
    /// Too much is waiting to be sent or answered already; nothing was sent.
    Overloaded,
    /// The peer, or this side, broke the protocol; the session has ended.
    Protocol,
    /// A value that arrived is not of the type that was asked for.
    Decode,
    /// A value cannot be sent.
    Encode,
}

impl Error {
    /// An error as a JavaScript `Error` with this message.
    pub fn msg(message: impl fmt::Display) -> Self {
        Self::named("Error", message)
    }

    /// An error as a JavaScript `TypeError` with this message.
    pub fn type_error(message: impl fmt::Display) -> Self {
        Self::named("TypeError", message)
    }

    /// An error with this name and message. JavaScript peers keep only the names of their
    /// built-in error classes and read others as `Error`.
    pub fn named(name: impl Into<String>, message: impl fmt::Display) -> Self {
        Exception::new(name, message.to_string()).into()
    }

    /// Throws any value, as JavaScript's `throw` does.
    pub fn throw(value: impl Into<Value>) -> Self {
        Self(Arc::new(Inner { kind: ErrorKind::Thrown, thrown: value.into() }))
    }

    /// An error of this kind, which a peer sees as `name` and `message`.
    pub(crate) fn of_kind(kind: ErrorKind, name: &str, message: impl fmt::Display) -> Self {
        let exception = Exception::new(name, message.to_string());
        Self(Arc::new(Inner { kind, thrown: Value::Error(Box::new(exception)) }))
    }

    /// The same error as one of another kind.
    pub(crate) fn with_kind(&self, kind: ErrorKind) -> Self {
        Self(Arc::new(Inner { kind, thrown: self.0.thrown.clone() }))
    }

    /// The class of this failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What was thrown: nearly always [`Value::Error`], but JavaScript can throw anything.
    pub fn thrown(&self) -> &Value {
        &self.0.thrown
    }

    /// The thrown error with its properties, unless something else was thrown.
    pub fn exception(&self) -> Option<&Exception> {
        match &self.0.thrown {
            Value::Error(exception) => Some(exception),
            _ => None,
        }
    }

    /// The error's name, such as `TypeError`; empty if no error was thrown but another value.
    pub fn name(&self) -> &str {
        self.exception().map_or("", |e| &e.name)
    }

    /// The error's message; empty if no error was thrown but another value.
    pub fn message(&self) -> &str {
        self.exception().map_or("", |e| &e.message)
    }
}

impl From<Exception> for Error {
    fn from(exception: Exception) -> Self {
        Self::throw(Value::Error(Box::new(exception)))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.thrown {
            Value::Error(e) if e.name == "Error" => f.write_str(&e.message),
            Value::Error(e) => write!(f, "{}: {}", e.name, e.message),
            other => write!(f, "{other:?} was thrown"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.0.kind).field("thrown", &self.0.thrown).finish()
    }
}

impl std::error::Error for Error {}
