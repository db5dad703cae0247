//! What the code that the macros generate calls. Not for use by hand: it changes with them.

use serde::Serialize;

pub use crate::typed::failure::{caught, throw};
use crate::{promise::Promise, remote::Remote, typed::Method};

/// Calls a method, leaving out up to so many of the last arguments where they are null.
pub fn call<T, E>(
    remote: &Remote,
    method: &'static Method,
    args: impl Serialize,
    optional: usize,
) -> Promise<T, E> {
    Promise::of(remote.call_method(method.name, args, optional).of_method(method))
}

/// Reads a property.
pub fn get<T, E>(remote: &Remote, method: &'static Method) -> Promise<T, E> {
    Promise::of(remote.property(method.name).of_method(method))
}

/// A field of a record that is promised.
pub fn field<T>(remote: &Remote, name: &'static str) -> Promise<T> {
    Promise::of(remote.property(name))
}
