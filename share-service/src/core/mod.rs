//! The rules of sharing, free of I/O.
//!
//! Owns: what a share is called and who may change it ([`ids`], [`secret`]), what a client may send ([`sync`],
//! [`limits`]), what is stored ([`document`]), how the two meet ([`rules`]) and how that can fail ([`error`]).
//!
//! Refuses to know: sockets, files, tasks, the time of day and randomness. `now` is an argument everywhere, in
//! milliseconds since the Unix epoch. That keeps every rule testable as a plain function and lets this module compile
//! for `wasm32-unknown-unknown`.
//!
//! JSON is modelled as [`serde_json::Value`] with the order of the keys preserved: payloads drift from one release of
//! the clients to the next and are kept exactly as they came, fields this service knows nothing about included. JSON
//! has no `undefined`, so members that a client set to it explicitly are already gone when a payload arrives here.

pub mod date;
pub mod document;
pub mod error;
pub mod ids;
pub mod limits;
pub mod rules;
pub mod secret;
pub mod sync;

pub use document::{IndexEntry, Metadata, ShareDocument};
pub use error::ShareError;
pub use ids::{PublicUrl, SessionId, ShareId};
pub use limits::Limits;
pub use secret::{Namespace, Secret};
