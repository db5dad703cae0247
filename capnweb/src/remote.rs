//! What stubs and promises are inside, and what can be asked of either without knowing its type.
//!
//! Owns the untyped API: a hook, the path of a property of what it stands for, and the calls that
//! can be made there. Refuses to know types: what a result is decoded as is the promise's business.

use std::fmt;

use serde::Serialize;

use crate::{
    codec,
    hook::Hook,
    map,
    path::{Key, Path},
    promise::Promise,
    stub::Stub,
    typed::{Cache, Client, Method},
};

/// Something that calls can be made on by name: what an untyped [`Stub`] or [`Promise`] derefs to.
///
/// Also what the generated client of an interface is made of, and the way past it: see
/// [`Client::remote`].
#[derive(Clone)]
pub struct Remote {
    pub(crate) hook: Hook,
    /// A property of what the hook stands for. Read when it is used.
    pub(crate) path: Path,
    /// The method of an interface that it is a result of, or of a part of that, for errors.
    pub(crate) method: Option<&'static Method>,
}

impl Remote {
    pub(crate) fn new(hook: Hook, path: Path) -> Self {
        Self { hook, path, method: None }
    }

    /// The same as the result of a method.
    pub(crate) fn of_method(self, method: &'static Method) -> Self {
        Self { method: Some(method), ..self }
    }

    /// Calls a method. The call is made at once; what comes back is a promise of its result.
    ///
    /// `args` is a tuple of the arguments, or anything else that serde writes as a sequence; `()`
    /// for none. Stubs in them are duplicated, promises in them are resolved before the call is
    /// delivered.
    pub fn call(&self, method: impl Into<Key>, args: impl Serialize) -> Promise {
        Promise::of(self.request(self.at(method.into()), args, 0))
    }

    /// Calls the object itself, as a function.
    pub fn invoke(&self, args: impl Serialize) -> Promise {
        Promise::of(self.request(self.path.clone(), args, 0))
    }

    /// A property. Nothing is sent before it is used.
    pub fn get(&self, property: impl Into<Key>) -> Promise {
        Promise::of(self.property(property))
    }

    /// Applies a function to each element of the array that this is, or will be, where that array
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
        Promise::of(self.record(|input| f(Promise::of(input))))
    }

    /// A stub of the object that this is or will be, without waiting for it.
    pub fn stub(&self) -> Stub {
        Stub::from_hook(self.to_hook())
    }

    pub(crate) fn to_hook(&self) -> Hook {
        if self.path.is_empty() { self.hook.clone() } else { self.hook.get(self.path.clone()) }
    }

    pub(crate) fn property(&self, property: impl Into<Key>) -> Self {
        Self { path: self.at(property.into()), ..self.clone() }
    }

    /// Calls a method, without the last arguments, up to so many, that are null: the other side may
    /// have defaults for what it is not given.
    pub(crate) fn call_method(&self, method: &str, args: impl Serialize, optional: usize) -> Self {
        self.request(self.at(method.into()), args, optional)
    }

    /// Calls the object itself, with the arguments of an interface's callback.
    pub(crate) fn call_self(&self, args: impl Serialize) -> Self {
        self.request(self.path.clone(), args, 0)
    }

    pub(crate) fn record<R: Serialize>(&self, f: impl FnOnce(Self) -> R) -> Self {
        let result = map::record(&self.hook, self.path.clone(), |input| {
            codec::encode(&f(Self::new(input, Path::new())))
        });
        Self::new(result, Path::new())
    }

    fn request(&self, path: Path, args: impl Serialize, optional: usize) -> Self {
        // Serialization is user code, and no lock is held here.
        let hook = match codec::encode_optional_args(&args, optional) {
            Ok(payload) => self.hook.call(path, payload.into()),
            Err(error) => Hook::Broken(error),
        };
        Self::new(hook, Path::new())
    }

    fn at(&self, key: Key) -> Path {
        let mut path = Path::with_capacity(self.path.len() + 1);
        path.extend_from_slice(&self.path);
        path.push(key);
        path
    }
}

impl Client for Remote {
    fn new(remote: Remote) -> Self {
        remote
    }

    fn remote(&self) -> &Remote {
        self
    }

    fn view<'a>(remote: &'a Remote, _: &'a Cache) -> &'a Self {
        remote
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.hook.resolved())?;
        for key in &self.path {
            write!(f, ".{key}")?;
        }
        Ok(())
    }
}
