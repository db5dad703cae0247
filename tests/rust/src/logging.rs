//! Seeing every message that goes over a transport.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytestring::ByteString;
use capnweb::transport::{CloseReason, Transport, TransportError};
use tokio::{sync::watch, time::timeout};

use crate::js::DEADLINE;

/// Every message in order: `> ...` was sent by this side, `< ...` came from the other. Clones are
/// of the same log.
#[derive(Clone)]
pub struct FrameLog(Arc<watch::Sender<Vec<String>>>);

impl FrameLog {
    /// An empty log.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Vec::new())))
    }

    /// A transport whose messages are written here.
    pub fn wrap<T: Transport>(&self, inner: T) -> Logging<T> {
        Logging { inner, log: self.clone() }
    }

    /// The messages since the last [`clear`](Self::clear).
    pub fn frames(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    /// Forgets the messages so far.
    pub fn clear(&self) {
        self.0.send_modify(Vec::clear);
    }

    /// Waits until this message has gone over the transport.
    ///
    /// # Panics
    /// If it does not come, with what came.
    pub async fn seen(&self, frame: &str) {
        let seen = |frames: &Vec<String>| frames.iter().any(|each| each == frame);
        self.wait_for(seen, || format!("{frame} is missing")).await;
    }

    /// Waits until as many messages have gone over the transport, and compares them.
    ///
    /// # Panics
    /// If they are others.
    pub async fn expect(&self, expected: &[&str]) {
        let enough = |frames: &Vec<String>| frames.len() >= expected.len();
        self.wait_for(enough, || format!("expected {expected:#?}")).await;
        assert_eq!(self.frames(), expected);
    }

    async fn wait_for(
        &self,
        condition: impl FnMut(&Vec<String>) -> bool,
        problem: impl FnOnce() -> String,
    ) {
        let mut frames = self.0.subscribe();
        if timeout(DEADLINE, frames.wait_for(condition)).await.is_err() {
            panic!("{}, and there is {:#?}", problem(), self.frames());
        }
    }

    fn note(&self, direction: char, message: &str) {
        self.0.send_modify(|frames| frames.push(format!("{direction} {message}")));
    }
}

impl Default for FrameLog {
    fn default() -> Self {
        Self::new()
    }
}

/// A transport that notes what it carries.
pub struct Logging<T> {
    inner: T,
    log: FrameLog,
}

impl<T: Transport> Transport for Logging<T> {
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<ByteString, TransportError>> {
        let received = self.inner.poll_recv(cx);
        if let Poll::Ready(Ok(message)) = &received {
            self.log.note('<', message);
        }
        received
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.inner.poll_ready(cx)
    }

    fn start_send(&mut self, message: String) -> Result<(), TransportError> {
        self.log.note('>', &message);
        self.inner.start_send(message)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.inner.poll_flush(cx)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>, reason: &CloseReason) -> Poll<()> {
        self.inner.poll_close(cx, reason)
    }
}
