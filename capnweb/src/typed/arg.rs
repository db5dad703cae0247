//! What can be given for a parameter.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::promise::Promise;

/// An argument of the type `T`: a value, or the promise of one, which the other side gets only when
/// it has become a value.
///
/// Methods of clients take `impl Into<Arg<T>>`, so that both can be given as they are. For `T` an
/// [`Option`] the bare value will do, for a string a `&str`, for a [`Vec`] an array, and for
/// anything that can be cloned a reference. What rustc must
/// infer from the parameter's type, as in `.parse()`, `.collect()` and `Default::default()`, needs
/// to be told its own type.
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
    /// An argument of this type, for inference.
    #[doc(hidden)]
    pub fn from_into(argument: impl Into<Self>) -> Self {
        argument.into()
    }

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

impl<T> From<T> for Arg<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl<T, E> From<Promise<T, E>> for Arg<T> {
    fn from(promise: Promise<T, E>) -> Self {
        Self::Promise(Promise::of(promise.remote))
    }
}

impl<T, E> From<&Promise<T, E>> for Arg<T> {
    fn from(promise: &Promise<T, E>) -> Self {
        Self::Promise(Promise::of(promise.remote.clone()))
    }
}

impl<T: Clone> From<&T> for Arg<T> {
    fn from(value: &T) -> Self {
        Self::Value(value.clone())
    }
}

impl<T> From<T> for Arg<Option<T>> {
    fn from(value: T) -> Self {
        Self::Value(Some(value))
    }
}

impl<T, E> From<Promise<T, E>> for Arg<Option<T>> {
    fn from(promise: Promise<T, E>) -> Self {
        Self::Promise(Promise::of(promise.remote))
    }
}

impl<T, E> From<&Promise<T, E>> for Arg<Option<T>> {
    fn from(promise: &Promise<T, E>) -> Self {
        promise.clone().into()
    }
}

impl<T: Clone> From<&T> for Arg<Option<T>> {
    fn from(value: &T) -> Self {
        Self::Value(Some(value.clone()))
    }
}

impl From<&str> for Arg<String> {
    fn from(value: &str) -> Self {
        Self::Value(value.to_owned())
    }
}

impl From<&str> for Arg<Option<String>> {
    fn from(value: &str) -> Self {
        Self::Value(Some(value.to_owned()))
    }
}

impl<T, const N: usize> From<[T; N]> for Arg<Vec<T>> {
    fn from(values: [T; N]) -> Self {
        Self::Value(values.into())
    }
}

impl<T, const N: usize> From<[T; N]> for Arg<Option<Vec<T>>> {
    fn from(values: [T; N]) -> Self {
        Self::Value(Some(values.into()))
    }
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
