//! Binary data: `Uint8Array` and its relatives.

use std::{fmt, ops::Deref};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor},
};

use crate::codec::token::{self, Token};

/// Bytes, and which of JavaScript's binary types they are for. Cheap to clone.
///
/// Elements of more than a byte are in little-endian order.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Bytes {
    data: bytes::Bytes,
    kind: BytesKind,
}

/// JavaScript's binary types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are JavaScript's")]
pub enum BytesKind {
    #[default]
    Uint8Array,
    ArrayBuffer,
    DataView,
    Int8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    BigInt64Array,
    BigUint64Array,
    Float32Array,
    Float64Array,
}

/// The bytes are no whole number of the kind's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BytesLengthError {
    kind: BytesKind,
    len: usize,
}

impl Bytes {
    /// These bytes as a `Uint8Array`.
    pub fn new(data: impl Into<bytes::Bytes>) -> Self {
        Self { data: data.into(), kind: BytesKind::Uint8Array }
    }

    /// These bytes as another binary type.
    ///
    /// # Errors
    /// If the length is not a multiple of the kind's element size.
    pub fn of_kind(
        data: impl Into<bytes::Bytes>,
        kind: BytesKind,
    ) -> Result<Self, BytesLengthError> {
        let data = data.into();
        if data.len().is_multiple_of(kind.element_size()) {
            Ok(Self { data, kind })
        } else {
            Err(BytesLengthError { kind, len: data.len() })
        }
    }

    /// Which binary type it is.
    pub fn kind(&self) -> BytesKind {
        self.kind
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.data
    }

    /// The bytes as a shared buffer.
    pub fn into_data(self) -> bytes::Bytes {
        self.data
    }
}

impl BytesKind {
    /// All kinds.
    pub(crate) const ALL: [BytesKind; 13] = [
        Self::Uint8Array,
        Self::ArrayBuffer,
        Self::DataView,
        Self::Int8Array,
        Self::Uint8ClampedArray,
        Self::Int16Array,
        Self::Uint16Array,
        Self::Int32Array,
        Self::Uint32Array,
        Self::BigInt64Array,
        Self::BigUint64Array,
        Self::Float32Array,
        Self::Float64Array,
    ];

    /// The type's name in JavaScript.
    pub fn name(self) -> &'static str {
        // The token is a fixed prefix and the name.
        &self.token()[BYTES_PREFIX.len()..]
    }

    /// The kind of this name in JavaScript.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The bytes that one element takes.
    pub fn element_size(self) -> usize {
        match self {
            Self::Uint8Array
            | Self::ArrayBuffer
            | Self::DataView
            | Self::Int8Array
            | Self::Uint8ClampedArray => 1,
            Self::Int16Array | Self::Uint16Array => 2,
            Self::Int32Array | Self::Uint32Array | Self::Float32Array => 4,
            Self::BigInt64Array | Self::BigUint64Array | Self::Float64Array => 8,
        }
    }

    /// The private key under which bytes of this kind pass through serde.
    pub(crate) fn token(self) -> &'static str {
        match self {
            Self::Uint8Array => "$capnweb::bytes.Uint8Array",
            Self::ArrayBuffer => "$capnweb::bytes.ArrayBuffer",
            Self::DataView => "$capnweb::bytes.DataView",
            Self::Int8Array => "$capnweb::bytes.Int8Array",
            Self::Uint8ClampedArray => "$capnweb::bytes.Uint8ClampedArray",
            Self::Int16Array => "$capnweb::bytes.Int16Array",
            Self::Uint16Array => "$capnweb::bytes.Uint16Array",
            Self::Int32Array => "$capnweb::bytes.Int32Array",
            Self::Uint32Array => "$capnweb::bytes.Uint32Array",
            Self::BigInt64Array => "$capnweb::bytes.BigInt64Array",
            Self::BigUint64Array => "$capnweb::bytes.BigUint64Array",
            Self::Float32Array => "$capnweb::bytes.Float32Array",
            Self::Float64Array => "$capnweb::bytes.Float64Array",
        }
    }
}

const BYTES_PREFIX: &str = "$capnweb::bytes.";

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.data
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.data
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(data: Vec<u8>) -> Self {
        Self::new(data)
    }
}

impl From<&[u8]> for Bytes {
    fn from(data: &[u8]) -> Self {
        Self::new(data.to_vec())
    }
}

impl From<bytes::Bytes> for Bytes {
    fn from(data: bytes::Bytes) -> Self {
        Self::new(data)
    }
}

impl From<Bytes> for Vec<u8> {
    fn from(bytes: Bytes) -> Self {
        bytes.data.into()
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:?})", self.kind.name(), self.data)
    }
}

impl fmt::Display for BytesLengthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, size) = (self.kind.name(), self.kind.element_size());
        write!(f, "{} bytes are no {name}: expected a multiple of {size}", self.len)
    }
}

impl std::error::Error for BytesLengthError {}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.kind {
            BytesKind::Uint8Array => serializer.serialize_bytes(&self.data),
            kind => token::serialize(serializer, Token::Bytes(kind), &Raw(&self.data)),
        }
    }
}

/// A slice that serializes as bytes and not as an array.
struct Raw<'a>(&'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BytesVisitor)
    }
}

struct BytesVisitor;

impl<'de> Visitor<'de> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: de::Error>(self, data: &[u8]) -> Result<Bytes, E> {
        Ok(data.into())
    }

    fn visit_byte_buf<E: de::Error>(self, data: Vec<u8>) -> Result<Bytes, E> {
        Ok(data.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Bytes, A::Error> {
        match map.next_key()? {
            Some(token::Name::Token(Token::Bytes(kind))) => read_kind(map, kind),
            Some(token::Name::Token(other)) => Err(other.unexpected(&self)),
            _ => Err(de::Error::invalid_type(de::Unexpected::Map, &self)),
        }
    }
}

/// Reads the bytes that follow their kind's token.
pub(super) fn read_kind<'de, A: MapAccess<'de>>(
    mut map: A,
    kind: BytesKind,
) -> Result<Bytes, A::Error> {
    let token::Body(RawBuf(data)) = map.next_value()?;
    Bytes::of_kind(data, kind).map_err(de::Error::custom)
}

/// A buffer that deserializes from bytes.
struct RawBuf(Vec<u8>);

impl<'de> Deserialize<'de> for RawBuf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Buffer;
        impl Visitor<'_> for Buffer {
            type Value = RawBuf;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: de::Error>(self, data: &[u8]) -> Result<RawBuf, E> {
                Ok(RawBuf(data.to_vec()))
            }

            fn visit_byte_buf<E: de::Error>(self, data: Vec<u8>) -> Result<RawBuf, E> {
                Ok(RawBuf(data))
            }
        }
        deserializer.deserialize_byte_buf(Buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_by_name_and_check_lengths() {
        for kind in BytesKind::ALL {
            assert_eq!(BytesKind::from_name(kind.name()), Some(kind));
            assert_eq!(kind.name(), format!("{kind:?}"));
            assert_eq!(Bytes::of_kind(vec![0; 7], kind).is_ok(), kind.element_size() == 1);
            assert!(Bytes::of_kind(vec![0; 16], kind).is_ok());
        }
        assert_eq!(BytesKind::from_name("Buffer"), None);
    }
}
