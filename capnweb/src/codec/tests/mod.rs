//! Tests of both directions together.

mod containers;
mod errors;
mod limits;
mod navigate;
mod properties;
mod values;

use std::{fmt::Debug, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use super::{decode, decode_args, encode, encode_args, encode_into, encode_thrown_into};
use crate::{
    hook::Hook,
    payload::{Cap, Payload, Slot},
    promise::Promise,
    remote::Remote,
    stub::Stub,
};

/// A stub that a test can recognise.
fn stub(number: u32) -> Stub {
    Stub::from_hook(hook(number))
}

fn hook(number: u32) -> Hook {
    Hook::value(payload(&number.to_string(), []))
}

/// The number a test hook was made with.
fn number_of(hook: &Hook) -> u32 {
    shared(hook).text.parse().unwrap()
}

fn shared(hook: &Hook) -> &Arc<Payload> {
    let Hook::Value(shared) = hook else { panic!("{hook:?} is of no test") };
    shared
}

/// The number a test stub was made with.
fn number(stub: &Stub) -> u32 {
    number_of(stub.hook())
}

/// How many handles there are on a test stub's capability.
fn handles(stub: &Stub) -> usize {
    Arc::strong_count(shared(stub.hook()))
}

/// A payload of this text, each hole in it filled in turn.
fn payload(text: &str, caps: impl IntoIterator<Item = Cap>) -> Payload {
    let holes = text.match_indices("[\"#\",").map(|(at, _)| u32::try_from(at).unwrap());
    let slots: Vec<_> = holes.zip(caps).map(|(at, cap)| Slot { at, cap }).collect();
    Payload { text: text.into(), slots }
}

#[track_caller]
fn text<T: Serialize + ?Sized>(value: &T) -> String {
    encode(value).unwrap().text.to_string()
}

#[track_caller]
fn read<T: DeserializeOwned>(text: &str) -> T {
    decode(&payload(text, [])).unwrap()
}

/// Checks that a value is written as this text, and that the text reads as the value.
#[track_caller]
fn both_ways<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T, expected: &str) {
    assert_eq!(text(&value), expected);
    assert_eq!(read::<T>(expected), value);
}
