//! Objects behind an interface.

use std::{marker::PhantomData, sync::Arc};

use super::Client;
use crate::{
    maybe_send::{MaybeSend, MaybeSync},
    remote::Remote,
    target::{Call, Reply, Target},
};

/// An interface: implemented for `dyn Api` by [`#[capnweb::interface]`](crate::interface) on the
/// trait `Api`, for functions (see [`FunctionClient`](super::FunctionClient)), and for `dyn Target`, which
/// stands for objects of which nothing is known.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an interface",
    label = "not an interface",
    note = "an interface is `dyn Api`, of a trait that has `#[capnweb::interface]`, or a function \
            that returns a result: `fn(A, B) -> Result<R, E>`"
)]
// Implementations are for `dyn Api + '_`: where rustc checks what a future holds it has forgotten
// lifetimes, `'static` included.
pub trait Interface {
    /// The trait's name, for errors.
    const NAME: &'static str;

    /// The names of its methods and properties on the wire.
    #[doc(hidden)]
    const NAMES: Names = Names { own: &[], bases: &[] };

    /// What its methods are called on.
    type Client: Client;
}

/// The names that an interface has on the wire.
#[doc(hidden)]
pub struct Names {
    /// Its own.
    pub own: &'static [&'static str],
    /// And those of the interfaces that it extends.
    pub bases: &'static [Names],
}

impl Names {
    /// Refuses to compile an interface that has a name which one of its bases has, too: its objects
    /// would not be what the base says.
    ///
    /// # Panics
    /// If there is one; at compile time.
    pub const fn assert_distinct(names: Names) {
        let mut i = 0;
        while i < names.own.len() {
            let mut base = 0;
            while base < names.bases.len() {
                assert!(
                    !names.bases[base].has(names.own[i]),
                    "a method of this interface has the same name on the wire as one of an \
                     interface that it extends: give it another one, with `#[rpc(name = \"..\")]`"
                );
                base += 1;
            }
            i += 1;
        }
    }

    const fn has(&self, name: &str) -> bool {
        let mut i = 0;
        while i < self.own.len() {
            if is_same(self.own[i].as_bytes(), name.as_bytes()) {
                return true;
            }
            i += 1;
        }
        i = 0;
        while i < self.bases.len() {
            if self.bases[i].has(name) {
                return true;
            }
            i += 1;
        }
        false
    }
}

/// What `==` will be when it can be used in constants.
const fn is_same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

impl Interface for dyn Target + '_ {
    const NAME: &'static str = "Target";
    type Client = Remote;
}

/// An interface that objects of the type `T` can stand behind: `dyn Api` for all `T` that
/// implement `Api`.
#[diagnostic::on_unimplemented(
    message = "`{T}` does not implement the interface `{Self}`",
    label = "not an implementation of `{Self}`",
    note = "for an object that dispatches its calls by itself use `Stub::target`"
)]
pub trait Serves<T>: Interface {
    /// Carries out a call.
    fn call(target: &Arc<T>, call: Call) -> Reply;

    /// Reads a property.
    fn get(target: &Arc<T>, property: &str) -> Reply;

    /// Whether there is a method of this name.
    fn has_method(name: &str) -> bool;

    /// Whether there is a property of this name that is no method.
    fn has_property(name: &str) -> bool;
}

/// An interface whose objects have all methods of another one, `J`: that of a trait behind the
/// colon in `trait Api: Base`.
pub trait Extends<J: Interface + ?Sized>: Interface {}

/// An object, as the target of calls.
pub(crate) struct Served<I: ?Sized, T> {
    object: Arc<T>,
    interface: PhantomData<fn(&I)>,
}

impl<I: ?Sized, T> Served<I, T> {
    pub(crate) fn new(object: Arc<T>) -> Self {
        Self { object, interface: PhantomData }
    }
}

impl<I, T> Target for Served<I, T>
where
    I: Serves<T> + ?Sized + 'static,
    T: MaybeSend + MaybeSync + 'static,
{
    fn call(self: Arc<Self>, call: Call) -> Reply {
        I::call(&self.object, call)
    }

    fn get(self: Arc<Self>, property: &str) -> Reply {
        I::get(&self.object, property)
    }

    fn has_method(&self, name: &str) -> bool {
        I::has_method(name)
    }
}
