//! The one task of a connection: moves messages between a transport and a session.
//!
//! Contract with the session: **after everything that goes in, all that comes out is taken, and
//! nothing is flushed while more can be done; the task sleeps only with its wakers set for input,
//! room and new output.** The loop that keeps it:
//!
//! 1. Hand the session's outgoing messages to the transport, as long as it takes them.
//! 2. If the session has ended, close the transport, and stop.
//! 3. Take in messages, up to [`INPUT_PER_TURN`]; each may lead to output, so from the start again.
//! 4. When there is neither input nor output, let the tasks run that the input has woken: what they
//!    send leaves in the same flush. Then flush, and sleep.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use crate::{
    error::{Error, ErrorKind},
    maybe_send::BoxFuture,
    session::Shared,
    spawn::{self, SpawnHandle},
    transport::{CloseReason, Transport, TransportError},
};

/// How many messages are taken in before output is looked at and other tasks get their turn.
const INPUT_PER_TURN: usize = 256;

pub(crate) struct Driver<T> {
    session: Arc<Shared>,
    transport: T,
    spawn: Option<SpawnHandle>,
    /// Taken from the session, not yet taken by the transport.
    outgoing: VecDeque<String>,
    batch: Vec<String>,
    /// Something was handed to the transport since it was last flushed.
    unflushed: bool,
    /// Input has been taken in since other tasks last had their turn.
    woke_others: bool,
    closing: Option<CloseReason>,
    /// Runs while the peer leaves too much unread.
    stalled: Option<BoxFuture<()>>,
}

impl<T: Transport> Driver<T> {
    pub(crate) fn new(session: Arc<Shared>, transport: T, spawn: Option<SpawnHandle>) -> Self {
        session.driven();
        Self {
            session,
            transport,
            spawn,
            outgoing: VecDeque::new(),
            batch: Vec::new(),
            unflushed: false,
            woke_others: false,
            closing: None,
            stalled: None,
        }
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(reason) = &self.closing {
                return self.transport.poll_close(cx, reason);
            }
            let sent_all = match self.send(cx) {
                Ok(sent_all) => sent_all,
                Err(error) => {
                    self.broken(error, cx);
                    continue;
                }
            };
            if let Some(reason) = self.session.close_reason() {
                // What waits is sent first, if the transport takes it: the last message says why.
                if sent_all || self.outgoing.is_empty() {
                    self.closing = Some(reason);
                    continue;
                }
            }
            if self.may_read(cx) {
                match self.receive(cx) {
                    Ok(0) => {}
                    Ok(INPUT_PER_TURN) => {
                        // There may be more. Let others run, then go on.
                        self.woke_others = false;
                        cx.waker().wake_by_ref();
                        let _ = self.send(cx).map_err(|error| self.broken(error, cx));
                        return Poll::Pending;
                    }
                    Ok(_) => {
                        self.woke_others = true;
                        continue;
                    }
                    Err(error) => {
                        self.broken(error, cx);
                        continue;
                    }
                }
            }
            if std::mem::take(&mut self.woke_others) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if self.unflushed {
                match self.transport.poll_flush(cx) {
                    Poll::Ready(Ok(())) => self.unflushed = false,
                    Poll::Ready(Err(error)) => {
                        self.broken(error, cx);
                        continue;
                    }
                    Poll::Pending => {}
                }
            }
            // Output that came up meanwhile is found here, or wakes this task.
            if self.session.wake_driver(cx.waker()) && self.outgoing.is_empty() {
                continue;
            }
            return Poll::Pending;
        }
    }

    /// Hands messages to the transport. Returns whether that was all of them.
    fn send(&mut self, cx: &mut Context<'_>) -> Result<bool, TransportError> {
        loop {
            if self.outgoing.is_empty() {
                self.session.take_outgoing(&mut self.batch);
                if self.batch.is_empty() {
                    return Ok(true);
                }
                self.outgoing.extend(self.batch.drain(..));
            }
            let mut bytes = 0;
            let mut room = true;
            while room && let Some(message) = self.outgoing.pop_front() {
                match self.transport.poll_ready(cx) {
                    Poll::Ready(Ok(())) => {
                        bytes += message.len();
                        self.transport.start_send(message)?;
                        self.unflushed = true;
                    }
                    Poll::Ready(Err(error)) => return Err(error),
                    Poll::Pending => {
                        self.outgoing.push_front(message);
                        room = false;
                    }
                }
            }
            if bytes > 0 {
                self.session.sent(bytes);
            }
            if !room {
                return Ok(false);
            }
        }
    }

    /// Takes in messages, and says how many.
    fn receive(&mut self, cx: &mut Context<'_>) -> Result<usize, TransportError> {
        for received in 0..INPUT_PER_TURN {
            match self.transport.poll_recv(cx) {
                Poll::Ready(Ok(message)) => self.session.receive(&message),
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => return Ok(received),
            }
        }
        Ok(INPUT_PER_TURN)
    }

    /// Whether input may be taken in. It leads to output, of which too much waits already where
    /// the peer does not read. That must not last: two such peers would wait for each other.
    fn may_read(&mut self, cx: &mut Context<'_>) -> bool {
        // An ended session only waits for its last messages to leave.
        if !self.session.is_overloaded() && self.session.close_reason().is_none() {
            self.stalled = None;
            return true;
        }
        if self.stalled.is_none() {
            let timeout = self.session.options().stall_timeout;
            self.stalled = self.spawn.as_ref().map(|spawn| spawn.sleep(timeout));
        }
        if let Some(stalled) = &mut self.stalled
            && stalled.as_mut().poll(cx).is_ready()
        {
            self.stalled = None;
            self.session.abort(Error::of_kind(
                ErrorKind::Overloaded,
                "Error",
                "The peer did not read what was sent to it.",
            ));
            self.say_last_words(cx);
            cx.waker().wake_by_ref();
        }
        false
    }

    fn broken(&mut self, error: TransportError, cx: &mut Context<'_>) {
        match error {
            TransportError::TooLarge { .. } | TransportError::NotText => {
                self.session.abort(Error::of_kind(ErrorKind::Protocol, "Error", error));
            }
            error => {
                let error = Error::of_kind(ErrorKind::Disconnected, "Error", error);
                self.session.end(error, CloseReason::Done, None);
                self.outgoing.clear();
            }
        }
        if self.session.close_reason().is_some() {
            self.say_last_words(cx);
        }
    }

    /// The session has ended: makes one more attempt to send what is left, and no second one.
    fn say_last_words(&mut self, cx: &mut Context<'_>) {
        self.session.take_outgoing(&mut self.batch);
        self.outgoing.extend(self.batch.drain(..));
        while let Some(message) = self.outgoing.pop_front() {
            let ready = self.transport.poll_ready(cx);
            if !matches!(ready, Poll::Ready(Ok(()))) || self.transport.start_send(message).is_err()
            {
                self.outgoing.clear();
            }
        }
        self.closing = self.session.close_reason();
    }
}

impl<T> Drop for Driver<T> {
    fn drop(&mut self) {
        self.session.undriven();
    }
}

impl<T: Transport> Future for Driver<T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.spawn.clone() {
            Some(spawn) => spawn::with_spawn(&spawn, || self.turn(cx)),
            None => self.turn(cx),
        }
    }
}
