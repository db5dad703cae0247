//! A service that shares opencode sessions: a client creates a share, syncs changes into it, and whoever knows the
//! share's address can follow the session.
//!
//! [`core`] holds the rules and the stored documents and does no I/O, so that a server for an ordinary machine and a
//! Cloudflare Worker share it. Everything else is the server for an ordinary machine and needs the feature `native`,
//! which is on by default: [`store`] keeps shares as files, [`service`] is what callers can ask for, [`access`],
//! [`http`], [`rpc`] and [`json`] are the way in, [`config`] and [`credentials`] say how the server was set up, and [`server`] runs it.

pub mod core;

#[cfg(feature = "native")]
pub mod access;
#[cfg(feature = "native")]
pub mod config;
#[cfg(feature = "native")]
pub mod credentials;
#[cfg(feature = "native")]
pub mod http;
#[cfg(feature = "native")]
pub mod json;
#[cfg(feature = "native")]
pub mod rpc;
#[cfg(feature = "native")]
pub mod server;
#[cfg(feature = "native")]
pub mod service;
#[cfg(feature = "native")]
pub mod store;
