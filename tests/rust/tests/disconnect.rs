//! What the end of a connection does to what was under way.

use std::time::Duration;

use capnweb::{Error, ErrorKind, Options, Stub, Value, value::Exception};
use capnweb_tests::{FixedTarget, Gate, Log, OnDrop, Outcome, Pair, Peer, target};

fn pending(peer: &Peer) -> Vec<Outcome<Result<Value, Error>>> {
    let main = peer.connection.main();
    let calls = [main.call("a", ()), main.call("b", ()).call("c", ()), main.get("d")];
    let outcomes = calls.map(|call| peer.executor.start(call.into_future())).into();
    assert_eq!(peer.outgoing().len(), 8);
    outcomes
}

fn failures(peer: &Peer, outcomes: Vec<Outcome<Result<Value, Error>>>) -> Vec<Error> {
    peer.executor.run();
    outcomes
        .into_iter()
        .map(|outcome| outcome.take().expect("it waits still").unwrap_err())
        .collect()
}

#[test]
fn pending_calls_fail_as_disconnected_when_the_channel_breaks() {
    let peer = Peer::new(None, Options::new());
    let outcomes = pending(&peer);
    peer.session.disconnected("cable cut");
    for error in failures(&peer, outcomes) {
        assert_eq!(error.kind(), ErrorKind::Disconnected);
        assert_eq!(error.message(), "cable cut");
    }
    // And so do new ones, at once.
    let late = vec![peer.executor.start(peer.connection.main().call("e", ()).into_future())];
    for error in failures(&peer, late) {
        assert_eq!(error.kind(), ErrorKind::Disconnected);
    }
}

