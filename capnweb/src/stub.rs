//! What users hold of an object.
//!
//! A thin handle around the [client](crate::typed::Client) of the object's interface, which is
//! itself one around a [`Remote`].

use std::{fmt, future::Future, ops::Deref, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::DeserializeOwned, ser};

use crate::{
    codec::{
        frame,
        token::{self, Token},
    },
    error::Error,
    hook::{Hook, Local, broken},
    map,
    maybe_send::{MaybeSend, MaybeSync},
    path::Path,
    payload::Cap,
    promise::Promise,
    remote::Remote,
    target::{Call, Function, Target},
    typed::{Client, Extends, Interface, Served, Serves},
};

/// A reference to an object on either side of a connection, whose methods can be called.
///
/// Cloning a stub duplicates the reference, dropping it disposes of it; the object is dropped
/// when the last one is gone. A stub can be sent, in arguments and results, over any connection,
/// and comes back to the side of the object as the object itself.
///
/// Calls on one stub are delivered in the order in which they are made, with one exception: a
/// call waits for promises in its own arguments, alone.
///
/// `I` is the interface of the object: `Stub<dyn Api>`, where the trait `Api` was given
/// [`#[capnweb::interface]`](crate::interface), has the methods of `Api`, on
/// [`Api`'s client](Interface::Client). A plain `Stub` knows nothing of its object; what can be
/// asked of it is on [`Remote`]:
///
/// ```
/// # use capnweb::{Error, Stub};
/// # async fn example(api: Stub) -> Result<(), Error> {
/// let sum: f64 = api.call("add", (1, 2)).decode().await?;
/// // One round trip: nothing is awaited in between.
/// let name = api.call("authenticate", ("token",)).call("profile", ()).get("name");
/// println!("{sum} {:?}", name.await?);
/// # Ok(())
/// # }
/// ```
///
/// A method of the interface that has the name of one which all stubs have (`untyped`) or of a trait
/// that they implement (`clone`, `eq`, `into`) is called by the client's name:
/// `ApiClient::clone(&stub, ..)`.
///
/// Nothing checks that an object has the interface that it is said to have: a method that it turns
/// out not to have fails when it is called.
pub struct Stub<I: Interface + ?Sized = dyn Target>(I::Client);

impl<I: Interface + ?Sized> Stub<I> {
    /// A stub of an object of this process that implements the interface. Which interface that is
    /// follows from where the stub goes, or is named: `Stub::<dyn Api>::new(api)`.
    ///
    /// A closure implements a callback: see [`FunctionClient`](crate::typed::FunctionClient).
    pub fn new<T>(object: T) -> Self
    where
        I: Serves<T> + 'static,
        T: MaybeSend + MaybeSync + 'static,
    {
        Self::from_arc(Arc::new(object))
    }

    /// A stub of an object that is shared with others. Stubs of several interfaces can be made of
    /// one object in this way.
    pub fn from_arc<T>(object: Arc<T>) -> Self
    where
        I: Serves<T> + 'static,
        T: MaybeSend + MaybeSync + 'static,
    {
        Stub::target(Served::<I, T>::new(object)).cast()
    }

    /// A stub all of whose calls fail with this error.
    pub fn broken(error: Error) -> Self {
        Self::from_hook(Hook::Broken(error))
    }

    /// Waits until this stub can never be used again, because its connection has ended or the
    /// promise it came from was rejected, and says why. Never ends for an object of this process.
    ///
    /// Not a method, as it might have the name of one of the interface's.
    pub fn broken_by(this: &Self) -> impl Future<Output = Error> + use<I> {
        broken(this.hook().clone())
    }

    /// The same stub as one of an interface that its own one extends.
    ///
    /// Not a method, as it might have the name of one of the interface's.
    pub fn upcast<J: Interface + ?Sized>(this: Self) -> Stub<J>
    where
        I: Extends<J>,
    {
        this.cast()
    }

    /// The same stub without its interface: for calling methods by name.
    pub fn untyped(self) -> Stub {
        self.cast()
    }

    pub(crate) fn from_hook(hook: Hook) -> Self {
        Self(I::Client::new(Remote::new(hook, Path::new())))
    }

    pub(crate) fn hook(&self) -> &Hook {
        &self.0.remote().hook
    }

    pub(crate) fn into_hook(self) -> Hook {
        self.hook().clone()
    }

    fn cast<J: Interface + ?Sized>(self) -> Stub<J> {
        Stub::from_hook(self.into_hook())
    }

    /// The stub that a message being read holds under this number.
    pub(crate) fn received<E: de::Error>(id: u64) -> Result<Self, E> {
        match frame::claim(id) {
            Some(Cap::Stub(hook)) => Ok(Self::from_hook(hook)),
            Some(cap) => Err(frame::unexpected(&cap, "a stub")),
            None => Err(E::custom("a stub can only be received in a Cap'n Web message")),
        }
    }
}

impl Stub {
    /// A stub of an object of this process that dispatches its calls by itself.
    pub fn target(target: impl Target) -> Self {
        Self::from_target(Arc::new(target))
    }

    /// A stub of such an object that is shared with others.
    pub fn from_target(target: Arc<dyn Target>) -> Self {
        match map::refuse("A stub of a new object or function") {
            Some(error) => Self::broken(error),
            None => Self::from_hook(Hook::Local(Local::new(target))),
        }
    }

    /// A stub of a function, which is called with a tuple of its arguments.
    ///
    /// ```
    /// # use capnweb::Stub;
    /// let greet = Stub::function(|(name,): (String,)| async move { Ok(format!("Hello, {name}!")) });
    /// ```
    pub fn function<A, R, F>(f: impl Fn(A) -> F + MaybeSend + MaybeSync + 'static) -> Self
    where
        A: DeserializeOwned + 'static,
        R: Serialize + 'static,
        F: Future<Output = Result<R, Error>> + MaybeSend + 'static,
    {
        Self::target(Function(move |call: Call| call.reply_async(&f)))
    }

    /// The same stub as one of an object with this interface, which nothing checks.
    pub fn typed<I: Interface + ?Sized>(self) -> Stub<I> {
        self.cast()
    }
}

impl<I: Interface + ?Sized> Clone for Stub<I> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<I: Interface + ?Sized> Deref for Stub<I> {
    type Target = I::Client;

    fn deref(&self) -> &I::Client {
        &self.0
    }
}

/// A stub of the object that a promise will be, without waiting for it.
impl<I: Interface + ?Sized, E> From<Promise<Stub<I>, E>> for Stub<I> {
    fn from(promise: Promise<Stub<I>, E>) -> Self {
        Self::from_hook(promise.remote.to_hook())
    }
}

/// Equal to nothing, not even to itself: two stubs can't be told to be of the same object.
impl<I: Interface + ?Sized> PartialEq for Stub<I> {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

impl<I: Interface + ?Sized> Serialize for Stub<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let id = frame::offer(Cap::Stub(self.hook().clone()))
            .ok_or_else(|| ser::Error::custom("a stub can only be sent in a Cap'n Web message"))?;
        token::serialize(serializer, Token::Capability, &id)
    }
}

impl<'de, I: Interface + ?Sized> Deserialize<'de> for Stub<I> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::received(token::deserialize(deserializer, Token::Capability)?)
    }
}

impl<I: Interface + ?Sized> fmt::Debug for Stub<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stub({:?})", self.hook().resolved())
    }
}
