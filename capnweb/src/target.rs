//! Objects that can be called from the other side: the untyped interface for implementing them.

use std::{fmt, future::Future, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    codec,
    error::{Error, ErrorKind},
    hook::not_a_function,
    maybe_send::{BoxFuture, MaybeSend, MaybeSync},
    path::Key,
    payload::{Args, Payload},
    session::Caller,
};

/// An object whose methods and properties can be used through a [`Stub`](crate::Stub).
///
/// A target is dropped when the last stub of it is gone, on either side of a connection.
///
/// ```
/// use std::sync::Arc;
/// use capnweb::{Call, Error, Reply, Target};
///
/// struct Calculator;
///
/// impl Target for Calculator {
///     fn call(self: Arc<Self>, call: Call) -> Reply {
///         match call.method() {
///             "square" => call.reply(|(n,): (f64,)| Ok(n * n)),
///             "divide" => call.reply_async(|(a, b): (f64, f64)| async move {
///                 if b == 0.0 { Err(Error::named("RangeError", "division by zero")) } else { Ok(a / b) }
///             }),
///             _ => call.no_such_method(),
///         }
///     }
/// }
/// ```
pub trait Target: MaybeSend + MaybeSync + 'static {
    /// Carries out a call. Runs when the call arrives, before the next message is looked at, and
    /// so must not block; whatever takes long belongs into the reply's future.
    ///
    /// A panic in here or in the reply's future fails the call and nothing else.
    fn call(self: Arc<Self>, call: Call) -> Reply;

    /// Reads a property. The default has none.
    fn get(self: Arc<Self>, property: &str) -> Reply {
        let _ = property;
        Reply::undefined()
    }

    /// Whether reading this property should give a stub of the method of that name. Calls do not
    /// ask. The default says no.
    fn has_method(&self, name: &str) -> bool {
        let _ = name;
        false
    }
}

/// A call that has arrived.
pub struct Call {
    pub(crate) key: Option<Key>,
    pub(crate) args: Args,
}

impl Call {
    /// The name of the method. Empty where the stub itself was called, as a function.
    pub fn method(&self) -> &str {
        match &self.key {
            Some(Key::Name(name)) => name,
            // Indexes name no methods.
            Some(Key::Index(_)) | None => "",
        }
    }

    /// Whether the stub itself was called, as a function.
    pub(crate) fn is_of_itself(&self) -> bool {
        self.key.is_none()
    }

    /// The arguments, as a tuple (or anything else that serde reads from a sequence). Missing
    /// ones at the end are read as `undefined`, and further ones are ignored.
    ///
    /// # Errors
    /// A `TypeError` that names the argument that is not of its type, what was expected and what
    /// came.
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, Error> {
        codec::decode_args(&self.args.payload).map_err(|error| {
            let method = self.method();
            let text = error.message();
            if method.is_empty() {
                Error::of_kind(ErrorKind::Decode, "TypeError", text)
            } else {
                Error::of_kind(ErrorKind::Decode, "TypeError", format_args!("{method}: {text}"))
            }
        })
    }

    /// Answers with what `f` makes of the arguments.
    pub fn reply<A, R>(self, f: impl FnOnce(A) -> Result<R, Error>) -> Reply
    where
        A: DeserializeOwned,
        R: Serialize,
    {
        match self.args() {
            Ok(args) => {
                // What was not decoded is released before the answer goes out.
                drop(self);
                Reply::from_result(f(args))
            }
            Err(error) => Reply::error(error),
        }
    }

    /// Answers with what the future that `f` makes of the arguments comes to.
    pub fn reply_async<A, R, F>(self, f: impl FnOnce(A) -> F) -> Reply
    where
        A: DeserializeOwned,
        R: Serialize + 'static,
        F: Future<Output = Result<R, Error>> + MaybeSend + 'static,
    {
        match self.args() {
            Ok(args) => {
                drop(self);
                Reply::future(f(args))
            }
            Err(error) => Reply::error(error),
        }
    }

    /// Answers that there is no such method.
    pub fn no_such_method(self) -> Reply {
        Reply::error(not_a_function(self.key.as_slice()))
    }

    /// What is known of the connection that the call came over.
    pub fn caller(&self) -> &Caller {
        &self.args.caller
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("method", &self.method()).finish_non_exhaustive()
    }
}

/// The answer to a call.
pub struct Reply(pub(crate) ReplyKind);

pub(crate) enum ReplyKind {
    Ready(Result<Payload, Error>),
    Future(BoxFuture<Result<Payload, Error>>),
}

impl Reply {
    /// This value. The stubs in it belong to the result from here on; promises in it are followed.
    pub fn value<T: Serialize>(value: T) -> Self {
        Self(ReplyKind::Ready(codec::encode(&value)))
    }

    /// `undefined`.
    pub fn undefined() -> Self {
        Self(ReplyKind::Ready(Ok(Payload::undefined())))
    }

    /// The call fails with this.
    pub fn error(error: impl Into<Error>) -> Self {
        Self(ReplyKind::Ready(Err(error.into())))
    }

    /// A value, or what the call fails with.
    pub fn from_result<T: Serialize>(result: Result<T, Error>) -> Self {
        Self(ReplyKind::Ready(result.and_then(|value| codec::encode(&value))))
    }

    /// What the future comes to. It is polled once at once, and if that does not end it, by the
    /// executor; it runs to its end even if the caller disconnects.
    pub fn future<T, F>(future: F) -> Self
    where
        T: Serialize + 'static,
        F: Future<Output = Result<T, Error>> + MaybeSend + 'static,
    {
        Self(ReplyKind::Future(Box::pin(async move {
            let value = future.await?;
            codec::encode(&value)
        })))
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reply").finish()
    }
}

/// A closure as a target.
pub(crate) struct Function<F>(pub(crate) F);

impl<F> Target for Function<F>
where
    F: Fn(Call) -> Reply + MaybeSend + MaybeSync + 'static,
{
    fn call(self: Arc<Self>, call: Call) -> Reply {
        if call.key.is_some() { call.no_such_method() } else { (self.0)(call) }
    }
}
