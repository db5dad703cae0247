//! The end of a stream that is read.

use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use futures::{AsyncRead, FutureExt, Stream, StreamExt, TryStreamExt};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::DeserializeOwned, ser};

use super::{
    io_error,
    pipe::{Item, PipeReader, Resolution},
};
use crate::{
    codec::{
        self, frame,
        token::{self, Token},
    },
    error::Error,
    hook::deliverable,
    map,
    maybe_send::{BoxFuture, BoxStream, MaybeSend},
    payload::{Cap, Payload},
    turn,
    value::{Bytes, Value},
};

/// A stream of values that can be read, or sent for the other side to read.
///
/// Reading it asks the sender for more; not reading it makes the sender wait. Dropping it before
/// its end tells the sender that nobody reads any more. Each stream can be read, or sent, once.
///
/// ```
/// # use capnweb::{Error, Stub, stream::ReadableStream};
/// use futures::{StreamExt, stream};
///
/// # async fn example(api: Stub) -> Result<(), Error> {
/// let numbers = ReadableStream::new(stream::iter([1, 2, 3]).map(Ok));
/// let sum: f64 = api.call("sum", (numbers,)).decode().await?;
///
/// let mut lines: ReadableStream<String> = api.call("log", ()).decode().await?;
/// while let Some(line) = lines.next().await {
///     println!("{}", line?);
/// }
/// # Ok(())
/// # }
/// ```
pub struct ReadableStream<T = Value> {
    readable: Readable,
    /// A chunk that waits for promises in it. In a mutex, which is never locked, to be `Sync`.
    settling: Mutex<Option<BoxFuture<Result<Payload, Error>>>>,
    of: PhantomData<fn() -> T>,
}

/// Where the chunks come from, shared by the payload and the handles of a stream. Whoever polls
/// it takes the source out meanwhile.
#[derive(Clone)]
pub(crate) struct Readable(Arc<Mutex<Place>>);

/// Where a source is kept.
enum Place {
    Here(Source),
    /// Somebody is just polling it.
    Taken,
    /// It has come to its end.
    Over,
}

enum Source {
    /// A peer, or another task, writes them.
    Pipe(PipeReader),
    /// The application's stream, encoded: each payload is the arguments of a write.
    Stream(BoxStream<Result<Payload, Error>>),
}

/// What is read from a source.
pub(crate) enum Chunk {
    /// The arguments of a write.
    Next(Payload),
    /// The end; to be resolved when it has been dealt with.
    End(Resolution),
    Failed(Error),
}

impl Readable {
    pub(crate) fn of_pipe(reader: PipeReader) -> Self {
        Self(Arc::new(Mutex::new(Place::Here(Source::Pipe(reader)))))
    }

    fn of_stream(stream: BoxStream<Result<Payload, Error>>) -> Self {
        Self(Arc::new(Mutex::new(Place::Here(Source::Stream(stream)))))
    }

    /// The next chunk. Behind the end there is always the end.
    pub(crate) fn poll_chunk(&self, cx: &mut Context<'_>) -> Poll<Chunk> {
        let mut source = match self.swap(Place::Taken) {
            Place::Here(source) => source,
            Place::Taken => {
                // For a moment: try again.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Place::Over => {
                self.swap(Place::Over);
                return Poll::Ready(Chunk::End(Resolution::none()));
            }
        };
        let chunk = match &mut source {
            Source::Pipe(reader) => reader.poll_next(cx).map(|item| match item {
                Item::Chunk(payload) => Chunk::Next(payload),
                Item::Closed(resolution) => Chunk::End(resolution),
                Item::Failed(error) => Chunk::Failed(error),
            }),
            // The application's stream is polled under no lock.
            Source::Stream(stream) => stream.poll_next_unpin(cx).map(|item| match item {
                Some(Ok(payload)) => Chunk::Next(payload),
                Some(Err(error)) => Chunk::Failed(error),
                None => Chunk::End(Resolution::none()),
            }),
        };
        match chunk {
            Poll::Ready(Chunk::End(_) | Chunk::Failed(_)) => {
                self.swap(Place::Over);
                turn::bury(source);
            }
            Poll::Ready(Chunk::Next(_)) | Poll::Pending => {
                // Cancelled by another handle meanwhile?
                if let Place::Over = self.swap(Place::Here(source)) {
                    self.cancel();
                }
            }
        }
        chunk
    }

    /// Stops reading, which the writer learns.
    pub(crate) fn cancel(&self) {
        turn::bury(self.swap(Place::Over));
    }

