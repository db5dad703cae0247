//! The names of things: sessions, shares and their addresses.

use std::fmt;
use std::net::SocketAddr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::error::ShareError;
use super::limits::MAX_SESSION_ID_BYTES;

/// The longest share id that can name anything. Derived ones have 8 characters; the margin is for data that was
/// brought along, and is small enough for a file name in which every byte had to be escaped.
const MAX_SHARE_ID_BYTES: usize = 64;

/// What may stand in a path segment of a URL as it is.
const URL_UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The id of a session, as its client chose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionId(String);

impl SessionId {
    /// Accepts an id of 1 to [`MAX_SESSION_ID_BYTES`] bytes.
    ///
    /// # Errors
    /// [`ShareError::InvalidSessionId`] for any other length.
    pub fn parse(id: impl Into<String>) -> Result<Self, ShareError> {
        let id = id.into();
        if id.is_empty() || id.len() > MAX_SESSION_ID_BYTES {
            return Err(ShareError::InvalidSessionId);
        }
        Ok(Self(id))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of this session's share: the last 8 characters.
    ///
    /// Characters are counted as JavaScript does, in UTF-16 units. Where that would cut one in half, it is left out.
    pub fn share_id(&self) -> ShareId {
        let mut units = 0;
        let mut start = self.0.len();
        for (at, character) in self.0.char_indices().rev() {
            units += character.len_utf16();
            if units > 8 {
                break;
            }
            start = at;
        }
        ShareId(self.0[start..].to_owned())
    }
}

/// The id of a share. Chosen by clients in effect, so it may hold any character; never empty, never long.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShareId(String);

impl ShareId {
    /// Accepts what could be the id of a stored share. `None` means that no share has this id.
    pub fn parse(id: impl Into<String>) -> Option<Self> {
        let id = id.into();
        (!id.is_empty() && id.len() <= MAX_SHARE_ID_BYTES).then_some(Self(id))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ShareId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where shares are reached from outside, without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

/// A setting that is neither a domain nor an address that starts with `http://` or `https://`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a domain such as share.example.com, nor a URL such as http://localhost:8787")]
pub struct InvalidPublicUrl;

impl PublicUrl {
    /// Accepts a domain, with a port if need be, which is then reached over https; or a URL for anything else.
    ///
    /// # Errors
    /// [`InvalidPublicUrl`] if it is neither.
    pub fn parse(domain: &str) -> Result<Self, InvalidPublicUrl> {
        let (scheme, host) = domain.split_once("://").unwrap_or(("https", domain));
        let host = host.trim_end_matches('/');
        let legal = |c: char| c.is_ascii_alphanumeric() || "-._~:[]/%".contains(c);
        let starts_well = host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
        if !matches!(scheme, "http" | "https") || !starts_well || !host.chars().all(legal) {
            return Err(InvalidPublicUrl);
        }
        Ok(Self(format!("{scheme}://{host}")))
    }

    /// A server that is reached where it listens, without TLS.
    pub fn of(address: SocketAddr) -> Self {
        Self(format!("http://{address}"))
    }

    /// The address of a share's page.
    pub fn share(&self, id: &ShareId) -> String {
        format!("{}/share/{}", self.0, utf8_percent_encode(id.as_str(), URL_UNSAFE))
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share_id(session: &str) -> String {
        SessionId::parse(session).unwrap().share_id().to_string()
    }

    #[test]
    fn a_share_is_called_like_the_end_of_its_session() {
        assert_eq!(share_id("session-abc123"), "n-abc123");
        assert_eq!(share_id("ses_4f3aBcDeFgHi"), "BcDeFgHi");
        assert_eq!(share_id("12345678"), "12345678");
        assert_eq!(share_id("short"), "short");
    }

    #[test]
    fn characters_are_counted_in_utf16_and_never_cut() {
        assert_eq!(share_id("ab😀😀😀😀"), "😀😀😀😀");
        assert_eq!(share_id("😀1234567"), "1234567");
        assert_eq!(share_id("ää345678é"), "ä345678é");
    }

    #[test]
    fn session_ids_are_neither_empty_nor_endless() {
        assert_eq!(SessionId::parse(""), Err(ShareError::InvalidSessionId));
        assert_eq!(SessionId::parse("x".repeat(257)), Err(ShareError::InvalidSessionId));
        assert!(SessionId::parse("x".repeat(256)).is_ok());
        assert_eq!(ShareId::parse(""), None);
        assert_eq!(ShareId::parse("x".repeat(65)), None);
    }

    #[test]
    fn a_share_has_an_address_under_the_domain() {
        let id = SessionId::parse("session-abc123").unwrap().share_id();
        let address = |domain| PublicUrl::parse(domain).unwrap().share(&id);
        assert_eq!(address("share.example.com"), "https://share.example.com/share/n-abc123");
        assert_eq!(address("http://localhost:8787/"), "http://localhost:8787/share/n-abc123");
        let odd = ShareId::parse("../a b\"").unwrap();
        let url = PublicUrl::parse("example.com").unwrap();
        assert_eq!(url.share(&odd), "https://example.com/share/..%2Fa%20b%22");
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        for bad in ["", "/", "ftp://example.com", "a b.com", "exa\"mple.com", "https://", "://x"] {
            assert_eq!(PublicUrl::parse(bad), Err(InvalidPublicUrl), "{bad:?}");
        }
    }
}
