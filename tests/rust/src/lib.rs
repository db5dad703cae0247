//! What the tests share: the fixed target of the conformance vectors, a deterministic pair of sessions, a
//! scripted peer, a suite for share services, and launchers of JavaScript peers.

mod executor;
mod fixed_server;
mod fixed_target;
mod js;
mod js_session;
mod logging;
mod pair;
mod peer;
pub mod random;
pub mod share;
mod tools;

pub use executor::{Outcome, TestExecutor};
pub use fixed_server::FixedServer;
pub use fixed_target::FixedTarget;
pub use js::{
    DEADLINE, JsServer, Runtime, node, node_in, run_node_tests, run_suite, run_suite_but,
    run_suite_on,
};
pub use js_session::{JsSession, KEY, clean, limited};
pub use logging::{FrameLog, Logging};
pub use pair::{Pair, Side};
pub use peer::Peer;
pub use tools::{Gate, Log, OnDrop, counted_bytes, target};

use std::path::PathBuf;

/// The folder with the wire tables and the JavaScript peers.
pub fn tests_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A table of `tests/wire`.
pub fn wire_table<T: serde::de::DeserializeOwned>(name: &str) -> Vec<T> {
    read_json("wire", name)
}

/// A file of `tests/conformance`.
pub fn conformance<T: serde::de::DeserializeOwned>(name: &str) -> Vec<T> {
    read_json("conformance", name)
}

fn read_json<T: serde::de::DeserializeOwned>(folder: &str, name: &str) -> Vec<T> {
    let path = tests_dir().join(folder).join(name);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}