#[test]
fn the_peers_reason_to_abort_reaches_every_pending_call() {
    let peer = Peer::new(None, Options::new());
    let outcomes = pending(&peer);
    peer.exchange(r#"["abort",["error","RangeError","enough",null,{"code":7}]]"#, &[]);
    for error in failures(&peer, outcomes) {
        assert_eq!((error.name(), error.message()), ("RangeError", "enough"));
        assert_eq!(error.exception().unwrap().properties.get("code"), Some(&7.into()));
        assert_eq!(error.kind(), ErrorKind::Disconnected, "it was not thrown by the method");
    }
    let peer = Peer::new(None, Options::new());
    let outcomes = pending(&peer);
    peer.exchange(r#"["abort","a word"]"#, &[]);
    for error in failures(&peer, outcomes) {
        assert_eq!(error.thrown().as_str(), Some("a word"));
    }
}

#[test]
fn our_own_abort_tells_the_peer_and_every_pending_call() {
    let peer = Peer::new(None, Options::new());
    let outcomes = pending(&peer);
    peer.connection.abort(Exception::new("RangeError", "enough").into());
    peer.expect(&[r#"["abort",["error","RangeError","enough"]]"#]);
    for error in failures(&peer, outcomes) {
        assert_eq!((error.kind(), error.message()), (ErrorKind::Disconnected, "enough"));
    }
}

#[test]
fn a_peer_that_breaks_the_protocol_fails_pending_calls_as_such() {
    let peer = Peer::new(None, Options::new());
    let outcomes = pending(&peer);
    assert!(peer.send("nonsense")[0].starts_with(r#"["abort","#));
    for error in failures(&peer, outcomes) {
        assert_eq!(error.kind(), ErrorKind::Protocol);
    }
}

#[test]
fn broken_by_fires_for_every_stub_of_the_connection() {
    let peer = Peer::new(Some(FixedTarget::stub()), Options::new());
    peer.exchange(r#"["push",["pipeline",0,["keep"],[["export",-1]]]]"#, &[]);
    let main = peer.connection.main();
    let stubs = [main.clone(), main.call("get", ()).stub(), main.get("property").stub()];
    let waiting = stubs.map(|stub| peer.executor.start(Stub::broken_by(&stub)));
    let local = peer.executor.start(Stub::broken_by(&FixedTarget::stub()));
    peer.executor.run();
    for waiting in &waiting {
        assert!(waiting.take().is_none());
    }
    peer.session.disconnected("gone");
    peer.executor.run();
    for waiting in waiting {
        assert_eq!(waiting.take().unwrap().message(), "gone");
    }
    assert!(local.take().is_none(), "an object of this process never breaks");
}

#[test]
fn broken_by_fires_when_the_promise_is_rejected() {
    let mut pair = Pair::new(FixedTarget::stub());
    let promise = pair.client.main().call("fail", ("Error", "no"));
    let broken = pair.start(Stub::broken_by(&promise.stub()));
    pair.settle();
    assert!(broken.take().is_none(), "it does not ask");
    let _ = pair.run(promise.into_future());
    pair.settle();
    assert_eq!(broken.take().unwrap().message(), "no");
}

#[test]
fn what_the_peer_held_is_dropped() {
    let log = Log::new();
    let made = log.clone();
    let peer = Peer::new(
        Some(target(move |call| {
            let guard = OnDrop(made.clone(), "dropped");
            call.reply(|(): ()| {
                Ok(target(move |call| {
                    let _ = &guard;
                    call.no_such_method()
                }))
            })
        })),
        Options::new(),
    );
    for id in 1..=3 {
        peer.exchange(r#"["push",["pipeline",0,["make"],[]]]"#, &[]);
        peer.send(&format!(r#"["pull",{id}]"#));
    }
    assert!(log.take().is_empty());
    peer.session.disconnected("gone");
    assert_eq!(log.take().len(), 3);
}

/// Serves a method that goes through one gate after the other.
fn walks(gates: [Gate; 2], log: &Log, timeout: Duration) -> Peer {
    let log = log.clone();
    let main = target(move |call| {
        let (gates, log) = (gates.clone(), log.clone());
        let caller = call.caller().clone();
        call.reply_async(|(): ()| async move {
            let _guard = OnDrop(log.clone(), "dropped");
            log.push(format!("begins {}", caller.is_gone()));
            gates[0].wait().await;
            log.push(format!("goes on {}", caller.is_gone()));
            gates[1].wait().await;
            log.push("ends");
            Ok(())
        })
    });
    let peer = Peer::new(Some(main), Options::new().orphan_timeout(timeout));
    peer.exchange(r#"["push",["pipeline",0,["walk"],[]]]"#, &[]);
    peer.exchange(r#"["pull",1]"#, &[]);
    peer
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_method_that_has_begun_goes_on_without_its_caller() {
    let (gates, log) = ([Gate::new(), Gate::new()], Log::new());
    let peer = walks(gates.clone(), &log, MINUTE);
    peer.session.disconnected("gone");
    peer.executor.run();
    assert_eq!(log.take(), ["begins false"]);
    gates[0].open();
    peer.executor.run();
    assert_eq!(log.take(), ["goes on true"]);
    gates[1].open();
    peer.executor.run();
    assert_eq!(log.take(), ["ends", "dropped"]);
    assert!(peer.outgoing().is_empty());
}

#[test]
fn a_method_without_caller_that_makes_no_progress_is_dropped() {
    let (gates, log) = ([Gate::new(), Gate::new()], Log::new());
    let peer = walks(gates.clone(), &log, MINUTE);
    peer.executor.advance(10 * MINUTE);
    peer.executor.run();
    assert_eq!(log.take(), ["begins false"], "with a caller it has all the time it wants");
    peer.session.disconnected("gone");
    peer.executor.run();
    peer.executor.advance(MINUTE / 2);
    gates[0].open();
    peer.executor.run();
    assert_eq!(log.take(), ["goes on true"]);
    // Progress gave it a new deadline.
    peer.executor.advance(MINUTE - Duration::from_secs(1));
    peer.executor.run();
    assert!(log.take().is_empty());
    peer.executor.advance(Duration::from_secs(1));
    peer.executor.run();
    assert_eq!(log.take(), ["dropped"]);
}

#[test]
fn a_method_can_wait_for_its_caller_to_go() {
    let log = Log::new();
    let log2 = log.clone();
    let main = target(move |call| {
        let log = log2.clone();
        let caller = call.caller().clone();
        call.reply_async(|(): ()| async move {
            caller.gone().await;
            log.push("gone");
            Ok(())
        })
    });
    let peer = Peer::new(Some(main.clone()), Options::new());
    peer.exchange(r#"["push",["pipeline",0,["m"],[]]]"#, &[]);
    peer.executor.enter(|| drop(main.call("m", ())));
    peer.executor.run();
    assert!(log.take().is_empty());
    peer.session.disconnected("gone");
    peer.executor.run();
    assert_eq!(log.take(), ["gone"], "the local caller never goes");
}

#[test]
fn frames_after_the_end_are_ignored() {
    let peer = Peer::new(Some(FixedTarget::stub()), Options::new());
    peer.exchange(r#"["abort","enough"]"#, &[]);
    peer.exchange(r#"["push",["pipeline",0,["square"],[2]]]"#, &[]);
    peer.exchange(r#"["pull",1]"#, &[]);
    peer.exchange("nonsense", &[]);
}

#[test]
fn a_stub_of_an_ended_connection_sends_an_error_over_another() {
    let peer = Peer::new(None, Options::new());
    let dead = peer.connection.main();
    peer.session.disconnected("gone");
    let mut pair = Pair::new(FixedTarget::stub());
    let back = pair.client.main().call("giveBack", (&dead,)).get("stub");
    let stub: Stub = pair.run(back.decode::<Stub>().into_future()).unwrap();
    let error = pair.run(stub.call("m", ()).into_future()).unwrap_err();
    assert_eq!(error.message(), "gone");
    drop(stub);
    drop(dead);
    pair.assert_clean();
}
