//! The object that the recorded sessions of `tests/conformance` and the JavaScript tests of
//! `tests/interop` talk to. Its description is at the top of `tests/interop/target.mjs`.

mod fetch;
mod streams;

use std::sync::{Arc, Mutex, PoisonError};

use capnweb::{
    Call, Error, Promise, Reply, Stub, Target, Value,
    stream::{ReadableStream, WritableStream},
};
use futures::{SinkExt, TryStreamExt, channel::oneshot, stream};
use serde::Serialize;

use self::streams::SinkState;

/// One target belongs to one connection.
#[derive(Default)]
pub struct FixedTarget {
    kept: Mutex<Option<Stub>>,
    held: Mutex<Vec<oneshot::Sender<Value>>>,
    sink: Mutex<Arc<Mutex<SinkState>>>,
}

#[derive(Serialize)]
struct Inside<T> {
    p: T,
}

impl FixedTarget {
    /// A stub of a new target.
    pub fn stub() -> Stub {
        Stub::target(Self::default())
    }

    fn hold(&self) -> Promise {
        let (sender, receiver) = oneshot::channel();
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        Promise::from_future(async move {
            receiver.await.map_err(|_| Error::msg("The target was dropped."))
        })
    }

    fn keep(&self, stub: Option<Stub>) -> Option<Stub> {
        std::mem::replace(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner), stub)
    }
}

impl Target for FixedTarget {
    fn call(self: Arc<Self>, call: Call) -> Reply {
        match call.method() {
            // JavaScript's arithmetic: what is missing counts as NaN.
            "square" => call.reply(|(n,): (Option<f64>,)| {
                let n = n.unwrap_or(f64::NAN);
                Ok(n * n)
            }),
            "add" => call.reply(|(a, b): (Option<f64>, Option<f64>)| {
                Ok(a.unwrap_or(f64::NAN) + b.unwrap_or(f64::NAN))
            }),
            "echo" => call.reply(|(value,): (Value,)| Ok(value)),
            "greet" => call.reply(|(name,): (String,)| Ok(format!("Hello, {name}!"))),
            "fail" => call.reply(|(name, message): (String, String)| {
                Err::<(), _>(Error::named(name, message))
            }),
            "throwValue" => call.reply(|(value,): (Value,)| Err::<(), _>(Error::throw(value))),
            "getUndefined" => Reply::undefined(),
            "getNull" => Reply::value(Value::Null),
            "makeCounter" => {
                call.reply(|(start,): (Option<f64>,)| Ok(Counter::stub(start.unwrap_or(0.0))))
            }
            "makeCounters" => {
                #[derive(Serialize)]
                struct Counters {
                    first: Stub,
                    second: Stub,
                }
                Reply::value(Counters { first: Counter::stub(1.0), second: Counter::stub(2.0) })
            }
            "callBack" => call.reply_async(|(function, argument): (Stub, Value)| async move {
                // The caller's stubs are kept until the end of the call, as in JavaScript.
                let result = function.invoke((&argument,)).await;
                drop(function);
                drop(argument);
                result
            }),
            "giveBack" => {
                #[derive(Serialize)]
                struct Back {
                    stub: Stub,
                }
                call.reply(|(stub,): (Stub,)| Ok(Back { stub }))
            }
            "keep" => call.reply(|(stub,): (Stub,)| {
                drop(self.keep(Some(stub)));
                Ok(())
            }),
            "callKept" => {
                let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
                call.reply_async(|(argument,): (Value,)| async move {
                    match kept {
                        Some(kept) => kept.invoke((argument,)).await,
                        None => Err(Error::msg("Nothing is kept.")),
                    }
                })
            }
            "dropKept" => {
                drop(self.keep(None));
                Reply::undefined()
            }
            "hold" => Reply::promise(self.hold()),
            "heldInside" => Reply::value(Inside { p: self.hold() }),
            "releaseHeld" => call.reply(|(value,): (Value,)| {
                let held =
                    std::mem::take(&mut *self.held.lock().unwrap_or_else(PoisonError::into_inner));
                let count = held.len();
                for sender in held {
                    let _ = sender.send(value.clone());
                }
                Ok(count)
            }),
            "promiseInside" => {
                call.reply(|(value,): (Value,)| Ok(Inside { p: Promise::resolved(&value) }))
            }
            "makeRejecting" => call.reply(|(message,): (String,)| {
                Ok(Inside { p: Promise::<Value>::rejected(Error::msg(message)) })
            }),
            "collect" => call.reply_async(|(stream,): (ReadableStream,)| async move {
                stream.try_collect::<Vec<Value>>().await
            }),
            "first" => call.reply_async(|(mut stream,): (ReadableStream,)| async move {
                stream.try_next().await
            }),
            "count" => {
                call.reply(|(n,): (u32,)| Ok(ReadableStream::new(stream::iter((1..=n).map(Ok)))))
            }
            "fill" => call.reply_async(|(mut stream, n): (WritableStream<u32>, u32)| async move {
                for i in 1..=n {
                    stream.feed(i).await?;
                    // JavaScript's waits for each answer as well.
                    stream.flush().await?;
                }
                stream.close().await?;
                Ok(n)
            }),
            name if fetch::METHODS.contains(&name) => fetch::call(call),
            _ => self.call_stream_method(call),
        }
    }

    fn get(self: Arc<Self>, property: &str) -> Reply {
        match property {
            "info" => {
                #[derive(Serialize)]
                struct Leaf {
                    c: &'static str,
                }
                #[derive(Serialize)]
                struct Branch {
                    b: (u8, u8, Leaf),
                }
                #[derive(Serialize)]
                struct Info {
                    a: Branch,
                }
                Reply::value(Info { a: Branch { b: (1, 2, Leaf { c: "x" }) } })
            }
            _ => Reply::undefined(),
        }
    }

    fn has_method(&self, name: &str) -> bool {
        streams::METHODS.contains(&name)
            || fetch::METHODS.contains(&name)
            || matches!(
                name,
                "square"
                    | "add"
                    | "echo"
                    | "greet"
                    | "fail"
                    | "throwValue"
                    | "getUndefined"
                    | "getNull"
                    | "makeCounter"
                    | "makeCounters"
                    | "callBack"
                    | "giveBack"
                    | "keep"
                    | "callKept"
                    | "dropKept"
                    | "hold"
                    | "heldInside"
                    | "releaseHeld"
                    | "promiseInside"
                    | "makeRejecting"
            )
    }
}

/// Counts.
struct Counter(Mutex<f64>);

impl Counter {
    fn stub(start: f64) -> Stub {
        Stub::target(Self(Mutex::new(start)))
    }
}

impl Target for Counter {
    fn call(self: Arc<Self>, call: Call) -> Reply {
        match call.method() {
            "increment" => call.reply(|(by,): (Option<f64>,)| {
                let mut value = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                *value += by.unwrap_or(1.0);
                Ok(*value)
            }),
            _ => call.no_such_method(),
        }
    }

    fn get(self: Arc<Self>, property: &str) -> Reply {
        match property {
            "value" => Reply::value(*self.0.lock().unwrap_or_else(PoisonError::into_inner)),
            _ => Reply::undefined(),
        }
    }

    fn has_method(&self, name: &str) -> bool {
        name == "increment"
    }
}
