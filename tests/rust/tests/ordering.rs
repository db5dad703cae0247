//! Calls on one stub are delivered in the order in which they were made.

use std::{
    sync::{Mutex, mpsc},
    thread,
};

use capnweb::{
    Connection, Options, Promise, Reply, Stub, Tokio, set_default_spawn, transport::memory,
};
use capnweb_tests::{FixedTarget, Gate, Log, Pair, Peer, TestExecutor, target};

fn numbered(method: &str, range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|n| format!("{method} {n}")).collect()
}

#[test]
fn calls_on_a_remote_stub_keep_their_order() {
    let log = Log::new();
    let mut pair = Pair::new(log.target());
    let stub = pair.client.main();
    let clone = stub.clone();
    for n in 0..50 {
        drop(if n % 2 == 0 { &stub } else { &clone }.call("m", (n,)));
    }
    pair.settle();
    assert_eq!(log.take(), numbered("m", 0..50));
}

#[test]
fn calls_on_a_local_stub_keep_their_order() {
    let log = Log::new();
    let executor = TestExecutor::new();
    let stub = log.target();
    executor.enter(|| {
        for n in 0..50 {
            drop(stub.clone().call("m", (n,)));
        }
    });
    assert!(log.take().is_empty(), "a call must not run on its caller's stack");
    executor.run();
    assert_eq!(log.take(), numbered("m", 0..50));
}

/// Makes a call after each step that leads to the resolution, and some after that.
fn call_during_resolution(resolve: impl Fn(&Stub, Gate) -> Promise) {
    let log = Log::new();
    let executor = TestExecutor::new();
    let stub = log.target();
    let gate = Gate::new();
    executor.enter(|| {
        let promise = resolve(&stub, gate.clone());
        let mut made = 0;
        let call = |made: &mut u32| {
            drop(promise.call("m", (*made,)));
            *made += 1;
        };
        (0..3).for_each(|_| call(&mut made));
        executor.run();
        assert!(log.take().is_empty());
        gate.open();
        while executor.run_one(|_| 0) {
            if made < 40 {
                call(&mut made);
                call(&mut made);
            }
        }
        executor.run();
        assert!(made > 6, "the resolution took no steps");
        assert_eq!(log.take(), numbered("m", 0..made));
    });
}

#[test]
fn calls_through_an_unresolved_promise_keep_their_order() {
    call_during_resolution(|stub, gate| {
        let stub = stub.clone();
        Promise::from_future(async move {
            gate.wait().await;
            Ok(stub)
        })
        .untyped()
    });
}

#[test]
fn calls_through_a_promise_of_a_promise_keep_their_order() {
    call_during_resolution(|stub, gate| {
        let stub = stub.clone();
        let inner = Promise::from_future(async move {
            gate.wait().await;
            Ok(stub)
        });
        Promise::<Promise<Stub>>::from_future(async move { Ok(inner) }).untyped()
    });
}

#[test]
fn calls_through_the_result_of_an_unfinished_method_keep_their_order() {
    call_during_resolution(|stub, gate| {
        let stub = stub.clone();
        target(move |call| {
            let (stub, gate) = (stub.clone(), gate.clone());
            call.reply_async(|(): ()| async move {
                gate.wait().await;
                Ok(stub)
            })
        })
        .call("get", ())
    });
}

#[test]
fn calls_through_a_remote_promise_keep_their_order_across_its_resolution() {
    let log = Log::new();
    let gate = Gate::new();
    let (inner, opener) = (log.target(), gate.clone());
    let mut pair = Pair::new(target(move |call| {
        let (inner, gate) = (inner.clone(), gate.clone());
        call.reply_async(|(): ()| async move {
            gate.wait().await;
            Ok(inner)
        })
    }));
    let promise = pair.client.main().call("get", ());
    let outcome = pair.start(promise.clone().decode::<Stub>().into_future());
    let mut made = 0;
    for step in 0..12 {
        if step == 4 {
            opener.open();
        }
        for _ in 0..2 {
            drop(promise.call("m", (made,)));
            made += 1;
        }
        pair.step();
    }
    pair.settle();
    assert!(outcome.take().unwrap().is_ok());
    assert_eq!(log.take(), numbered("m", 0..made));
}

