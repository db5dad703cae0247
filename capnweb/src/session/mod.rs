//! One connection's protocol state: which capabilities are imported and exported, who waits for
//! what, and the messages to be sent.
//!
//! No I/O, no task and no clock of its own: messages go in at [`Shared::receive`], come out at
//! [`Shared::take_outgoing`], and everything else happens through hooks. The driver does the rest.
//!
//! Locking: all state is in one [`Core`] behind one lock, taken for short, and no foreign code
//! runs under it: what has to be dropped, woken or called is put into [`After`], which is carried
//! out when the lock has been released. While it is held only the locks of queued hooks are taken,
//! and those are never held while taking another.

mod core;
mod export;
mod options;
mod peer_release;
mod receive;
mod running;
mod send;
mod table;
mod under_way;
mod waiting;

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use self::{
    core::{After, Core, Ended},
    running::ClosedSignal,
};
pub use self::{options::Options, peer_release::PeerRelease};
pub(crate) use self::{
    running::Running,
    under_way::UnderWay,
    waiting::{Allowance, Waiting},
};
use crate::{
    error::{Error, ErrorKind},
    hook::{Hook, Import},
    path::Path,
    payload::Args,
    spawn::{self, SpawnHandle},
    transport::CloseReason,
    turn,
    value::Value,
    wire::Limits,
};

/// A session, shared by its driver and everything that came from it.
pub(crate) struct Shared {
    core: Mutex<Core>,
    options: Options,
    /// Where its tasks run, whoever starts them.
    spawn: Option<SpawnHandle>,
    /// Handlers of the peer's calls that are running in tasks.
    running: AtomicUsize,
    /// What of the peer's waits to be read.
    allowance: Arc<Allowance>,
    /// The session has ended.
    closed: ClosedSignal,
    /// And its transport, if a driver has one, is closed as well.
    done: ClosedSignal,
}

/// How many capabilities a connection holds in each direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Capabilities of the peer that this side holds, its main object included, and calls on them
    /// that have no result yet.
    pub imports: usize,
    /// Capabilities of this side that the peer holds, the main object included, and results of its
    /// calls that it has not released.
    pub exports: usize,
}

impl Shared {
    /// A session in which the peer gets `main`.
    pub(crate) fn new(main: Option<Hook>, options: Options) -> Arc<Self> {
        let main =
            main.unwrap_or_else(|| Hook::Broken(Error::msg("This connection has no main object.")));
        Arc::new(Self {
            core: Mutex::new(Core::new(main)),
            spawn: options.spawn.clone().or_else(spawn::current),
            allowance: Allowance::new(&options.limits),
            options,
            running: AtomicUsize::new(0),
            closed: ClosedSignal::new(),
            done: ClosedSignal::new(),
        })
    }

    pub(crate) fn spawn(&self) -> Option<&SpawnHandle> {
        self.spawn.as_ref()
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn stats(&self) -> Stats {
        self.with(|core, _| core.stats())
    }

    /// Takes the messages that wait to be sent. They count as waiting until [`Self::sent`].
    pub(crate) fn take_outgoing(&self, into: &mut Vec<String>) {
        self.with(|core, _| into.extend(core.outgoing.drain(..)));
    }

    /// Says that messages of so many bytes have left.
    pub(crate) fn sent(&self, bytes: usize) {
        let limit = self.options.limits.max_outgoing_bytes;
        self.with(|core, after| {
            core.outgoing_bytes = core.outgoing_bytes.saturating_sub(bytes);
            if core.outgoing_bytes <= limit {
                after.wakers.append(&mut core.waiting_for_room);
            }
        });
    }

    /// Whether more waits to be sent than may.
    pub(crate) fn is_overloaded(&self) -> bool {
        self.with(|core, _| core.outgoing_bytes > self.options.limits.max_outgoing_bytes)
    }

    /// How many bytes wait to be sent.
    #[cfg(any(feature = "server", all(feature = "worker", target_arch = "wasm32")))]
    pub(crate) fn outgoing_bytes(&self) -> usize {
        self.with(|core, _| core.outgoing_bytes)
    }

    /// Sets who is woken when there is something to send or the session has ended. Returns whether
    /// that is so already.
    pub(crate) fn wake_driver(&self, waker: &Waker) -> bool {
        self.with(|core, _| {
            if !core.outgoing.is_empty() || core.ended.is_some() {
                return true;
            }
            match &mut core.driver {
                Some(known) if known.will_wake(waker) => {}
                driver => *driver = Some(waker.clone()),
            }
            false
        })
    }

    /// How the connection is to be closed, once the session has ended.
    pub(crate) fn close_reason(&self) -> Option<CloseReason> {
        self.with(|core, _| core.ended.as_ref().map(|ended| ended.close.clone()))
    }

    /// Waits until there is room for another call.
    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let limit = self.options.limits.max_outgoing_bytes;
        self.with(|core, _| {
            if let Some(ended) = &core.ended {
                return Poll::Ready(Err(ended.error.clone()));
            }
            if core.outgoing_bytes <= limit {
                return Poll::Ready(Ok(()));
            }
            wake_later(&mut core.waiting_for_room, cx.waker());
            Poll::Pending
        })
    }

