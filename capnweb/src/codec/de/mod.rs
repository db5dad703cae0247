//! From a payload to users' types: serde's deserializer.
//!
//! Reads the text once, borrowing what it can. It trusts the payload's invariants so far as to
//! check nothing twice, but any text ends in an error at worst. Numbers are read as leniently as
//! in JavaScript: whatever is integral is an integer, and bigints that fit are integers too.
//!
//! A hole is read by what fills it: a settled promise's value is read in its place, from its own
//! payload; a stub becomes a special value, whose body is a number that [`super::frame`] knows.

mod access;
mod args;
mod deserializer;
mod fetch;
pub(super) mod head;
mod key;
mod special;

use std::borrow::Cow;

use serde::de::{DeserializeOwned, Visitor, value::SeqDeserializer};

use self::{
    access::{Elements, Members},
    args::Args,
    head::{Head, Tag},
};
use super::{
    MAX_DEPTH, MAX_LAYERS,
    error::CodecError,
    number::{self, Decimal, Integer},
};
use crate::{
    payload::{Cap, Payload, Slot},
    value::BigInt,
    wire::lex::Cursor,
};

/// Reads a payload's value.
pub(super) fn value<T: DeserializeOwned>(payload: &Payload) -> Result<T, CodecError> {
    let mut decoder = Decoder::new(payload);
    let value = T::deserialize(&mut decoder)?;
    if !decoder.cursor.is_at_end() {
        return Err(decoder.cursor.error("expected the end").into());
    }
    Ok(value)
}

/// Reads a payload that is a bare array of arguments.
pub(super) fn args<T: DeserializeOwned>(payload: &Payload) -> Result<T, CodecError> {
    T::deserialize(Args(&mut Decoder::new(payload)))
}

/// Reads values from a payload's text, from a position on.
pub(super) struct Decoder<'de> {
    cursor: Cursor<'de>,
    slots: &'de [Slot],
    /// How many containers the next value stands in.
    depth: usize,
    layers: usize,
}

impl<'de> Decoder<'de> {
    fn new(payload: &'de Payload) -> Self {
        Self { cursor: Cursor::new(&payload.text), slots: &payload.slots, depth: 0, layers: 0 }
    }

    /// A decoder of the value `undefined`, for what isn't there.
    fn undefined() -> Self {
        Self { cursor: Cursor::new("[\"undefined\"]"), slots: &[], depth: 0, layers: 0 }
    }

    fn head(&mut self) -> Result<Head, CodecError> {
        Head::read(&mut self.cursor)
    }

    /// Whether there may be a value at this depth.
    #[inline]
    fn check_depth(&self) -> Result<(), CodecError> {
        if self.depth < MAX_DEPTH {
            return Ok(());
        }
        Err(CodecError::new(format_args!("nested deeper than {MAX_DEPTH} levels")))
    }