#[test]
fn property_reads_and_calls_share_one_order() {
    let executor = TestExecutor::new();
    let mut pair = Pair::new(FixedTarget::stub());
    let counter = pair.client.main().call("makeCounter", (0,));
    let reads: Vec<_> = (0..3)
        .map(|_| {
            drop(counter.call("increment", ()));
            executor.enter(|| pair.start(counter.get("value").decode::<u32>().into_future()))
        })
        .collect();
    pair.settle();
    let values: Vec<_> = reads.into_iter().map(|read| read.take().unwrap().unwrap()).collect();
    assert_eq!(values, [1, 2, 3]);
}

#[test]
fn a_call_with_a_promise_in_its_arguments_waits_alone() {
    let log = Log::new();
    let gate = Gate::new();
    let executor = TestExecutor::new();
    let stub = log.target();
    executor.enter(|| {
        let waits = gate.clone();
        let argument = Promise::from_future(async move {
            waits.wait().await;
            Ok(1)
        });
        drop(stub.call("first", (0,)));
        drop(stub.call("waits", (argument,)));
        drop(stub.call("second", (2,)));
        drop(stub.call("third", (3,)));
    });
    executor.run();
    assert_eq!(log.take(), ["first 0", "second 2", "third 3"]);
    gate.open();
    executor.run();
    assert_eq!(log.take(), ["waits 1"]);
}

#[test]
fn a_promise_that_is_resolved_already_delays_nothing() {
    let log = Log::new();
    let executor = TestExecutor::new();
    let stub = log.target();
    executor.enter(|| {
        drop(stub.call("a", (Promise::resolved(&1),)));
        drop(stub.call("b", (2,)));
    });
    executor.run();
    assert_eq!(log.take(), ["a 1", "b 2"]);
}

