//! Who may connect: whoever presents the connection key.

use http::{HeaderMap, StatusCode, header};

use crate::core::Secret;

/// The header in which clients present the key. `Authorization: Bearer` serves as well.
const KEY_HEADER: &str = "x-opencode-share-key";

/// The rule for connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Whoever has this key.
    Key(Secret),
    /// Nobody: no key was configured.
    Closed,
    /// Anybody, because the operator said so.
    Unauthenticated,
}

/// Why a connection is refused. The `Display` text is meant for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No key was presented.
    #[error("Missing key: send it in the header x-opencode-share-key or as a bearer token")]
    MissingKey,
    /// None of the keys that were presented is the right one.
    #[error("Invalid key")]
    InvalidKey,
    /// There is no key that would do.
    #[error("This server has no key configured and accepts no connections")]
    Closed,
}

impl Access {
    /// Decides by the headers of a request whether it may go on.
    ///
    /// # Errors
    /// [`Refusal`] if it may not.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let key = match self {
            Self::Unauthenticated => return Ok(()),
            Self::Closed => return Err(Refusal::Closed),
            Self::Key(key) => key,
        };
        let mut refusal = Refusal::MissingKey;
        for presented in presented_keys(headers) {
            if key.matches(presented) {
                return Ok(());
            }
            refusal = Refusal::InvalidKey;
        }
        Err(refusal)
    }
}

impl Refusal {
    /// The status to answer with.
    pub fn status(self) -> StatusCode {
        match self {
            Self::MissingKey | Self::InvalidKey => StatusCode::UNAUTHORIZED,
            Self::Closed => StatusCode::FORBIDDEN,
        }
    }
}

fn presented_keys(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let in_own_header = headers.get_all(KEY_HEADER).iter().filter_map(|value| value.to_str().ok());
    let as_bearer = headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
    });
    in_own_header.chain(as_bearer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        list.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_key_opens_in_either_header() {
        let access = Access::Key(Secret::new("k3y"));
        for presented in [
            &[("x-opencode-share-key", "k3y")] as &[_],
            &[("authorization", "Bearer k3y")],
            &[("authorization", "bearer  k3y")],
            &[("x-opencode-share-key", "old"), ("authorization", "Bearer k3y")],
        ] {
            assert_eq!(access.check(&headers(presented)), Ok(()), "{presented:?}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let access = Access::Key(Secret::new("k3y"));
        for (presented, refusal) in [
            (&[] as &[_], Refusal::MissingKey),
            (&[("authorization", "Basic k3y")], Refusal::MissingKey),
            (&[("authorization", "k3y")], Refusal::MissingKey),
            (&[("cookie", "k3y")], Refusal::MissingKey),
            (&[("x-opencode-share-key", "")], Refusal::InvalidKey),
            (&[("x-opencode-share-key", "k3y2")], Refusal::InvalidKey),
            (&[("x-opencode-share-key", "K3Y")], Refusal::InvalidKey),
            (&[("authorization", "Bearer ")], Refusal::InvalidKey),
            (&[("authorization", "Bearer wrong")], Refusal::InvalidKey),
        ] {
            assert_eq!(access.check(&headers(presented)), Err(refusal), "{presented:?}");
            assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED);
        }
    }

    #[test]
    fn without_a_key_everybody_or_nobody_gets_in() {
        let with_key = headers(&[("x-opencode-share-key", "")]);
        assert_eq!(Access::Closed.check(&with_key), Err(Refusal::Closed));
        assert_eq!(Refusal::Closed.status(), StatusCode::FORBIDDEN);
        assert_eq!(Access::Unauthenticated.check(&HeaderMap::new()), Ok(()));
        let empty = Access::Key(Secret::new(""));
        assert_eq!(empty.check(&with_key), Err(Refusal::InvalidKey), "an empty key is no key");
    }
}
