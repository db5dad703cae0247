//! What can be given for a parameter.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::promise::Promise;

/// An argument of the type `T`: a value, or the promise of one, which the other side gets only when
/// it has become a value.
///
/// As a field of an argument it stands for the same choice: `Vec<Arg<u32>>` takes promises of
/// numbers, and arrives as values.
#[derive(Clone, Debug)]
pub enum Arg<T> {
    /// The value itself. On arrival it always is.
    Value(T),
    /// What the promise comes to.
    Promise(Promise<T>),
}

impl<T> Arg<T> {
    /// The value, if it is there: always, for an argument that has arrived.
    pub fn into_value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Promise(_) => None,
        }
    }
}

impl<T> Arg<Option<T>> {
    /// An optional argument that is given, also as something that only turns into a `T`.
    pub fn some(value: impl Into<T>) -> Self {
        Self::Value(Some(value.into()))
    }
}

/// What can be given for a parameter of the type `T`: a value, or the promise of one, as they are.
///
/// For `T` an [`Option`] the bare value will do, for a string a `&str`, for a [`Vec`] an array, and
/// for anything that can be cloned a reference. What rustc must infer from the parameter's type, as in `.parse()`, `.collect()` and
/// `Default::default()`, needs to be told its own type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be given for a parameter of the type `{T}`",
    label = "expected a `{T}`, or the promise of one",
    note = "a closure becomes a stub with `Stub::new(..)`; a promise of another type one of this type \
            with `.untyped().decode()`, which nothing checks before the call is carried out"
)]
pub trait IntoArg<T> {
    /// The argument.
    fn into_arg(self) -> Arg<T>;
}

impl<T> IntoArg<T> for T {
    fn into_arg(self) -> Arg<T> {
        Arg::Value(self)
    }
}

impl<T, E> IntoArg<T> for Promise<T, E> {
    fn into_arg(self) -> Arg<T> {
        Arg::Promise(Promise::of(self.remote))
    }
}

impl<T, E> IntoArg<T> for &Promise<T, E> {
    fn into_arg(self) -> Arg<T> {
        Arg::Promise(Promise::of(self.remote.clone()))
    }
}

impl<T> IntoArg<Option<T>> for T {
    fn into_arg(self) -> Arg<Option<T>> {
        Arg::Value(Some(self))
    }
}

impl<T, E> IntoArg<Option<T>> for Promise<T, E> {
    fn into_arg(self) -> Arg<Option<T>> {
        Arg::Promise(Promise::of(self.remote))
    }
}

impl<T, E> IntoArg<Option<T>> for &Promise<T, E> {
    fn into_arg(self) -> Arg<Option<T>> {
        self.clone().into_arg()
    }
}

impl IntoArg<String> for &str {
    fn into_arg(self) -> Arg<String> {
        Arg::Value(self.to_owned())
    }
}

impl IntoArg<Option<String>> for &str {
    fn into_arg(self) -> Arg<Option<String>> {
        Arg::Value(Some(self.to_owned()))
    }
}

impl<T: Clone> IntoArg<T> for &T {
    fn into_arg(self) -> Arg<T> {
        Arg::Value(self.clone())
    }
}

impl<T: Clone> IntoArg<Option<T>> for &T {
    fn into_arg(self) -> Arg<Option<T>> {
        Arg::Value(Some(self.clone()))
    }
}

impl<T, const N: usize> IntoArg<Vec<T>> for [T; N] {
    fn into_arg(self) -> Arg<Vec<T>> {
        Arg::Value(self.into())
    }
}

impl<T, const N: usize> IntoArg<Option<Vec<T>>> for [T; N] {
    fn into_arg(self) -> Arg<Option<Vec<T>>> {
        Arg::Value(Some(self.into()))
    }
}

impl<T> IntoArg<T> for Arg<T> {
    fn into_arg(self) -> Self {
        self
    }
}

/// Where there is no parameter whose type is known, [`Into`] is at hand.
macro_rules! from {
    ($([$($generics:tt)*] $given:ty => $type:ty;)*) => {$(
        impl<$($generics)*> From<$given> for Arg<$type> {
            fn from(given: $given) -> Self {
                given.into_arg()
            }
        }
    )*};
}

from! {
    [T] T => T;
    [T, E] Promise<T, E> => T;
    [T, E] &Promise<T, E> => T;
    [T] T => Option<T>;
    [T, E] Promise<T, E> => Option<T>;
    [] &str => String;
    [] &str => Option<String>;
    [T, E] &Promise<T, E> => Option<T>;
    [T: Clone] &T => T;
    [T: Clone] &T => Option<T>;
    [T, const N: usize] [T; N] => Vec<T>;
    [T, const N: usize] [T; N] => Option<Vec<T>>;
}

impl<T: Serialize> Serialize for Arg<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Promise(promise) => promise.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Arg<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::Value)
    }
}
