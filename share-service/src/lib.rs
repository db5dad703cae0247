//! A service that shares opencode sessions: a client creates a share, syncs changes into it, and whoever knows the
//! share's address can follow the session.
//!
//! [`core`] holds the rules and the stored documents and does no I/O, so that a server for an ordinary machine and a
//! Cloudflare Worker share it.

pub mod core;
