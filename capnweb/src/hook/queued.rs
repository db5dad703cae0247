//! A hook that is not known yet: the result of a call on a local target, or of a future.
//!
//! Keeps calls in the order in which they were made and makes them when it resolves.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::Waker,
};

use super::{Hook, Request, circular};
use crate::{
    path::Path,
    session::{Running, Waiting},
    turn,
    wakers::{WakerKey, WakerSet},
};

/// How many promises can be resolved with one another in a row. A call on a promise that turns out
/// to be a promise of that call's own result would be passed on for ever.
const MAX_RESOLUTIONS: usize = 1 << 14;

/// With fewer calls than this none are swept out.
const MIN_SWEEP: usize = 64;

pub(crate) struct Queued {
    state: Mutex<State>,
    /// How many promises in a row have been resolved with the next one, up to this one.
    resolutions: AtomicUsize,
}

enum State {
    /// Calls wait, in order.
    Waiting(Pending),
    /// Resolved, but earlier calls are still being passed on: later ones queue behind them.
    Flushing(Hook, Pending),
    Resolved(Hook),
}

/// What there is before a resolution.
struct Pending {
    calls: VecDeque<Call>,
    /// At so many calls those that nobody wants any more are swept out.
    sweep_at: usize,
    wakers: WakerSet,
}

impl Pending {
    fn new() -> Self {
        Self { calls: VecDeque::new(), sweep_at: MIN_SWEEP, wakers: WakerSet::default() }
    }

    /// Takes out what need not be done any more, if there are many calls. So they are bounded by
    /// what is still wanted, and each sweep is paid for by the calls since the last one.
    fn sweep(&mut self) -> Vec<Call> {
        if self.calls.len() < self.sweep_at {
            return Vec::new();
        }
        let mut abandoned = Vec::new();
        for _ in 0..self.calls.len() {
            let Some(mut call) = self.calls.pop_front() else { break };
            if call.is_abandoned() {
                abandoned.push(call);
            } else {
                self.calls.push_back(call);
            }
        }
        self.sweep_at = MIN_SWEEP.max(2 * self.calls.len());
        abandoned
    }
}

struct Call {
    path: Path,
    request: Request,
    result: Arc<Queued>,
    /// Counts it among the calls of its connection while it waits.
    _running: Option<Running>,
    /// And its path and arguments among what its connection makes wait.
    waiting: Waiting,
}

impl Call {
    /// Whether nobody could see what comes of it: a property that was to be read.
    fn is_abandoned(&mut self) -> bool {
        matches!(self.request, Request::Get(_))
            && Arc::get_mut(&mut self.result).is_some_and(|result| {
                let state = result.state.get_mut().unwrap_or_else(PoisonError::into_inner);
                matches!(state, State::Waiting(pending) if pending.calls.is_empty())
            })
    }
}

