//! Special values being read: to serde, maps with a token and a body.

use std::borrow::Cow;

use serde::{
    Deserializer,
    de::{DeserializeSeed, MapAccess, SeqAccess, Visitor, value::BorrowedStrDeserializer},
    forward_to_deserialize_any,
};

use super::{
    Decoder,
    fetch::FetchParts,
    head::{self, Tag},
};
use crate::{
    codec::{base64, error::CodecError, frame, token::Token},
    payload::{Cap, Slot},
    value::BytesKind,
};

impl<'de> Decoder<'de> {
    /// Reads what stands behind a tag. Bytes of the plain kind are what serde calls bytes, all
    /// else becomes a map.
    pub(super) fn visit_special<V: Visitor<'de>>(
        &mut self,
        tag: Tag,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        let (token, body) = match tag {
            Tag::BigInt => (Token::BigInt, Body::Text(self.special_text()?)),
            Tag::Url => (Token::Url, Body::Text(self.special_text()?)),
            Tag::Date => (Token::Date, Body::Number(self.millis()?)),
            Tag::Hole => (Token::Capability, Body::Id(self.capability()?)),
            Tag::Headers => (Token::Headers, Body::Text(self.headers()?.into())),
            Tag::Request => (Token::Request, Body::Fetch(self.request()?.into())),
            Tag::Response => (Token::Response, Body::Fetch(self.response()?.into())),
            Tag::Error => return self.visit_error(visitor),
            Tag::Bytes => match self.bytes()? {
                (data, BytesKind::Uint8Array) => return visitor.visit_byte_buf(data),
                (data, kind) => {
                    let body = Some(Body::Bytes(data));
                    return visitor.visit_map(Special { token: Some(Token::Bytes(kind)), body });
                }
            },
        };
        let value = visitor.visit_map(Special { token: Some(token), body: Some(body) })?;
        head::skip_rest(&mut self.cursor)?;
        Ok(value)
    }

    /// Reads an error. Apart, so that errors within errors need little stack.
    pub(super) fn visit_error<V: Visitor<'de>>(
        &mut self,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        let body = Some(Body::Parts(self));
        let value = visitor.visit_map(Special { token: Some(Token::Error), body })?;
        head::skip_rest(&mut self.cursor)?;
        Ok(value)
    }

    /// Reads the string behind a tag.
    pub(super) fn special_text(&mut self) -> Result<Cow<'de, str>, CodecError> {
        self.cursor.expect(b',')?;
        Ok(self.cursor.string()?)
    }

    /// Reads all that stands behind the tag of bytes.
    pub(super) fn bytes(&mut self) -> Result<(Vec<u8>, BytesKind), CodecError> {
        let data = base64::read(&self.special_text()?);
        let mut kind = BytesKind::Uint8Array;
        if self.cursor.eat(b',') {
            let name = self.cursor.string()?;
            kind = BytesKind::from_name(&name)
                .ok_or_else(|| CodecError::new(format_args!("unknown kind of bytes: {name:?}")))?;
        }
        head::skip_rest(&mut self.cursor)?;
        Ok((data, kind))
    }

    fn millis(&mut self) -> Result<f64, CodecError> {
        self.cursor.expect(b',')?;
        if self.cursor.eat_text("null") { Ok(f64::NAN) } else { Ok(self.decimal()?.to_f64()) }
    }

    fn capability(&mut self) -> Result<u64, CodecError> {
        self.cursor.expect(b',')?;
        let slot =
            self.cursor.number()?.parse().ok().and_then(|index: usize| self.slots.get(index));
        match slot {
            Some(Slot { cap: Cap::Promise(..) | Cap::Incoming(_), .. }) => {
                Err(CodecError::new("the value is a promise that has not settled yet"))
            }
            Some(Slot { cap, .. }) => frame::lend(cap.clone())
                .ok_or_else(|| CodecError::new("a stub can only be received in a message")),
            None => Err(self.cursor.error("there is no such capability").into()),
        }
    }
}

/// A special value as a map with one member.
struct Special<'a, 'de> {
    token: Option<Token>,
    body: Option<Body<'a, 'de>>,
}

enum Body<'a, 'de> {
    Number(f64),
    Id(u64),
    Text(Cow<'de, str>),
    Bytes(Vec<u8>),
    /// A request or response. In a box, because it is large and all bodies pass by here.
    Fetch(Box<FetchParts<'de>>),
    /// The elements of an error, which stand next in the text.
    Parts(&'a mut Decoder<'de>),
}

impl<'de> MapAccess<'de> for Special<'_, 'de> {
    type Error = CodecError;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, CodecError> {
        let Some(token) = self.token.take() else { return Ok(None) };
        seed.deserialize(BorrowedStrDeserializer::new(token.name())).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, CodecError> {
        let body = self.body.take();
        seed.deserialize(Sealed(body.ok_or_else(|| CodecError::new("the value was read twice"))?))
    }
}

/// A body within the newtype that keeps it from being taken for an ordinary value.
struct Sealed<'a, 'de>(Body<'a, 'de>);

impl<'de> Deserializer<'de> for Sealed<'_, 'de> {
    type Error = CodecError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_newtype_struct(Opened(self.0))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

/// A body for the special type that it belongs to.
struct Opened<'a, 'de>(Body<'a, 'de>);

impl<'de> Deserializer<'de> for Opened<'_, 'de> {
    type Error = CodecError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        match self.0 {
            Body::Number(value) => visitor.visit_f64(value),
            Body::Id(id) => visitor.visit_u64(id),
            Body::Text(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
            Body::Text(Cow::Owned(text)) => visitor.visit_string(text),
            Body::Bytes(data) => visitor.visit_byte_buf(data),
            Body::Fetch(parts) => visitor.visit_seq(*parts),
            Body::Parts(decoder) => visitor.visit_seq(Parts(decoder)),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

/// An error's elements. They stand at its own depth: its properties are its members.
struct Parts<'a, 'de>(&'a mut Decoder<'de>);

impl<'de> SeqAccess<'de> for Parts<'_, 'de> {
    type Error = CodecError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, CodecError> {
        if !self.0.cursor.eat(b',') {
            return Ok(None);
        }
        seed.deserialize(&mut *self.0).map(Some)
    }
}
