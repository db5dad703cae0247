//! No foreign code runs under a lock or nested in other foreign code, and no cascade takes stack.

use std::{
    future::Future,
    sync::{Arc, Mutex, OnceLock},
    task::{Context, Poll, Wake, Waker},
    thread,
};

use capnweb::{Error, Limits, Options, Promise, Stub};
use capnweb_tests::{FixedTarget, Gate, Log, Pair, Peer, TestExecutor, target};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Calls a stub when it is dropped.
struct CallsOnDrop(Stub);

impl Drop for CallsOnDrop {
    fn drop(&mut self) {
        drop(self.0.call("dropped", ()));
    }
}

#[test]
fn a_target_may_call_when_it_is_dropped() {
    let peer = Peer::new(
        Some(target(|call| match call.method() {
            "make" => call.reply(|(callback,): (Stub,)| {
                let guard = CallsOnDrop(callback);
                Ok(target(move |call| {
                    let _ = &guard;
                    call.no_such_method()
                }))
            }),
            _ => call.no_such_method(),
        })),
        Options::new(),
    );
    peer.exchange(r#"["push",["pipeline",0,["make"],[["export",-1]]]]"#, &[]);
    peer.exchange(
        r#"["release",1,1]"#,
        &[
            r#"["push",["pipeline",-1,["dropped"],[]]]"#,
            r#"["release",1,1]"#,
            r#"["release",-1,1]"#,
        ],
    );
}

#[test]
fn targets_may_call_when_the_end_of_the_session_drops_them() {
    let log = Log::new();
    let local = log.target();
    let mut pair = Pair::new(target(move |call| {
        let guards = (CallsOnDrop(local.clone()), CallsOnDrop(local.clone()));
        call.reply(|(callback,): (Stub,)| {
            Ok(target(move |call| {
                let _ = (&guards, &callback);
                call.no_such_method()
            }))
        })
    }));
    let callback = log.target();
    let main = pair.client.main();
    let made = pair.executor.enter(|| main.call("make", (CallsArg(callback),)));
    pair.settle();
    pair.executor.enter(|| pair.server.session.disconnected("gone"));
    pair.settle();
    assert_eq!(log.take(), ["serializing", "dropped", "dropped"]);
    drop(made);
}

/// A stub as an argument that is called while it is serialized.
struct CallsArg(Stub);

impl Serialize for CallsArg {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        drop(self.0.call("serializing", ()));
        self.0.serialize(serializer)
    }
}

#[test]
fn serializing_may_call_on_the_same_connection() {
    struct Nested(Stub);
    impl Serialize for Nested {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let inner = self.0.call("inner", (&self.0,));
            (&self.0, inner).serialize(serializer)
        }
    }
    let peer = Peer::new(None, Options::new());
    let main = peer.connection.main();
    let promise = main.call("outer", (Nested(main.clone()),));
    peer.expect(&[
        r#"["push",["pipeline",0,["inner"],[["import",0]]]]"#,
        r#"["push",["pipeline",0,["outer"],[[[["import",0],["pipeline",1]]]]]]"#,
        r#"["release",1,1]"#,
    ]);
    drop(promise);
}

#[test]
fn deserializing_may_call_on_the_same_connection() {
    struct Calls;
    impl<'de> Deserialize<'de> for Calls {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let stub: Stub = Stub::deserialize(deserializer)?;
            drop(stub.call("reading", ("x",)));
            Ok(Self)
        }
    }
    let peer = Peer::new(Some(target(|call| call.reply(|(_,): (Calls,)| Ok(())))), Options::new());
    peer.exchange(
        r#"["push",["pipeline",0,["m"],[["export",-1]]]]"#,
        &[
            r#"["push",["pipeline",-1,["reading"],["x"]]]"#,
            r#"["release",1,1]"#,
            r#"["release",-1,1]"#,
        ],
    );
}

