//! What users hold: stubs of objects and promises of results.
//!
//! Thin handles around a [`Hook`], which does the work.

use std::{
    fmt,
    future::{Future, IntoFuture},
    marker::PhantomData,
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::DeserializeOwned, ser};

use crate::{
    codec::{
        self, frame,
        token::{self, Token},
    },
    error::Error,
    hook::{Hook, Local, Queued, Resolver, Settle, broken, deliverable, run_future},
    map,
    maybe_send::{BoxFuture, MaybeSend, MaybeSync},
    path::{Key, Path},
    payload::{Cap, Payload},
    session::Caller,
    target::{Call, Function, Reply, Target},
    turn,
    value::Value,
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
#[derive(Clone)]
pub struct Stub(pub(crate) Hook);

/// What a call will return, or a property of that.
///
/// Await it for the value, or use it at once: call methods of the object it will be, read its
/// properties, pass it in the arguments of another call. None of these waits. A promise that is
/// never awaited is never asked for, so that a chain of calls costs one round trip.
///
/// Dropping a promise does not cancel its call. `T` is what the value is decoded as.
pub struct Promise<T = Value> {
    hook: Hook,
    /// A property of what the hook stands for. Read when it is used.
    path: Path,
    of: PhantomData<fn() -> T>,
}

impl Stub {
    /// A stub of an object of this process.
    pub fn new(target: impl Target) -> Self {
        Self::from_arc(Arc::new(target))
    }

    /// A stub of an object that is shared with others.
    pub fn from_arc(target: Arc<dyn Target>) -> Self {
        match map::refuse("A stub of a new object or function") {
            Some(error) => Self::broken(error),
            None => Self(Hook::Local(Local::new(target))),
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
        Self::new(Function(move |call: Call| call.reply_async(&f)))
    }

    /// A stub all of whose calls fail with this error.
    pub fn broken(error: Error) -> Self {
        Self(Hook::Broken(error))
    }

    /// Calls a method. The call is made at once; what comes back is a promise of its result.
    ///
    /// `args` is a tuple of the arguments, or anything else that serde writes as a sequence; `()`
    /// for none. Stubs in them are duplicated, promises in them are resolved before the call is
    /// delivered.
    pub fn call(&self, method: impl Into<Key>, args: impl Serialize) -> Promise {
        Promise::new(call(&self.0, vec![method.into()], args), Path::new())
    }

    /// Calls the object itself, as a function.
    pub fn invoke(&self, args: impl Serialize) -> Promise {
        Promise::new(call(&self.0, Path::new(), args), Path::new())
    }

    /// A property of the object. Nothing is sent before it is used.
    pub fn get(&self, property: impl Into<Key>) -> Promise {
        Promise::new(self.0.clone(), vec![property.into()])
    }

    /// Applies a function to the object, where it is: see [`Promise::map`].
    pub fn map<R: Serialize>(&self, f: impl FnOnce(Promise) -> R) -> Promise {
        map(&self.0, Path::new(), f)
    }

    /// Waits until this stub can never be used again, because its connection has ended or the
    /// promise it came from was rejected, and says why. Never ends for an object of this process.
    pub fn broken_by(&self) -> impl Future<Output = Error> + use<> {
        broken(self.0.clone())
    }

    pub(crate) fn from_hook(hook: Hook) -> Self {
        Self(hook)
    }

    pub(crate) fn into_hook(self) -> Hook {
        self.0
    }

    /// The stub that a message being read holds under this number.
    pub(crate) fn received<E: de::Error>(id: u64) -> Result<Self, E> {
        match frame::claim(id) {
            Some(Cap::Stub(hook)) => Ok(Self(hook)),
            Some(cap) => Err(frame::unexpected(&cap, "a stub")),
            None => Err(E::custom("a stub can only be received in a Cap'n Web message")),
        }
    }
}

impl<T> Promise<T> {
    pub(crate) fn new(hook: Hook, path: Path) -> Self {
        Self { hook, path, of: PhantomData }
    }

    /// A promise of what a future comes to. The future is run by the executor, also if nobody
    /// waits for it.
    pub fn from_future<F>(future: F) -> Self
    where
        T: Serialize + 'static,
        F: Future<Output = Result<T, Error>> + MaybeSend + 'static,
    {
        if let Some(error) = map::refuse("A promise of a future") {
            return Self::rejected(error);
        }
        let resolver = Resolver(Some(Queued::new()));
        let hook = resolver.hook();
        let future: BoxFuture<Result<Payload, Error>> = Box::pin(async move {
            let value = future.await?;
            codec::encode(&value)
        });
        turn::schedule(Box::new(move || resolver.resolve(run_future(future, Caller::default()))));
        Self::new(hook, Path::new())
    }

    /// A promise that is resolved already.
    ///
    /// # Errors
    /// None: if the value cannot be encoded, the promise is rejected.
    pub fn resolved(value: &T) -> Self
    where
        T: Serialize,
    {
        let hook = match codec::encode(value) {
            Ok(payload) => payload.into_hook(),
            Err(error) => Hook::Broken(error),
        };
        Self::new(hook, Path::new())
    }

    /// A promise that is rejected already.
    pub fn rejected(error: Error) -> Self {
        Self::new(Hook::Broken(error), Path::new())
    }

    /// Calls a method of what the promise will be, without waiting for it.
    pub fn call(&self, method: impl Into<Key>, args: impl Serialize) -> Promise {
        Promise::new(call(&self.hook, self.at(method.into()), args), Path::new())
    }

    /// Calls what the promise will be, as a function.
    pub fn invoke(&self, args: impl Serialize) -> Promise {
        Promise::new(call(&self.hook, self.path.clone(), args), Path::new())
    }

    /// A property of what the promise will be. Nothing is sent before it is used.
    pub fn get(&self, property: impl Into<Key>) -> Promise {
        Promise::new(self.hook.clone(), self.at(property.into()))
    }

    /// Applies a function to each element of the array that the promise will be, where that array
    /// is, without waiting for it: a list and something about each of its elements in one round
    /// trip. Null and undefined stay what they are, and any other value counts as one element.
    ///
    /// The function is not sent as code. It is run once, here, on a placeholder for the element,
    /// and what it does with it is recorded: method calls, property reads, further maps, and the
    /// value it returns, in which the placeholder, results of its calls, stubs and promises from
    /// outside, and constants may be mixed. It can await nothing and make no new objects.
    ///
    /// ```
    /// # use capnweb::{Error, Stub};
    /// # async fn example(api: Stub) -> Result<(), Error> {
    /// let names: Vec<String> = api
    ///     .call("listUserIds", ())
    ///     .map(|id| api.call("getUser", (id,)).get("name"))
    ///     .decode()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn map<R: Serialize>(&self, f: impl FnOnce(Promise) -> R) -> Promise {
        map(&self.hook, self.path.clone(), f)
    }

    /// The same promise, for a value to be decoded as another type.
    pub fn decode<U>(self) -> Promise<U> {
        Promise::new(self.hook, self.path)
    }

    /// A stub of the object that the promise will be, without waiting for it.
    pub fn stub(&self) -> Stub {
        Stub(if self.path.is_empty() {
            self.hook.clone()
        } else {
            self.hook.get(self.path.clone())
        })
    }

    fn at(&self, key: Key) -> Path {
        let mut path = self.path.clone();
        path.push(key);
        path
    }
}

fn map<R: Serialize>(hook: &Hook, path: Path, f: impl FnOnce(Promise) -> R) -> Promise {
    let result =
        map::record(hook, path, |input| codec::encode(&f(Promise::new(input, Path::new()))));
    Promise::new(result, Path::new())
}

fn call(hook: &Hook, path: Path, args: impl Serialize) -> Hook {
    // Serialization is user code, and no lock is held here.
    match codec::encode_args(&args) {
        Ok(payload) => hook.call(path, payload.into()),
        Err(error) => Hook::Broken(error),
    }
}

impl<T: DeserializeOwned + 'static> IntoFuture for Promise<T> {
    type Output = Result<T, Error>;
    type IntoFuture = BoxFuture<Self::Output>;

    /// Asks for the value and waits for it, and for all promises in it.
    fn into_future(self) -> Self::IntoFuture {
        // The question goes out now, in order with other calls, and not at the first poll.
        let Promise { hook, path, .. } = self;
        let settle = Settle::at(hook, path);
        Box::pin(async move {
            let payload = Arc::unwrap_or_clone(settle.await?);
            let payload = if payload.is_settled() { payload } else { deliverable(payload).await? };
            codec::decode(&payload)
        })
    }
}

