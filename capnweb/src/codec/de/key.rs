//! A member's name being read as a map's key, or to find a struct's field.

use std::{borrow::Cow, str::FromStr};

use serde::{
    Deserializer,
    de::{
        IntoDeserializer, Unexpected, Visitor,
        value::{BorrowedStrDeserializer, StringDeserializer},
    },
    forward_to_deserialize_any,
};

use crate::codec::error::CodecError;

/// Reads a name: as a string, or as what the encoder has written as one.
pub(super) struct KeyDecoder<'de>(pub(super) Cow<'de, str>);

impl<'de> KeyDecoder<'de> {
    fn parse<T: FromStr + IntoDeserializer<'de, CodecError>, V: Visitor<'de>>(
        self,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        match self.0.parse::<T>() {
            Ok(key) => key.into_deserializer().deserialize_any(visitor),
            Err(_) => Err(serde::de::Error::invalid_value(Unexpected::Str(&self.0), &visitor)),
        }
    }
}

macro_rules! parsed {
    ($($method:ident $type:ty),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
            self.parse::<$type, V>(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for KeyDecoder<'de> {
    type Error = CodecError;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        match self.0 {
            Cow::Borrowed(name) => visitor.visit_borrowed_str(name),
            Cow::Owned(name) => visitor.visit_string(name),
        }
    }

    parsed!(
        deserialize_bool bool,
        deserialize_i8 i8, deserialize_i16 i16, deserialize_i32 i32, deserialize_i64 i64,
        deserialize_i128 i128, deserialize_u8 u8, deserialize_u16 u16, deserialize_u32 u32,
        deserialize_u64 u64, deserialize_u128 u128
    );

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        match self.0 {
            Cow::Borrowed(name) => visitor.visit_enum(BorrowedStrDeserializer::new(name)),
            Cow::Owned(name) => visitor.visit_enum(StringDeserializer::new(name)),
        }
    }

    forward_to_deserialize_any! {
        f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}
