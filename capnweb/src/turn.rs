//! Turns: when and where this library runs code that is not its own.
//!
//! User code (handlers, getters, destructors of targets) and everything that may lead to it runs
//! inside a *turn*: a loop at the bottom of a stack that is ours, in a driver or a spawned task.
//! Work that comes up while something else runs is queued behind it. So user code is never
//! entered from within user code, a cascade of resolutions takes no stack, and what happens in
//! one turn happens in the order in which it was caused.
//!
//! Outside of a turn (a user's thread calling a stub) work is handed to the executor, which opens
//! a turn for it: a call never runs a handler on its caller's stack.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::{maybe_send::BoxFnOnce, spawn};

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// No turn on this stack.
    Outside,
    /// At the bottom of a turn, between pieces of work.
    Idle,
    /// In user code that a turn called.
    InUserCode,
}

thread_local! {
    static STATE: Cell<State> = const { Cell::new(State::Outside) };
    static QUEUE: RefCell<VecDeque<BoxFnOnce>> = const { RefCell::new(VecDeque::new()) };
    static BURYING: Cell<bool> = const { Cell::new(false) };
    static GRAVES: RefCell<Vec<Grave>> = const { RefCell::new(Vec::new()) };
}

/// Opens a turn (unless one is open), runs `f` and then all work that it caused.
pub(crate) fn enter<R>(f: impl FnOnce() -> R) -> R {
    if STATE.get() != State::Outside {
        return f();
    }
    let _open = Set::to(State::Idle);
    let result = f();
    run_queued();
    result
}

/// Runs what has been queued in this turn so far, at the bottom of the turn.
pub(crate) fn run_queued() {
    if STATE.get() != State::Idle {
        return;
    }
    while let Some(work) = QUEUE.with_borrow_mut(VecDeque::pop_front) {
        work();
    }
}

/// Runs `work` in a turn: at the end of the current one, or in one of its own.
pub(crate) fn schedule(work: BoxFnOnce) {
    if STATE.get() == State::Outside {
        spawn::spawn(async move { enter(work) });
    } else {
        QUEUE.with_borrow_mut(|queue| queue.push_back(work));
    }
}

/// Whether user code may be called right here without being nested in other user code, and
/// without overtaking anything that this turn has already queued.
pub(crate) fn may_run_now() -> bool {
    STATE.get() == State::Idle && QUEUE.with_borrow(VecDeque::is_empty)
}

/// Calls user code.
pub(crate) fn user_code<R>(f: impl FnOnce() -> R) -> R {
    if STATE.get() == State::Outside {
        // There is no turn that would run what it causes: that stays with the executor.
        return f();
    }
    let _in_user_code = Set::to(State::InUserCode);
    f()
}

/// Does what may lead to user code where other work is half done, or a chain might be long: user
/// code that it leads to is not called in here but behind it.
pub(crate) fn deferring<R>(f: impl FnOnce() -> R) -> R {
    user_code(f)
}

struct Set(State);

impl Set {
    fn to(state: State) -> Self {
        Set(STATE.replace(state))
    }
}

impl Drop for Set {
    fn drop(&mut self) {
        STATE.set(self.0);
    }
}

/// Something whose destruction may run user code or destroy a long chain.
type Grave = Box<dyn std::any::Any>;

/// Destroys `value` without recursion: a chain of values that own each other is taken apart one
/// by one. A destructor that panics harms nobody else.
pub(crate) fn bury<T: 'static>(value: T) {
    if BURYING.get() {
        let mut value = Some(value);
        // While the thread ends there may be no list any more; then it is dropped right here.
        let _ = GRAVES.try_with(|graves| {
            graves.borrow_mut().extend(value.take().map(|value| Box::new(value) as Grave));
        });
        return;
    }
    struct Done;
    impl Drop for Done {
        fn drop(&mut self) {
            BURYING.set(false);
        }
    }
    BURYING.set(true);
    let _done = Done;
    destroy(value);
    while let Ok(Some(grave)) = GRAVES.try_with(|graves| graves.borrow_mut().pop()) {
        destroy(grave);
    }
}

fn destroy<T>(value: T) {
    // A destructor is user code like any other: what it calls is not called inside of it.
    if catch_unwind(AssertUnwindSafe(|| user_code(|| drop(value)))).is_err() {
        tracing::error!("an object panicked while it was dropped");
    }
}
