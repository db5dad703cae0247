//! A hook that is not known yet: the result of a call on a local target, or of a future.
//!
//! Keeps calls in the order in which they were made and makes them when it resolves.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use super::{Hook, Request, circular};
use crate::{path::Path, turn};

pub(crate) struct Queued {
    state: Mutex<State>,
}

enum State {
    /// Calls wait, in order.
    Waiting {
        calls: VecDeque<Call>,
        wakers: Vec<Waker>,
    },
    /// Resolved, but earlier calls are still being passed on: later ones queue behind them.
    Flushing {
        to: Hook,
        calls: VecDeque<Call>,
        wakers: Vec<Waker>,
    },
    Resolved(Hook),
}

struct Call {
    path: Path,
    request: Request,
    result: Arc<Queued>,
}

impl Queued {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State::Waiting { calls: VecDeque::new(), wakers: Vec::new() }),
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
            State::Waiting { .. } => None,
            State::Flushing { to, .. } | State::Resolved(to) => Some(to.clone()),
        }
    }

    pub(super) fn request(self: &Arc<Self>, path: Path, request: Request) -> Hook {
        let hook = {
            let mut state = self.lock();
            match &mut *state {
                State::Waiting { calls, .. } | State::Flushing { calls, .. } => {
                    let result = Queued::new();
                    calls.push_back(Call { path, request, result: Arc::clone(&result) });
                    return Hook::Queued(result);
                }
                State::Resolved(hook) => hook.clone(),
            }
        };
        hook.request(path, request)
    }

    /// Says what this stands for. Only the first resolution counts.
    pub(crate) fn resolve(self: &Arc<Self>, to: Hook) {
        let is_self =
            |hook: &Hook| matches!(hook, Hook::Queued(queued) if Arc::ptr_eq(queued, self));
        let to = if to.leads_to(is_self) { circular() } else { to };
        {
            let mut state = self.lock();
            let State::Waiting { calls, wakers } = &mut *state else {
                drop(state);
                return turn::bury(to);
            };
            let calls = std::mem::take(calls);
            let wakers = std::mem::take(wakers);
            if !calls.is_empty() {
                *state = State::Flushing { to, calls, wakers };
            } else {
                *state = State::Resolved(to);
                drop(state);
                return wakers.into_iter().for_each(Waker::wake);
            }
        }
        let this = Arc::clone(self);
        turn::schedule(Box::new(move || this.flush()));
    }

    /// Passes the calls on that wait, and those that are made meanwhile. Runs once.
    fn flush(&self) {
        loop {
            let (to, call) = {
                let mut state = self.lock();
                let State::Flushing { to, calls, wakers } = &mut *state else { return };
                match calls.pop_front() {
                    Some(call) => (to.clone(), call),
                    None => {
                        let wakers = std::mem::take(wakers);
                        let to = to.clone();
                        *state = State::Resolved(to);
                        drop(state);
                        return wakers.into_iter().for_each(Waker::wake);
                    }
                }
            };
            call.result.resolve(to.request(call.path, call.request));
        }
    }

    /// The resolution, or `None` after keeping the waker to be woken at it.
    pub(super) fn poll_resolution(&self, waker: &Waker) -> Option<Hook> {
        match &mut *self.lock() {
            State::Resolved(hook) => Some(hook.clone()),
            State::Waiting { wakers, .. } | State::Flushing { wakers, .. } => {
                if !wakers.iter().any(|known| known.will_wake(waker)) {
                    wakers.push(waker.clone());
                }
                None
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(state, State::Resolved(Hook::Broken(disposed()))) {
            State::Waiting { calls, .. } if calls.is_empty() => {}
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
