//! From Rust's types to [`Value`].

use super::{BigInt, Bytes, Date, Exception, Object, Value};
use crate::{
    fetch::{Blob, Headers, Request, Response},
    promise::Promise,
    stub::Stub,
    typed::Interface,
};

macro_rules! from {
    ($($type:ty, $value:ident => $result:expr;)*) => {$(
        impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $result
            }
        }
    )*};
}

from! {
    (), _unit => Self::Undefined;
    bool, value => Self::Bool(value);
    f32, value => Self::Number(value.into());
    f64, value => Self::Number(value);
    i8, value => Self::Number(value.into());
    i16, value => Self::Number(value.into());
    i32, value => Self::Number(value.into());
    u8, value => Self::Number(value.into());
    u16, value => Self::Number(value.into());
    u32, value => Self::Number(value.into());
    i128, value => Self::BigInt(value.into());
    u128, value => Self::BigInt(value.into());
    char, value => Self::String(value.into());
    &str, value => Self::String(value.into());
    String, value => Self::String(value);
    BigInt, value => Self::BigInt(value);
    Object, value => Self::Object(value);
    Date, value => Self::Date(value);
    Bytes, value => Self::Bytes(value);
    bytes::Bytes, value => Self::Bytes(value.into());
    Exception, value => Self::Error(Box::new(value));
    url::Url, value => Self::Url(Box::new(value));
    Headers, value => Self::Headers(value);
    Request, value => Self::Request(Box::new(value));
    Response, value => Self::Response(Box::new(value));
    Blob, value => Self::Blob(value);
}

impl<I: Interface + ?Sized> From<Stub<I>> for Value {
    fn from(value: Stub<I>) -> Self {
        Self::Stub(value.untyped())
    }
}

impl<T, E> From<Promise<T, E>> for Value {
    fn from(value: Promise<T, E>) -> Self {
        Self::Promise(value.untyped())
    }
}

/// `None` is null.
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(elements: Vec<T>) -> Self {
        elements.into_iter().collect()
    }
}

impl<T: Into<Value>, const N: usize> From<[T; N]> for Value {
    fn from(elements: [T; N]) -> Self {
        elements.into_iter().collect()
    }
}

impl<T: Into<Value>> FromIterator<T> for Value {
    /// Collects an array.
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Self::Array(elements.into_iter().map(Into::into).collect())
    }
}
