//! Serving sessions over WebSockets and in HTTP batches: behind any server that is built on hyper
//! and tower, and on Cloudflare Workers, where an endpoint answers `fetch`, see the module `workers`.
//!
//! Owns the way from a request to a running session: the checks of the handshake, who may connect
//! and from which web pages, the limits on connections and batches, and their orderly end. Knows
//! nothing of routing, TLS and CORS, which are the surrounding server's, and nothing of what is
//! said in a session.
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
//! # Batches
//!
//! A `POST` to the endpoint is a session of its own, for the same main object and under the same
//! rules as a connection: its body holds all that the client says, the answer all that it is told.
//! The client cannot be called back: what waits for its answer fails at once, though results of
//! calls on its objects can be returned unawaited. Streams in results are part of the answer as far
//! as they are at hand when all else is known, or come without a pause of more than a quarter of a
//! second, for two seconds and one window at most; the rest of one is not sent, which its reader sees
//! as an error. What can come instead of an answer:
//!
//! | status | when |
//! |---|---|
//! | 400 | the body is not UTF-8, or a message in it broke the protocol: the error says how |
//! | 408 | the body did not arrive in [`batch_timeout`](Builder::batch_timeout) |
//! | 413 | the body is larger than [`max_message_size`](Builder::max_message_size), or holds more than [`max_batch_messages`](Builder::max_batch_messages) |
//! | 500 | the application, or an `abort` in the batch, ended the session; or the answer would exceed [`Limits::max_outgoing_bytes`](crate::Limits::max_outgoing_bytes) |
//! | 504 | not everything was known in [`batch_timeout`](Builder::batch_timeout) |
//!
//! # Closed unless opened
//!
//! An endpoint cannot be finished before it has been said who may connect: by
//! [`authenticate`](Builder::authenticate) or, in so many words, by
//! [`allow_unauthenticated`](Builder::allow_unauthenticated). Web pages of other origins are
//! refused unless allowed: browsers let any page open a WebSocket to any server, and post to it,
//! with the user's cookies. (For a page of another origin to read a batch's answer, it also needs
//! the headers of CORS, which a layer in front of the endpoint can add.)

pub(crate) mod admission;
#[cfg(feature = "server")]
mod batch;
mod builder;
pub(crate) mod exchange;
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