impl Queued {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State::Waiting(Pending::new())),
            resolutions: AtomicUsize::new(0),
        })
    }

    /// What it resolved to, once no earlier call waits any more.
    pub(crate) fn resolution(&self) -> Option<Hook> {
        match &*self.lock() {
            State::Resolved(hook) => Some(hook.clone()),
            _ => None,
        }
    }

    /// What it was resolved to, also while earlier calls still wait.
    pub(super) fn destination(&self) -> Option<Hook> {
        match &*self.lock() {
            State::Waiting(_) => None,
            State::Flushing(to, _) | State::Resolved(to) => Some(to.clone()),
        }
    }

    pub(super) fn request(self: &Arc<Self>, path: Path, request: Request) -> Hook {
        let waiting = match request.waits(&path) {
            Ok(waiting) => waiting,
            Err(error) => return Hook::Broken(error),
        };
        // Dropped when the lock has been released.
        let _abandoned;
        let hook = {
            let mut state = self.lock();
            match &mut *state {
                State::Waiting(pending) | State::Flushing(_, pending) => {
                    _abandoned = pending.sweep();
                    let result = Queued::new();
                    // A property that is read is no call.
                    let _running = (!matches!(request, Request::Get(_)))
                        .then(|| Running::new(request.caller().clone()));
                    let call = Call { path, request, result, _running, waiting };
                    let result = Arc::clone(&call.result);
                    pending.calls.push_back(call);
                    return Hook::Queued(result);
                }
                State::Resolved(hook) => hook.clone(),
            }
        };
        drop(waiting);
        hook.request(path, request)
    }

    /// Says what this stands for. Only the first resolution counts.
    pub(crate) fn resolve(self: &Arc<Self>, to: Hook) {
        if self.begin_to_resolve(to) {
            let this = Arc::clone(self);
            turn::schedule(Box::new(move || flush(vec![this])));
        }
    }

    /// Says what this stands for, and returns whether there are calls that have to be passed on.
    fn begin_to_resolve(self: &Arc<Self>, to: Hook) -> bool {
        let to = if self.may_become(&to) { to } else { circular() };
        let mut state = self.lock();
        let State::Waiting(pending) = &mut *state else {
            drop(state);
            turn::bury(to);
            return false;
        };
        let mut pending = std::mem::replace(pending, Pending::new());
        let waiting = !pending.calls.is_empty();
        if waiting {
            *state = State::Flushing(to, pending);
        } else {
            *state = State::Resolved(to);
            drop(state);
            pending.wakers.take().for_each(Waker::wake);
        }
        waiting
    }

    /// Whether following this to that would come to an end.
    fn may_become(self: &Arc<Self>, to: &Hook) -> bool {
        if let Hook::Queued(next) = to {
            let resolutions = self.resolutions.load(Ordering::Relaxed) + 1;
            if resolutions > MAX_RESOLUTIONS {
                return false;
            }
            next.resolutions.fetch_max(resolutions, Ordering::Relaxed);
        }
        !to.leads_to(|hook| matches!(hook, Hook::Queued(queued) if Arc::ptr_eq(queued, self)))
    }

    /// The next call to be passed on, and to where. Without any this is resolved.
    fn next_call(&self) -> Option<(Hook, Call)> {
        let mut state = self.lock();
        let State::Flushing(to, pending) = &mut *state else { return None };
        if let Some(call) = pending.calls.pop_front() {
            return Some((to.clone(), call));
        }
        let wakers = pending.wakers.take();
        let to = to.clone();
        *state = State::Resolved(to);
        drop(state);
        wakers.for_each(Waker::wake);
        None
    }

    /// The resolution, or `None` after keeping the waker to be woken at it.
    pub(super) fn poll_resolution(&self, key: &mut WakerKey, waker: &Waker) -> Option<Hook> {
        match &mut *self.lock() {
            State::Resolved(hook) => Some(hook.clone()),
            State::Waiting(pending) | State::Flushing(_, pending) => {
                pending.wakers.register(key, waker);
                None
            }
        }
    }

    /// Whoever polled with this key does not wait any more.
    pub(super) fn forget(&self, key: WakerKey) {
        let forgotten = match &mut *self.lock() {
            State::Resolved(_) => None,
            State::Waiting(pending) | State::Flushing(_, pending) => pending.wakers.forget(key),
        };
        drop(forgotten);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes on the calls that wait for the last of these, and those that are made meanwhile; then
/// those of the one before it.
///
/// What waits for the result of a call goes before the next call. So that one, if it has the result
/// in its arguments, finds it resolved.
fn flush(mut flushing: Vec<Arc<Queued>>) {
    while let Some(queued) = flushing.last() {
        let Some((to, call)) = queued.next_call() else {
            flushing.pop();
            continue;
        };
        // What comes next counts it anew.
        drop(call.waiting);
        if call.result.begin_to_resolve(to.request(call.path, call.request)) {
            flushing.push(call.result);
        }
        if !turn::may_run_now() {
            // What the call has caused comes first, else the next one would have to wait for it.
            return turn::schedule(Box::new(move || flush(flushing)));
        }
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(state, State::Resolved(Hook::Broken(disposed()))) {
            State::Waiting(pending) if pending.calls.is_empty() => {}
            // One call's result owns the next one's queue, and so on.
            state => turn::bury(state),
        }
    }
}

fn disposed() -> crate::Error {
    crate::Error::of_kind(
        crate::ErrorKind::Disposed,
        "Error",
        "The promise was disposed before it was resolved.",
    )
}
