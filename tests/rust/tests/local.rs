//! Stubs of objects of the same process behave as if there were a connection in between.

use std::sync::{Arc, Mutex};

use capnweb::{Error, ErrorKind, Promise, Stub, Value};
use capnweb_tests::{FixedTarget, Gate, Log, OnDrop, TestExecutor, target};
use serde::{Serialize, de::DeserializeOwned};

fn run<T: DeserializeOwned + Send + 'static>(
    executor: &TestExecutor,
    promise: Promise,
) -> Result<T, Error> {
    let outcome = executor.enter(|| executor.start(promise.decode::<T>().into_future()));
    executor.run();
    outcome.take().expect("the promise is still waiting")
}

#[test]
fn calls_and_properties_work_without_a_connection() {
    let executor = TestExecutor::new();
    executor.enter(|| {
        let stub = FixedTarget::stub();
        assert_eq!(run::<f64>(&executor, stub.call("square", (5,))).unwrap(), 25.0);
        assert_eq!(run::<u8>(&executor, stub.get("info").get("a").get("b").get(1)).unwrap(), 2);
        let value = run::<Value>(&executor, stub.get("nothing")).unwrap();
        assert_eq!(value, Value::Undefined);
        let counter = stub.call("makeCounter", (1,));
        drop(counter.call("increment", ()));
        assert_eq!(run::<f64>(&executor, counter.get("value")).unwrap(), 2.0);
        let doubled = Stub::function(|(n,): (f64,)| async move { Ok(n * 2.0) });
        assert_eq!(run::<f64>(&executor, stub.call("callBack", (doubled, 4))).unwrap(), 8.0);
    });
}

#[test]
fn arguments_are_copied_when_the_call_is_made() {
    /// Serialized as what it holds at that time.
    struct Shared(Arc<Mutex<u32>>);
    impl Serialize for Shared {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.lock().unwrap().serialize(serializer)
        }
    }
    let executor = TestExecutor::new();
    let cell = Arc::new(Mutex::new(1));
    let echoed = executor.enter(|| FixedTarget::stub().call("echo", (Shared(Arc::clone(&cell)),)));
    *cell.lock().unwrap() = 2;
    assert_eq!(run::<u32>(&executor, echoed).unwrap(), 1);
}

#[test]
fn what_cannot_be_sent_cannot_be_passed_either() {
    let executor = TestExecutor::new();
    executor.enter(|| {
        let stub = FixedTarget::stub();
        let error = run::<Value>(&executor, stub.call("echo", ((1_u64 << 53) + 1,))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Encode);
        let error = run::<Value>(&executor, stub.call("greet", (5,))).unwrap_err();
        assert_eq!(error.name(), "TypeError");
        let error = run::<Value>(&executor, stub.call("nonesuch", ())).unwrap_err();
        assert_eq!(error.message(), "'nonesuch' is not a function.");
    });
}

#[test]
fn promises_in_arguments_are_resolved_first() {
    let executor = TestExecutor::new();
    executor.enter(|| {
        let stub = FixedTarget::stub();
        let gate = Gate::new();
        let waits = gate.clone();
        let late = Promise::from_future(async move {
            waits.wait().await;
            Ok(4.0)
        });
        let sum = stub
            .call("add", (late, stub.call("add", (1, stub.get("info").get("a").get("b").get(1)))));
        let outcome = executor.start(sum.decode::<f64>().into_future());
        executor.run();
        assert!(outcome.take().is_none());
        gate.open();
        executor.run();
        assert_eq!(outcome.take().unwrap().unwrap(), 7.0);
        let failing = Promise::<Value>::rejected(Error::named("RangeError", "no"));
        let error = run::<Value>(&executor, stub.call("echo", (vec![failing],))).unwrap_err();
        assert_eq!(error.message(), "no");
    });
}

#[test]
fn a_future_that_fails_rejects_its_promise() {
    let executor = TestExecutor::new();
    executor.enter(|| {
        let failing = Promise::<u8>::from_future(async { Err(Error::named("RangeError", "no")) });
        let error = run::<u8>(&executor, failing.untyped()).unwrap_err();
        assert_eq!((error.name(), error.message()), ("RangeError", "no"));
        let panicking = Promise::<u8>::from_future(async { panic!("secret") });
        let error = run::<u8>(&executor, panicking.untyped()).unwrap_err();
        assert_eq!(error.message(), "Internal error: the method panicked.");
    });
}

#[test]
fn a_future_that_is_cancelled_rejects_its_promise() {
    let executor = TestExecutor::new();
    let promise = executor.enter(|| Promise::<u8>::from_future(std::future::pending()));
    executor.run();
    drop(executor);
    let other = TestExecutor::new();
    // The task is gone with its executor only if nothing wakes it any more.
    let outcome = other.start(promise.into_future());
    other.run();
    assert!(outcome.take().expect("it was cancelled").is_err());
}

#[test]
fn a_method_read_as_a_property_is_bound_to_its_object() {
    let executor = TestExecutor::new();
    executor.enter(|| {
        let counter = FixedTarget::stub().call("makeCounter", (10,));
        let increment = run::<Stub>(&executor, counter.get("increment")).unwrap();
        assert_eq!(run::<f64>(&executor, increment.invoke((5,))).unwrap(), 15.0);
        assert_eq!(run::<f64>(&executor, counter.get("value")).unwrap(), 15.0);
        // It keeps its object alive.
        drop(counter);
        assert_eq!(run::<f64>(&executor, increment.invoke(())).unwrap(), 16.0);
    });
}

#[test]
fn a_target_is_dropped_with_its_last_stub() {
    let log = Log::new();
    let executor = TestExecutor::new();
    let guard = OnDrop(log.clone(), "dropped");
    let stub = target(move |call| {
        let _ = &guard;
        call.reply(|(): ()| Ok(()))
    });
    let call = executor.enter(|| stub.call("m", ()));
    drop(stub);
    assert!(log.take().is_empty(), "a call is under way");
    run::<()>(&executor, call).unwrap();
    assert_eq!(log.take(), ["dropped"]);
}

#[test]
fn a_result_can_be_used_again_and_again() {
    let executor = TestExecutor::new();
    executor.enter(|| {
        let counters = FixedTarget::stub().call("makeCounters", ());
        for n in 2..5 {
            drop(counters.get("first").call("increment", ()));
            let value = run::<f64>(&executor, counters.get("first").get("value")).unwrap();
            assert_eq!(value, f64::from(n));
        }
    });
}

#[test]
fn a_plain_stub_cannot_be_awaited_and_says_so() {
    let executor = TestExecutor::new();
    executor.enter(|| {
        let stub = Promise::resolved(&FixedTarget::stub());
        // A promise of a stub can.
        let stub: Stub = run(&executor, stub.untyped()).unwrap();
        assert_eq!(run::<f64>(&executor, stub.call("square", (2,))).unwrap(), 4.0);
    });
}
