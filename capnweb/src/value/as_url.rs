//! For fields of type [`url::Url`] that JavaScript shall see as `URL` objects:
//! `#[serde(with = "capnweb::value::as_url")]`.

use serde::{Deserializer, Serializer, de};
use url::Url;

use crate::codec::token::{self, Token};

/// Writes a `URL` object.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(url: &Url, serializer: S) -> Result<S::Ok, S::Error> {
    token::serialize(serializer, Token::Url, url.as_str())
}

/// Reads a `URL` object.
///
/// # Errors
/// If it is something else, or no valid URL.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    from_wire(&token::deserialize::<_, String>(deserializer, Token::Url)?)
}

/// The URL that the wire's text stands for, or the error that says it stands for none.
pub(super) fn from_wire<E: de::Error>(href: &str) -> Result<Url, E> {
    Url::parse(href).map_err(|error| E::custom(format_args!("the URL is malformed: {error}")))
}
