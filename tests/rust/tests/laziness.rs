//! Nothing is asked for before it is wanted, and nothing is cancelled by not being wanted.

use capnweb::{Options, Promise};
use capnweb_tests::{FixedTarget, Gate, Log, Pair, Peer, target};

fn client() -> Peer {
    Peer::new(None, Options::new())
}

#[test]
fn a_call_goes_out_when_it_is_made_and_is_pulled_only_when_awaited() {
    let peer = client();
    let promise = peer.connection.main().call("square", (5,));
    peer.expect(&[r#"["push",["pipeline",0,["square"],[5]]]"#]);
    let outcome = peer.executor.start(promise.decode::<u32>().into_future());
    peer.expect(&[r#"["pull",1]"#]);
    peer.exchange(r#"["resolve",1,25]"#, &[r#"["release",1,1]"#]);
    assert_eq!(outcome.take().unwrap().unwrap(), 25);
}

#[test]
fn a_chain_is_pulled_at_its_end_only() {
    let peer = client();
    let main = peer.connection.main();
    let name = main.call("authenticate", ("t",)).call("profile", ()).get("name");
    peer.expect(&[
        r#"["push",["pipeline",0,["authenticate"],["t"]]]"#,
        r#"["push",["pipeline",1,["profile"],[]]]"#,
        r#"["release",1,1]"#,
    ]);
    let _outcome = peer.executor.start(name.into_future());
    peer.expect(&[r#"["push",["pipeline",2,["name"]]]"#, r#"["release",2,1]"#, r#"["pull",3]"#]);
}

#[test]
fn a_property_that_is_never_used_is_never_read() {
    let peer = client();
    let main = peer.connection.main();
    drop(main.get("a").get("b"));
    peer.expect(&[]);
    // A call through it names the whole path.
    let promise = main.get("a").get("b").call("m", ());
    peer.expect(&[r#"["push",["pipeline",0,["a","b","m"],[]]]"#]);
    drop(promise);
    peer.expect(&[r#"["release",1,1]"#]);
}

#[test]
fn a_property_as_an_argument_is_not_read_by_its_sender() {
    let peer = client();
    let main = peer.connection.main();
    let info = main.call("info", ());
    let _sum = main.call("echo", (info.get("a"),));
    peer.expect(&[
        r#"["push",["pipeline",0,["info"],[]]]"#,
        r#"["push",["pipeline",0,["echo"],[["pipeline",1,["a"]]]]]"#,
    ]);
}

#[test]
fn awaiting_twice_pulls_once() {
    let peer = client();
    let promise = peer.connection.main().call("get", ()).decode::<u32>();
    let outcomes = [0, 1].map(|_| peer.executor.start(promise.clone().into_future()));
    peer.expect(&[r#"["push",["pipeline",0,["get"],[]]]"#, r#"["pull",1]"#]);
    peer.exchange(r#"["resolve",1,7]"#, &[r#"["release",1,1]"#]);
    for outcome in outcomes {
        assert_eq!(outcome.take().unwrap().unwrap(), 7);
    }
}

#[test]
fn a_call_whose_promise_is_dropped_runs_to_its_end() {
    let log = Log::new();
    let gate = Gate::new();
    let (log2, gate2) = (log.clone(), gate.clone());
    let stub = target(move |call| {
        let (log, gate) = (log2.clone(), gate2.clone());
        call.reply_async(|(): ()| async move {
            log.push("begins");
            gate.wait().await;
            log.push("ends");
            Ok(())
        })
    });
    let mut pair = Pair::new(stub.clone());
    drop(pair.client.main().call("m", ()));
    pair.settle();
    assert_eq!(log.take(), ["begins"]);
    pair.executor.enter(|| drop(stub.call("m", ())));
    pair.settle();
    assert_eq!(log.take(), ["begins"]);
    gate.open();
    pair.settle();
    assert_eq!(log.take(), ["ends", "ends"]);
    pair.assert_clean();
}

#[test]
fn a_future_made_into_a_promise_runs_though_nobody_waits_for_it() {
    let log = Log::new();
    let pair = Pair::new(FixedTarget::stub());
    let ran = log.clone();
    pair.executor.enter(|| {
        drop(Promise::from_future(async move {
            ran.push("ran");
            Ok(())
        }));
    });
    assert!(log.take().is_empty());
    pair.executor.run();
    assert_eq!(log.take(), ["ran"]);
}