    /// Waits until nothing that the peer asked for is unanswered.
    pub(crate) fn poll_drained(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.with(|core, _| {
            if let Some(ended) = &core.ended {
                return Poll::Ready(Err(ended.error.clone()));
            }
            if core.unanswered == 0 {
                return Poll::Ready(Ok(()));
            }
            wake_later(&mut core.waiting_for_drain, cx.waker());
            Poll::Pending
        })
    }

    /// Waits until no stream to the peer can go on without hearing from it.
    pub(crate) fn poll_streams_sent(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.with(|core, _| {
            if core.ended.is_some() || core.under_way == 0 {
                return Poll::Ready(());
            }
            wake_later(&mut core.waiting_for_drain, cx.waker());
            Poll::Pending
        })
    }

    /// Resolves when the session has ended and its transport is closed, to why.
    pub(crate) async fn closed(self: Arc<Self>) -> Error {
        self.done.wait().await;
        self.with(|core, _| core.ended.as_ref().map(|ended| ended.error.clone()))
            .unwrap_or_else(shut_down)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.with(|core, _| core.ended.is_some())
    }

    /// Ends the session because of an error, and tells the peer.
    pub(crate) fn abort(&self, error: Error) {
        tracing::debug!(%error, "session aborted");
        let message = format!("[\"abort\",{}]", self.error_text(&error));
        let close = closing(&error);
        self.end(error, close, Some(message));
    }

    /// Ends the session without telling the peer: the connection is gone, or not needed any more.
    pub(crate) fn end(&self, error: Error, close: CloseReason, last_message: Option<String>) {
        // What was thrown to end a session is no failure of the methods that were under way.
        let error = match error.kind() {
            ErrorKind::Thrown => error.with_kind(ErrorKind::Disconnected),
            _ => error,
        };
        let (ended, driven) = self.with(|core, after| {
            if core.ended.is_some() {
                return (false, core.driven);
            }
            if let Some(message) = last_message {
                core.send(message, after);
            }
            core.end(Ended { error, close }, after);
            (true, core.driven)
        });
        if ended {
            self.closed.set();
            if !driven {
                self.done.set();
            }
        }
    }

    /// Says that the peer will say nothing more, though it reads on: whatever waits for an answer
    /// of its, now or later, fails with this error. Calls on what it has can still be sent, and
    /// their results be referred to.
    pub(crate) fn end_input(&self, error: Error) {
        let pipes: Vec<_> = self.with(|core, after| {
            core.input_ended = Some(error.clone());
            for entry in core.entries_mut() {
                after.wakers.extend(entry.wakers.take());
            }
            core.pushed_exports.values_mut().filter_map(|export| export.pipe.clone()).collect()
        });
        pipes.into_iter().for_each(|pipe| pipe.cut_off(&error));
    }

    /// Why the peer will say nothing more, if so.
    pub(crate) fn input_ended(&self) -> Option<Error> {
        self.with(|core, _| core.input_ended.clone())
    }

    /// Says that a driver has a transport for this session, until [`Self::undriven`].
    pub(crate) fn driven(&self) {
        self.with(|core, _| core.driven = true);
    }

