//! A target of this process, and the delivery of calls to it.
//!
//! Calls on one `Local` begin in the order in which they were made. Where they cannot begin at
//! once (another one is just beginning, or user code is on the stack) they wait in its mail.

use std::{
    any::Any,
    collections::VecDeque,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

use super::{Hook, Queued, Request, not_a_function, settle::deliverable_growing, value};
use crate::{
    error::Error,
    maybe_send::BoxFuture,
    path::{self, Key, Path},
    payload::{Args, Cap, Payload},
    session::{Caller, Running},
    spawn,
    target::{Call, Function, Reply, ReplyKind, Target},
    turn,
    wire::is_forbidden_key,
};

/// A target with its mail.
pub(crate) struct Local {
    /// Taken by the destructor only.
    target: Option<Arc<dyn Target>>,
    /// It waits for the promises in arguments itself, if it has to.
    takes_promises: bool,
    mail: Mutex<Mail>,
}

#[derive(Default)]
struct Mail {
    /// Somebody is beginning a call, or is going to.
    busy: bool,
    waiting: VecDeque<(Letter, Arc<Queued>)>,
}

struct Letter {
    path: Path,
    request: Request,
}

impl Local {
    pub(crate) fn new(target: Arc<dyn Target>) -> Arc<Self> {
        Arc::new(Self { target: Some(target), takes_promises: false, mail: Mutex::default() })
    }

    /// A target that is given arguments with promises and incomplete blobs in them as they are. So
    /// its calls keep their order also then.
    pub(crate) fn taking_promises(target: Arc<dyn Target>) -> Arc<Self> {
        Arc::new(Self { target: Some(target), takes_promises: true, mail: Mutex::default() })
    }

    fn target(&self) -> &Arc<dyn Target> {
        self.target.as_ref().expect("only the destructor takes it")
    }

    pub(super) fn request(self: &Arc<Self>, path: Path, request: Request) -> Hook {
        self.deliver(Letter { path, request })
    }

    fn deliver(self: &Arc<Self>, letter: Letter) -> Hook {
        {
            let mut mail = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
            if mail.busy || !turn::may_run_now() {
                let result = Queued::new();
                mail.waiting.push_back((letter, Arc::clone(&result)));
                if !std::mem::replace(&mut mail.busy, true) {
                    drop(mail);
                    self.schedule();
                }
                return Hook::Queued(result);
            }
            mail.busy = true;
        }
        let hook = self.begin(letter);
        let mut mail = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
        if mail.waiting.is_empty() {
            mail.busy = false;
        } else {
            drop(mail);
            self.schedule();
        }
        hook
    }

    fn schedule(self: &Arc<Self>) {
        let this = Arc::clone(self);
        turn::schedule(Box::new(move || this.begin_waiting()));
    }

    fn begin_waiting(self: &Arc<Self>) {
        loop {
            let (letter, result) = {
                let mut mail = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
                match mail.waiting.pop_front() {
                    Some(next) => next,
                    None => {
                        mail.busy = false;
                        return;
                    }
                }
            };
            result.resolve(self.begin(letter));
        }
    }

    /// Runs a call up to its first suspension.
    fn begin(self: &Arc<Self>, letter: Letter) -> Hook {
        let Letter { path, request } = letter;
        match request {
            Request::Get(_) => self.property(path),
            Request::Call(args) if self.takes_promises || args.payload.is_settled() => {
                self.invoke(path, args)
            }
            Request::Call(args) => self.begin_when_settled(path, args),
            Request::Map(mapper) if path.is_empty() => {
                mapper.apply_to(Hook::value(Payload::of(Cap::Stub(Hook::Local(Arc::clone(self))))))
            }
            Request::Map(mapper) => mapper.apply_to(self.property(path)),
        }
    }

    /// The call's arguments hold promises: it waits for them, alone.
    fn begin_when_settled(self: &Arc<Self>, path: Path, args: Args) -> Hook {
        let Args { payload, caller } = args;
        let size = payload.size().saturating_add(path::size(&path));
        let (mut settling, growth) = deliverable_growing(payload);
        match settling.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(payload)) => self.invoke(path, Args { payload, caller }),
            Poll::Ready(Err(error)) => Hook::Broken(error),
            Poll::Pending => {
                if let Err(error) = growth.waits(&caller, size) {
                    turn::bury(settling);
                    return Hook::Broken(error);
                }
                let result = Resolver(Some(Queued::new()));
                let hook = result.hook();
                let this = Arc::clone(self);
                let running = Running::new(caller.clone());
                spawn::spawn(async move {
                    let settled = settling.await;
                    drop((running, growth));
                    turn::enter(move || {
                        result.resolve(match settled {
                            Ok(payload) => {
                                this.request(path, Request::Call(Args { payload, caller }))
                            }
                            Err(error) => Hook::Broken(error),
                        });
                    });
                });
                hook
            }
        }
    }

    fn invoke(self: &Arc<Self>, mut path: Path, args: Args) -> Hook {
        if path.len() > 1 {
            let (hook, rest) = match self.own_property(&path[0]).resolved() {
                // The whole path is at hand for an error to name.
                Hook::Value(payload) => match value::callee(&payload, path, 1) {
                    Ok(found) => found,
                    Err(error) => return Hook::Broken(error),
                },
                hook => (hook, path.split_off(1)),
            };
            // Each step of the path may make a new target.
            return turn::deferring(|| hook.call(rest, args));
        }
        if path.first().is_some_and(is_forbidden) {
            return Hook::Broken(not_a_function(&path));
        }
        let caller = args.caller.clone();
        let call = Call { key: path.pop(), args };
        let target = Arc::clone(self.target());
        run(move || target.call(call), caller)
    }

    fn property(self: &Arc<Self>, mut path: Path) -> Hook {
        match path.len() {
            0 => Hook::Broken(Error::msg("Can't dup an RpcTarget stub as a promise.")),
            1 => self.own_property(&path[0]),
            _ => {
                let hook = self.own_property(&path[0]);
                // Each step of the path may make a new target.
                turn::deferring(|| hook.get(path.split_off(1)))
            }
        }
    }

    fn own_property(self: &Arc<Self>, key: &Key) -> Hook {
        let Key::Name(name) = key else { return Hook::value(Payload::undefined()) };
        if is_forbidden(key) {
            return Hook::value(Payload::undefined());
        }
        match catch_unwind(AssertUnwindSafe(|| turn::user_code(|| self.target().has_method(name))))
        {
            Ok(false) => {
                let target = Arc::clone(self.target());
                run(move || target.get(name), Caller::default())
            }
            Ok(true) => Hook::value(Payload::of(Cap::Stub(self.method(key.clone())))),
            Err(panic) => Hook::Broken(panicked(&*panic)),
        }
    }

    /// A stub of one method, bound to this target.
    fn method(self: &Arc<Self>, key: Key) -> Hook {
        let this = Arc::clone(self);
        let bound = Function(move |call: Call| {
            let hook = this.request(vec![key.clone()], Request::Call(call.args));
            Reply(ReplyKind::Ready(Ok(Payload::of(Cap::Promise(hook, Path::new())))))
        });
        Hook::Local(Local::new(Arc::new(bound)))
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        // Mail can only be left over if its delivery was cancelled with its executor.
        let mail = self.mail.get_mut().unwrap_or_else(PoisonError::into_inner);
        if !mail.waiting.is_empty() {
            turn::bury(std::mem::take(&mut mail.waiting));
        }
        // It may hold a stub of another target, and so on.
        turn::bury(self.target.take());
    }
}

