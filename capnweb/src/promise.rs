//! What users hold of a result that may not be there yet.

use std::{
    any::TypeId,
    fmt,
    future::{Future, IntoFuture},
    marker::PhantomData,
    ops::Deref,
    sync::Arc,
};

use serde::{Serialize, Serializer, de::DeserializeOwned, ser};

use crate::{
    codec::{
        self, frame,
        token::{self, Token},
    },
    error::Error,
    hook::{Hook, Queued, Resolver, Settle, deliverable, run_future},
    map,
    maybe_send::{BoxFuture, MaybeSend},
    path::Path,
    payload::{Cap, Payload},
    remote::Remote,
    session::Caller,
    target::Reply,
    turn,
    typed::{Cache, Client, Failure, Promised, Recorded},
    value::Value,
};

/// What a call will return, or a property of that.
///
/// Await it for the value, or use it at once: call methods of the object it will be, read its
/// properties, pass it in the arguments of another call. None of these waits. A promise that is
/// never awaited is never asked for, so that a chain of calls costs one round trip.
///
/// Dropping a promise does not cancel its call.
///
/// `T` is what the value is decoded as, and what can be done with the promise before it is there
/// depends on it: a promise of a [`Stub<dyn Api>`](crate::Stub) has the methods of `Api`, one of a
/// record that derives [`Record`](crate::Record) has its fields, one of an array has
/// [`map`](Promise::map), and an untyped one, of a [`Value`], has everything that [`Remote`] has.
/// `E` is what the method fails with; what is seen of it where the promise is awaited is
/// [`E::Seen`](Failure::Seen).
pub struct Promise<T = Value, E = Error> {
    pub(crate) remote: Remote,
    /// What it derefs to, if that is not the remote itself.
    client: Cache,
    of: PhantomData<fn() -> (T, E)>,
}

impl<T> Promise<T> {
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
        Self::of(Remote::new(hook, Path::new()))
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
        Self::of(Remote::new(hook, Path::new()))
    }

    /// A promise that is rejected already.
    pub fn rejected(error: Error) -> Self {
        Self::of(Remote::new(Hook::Broken(error), Path::new()))
    }
}

impl<T, E> Promise<T, E> {
    /// The same promise, for a value of any type.
    pub fn untyped(self) -> Promise {
        self.cast()
    }

    pub(crate) fn of(remote: Remote) -> Self {
        Self { remote, client: Cache::default(), of: PhantomData }
    }

    fn cast<U, F>(self) -> Promise<U, F> {
        Promise::of(self.remote)
    }
}

impl<E> Promise<Value, E> {
    /// The same promise, for a value to be decoded as this type.
    pub fn decode<U>(self) -> Promise<U, E> {
        self.cast()
    }
}

impl<T, E> Promise<Vec<T>, E> {
    /// An element of the array. Nothing is sent before it is used.
    pub fn at(&self, index: u32) -> Promise<T, E> {
        Promise::of(self.remote.property(index))
    }

    /// Applies a function to each element of the array, where that array is: [`Remote::map`], with
    /// types.
    ///
    /// ```
    /// # use capnweb::{Error, Stub};
    /// # async fn example(api: Stub) -> Result<(), Error> {
    /// let ids = api.call("listUserIds", ()).decode::<Vec<u32>>();
    /// let names = ids.map(|id| api.call("getUser", (id,)).get("name").decode::<String>());
    /// let names: Vec<String> = names.await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn map<R: Recorded>(&self, f: impl FnOnce(Promise<T>) -> R) -> Promise<Vec<R::Value>, E> {
        Promise::of(self.remote.record(|input| f(Promise::of(input))))
    }
}

impl<T, E> Promise<Option<T>, E> {
    /// Applies a function to the value, where it is, unless it is null: [`Remote::map`], with types.
    pub fn map<R: Recorded>(
        &self,
        f: impl FnOnce(Promise<T>) -> R,
    ) -> Promise<Option<R::Value>, E> {
        Promise::of(self.remote.record(|input| f(Promise::of(input))))
    }
}

impl<T: DeserializeOwned + 'static, E: Failure> IntoFuture for Promise<T, E> {
    type Output = Result<T, E::Seen>;
    type IntoFuture = BoxFuture<Self::Output>;

    /// Asks for the value and waits for it, and for all promises in it.
    fn into_future(self) -> Self::IntoFuture {
        // The question goes out now, in order with other calls, and not at the first poll.
        let Remote { hook, path, method } = self.remote;
        // For errors only, so not kept where nothing has a name to go with it.
        let property = if method.is_some() { path.clone() } else { Path::new() };
        let settle = Settle::at(hook, path);
        Box::pin(async move {
            let value = async {
                let payload = Arc::unwrap_or_clone(settle.await?);
                let payload =
                    if payload.is_settled() { payload } else { deliverable(payload).await? };
                // What is called for nothing may return something all the same: in JavaScript
                // `x => list.push(x)` does.
                if method.is_some() && TypeId::of::<T>() == TypeId::of::<()>() {
                    return codec::decode(&Payload::undefined());
                }
                codec::decode(&payload)
            };
            value.await.map_err(|error| {
                E::seen(match method {
                    Some(method) => method.explain(&property, error),
                    None => error,
                })
            })
        })
    }
}

impl<T, E> Deref for Promise<T, E>
where
    T: Promised<Client: 'static>,
{
    type Target = T::Client;

    fn deref(&self) -> &T::Client {
        T::Client::view(&self.remote, &self.client)
    }
}

impl<T, E> Clone for Promise<T, E> {
    fn clone(&self) -> Self {
        Self::of(self.remote.clone())
    }
}

/// Equal to nothing, not even to itself.
impl<T, E> PartialEq for Promise<T, E> {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

impl<T, E> Serialize for Promise<T, E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Remote { hook, path, .. } = self.remote.clone();
        let id = frame::offer(Cap::Promise(hook, path)).ok_or_else(|| {
            ser::Error::custom("a promise can only be sent in a Cap'n Web message")
        })?;
        token::serialize(serializer, Token::Capability, &id)
    }
}

impl<T, E> fmt::Debug for Promise<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Promise({:?})", self.remote)
    }
}

impl Reply {
    /// What the promise comes to, without waiting for it here.
    pub fn promise<T, E>(promise: Promise<T, E>) -> Self {
        Self::value(promise)
    }
}
