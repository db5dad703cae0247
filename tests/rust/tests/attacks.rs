//! What a peer could send to make this side use up its stack, memory or time, frame by frame.
//! Test threads have stacks of 2 MiB.

use std::{sync::Arc, time::Duration};

use capnweb::{Limits, Options, Stub, stream::ReadableStream};
use capnweb_tests::{FixedTarget, Log, OnDrop, Pair, Peer, target};
use futures::StreamExt;

fn peer(limits: impl FnOnce(&mut Limits)) -> Peer {
    let mut all = Limits::default();
    limits(&mut all);
    Peer::new(Some(FixedTarget::stub()), Options::new().limits(all))
}

#[test]
fn values_of_promises_of_values_are_answered_without_recursion() {
    const DEEP: usize = 20_000;
    let peer = peer(|_| {});
    peer.exchange(r#"["push",5]"#, &[]);
    for k in 1..=DEEP {
        peer.exchange(&format!(r#"["push",{{"a":["pipeline",{k}]}}]"#), &[]);
    }
    let answers = peer.send(&format!(r#"["pull",{}]"#, DEEP + 1));
    assert_eq!(answers.len(), DEEP + 1);
    assert_eq!(answers[DEEP], format!(r#"["resolve",-{DEEP},5]"#));
}

#[test]
fn nested_maps_are_carried_out_to_a_depth_that_takes_little_stack() {
    let peer = peer(|_| {});
    peer.exchange(r#"["push",5]"#, &[]);
    let mut instruction = r#"["pipeline",0]"#.to_owned();
    for _ in 0..5000 {
        instruction = format!(r#"["remap",0,[],[],[{instruction}]]"#);
    }
    peer.exchange(&format!(r#"["push",["remap",1,[],[],[{instruction}]]]"#), &[]);
    let answers = peer.send(r#"["pull",2]"#).join("");
    assert!(answers.contains("RangeError"), "{answers}");
    assert!(peer.session.close_reason().is_none());
}

/// Makes a value that holds another one twice, so many times over.
fn doubling(peer: &Peer, times: usize) {
    peer.exchange(r#"["push","x"]"#, &[]);
    for k in 1..=times {
        peer.exchange(&format!(r#"["push",[[["pipeline",{k}],["pipeline",{k}]]]]"#), &[]);
    }
}

#[test]
fn an_argument_that_doubles_itself_over_and_over_rejects_its_call() {
    let peer = peer(|_| {});
    doubling(&peer, 40);
    peer.exchange(r#"["push",["pipeline",0,["echo"],[["pipeline",41]]]]"#, &[]);
    let answers = peer.send(r#"["pull",42]"#).join("");
    assert!(answers.contains("grows too large"), "{answers}");
}

#[test]
fn a_result_that_doubles_itself_over_and_over_ends_the_session() {
    let peer = peer(|limits| limits.max_exports = 1000);
    doubling(&peer, 40);
    peer.send(r#"["pull",41]"#);
    assert!(peer.session.close_reason().is_some());
}

#[test]
fn nested_maps_share_their_steps() {
    let peer = peer(|limits| limits.max_map_steps = 10_000);
    let list = vec!["1"; 100].join(",");
    peer.exchange(&format!(r#"["push",[[{list}]]]"#), &[]);
    // Each of a hundred elements maps over the hundred again, and so on.
    let mut instruction = r#"["pipeline",-1]"#.to_owned();
    for _ in 0..4 {
        instruction = format!(r#"["remap",-1,[],[["import",-1]],[{instruction}]]"#);
    }
    let message = format!(r#"["push",["remap",1,[],[["import",1]],[{instruction}]]]"#);
    peer.exchange(&message, &[]);
    let answers = peer.send(r#"["pull",2]"#).join("");
    assert!(answers.contains("RangeError"), "{}", &answers[..answers.len().min(300)]);
}

#[test]
fn what_a_map_makes_of_a_large_constant_is_bounded() {
    let peer = peer(|limits| limits.max_message_size = 1 << 20);
    let list = vec!["1"; 1000].join(",");
    peer.exchange(&format!(r#"["push",[[{list}]]]"#), &[]);
    let constant = "x".repeat(100_000);
    peer.exchange(&format!(r#"["push",["remap",1,[],[],["{constant}"]]]"#), &[]);
    let answers = peer.send(r#"["pull",2]"#).join("");
    assert!(answers.contains("RangeError"), "{}", &answers[..answers.len().min(300)]);
}

#[test]
fn a_message_of_many_references_is_read() {
    // In linear time: a quadratic scan of these would take minutes.
    let peer = peer(|_| {});
    let references = vec![r#"["import",0]"#; 300_000].join(",");
    peer.exchange(&format!(r#"["push",[[{references}]]]"#), &[]);
    peer.exchange(r#"["release",1,1]"#, &[]);
    assert_eq!(peer.connection.stats().exports, 1);
}

#[test]
fn answers_of_stream_messages_that_wait_are_bounded() {
    let peer = peer(|limits| limits.max_calls_in_flight = 10);
    peer.exchange(r#"["push",["promise",-1]]"#, &[]);
    let mut rejected = 0;
    for k in 2..102 {
        let answers = peer.send(r#"["stream",["pipeline",1]]"#);
        rejected += answers.iter().filter(|a| a.starts_with("[\"reject\"")).count();
        if answers.is_empty() {
            peer.send(&format!(r#"["release",{k},1]"#));
        }
    }
    assert_eq!(rejected, 90);
}

#[test]
fn many_pulls_of_one_promise_wait_side_by_side() {
    // In linear time: comparing every waiting task with every other one would take minutes.
    let peer = peer(|_| {});
    peer.exchange(r#"["push",["pipeline",0,["hold"],[]]]"#, &[]);
    for k in 2..50_002 {
        peer.exchange(r#"["push",["pipeline",1]]"#, &[]);
        peer.exchange(&format!(r#"["pull",{k}]"#), &[]);
    }
    let answers = peer.send(r#"["push",["pipeline",0,["releaseHeld"],[7]]]"#);
    assert_eq!(answers.len(), 50_000);
    assert!(answers.iter().all(|answer| answer.ends_with(",7]")));
}

#[test]
fn a_value_that_is_resolved_to_hold_itself_is_freed() {
    let log = Log::new();
    let dropped = Arc::new(OnDrop(log.clone(), "dropped"));
    let main = target(move |call| {
        let _ = &dropped;
        call.no_such_method()
    });
    let peer = Peer::new(Some(main), Options::new());
    peer.exchange(r#"["push",{"a":["promise",-1]}]"#, &[]);
    peer.exchange(
        r#"["resolve",-1,{"b":["pipeline",1],"main":["import",0]}]"#,
        &[r#"["release",-1,1]"#],
    );
    peer.exchange(r#"["release",1,1]"#, &[]);
    let Peer { session, connection, .. } = peer;
    drop((connection, session));
    assert_eq!(log.take(), ["dropped"]);
}

#[test]
fn a_stream_with_nothing_to_say_ends_with_its_connection() {
    let log = Log::new();
    let guard = log.clone();
    let mut pair = Pair::new(target(move |call| {
        let guard = OnDrop(guard.clone(), "dropped");
        let quiet = futures::stream::pending::<()>().map(move |()| {
            let _ = &guard;
            Ok(1)
        });
        drop(call);
        capnweb::Reply::value(ReadableStream::<u8>::new(quiet))
    }));
    let stream = pair.client.main().call("events", ()).decode::<ReadableStream<u8>>();
    let stream = pair.run(async move { stream.await }).unwrap();
    assert!(log.take().is_empty());
    pair.server.session.disconnected("gone");
    pair.executor.advance(Duration::from_secs(1));
    pair.settle();
    assert_eq!(log.take(), ["dropped"]);
    drop(stream);
}

#[test]
fn a_destructor_does_not_run_what_it_calls() {
    // The stub that it calls would lock what the destructor has locked.
    let log = Log::new();
    let lock = Arc::new(std::sync::Mutex::new(()));
    struct Locked {
        lock: Arc<std::sync::Mutex<()>>,
        callee: Stub,
    }
    impl Drop for Locked {
        fn drop(&mut self) {
            let _guard = self.lock.lock().unwrap();
            drop(self.callee.call("dropped", ()));
        }
    }
    let (inner, lines) = (lock.clone(), log.clone());
    let callee = target(move |call| {
        let _guard = inner.lock().unwrap();
        lines.push("called");
        call.reply(|(): ()| Ok(()))
    });
    let main = target(move |call| {
        let locked = Locked { lock: lock.clone(), callee: callee.clone() };
        call.reply(|(): ()| {
            Ok(target(move |call| {
                let _ = &locked;
                call.no_such_method()
            }))
        })
    });
    let peer = Peer::new(Some(main), Options::new());
    peer.exchange(r#"["push",["pipeline",0,["make"],[]]]"#, &[]);
    peer.exchange(r#"["release",1,1]"#, &[]);
    assert_eq!(log.take(), ["called"]);
}
