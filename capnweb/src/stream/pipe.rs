//! A pipe: chunks that arrive at one end and wait to be taken at the other.
//!
//! Back-pressure is in the acknowledgements: a write is answered when the reader has taken its
//! chunk, and a sender sends no more than its window ahead of that. Senders that ignore this are
//! bounded by [`Limits::max_stream_bytes`](crate::Limits::max_stream_bytes), and all together by
//! [`Limits::max_waiting_bytes`](crate::Limits::max_waiting_bytes), those of the session that the
//! write came over.
//!
//! A chunk takes its place when its write comes, whatever is still missing in it: whoever reads it
//! waits for that. So the chunks keep their order, and a blob in one of them is read when its turn
//! has come.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Waker},
};

use crate::{
    error::{Error, ErrorKind},
    hook::{Hook, Local, Queued},
    payload::{Args, Cap, Payload},
    session::Waiting,
    target::{Call, Reply, ReplyKind, Target},
    turn,
};

/// What both ends share.
pub(crate) struct Pipe {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    chunks: VecDeque<Chunk>,
    bytes: usize,
    end: Option<End>,
    /// Why nobody reads any more.
    unread: Option<Error>,
    readers: Vec<Waker>,
}

impl State {
    /// Why nothing more can be written, if so.
    fn over(&self) -> Option<Error> {
        match (&self.unread, &self.end) {
            (Some(error), _) | (None, Some(End::Failed(error))) => Some(error.clone()),
            (None, Some(End::Closed(_))) => Some(Error::type_error("The stream is closed.")),
            (None, None) => None,
        }
    }
}

/// A write that has not been taken: the arguments of the call, and its answer.
struct Chunk {
    args: Payload,
    size: usize,
    /// Until it is taken, or lost.
    _waiting: Waiting,
    written: Arc<Queued>,
}

/// What comes behind the last chunk.
enum End {
    /// Closed in good order; to be answered when the reader has come to it.
    Closed(Option<Arc<Queued>>),
    Failed(Error),
}

/// What a reader takes from a pipe.
pub(crate) enum Item {
    /// The arguments of a write.
    Chunk(Payload),
    /// The end. Whoever takes it resolves this when everything has been dealt with.
    Closed(Resolution),
    Failed(Error),
}

/// Answers a call when told to, or when dropped.
pub(crate) struct Resolution(Option<Arc<Queued>>);

impl Resolution {
    /// Of an end that nobody waits for.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// Answers with success, or an error.
    pub(crate) fn resolve(mut self, result: Result<(), Error>) {
        if let Some(queued) = self.0.take() {
            queued.resolve(match result {
                Ok(()) => Hook::value(Payload::undefined()),
                Err(error) => Hook::Broken(error),
            });
        }
    }
}

impl Drop for Resolution {
    fn drop(&mut self) {
        if let Some(queued) = self.0.take() {
            queued.resolve(Hook::value(Payload::undefined()));
        }
    }
}

