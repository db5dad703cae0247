//! The end of a stream that is written.

use std::{
    fmt, io,
    marker::PhantomData,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use futures::{AsyncWrite, FutureExt, Sink, SinkExt};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::DeserializeOwned, ser};

use super::{
    io_error,
    pipe::pipe,
    readable::{Chunk, Readable},
    writer::Writer,
};
use crate::{
    codec::{
        self, frame,
        token::{self, Token},
    },
    error::Error,
    hook::{Hook, deliverable},
    map,
    maybe_send::{BoxFuture, MaybeSend},
    payload::Cap,
    spawn,
    value::{Bytes, Value},
};

/// A stream of values that can be written, or sent for the other side to write.
///
/// As a [`Sink`] it is ready as long as the connection and the reader keep up. Closing it waits
/// until the reader has come to the end. Dropping it without that aborts the stream: the reader
/// sees an error.
///
/// ```
/// # use capnweb::{Error, Stub, stream::WritableStream};
/// use futures::SinkExt;
///
/// # async fn example(api: Stub) -> Result<(), Error> {
/// let mut log: WritableStream<String> = api.call("openLog", ()).decode().await?;
/// log.send("hello".into()).await?;
/// log.close().await?;
/// # Ok(())
/// # }
/// ```
pub struct WritableStream<T = Value> {
    hook: Hook,
    /// In a mutex, which is never locked, to be `Sync`.
    state: Mutex<State>,
    of: PhantomData<fn(T)>,
}

enum State {
    /// Not written to yet: it can still be sent.
    Unused,
    Writing(Box<Writer>),
    Closing(BoxFuture<Result<(), Error>>),
    Closed,
}

impl<T> WritableStream<T> {
    /// A stream to be sent, whose writes go to a sink. A failure of the sink fails the write that
    /// comes next.
    pub fn new<S>(sink: S) -> Self
    where
        T: DeserializeOwned + MaybeSend + 'static,
        S: Sink<T, Error = Error> + MaybeSend + 'static,
    {
        if let Some(error) = map::refuse("A stream") {
            return Self::of(Hook::Broken(error));
        }
        let (writer, reader) = pipe();
        let readable = Readable::of_pipe(reader);
        let mut sink = Box::pin(sink);
        spawn::spawn(async move {
            loop {
                match std::future::poll_fn(|cx| readable.poll_chunk(cx)).await {
                    Chunk::Next(payload) => {
                        let chunk = deliverable(payload)
                            .await
                            .and_then(|payload| codec::decode_args::<(T,)>(&payload));
                        let chunk = match chunk {
                            Ok((chunk,)) => chunk,
                            Err(error) => {
                                tracing::debug!(%error, "a chunk cannot be read");
                                return readable.cancel_because(&error);
                            }
                        };
                        if let Err(error) = sink.send(chunk).await {
                            return readable.cancel_because(&error);
                        }
                    }
                    Chunk::End(resolution) => return resolution.resolve(sink.close().await),
                    // The sink is dropped unclosed.
                    Chunk::Failed(_) => return,
                }
            }
        });
        Self::of(writer)
    }

    pub(crate) fn of(hook: Hook) -> Self {
        Self { hook, state: Mutex::new(State::Unused), of: PhantomData }
    }

    /// Ends the stream with an error, which is what the reader sees behind the chunks it has
    /// taken; others are lost. Waits until the other side knows.
    pub async fn abort(mut self, reason: Error) {
        if let State::Writing(writer) = std::mem::replace(self.begin(), State::Closed) {
            writer.abort(&reason).await;
        }
    }

    /// The stream that a message being read holds under this number.
    pub(crate) fn received<E: de::Error>(id: u64) -> Result<Self, E> {
        match frame::claim(id) {
            Some(Cap::Writable(hook)) => Ok(Self::of(hook)),
            Some(cap) => Err(frame::unexpected(&cap, "a writable stream")),
            None => Err(E::custom("a stream can only be received in a Cap'n Web message")),
        }
    }

    fn begin(&mut self) -> &mut State {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let State::Unused = state {
            // The writer alone holds the capability: it lets go of it when the stream has failed.
            let unused = Hook::Broken(Error::type_error("The stream is being written here."));
            let hook = std::mem::replace(&mut self.hook, unused);
            *state = State::Writing(Box::new(Writer::new(hook)));
        }
        state
    }
}

impl WritableStream<Bytes> {
    /// A writer of the stream's bytes. Each write is a chunk, up to 64 KiB of it.
    pub fn into_async_write(self) -> impl AsyncWrite + Unpin {
        ByteWriter(self)
    }
}

struct ByteWriter(WritableStream<Bytes>);

impl AsyncWrite for ByteWriter {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.0.poll_ready_unpin(cx)).map_err(io_error)?;
        let chunk = &bytes[..bytes.len().min(64 * 1024)];
        self.0.start_send_unpin(Bytes::new(chunk.to_vec())).map_err(io_error)?;
        Poll::Ready(Ok(chunk.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush_unpin(cx).map_err(io_error)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_close_unpin(cx).map_err(io_error)
    }
}

impl<T: Serialize> Sink<T> for WritableStream<T> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self.begin() {
            State::Writing(writer) => writer.poll_ready(cx),
            _ => Poll::Ready(Err(closed())),
        }
    }

    fn start_send(mut self: Pin<&mut Self>, chunk: T) -> Result<(), Error> {
        match self.begin() {
            State::Writing(writer) => {
                writer.write(codec::encode_args(&(chunk,))?);
                Ok(())
            }
            _ => Err(closed()),
        }
    }

    /// What was written leaves by itself.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self.begin() {
            State::Writing(writer) => match writer.poll_failed(cx) {
                Poll::Ready(error) => Poll::Ready(Err(error)),
                Poll::Pending => Poll::Ready(Ok(())),
            },
            _ => Poll::Ready(Ok(())),
        }
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let state = self.begin();
        loop {
            match std::mem::replace(state, State::Closed) {
                State::Writing(writer) => *state = State::Closing(Box::pin(writer.close())),
                State::Closing(mut closing) => {
                    let closed = closing.poll_unpin(cx);
                    if closed.is_pending() {
                        *state = State::Closing(closing);
                    }
                    return closed;
                }
                State::Unused | State::Closed => return Poll::Ready(Ok(())),
            }
        }
    }
}

fn closed() -> Error {
    Error::type_error("The stream is closed.")
}

impl<T> Serialize for WritableStream<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let id = frame::offer(Cap::Writable(self.hook.clone())).ok_or_else(|| {
            ser::Error::custom("a stream can only be sent in a Cap'n Web message")
        })?;
        token::serialize(serializer, Token::Capability, &id)
    }
}

impl<'de, T> Deserialize<'de> for WritableStream<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::received(token::deserialize(deserializer, Token::Capability)?)
    }
}

/// Another handle of the same stream, unless this one has been written to.
impl<T> Clone for WritableStream<T> {
    fn clone(&self) -> Self {
        Self::of(self.hook.clone())
    }
}

impl<T> PartialEq for WritableStream<T> {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

impl<T> fmt::Debug for WritableStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WritableStream")
    }
}
