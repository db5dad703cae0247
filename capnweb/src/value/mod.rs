//! What JavaScript can send.
//!
//! Owns [`Value`], which holds anything that a peer may send, and the types for what Rust and
//! serde have no word for: bigints, dates, binary data with its JavaScript type, errors. Knows
//! nothing of how they are written on the wire.
//!
//! All types here implement serde's traits and keep their meaning in Cap'n Web messages wherever
//! they stand in a user's own types. Written by another serde format they appear as an object
//! with one member under a private name, which only this crate's messages give a meaning to.

pub mod as_url;
mod bigint;
mod bytes;
mod convert;
mod date;
mod exception;
mod object;
mod serde_impls;

use crate::{
    Error, codec,
    fetch::{Blob, Headers, Request, Response},
    promise::Promise,
    stream::{ReadableStream, WritableStream},
    stub::Stub,
};

pub use self::{
    bigint::{BigInt, BigIntOutOfRange, ParseBigIntError},
    bytes::{Bytes, BytesKind, BytesLengthError},
    date::{Date, InvalidDate},
    exception::Exception,
    object::Object,
};

/// Any value that can be sent.
///
/// Comparing follows the contents, as JavaScript would print them. Not-a-number, invalid dates,
/// stubs and promises are equal to nothing, not even to themselves.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `undefined`.
    #[default]
    Undefined,
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number, which in JavaScript is always a double.
    Number(f64),
    /// A bigint.
    BigInt(BigInt),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// A plain object.
    Object(Object),
    /// A date.
    Date(Date),
    /// Binary data.
    Bytes(Bytes),
    /// An error, not thrown but sent as a value.
    Error(Box<Exception>),
    /// A URL.
    Url(Box<url::Url>),
    /// The headers of a request or response.
    Headers(Headers),
    /// A request.
    Request(Box<Request>),
    /// A response.
    Response(Box<Response>),
    /// A blob.
    Blob(Blob),
    /// A capability.
    Stub(Stub),
    /// A stream to be read.
    ReadableStream(ReadableStream),
    /// A stream to be written.
    WritableStream(WritableStream),
    /// A promise; what the other side receives in its place is what it settles to.
    Promise(Promise),
}

impl Value {
    /// The value that would be sent for this.
    ///
    /// # Errors
    /// If it cannot be sent: see the message, which names the member at fault.
    pub fn encode<T: serde::Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        codec::decode(&codec::encode(value)?)
    }

    /// This value as a type of one's own.
    ///
    /// # Errors
    /// If the value is not of that type: see the message, which names the member at fault.
    pub fn decode<T: serde::de::DeserializeOwned>(&self) -> Result<T, Error> {
        codec::decode(&codec::encode(self)?)
    }

    /// Whether this is `undefined` or `null`.
    pub fn is_nullish(&self) -> bool {
        matches!(self, Self::Undefined | Self::Null)
    }

    /// The boolean, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The number, if this is one.
    pub fn as_f64(&self) -> Option<f64> {
        if let Self::Number(value) = self { Some(*value) } else { None }
    }

    /// The string, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(value) = self { Some(value) } else { None }
    }

    /// The elements, if this is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Self::Array(elements) = self { Some(elements) } else { None }
    }

    /// The members, if this is a plain object.
    pub fn as_object(&self) -> Option<&Object> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    /// The bytes, if this is binary data of any kind.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    /// The member of this name, if this is a plain object that has it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_object()?.get(name)
    }

    /// The element at this index, if this is an array that long.
    pub fn index(&self, index: usize) -> Option<&Value> {
        self.as_array()?.get(index)
    }
}