impl<T> Clone for Promise<T> {
    fn clone(&self) -> Self {
        Self::new(self.hook.clone(), self.path.clone())
    }
}

/// Equal to nothing, not even to itself: two stubs can't be told to be of the same object.
impl PartialEq for Stub {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

/// Equal to nothing, not even to itself.
impl<T> PartialEq for Promise<T> {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

impl Serialize for Stub {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let id = frame::offer(Cap::Stub(self.0.clone()))
            .ok_or_else(|| ser::Error::custom("a stub can only be sent in a Cap'n Web message"))?;
        token::serialize(serializer, Token::Capability, &id)
    }
}

impl<T> Serialize for Promise<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cap = Cap::Promise(self.hook.clone(), self.path.clone());
        let id = frame::offer(cap).ok_or_else(|| {
            ser::Error::custom("a promise can only be sent in a Cap'n Web message")
        })?;
        token::serialize(serializer, Token::Capability, &id)
    }
}

impl<'de> Deserialize<'de> for Stub {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::received(token::deserialize(deserializer, Token::Capability)?)
    }
}

impl fmt::Debug for Stub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stub({:?})", self.0.resolved())
    }
}

impl<T> fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Promise({:?}", self.hook.resolved())?;
        for key in &self.path {
            write!(f, ".{key}")?;
        }
        f.write_str(")")
    }
}

impl Reply {
    /// What the promise comes to, without waiting for it here.
    pub fn promise<T>(promise: Promise<T>) -> Self {
        Self::value(promise)
    }
}
