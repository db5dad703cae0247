//! Writing to a stream of the peer: `stream` messages, as many ahead as the window allows.
//!
//! A chunk that holds a promise or a blob is not complete when its message is. The call that is its
//! write then waits at the receiver, alone, and writes behind it would overtake it. So nothing is
//! sent behind such a chunk until it has been answered.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
};

use futures::{FutureExt, StreamExt, stream::FuturesUnordered};

use super::flow::{FlowControl, Sent};
use crate::{
    error::Error,
    hook::{Hook, Settle},
    payload::{Args, Payload},
    session::Caller,
    spawn::{self, SpawnHandle},
};

/// The window's bound unless the session's limits say otherwise.
const DEFAULT_MAX_WINDOW: usize = 16 << 20;

/// Writes to a hook that takes `write`, `close` and `abort`.
pub(crate) struct Writer {
    hook: Option<Hook>,
    flow: FlowControl,
    spawn: Option<SpawnHandle>,
    unanswered: FuturesUnordered<Write>,
    /// Writes to something that is not remote, one after the other.
    unmeasured: usize,
    /// A chunk without an answer is not complete yet: what is sent now could overtake it.
    incomplete: bool,
    error: Option<Error>,
}

/// A write that has not been answered.
struct Write {
    settle: Settle,
    /// What flow control knows of it. `None` if it did not go over a connection.
    sent: Option<Sent>,
}

impl Future for Write {
    type Output = (Option<Sent>, Result<(), Error>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = futures::ready!(self.settle.poll_unpin(cx));
        Poll::Ready((self.sent, result.map(drop)))
    }
}

impl Writer {
    pub(crate) fn new(hook: Hook) -> Self {
        let max_window = match hook.resolved() {
            Hook::Import(import) => import.session.shared.options().limits.max_stream_window,
            _ => DEFAULT_MAX_WINDOW,
        };
        Self {
            hook: Some(hook),
            flow: FlowControl::new(max_window),
            spawn: spawn::current(),
            unanswered: FuturesUnordered::new(),
            unmeasured: 0,
            incomplete: false,
            error: None,
        }
    }

    /// Waits until another chunk may be written.
    ///
    /// # Errors
    /// What an earlier write failed with.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        // Answers are taken in also where there is room, so that the window learns.
        if let Poll::Ready(error) = self.poll_failed(cx) {
            return Poll::Ready(Err(error));
        }
        if self.incomplete || self.unmeasured > 0 || !self.flow.has_room() {
            return self.poll_unanswerable().map(Err);
        }
        match self.hook.as_ref().map(Hook::resolved) {
            Some(Hook::Import(import)) => import.session.shared.poll_ready(cx),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Ready when a write has failed, with its error.
    pub(crate) fn poll_failed(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        while let Poll::Ready(next) = self.unanswered.poll_next_unpin(cx) {
            let Some((sent, result)) = next else {
                self.incomplete = false;
                break;
            };
            self.answered(sent, result);
        }
        match &self.error {
            Some(error) => Poll::Ready(error.clone()),
            None => Poll::Pending,
        }
    }

    fn answered(&mut self, sent: Option<Sent>, result: Result<(), Error>) {
        let now = self.now();
        match (sent, &result) {
            (Some(sent), Ok(())) => self.flow.acknowledged(sent, now),
            (Some(sent), Err(_)) => self.flow.failed(sent),
            (None, _) => self.unmeasured -= 1,
        }
        if let Err(error) = result {
            // The stream is of no more use, and neither is its other end.
            self.hook = None;
            self.error.get_or_insert(error);
        }
    }

    /// Writes a chunk: the arguments of the call.
    pub(crate) fn write(&mut self, chunk: Payload) {
        let incomplete = !chunk.arrives_at_once();
        if let Some((settle, size)) = self.send("write", chunk) {
            self.incomplete |= incomplete;
            let now = self.now();
            let sent = size.map(|size| self.flow.sent(size, now));
            self.unmeasured += usize::from(sent.is_none());
            self.unanswered.push(Write { settle, sent });
        }
    }

    /// Ends the stream, and waits until the other side has come to its end.
    ///
    /// # Errors
    /// What this or an earlier write failed with.
    pub(crate) async fn close(mut self) -> Result<(), Error> {
        let complete = poll_fn(|cx| match self.poll_failed(cx) {
            Poll::Ready(error) => Poll::Ready(Err(error)),
            Poll::Pending if self.incomplete => self.poll_unanswerable().map(Err),
            Poll::Pending => Poll::Ready(Ok(())),
        });
        complete.await?;
        let Some((mut settle, _)) = self.send("close", no_arguments()) else { return Ok(()) };
        let closed = poll_fn(|cx| {
            // A write that fails lets go of the stream, which is not worth waiting for an end.
            let _ = self.poll_failed(cx);
            match settle.poll_unpin(cx) {
                Poll::Pending => self.poll_unanswerable().map(Err),
                closed => closed,
            }
        });
        let closed = closed.await;
        // The error of a write says more than that of the close behind it.
        let earlier = poll_fn(|cx| match self.poll_failed(cx) {
            Poll::Ready(error) => Poll::Ready(Some(error)),
            Poll::Pending if self.unanswered.is_empty() => Poll::Ready(None),
            Poll::Pending => self.poll_unanswerable().map(|_| None),
        });
        match earlier.await {
            Some(error) => Err(error),
            None => closed.map(drop),
        }
    }

    /// Ends the stream with an error, and waits until that has been answered.
    pub(crate) async fn abort(mut self, reason: &Error) {
        if self.error.is_none()
            && let Ok(args) = crate::codec::encode_args(&(reason.thrown(),))
            && let Some((mut settle, _)) = self.send("abort", args)
        {
            let answered = poll_fn(|cx| match settle.poll_unpin(cx) {
                Poll::Pending => self.poll_unanswerable().map(drop),
                Poll::Ready(_) => Poll::Ready(()),
            });
            answered.await;
        }
    }

    /// Ready if the peer will not answer any more, with why.
    fn poll_unanswerable(&self) -> Poll<Error> {
        let ended = match self.hook.as_ref().map(Hook::resolved) {
            Some(Hook::Import(import)) => import.session.shared.input_ended(),
            _ => None,
        };
        ended.map_or(Poll::Pending, Poll::Ready)
    }

    /// Makes a call on the stream. Returns its answer, and its size if it is a message.
    fn send(&mut self, method: &str, args: Payload) -> Option<(Settle, Option<usize>)> {
        let hook = self.hook.as_ref()?;
        let path = vec![method.into()];
        match hook.resolved() {
            Hook::Import(import) => {
                let session = &import.session.shared;
                let (answer, size) = session.send_stream(&import, path, args);
                Some((Settle::new(answer), size))
            }
            hook => {
                let args = Args { payload: args, caller: Caller::default() };
                Some((Settle::new(hook.call(path, args)), None))
            }
        }
    }

    fn now(&self) -> std::time::Duration {
        self.spawn.as_ref().map_or(std::time::Duration::ZERO, |spawn| spawn.now())
    }
}

fn no_arguments() -> Payload {
    Payload { text: bytestring::ByteString::from_static("[]"), slots: Vec::new() }
}
