//! Everything that a peer can make this side hold or do has a bound, and a defined end.

use std::{sync::Arc, time::Duration};

use capnweb::{
    Connection, ErrorKind, Limits, Options, Promise, Stats, Stub, Target,
    transport::{Transport, memory},
};
use capnweb_tests::{FixedTarget, Gate, Log, OnDrop, Pair, Peer, TestExecutor, target};
use serde::Serialize;

fn limits(set: impl FnOnce(&mut Limits)) -> Options {
    let mut limits = Limits::default();
    set(&mut limits);
    Options::new().limits(limits)
}

#[test]
fn above_the_outgoing_limit_a_call_fails_at_once_until_there_is_room() {
    let peer = Peer::new(None, limits(|limits| limits.max_outgoing_bytes = 1000));
    let main = peer.connection.main();
    let waiting = peer.executor.start({
        let connection = peer.connection.clone();
        async move { connection.ready().await }
    });
    peer.executor.run();
    assert!(waiting.take().is_some(), "there is room at first");

    let log = Log::new();
    let callback = |name| {
        let guard = OnDrop(log.clone(), name);
        target(move |call| {
            let _ = &guard;
            call.no_such_method()
        })
    };
    let sent = main.call("large", ("x".repeat(1001), callback("sent")));
    let refused = main.call("small", (callback("refused"),));
    let refused = peer.executor.start(refused.into_future());
    let waiting = peer.executor.start({
        let connection = peer.connection.clone();
        async move { connection.ready().await }
    });
    peer.executor.run();
    assert_eq!(refused.take().unwrap().unwrap_err().kind(), ErrorKind::Overloaded);
    assert_eq!(log.take(), ["refused"], "a refused call keeps nothing");
    assert!(waiting.take().is_none());

    assert_eq!(peer.outgoing().len(), 1);
    peer.executor.run();
    assert!(waiting.take().unwrap().is_ok());
    drop(main.call("small", ()));
    assert_eq!(peer.outgoing()[0], r#"["push",["pipeline",0,["small"],[]]]"#);
    drop(sent);
}

#[test]
fn answers_are_not_refused_for_want_of_room() {
    let options = limits(|limits| limits.max_outgoing_bytes = 10);
    let peer = Peer::new(Some(FixedTarget::stub()), options);
    peer.executor.enter(|| {
        for id in 1..=3 {
            peer.session.receive(r#"["push",["pipeline",0,["echo"],["0123456789"]]]"#);
            peer.session.receive(format!(r#"["pull",{id}]"#));
        }
    });
    assert_eq!(peer.outgoing().len(), 3);
}

#[test]
fn a_peer_that_does_not_read_is_disconnected_after_a_while() {
    let executor = TestExecutor::new();
    let options = limits(|limits| limits.max_outgoing_bytes = 1000)
        .spawn(executor.handle())
        .stall_timeout(Duration::from_secs(30));
    let (ours, mut theirs) = memory::pair(1);
    let connection = Connection::start(ours, None, options);
    let main = connection.main();
    let pending = executor.start(main.call("first", ()).into_future());
    executor.run();
    for _ in 0..10 {
        drop(main.call("m", ("x".repeat(200),)));
    }
    let closed = executor.start(connection.closed());
    executor.run();
    executor.advance(Duration::from_secs(29));
    executor.run();
    assert!(pending.take().is_none());
    executor.advance(Duration::from_secs(1));
    executor.run();
    let error = pending.take().expect("its session has ended").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    let error = closed.take().expect("the transport is closed");
    assert_eq!(error.message(), "The peer did not read what was sent to it.");
    // The other end reads what was in the channel, and then the end.
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    while let std::task::Poll::Ready(Ok(_)) = theirs.poll_recv(&mut cx) {}
    assert!(theirs.poll_recv(&mut cx).is_ready());
}

#[test]
fn a_peer_that_reads_in_time_is_not_disconnected() {
    let executor = TestExecutor::new();
    let options = limits(|limits| limits.max_outgoing_bytes = 1000)
        .spawn(executor.handle())
        .stall_timeout(Duration::from_secs(30));
    let (ours, mut theirs) = memory::pair(1);
    let connection = Connection::start(ours, None, options);
    for _ in 0..4 {
        drop(connection.main().call("m", ("x".repeat(1001),)));
        executor.run();
        executor.advance(Duration::from_secs(29));
        executor.run();
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        while let std::task::Poll::Ready(message) = theirs.poll_recv(&mut cx) {
            assert!(message.is_ok());
            executor.run();
        }
    }
    let ready = executor.start(async move { connection.ready().await });
    executor.run();
    assert!(ready.take().unwrap().is_ok());
}

#[test]
fn holding_too_many_results_ends_the_session() {
    let options = limits(|limits| limits.max_exports = 4);
    let peer = Peer::new(Some(FixedTarget::stub()), options);
    for _ in 0..3 {
        peer.exchange(r#"["push",["pipeline",0,["square"],[1]]]"#, &[]);
    }
    peer.exchange(r#"["release",2,1]"#, &[]);
    peer.exchange(r#"["push",["pipeline",0,["square"],[1]]]"#, &[]);
    peer.exchange(
        r#"["push",["pipeline",0,["square"],[1]]]"#,
        &[r#"["abort",["error","Error","More than 4 results are held."]]"#],
    );
}

#[test]
fn sending_too_many_capabilities_ends_the_session() {
    let options = limits(|limits| limits.max_imports = 2);
    let peer = Peer::new(Some(FixedTarget::stub()), options);
    peer.exchange(r#"["push",{"a":["export",-1],"b":["promise",-2]}]"#, &[]);
    peer.exchange(r#"["release",1,1]"#, &[r#"["release",-1,1]"#, r#"["release",-2,1]"#]);
    peer.exchange(
        r#"["push",{"a":["export",-3],"b":["promise",-4],"c":["export",-5]}]"#,
        &[
            r#"["release",-3,1]"#,
            r#"["release",-4,1]"#,
            r#"["abort",["error","Error","More than 2 capabilities were sent."]]"#,
        ],
    );
}

#[test]
fn a_call_beyond_those_that_may_be_under_way_fails_and_is_not_run() {
    let log = Log::new();
    let gate = Gate::new();
    let (log2, gate2) = (log.clone(), gate.clone());
    let main = target(move |call| {
        let gate = gate2.clone();
        log2.push(call.method());
        call.reply_async(|(): ()| async move {
            gate.wait().await;
            Ok(())
        })
    });
    let peer = Peer::new(Some(main), limits(|limits| limits.max_calls_in_flight = 2));
    for name in ["a", "b", "c"] {
        peer.exchange(&format!(r#"["push",["pipeline",0,["{name}"],[]]]"#), &[]);
    }
    assert_eq!(log.take(), ["a", "b"]);
    peer.exchange(
        r#"["pull",3]"#,
        &[r#"["reject",3,["error","Error","More than 2 calls are in flight."]]"#],
    );
    gate.open();
    peer.executor.run();
    peer.exchange(r#"["push",["pipeline",0,["d"],[]]]"#, &[]);
    assert_eq!(log.take(), ["d"]);
}

/// A peer with a promise of ours that is never resolved, as its result 1.
fn holding(limit: usize) -> Peer {
    let options = limits(|limits| limits.max_calls_in_flight = limit);
    let peer = Peer::new(Some(FixedTarget::stub()), options);
    peer.exchange(r#"["push",["pipeline",0,["hold"],[]]]"#, &[]);
    peer
}

#[test]
fn calls_that_wait_for_a_promise_count_as_under_way() {
    for call in [r#"["pipeline",1,["m"],[]]"#, r#"["pipeline",0,["echo"],[["pipeline",1]]]"#] {
        let peer = holding(10);
        for id in 2..=20 {
            peer.exchange(&format!(r#"["push",{call}]"#), &[]);
            if id < 20 {
                peer.exchange(&format!(r#"["release",{id},1]"#), &[]);
            }
        }
        peer.exchange(
            r#"["pull",20]"#,
            &[r#"["reject",20,["error","Error","More than 10 calls are in flight."]]"#],
        );
    }
}

#[test]
fn pulls_that_wait_are_bounded() {
    let peer = holding(10);
    for id in 2..=11 {
        peer.exchange(r#"["push",["pipeline",1]]"#, &[]);
        peer.exchange(&format!(r#"["pull",{id}]"#), &[]);
        peer.exchange(&format!(r#"["release",{id},1]"#), &[]);
    }
    peer.exchange(r#"["push",["pipeline",1]]"#, &[]);
    peer.exchange(
        r#"["pull",12]"#,
        &[r#"["reject",12,["error","Error","More than 10 calls are in flight."]]"#],
    );
}

#[test]
fn properties_that_nobody_waits_for_any_more_are_not_kept() {
    let peer = holding(10);
    let mut id = 1;
    for _ in 0..10_000 {
        id += 1;
        peer.executor.enter(|| peer.session.receive(r#"["push",["pipeline",1,["p"]]]"#));
        peer.executor.enter(|| peer.session.receive(format!(r#"["release",{id},1]"#)));
    }
    // What is still wanted is still read.
    peer.exchange(r#"["push",["pipeline",1,["p"]]]"#, &[]);
    peer.exchange(&format!(r#"["pull",{}]"#, id + 1), &[]);
    peer.exchange(
        r#"["push",["pipeline",0,["releaseHeld"],[{"p":5}]]]"#,
        &[&format!(r#"["resolve",{},5]"#, id + 1)],
    );
}

#[test]
fn a_value_that_is_nested_too_deeply_is_not_sent() {
    #[derive(Serialize)]
    struct Nested(Vec<Nested>);
    let nested = |depth| (1..depth).fold(Nested(Vec::new()), |inner, _| Nested(vec![inner]));
    let mut pair = Pair::new(FixedTarget::stub());
    let deep = pair.client.main().call("echo", (nested(255),));
    assert!(pair.run(deep.into_future()).is_ok());
    let too_deep = pair.client.main().call("echo", (nested(256),));
    assert_eq!(pair.run(too_deep.into_future()).unwrap_err().kind(), ErrorKind::Encode);
    pair.assert_clean();
}

#[test]
fn a_message_that_is_too_long_ends_the_session() {
    let peer = Peer::new(Some(FixedTarget::stub()), limits(|limits| limits.max_message_size = 100));
    peer.exchange(&format!(r#"["push","{}"]"#, "x".repeat(89)), &[]);
    let answer = peer.send(&format!(r#"["push","{}"]"#, "x".repeat(90)));
    assert!(answer[0].starts_with(r#"["abort","#), "{answer:?}");
}

/// Returns what its argument, a function, returns, as a promise.
fn delegates() -> Stub {
    target(|call| call.reply(|(function,): (Stub,)| Ok(function.invoke(()))))
}

#[test]
fn a_promise_that_a_peer_resolves_with_itself_is_rejected() {
    const REJECTED: &str = r#"["error","TypeError","A promise was resolved with itself."]"#;
    let peer = Peer::new(Some(delegates()), Options::new());
    peer.exchange(
        r#"["push",["pipeline",0,["m"],[["export",-1]]]]"#,
        &[r#"["push",["pipeline",-1,[],[]]]"#, r#"["release",-1,1]"#],
    );
    peer.exchange(r#"["resolve",1,["import",1]]"#, &[r#"["release",1,1]"#]);
    peer.exchange(r#"["push",["pipeline",1,["m"],[]]]"#, &[]);
    peer.exchange(r#"["pull",2]"#, &[&format!(r#"["reject",2,{REJECTED}]"#)]);

    // Two that lead to each other.
    for _ in 0..2 {
        peer.send(r#"["push",["pipeline",0,["m"],[["export",-2]]]]"#);
    }
    peer.exchange(r#"["resolve",2,["import",4]]"#, &[r#"["release",2,1]"#]);
    peer.exchange(r#"["resolve",3,["import",3]]"#, &[r#"["release",3,1]"#]);
    peer.exchange(r#"["push",["pipeline",3,["m"],[]]]"#, &[]);
    peer.exchange(r#"["pull",5]"#, &[&format!(r#"["reject",5,{REJECTED}]"#)]);
}

#[test]
fn a_call_on_a_promise_that_becomes_the_result_of_that_call_is_rejected() {
    let peer = Peer::new(Some(FixedTarget::stub()), Options::new());
    peer.send(r#"["push",["pipeline",0,["callBack"],[["export",-1],1]]]"#);
    // A call on what the callback will return, and that is the result of this call.
    peer.send(r#"["push",["pipeline",1,["m"],[]]]"#);
    peer.send(r#"["pull",2]"#);
    let answers = peer.send(r#"["resolve",1,["import",2]]"#);
    assert!(
        answers.iter().any(|answer| answer.starts_with(r#"["reject",2,["error","TypeError","#)),
        "{answers:?}"
    );
}

#[test]
fn a_method_that_returns_its_own_promise_is_rejected() {
    for as_stub in [false, true] {
        let executor = TestExecutor::new();
        let own = Arc::new(std::sync::OnceLock::<Promise>::new());
        let gate = Gate::new();
        let (result, waits) = (own.clone(), gate.clone());
        let stub = target(move |call| {
            let (result, gate) = (result.clone(), waits.clone());
            call.reply_async(move |(): ()| async move {
                gate.wait().await;
                let own = result.get().unwrap().clone();
                Ok(if as_stub { own.stub().into() } else { capnweb::Value::Promise(own) })
            })
        });
        let promise = executor.enter(|| stub.call("m", ()));
        own.set(promise.clone()).unwrap();
        executor.run();
        gate.open();
        let outcome = executor.start(promise.call("n", ()).into_future());
        executor.run();
        assert_eq!(outcome.take().unwrap().unwrap_err().name(), "TypeError");
    }
}

/// Runs a test on as little stack as a spawned thread has.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(2 << 20).spawn(test).unwrap().join().unwrap();
}

#[test]
fn a_peer_cannot_build_a_chain_that_takes_stack() {
    on_a_small_stack(|| {
        const LENGTH: usize = 20_000;
        for release in [false, true] {
            let peer = Peer::new(Some(FixedTarget::stub()), Options::new());
            peer.executor.enter(|| {
                peer.session.receive(r#"["push",5]"#);
                for id in 1..LENGTH {
                    peer.session.receive(format!(r#"["push",{{"a":["import",{id}]}}]"#));
                }
                // A call through all of it.
                let path = vec!["\"a\""; 2000].join(",");
                peer.session.receive(format!(r#"["push",["pipeline",{LENGTH},[{path}],[]]]"#));
                if release {
                    for id in 1..=LENGTH + 1 {
                        peer.session.receive(format!(r#"["release",{id},1]"#));
                    }
                }
            });
            if release {
                assert_eq!(peer.connection.stats(), Stats { imports: 1, exports: 1 });
            }
            peer.session.disconnected("gone");
        }
    });
}

#[test]
fn a_path_through_objects_that_are_made_on_the_way_takes_no_stack() {
    struct Child;
    impl Target for Child {
        fn call(self: Arc<Self>, call: capnweb::Call) -> capnweb::Reply {
            call.reply(|(): ()| Ok("called"))
        }

        fn get(self: Arc<Self>, _: &str) -> capnweb::Reply {
            capnweb::Reply::value(Stub::target(Child))
        }
    }
    on_a_small_stack(|| {
        let peer = Peer::new(Some(Stub::target(Child)), Options::new());
        let path = vec!["\"child\""; 5000].join(",");
        peer.exchange(&format!(r#"["push",["pipeline",0,[{path},"m"],[]]]"#), &[]);
        peer.exchange(r#"["pull",1]"#, &[r#"["resolve",1,"called"]"#]);
        peer.exchange(&format!(r#"["push",["pipeline",0,[{path}]]]"#), &[]);
        peer.exchange(r#"["push",["pipeline",2,["m"],[]]]"#, &[]);
        peer.exchange(r#"["pull",3]"#, &[r#"["resolve",3,"called"]"#]);
    });
}
