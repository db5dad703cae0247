//! From users' types to the wire's text: serde's serializer.
//!
//! Writes each value once, straight into the buffer. What is special about this serializer next to
//! one for JSON: arrays are escaped, special values are found by their token, capabilities become
//! holes, and numbers that JavaScript could not hold are refused.

mod compound;
mod fetch;
mod limited;
mod special;

use serde::{Serialize, Serializer};

use self::compound::{Elements, Members};
pub(super) use self::limited::ArgsEncoder;
use super::{
    MAX_DEPTH, MAX_LAYERS, base64,
    error::CodecError,
    number,
    token::{PREFIX, Token},
};
use crate::{payload::Slot, wire::write_string};

/// Appends one value to a buffer.
pub(super) struct Encoder<'a> {
    out: &'a mut String,
    slots: &'a mut Vec<Slot>,
    /// How many containers the value stands in.
    depth: usize,
    layers: usize,
}

impl<'a> Encoder<'a> {
    pub(super) fn new(out: &'a mut String, slots: &'a mut Vec<Slot>) -> Self {
        Self { out, slots, depth: 0, layers: 0 }
    }

    /// Whether there may be a value at this depth.
    fn check_depth(&self) -> Result<(), CodecError> {
        if self.depth < MAX_DEPTH {
            return Ok(());
        }
        Err(CodecError::new(format_args!(
            "nested deeper than {MAX_DEPTH} levels, which is more than can be sent"
        )))
    }

    fn layer<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        if self.layers == MAX_LAYERS {
            return Err(CodecError::new("nested too deep in newtypes and options"));
        }
        self.layers += 1;
        value.serialize(&mut *self)?;
        self.layers -= 1;
        Ok(())
    }

    fn integer(
        &mut self,
        value: impl itoa::Integer + Copy,
        magnitude: u64,
    ) -> Result<(), CodecError> {
        if number::is_safe(magnitude) {
            number::write_integer(self.out, value);
            return Ok(());
        }
        Err(CodecError::new(format_args!(
            "{} is beyond the integers a JavaScript number holds; use i128, u128 or BigInt",
            itoa::Buffer::new().format(value)
        )))
    }

    fn bigint(&mut self, value: impl itoa::Integer) {
        self.out.push_str("[\"bigint\",\"");
        self.out.push_str(itoa::Buffer::new().format(value));
        self.out.push_str("\"]");
    }

    fn not_finite(&mut self, value: f64) {
        self.out.push_str(match value {
            f64::INFINITY => "[\"inf\"]",
            f64::NEG_INFINITY => "[\"-inf\"]",
            _ => "[\"nan\"]",
        });
    }

    /// Opens an object with one member, for an enum's variant that holds something.
    fn open_variant(&mut self, variant: &str) -> Result<(), CodecError> {
        self.out.push('{');
        self.depth += 1;
        self.check_depth()?;
        write_string(self.out, variant);
        self.out.push(':');
        Ok(())
    }

    fn close_variant(&mut self) {
        self.out.push('}');
        self.depth -= 1;
    }
}

impl<'a, 'b> Serializer for &'b mut Encoder<'a> {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = Elements<'a, 'b>;
    type SerializeTuple = Elements<'a, 'b>;
    type SerializeTupleStruct = Elements<'a, 'b>;
    type SerializeTupleVariant = Elements<'a, 'b>;
    type SerializeMap = Members<'a, 'b>;
    type SerializeStruct = Members<'a, 'b>;
    type SerializeStructVariant = Members<'a, 'b>;

    fn serialize_bool(self, value: bool) -> Result<(), CodecError> {
        self.out.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), CodecError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), CodecError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), CodecError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), CodecError> {
        self.integer(value, value.unsigned_abs())
    }

    fn serialize_i128(self, value: i128) -> Result<(), CodecError> {
        self.bigint(value);
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result<(), CodecError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), CodecError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), CodecError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), CodecError> {
        self.integer(value, value)
    }

    fn serialize_u128(self, value: u128) -> Result<(), CodecError> {
        self.bigint(value);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), CodecError> {
        if value.is_finite() {
            number::write_f32(self.out, value);
        } else {
            self.not_finite(value.into());
        }
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Result<(), CodecError> {
        if value.is_finite() {
            number::write_f64(self.out, value);
        } else {
            self.not_finite(value);
        }
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), CodecError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), CodecError> {
        write_string(self.out, value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), CodecError> {
        self.out.push_str("[\"bytes\",\"");
        base64::write(self.out, value);
        self.out.push_str("\"]");
        Ok(())
    }

    fn serialize_none(self) -> Result<(), CodecError> {
        self.out.push_str("null");
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), CodecError> {
        self.layer(value)
    }

    fn serialize_unit(self) -> Result<(), CodecError> {
        self.out.push_str("[\"undefined\"]");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), CodecError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), CodecError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        self.layer(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        self.open_variant(variant)?;
        value.serialize(&mut *self).map_err(|error| error.in_member(variant))?;
        self.close_variant();
        Ok(())
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Elements<'a, 'b>, CodecError> {
        self.out.push_str("[[");
        Ok(Elements::new(self, "]]"))
    }

    fn serialize_tuple(self, _len: usize) -> Result<Elements<'a, 'b>, CodecError> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _len: usize,
    ) -> Result<Elements<'a, 'b>, CodecError> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Elements<'a, 'b>, CodecError> {
        self.open_variant(variant)?;
        self.out.push_str("[[");
        Ok(Elements::new(self, "]]").within(variant))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Members<'a, 'b>, CodecError> {
        Ok(Members::open(self))
    }

    fn serialize_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Members<'a, 'b>, CodecError> {
        if len == 1
            && name.starts_with(PREFIX)
            && let Some(token) = Token::from_name(name)
        {
            return Ok(Members::special(self, token));
        }
        Ok(Members::open(self))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Members<'a, 'b>, CodecError> {
        self.open_variant(variant)?;
        Ok(Members::open(self).within(variant))
    }
}
