//! Requests and responses on their way through serde: a few texts, and a body behind them.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, SeqAccess, Visitor},
    ser::SerializeTuple,
};

use super::{Body, body::Part};
use crate::codec::token::Token;

/// What can be made of its parts.
pub(crate) trait Parts: Sized {
    /// How it is told apart.
    const TOKEN: Token;
    /// What stands before the body.
    type Texts: AsRef<[String]> + Default + AsMut<[String]>;

    /// Puts it together.
    ///
    /// # Errors
    /// If the texts are not what they should be.
    fn from_parts<E: de::Error>(texts: Self::Texts, body: Body) -> Result<Self, E>;
}

/// Parts being written.
pub(super) struct Write<'a, const N: usize> {
    pub(super) texts: [&'a str; N],
    pub(super) body: &'a Body,
}

impl<const N: usize> Serialize for Write<'_, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_tuple(N + 1)?;
        for text in self.texts {
            parts.serialize_element(text)?;
        }
        parts.serialize_element(&Part(self.body))?;
        parts.end()
    }
}

/// Parts being read.
pub(crate) struct Read<T>(pub(crate) T);

impl<'de, T: Parts> Deserialize<'de> for Read<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PartsVisitor<T>(PhantomData<T>);
        impl<'de, T: Parts> Visitor<'de> for PartsVisitor<T> {
            type Value = Read<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "the parts of {}", T::TOKEN.describe())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Read<T>, A::Error> {
                let mut texts = T::Texts::default();
                for (i, text) in texts.as_mut().iter_mut().enumerate() {
                    *text =
                        seq.next_element()?.ok_or_else(|| de::Error::invalid_length(i, &self))?;
                }
                let body = seq.next_element::<Part<Body>>()?.map_or(Body::Empty, |part| part.0);
                T::from_parts(texts, body).map(Read)
            }
        }
        deserializer.deserialize_seq(PartsVisitor(PhantomData))
    }
}
