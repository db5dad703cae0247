//! A service that shares opencode sessions: a client creates a share, syncs changes into it, and whoever knows the
//! share's address can follow the session.
//!
//! [`core`] holds the rules and the stored documents and does no I/O, so that a server for an ordinary machine and a
//! Cloudflare Worker share it. [`api`] is what can be asked of either, as an interface for clients in Rust, with the
//! feature `api`. Everything else is the server for an ordinary machine and needs the feature `native`, which is on by
//! default: [`store`] keeps shares as files, [`service`] is what callers can ask for, [`access`],
//! [`http`], [`rpc`] and [`json`] are the way in, [`config`] and [`credentials`] say how the server was set up, and
//! [`server`] runs it. The Worker is in the module `worker`, with the feature of that name, and has [`access`], [`rpc`]
//! and [`json`] in common with the server.

pub mod core;

#[cfg(feature = "api")]
pub mod api;

#[cfg(any(feature = "native", all(feature = "worker", target_arch = "wasm32")))]
pub mod access;
#[cfg(feature = "native")]
pub mod config;
#[cfg(feature = "native")]
pub mod credentials;
#[cfg(feature = "native")]
pub mod http;
#[cfg(any(feature = "native", all(feature = "worker", target_arch = "wasm32")))]
pub mod json;
#[cfg(any(feature = "native", all(feature = "worker", target_arch = "wasm32")))]
pub mod rpc;
#[cfg(feature = "native")]
pub mod server;
#[cfg(feature = "native")]
pub mod service;
#[cfg(feature = "native")]
pub mod store;
#[cfg(all(feature = "worker", target_arch = "wasm32"))]
pub mod worker;
