//! Three parties in a row: what one lends to another goes on to the third, and home again.

use std::future::IntoFuture;

use capnweb::{Error, Options, Promise, Stats, Stub, Target, Value};
use capnweb_tests::{FixedTarget, Gate, Log, OnDrop, Outcome, Pair, Side, target};
use serde::de::DeserializeOwned;

/// `a` is connected with `b`, and `b`, by another session, with `c`.
struct Row {
    ab: Pair,
    bc: Pair,
}

impl Row {
    /// `a` and `c` serve the fixed target, `b` has none of its own.
    fn new() -> Self {
        Self::with(FixedTarget::stub(), FixedTarget::stub())
    }

    fn with(a: Stub, c: Stub) -> Self {
        let pair = |main| Pair::with(None, Some(main), Options::new(), Options::new());
        Self { ab: pair(a), bc: pair(c) }
    }

    /// What `b` sees of `a`.
    fn a(&self) -> Stub {
        self.ab.client.main()
    }

    /// What `b` sees of `c`.
    fn c(&self) -> Stub {
        self.bc.client.main()
    }

    fn settle(&mut self) {
        while self.ab.step() || self.bc.step() {}
    }

    fn run<T>(&mut self, promise: Promise) -> Result<T, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let outcome = self.start(promise);
        self.settle();
        outcome.take().expect("the promise is still waiting")
    }

    fn start<T>(&self, promise: Promise) -> Outcome<Result<T, Error>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.ab.start(promise.decode::<T>().into_future())
    }

    #[track_caller]
    fn assert_clean(&mut self) {
        self.settle();
        let sides: [(&str, &Side); 4] = [
            ("a", &self.ab.server),
            ("b to a", &self.ab.client),
            ("b to c", &self.bc.client),
            ("c", &self.bc.server),
        ];
        for (name, side) in sides {
            assert_eq!(side.stats(), Stats { imports: 1, exports: 1 }, "{name}");
        }
    }
}

fn mortal(log: &Log) -> Stub {
    let guard = OnDrop(log.clone(), "dropped");
    target(move |call| {
        let _ = &guard;
        call.reply(|(n,): (f64,)| Ok(n * 10.0))
    })
}

#[test]
fn a_stub_of_one_peer_works_for_the_other() {
    // `c` calls what is `a`'s.
    let adds = target(|call| {
        call.reply_async(|(counter,): (Stub,)| async move {
            let increments = counter.call("increment", (4,)).decode::<f64>().await?;
            let read = counter.get("value").decode::<f64>().await?;
            Ok((increments, read))
        })
    });
    let mut row = Row::with(FixedTarget::stub(), adds);
    let counter = row.a().call("makeCounter", (1,));
    let both = row.c().invoke((counter.stub(),));
    assert_eq!(row.run::<(f64, f64)>(both).unwrap(), (5.0, 5.0));
    drop(counter);
    row.assert_clean();
}

