//! Cap'n Web for Rust: object-capability RPC over WebSockets or any other channel of text messages,
//! wire-compatible with the JavaScript package `capnweb`.
//!
//! Objects and functions are passed by reference and can be called from the other side, in both
//! directions. A call returns a promise that can be used at once: as the target of further calls,
//! for its properties, as an argument. None of that waits, so that a whole chain of calls costs
//! one round trip. What is dropped on one side is released on the other.
//!
//! # An example
//!
//! Two sides in one process; over a network the connections come from `connect` and from an
//! endpoint of the module `server`.
//!
//! ```
//! use std::sync::Arc;
//! use capnweb::{Call, Connection, Error, Options, Reply, Stub, Target, transport::memory};
//!
//! struct Greeter;
//!
//! impl Target for Greeter {
//!     fn call(self: Arc<Self>, call: Call) -> Reply {
//!         match call.method() {
//!             "hello" => call.reply(|(name,): (String,)| Ok(format!("Hello, {name}!"))),
//!             // Answers with what the caller's function makes of it.
//!             "ask" => call.reply_async(|(question, ask): (String, Stub)| async move {
//!                 ask.invoke((question,)).await
//!             }),
//!             _ => call.no_such_method(),
//!         }
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! let (here, there) = memory::pair(16);
//! let _server = Connection::start(there, Some(Stub::target(Greeter)), Options::new());
//! let greeter = Connection::start(here, None, Options::new()).main();
//!
//! let greeting: String = greeter.call("hello", ("world",)).decode().await?;
//! assert_eq!(greeting, "Hello, world!");
//!
//! // The name is not known here before it is used; nothing is awaited in between.
//! let answer = Stub::function(|(_question,): (String,)| async { Ok("Alice") });
//! let name = greeter.call("ask", ("Who are you?", answer));
//! let greeting: String = greeter.call("hello", (name,)).decode().await?;
//! assert_eq!(greeting, "Hello, Alice!");
//! # Ok(())
//! # }
//! ```
//!
//! # Where to find what
//!
//! | | |
//! |---|---|
//! | [`Connection`], [`Options`], [`Limits`], [`Stats`] | a session with a peer, and what it may cost |
//! | [`Stub`], [`Promise`] | what is held of the other side: calling it, reading it, passing it on |
//! | [`Target`], [`Call`], [`Reply`] | objects for the other side to call |
//! | [`value`], [`Value`] | JavaScript's values, those included that Rust and serde have no word for |
//! | [`stream`] | values that follow one another |
//! | [`fetch`] | blobs, and the HTTP types of `fetch` |
//! | [`Error`], [`ErrorKind`] | why a call failed |
//! | `connect`, `client` | connecting to a `ws://` or `wss://` URL |
//! | `server` | an endpoint for hyper, axum and other tower-based servers, and for Workers: who may connect, and as what |
//! | `typescript` | declarations of interfaces for TypeScript |
//! | `workers` | Cloudflare Workers |
//! | [`transport`] | channels that come with the crate, and the trait for others |
//! | [`Session`] | a session without a channel, for tests that decide what arrives when |
//! | [`Spawn`] | the executor, where it isn't tokio |
//!
//! Arguments and results are whatever serde reads and writes. Arguments are tuples: `(1, "x")`,
//! `(one,)`, `()` for none. `()` as a value is `undefined`, [`None`] is `null`; a member or argument
//! of type [`Option`] accepts both.
//!
//! # Features
//!
//! | feature | on by default | what it adds |
//! |---|---|---|
//! | `client` | yes | `connect`, for `ws://` URLs |
//! | `server` | yes | the module `server` |
//! | `tls` | | `wss://` URLs for `connect`: rustls on ring, with the system's roots |
//! | `websocket` | by the three above | the WebSocket transport |
//! | `tokio` | by the four above | connections run on the tokio runtime that they are made in |
//! | `typescript` | | the module `typescript`: declarations of interfaces for TypeScript |
//! | `worker` | | `connect` and `server` on Cloudflare Workers, instead of all of the above |
//!
//! The core needs none of them: no I/O, no runtime, and it builds for `wasm32-unknown-unknown`.
//!
//! # Not there yet
//!
//! Interfaces as Rust traits.
#![warn(missing_docs)]
#![cfg_attr(
    target_arch = "wasm32",
    allow(clippy::arc_with_non_send_sync, reason = "the same code holds what is `Send` elsewhere")
)]

#[doc(hidden)]
pub mod __private;
#[cfg(any(feature = "client", all(feature = "worker", target_arch = "wasm32")))]
pub mod client;
mod codec;
mod connection;
mod driver;
mod error;
mod evaluate;
pub mod fetch;
mod hook;
mod map;
mod maybe_send;
mod path;
mod payload;
mod promise;
mod remote;
#[cfg(any(feature = "server", all(feature = "worker", target_arch = "wasm32")))]
pub mod server;
mod session;
mod spawn;
pub mod stream;
mod stub;
mod target;
#[cfg(feature = "tokio")]
mod tokio_spawn;
pub mod transport;
mod turn;
pub mod typed;
#[cfg(feature = "typescript")]
pub mod typescript;
pub mod value;
mod wakers;
mod wire;
#[cfg(all(feature = "worker", target_arch = "wasm32"))]
pub mod workers;

#[cfg(feature = "macros")]
pub use capnweb_macros::{Failure, Record, interface};

/// What a method returns that fails with an [`Error`], or with another [`Failure`](typed::Failure).
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(feature = "client")]
pub use client::batch;
#[cfg(any(feature = "client", all(feature = "worker", target_arch = "wasm32")))]
pub use client::connect;
pub use connection::{Connection, Session};
pub use error::{Error, ErrorKind};
pub use maybe_send::{BoxFuture, MaybeSend, MaybeSync};
pub use path::{Key, Path};
pub use promise::Promise;
pub use remote::Remote;
pub use session::{Caller, Options, PeerRelease, Stats};
pub use spawn::{Spawn, SpawnHandle, set_default_spawn, with_spawn};
pub use stub::Stub;
pub use target::{Call, Reply, Target};
#[cfg(feature = "tokio")]
pub use tokio_spawn::Tokio;
pub use value::Value;
pub use wire::Limits;
