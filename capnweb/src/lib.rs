//! Cap'n Web for Rust: object-capability RPC over WebSocket, HTTP batch or any message channel,
//! wire-compatible with the JavaScript package `capnweb`.
#![warn(missing_docs)]

#[cfg(any(feature = "client", all(feature = "worker", target_arch = "wasm32")))]
pub mod client;
mod codec;
mod connection;
mod driver;
mod error;
mod hook;
mod maybe_send;
mod path;
mod payload;
#[cfg(any(feature = "server", all(feature = "worker", target_arch = "wasm32")))]
pub mod server;
mod session;
mod spawn;
mod stub;
mod target;
#[cfg(feature = "tokio")]
mod tokio_spawn;
pub mod transport;
mod turn;
pub mod value;
mod wire;
#[cfg(all(feature = "worker", target_arch = "wasm32"))]
pub mod workers;

#[cfg(any(feature = "client", all(feature = "worker", target_arch = "wasm32")))]
pub use client::connect;
pub use connection::{Connection, Session};
pub use error::{Error, ErrorKind};
pub use maybe_send::{BoxFuture, MaybeSend, MaybeSync};
pub use path::{Key, Path};
pub use session::{Caller, Options, Stats};
pub use spawn::{Spawn, SpawnHandle, set_default_spawn, with_spawn};
pub use stub::{Promise, Stub};
pub use target::{Call, Reply, Target};
#[cfg(feature = "tokio")]
pub use tokio_spawn::Tokio;
pub use value::Value;
pub use wire::Limits;
