//! Interfaces: what the two sides of a call agree on, as a Rust trait.
//!
//! A trait becomes an interface by [`#[capnweb::interface]`](crate::interface), which implements
//! the traits of this module for it; nobody needs to by hand. Owns what the generated code stands
//! on: how a method's arguments and results are given and taken ([`Arg`], [`Promised`],
//! [`Recorded`]), what it may fail with ([`Failure`]), and functions as interfaces ([`FunctionClient`]).
//! Knows nothing of how calls travel.

mod arg;
mod callback;
mod client;
pub(crate) mod failure;
mod method;
mod recorded;
mod served;

pub(crate) use self::served::Served;
pub use self::{
    arg::{Arg, IntoArg},
    callback::FunctionClient,
    client::{Cache, Client, Promised},
    failure::{CallError, Failure, Outcome},
    method::Method,
    recorded::Recorded,
    served::{Extends, Interface, Names, Serves},
};
