//! Serving sessions over WebSockets: behind any server that is built on hyper and tower, and on
//! Cloudflare Workers, where an endpoint answers `fetch` (see the module `workers`).
//!
//! Owns the way from an upgrade request to a running session: the checks of the handshake, who may
//! connect and from which web pages, the limit on connections, and their orderly end. Knows
//! nothing of routing and TLS, which are the surrounding server's, and nothing of what is said in
//! a session.
//!
//! ```no_run
//! use capnweb::{Stub, server::{self, Refusal, UpgradeRequest}};
//!
//! # fn main_object(user: &str) -> Stub { Stub::broken(capnweb::Error::msg(user)) }
//! # async fn example() -> std::io::Result<()> {
//! let rpc = server::rpc()
//!     .authenticate(|request: UpgradeRequest| async move {
//!         match request.bearer()? {
//!             key if server::constant_time_eq(key, "correct horse") => Ok("alice".to_owned()),
//!             _ => Err(Refusal::unauthorized("unknown key")),
//!         }
//!     })
//!     .allow_origins(["https://example.com"])
//!     .main(|accepted| main_object(accepted.identity()));
//!
//! // With axum:   axum::Router::new().route_service("/rpc", rpc)
//! // By itself:
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! server::serve(listener, rpc).await;
//! # Ok(())
//! # }
//! ```
//!
//! # Closed unless opened
//!
//! An endpoint cannot be finished before it has been said who may connect: by
//! [`authenticate`](Builder::authenticate) or, in so many words, by
//! [`allow_unauthenticated`](Builder::allow_unauthenticated). Web pages of other origins are
//! refused unless allowed: browsers let any page open a WebSocket to any server, with the user's
//! cookies.

pub(crate) mod admission;
mod builder;
#[cfg(feature = "server")]
mod handshake;
#[cfg(feature = "server")]
mod listen;
pub(crate) mod offer;
mod origin;
mod refusal;
mod request;
#[cfg(feature = "server")]
mod service;

pub use self::{
    builder::{Builder, Decided, Undecided, rpc},
    refusal::Refusal,
    request::{Accepted, PeerAddr, UpgradeRequest},
};
#[cfg(feature = "server")]
pub use self::{
    listen::serve,
    service::{ResponseBody, Rpc},
};
#[cfg(not(feature = "server"))]
pub use crate::workers::Rpc;

/// Compares a secret with what was presented, in a time that does not depend on where they differ.
/// The time does tell whether the lengths are equal: compare digests where that matters.
pub fn constant_time_eq(a: impl AsRef<[u8]>, b: impl AsRef<[u8]>) -> bool {
    subtle::ConstantTimeEq::ct_eq(a.as_ref(), b.as_ref()).into()
}
