//! The fixed target's methods that read and write streams.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use capnweb::{
    Call, Error, Reply, Stub, Value,
    stream::{ReadableStream, WritableStream},
    value::Bytes,
};
use futures::{Sink, SinkExt, StreamExt, TryStreamExt, stream};
use serde::Serialize;

use super::FixedTarget;

/// The methods of this file.
pub(super) const METHODS: &[&str] = &[
    "sumStream",
    "sizeStream",
    "sizeLater",
    "readSome",
    "ignoreStream",
    "countStream",
    "failingStream",
    "byteStream",
    "fillStream",
    "leaveStream",
    "abortStream",
    "makeSink",
    "sinkState",
];

impl FixedTarget {
    pub(super) fn call_stream_method(&self, call: Call) -> Reply {
        match call.method() {
            "sumStream" => call.reply_async(|(numbers,): (ReadableStream<f64>,)| {
                numbers.try_fold(0.0, |sum, n| async move { Ok(sum + n) })
            }),
            "sizeStream" => call.reply_async(|(bytes,): (ReadableStream<Bytes>,)| size(bytes)),
            "sizeLater" => {
                call.reply_async(|(gate, bytes): (Stub, ReadableStream<Bytes>)| async move {
                    gate.invoke(()).await?;
                    size(bytes).await
                })
            }
            "readSome" => call.reply_async(|(stream, n): (ReadableStream, usize)| {
                stream.take(n).try_collect::<Vec<Value>>()
            }),
            "ignoreStream" => call.reply(|(_,): (ReadableStream,)| Ok(())),
            "countStream" => {
                call.reply(|(n,): (u32,)| Ok(ReadableStream::new(stream::iter(0..n).map(Ok))))
            }
            "failingStream" => call.reply(|(n, message): (u32, String)| {
                let error = Error::named("RangeError", message);
                let numbers = stream::iter(0..n).map(Ok);
                Ok(ReadableStream::new(numbers.chain(stream::iter([Err(error)]))))
            }),
            "byteStream" => call.reply(|(n, size): (usize, usize)| {
                let chunks = stream::iter(0..n).map(move |_| Ok(Bytes::new(vec![0; size])));
                Ok(ReadableStream::new(chunks))
            }),
            "fillStream" => {
                call.reply_async(|(mut stream, n): (WritableStream<u32>, u32)| async move {
                    for i in 0..n {
                        stream.send(i).await?;
                    }
                    stream.close().await?;
                    Ok(n)
                })
            }
            "leaveStream" => call.reply_async(|(mut stream,): (WritableStream<u32>,)| async move {
                stream.send(1).await
            }),
            "abortStream" => call.reply_async(
                |(mut stream, message): (WritableStream<u32>, String)| async move {
                    stream.send(1).await?;
                    stream.abort(Error::named("RangeError", message)).await;
                    Ok(())
                },
            ),
            "makeSink" => {
                #[derive(Serialize)]
                struct Made {
                    stream: WritableStream<f64>,
                }
                let state = Arc::<Mutex<SinkState>>::default();
                *self.sink.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&state);
                Reply::value(Made { stream: WritableStream::new(Summing(state)) })
            }
            "sinkState" => {
                let sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
                Reply::value(&*sink.lock().unwrap_or_else(PoisonError::into_inner))
            }
            _ => call.no_such_method(),
        }
    }
}

async fn size(bytes: ReadableStream<Bytes>) -> Result<usize, Error> {
    bytes.try_fold(0, |size, chunk| async move { Ok(size + chunk.len()) }).await
}

/// What has become of a sink.
#[derive(Serialize)]
pub(super) struct SinkState {
    sum: f64,
    state: &'static str,
}

impl Default for SinkState {
    fn default() -> Self {
        Self { sum: 0.0, state: "open" }
    }
}

/// Sums what is written.
struct Summing(Arc<Mutex<SinkState>>);

impl Summing {
    fn change(&self, change: impl FnOnce(&mut SinkState)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Sink<f64> for Summing {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, n: f64) -> Result<(), Error> {
        self.change(|state| state.sum += n);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.change(|state| state.state = "closed");
        Poll::Ready(Ok(()))
    }
}

impl Drop for Summing {
    fn drop(&mut self) {
        self.change(|state| {
            if state.state == "open" {
                state.state = "aborted";
            }
        });
    }
}
