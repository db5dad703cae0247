//! Secrets: the one that lets a client change a share, and the namespace that they are derived from.

use std::fmt;

#[cfg(test)]
use capnweb::typescript::TS;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::ids::SessionId;

/// Something that proves the right to do something. Compared in constant time, never shown by `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(crate = "capnweb::typescript::ts_rs"))]
pub struct Secret(String);

impl Secret {
    /// Takes a text as a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// Whether what somebody presents is this secret. The time it takes tells nothing but the length.
    ///
    /// An empty secret is a missing one and matches nothing, not even an empty text.
    pub fn matches(&self, presented: &str) -> bool {
        !self.0.is_empty() && bool::from(self.0.as_bytes().ct_eq(presented.as_bytes()))
    }

    /// The secret in the clear, for the one who may have it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The UUID under which the secrets of shares are derived. Whoever knows it knows them all.
#[derive(Clone, PartialEq, Eq)]
pub struct Namespace(Uuid);

/// A namespace that is not a UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID")]
pub struct InvalidNamespace;

impl Namespace {
    /// Reads a namespace from the text of a UUID.
    ///
    /// # Errors
    /// [`InvalidNamespace`] if it is none.
    pub fn parse(text: &str) -> Result<Self, InvalidNamespace> {
        Uuid::try_parse(text).map(Self).map_err(|_| InvalidNamespace)
    }

    /// Makes a namespace of 16 random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// The secret of a session's share: the version 5 UUID of its id.
    pub fn secret(&self, session: &SessionId) -> Secret {
        Secret(Uuid::new_v5(&self.0, session.as_str().as_bytes()).to_string())
    }

    /// The namespace in the clear, for storing it.
    pub fn reveal(&self) -> String {
        self.0.to_string()
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Namespace(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_derived_as_clients_know_them() {
        let namespace = Namespace::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8").unwrap();
        for (session, secret) in [
            ("session-abc123", "3bd6334d-9d1a-5e35-b332-aaf934f6f45c"),
            ("same-session-id", "c483593e-48f6-53d2-8b20-2f6068091a24"),
            ("sync-test", "1718a5fa-cd01-50c7-bf3e-69b9be66055e"),
        ] {
            let session = SessionId::parse(session).unwrap();
            assert_eq!(namespace.secret(&session).reveal(), secret);
        }
    }

    #[test]
    fn a_namespace_is_a_uuid() {
        assert_eq!(Namespace::parse("hunter2"), Err(InvalidNamespace));
        assert_eq!(Namespace::parse(""), Err(InvalidNamespace));
    }

    #[test]
    fn only_the_same_text_matches() {
        let secret = Secret::new("abc");
        assert!(secret.matches("abc"));
        for wrong in ["", "ab", "abd", "abcd", "ABC"] {
            assert!(!secret.matches(wrong), "{wrong:?}");
        }
        assert!(!Secret::new("").matches(""), "a missing secret opens nothing");
    }

    #[test]
    fn debug_output_keeps_secrets() {
        let namespace = Namespace::from_random([7; 16]);
        let shown = format!("{:?} {namespace:?}", Secret::new("abc"));
        assert!(!shown.contains("abc") && !shown.contains("07"), "{shown}");
    }
}
