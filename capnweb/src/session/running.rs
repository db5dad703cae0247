//! Handlers that are running in tasks: counted, and given a deadline when their caller has gone.

use std::{
    future::{Future, poll_fn},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use futures::{
    channel::oneshot,
    future::{Either, FutureExt, Shared as SharedFuture, select},
};

use super::Caller;
use crate::{
    error::{Error, ErrorKind},
    payload::Payload,
    spawn::{self, SpawnHandle},
};

/// The most handlers of a process that may go on without a caller.
const MAX_ORPHANS: usize = 10_000;

static ORPHANS: AtomicUsize = AtomicUsize::new(0);

/// A handler that runs in a task, until it is dropped.
pub(crate) struct Running {
    caller: Caller,
}

impl Running {
    pub(crate) fn new(caller: Caller) -> Self {
        if let Some(session) = caller.shared() {
            session.running.fetch_add(1, Ordering::Relaxed);
        }
        Self { caller }
    }

    /// Drives the handler to its end. It outlives its caller, but not for ever: an idle one is
    /// given up after a while.
    pub(crate) async fn finish<F>(self, handler: F) -> Result<Payload, Error>
    where
        F: Future<Output = Result<Payload, Error>> + Unpin,
    {
        let Some((closed, timeout, spawn)) = self.caller.shared().map(|session| {
            let options = &session.options;
            (session.closed.wait(), options.orphan_timeout, options.spawn.clone())
        }) else {
            return handler.await;
        };
        match select(handler, closed).await {
            Either::Left((result, _)) => result,
            Either::Right((_, handler)) => orphan(handler, timeout, spawn).await,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(session) = self.caller.shared() {
            session.running.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

async fn orphan<F>(
    mut handler: F,
    timeout: Duration,
    spawn: Option<SpawnHandle>,
) -> Result<Payload, Error>
where
    F: Future<Output = Result<Payload, Error>> + Unpin,
{
    struct Counted;
    impl Drop for Counted {
        fn drop(&mut self) {
            ORPHANS.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let others = ORPHANS.fetch_add(1, Ordering::Relaxed);
    let _counted = Counted;
    if others >= MAX_ORPHANS {
        tracing::warn!("too many methods are running whose callers have gone: dropping one");
        return Err(given_up());
    }
    let Some(spawn) = spawn.or_else(spawn::current) else { return handler.await };
    let mut idle = spawn.sleep(timeout);
    poll_fn(|cx| {
        if let Poll::Ready(result) = handler.poll_unpin(cx) {
            return Poll::Ready(result);
        }
        if idle.as_mut().poll(cx).is_ready() {
            tracing::warn!("a method made no progress after its caller had gone: dropping it");
            return Poll::Ready(Err(given_up()));
        }
        // It was the handler that was woken, so it made progress.
        idle = spawn.sleep(timeout);
        idle.as_mut().poll(cx).map(|()| Err(given_up()))
    })
    .await
}

fn given_up() -> Error {
    Error::of_kind(ErrorKind::Disconnected, "Error", "The caller has gone.")
}

/// Tells any number of futures that the session has ended.
pub(super) struct ClosedSignal {
    sender: Mutex<Option<oneshot::Sender<()>>>,
    receiver: SharedFuture<oneshot::Receiver<()>>,
}

impl ClosedSignal {
    pub(super) fn new() -> Self {
        let (sender, receiver) = oneshot::channel();
        Self { sender: Mutex::new(Some(sender)), receiver: receiver.shared() }
    }

    pub(super) fn set(&self) {
        // Dropping it tells the receivers.
        drop(self.sender.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    pub(super) fn wait(&self) -> impl Future<Output = ()> + Unpin + use<> {
        self.receiver.clone().map(|_| ())
    }
}
