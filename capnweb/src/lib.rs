//! Cap'n Web for Rust: object-capability RPC over WebSocket, HTTP batch or any message channel,
//! wire-compatible with the JavaScript package `capnweb`.
#![warn(missing_docs)]

#[cfg(feature = "client")]
pub mod client;
mod codec;
mod connection;
mod driver;
mod error;
mod evaluate;
mod hook;
mod map;
mod maybe_send;
mod path;
mod payload;
#[cfg(feature = "server")]
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

#[cfg(feature = "client")]
pub use client::{batch, connect};
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
