//! [`Value`] as serde sees it.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};

use super::{
    BigInt, Bytes, Date, Object, Value, as_url, bigint, bytes, exception::ReadParts, object::Fill,
};
use crate::{
    codec::{
        frame,
        token::{self, Token},
    },
    fetch::{self, Request, Response},
    payload::Cap,
    stream::{ReadableStream, WritableStream},
    stub::Stub,
};

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Undefined => serializer.serialize_unit(),
            Self::Null => serializer.serialize_none(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => serializer.serialize_f64(*value),
            Self::BigInt(value) => value.serialize(serializer),
            Self::String(value) => serializer.serialize_str(value),
            Self::Array(elements) => serializer.collect_seq(elements),
            Self::Object(members) => members.serialize(serializer),
            Self::Date(value) => value.serialize(serializer),
            Self::Bytes(value) => value.serialize(serializer),
            Self::Error(value) => value.serialize(serializer),
            Self::Url(value) => as_url::serialize(value, serializer),
            Self::Headers(value) => value.serialize(serializer),
            Self::Request(value) => value.serialize(serializer),
            Self::Response(value) => value.serialize(serializer),
            Self::Blob(value) => value.serialize(serializer),
            Self::Stub(value) => value.serialize(serializer),
            Self::ReadableStream(value) => value.serialize(serializer),
            Self::WritableStream(value) => value.serialize(serializer),
            Self::Promise(value) => value.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Undefined)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(integer(value, value as f64))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(integer(value, value as f64))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_bytes<E: de::Error>(self, value: &[u8]) -> Result<Value, E> {
        Ok(Bytes::from(value).into())
    }

    fn visit_byte_buf<E: de::Error>(self, value: Vec<u8>) -> Result<Value, E> {
        Ok(Bytes::from(value).into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element()? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        match map.next_key()? {
            None => Ok(Object::new().into()),
            Some(token::Name::Token(Token::Error)) => error(map),
            Some(token::Name::Token(token)) => special(token, map),
            Some(token::Name::Plain(name)) => object(name, map),
        }
    }
}

// These are apart so that their variables take stack in no more levels of a deep value than need
// them.

/// Reads the other members behind the name of the first.
#[inline(never)]
fn object<'de, A: MapAccess<'de>>(first: String, mut map: A) -> Result<Value, A::Error> {
    let mut members = Object::new();
    members.insert(first, map.next_value::<Value>()?);
    Fill(&mut members).visit_map(map)?;
    Ok(Value::Object(members))
}

/// Reads an error behind its token.
#[inline(never)]
fn error<'de, A: MapAccess<'de>>(mut map: A) -> Result<Value, A::Error> {
    map.next_value().map(|token::Body(ReadParts(exception))| Value::Error(exception))
}

/// Integers that a number holds exactly are numbers, others are bigints. Only other formats than
/// this crate's have the others.
fn integer(exact: impl Into<BigInt>, double: f64) -> Value {
    if double.abs() <= 9_007_199_254_740_992.0 {
        Value::Number(double)
    } else {
        Value::BigInt(exact.into())
    }
}

/// Reads what follows a token.
#[inline(never)]
fn special<'de, A: MapAccess<'de>>(token: Token, mut map: A) -> Result<Value, A::Error> {
    Ok(match token {
        Token::Date => Date::from_millis(map.next_value::<token::Body<f64>>()?.0).into(),
        Token::BigInt => {
            bigint::from_wire::<A::Error>(&map.next_value::<token::Body<String>>()?.0)?.into()
        }
        Token::Bytes(kind) => bytes::read_kind(map, kind)?.into(),
        Token::Error => error(map)?,
        Token::Url => {
            as_url::from_wire::<A::Error>(&map.next_value::<token::Body<String>>()?.0)?.into()
        }
        Token::Headers => Value::Headers(fetch::headers_from_wire::<A::Error>(
            &map.next_value::<token::Body<String>>()?.0,
        )?),
        Token::Request => map.next_value::<token::Body<fetch::Read<Request>>>()?.0.0.into(),
        Token::Response => map.next_value::<token::Body<fetch::Read<Response>>>()?.0.0.into(),
        Token::Capability => match frame::claim(map.next_value::<token::Body<u64>>()?.0) {
            Some(Cap::Readable(readable)) => Value::ReadableStream(ReadableStream::of(readable)),
            Some(Cap::Writable(hook)) => Value::WritableStream(WritableStream::of(hook)),
            Some(Cap::Blob(blob)) => blob.into(),
            Some(Cap::Stub(hook)) => Value::Stub(Stub::from_hook(hook)),
            Some(cap) => return Err(frame::unexpected(&cap, "a value")),
            None => {
                return Err(serde::de::Error::custom(
                    "a stub can only be received in a Cap'n Web message",
                ));
            }
        },
    })
}
