//! The share service as a Cloudflare Worker: what wrangler builds and deploys.
//!
//! A crate of its own, because only a library that is nothing else is optimised as a whole.
// Workers are wasm: to any other target this crate is empty.
#![cfg(target_arch = "wasm32")]

// Its event handlers are exported by being linked.
extern crate share_service;
