//! How special values pass through serde, which has no word for them.
//!
//! A date, bigint, stub and so on is, to serde, a struct (or a map) with one member under a
//! private name: its *token*. Unlike a private newtype this survives the buffering of serde's
//! `flatten`, untagged and internally tagged containers. Beneath the token stands the *body*, on
//! reading within a newtype: so that nothing but the special type itself reads it, and an untagged
//! enum doesn't take a date for a map of numbers.
//!
//! A name of this kind in a plain object from a peer is skipped by the decoder, and refused by the
//! encoder in any place that is not a token's, so neither can forge a special value.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor},
    ser::SerializeStruct,
};

use crate::value::BytesKind;

/// What all tokens begin with.
pub(crate) const PREFIX: &str = crate::wire::PRIVATE_PREFIX;

/// The kinds of special values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// Body: the digits.
    BigInt,
    /// Body: the bytes. A `Uint8Array` is what serde calls bytes and needs no token.
    Bytes(BytesKind),
    /// Body: the number that [`super::frame`] gave to the capability.
    Capability,
    /// Body: milliseconds, or not a number.
    Date,
    /// Body: a sequence of name, message and further parts.
    Error,
    /// Body: the list of pairs, as JSON.
    Headers,
    /// Body: a sequence of the URL, the `init` as JSON, and the body of the request.
    Request,
    /// Body: a sequence of the `init` as JSON, and the body of the response.
    Response,
    /// Body: the URL's text.
    Url,
}

impl Token {
    /// The token of this private name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name.strip_prefix(PREFIX)? {
            "bigint" => Self::BigInt,
            "capability" => Self::Capability,
            "date" => Self::Date,
            "error" => Self::Error,
            "headers" => Self::Headers,
            "request" => Self::Request,
            "response" => Self::Response,
            "url" => Self::Url,
            rest => Self::Bytes(BytesKind::from_name(rest.strip_prefix("bytes.")?)?),
        })
    }

    /// The private name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BigInt => "$capnweb::bigint",
            Self::Bytes(kind) => kind.token(),
            Self::Capability => "$capnweb::capability",
            Self::Date => "$capnweb::date",
            Self::Error => "$capnweb::error",
            Self::Headers => "$capnweb::headers",
            Self::Request => "$capnweb::request",
            Self::Response => "$capnweb::response",
            Self::Url => "$capnweb::url",
        }
    }

    /// What a user calls such a value.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::BigInt => "a bigint",
            Self::Bytes(_) => "bytes",
            Self::Capability => "a stub",
            Self::Date => "a date",
            Self::Error => "an error",
            Self::Headers => "headers",
            Self::Request => "a request",
            Self::Response => "a response",
            Self::Url => "a URL",
        }
    }

    /// The error that this kind of value was found where another was expected.
    pub(crate) fn unexpected<E: de::Error>(self, expected: &dyn de::Expected) -> E {
        E::invalid_type(de::Unexpected::Other(self.describe()), expected)
    }
}

/// Writes a special value.
pub(crate) fn serialize<S: Serializer, T: Serialize + ?Sized>(
    serializer: S,
    token: Token,
    body: &T,
) -> Result<S::Ok, S::Error> {
    let mut special = serializer.serialize_struct(token.name(), 1)?;
    special.serialize_field(token.name(), body)?;
    special.end()
}

/// Reads the body of a special value of this kind.
pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
    token: Token,
) -> Result<T, D::Error> {
    struct Special<T>(Token, PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Special<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0.describe())
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            read(map, self.0, &self)
        }
    }
    deserializer.deserialize_struct(token.name(), &[], Special(token, PhantomData))
}

/// Reads a body behind the token of this kind.
pub(crate) fn read<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    mut map: A,
    token: Token,
    expected: &dyn de::Expected,
) -> Result<T, A::Error> {
    match map.next_key()? {
        Some(Name::Token(found)) if found == token => Ok(map.next_value::<Body<T>>()?.0),
        Some(Name::Token(other)) => Err(other.unexpected(expected)),
        _ => Err(de::Error::invalid_type(de::Unexpected::Map, expected)),
    }
}

/// A member's name, or a token.
pub(crate) enum Name {
    Token(Token),
    Plain(String),
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl Visitor<'_> for NameVisitor {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member's name")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Name, E> {
                Ok(Token::from_name(name).map_or_else(|| Name::Plain(name.to_owned()), Name::Token))
            }

            fn visit_string<E: de::Error>(self, name: String) -> Result<Name, E> {
                Ok(Token::from_name(&name).map_or(Name::Plain(name), Name::Token))
            }
        }
        deserializer.deserialize_string(NameVisitor)
    }
}

/// A special value's body, taken out of the newtype that it stands in.
pub(crate) struct Body<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Body<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BodyVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for BodyVisitor<T> {
            type Value = Body<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a special value")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<Body<T>, D::Error> {
                T::deserialize(deserializer).map(Body)
            }
        }
        deserializer.deserialize_newtype_struct(PREFIX, BodyVisitor(PhantomData))
    }
}