#[test]
fn a_handler_runs_to_its_first_await_before_the_next_message() {
    let log = Log::new();
    let gate = Gate::new();
    let (log2, gate2) = (log.clone(), gate.clone());
    let main = target(move |call| {
        let (log, gate) = (log2.clone(), gate2.clone());
        let method = call.method().to_owned();
        call.reply_async(|(): ()| async move {
            log.push(format!("{method} begins"));
            gate.wait().await;
            log.push(format!("{method} ends"));
            Ok(())
        })
    });
    let peer = Peer::new(Some(main), Options::new());
    // Not even a task runs in between.
    peer.executor.enter(|| {
        peer.session.receive(r#"["push",["pipeline",0,["a"],[]]]"#);
        assert_eq!(log.take(), ["a begins"]);
        peer.session.receive(r#"["push",["pipeline",0,["b"],[]]]"#);
        assert_eq!(log.take(), ["b begins"]);
    });
    gate.open();
    peer.executor.run();
    assert_eq!(log.take(), ["a ends", "b ends"]);
}

#[test]
fn a_handler_that_calls_its_own_object_is_not_entered_again() {
    let log = Log::new();
    let executor = TestExecutor::new();
    let log2 = log.clone();
    let stub = target(move |call| {
        let log = log2.clone();
        call.reply(|(me, n): (Option<Stub>, u32)| {
            log.push(format!("begin {n}"));
            if let Some(me) = me {
                drop(me.call("again", (None::<Stub>, n + 1)));
            }
            log.push(format!("end {n}"));
            Ok(())
        })
    });
    executor.enter(|| {
        drop(stub.call("first", (&stub, 1)));
        drop(stub.call("later", (None::<Stub>, 5)));
    });
    executor.run();
    assert_eq!(log.take(), ["begin 1", "end 1", "begin 5", "end 5", "begin 2", "end 2"]);
}

#[test]
fn an_object_that_two_connections_share_is_not_entered_twice_at_once() {
    let log = Log::new();
    let (entered, has_entered) = mpsc::channel();
    let (leave, may_leave) = mpsc::channel();
    let first_call = Mutex::new(Some((entered, may_leave)));
    let lines = log.clone();
    let stub = target(move |call| {
        lines.push(format!("begin {}", call.method()));
        let first_call = first_call.lock().unwrap().take();
        if let Some((entered, may_leave)) = first_call {
            entered.send(()).unwrap();
            may_leave.recv().unwrap();
        }
        lines.push(format!("end {}", call.method()));
        Reply::undefined()
    });
    let first = Peer::new(Some(stub.clone()), Options::new());
    let second = Peer::new(Some(stub), Options::new());
    let thread = thread::spawn(move || {
        first.send(r#"["push",["pipeline",0,["first"],[]]]"#);
        first
    });
    has_entered.recv().unwrap();
    second.send(r#"["push",["pipeline",0,["second"],[]]]"#);
    leave.send(()).unwrap();
    let first = thread.join().unwrap();
    first.outgoing();
    second.outgoing();
    assert_eq!(log.take(), ["begin first", "end first", "begin second", "end second"]);
}

/// Checks that of what each thread did, everything happened, in that thread's order.
fn assert_each_threads_order(lines: &[String], threads: u32, calls: u32) {
    assert_eq!(lines.len(), (threads * calls) as usize);
    for thread in 0..threads {
        let prefix = format!("t{thread} ");
        let of_thread: Vec<_> =
            lines.iter().filter(|line| line.starts_with(&prefix)).cloned().collect();
        assert_eq!(of_thread, numbered(&format!("t{thread}"), 0..calls));
    }
}

fn call_from_threads(stub: &Stub, threads: u32, calls: u32) {
    thread::scope(|scope| {
        for thread in 0..threads {
            let stub = stub.clone();
            scope.spawn(move || {
                for n in 0..calls {
                    drop(stub.call(format!("t{thread}"), (n,)));
                }
            });
        }
    });
}

#[test]
fn each_threads_calls_keep_their_order() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    set_default_spawn(std::sync::Arc::new(Tokio::new(runtime.handle().clone())));

    let log = Log::new();
    let stub = log.target();
    call_from_threads(&stub, 4, 500);
    runtime.block_on(async { stub.call("last", ()).await }).unwrap();
    let mut lines = log.take();
    assert_eq!(lines.pop().as_deref(), Some("last"));
    assert_each_threads_order(&lines, 4, 500);

    let (a, b) = memory::pair(16);
    let server = Connection::start(a, Some(stub), Options::new());
    let client = Connection::start(b, None, Options::new());
    let stub = client.main();
    call_from_threads(&stub, 4, 500);
    runtime.block_on(async { stub.call("last", ()).await }).unwrap();
    let mut lines = log.take();
    assert_eq!(lines.pop().as_deref(), Some("last"));
    assert_each_threads_order(&lines, 4, 500);
    drop(server);
}

#[test]
fn calls_do_not_overtake_those_that_the_peer_still_passes_on() {
    // The server gives the client its own object back, later.
    let gate = Gate::new();
    let opens = gate.clone();
    let mut pair = Pair::new(target(move |call| {
        let gate = opens.clone();
        call.reply_async(|(stub,): (Stub,)| async move {
            gate.wait().await;
            Ok(stub)
        })
    }));
    let log = Log::new();
    let back = pair.client.main().call("giveBackLater", (log.target(),));
    // These travel to the server, which passes them on.
    let _first = back.call("method", (1,));
    let _second = back.call("method", (2,));
    let resolved = pair.start(back.clone().decode::<Stub>().into_future());
    pair.settle();
    gate.open();
    // The resolution arrives, and with it the way becomes direct.
    pair.executor.run();
    let answers = pair.server.session.outgoing();
    let (resolution, forwarded): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|frame| frame.starts_with("[\"resolve\""));
    assert_eq!((resolution.len(), forwarded.len()), (1, 2), "{resolution:?} {forwarded:?}");
    let deliver = |frame: String| pair.executor.enter(|| pair.client.session.receive(frame));
    resolution.into_iter().for_each(deliver);
    let _third = pair.executor.enter(|| back.call("method", (3,)));
    pair.executor.run();
    let deliver = |frame: String| pair.executor.enter(|| pair.client.session.receive(frame));
    forwarded.into_iter().for_each(deliver);
    pair.settle();
    assert_eq!(log.take(), ["method 1", "method 2", "method 3"]);
    assert!(resolved.take().unwrap().is_ok());
    drop((back, _first, _second, _third));
    pair.assert_clean();
}
