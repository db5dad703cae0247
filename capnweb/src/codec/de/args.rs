//! A call's arguments being read.

use serde::{
    Deserializer,
    de::{DeserializeSeed, SeqAccess, Visitor},
    forward_to_deserialize_any,
};

use super::{Decoder, access::Elements};
use crate::codec::error::CodecError;

/// Reads a bare array into a tuple, or what else has a fixed number of elements, or a sequence.
pub(super) struct Args<'a, 'de>(pub(super) &'a mut Decoder<'de>);

impl<'de> Args<'_, 'de> {
    /// Reads the arguments, at least so many: those that are not there are undefined. Further ones
    /// are left unread if the visitor doesn't ask for them.
    fn visit<V: Visitor<'de>>(self, visitor: V, least: usize) -> Result<V::Value, CodecError> {
        self.0.cursor.expect(b'[')?;
        self.0.depth += 1;
        visitor.visit_seq(Padded { elements: Elements::new(self.0), padding: 0, least })
    }
}

struct Padded<'a, 'de> {
    elements: Elements<'a, 'de>,
    padding: usize,
    least: usize,
}

impl<'de> SeqAccess<'de> for Padded<'_, 'de> {
    type Error = CodecError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, CodecError> {
        if !self.elements.is_at_end() {
            return self.elements.next_element_seed(seed);
        }
        let index = self.elements.index() + self.padding;
        if index >= self.least {
            return Ok(None);
        }
        self.padding += 1;
        let value = seed.deserialize(&mut Decoder::undefined());
        value.map(Some).map_err(|error| error.in_element(index))
    }
}

impl<'de> Deserializer<'de> for Args<'_, 'de> {
    type Error = CodecError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        self.visit(visitor, 0)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        self.visit(visitor, len)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        self.visit(visitor, len)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        self.visit(visitor, fields.len())
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        seq map enum identifier
    }
}
