//! Cloning duplicates a reference, dropping disposes of it, and the counts are exact.

use std::{
    future::{Future, poll_fn},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use capnweb::{Call, ErrorKind, Options, Promise, Reply, Stats, Stub, Target, Value};
use capnweb_tests::{FixedTarget, Gate, Log, OnDrop, Pair, Peer, target};
use serde::{Deserialize, Serialize, Serializer};

const CLEAN: Stats = Stats { imports: 1, exports: 1 };

/// A stub of a target that logs when it is dropped.
fn mortal(log: &Log, name: &'static str) -> Stub {
    let guard = OnDrop(log.clone(), name);
    target(move |call| {
        let _ = &guard;
        call.reply(|(): ()| Ok(name))
    })
}

fn serve(main: Stub) -> Peer {
    Peer::new(Some(main), Options::new())
}

#[test]
fn only_the_last_of_several_clones_sends_a_release() {
    let peer = Peer::new(None, Options::new());
    let promise = peer.connection.main().call("get", ());
    let outcome = peer.executor.start(promise.decode::<Stub>().into_future());
    peer.expect(&[r#"["push",["pipeline",0,["get"],[]]]"#, r#"["pull",1]"#]);
    peer.exchange(r#"["resolve",1,["export",-1]]"#, &[r#"["release",1,1]"#]);
    let stub = outcome.take().unwrap().unwrap();
    let clones = [stub.clone(), stub.clone()];
    drop(stub);
    peer.expect(&[]);
    drop(clones);
    peer.expect(&[r#"["release",-1,1]"#]);
    assert_eq!(peer.connection.stats(), CLEAN);
}

#[test]
fn an_id_that_was_received_twice_is_released_twice() {
    let peer = serve(FixedTarget::stub());
    peer.exchange(
        r#"["push",["pipeline",0,["echo"],[{"a":["export",-1],"b":["export",-1]}]]]"#,
        &[],
    );
    assert_eq!(peer.connection.stats(), Stats { imports: 2, exports: 2 });
    peer.exchange(r#"["release",1,1]"#, &[r#"["release",-1,2]"#]);
    assert_eq!(peer.connection.stats(), CLEAN);
}

#[test]
fn an_id_that_is_received_again_is_counted_on() {
    let peer = serve(FixedTarget::stub());
    peer.exchange(r#"["push",["pipeline",0,["keep"],[["export",-1]]]]"#, &[]);
    // While one is kept, it comes again and is dropped: that reference stays counted.
    peer.exchange(r#"["push",["pipeline",0,["getNull"],[["export",-1]]]]"#, &[]);
    peer.exchange(r#"["push",["pipeline",0,["dropKept"],[]]]"#, &[r#"["release",-1,2]"#]);
    peer.exchange(
        r#"["push",["pipeline",0,["getNull"],[["export",-1]]]]"#,
        &[r#"["release",-1,1]"#],
    );
}

#[test]
fn parameters_are_released_when_the_handler_has_ended_and_before_its_result_is_sent() {
    let peer = serve(FixedTarget::stub());
    peer.exchange(
        r#"["push",["pipeline",0,["callBack"],[["export",-1],5]]]"#,
        &[r#"["push",["pipeline",-1,[],[5]]]"#, r#"["pull",1]"#],
    );
    peer.exchange(r#"["pull",1]"#, &[]);
    peer.exchange(
        r#"["resolve",1,25]"#,
        &[r#"["release",1,1]"#, r#"["release",-1,1]"#, r#"["resolve",1,25]"#],
    );
}

#[test]
fn what_a_handler_still_owns_at_its_end_is_released_before_its_result_is_sent() {
    let gate = Gate::new();
    let waits = gate.clone();
    let peer = serve(target(move |call| {
        let gate = waits.clone();
        call.reply_async(move |(stub,): (Stub,)| {
            let mut waiting = Box::pin(async move { gate.wait().await });
            // The stub goes with the future, and not when the future has ended.
            poll_fn(move |cx| {
                let _ = &stub;
                waiting.as_mut().poll(cx).map(Ok)
            })
        })
    }));
    peer.exchange(r#"["push",["pipeline",0,["wait"],[["export",-1]]]]"#, &[]);
    peer.exchange(r#"["pull",1]"#, &[]);
    gate.open();
    peer.expect(&[r#"["release",-1,1]"#, r#"["resolve",1,["undefined"]]"#]);
    // An open gate does not make it wait at all.
    peer.exchange(r#"["push",["pipeline",0,["wait"],[["export",-2]]]]"#, &[r#"["release",-2,1]"#]);
}

#[test]
fn what_a_method_does_not_decode_is_released() {
    #[derive(Deserialize)]
    struct Some {
        wanted: u8,
    }
    let peer = serve(target(|call| match call.method() {
        "ignores" => Reply::undefined(),
        "some" => call.reply(|(some,): (Some,)| Ok(some.wanted)),
        "number" => call.reply(|(n,): (f64,)| Ok(n)),
        _ => call.no_such_method(),
    }));
    let released = [r#"["release",-1,1]"#];
    peer.exchange(r#"["push",["pipeline",0,["ignores"],[["export",-1]]]]"#, &released);
    let skipped = r#"["push",["pipeline",0,["some"],[{"wanted":1,"skipped":["export",-1]}]]]"#;
    peer.exchange(skipped, &released);
    peer.exchange(r#"["push",["pipeline",0,["number"],[["export",-1]]]]"#, &released);
    peer.exchange(r#"["push",["pipeline",0,["number"],[1,["export",-1]]]]"#, &released);
    peer.exchange(r#"["push",["pipeline",0,["missing"],[["export",-1]]]]"#, &released);
    assert_eq!(peer.connection.stats(), Stats { imports: 1, exports: 6 });
}

#[test]
fn a_failed_encoding_takes_its_exports_back() {
    struct Refuses;
    impl Serialize for Refuses {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("refused"))
        }
    }
    let log = Log::new();
    let mut pair = Pair::new(FixedTarget::stub());
    let stub = mortal(&log, "dropped");
    let failed = pair.client.main().call("echo", (&stub, Refuses));
    drop(stub);
    let error = pair.run(failed.into_future()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Encode);
    assert_eq!(log.take(), ["dropped"]);
    assert!(pair.client.log.is_empty(), "nothing may be sent");
    pair.assert_clean();
}

#[test]
fn a_failed_encoding_of_a_result_rejects_and_drops_the_stubs_in_it() {
    let log = Log::new();
    let made = log.clone();
    let mut pair = Pair::new(target(move |call| {
        // 2^53 + 1 has no exact number in JavaScript.
        let stub = mortal(&made, "dropped");
        call.reply(|(): ()| Ok((stub, (1_u64 << 53) + 1)))
    }));
    let failed = pair.client.main().call("get", ());
    assert!(pair.run(failed.into_future()).is_err());
    assert_eq!(log.take(), ["dropped"]);
    pair.assert_clean();
}

#[test]
fn a_target_is_dropped_when_the_last_reference_anywhere_goes() {
    let log = Log::new();
    let made = log.clone();
    let mut pair = Pair::new(target(move |call| call.reply(|(): ()| Ok(mortal(&made, "dropped")))));
    let stub = pair.client.main().call("make", ());
    let stub: Stub = pair.run(stub.decode::<Stub>().into_future()).unwrap();
    let clone = stub.clone();
    drop(stub);
    pair.settle();
    assert!(log.take().is_empty());
    drop(clone);
    pair.settle();
    assert_eq!(log.take(), ["dropped"]);
    pair.assert_clean();
}

#[test]
fn a_callback_is_dropped_when_the_call_that_took_it_has_ended() {
    let log = Log::new();
    let gate = Gate::new();
    let waits = gate.clone();
    let mut pair = Pair::new(target(move |call| {
        let gate = waits.clone();
        call.reply_async(|(callback,): (Stub,)| async move {
            gate.wait().await;
            drop(callback);
            Ok(())
        })
    }));
    drop(pair.client.main().call("take", (mortal(&log, "dropped"),)));
    pair.settle();
    assert!(log.take().is_empty());
    gate.open();
    pair.settle();
    assert_eq!(log.take(), ["dropped"]);
    pair.assert_clean();
}

#[test]
fn the_stubs_in_a_result_live_until_it_is_released() {
    let log = Log::new();
    let made = log.clone();
    let peer = serve(target(move |call| call.reply(|(): ()| Ok([mortal(&made, "dropped")]))));
    peer.exchange(r#"["push",["pipeline",0,["make"],[]]]"#, &[]);
    peer.exchange(r#"["pull",1]"#, &[r#"["resolve",1,[[["export",-1]]]]"#]);
    peer.exchange(r#"["release",-1,1]"#, &[]);
    assert!(log.take().is_empty(), "the result still holds it");
    peer.exchange(r#"["push",["pipeline",1,[0,"again"],[]]]"#, &[]);
    peer.exchange(r#"["release",1,1]"#, &[]);
    assert_eq!(log.take(), ["dropped"]);
}

#[test]
fn a_release_before_the_resolution_does_not_stop_it() {
    let peer = serve(FixedTarget::stub());
    peer.exchange(r#"["push",["pipeline",0,["hold"],[]]]"#, &[]);
    peer.exchange(r#"["pull",1]"#, &[]);
    peer.exchange(r#"["release",1,1]"#, &[]);
    peer.exchange(r#"["push",["pipeline",0,["releaseHeld"],[7]]]"#, &[r#"["resolve",1,7]"#]);
    peer.exchange(r#"["release",2,1]"#, &[]);
    assert_eq!(peer.connection.stats(), CLEAN);
}

#[test]
fn a_promise_that_is_dropped_before_it_resolves_is_released_at_once() {
    let mut pair = Pair::new(FixedTarget::stub());
    let held = pair.client.main().call("hold", ());
    let outcome = pair.start(held.clone().into_future());
    pair.settle();
    drop(outcome);
    drop(held);
    // The task that awaits it holds it still.
    assert_eq!(pair.client.stats().imports, 2);
    let released = pair.client.main().call("releaseHeld", (1,));
    assert_eq!(pair.run(released.decode::<u32>().into_future()).unwrap(), 1);
    pair.assert_clean();

    let held = pair.client.main().call("hold", ());
    pair.settle();
    drop(held);
    pair.settle();
    assert_eq!(pair.client.log.last().unwrap(), r#"["release",3,1]"#);
    pair.assert_clean();
}

#[test]
fn promises_inside_of_values_are_released_when_resolved() {
    let mut pair = Pair::new(FixedTarget::stub());
    let resolved = pair.client.main().call("promiseInside", (3,));
    let value = pair.run(resolved.into_future()).unwrap();
    assert_eq!(value.get("p"), Some(&Value::Number(3.0)));
    pair.assert_clean();
    let rejected = pair.client.main().call("makeRejecting", ("no",));
    assert_eq!(pair.run(rejected.into_future()).unwrap_err().message(), "no");
    pair.assert_clean();
    // And so are those that nobody looks at.
    drop(pair.client.main().call("promiseInside", (3,)));
    drop(pair.client.main().call("makeRejecting", ("no",)));
    pair.assert_clean();
}

#[test]
fn a_promise_in_the_arguments_leaves_nothing_behind() {
    let mut pair = Pair::new(FixedTarget::stub());
    let main = pair.client.main();
    let sum = main.call("add", (Promise::resolved(&1), main.call("square", (3,))));
    assert_eq!(pair.run(sum.decode::<f64>().into_future()).unwrap(), 10.0);
    let failed = main.call("echo", (Promise::<Value>::rejected(capnweb::Error::msg("no")),));
    assert_eq!(pair.run(failed.into_future()).unwrap_err().message(), "no");
    pair.assert_clean();
}

#[test]
fn stubs_that_go_back_and_forth_leave_nothing_behind() {
    let log = Log::new();
    let mut pair = Pair::new(FixedTarget::stub());
    let main = pair.client.main();
    let stub = mortal(&log, "dropped");
    for _ in 0..3 {
        let back = main.call("giveBack", (&stub,)).get("stub");
        let name = back.call("name", ());
        assert_eq!(pair.run(name.decode::<String>().into_future()).unwrap(), "dropped");
        let again = main.call("giveBack", (back.stub(),)).get("stub").call("name", ());
        assert_eq!(pair.run(again.decode::<String>().into_future()).unwrap(), "dropped");
    }
    pair.assert_clean();
    drop(stub);
    assert_eq!(log.take(), ["dropped"]);
}

#[test]
fn many_calls_leave_nothing_behind() {
    struct Counts(AtomicUsize);
    impl Target for Counts {
        fn call(self: Arc<Self>, call: Call) -> Reply {
            self.0.fetch_add(1, Ordering::Relaxed);
            call.reply(|(value,): (Value,)| Ok(value))
        }
    }
    let counts = Arc::new(Counts(AtomicUsize::new(0)));
    let mut pair = Pair::new(Stub::from_target(counts.clone()));
    let main = pair.client.main();
    for round in 0..100 {
        for n in 0..1000 {
            let promise = main.call("echo", (n,));
            if n % 10 == round % 10 {
                drop(pair.start(promise.into_future()));
            }
        }
        pair.settle();
        pair.client.log.clear();
        pair.server.log.clear();
        assert_eq!(pair.client.stats(), CLEAN);
    }
    assert_eq!(counts.0.load(Ordering::Relaxed), 100_000);
    pair.assert_clean();
}