    /// If the next value is a hole that a settled promise fills, steps over it, and returns what
    /// reads the value that it settled to.
    #[inline]
    fn settled(&mut self) -> Option<Decoder<'de>> {
        if self.slots.is_empty() { None } else { self.find_settled() }
    }

    fn find_settled(&mut self) -> Option<Decoder<'de>> {
        fn settled_at<'de>(cursor: &mut Cursor<'de>, slots: &'de [Slot]) -> Option<&'de Payload> {
            match &slots.get(head::hole(cursor)?)?.cap {
                Cap::Settled(payload) => Some(payload),
                _ => None,
            }
        }
        let mut behind = self.cursor;
        let mut payload = settled_at(&mut behind, self.slots)?;
        self.cursor = behind;
        // A promise can settle to one that has settled, and so on.
        while let Some(inner) = settled_at(&mut Cursor::new(&payload.text), &payload.slots) {
            payload = inner;
        }
        Some(Decoder { depth: self.depth, layers: self.layers, ..Decoder::new(payload) })
    }

    /// Steps over null or undefined if it is next.
    fn nullish(&mut self) -> bool {
        let mut behind = self.cursor;
        let possible = matches!(behind.peek(), Some(b'n' | b'[')) && !behind.eat_text("[[");
        let found = possible && matches!(Head::read(&mut behind), Ok(Head::Null | Head::Undefined));
        if found {
            self.cursor = behind;
        }
        found
    }

    /// Runs a visitor for something that surrounds the value without a trace in the text.
    fn layer<T>(
        &mut self,
        visit: impl FnOnce(&mut Self) -> Result<T, CodecError>,
    ) -> Result<T, CodecError> {
        if self.layers == MAX_LAYERS {
            return Err(CodecError::new("nested too deep in newtypes and options"));
        }
        self.layers += 1;
        let value = visit(self)?;
        self.layers -= 1;
        Ok(value)
    }

    fn decimal(&mut self) -> Result<Decimal<'de>, CodecError> {
        number::read(&mut self.cursor).ok_or_else(|| self.cursor.error("expected a number").into())
    }

    fn visit_string<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, CodecError> {
        match self.cursor.string()? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    /// Reads a number as what it is.
    fn visit_number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, CodecError> {
        let decimal = self.decimal()?;
        match decimal.to_safe_integer() {
            Some(value) => match u64::try_from(value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => visitor.visit_i64(value),
            },
            None => visitor.visit_f64(decimal.to_f64()),
        }
    }

    /// Reads an integer, of up to 128 bits if `wide`.
    fn visit_integer<V: Visitor<'de>>(
        &mut self,
        visitor: V,
        wide: bool,
    ) -> Result<V::Value, CodecError> {
        match self.head()? {
            Head::Number => {
                let decimal = self.decimal()?;
                match decimal.to_integer() {
                    Some(integer) => integer.visit(visitor, wide, || decimal.text().to_owned()),
                    // Let the visitor say what it expected.
                    None => visitor.visit_f64(decimal.to_f64()),
                }
            }
            Head::Special(Tag::BigInt) => {
                let text = self.special_text()?;
                head::skip_rest(&mut self.cursor)?;
                let integer =
                    BigInt::from_javascript(&text).and_then(|int| Integer::from_big(&int));
                match integer {
                    Some(integer) => integer.visit(visitor, wide, || format!("{text}n")),
                    None => Err(CodecError::mismatch("a bigint beyond it", &visitor)),
                }
            }
            other => Err(CodecError::mismatch(other.describe(), &visitor)),
        }
    }

    /// Reads the elements of an array.
    fn visit_array<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, CodecError> {
        self.depth += 1;
        let value = visitor.visit_seq(Elements::new(self))?;
        self.depth -= 1;
        if !self.cursor.eat_text("]]") {
            return Err(CodecError::new("the array is longer than expected"));
        }
        Ok(value)
    }

    /// Reads bytes, as the array of numbers that they are to Rust.
    fn visit_bytes_as_array<V: Visitor<'de>>(
        &mut self,
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        let (data, _) = self.bytes()?;
        let mut elements = SeqDeserializer::<_, CodecError>::new(data.into_iter());
        let value = visitor.visit_seq(&mut elements)?;
        elements.end()?;
        Ok(value)
    }

    /// Reads the members of an object.
    fn visit_object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, CodecError> {
        self.depth += 1;
        let mut members = Members::new(self);
        let value = visitor.visit_map(&mut members)?;
        members.skip_rest()?;
        self.depth -= 1;
        Ok(value)
    }
}

impl Integer {
    fn from_big(value: &BigInt) -> Option<Self> {
        match u128::try_from(value) {
            Ok(magnitude) => Some(Self { negative: false, magnitude }),
            Err(_) => {
                let magnitude = i128::try_from(value).ok()?.unsigned_abs();
                Some(Self { negative: true, magnitude })
            }
        }
    }

    fn visit<'de, V: Visitor<'de>>(
        self,
        visitor: V,
        wide: bool,
        text: impl FnOnce() -> String,
    ) -> Result<V::Value, CodecError> {
        let signed = self.to_i128();
        if let Some(Ok(value)) = signed.map(u64::try_from) {
            visitor.visit_u64(value)
        } else if let Some(Ok(value)) = signed.map(i64::try_from) {
            visitor.visit_i64(value)
        } else if !wide {
            Err(CodecError::mismatch(text(), &visitor))
        } else if let Some(value) = signed {
            visitor.visit_i128(value)
        } else if !self.negative {
            visitor.visit_u128(self.magnitude)
        } else {
            Err(CodecError::mismatch(text(), &visitor))
        }
    }
}
