//! Serializers for places where only some kinds of values can stand: an object's names, and a
//! call's list of arguments.

use serde::{Serialize, Serializer, ser::Impossible};

use super::{Encoder, compound::Elements, number};
use crate::{codec::error::CodecError, wire::write_string};

/// The methods of a serializer that refuse what cannot stand in its place.
macro_rules! refuse {
    ($message:literal: $($method:ident)*) => {
        $(refuse!(@ $method, Err(CodecError::new($message)));)*
    };
    (@ bool, $e:expr) => { refuse!(@@ serialize_bool(bool), $e); };
    (@ i8, $e:expr) => { refuse!(@@ serialize_i8(i8), $e); };
    (@ i16, $e:expr) => { refuse!(@@ serialize_i16(i16), $e); };
    (@ i32, $e:expr) => { refuse!(@@ serialize_i32(i32), $e); };
    (@ i64, $e:expr) => { refuse!(@@ serialize_i64(i64), $e); };
    (@ u8, $e:expr) => { refuse!(@@ serialize_u8(u8), $e); };
    (@ u16, $e:expr) => { refuse!(@@ serialize_u16(u16), $e); };
    (@ u32, $e:expr) => { refuse!(@@ serialize_u32(u32), $e); };
    (@ u64, $e:expr) => { refuse!(@@ serialize_u64(u64), $e); };
    (@ f32, $e:expr) => { refuse!(@@ serialize_f32(f32), $e); };
    (@ f64, $e:expr) => { refuse!(@@ serialize_f64(f64), $e); };
    (@ char, $e:expr) => { refuse!(@@ serialize_char(char), $e); };
    (@ str, $e:expr) => { refuse!(@@ serialize_str(&str), $e); };
    (@ bytes, $e:expr) => { refuse!(@@ serialize_bytes(&[u8]), $e); };
    (@ none, $e:expr) => { refuse!(@@ serialize_none(), $e); };
    (@ unit, $e:expr) => {
        refuse!(@@ serialize_unit(), $e);
        refuse!(@@ serialize_unit_struct(&'static str), $e);
    };
    (@ unit_variant, $e:expr) => {
        refuse!(@@ serialize_unit_variant(&'static str, u32, &'static str), $e);
    };
    (@ seq, $e:expr) => {
        refuse!(@@ serialize_seq(Option<usize>) -> Self::SerializeSeq, $e);
        refuse!(@@ serialize_tuple(usize) -> Self::SerializeTuple, $e);
        refuse!(@@ serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct, $e);
    };
    (@ map, $e:expr) => { refuse!(@@ serialize_map(Option<usize>) -> Self::SerializeMap, $e); };
    (@ struct, $e:expr) => {
        refuse!(@@ serialize_struct(&'static str, usize) -> Self::SerializeStruct, $e);
    };
    (@ variant, $e:expr) => {
        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<(), CodecError> {
            $e
        }
        refuse!(@@ serialize_tuple_variant(&'static str, u32, &'static str, usize)
            -> Self::SerializeTupleVariant, $e);
        refuse!(@@ serialize_struct_variant(&'static str, u32, &'static str, usize)
            -> Self::SerializeStructVariant, $e);
    };
    (@@ $name:ident($($arg:ty),*), $e:expr) => { refuse!(@@ $name($($arg),*) -> (), $e); };
    (@@ $name:ident($($arg:ty),*) -> $ok:ty, $e:expr) => {
        fn $name(self, $(_: $arg),*) -> Result<$ok, CodecError> {
            $e
        }
    };
}
pub(super) use refuse;

/// The methods of a serializer for which `Some` and a newtype are what they hold.
macro_rules! transparent {
    () => {
        fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), CodecError> {
            value.serialize(self)
        }

        fn serialize_newtype_struct<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            value: &T,
        ) -> Result<(), CodecError> {
            value.serialize(self)
        }
    };
}
pub(super) use transparent;

/// Writes a map's key, as the string that it is in JavaScript.
pub(super) struct KeyEncoder<'a>(pub(super) &'a mut String);

impl KeyEncoder<'_> {
    fn integer(self, key: impl itoa::Integer) -> Result<(), CodecError> {
        self.0.push('"');
        number::write_integer(self.0, key);
        self.0.push('"');
        Ok(())
    }
}

macro_rules! integer_keys {
    ($($method:ident $int:ty),*) => {$(
        fn $method(self, key: $int) -> Result<(), CodecError> {
            self.integer(key)
        }
    )*};
}

impl Serializer for KeyEncoder<'_> {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = Impossible<(), CodecError>;
    type SerializeTuple = Impossible<(), CodecError>;
    type SerializeTupleStruct = Impossible<(), CodecError>;
    type SerializeTupleVariant = Impossible<(), CodecError>;
    type SerializeMap = Impossible<(), CodecError>;
    type SerializeStruct = Impossible<(), CodecError>;
    type SerializeStructVariant = Impossible<(), CodecError>;

    integer_keys!(
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64,
        serialize_i128 i128, serialize_u8 u8, serialize_u16 u16, serialize_u32 u32,
        serialize_u64 u64, serialize_u128 u128
    );

    fn serialize_bool(self, key: bool) -> Result<(), CodecError> {
        self.serialize_str(if key { "true" } else { "false" })
    }

    fn serialize_char(self, key: char) -> Result<(), CodecError> {
        self.serialize_str(key.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, key: &str) -> Result<(), CodecError> {
        write_string(self.0, key);
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), CodecError> {
        self.serialize_str(variant)
    }

    transparent!();

    refuse!("a map's keys must be strings, integers, booleans, characters or plain enum variants":
        f32 f64 bytes none unit seq map struct variant);
}

/// Writes a call's arguments as a bare array.
pub(in crate::codec) struct ArgsEncoder<'a, 'b>(pub(in crate::codec) &'b mut Encoder<'a>);

impl<'a, 'b> Serializer for ArgsEncoder<'a, 'b> {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = Elements<'a, 'b>;
    type SerializeTuple = Elements<'a, 'b>;
    type SerializeTupleStruct = Elements<'a, 'b>;
    type SerializeTupleVariant = Impossible<(), CodecError>;
    type SerializeMap = Impossible<(), CodecError>;
    type SerializeStruct = Impossible<(), CodecError>;
    type SerializeStructVariant = Impossible<(), CodecError>;

    fn serialize_unit(self) -> Result<(), CodecError> {
        self.0.out.push_str("[]");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), CodecError> {
        self.serialize_unit()
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Elements<'a, 'b>, CodecError> {
        self.0.out.push('[');
        Ok(Elements::new(self.0, "]"))
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

    fn serialize_some<T: Serialize + ?Sized>(self, _args: &T) -> Result<(), CodecError> {
        Err(CodecError::new("arguments must be a tuple, an array or a Vec; one alone is `(x,)`"))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        args: &T,
    ) -> Result<(), CodecError> {
        args.serialize(self)
    }

    refuse!("arguments must be a tuple, an array or a Vec; one alone is `(x,)`":
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str bytes none unit_variant map struct
        variant);
}
