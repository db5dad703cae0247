//! What a request or response carries.

use std::fmt;

use bytes::{Bytes as Data, BytesMut};
use futures::{StreamExt, stream};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor},
};

use crate::{
    codec::token::{self, Token},
    error::{Error, ErrorKind},
    stream::ReadableStream,
    value::Bytes,
};

/// What a request or response carries.
///
/// JavaScript sends every body as a stream; the other forms save the messages of one where all of
/// it is at hand. A JavaScript peer that receives a text adds `content-type: text/plain` where
/// the headers do not say otherwise.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Body {
    /// Nothing at all, which is not the same as no bytes.
    #[default]
    Empty,
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Data),
    /// Bytes that follow one another.
    Stream(ReadableStream<Bytes>),
}

impl Body {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// All bytes, once they have come, if there are no more than so many.
    ///
    /// # Errors
    /// If there are more, or the stream fails.
    pub async fn collect(self, max_bytes: usize) -> Result<Data, Error> {
        let data = match self {
            Self::Empty => Data::new(),
            Self::Text(text) => Data::from(text),
            Self::Bytes(data) => data,
            Self::Stream(stream) => return collect(stream, "body", max_bytes, |_| Ok(())).await,
        };
        if data.len() > max_bytes { Err(too_long("body", max_bytes)) } else { Ok(data) }
    }

    /// The bytes as they come.
    pub fn into_stream(self) -> ReadableStream<Bytes> {
        match self {
            Self::Empty => chunks(Data::new()),
            Self::Text(text) => chunks(Data::from(text)),
            Self::Bytes(data) => chunks(data),
            Self::Stream(stream) => stream,
        }
    }
}

/// The bytes in chunks of a size that lets other messages through.
pub(super) fn chunks(mut data: Data) -> ReadableStream<Bytes> {
    const CHUNK: usize = 64 * 1024;
    ReadableStream::new(stream::iter(std::iter::from_fn(move || {
        let len = data.len().min(CHUNK);
        (len > 0).then(|| Ok(Bytes::new(data.split_to(len))))
    })))
}

/// All that a stream yields. One that yields too much is read no further, nor is one of which
/// `keep`, told of each chunk's size, does not want more.
pub(super) async fn collect(
    mut stream: ReadableStream<Bytes>,
    what: &str,
    max_bytes: usize,
    mut keep: impl FnMut(usize) -> Result<(), Error>,
) -> Result<Data, Error> {
    let mut data = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        if chunk.len() > max_bytes.saturating_sub(data.len()) {
            return Err(too_long(what, max_bytes));
        }
        keep(chunk.len())?;
        data.extend_from_slice(&chunk);
    }
    Ok(data.freeze())
}

fn too_long(what: &str, max_bytes: usize) -> Error {
    Error::of_kind(
        ErrorKind::Overloaded,
        "RangeError",
        format_args!("The {what} is longer than {max_bytes} bytes."),
    )
}

macro_rules! from {
    ($($type:ty, $value:ident => $result:expr;)*) => {$(
        impl From<$type> for Body {
            fn from($value: $type) -> Self {
                $result
            }
        }
    )*};
}

from! {
    &str, text => Self::Text(text.to_owned());
    String, text => Self::Text(text);
    Vec<u8>, data => Self::Bytes(data.into());
    Data, data => Self::Bytes(data);
    Bytes, bytes => Self::Bytes(bytes.into_data());
    ReadableStream<Bytes>, stream => Self::Stream(stream);
}

/// A body within the parts of a request or response.
pub(super) struct Part<T>(pub(super) T);

impl Serialize for Part<&Body> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Body::Empty => serializer.serialize_none(),
            Body::Text(text) => serializer.serialize_str(text),
            Body::Bytes(data) => serializer.serialize_bytes(data),
            Body::Stream(stream) => stream.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Part<Body> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BodyVisitor;
        impl<'de> Visitor<'de> for BodyVisitor {
            type Value = Part<Body>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a body")
            }

            fn visit_none<E: de::Error>(self) -> Result<Part<Body>, E> {
                Ok(Part(Body::Empty))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Part<Body>, E> {
                Ok(Part(Body::Empty))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Part<Body>, E> {
                Ok(Part(text.into()))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Part<Body>, E> {
                Ok(Part(text.into()))
            }

            fn visit_bytes<E: de::Error>(self, data: &[u8]) -> Result<Part<Body>, E> {
                Ok(Part(data.to_vec().into()))
            }

            fn visit_byte_buf<E: de::Error>(self, data: Vec<u8>) -> Result<Part<Body>, E> {
                Ok(Part(data.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Part<Body>, A::Error> {
                let id = token::read(map, Token::Capability, &self)?;
                Ok(Part(Body::Stream(ReadableStream::received(id)?)))
            }
        }
        deserializer.deserialize_any(BodyVisitor)
    }
}
