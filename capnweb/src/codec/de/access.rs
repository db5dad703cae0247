//! Arrays, objects and enum variants being read, member by member.

use std::borrow::Cow;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor},
};

use super::{Decoder, key::KeyDecoder};
use crate::codec::{error::CodecError, token::PREFIX};

/// The elements of an array, up to its closing bracket.
pub(super) struct Elements<'a, 'de> {
    decoder: &'a mut Decoder<'de>,
    index: usize,
}

impl<'a, 'de> Elements<'a, 'de> {
    /// Begins behind the opening bracket.
    pub(super) fn new(decoder: &'a mut Decoder<'de>) -> Self {
        Self { decoder, index: 0 }
    }

    /// Whether all have been read.
    pub(super) fn is_at_end(&self) -> bool {
        self.decoder.cursor.peek() == Some(b']')
    }

    /// How many have been read.
    pub(super) fn index(&self) -> usize {
        self.index
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = CodecError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, CodecError> {
        if self.is_at_end() {
            return Ok(None);
        }
        let decoder = &mut *self.decoder;
        if self.index > 0 {
            decoder.cursor.expect(b',')?;
        }
        let index = self.index;
        self.index += 1;
        let value = decoder.check_depth().and_then(|()| seed.deserialize(decoder));
        value.map(Some).map_err(|error| error.in_element(index))
    }
}

/// The members of an object.
pub(super) struct Members<'a, 'de> {
    decoder: &'a mut Decoder<'de>,
    first: bool,
    /// Where the name of the current member is.
    name_at: usize,
}

impl<'a, 'de> Members<'a, 'de> {
    /// Begins behind the opening brace.
    pub(super) fn new(decoder: &'a mut Decoder<'de>) -> Self {
        let name_at = decoder.cursor.pos();
        Self { decoder, first: true, name_at }
    }

    /// Steps over the members that nobody read, and the closing brace.
    pub(super) fn skip_rest(mut self) -> Result<(), CodecError> {
        while self.next_name()?.is_some() {
            self.decoder.cursor.skip_value()?;
        }
        Ok(self.decoder.cursor.expect(b'}')?)
    }

    /// Reads up to the next value. What has the name of a token is none, but a forgery, and is
    /// stepped over.
    fn next_name(&mut self) -> Result<Option<Cow<'de, str>>, CodecError> {
        let cursor = &mut self.decoder.cursor;
        loop {
            if cursor.peek() == Some(b'}') {
                return Ok(None);
            }
            if !self.first {
                cursor.expect(b',')?;
            }
            self.first = false;
            self.name_at = cursor.pos();
            let name = cursor.string()?;
            cursor.expect(b':')?;
            if !name.starts_with(PREFIX) {
                return Ok(Some(name));
            }
            cursor.skip_value()?;
        }
    }

    #[cold]
    fn current_name(&self) -> String {
        let mut cursor = self.decoder.cursor.back_to(self.name_at);
        cursor.string().unwrap_or_default().into_owned()
    }
}

impl<'de> MapAccess<'de> for &mut Members<'_, 'de> {
    type Error = CodecError;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, CodecError> {
        match self.next_name()? {
            Some(name) => seed.deserialize(KeyDecoder(name)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, CodecError> {
        let value = self.decoder.check_depth().and_then(|()| seed.deserialize(&mut *self.decoder));
        value.map_err(|error| error.in_member(self.current_name()))
    }
}

/// An enum's variant that holds something: the one member of an object.
pub(super) struct Variant<'a, 'de> {
    decoder: &'a mut Decoder<'de>,
    name: Cow<'de, str>,
}

impl<'a, 'de> Variant<'a, 'de> {
    /// Begins behind the variant's name.
    pub(super) fn new(decoder: &'a mut Decoder<'de>, name: Cow<'de, str>) -> Self {
        Self { decoder, name }
    }

    fn content<T>(
        self,
        read: impl FnOnce(&mut Decoder<'de>) -> Result<T, CodecError>,
    ) -> Result<T, CodecError> {
        let Self { decoder, name } = self;
        decoder
            .check_depth()
            .and_then(|()| read(decoder))
            .map_err(|error| error.in_member(name.into_owned()))
    }
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = CodecError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self), CodecError> {
        let variant = seed.deserialize(KeyDecoder(self.name.clone()))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = CodecError;

    fn unit_variant(self) -> Result<(), CodecError> {
        self.content(|decoder| <()>::deserialize(decoder))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<S::Value, CodecError> {
        self.content(|decoder| seed.deserialize(decoder))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        self.content(|decoder| decoder.deserialize_tuple(len, visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        self.content(|decoder| decoder.deserialize_map(visitor))
    }
}