fn is_forbidden(key: &Key) -> bool {
    matches!(key, Key::Name(name) if is_forbidden_key(name))
}

/// Calls user code that replies, and turns the reply into a hook.
fn run(f: impl FnOnce() -> Reply, caller: Caller) -> Hook {
    match catch_unwind(AssertUnwindSafe(|| turn::user_code(f))) {
        Ok(Reply(ReplyKind::Ready(result))) => outcome(result),
        Ok(Reply(ReplyKind::Future(future))) => run_future(future, caller),
        Err(panic) => Hook::Broken(panicked(&*panic)),
    }
}

/// Runs a future of a result: its first poll here, the rest of it in a task of its own.
pub(crate) fn run_future(future: BoxFuture<Result<Payload, Error>>, caller: Caller) -> Hook {
    let mut handler = Handler { future: Some(future) };
    // The task polls again from the start, so nothing is lost with this waker.
    match handler.poll_in_turn(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => outcome(result),
        Poll::Pending => {
            let result = Resolver(Some(Queued::new()));
            let hook = result.hook();
            let running = Running::new(caller);
            spawn::spawn(async move {
                let settled = running.finish(&mut handler).await;
                drop(handler);
                turn::enter(move || result.resolve(outcome(settled)));
            });
            hook
        }
    }
}

fn outcome(result: Result<Payload, Error>) -> Hook {
    match result {
        Ok(payload) => payload.into_hook(),
        Err(error) => Hook::Broken(error),
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    tracing::error!(panic = message, "a handler panicked");
    Error::msg("Internal error: the method panicked.")
}

/// A handler's future, polled inside of turns. Ended by a panic as by an error.
struct Handler {
    future: Option<BoxFuture<Result<Payload, Error>>>,
}

impl Handler {
    fn poll_in_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<Payload, Error>> {
        let Some(future) = &mut self.future else {
            return Poll::Ready(Err(Error::msg("Internal error: polled after its end.")));
        };
        let polled = turn::enter(|| {
            catch_unwind(AssertUnwindSafe(|| turn::user_code(|| future.as_mut().poll(cx))))
        });
        let result = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(result)) => result,
            Err(panic) => Err(panicked(&*panic)),
        };
        // What the handler still owned is dropped, and so released, before its result goes out.
        let future = self.future.take();
        if catch_unwind(AssertUnwindSafe(|| turn::user_code(|| drop(future)))).is_err() {
            tracing::error!("a handler panicked while it was dropped");
        }
        Poll::Ready(result)
    }
}

impl Future for Handler {
    type Output = Result<Payload, Error>;

    fn poll(mut self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_in_turn(cx)
    }
}

/// Resolves a queued hook, with an error if it is dropped instead.
pub(crate) struct Resolver(pub(crate) Option<Arc<Queued>>);

impl Resolver {
    pub(crate) fn hook(&self) -> Hook {
        match &self.0 {
            Some(queued) => Hook::Queued(Arc::clone(queued)),
            None => Hook::Broken(cancelled()),
        }
    }

    pub(crate) fn resolve(mut self, to: Hook) {
        if let Some(queued) = self.0.take() {
            queued.resolve(to);
        }
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        if let Some(queued) = self.0.take() {
            queued.resolve(Hook::Broken(cancelled()));
        }
    }
}

fn cancelled() -> Error {
    Error::msg("The call was cancelled before it ended.")
}