#[test]
fn a_stub_that_comes_back_goes_home_as_what_it_was() {
    let mut row = Row::new();
    let counter: Stub = row.run(row.a().call("makeCounter", (1,))).unwrap();
    let from_c: Stub = row.run(row.c().call("giveBack", (&counter,)).get("stub")).unwrap();
    row.settle();
    row.ab.client.log.clear();
    let value: f64 = row.run(row.a().call("giveBack", (from_c,)).get("stub").get("value")).unwrap();
    assert_eq!(value, 1.0);
    let frame = &row.ab.client.log[0];
    assert!(frame.contains(r#"["giveBack"],[["import",-"#), "{frame}");
    drop(counter);
    row.assert_clean();
}

#[test]
fn a_main_object_comes_home_as_the_main_object() {
    let mut row = Row::new();
    let a = row.a();
    let from_c: Stub = row.run(row.c().call("giveBack", (&a,)).get("stub")).unwrap();
    row.settle();
    row.ab.client.log.clear();
    let four: f64 =
        row.run(row.a().call("giveBack", (from_c,)).get("stub").call("square", (2,))).unwrap();
    assert_eq!(four, 4.0);
    let frame = &row.ab.client.log[0];
    assert!(frame.contains(r#"["giveBack"],[["import",0]]"#), "{frame}");
    row.assert_clean();
}

#[test]
fn a_promise_of_one_peer_is_resolved_for_the_other() {
    let mut row = Row::new();
    let held = row.a().call("hold", ());
    let echoed = row.start::<Value>(row.c().call("echo", (&held,)));
    let sum = row.start::<f64>(row.c().call("add", (1, row.a().call("square", (3,)))));
    row.settle();
    assert!(echoed.take().is_none());
    assert_eq!(sum.take().unwrap().unwrap(), 10.0);
    let one: f64 = row.run(row.a().call("releaseHeld", ("late",))).unwrap();
    assert_eq!(one, 1.0);
    assert_eq!(echoed.take().unwrap().unwrap().as_str(), Some("late"));
    drop(held);
    row.assert_clean();
}

#[test]
fn a_rejection_of_one_peer_reaches_the_other() {
    let mut row = Row::new();
    let failing = row.a().call("fail", ("RangeError", "no"));
    let error = row.run::<Value>(row.c().call("echo", (failing,))).unwrap_err();
    assert_eq!((error.name(), error.message()), ("RangeError", "no"));
    row.assert_clean();
}

#[test]
fn calls_can_be_made_on_a_forwarded_promise() {
    let mut row = Row::new();
    // Nothing has come from `a` yet when `c` is asked.
    let counter = row.a().call("makeCounter", (5,));
    let value = row.c().call("giveBack", (counter.stub(),)).get("stub").get("value");
    drop(counter);
    assert_eq!(row.run::<f64>(value).unwrap(), 5.0);
    row.assert_clean();
}

#[test]
fn callbacks_are_called_through() {
    let log = Log::new();
    let mut row = Row::new();
    // `a` is given a function of `b`, and `c` one that leads through `b` to `a`.
    let stub = mortal(&log);
    let value: f64 = row.run(row.a().call("callBack", (&stub, 5))).unwrap();
    assert_eq!(value, 50.0);
    let through: Stub = row.run(row.a().call("giveBack", (&stub,)).get("stub")).unwrap();
    drop(stub);
    let value: f64 = row.run(row.c().call("callBack", (&through, 6))).unwrap();
    assert_eq!(value, 60.0);
    assert!(log.take().is_empty());
    drop(through);
    row.assert_clean();
    assert_eq!(log.take(), ["dropped"]);
}

/// `b` serves `c`'s main object to `a`: every call of `a` goes through it.
fn relay(c: Stub) -> (Pair, Pair) {
    let bc = Pair::new(c);
    let ab = Pair::new(bc.client.main());
    (ab, bc)
}

fn settle(ab: &mut Pair, bc: &mut Pair) {
    while ab.step() || bc.step() {}
}

#[test]
fn a_relay_keeps_the_order_of_calls() {
    let log = Log::new();
    let (mut ab, mut bc) = relay(log.target());
    let main = ab.client.main();
    for n in 0..30 {
        drop(main.call("m", (n,)));
        if n % 7 == 0 {
            ab.step();
        }
        if n % 5 == 0 {
            bc.step();
        }
    }
    settle(&mut ab, &mut bc);
    let expected: Vec<_> = (0..30).map(|n| format!("m {n}")).collect();
    assert_eq!(log.take(), expected);
}

#[test]
fn a_relay_passes_everything_on_and_keeps_nothing() {
    let log = Log::new();
    let (mut ab, mut bc) = relay(FixedTarget::stub());
    let main = ab.client.main();
    let stub = mortal(&log);
    let called = ab.start(main.call("callBack", (&stub, 5)).decode::<f64>().into_future());
    let counter = main.call("makeCounter", (1,));
    let incremented = ab.start(counter.call("increment", (2,)).decode::<f64>().into_future());
    let back = main.call("giveBack", (&stub,)).get("stub");
    let home = ab.start(back.invoke((7,)).decode::<f64>().into_future());
    let counters = ab.start(main.call("makeCounters", ()).get("second").get("value").into_future());
    let inside = ab.start(main.call("promiseInside", (3,)).into_future());
    let rejected = ab.start(main.call("makeRejecting", ("no",)).into_future());
    let own_promise = main.call("echo", (main.call("square", (3,)),));
    let own_promise = ab.start(own_promise.decode::<f64>().into_future());
    drop(stub);
    settle(&mut ab, &mut bc);
    assert_eq!(called.take().unwrap().unwrap(), 50.0);
    assert_eq!(incremented.take().unwrap().unwrap(), 3.0);
    assert_eq!(home.take().unwrap().unwrap(), 70.0);
    assert_eq!(counters.take().unwrap().unwrap().as_f64(), Some(2.0));
    assert_eq!(inside.take().unwrap().unwrap().get("p"), Some(&3.into()));
    assert_eq!(rejected.take().unwrap().unwrap_err().message(), "no");
    assert_eq!(own_promise.take().unwrap().unwrap(), 9.0);
    drop((counter, back));
    settle(&mut ab, &mut bc);
    assert_eq!(log.take(), ["dropped"]);
    ab.assert_clean();
    bc.assert_clean();
}

#[test]
fn the_end_of_one_connection_breaks_what_was_forwarded_over_the_other() {
    let (mut ab, mut bc) = relay(FixedTarget::stub());
    let counter = ab.client.main().call("makeCounter", (1,));
    let stub = ab.start(counter.decode::<Stub>().into_future());
    settle(&mut ab, &mut bc);
    let stub = stub.take().unwrap().unwrap();
    ab.executor.enter(|| bc.client.session.disconnected("gone"));
    let failed = ab.start(stub.get("value").into_future());
    settle(&mut ab, &mut bc);
    assert_eq!(failed.take().unwrap().unwrap_err().message(), "gone");
    drop(stub);
    ab.assert_clean();
}

#[test]
fn a_forwarded_call_goes_on_when_the_first_caller_has_gone() {
    struct Waits(Gate, Log);
    impl Target for Waits {
        fn call(self: std::sync::Arc<Self>, call: capnweb::Call) -> capnweb::Reply {
            call.reply_async(|(): ()| async move {
                self.0.wait().await;
                self.1.push("ended");
                Ok(())
            })
        }
    }
    let (gate, log) = (Gate::new(), Log::new());
    let (mut ab, mut bc) = relay(Stub::target(Waits(gate.clone(), log.clone())));
    drop(ab.client.main().call("m", ()));
    settle(&mut ab, &mut bc);
    ab.server.session.disconnected("gone");
    settle(&mut ab, &mut bc);
    gate.open();
    settle(&mut ab, &mut bc);
    assert_eq!(log.take(), ["ended"]);
    bc.assert_clean();
}