    /// Stops reading for this reason, which the writer learns.
    pub(crate) fn cancel_because(&self, reason: &Error) {
        match self.swap(Place::Over) {
            Place::Here(Source::Pipe(reader)) => reader.cancel(reason),
            place => turn::bury(place),
        }
    }

    fn swap(&self, place: Place) -> Place {
        std::mem::replace(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), place)
    }
}

impl<T> ReadableStream<T> {
    /// A stream to be sent, of what another stream yields. The first error ends it and is what the
    /// reader sees.
    pub fn new<S>(stream: S) -> Self
    where
        T: Serialize,
        S: Stream<Item = Result<T, Error>> + MaybeSend + 'static,
    {
        let chunks = stream.map(|item| item.and_then(|chunk| codec::encode_args(&(chunk,))));
        let this = Self::of(Readable::of_stream(Box::pin(chunks)));
        if map::refuse("A stream").is_some() {
            this.readable.cancel();
        }
        this
    }

    pub(crate) fn into_readable(self) -> Readable {
        self.readable
    }

    pub(crate) fn of(readable: Readable) -> Self {
        Self { readable, settling: Mutex::default(), of: PhantomData }
    }

    /// The stream that a message being read holds under this number.
    pub(crate) fn received<E: de::Error>(id: u64) -> Result<Self, E> {
        match frame::claim(id) {
            Some(Cap::Readable(readable)) => Ok(Self::of(readable)),
            Some(cap) => Err(frame::unexpected(&cap, "a readable stream")),
            None => Err(E::custom("a stream can only be received in a Cap'n Web message")),
        }
    }
}

impl ReadableStream<Bytes> {
    /// A stream to be sent, of what a reader reads, in chunks of up to 64 KiB.
    pub fn from_async_read(reader: impl AsyncRead + MaybeSend + 'static) -> Self {
        let chunks = futures::stream::try_unfold(Box::pin(reader), async |mut reader| {
            let mut chunk = vec![0; 64 * 1024];
            let read = futures::AsyncReadExt::read(&mut reader, &mut chunk)
                .await
                .map_err(|error| Error::msg(format_args!("reading failed: {error}")))?;
            chunk.truncate(read);
            Ok((read > 0).then(|| (Bytes::new(chunk), reader)))
        });
        Self::new(chunks)
    }

    /// The stream's bytes one after the other.
    pub fn into_async_read(self) -> impl AsyncRead + Unpin {
        self.map_err(io_error).into_async_read()
    }
}

impl<T: DeserializeOwned> Stream for ReadableStream<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let settling = this.settling.get_mut().unwrap_or_else(PoisonError::into_inner);
        let payload = match settling {
            Some(promises) => {
                let settled = ready!(promises.poll_unpin(cx));
                *settling = None;
                match settled {
                    Ok(payload) => payload,
                    Err(error) => {
                        // What the chunk was to be is lost, and not by its reader.
                        this.readable.cancel_because(&error);
                        return Poll::Ready(Some(Err(error)));
                    }
                }
            }
            None => match ready!(this.readable.poll_chunk(cx)) {
                Chunk::Next(payload) if payload.is_settled() => payload,
                Chunk::Next(payload) => {
                    *settling = Some(deliverable(payload));
                    return self.poll_next(cx);
                }
                Chunk::End(resolution) => {
                    resolution.resolve(Ok(()));
                    return Poll::Ready(None);
                }
                Chunk::Failed(error) => return Poll::Ready(Some(Err(error))),
            },
        };
        Poll::Ready(Some(codec::decode_args::<(T,)>(&payload).map(|(chunk,)| chunk)))
    }
}

impl<T> Serialize for ReadableStream<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let id = frame::offer(Cap::Readable(self.readable.clone())).ok_or_else(|| {
            ser::Error::custom("a stream can only be sent in a Cap'n Web message")
        })?;
        token::serialize(serializer, Token::Capability, &id)
    }
}

impl<'de, T> Deserialize<'de> for ReadableStream<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::received(token::deserialize(deserializer, Token::Capability)?)
    }
}

/// Another handle of the same stream: whichever reads a chunk has it.
impl<T> Clone for ReadableStream<T> {
    fn clone(&self) -> Self {
        Self::of(self.readable.clone())
    }
}

impl<T> PartialEq for ReadableStream<T> {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

impl<T> fmt::Debug for ReadableStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReadableStream")
    }
}