#[test]
fn a_waker_may_call_on_the_same_connection() {
    struct CallsBack(Stub, Mutex<Vec<Promise>>);
    impl Wake for CallsBack {
        fn wake(self: Arc<Self>) {
            let promise = self.0.call("woken", (&self.0,));
            self.1.lock().unwrap().push(promise);
        }
    }
    let peer = Peer::new(None, Options::new());
    let main = peer.connection.main();
    let mut future = main.call("get", ()).into_future();
    let waker = Waker::from(Arc::new(CallsBack(main, Mutex::default())));
    assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    peer.expect(&[r#"["push",["pipeline",0,["get"],[]]]"#, r#"["pull",1]"#]);
    peer.exchange(
        r#"["resolve",1,5]"#,
        &[r#"["release",1,1]"#, r#"["push",["pipeline",0,["woken"],[["import",0]]]]"#],
    );
    let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) else {
        panic!("it was resolved");
    };
    assert!(result.is_ok());
}

#[test]
fn a_waker_may_hold_the_last_reference_to_what_it_would_wake() {
    /// Owns a stub, as the waker of a simple executor owns its task.
    struct Owns(#[expect(dead_code)] Stub);
    impl Wake for Owns {
        fn wake(self: Arc<Self>) {}
    }
    let peer = Peer::new(None, Options::new());
    let main = peer.connection.main();
    let held = main.call("held", ()).stub();
    let mut ready = Box::pin(peer.connection.drain());
    let waker = Waker::from(Arc::new(Owns(held)));
    let _ = ready.as_mut().poll(&mut Context::from_waker(&waker));
    let mut closed = Box::pin(peer.connection.closed());
    assert!(closed.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let mut promise = main.call("get", ()).into_future();
    assert!(promise.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(waker);
    drop(promise);
    drop(closed);
    peer.expect(&[
        r#"["push",["pipeline",0,["held"],[]]]"#,
        r#"["push",["pipeline",0,["get"],[]]]"#,
        r#"["pull",2]"#,
        r#"["release",2,1]"#,
        r#"["release",1,1]"#,
    ]);
}

#[test]
fn the_hook_for_errors_may_call() {
    let log = Log::new();
    let audit = log.target();
    let options = Options::new().on_send_error(move |_| {
        drop(audit.call("failed", ()));
        None
    });
    let gate = Gate::new();
    let waits = gate.clone();
    let peer = Peer::new(
        Some(target(move |call| {
            let gate = waits.clone();
            match call.method() {
                "now" => call.reply(|(): ()| Err::<(), _>(Error::msg("no"))),
                _ => call.reply_async(|(): ()| async move {
                    gate.wait().await;
                    Err::<(), _>(Error::msg("no"))
                }),
            }
        })),
        options,
    );
    let rejected = [r#"["reject",1,["error","Error","no"]]"#];
    peer.exchange(r#"["push",["pipeline",0,["now"],[]]]"#, &[]);
    peer.exchange(r#"["pull",1]"#, &rejected);
    assert_eq!(log.take(), ["failed"]);
    peer.exchange(r#"["push",["pipeline",0,["later"],[]]]"#, &[]);
    peer.exchange(r#"["pull",2]"#, &[]);
    gate.open();
    peer.expect(&[r#"["reject",2,["error","Error","no"]]"#]);
    assert_eq!(log.take(), ["failed"]);
    peer.executor.enter(|| peer.connection.abort(Error::msg("enough")));
    peer.expect(&[r#"["abort",["error","Error","enough"]]"#]);
    assert_eq!(log.take(), ["failed"]);
}

/// Runs a test on as little stack as a spawned thread has.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(2 << 20).spawn(test).unwrap().join().unwrap();
}

const LONG: usize = 100_000;

/// A target whose method returns itself.
fn chainable() -> Stub {
    let me = Arc::new(OnceLock::<Stub>::new());
    let inner = Arc::clone(&me);
    let stub = target(move |call| {
        let stub = inner.get().cloned();
        call.reply(|(): ()| Ok(stub))
    });
    // It keeps itself alive from here on, which is fine for the length of a test.
    let _ = me.set(stub.clone());
    stub
}

fn chain(mut promise: Promise) -> Promise {
    for _ in 0..LONG {
        promise = promise.call("next", ());
    }
    promise
}

fn after(gate: &Gate, stub: Stub) -> Promise {
    let gate = gate.clone();
    Promise::from_future(async move {
        gate.wait().await;
        Ok(stub)
    })
    .untyped()
}

#[test]
fn a_long_chain_of_waiting_calls_is_resolved_on_a_small_stack() {
    on_a_small_stack(|| {
        let executor = TestExecutor::new();
        let gate = Gate::new();
        let end = executor.enter(|| chain(after(&gate, chainable())));
        let outcome = executor.start(end.decode::<Stub>().into_future());
        executor.run();
        gate.open();
        executor.run();
        assert!(outcome.take().unwrap().is_ok());
    });
}

#[test]
fn a_long_chain_of_waiting_calls_is_dropped_on_a_small_stack() {
    on_a_small_stack(|| {
        let executor = TestExecutor::new();
        let end = executor.enter(|| chain(after(&Gate::new(), chainable())));
        executor.run();
        drop(end);
        // And the future of the first one with the executor's tasks.
        drop(executor);
    });
}

#[test]
fn a_long_chain_of_waiting_calls_is_rejected_on_a_small_stack() {
    on_a_small_stack(|| {
        let executor = TestExecutor::new();
        let gate = Gate::new();
        let waits = gate.clone();
        let first = executor.enter(|| {
            Promise::<()>::from_future(async move {
                waits.wait().await;
                Err(Error::msg("no"))
            })
        });
        let end = executor.enter(|| chain(first.untyped()));
        let outcome = executor.start(end.into_future());
        executor.run();
        gate.open();
        executor.run();
        assert_eq!(outcome.take().unwrap().unwrap_err().message(), "no");
    });
}

#[test]
fn a_long_chain_over_a_connection_is_resolved_on_a_small_stack() {
    on_a_small_stack(|| {
        let mut pair = Pair::new(chainable());
        let end = chain(pair.client.main().call("next", ()));
        let stub: Stub = pair.run(end.decode::<Stub>().into_future()).unwrap();
        drop(stub);
        pair.assert_clean();
        // And with a server whose first result comes late.
        let gate = Gate::new();
        let (waits, inner) = (gate.clone(), chainable());
        let main = target(move |call| {
            let (gate, inner) = (waits.clone(), inner.clone());
            call.reply_async(|(): ()| async move {
                gate.wait().await;
                Ok(inner)
            })
        });
        // All of them wait at the server at once.
        let mut limits = Limits::default();
        limits.max_calls_in_flight = 2 * LONG;
        let server = Options::new().limits(limits);
        let mut pair = Pair::with(None, Some(main), Options::new(), server);
        let end = chain(pair.client.main().call("first", ()));
        let outcome = pair.start(end.decode::<Stub>().into_future());
        pair.settle();
        gate.open();
        pair.settle();
        assert!(outcome.take().unwrap().is_ok());
        pair.assert_clean();
    });
}

#[test]
fn objects_that_own_each_other_are_dropped_on_a_small_stack() {
    on_a_small_stack(|| {
        let mut stub = FixedTarget::stub();
        for _ in 0..LONG {
            let next = stub;
            stub = target(move |call| {
                let _ = &next;
                call.no_such_method()
            });
        }
        drop(stub);
    });
}

#[test]
fn values_that_own_each_other_are_dropped_on_a_small_stack() {
    on_a_small_stack(|| {
        let mut promise = Promise::resolved(&FixedTarget::stub());
        for _ in 0..LONG {
            promise = Promise::resolved(&promise.stub());
        }
        drop(promise);
    });
}

#[test]
fn a_call_on_values_that_hold_each_other_takes_no_stack() {
    on_a_small_stack(|| {
        let executor = TestExecutor::new();
        let mut promise = Promise::resolved(&chainable());
        for _ in 0..LONG {
            promise = Promise::resolved(&promise.stub());
        }
        let outcome = executor
            .enter(|| executor.start(promise.call("next", ()).decode::<Stub>().into_future()));
        executor.run();
        assert!(outcome.take().unwrap().is_ok());
    });
}
