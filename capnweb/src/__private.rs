//! What the code that the macros generate calls. Not for use by hand: it changes with them.
//!
//! Each bound stands here once, and the generated code names the type that has to keep it, so that
//! one that does not is reported where it is written, and not once for each function that it goes
//! through.

use std::future::Future;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use crate::typed::failure::{caught, throw};
use crate::{
    codec,
    error::Error,
    maybe_send::MaybeSend,
    payload::Payload,
    promise::Promise,
    remote::Remote,
    target::{Call, Reply, ReplyKind},
    typed::{Arg, Client, Failure, IntoArg, Method},
};

/// Calls a method, leaving out up to so many of the last arguments where they are null.
pub fn call<T, E>(
    client: &impl Client,
    method: &'static Method,
    args: impl Serialize,
    optional: usize,
) -> Promise<T, E>
where
    T: for<'de> Deserialize<'de>,
{
    Promise::of(client.remote().call_method(method.name, args, optional).of_method(method))
}

/// Reads a property.
pub fn get<T, E>(client: &impl Client, method: &'static Method) -> Promise<T, E>
where
    T: for<'de> Deserialize<'de>,
{
    Promise::of(client.remote().property(method.name).of_method(method))
}

/// An argument of a method.
pub fn argument<T: Serialize>(argument: impl IntoArg<T>) -> Arg<T> {
    argument.into_arg()
}

/// What a method returned or threw, on its way to the caller.
pub struct Encoded(Result<Payload, Error>);

/// The result of a method that cannot fail.
pub fn value<T: Serialize>(value: T) -> Encoded {
    Encoded(codec::encode(&value))
}

/// The result of a method that can.
pub fn outcome<T: Serialize, E: Failure>(result: Result<T, E>) -> Encoded {
    match result {
        Ok(result) => value(result),
        Err(failure) => Encoded(Err(failure.into_error())),
    }
}

/// Answers a call.
pub fn reply<A, F>(call: Call, method: F) -> Reply
where
    A: DeserializeOwned,
    F: FnOnce(A) -> Encoded,
{
    match call.args() {
        Ok(args) => {
            // What was not decoded is released before the answer goes out.
            drop(call);
            property(method(args))
        }
        Err(error) => Reply::error(error),
    }
}

/// Answers a call when the future is done.
pub fn reply_async<A, O>(call: Call, method: impl FnOnce(A) -> O) -> Reply
where
    A: DeserializeOwned,
    O: Future<Output = Encoded> + MaybeSend + 'static,
{
    match call.args() {
        Ok(args) => {
            drop(call);
            property_async(method(args))
        }
        Err(error) => Reply::error(error),
    }
}

/// Answers the question for a property.
pub fn property(value: Encoded) -> Reply {
    Reply(ReplyKind::Ready(value.0))
}

/// Answers the question for a property when the future is done.
pub fn property_async(value: impl Future<Output = Encoded> + MaybeSend + 'static) -> Reply {
    Reply(ReplyKind::Future(Box::pin(async move { value.await.0 })))
}

/// A field of a record that is promised.
pub fn field<T>(remote: &Remote, name: &'static str) -> Promise<T> {
    Promise::of(remote.property(name))
}

/// Answers by [`A_RESULT`](NoResult::A_RESULT) whether a type is a `Result`, whatever it is called.
pub struct Is<T>(std::marker::PhantomData<T>);

impl<T, E> Is<Result<T, E>> {
    /// It is.
    pub const A_RESULT: bool = true;
}

/// What holds for types that are none, as a constant of the type itself would come first.
pub trait NoResult {
    /// It is not.
    const A_RESULT: bool = false;
}

impl<T> NoResult for Is<T> {}
