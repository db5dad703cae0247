//! What is known about a connection before its session starts.

use std::{fmt, net::SocketAddr, sync::Arc};

use http::{Extensions, HeaderMap, Method, Uri, header, request::Parts};

use super::Refusal;

/// The request that asks for a session, as the authentication hook sees it: before any answer. An
/// upgrade, or a batch: a `POST`, whose body has not been read. Cheap to clone.
#[derive(Clone)]
pub struct UpgradeRequest(Arc<Parts>);

/// The address of a client, as an extension of its requests. [`serve`](super::serve) sets it; any
/// other server can, in a layer of its own. Behind a proxy it is the proxy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddr(pub SocketAddr);

impl UpgradeRequest {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The request's method.
    pub fn method(&self) -> &Method {
        &self.0.method
    }

    /// The request's target: path and query.
    pub fn uri(&self) -> &Uri {
        &self.0.uri
    }

    /// The request's headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// What layers in front of this one have noted about the request.
    pub fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    /// The client's address, if the server has noted it as [`PeerAddr`].
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.extensions().get().map(|&PeerAddr(address)| address)
    }

    /// The token in `Authorization: Bearer`.
    ///
    /// # Errors
    /// A 401 that asks for one, if there is none; made for passing on with `?`.
    pub fn bearer(&self) -> Result<&str, Refusal> {
        self.headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .filter(|token| !token.is_empty())
            .ok_or_else(|| Refusal::unauthorized("a bearer token is needed"))
    }
}

impl fmt::Debug for UpgradeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither query nor header values: both carry credentials.
        f.debug_struct("UpgradeRequest")
            .field("path", &self.uri().path())
            .field("peer_addr", &self.peer_addr())
            .finish_non_exhaustive()
    }
}

/// A connection that was let in: who it is, and how it asked.
#[derive(Debug)]
pub struct Accepted<I> {
    identity: I,
    request: UpgradeRequest,
}

impl<I> Accepted<I> {
    pub(super) fn new(identity: I, request: UpgradeRequest) -> Self {
        Self { identity, request }
    }

    /// What the authentication hook found out.
    pub fn identity(&self) -> &I {
        &self.identity
    }

    /// The request that asked for this session.
    pub fn request(&self) -> &UpgradeRequest {
        &self.request
    }

    /// The client's address, if the server has noted it as [`PeerAddr`].
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.request.peer_addr()
    }
}