    /// The driver is done, or was dropped with its executor.
    pub(crate) fn undriven(&self) {
        self.with(|core, _| core.driven = false);
        let error = Error::of_kind(
            ErrorKind::Disconnected,
            "Error",
            "The connection is not driven any more.",
        );
        self.end(error, CloseReason::Done, None);
        self.done.set();
    }

    /// Runs `f` under the lock, and what it leaves to be done, after it.
    fn with<R>(&self, f: impl FnOnce(&mut Core, &mut After) -> R) -> R {
        let mut after = After::default();
        let result = {
            let mut core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
            f(&mut core, &mut after)
        };
        after.run(self.spawn.as_ref());
        result
    }
}

/// Closes with the words of what broke the session, as JavaScript does: an error's message without
/// its name.
fn closing(error: &Error) -> CloseReason {
    CloseReason::Abort(match error.thrown() {
        Value::Error(exception) => exception.message.clone(),
        Value::String(text) => text.clone(),
        _ => error.to_string(),
    })
}

fn wake_later(wakers: &mut Vec<Waker>, waker: &Waker) {
    if !wakers.iter().any(|known| known.will_wake(waker)) {
        wakers.push(waker.clone());
    }
}

fn shut_down() -> Error {
    Error::of_kind(ErrorKind::Disposed, "Error", "The session was shut down.")
}

/// What keeps a connection alive: shared by the connection's handles and all imports.
pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
}

impl Handle {
    pub(crate) fn new(shared: Arc<Shared>) -> Arc<Self> {
        let handle = Arc::new(Self { shared });
        handle.shared.with(|core, _| core.handle = Arc::downgrade(&handle));
        handle
    }

    /// The peer's main object.
    pub(crate) fn main(self: &Arc<Self>) -> Hook {
        self.shared.with(|core, _| {
            let entry = core.main_import();
            if let Some(import) = entry.upgrade() {
                return Hook::Import(import);
            }
            match &core.ended {
                Some(ended) => Hook::Broken(ended.error.clone()),
                None => {
                    let import = Arc::new(Import::new(Arc::clone(self), 0, false));
                    core.set_main_import(Arc::downgrade(&import));
                    Hook::Import(import)
                }
            }
        })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.end(shut_down(), CloseReason::Done, None);
    }
}

/// The connection that a call came over, as its handler may see it. A local call has none.
#[derive(Clone, Default)]
pub struct Caller(Option<Weak<Shared>>);

impl Caller {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self(Some(Arc::downgrade(shared)))
    }

    pub(crate) fn shared(&self) -> Option<Arc<Shared>> {
        self.0.as_ref()?.upgrade()
    }

    /// Begins a call that came over this connection, unless too many are under way.
    pub(crate) fn call(&self, hook: &Hook, path: Path, args: Args) -> Hook {
        if let Some(session) = self.shared() {
            let limit = session.options.limits.max_calls_in_flight;
            if session.running.load(Ordering::Relaxed) >= limit {
                return Hook::Broken(receive::too_many_calls(limit));
            }
        }
        let result = hook.call(path, args);
        turn::run_queued();
        result
    }

    /// Where to count what this connection makes wait. `None` if there is none, or it is gone.
    pub(crate) fn allowance(&self) -> Option<Arc<Allowance>> {
        self.shared().map(|session| Arc::clone(&session.allowance))
    }

    /// Says that so many bytes of this connection wait.
    pub(crate) fn waits(&self, bytes: usize) -> Result<Waiting, Error> {
        let mut waiting = Waiting::new(self.allowance());
        waiting.add(bytes)?;
        Ok(waiting)
    }

    /// The limits that hold for what this connection asks for.
    pub(crate) fn limits(&self) -> Limits {
        self.shared().map(|session| session.options.limits.clone()).unwrap_or_default()
    }

    /// Whether there is nobody left to take the result. Never so for a local call.
    pub fn is_gone(&self) -> bool {
        self.0
            .as_ref()
            .is_some_and(|session| session.upgrade().is_none_or(|session| session.is_closed()))
    }

    /// Ends when there is nobody left to take the result; never for a local call.
    pub async fn gone(&self) {
        let Some(session) = &self.0 else { return std::future::pending().await };
        let ended = session.upgrade().map(|session| session.closed.wait());
        if let Some(ended) = ended {
            ended.await;
        }
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("is_gone", &self.is_gone()).finish()
    }
}