/// A new pipe: the end to write to, as what can be exported, and the end to read from.
pub(crate) fn pipe() -> (Hook, PipeReader) {
    let pipe = Arc::new(Pipe { state: Mutex::default() });
    let writer = Hook::Local(Local::taking_promises(Arc::new(PipeWriter(Arc::clone(&pipe)))));
    (writer, PipeReader(pipe))
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, args: Args) -> Hook {
        let Args { payload: args, caller } = args;
        let size = args.size();
        let allowance = caller.allowance();
        let max_bytes = allowance.as_ref().map_or(usize::MAX, |a| a.max_stream_bytes());
        let mut waiting = Waiting::new(allowance);
        let written = Queued::new();
        let waker = {
            let mut state = self.lock();
            if let Some(error) = state.over() {
                return Hook::Broken(error);
            }
            let room = if state.bytes > 0 && state.bytes.saturating_add(size) > max_bytes {
                Err(unread(max_bytes))
            } else {
                waiting.add(size)
            };
            if let Err(error) = room {
                drop(state);
                // Without this chunk those behind it are worth nothing.
                self.abort(&error);
                return Hook::Broken(error);
            }
            state.bytes += size;
            let written = Arc::clone(&written);
            state.chunks.push_back(Chunk { args, size, _waiting: waiting, written });
            std::mem::take(&mut state.readers)
        };
        waker.into_iter().for_each(Waker::wake);
        Hook::Queued(written)
    }

    fn close(&self) -> Hook {
        let closed = Queued::new();
        let waker = {
            let mut state = self.lock();
            if let Some(error) = state.over() {
                return Hook::Broken(error);
            }
            state.end = Some(End::Closed(Some(Arc::clone(&closed))));
            std::mem::take(&mut state.readers)
        };
        waker.into_iter().for_each(Waker::wake);
        Hook::Queued(closed)
    }

    /// Ends the stream with an error. Chunks that have not been taken are lost.
    fn abort(&self, reason: &Error) {
        let (chunks, waker) = {
            let mut state = self.lock();
            if state.end.is_some() {
                return;
            }
            state.end = Some(End::Failed(reason.clone()));
            state.bytes = 0;
            (std::mem::take(&mut state.chunks), std::mem::take(&mut state.readers))
        };
        for chunk in chunks {
            chunk.written.resolve(Hook::Broken(reason.clone()));
            turn::bury(chunk.args);
        }
        waker.into_iter().for_each(Waker::wake);
    }

    /// Nothing more can come: what has come can still be read, and then this is why it is not all.
    fn cut_off(&self, reason: &Error) {
        let waker = {
            let mut state = self.lock();
            state.end.get_or_insert_with(|| End::Failed(reason.clone()));
            std::mem::take(&mut state.readers)
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// Nobody reads any more.
    fn cancel(&self, reason: &Error) {
        let (chunks, end) = {
            let mut state = self.lock();
            // The first reason says more than that of the drop behind it.
            state.unread.get_or_insert_with(|| reason.clone());
            state.bytes = 0;
            (std::mem::take(&mut state.chunks), state.end.take())
        };
        for chunk in chunks {
            chunk.written.resolve(Hook::Broken(reason.clone()));
            turn::bury(chunk.args);
        }
        if let Some(End::Closed(Some(closed))) = end {
            closed.resolve(Hook::Broken(reason.clone()));
        }
    }
}

/// What can tell the reader of a pipe that its writer has fallen silent.
#[derive(Clone)]
pub(crate) struct PipeInput(Weak<Pipe>);

impl PipeInput {
    /// Ends the stream behind what has been written, unless it has ended.
    pub(crate) fn cut_off(&self, reason: &Error) {
        if let Some(pipe) = self.0.upgrade() {
            pipe.cut_off(reason);
        }
    }
}

/// The end of a pipe that is exported: calls on it are the stream's writes.
struct PipeWriter(Arc<Pipe>);

impl Target for PipeWriter {
    fn call(self: Arc<Self>, call: Call) -> Reply {
        let hook = match call.method() {
            "write" => self.0.write(call.args),
            "close" => self.0.close(),
            "abort" => {
                let reason = abort_reason(&call.args);
                self.0.abort(&reason);
                return Reply::undefined();
            }
            method => {
                let text = format_args!("Unknown WritableStream method: {method}");
                return Reply::error(Error::msg(text));
            }
        };
        Reply(ReplyKind::Ready(Ok(Payload::of(Cap::Promise(hook, Vec::new())))))
    }

    fn get(self: Arc<Self>, _: &str) -> Reply {
        Reply::error(Error::msg("Cannot access properties on a WritableStream stub"))
    }
}

fn unread(max_bytes: usize) -> Error {
    Error::of_kind(
        ErrorKind::Overloaded,
        "Error",
        format_args!("More than {max_bytes} bytes of a stream are unread (max_stream_bytes)."),
    )
}

fn abort_reason(args: &Args) -> Error {
    match crate::codec::decode_args::<(crate::Value,)>(&args.payload) {
        Ok((crate::Value::Undefined,)) | Err(_) => Error::msg("The stream was aborted."),
        Ok((reason,)) => Error::throw(reason),
    }
}

impl Drop for PipeWriter {
    fn drop(&mut self) {
        self.0.abort(&Error::msg("WritableStream RPC stub was disposed without calling close()"));
    }
}

/// The end of a pipe that is read. Dropping it tells the writer.
pub(crate) struct PipeReader(Arc<Pipe>);

impl PipeReader {
    pub(crate) fn input(&self) -> PipeInput {
        PipeInput(Arc::downgrade(&self.0))
    }

    /// Takes the next chunk, which answers its write.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Item> {
        let chunk = {
            let mut state = self.0.lock();
            match state.chunks.pop_front() {
                Some(chunk) => {
                    state.bytes = state.bytes.saturating_sub(chunk.size);
                    chunk
                }
                None => {
                    return match &mut state.end {
                        Some(End::Closed(closed)) => {
                            Poll::Ready(Item::Closed(Resolution(closed.take())))
                        }
                        Some(End::Failed(error)) => Poll::Ready(Item::Failed(error.clone())),
                        None => {
                            if !state.readers.iter().any(|known| known.will_wake(cx.waker())) {
                                state.readers.push(cx.waker().clone());
                            }
                            Poll::Pending
                        }
                    };
                }
            }
        };
        chunk.written.resolve(Hook::value(Payload::undefined()));
        Poll::Ready(Item::Chunk(chunk.args))
    }

    /// Stops reading, and tells the writer why.
    pub(crate) fn cancel(self, reason: &Error) {
        self.0.cancel(reason);
    }
}

impl Drop for PipeReader {
    fn drop(&mut self) {
        self.0.cancel(&Error::msg("ReadableStream RPC stub was disposed without being consumed"));
    }
}
