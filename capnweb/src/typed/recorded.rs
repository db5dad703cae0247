//! What a map's function can return.

use serde::Serialize;

use super::Interface;
use crate::{promise::Promise, stub::Stub, value::Value};

/// What the function of a typed [`map`](Promise::map) can return, and what becomes of it: promises
/// of what it recorded become their values, everything else stays what it is.
///
/// For a struct of promises use [`Remote::map`](crate::Remote::map) on the
/// [untyped](Promise::untyped) promise, which takes whatever serde writes.
#[diagnostic::on_unimplemented(
    message = "the function of a map cannot return a `{Self}`",
    label = "expected promises, stubs, constants, or tuples of them",
    note = "`promise.untyped().map(..).decode()` takes whatever serde writes"
)]
pub trait Recorded: Serialize {
    /// What it is for each element, where the map was applied.
    type Value;
}

impl<T, E> Recorded for Promise<T, E> {
    type Value = T;
}

impl<I: Interface + ?Sized> Recorded for Stub<I> {
    type Value = Self;
}

impl<T: Recorded> Recorded for Vec<T> {
    type Value = Vec<T::Value>;
}

impl<T: Recorded> Recorded for Option<T> {
    type Value = Option<T::Value>;
}

impl Recorded for &str {
    type Value = String;
}

macro_rules! constants {
    ($($type:ty)*) => {$(
        impl Recorded for $type {
            type Value = Self;
        }
    )*};
}

constants! {
    () bool char f32 f64 i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize String Value
}

macro_rules! tuples {
    ($(($($name:ident)*))*) => {$(
        impl<$($name: Recorded),*> Recorded for ($($name,)*) {
            type Value = ($($name::Value,)*);
        }
    )*};
}

tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) }
