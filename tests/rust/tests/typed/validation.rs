//! Arguments from callers without types are checked before the method runs: what does not fit is
//! named, nothing is run, and all that came along is released.

use std::{
    future::IntoFuture,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use capnweb::{Stub, Value};
use capnweb_tests::Pair;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    ReadOnly,
    Append,
}

#[derive(Serialize, Deserialize)]
struct Settings {
    level: u8,
    mode: Mode,
    corners: [(i32, i32); 2],
    limits: Option<Vec<Limit>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Limit {
    max_bytes: u64,
}

#[capnweb::interface]
trait Device {
    fn set(&self, settings: Settings, done: Stub);
    async fn rotate(&self, degrees: i16, done: Stub);
    fn switch(&self, on: bool, done: Stub);
    fn name_it(&self, name: char, done: Stub);
}

#[derive(Default)]
struct Counting(Arc<AtomicU32>);

impl Counting {
    fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Device for Counting {
    fn set(&self, _settings: Settings, _done: Stub) {
        self.count();
    }

    async fn rotate(&self, _degrees: i16, _done: Stub) {
        self.count();
    }

    fn switch(&self, _on: bool, _done: Stub) {
        self.count();
    }

    fn name_it(&self, _name: char, _done: Stub) {
        self.count();
    }
}

/// What is said of a call with this JSON and a function as its arguments.
fn refusal(method: &str, json: serde_json::Value) -> String {
    let runs = Arc::<AtomicU32>::default();
    let mut pair = Pair::new(Stub::<dyn Device>::new(Counting(Arc::clone(&runs))).untyped());
    let device = pair.client.main();
    let value = Value::encode(&json).unwrap();
    let done = Stub::function(|(): ()| async { Ok(()) });
    let result = pair.run(device.call(method, (value, done)).into_future());
    let error = result.expect_err("the argument was accepted");
    assert_eq!(error.name(), "TypeError");
    assert_eq!(runs.load(Ordering::Relaxed), 0, "the method was run");
    drop(device);
    pair.assert_clean();
    error.message().to_owned()
}

/// Settings of which one part is another.
fn settings(pointer: &str, part: serde_json::Value) -> serde_json::Value {
    let mut settings = serde_json::json!({
        "level": 1,
        "mode": "read-only",
        "corners": [[0, 0], [1, 1]],
        "limits": [{ "maxBytes": 1 }, { "maxBytes": 2 }],
    });
    *settings.pointer_mut(pointer).unwrap() = part;
    settings
}

#[test]
fn integers_are_in_their_range() {
    assert_eq!(
        refusal("rotate", 32768.into()),
        "rotate: args[0]: expected an integer from -32768 to 32767, found 32768"
    );
    assert_eq!(
        refusal("set", settings("/level", 256.into())),
        "set: args[0].level: expected an integer from 0 to 255, found 256"
    );
    assert_eq!(
        refusal("set", settings("/level", (-1).into())),
        "set: args[0].level: expected an integer from 0 to 255, found -1"
    );
}

#[test]
fn enums_have_their_variants() {
    assert_eq!(
        refusal("set", settings("/mode", "write".into())),
        "set: args[0].mode: unknown variant `write`, expected `read-only` or `append`"
    );
}

#[test]
fn arrays_have_their_length() {
    assert_eq!(
        refusal("set", settings("/corners", serde_json::json!([[0, 0]]))),
        "set: args[0].corners: invalid length 1, expected an array of length 2"
    );
    assert_eq!(
        refusal("set", settings("/corners/1", serde_json::json!([0, 0, 0]))),
        "set: args[0].corners[1]: the array is longer than expected"
    );
}

#[test]
fn the_place_is_named_at_any_depth() {
    assert_eq!(
        refusal("set", settings("/limits/1/maxBytes", "many".into())),
        "set: args[0].limits[1].maxBytes: expected an integer of 0 or more, found a string"
    );
    assert_eq!(
        refusal("set", settings("/limits/1", serde_json::json!({}))),
        "set: args[0].limits[1]: missing field `maxBytes`"
    );
    assert_eq!(
        refusal("set", settings("/corners/1/0", 0.5.into())),
        "set: args[0].corners[1][0]: expected an integer from -2147483648 to 2147483647, found 0.5"
    );
}

#[test]
fn values_are_of_their_type() {
    assert_eq!(refusal("switch", 1.into()), "switch: args[0]: expected a boolean, found a number");
    assert_eq!(
        refusal("nameIt", "two".into()),
        "nameIt: args[0]: expected a character, found \"two\""
    );
}
