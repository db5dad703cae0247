//! The object that the recorded sessions of `tests/wire` and the JavaScript tests of
//! `tests/interop` talk to. Its description is at the top of `tests/interop/target.mjs`.

use std::sync::{Arc, Mutex, PoisonError};

use capnweb::{
    Call, Error, Promise, Reply, Stub, Target, Value,
    fetch::{Blob, Body, Headers, Request, Response},
    value::Object,
};
use futures::channel::oneshot;
use serde::Serialize;

/// One target belongs to one connection.
#[derive(Default)]
pub struct FixedTarget {
    kept: Mutex<Option<Stub>>,
    held: Mutex<Vec<oneshot::Sender<Value>>>,
}

#[derive(Serialize)]
struct Inside<T> {
    p: T,
}

impl FixedTarget {
    /// A stub of a new target.
    pub fn stub() -> Stub {
        Stub::new(Self::default())
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
            "readBlob" => call.reply(|(blob,): (Blob,)| {
                let text = String::from_utf8_lossy(blob.as_slice());
                Ok(Object::from_iter([("type", blob.content_type()), ("text", &text)]))
            }),
            "makeBlob" => call.reply(|(of, text): (String, String)| Ok(Blob::new(&of, text))),
            "readBody" => call.reply_async(|(message,): (Value,)| read_body(message)),
            "makeRequest" => call.reply(|(url, text): (String, String)| {
                let url = url.parse().map_err(Error::type_error)?;
                let mut request = Request::new("POST", url);
                request.headers = made_by()?;
                request.body = Body::from(text).into_stream().into();
                Ok(request)
            }),
            "makeResponse" => call.reply(|(status, text): (u16, Option<String>)| {
                let mut response = Response::of_status(status);
                response.headers = made_by()?;
                response.body = text.map_or(Body::Empty, Body::from);
                Ok(response)
            }),
            _ => call.no_such_method(),
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
        matches!(
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
                | "readBlob"
                | "makeBlob"
                | "readBody"
                | "makeRequest"
                | "makeResponse"
        )
    }
}

fn made_by() -> Result<Headers, Error> {
    Headers::from_pairs([("x-made-by", "the fixed target")]).map_err(Error::type_error)
}

async fn read_body(message: Value) -> Result<Object, Error> {
    let mut about = Object::new();
    let (headers, body) = match message {
        Value::Request(request) => {
            about.insert("method", request.method);
            about.insert("url", request.url.as_str());
            (request.headers, request.body)
        }
        Value::Response(response) => {
            about.insert("status", f64::from(response.status));
            about.insert("statusText", response.status_text);
            (response.headers, response.body)
        }
        other => return Err(Error::type_error(format_args!("{other:?} has no body"))),
    };
    let headers = headers.iter().filter(|(name, _)| *name != "content-type");
    about.insert(
        "headers",
        headers.map(|(name, value)| Value::from([name, value])).collect::<Value>(),
    );
    let text = match body {
        Body::Empty => None,
        body => Some(String::from_utf8_lossy(&body.collect(1 << 24).await?).into_owned()),
    };
    about.insert("text", text);
    Ok(about)
}

/// Counts.
struct Counter(Mutex<f64>);

impl Counter {
    fn stub(start: f64) -> Stub {
        Stub::new(Self(Mutex::new(start)))
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
