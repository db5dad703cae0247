//! serde's questions, and where in the decoder each is answered.

use std::borrow::Cow;

use serde::{
    Deserializer,
    de::{
        Visitor,
        value::{BorrowedStrDeserializer, StringDeserializer},
    },
};

use super::{
    Decoder,
    access::Variant,
    head::{Head, Tag},
};
use crate::codec::{
    error::CodecError,
    token::{PREFIX, Token},
};

/// Asks the same of a settled promise's value, if the next value is one.
macro_rules! settle {
    ($self:ident.$method:ident($($arg:expr),*)) => {
        if let Some(mut settled) = $self.settled() {
            return settled.$method($($arg),*);
        }
    };
}

/// Methods that differ only in the type that they hint at.
macro_rules! same {
    ($($method:ident)* => $with:ident) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
            settle!(self.$method(visitor));
            self.$with(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Decoder<'de> {
    type Error = CodecError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        settle!(self.deserialize_any(visitor));
        match self.head()? {
            Head::Null => visitor.visit_none(),
            Head::Undefined => visitor.visit_unit(),
            Head::Bool(value) => visitor.visit_bool(value),
            Head::Number => self.visit_number(visitor),
            Head::NotFinite(number) => visitor.visit_f64(number.value()),
            Head::String => self.visit_string(visitor),
            Head::Array => self.visit_array(visitor),
            Head::Object => self.visit_object(visitor),
            Head::Special(Tag::Error) => self.visit_error(visitor),
            Head::Special(tag) => self.visit_special(tag, visitor),
        }
    }

    same!(deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 => integer);
    same!(deserialize_i128 deserialize_u128 => wide_integer);
    same!(deserialize_str deserialize_string deserialize_char deserialize_identifier => text);
    same!(deserialize_bytes deserialize_byte_buf => binary);
    same!(deserialize_seq => array);

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        settle!(self.deserialize_bool(visitor));
        match self.head()? {
            Head::Bool(value) => visitor.visit_bool(value),
            other => Err(CodecError::mismatch(other.describe(), &visitor)),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        settle!(self.deserialize_f32(visitor));
        match self.head()? {
            Head::Number => visitor.visit_f32(self.decimal()?.to_f32()),
            Head::NotFinite(number) => visitor.visit_f64(number.value()),
            other => Err(CodecError::mismatch(other.describe(), &visitor)),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        settle!(self.deserialize_f64(visitor));
        match self.head()? {
            Head::Number => visitor.visit_f64(self.decimal()?.to_f64()),
            Head::NotFinite(number) => visitor.visit_f64(number.value()),
            other => Err(CodecError::mismatch(other.describe(), &visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        settle!(self.deserialize_option(visitor));
        if self.nullish() {
            return visitor.visit_none();
        }
        self.layer(|decoder| visitor.visit_some(decoder))
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        settle!(self.deserialize_unit(visitor));
        match self.head()? {
            Head::Null | Head::Undefined => visitor.visit_unit(),
            other => Err(CodecError::mismatch(other.describe(), &visitor)),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        self.layer(|decoder| visitor.visit_newtype_struct(decoder))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        settle!(self.deserialize_map(visitor));
        match self.head()? {
            Head::Object => self.visit_object(visitor),
            other => Err(CodecError::mismatch(other.describe(), &visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        if !name.starts_with(PREFIX) {
            return self.deserialize_map(visitor);
        }
        settle!(self.deserialize_struct(name, fields, visitor));
        match self.head()? {
            Head::Special(tag) if Some(tag.token()) == Token::from_name(name) => {
                self.visit_special(tag, visitor)
            }
            other => Err(CodecError::mismatch(other.describe(), &visitor)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        settle!(self.deserialize_enum(name, variants, visitor));
        match self.head()? {
            Head::String => match self.cursor.string()? {
                Cow::Borrowed(text) => visitor.visit_enum(BorrowedStrDeserializer::new(text)),
                Cow::Owned(text) => visitor.visit_enum(StringDeserializer::new(text)),
            },
            Head::Object => {
                let name = self.cursor.string()?;
                self.cursor.expect(b':')?;
                self.depth += 1;
                let value = visitor.visit_enum(Variant::new(self, name))?;
                self.depth -= 1;
                if !self.cursor.eat(b'}') {
                    return Err(CodecError::new("expected an object with one member only"));
                }
                Ok(value)
            }
            other => Err(CodecError::mismatch(other.describe(), &visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        self.cursor.skip_value()?;
        visitor.visit_unit()
    }
}

impl<'de> Decoder<'de> {
    fn integer<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, CodecError> {
        self.visit_integer(visitor, false)
    }

    fn wide_integer<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, CodecError> {
        self.visit_integer(visitor, true)
    }

    fn text<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, CodecError> {
        match self.head()? {
            Head::String => self.visit_string(visitor),
            other => Err(CodecError::mismatch(other.describe(), &visitor)),
        }
    }

    fn binary<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, CodecError> {
        match self.head()? {
            Head::Special(Tag::Bytes) => visitor.visit_byte_buf(self.bytes()?.0),
            Head::Array => self.visit_array(visitor),
            other => Err(CodecError::mismatch(other.describe(), &visitor)),
        }
    }

    fn array<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, CodecError> {
        match self.head()? {
            Head::Array => self.visit_array(visitor),
            Head::Special(Tag::Bytes) => self.visit_bytes_as_array(visitor),
            other => Err(CodecError::mismatch(other.describe(), &visitor)),
        }
    }
}
