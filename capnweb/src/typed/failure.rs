//! What the methods of an interface fail with.

use std::{error::Error as StdError, fmt};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    error::{Error, ErrorKind},
    value::{Exception, Value},
};

/// The property of a thrown error that holds what [`throw`] was given.
const DATA: &str = "data";

/// What a method can fail with: [`Error`], or a type of one's own that derives
/// [`Failure`](macro@crate::Failure).
///
/// Such a type is thrown as an `Error` whose message is its `Display` text and whose property
/// `data` is the value itself, for callers in JavaScript to look at. Callers in Rust get it back as
/// [`CallError::Method`]. No stubs and streams can be in it: an error carries data only.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be what a method fails with",
    label = "not a `Failure`",
    note = "use `capnweb::Error`, or derive `Serialize`, `Deserialize` and `capnweb::Failure` for \
            the type and implement `Display` for it"
)]
pub trait Failure: Sized + 'static {
    /// What a caller sees, who must also be told of failures that are not the method's.
    type Seen;

    /// What is thrown.
    fn into_error(self) -> Error;

    /// What a caller sees of an error.
    fn seen(error: Error) -> Self::Seen;
}

impl Failure for Error {
    type Seen = Self;

    fn into_error(self) -> Error {
        self
    }

    fn seen(error: Error) -> Self {
        error
    }
}

/// Why a call failed whose method fails with `E`.
#[derive(Clone, Debug)]
pub enum CallError<E> {
    /// The method failed with this.
    Method(E),
    /// Something else went wrong: the connection, the arguments, the result.
    Rpc(Error),
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method(failure) => failure.fmt(f),
            Self::Rpc(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Display + fmt::Debug> StdError for CallError<E> {}

impl<E> From<Error> for CallError<E> {
    fn from(error: Error) -> Self {
        Self::Rpc(error)
    }
}

/// What a method returns: a [`Result`] with a [`Failure`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a result that a method can return",
    label = "expected `Result<T, E>`, where `E` is a `capnweb::Failure`"
)]
pub trait Outcome {
    /// What is returned if all goes well.
    type Value;
    /// What is thrown if not.
    type Failure: Failure;

    /// The result, with what is thrown.
    fn into_result(self) -> Result<Self::Value, Error>;
}

impl<T, E: Failure> Outcome for Result<T, E> {
    type Value = T;
    type Failure = E;

    fn into_result(self) -> Result<T, Error> {
        self.map_err(E::into_error)
    }
}

/// Throws a failure of this name: for the derived [`Failure::into_error`].
pub fn throw<E: Serialize + fmt::Display>(name: &str, failure: &E) -> Error {
    match Value::encode(failure) {
        Ok(data) => Exception::new(name, failure.to_string()).with_property(DATA, data).into(),
        Err(error) => error,
    }
}

/// The failure of this name that was thrown, or one that has lost its name on the way through
/// JavaScript: for the derived [`Failure::seen`].
pub fn caught<E: DeserializeOwned>(name: &str, error: Error) -> CallError<E> {
    let thrown = error
        .exception()
        .filter(|_| error.kind() == ErrorKind::Thrown)
        .filter(|exception| exception.name == name || exception.name == "Error")
        .and_then(|exception| exception.properties.get(DATA)?.decode().ok());
    match thrown {
        Some(failure) => CallError::Method(failure),
        None => CallError::Rpc(error),
    }
}
