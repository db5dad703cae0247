//! Arrays and objects being written, member by member.

use std::borrow::Cow;

use serde::{Serialize, ser};

use super::{Encoder, limited::KeyEncoder, special::SpecialEncoder};
use crate::{
    codec::{
        error::CodecError,
        token::{PREFIX, Token},
    },
    wire::{lex::Cursor, write_string},
};

/// An array, or what else is a sequence.
pub(in crate::codec) struct Elements<'a, 'b> {
    encoder: &'b mut Encoder<'a>,
    index: usize,
    close: &'static str,
    variant: Option<&'static str>,
}

impl<'a, 'b> Elements<'a, 'b> {
    /// Begins behind the opening mark.
    pub(super) fn new(encoder: &'b mut Encoder<'a>, close: &'static str) -> Self {
        encoder.depth += 1;
        Self { encoder, index: 0, close, variant: None }
    }

    /// The same within an enum's variant, which is closed at the end.
    pub(super) fn within(mut self, variant: &'static str) -> Self {
        self.variant = Some(variant);
        self
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        let index = self.index;
        if index > 0 {
            self.encoder.out.push(',');
        }
        self.index += 1;
        let result = self.encoder.check_depth().and_then(|()| value.serialize(&mut *self.encoder));
        result.map_err(|error| in_variant(error.in_element(index), self.variant))
    }

    fn close(self) {
        self.encoder.out.push_str(self.close);
        self.encoder.depth -= 1;
        if self.variant.is_some() {
            self.encoder.close_variant();
        }
    }
}

/// An object; or a special value, which to serde looks like one.
pub(in crate::codec) struct Members<'a, 'b> {
    encoder: &'b mut Encoder<'a>,
    state: State,
    /// Where the object's text begins.
    start: usize,
    /// Where the text of the member being written begins, with its comma.
    member: usize,
    variant: Option<&'static str>,
    /// Whether a member that can't be written is left out, as those of errors are.
    lenient: bool,
}

#[derive(Clone, Copy)]
enum State {
    Empty,
    Open,
    /// The special value's body comes next.
    Special(Token),
    SpecialDone,
}

impl<'a, 'b> Members<'a, 'b> {
    /// Begins an object.
    pub(super) fn open(encoder: &'b mut Encoder<'a>) -> Self {
        let start = encoder.out.len();
        encoder.out.push('{');
        encoder.depth += 1;
        Self { encoder, state: State::Empty, start, member: start, variant: None, lenient: false }
    }

    /// Begins an error's properties, which stand at the error's own depth.
    pub(super) fn properties(encoder: &'b mut Encoder<'a>) -> Self {
        Self { lenient: true, ..Self::open(encoder) }
    }

    /// Begins a special value.
    pub(super) fn special(encoder: &'b mut Encoder<'a>, token: Token) -> Self {
        let start = encoder.out.len();
        let state = State::Special(token);
        Self { encoder, state, start, member: start, variant: None, lenient: false }
    }

    /// The same within an enum's variant, which is closed at the end.
    pub(super) fn within(mut self, variant: &'static str) -> Self {
        self.variant = Some(variant);
        self
    }

    /// Writes a member's name with `write`. A token as the first one turns the object into a
    /// special value.
    fn name(
        &mut self,
        write: impl FnOnce(&mut String) -> Result<(), CodecError>,
    ) -> Result<(), CodecError> {
        self.member = self.encoder.out.len();
        match self.state {
            State::Empty => {}
            State::Open => self.encoder.out.push(','),
            State::Special(_) | State::SpecialDone => return Err(merged()),
        }
        let text = self.encoder.out.len();
        write(self.encoder.out)?;
        let name = self.encoder.out.get(text + 1..).unwrap_or_default();
        if name.starts_with(PREFIX) {
            let token = Token::from_name(name.strip_suffix('"').unwrap_or_default());
            return match (self.state, token) {
                (State::Empty, Some(token)) => {
                    self.encoder.out.truncate(self.start);
                    self.encoder.depth -= 1;
                    self.state = State::Special(token);
                    Ok(())
                }
                _ => Err(merged()),
            };
        }
        self.encoder.out.push(':');
        self.state = State::Open;
        Ok(())
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        match self.state {
            State::Special(token) => {
                self.state = State::SpecialDone;
                value.serialize(SpecialEncoder::new(self.encoder, token))
            }
            State::SpecialDone => Err(merged()),
            State::Empty => Err(CodecError::new("a member without a name")),
            State::Open if self.lenient => {
                self.value_if_possible(value);
                Ok(())
            }
            State::Open => self
                .member_value(value)
                .map_err(|error| in_variant(error.in_member(self.current_name()), self.variant)),
        }
    }

    fn member_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.encoder.check_depth()?;
        value.serialize(&mut *self.encoder)
    }

    /// Takes the whole member back if its value can't be written.
    fn value_if_possible<T: Serialize + ?Sized>(&mut self, value: &T) {
        let encoder = &*self.encoder;
        let (depth, layers, slots) = (encoder.depth, encoder.layers, encoder.slots.len());
        if self.member_value(value).is_err() {
            self.encoder.out.truncate(self.member);
            self.encoder.slots.truncate(slots);
            self.encoder.depth = depth;
            self.encoder.layers = layers;
            if self.member == self.start + 1 {
                self.state = State::Empty;
            }
        }
    }

    fn field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        if let State::Special(token) = self.state
            && token.name() == name
        {
            return self.value(value);
        }
        self.name(|out| {
            write_string(out, name);
            Ok(())
        })?;
        self.value(value)
    }

    fn close(self) -> Result<(), CodecError> {
        match self.state {
            State::Special(_) => return Err(CodecError::new("a special value without a body")),
            State::SpecialDone => {}
            State::Empty | State::Open => {
                self.encoder.out.push('}');
                self.encoder.depth -= 1;
            }
        }
        if self.variant.is_some() {
            self.encoder.close_variant();
        }
        Ok(())
    }

    /// The name of the member that has just been begun, read back from the text.
    #[cold]
    fn current_name(&self) -> Cow<'_, str> {
        let mut cursor = Cursor::at(self.encoder.out, self.member);
        if !cursor.eat(b',') {
            cursor.eat(b'{');
        }
        cursor.string().unwrap_or_default()
    }
}

fn in_variant(error: CodecError, variant: Option<&'static str>) -> CodecError {
    match variant {
        Some(variant) => error.in_member(variant),
        None => error,
    }
}

#[cold]
fn merged() -> CodecError {
    CodecError::new(
        "a special value, such as a date or a stub, is no object that other members could be \
         merged into, by `flatten` or by an internal tag",
    )
}

macro_rules! elements {
    ($($trait:ident $element:ident)*) => {$(
        impl ser::$trait for Elements<'_, '_> {
            type Ok = ();
            type Error = CodecError;

            fn $element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
                self.element(value)
            }

            fn end(self) -> Result<(), CodecError> {
                self.close();
                Ok(())
            }
        }
    )*};
}

elements! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

macro_rules! fields {
    ($($trait:ident)*) => {$(
        impl ser::$trait for Members<'_, '_> {
            type Ok = ();
            type Error = CodecError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), CodecError> {
                self.field(name, value)
            }

            fn end(self) -> Result<(), CodecError> {
                self.close()
            }
        }
    )*};
}

fields!(SerializeStruct SerializeStructVariant);

impl ser::SerializeMap for Members<'_, '_> {
    type Ok = ();
    type Error = CodecError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), CodecError> {
        self.name(|out| key.serialize(KeyEncoder(out)))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.value(value)
    }

    fn end(self) -> Result<(), CodecError> {
        self.close()
    }
}
