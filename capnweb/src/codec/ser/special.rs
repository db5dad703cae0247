//! The bodies of special values being written, behind their token.

use serde::{
    Serialize, Serializer,
    ser::{self, Impossible},
};

use super::{
    Encoder,
    compound::Members,
    fetch::{FetchParts, write_headers},
    limited::{refuse, transparent},
    number,
};
use crate::{
    codec::{base64, error::CodecError, frame, token::Token},
    payload::Slot,
    value::BytesKind,
    wire::{write_hole, write_string},
};

/// Writes a special value, given its body.
pub(super) struct SpecialEncoder<'a, 'b> {
    encoder: &'b mut Encoder<'a>,
    token: Token,
}

impl<'a, 'b> SpecialEncoder<'a, 'b> {
    pub(super) fn new(encoder: &'b mut Encoder<'a>, token: Token) -> Self {
        Self { encoder, token }
    }

    fn text(self, tag: &str, text: &str) {
        let out = &mut *self.encoder.out;
        out.push_str(tag);
        write_string(out, text);
        out.push(']');
    }

    fn hole(self, id: u64) -> Result<(), CodecError> {
        let cap = frame::take(id).ok_or_else(|| {
            CodecError::new("a stub was written twice, or kept from another message")
        })?;
        let Encoder { out, slots, .. } = self.encoder;
        let at = u32::try_from(out.len())
            .map_err(|_| CodecError::new("the message is larger than 4 GiB"))?;
        write_hole(out, slots.len());
        slots.push(Slot { at, cap });
        Ok(())
    }
}

fn wrong_body() -> CodecError {
    CodecError::new("a special value's body is of the wrong kind")
}

impl<'a, 'b> Serializer for SpecialEncoder<'a, 'b> {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = Parts<'a, 'b>;
    type SerializeTuple = Parts<'a, 'b>;
    type SerializeTupleStruct = Impossible<(), CodecError>;
    type SerializeTupleVariant = Impossible<(), CodecError>;
    type SerializeMap = Impossible<(), CodecError>;
    type SerializeStruct = Impossible<(), CodecError>;
    type SerializeStructVariant = Impossible<(), CodecError>;

    fn serialize_u64(self, value: u64) -> Result<(), CodecError> {
        match self.token {
            Token::Capability => self.hole(value),
            _ => Err(wrong_body()),
        }
    }

    fn serialize_f64(self, value: f64) -> Result<(), CodecError> {
        if self.token != Token::Date {
            return Err(wrong_body());
        }
        let out = &mut *self.encoder.out;
        out.push_str("[\"date\",");
        if value.is_finite() {
            number::write_f64(out, value);
        } else {
            out.push_str("null");
        }
        out.push(']');
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), CodecError> {
        match self.token {
            Token::BigInt => self.text("[\"bigint\",", value),
            Token::Headers => return write_headers(self.encoder.out, value),
            Token::Url => self.text("[\"url\",", value),
            _ => return Err(wrong_body()),
        }
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), CodecError> {
        let Token::Bytes(kind) = self.token else { return Err(wrong_body()) };
        let out = &mut *self.encoder.out;
        out.push_str("[\"bytes\",\"");
        base64::write(out, value);
        out.push('"');
        if kind != BytesKind::Uint8Array {
            out.push_str(",\"");
            out.push_str(kind.name());
            out.push('"');
        }
        out.push(']');
        Ok(())
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Parts<'a, 'b>, CodecError> {
        match self.token {
            Token::Error => {
                self.encoder.out.push_str("[\"error\"");
                Ok(Parts::Error(ErrorParts { encoder: self.encoder, index: 0 }))
            }
            Token::Request | Token::Response => {
                Ok(Parts::Fetch(FetchParts::new(self.encoder, self.token)))
            }
            _ => Err(wrong_body()),
        }
    }

    fn serialize_tuple(self, _len: usize) -> Result<Parts<'a, 'b>, CodecError> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleStruct, CodecError> {
        Err(wrong_body())
    }

    transparent!();

    refuse!("a special value's body is of the wrong kind":
        bool i8 i16 i32 i64 u8 u16 u32 f32 char none unit unit_variant map struct variant);
}

/// What consists of several parts.
pub(in crate::codec) enum Parts<'a, 'b> {
    Error(ErrorParts<'a, 'b>),
    Fetch(FetchParts<'a, 'b>),
}

impl Parts<'_, '_> {
    fn part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        match self {
            Self::Error(parts) => parts.part(value),
            Self::Fetch(parts) => parts.part(value),
        }
    }

    fn end(self) -> Result<(), CodecError> {
        match self {
            Self::Error(parts) => {
                parts.encoder.out.push(']');
                Ok(())
            }
            Self::Fetch(parts) => parts.end(),
        }
    }
}

/// An error being written: its name, its message, its properties.
pub(in crate::codec) struct ErrorParts<'a, 'b> {
    encoder: &'b mut Encoder<'a>,
    index: usize,
}

/// What stands in the place of the stack and of the properties if none of these can be sent.
const NO_PROPERTIES: &str = ",null,{}";

impl ErrorParts<'_, '_> {
    fn part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.index += 1;
        if self.index < 3 {
            self.encoder.out.push(',');
            return value.serialize(&mut *self.encoder);
        }
        let start = self.encoder.out.len();
        self.encoder.out.push_str(",null,");
        value.serialize(PropertiesEncoder(self.encoder))?;
        if self.encoder.out.get(start..) == Some(NO_PROPERTIES) {
            self.encoder.out.truncate(start);
        }
        Ok(())
    }
}

impl ser::SerializeSeq for Parts<'_, '_> {
    type Ok = ();
    type Error = CodecError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.part(value)
    }

    fn end(self) -> Result<(), CodecError> {
        Parts::end(self)
    }
}

impl ser::SerializeTuple for Parts<'_, '_> {
    type Ok = ();
    type Error = CodecError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.part(value)
    }

    fn end(self) -> Result<(), CodecError> {
        Parts::end(self)
    }
}

/// Writes an error's properties: a map, less what can't be sent.
struct PropertiesEncoder<'a, 'b>(&'b mut Encoder<'a>);

impl<'a, 'b> Serializer for PropertiesEncoder<'a, 'b> {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = Impossible<(), CodecError>;
    type SerializeTuple = Impossible<(), CodecError>;
    type SerializeTupleStruct = Impossible<(), CodecError>;
    type SerializeTupleVariant = Impossible<(), CodecError>;
    type SerializeMap = Members<'a, 'b>;
    type SerializeStruct = Impossible<(), CodecError>;
    type SerializeStructVariant = Impossible<(), CodecError>;

    fn serialize_map(self, _len: Option<usize>) -> Result<Members<'a, 'b>, CodecError> {
        Ok(Members::properties(self.0))
    }

    transparent!();

    refuse!("an error's properties must be an object":
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str bytes none unit unit_variant seq
        struct variant);
}
