//! What the methods of an interface, or the fields of a record, are called on.

use std::{
    any::Any,
    sync::{Arc, OnceLock},
};

use crate::{
    maybe_send::{BoxAny, MaybeSend, MaybeSync},
    remote::Remote,
    stub::Stub,
    value::Value,
};

use super::Interface;

/// The calling side of an interface, or the fields of a record that is promised: a [`Remote`] with
/// names and types.
///
/// Implemented by the macros. These are no methods, so that they are in no interface's way.
pub trait Client: Clone + MaybeSend + MaybeSync {
    /// The client of what is there.
    fn new(remote: Remote) -> Self;

    /// What it calls.
    fn remote(&self) -> &Remote;

    /// The client of a promise, which may be kept with it.
    #[doc(hidden)]
    fn view<'a>(remote: &'a Remote, cache: &'a Cache) -> &'a Self
    where
        Self: 'static,
    {
        cache.get_or_make(remote)
    }
}

/// A type with something to be used before it is there: the methods of a stub, the fields of a
/// record. Derived for records by [`Record`](crate::Record).
pub trait Promised {
    /// What a promise of it derefs to.
    type Client: Client;
}

impl<I: Interface + ?Sized> Promised for Stub<I> {
    type Client = I::Client;
}

impl Promised for Value {
    type Client = Remote;
}

/// A property of null is an error, as in JavaScript, unless it is one that may be missing.
impl<T: Promised> Promised for Option<T> {
    type Client = T::Client;
}

impl<T: Promised> Promised for Box<T> {
    type Client = T::Client;
}

impl<T: Promised> Promised for Arc<T> {
    type Client = T::Client;
}

/// The client of a promise. Made when it is first used: a promise is generic over what it
/// promises, also if that has no client, so it has no place for one of its own.
#[doc(hidden)]
#[derive(Default)]
pub struct Cache(OnceLock<BoxAny>);

impl Cache {
    fn get_or_make<C: Client + 'static>(&self, remote: &Remote) -> &C {
        let client: &dyn Any = &**self.0.get_or_init(|| Box::new(C::new(remote.clone())));
        client.downcast_ref().expect("a promise has one type, and so its client has one")
    }
}
