//! One method cannot hurt another, nor the session.

use std::{future::pending, sync::Arc};

use capnweb::{Call, Error, Options, Reply, Stub, Target};
use capnweb_tests::{FixedTarget, Gate, Pair, Peer, target};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const REJECTION: &str = r#"["error","Error","Internal error: the method panicked."]"#;

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("secret");
    }
}

struct PanicsWhenWritten;

impl Serialize for PanicsWhenWritten {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("secret");
    }
}

struct PanicsWhenRead;

impl<'de> Deserialize<'de> for PanicsWhenRead {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("secret");
    }
}

struct Main(Gate);

impl Target for Main {
    fn call(self: Arc<Self>, call: Call) -> Reply {
        let gate = self.0.clone();
        match call.method() {
            "now" => panic!("secret"),
            "later" => call.reply_async(|(): ()| async move {
                gate.wait().await;
                if true {
                    panic!("secret");
                }
                Ok(())
            }),
            "reading" => call.reply(|(_,): (PanicsWhenRead,)| Ok(())),
            "writing" => call.reply(|(): ()| Ok(PanicsWhenWritten)),
            "dropping" => call.reply(|(): ()| {
                let guard = PanicsWhenDropped;
                Ok(target(move |call| {
                    let _ = &guard;
                    call.no_such_method()
                }))
            }),
            "never" => call.reply_async(|(): ()| pending::<Result<(), Error>>()),
            "fine" => call.reply(|(): ()| Ok("fine")),
            _ => call.no_such_method(),
        }
    }

    fn get(self: Arc<Self>, _: &str) -> Reply {
        panic!("secret");
    }

    fn has_method(&self, name: &str) -> bool {
        assert!(name != "asked", "secret");
        false
    }
}

fn serve() -> (Peer, Gate) {
    let gate = Gate::new();
    (Peer::new(Some(Stub::target(Main(gate.clone()))), Options::new()), gate)
}

/// Calls a method as the `id`th push, and checks that it is rejected and the session works on.
fn assert_rejected(peer: &Peer, id: u32, call: &str) {
    peer.exchange(&format!(r#"["push",["pipeline",0,{call}]]"#), &[]);
    let rejection = format!(r#"["reject",{id},{REJECTION}]"#);
    peer.exchange(&format!(r#"["pull",{id}]"#), &[&rejection]);
    peer.exchange(r#"["push",["pipeline",0,["fine"],[]]]"#, &[]);
    let fine = format!(r#"["resolve",{},"fine"]"#, id + 1);
    peer.exchange(&format!(r#"["pull",{}]"#, id + 1), &[&fine]);
}

#[test]
fn a_method_that_panics_rejects_and_tells_nothing() {
    let (peer, _) = serve();
    assert_rejected(&peer, 1, r#"["now"],[]"#);
    assert_rejected(&peer, 3, r#"["reading"],[1]"#);
    assert_rejected(&peer, 5, r#"["writing"],[]"#);
}

#[test]
fn a_property_that_panics_rejects_and_tells_nothing() {
    let (peer, _) = serve();
    assert_rejected(&peer, 1, r#"["property"]"#);
    assert_rejected(&peer, 3, r#"["asked"]"#);
}

#[test]
fn a_method_that_panics_later_rejects_and_tells_nothing() {
    let (peer, gate) = serve();
    peer.exchange(r#"["push",["pipeline",0,["later"],[]]]"#, &[]);
    peer.exchange(r#"["pull",1]"#, &[]);
    gate.open();
    peer.expect(&[&format!(r#"["reject",1,{REJECTION}]"#)]);
    assert_rejected(&peer, 2, r#"["now"],[]"#);
}

#[test]
fn an_object_that_panics_when_dropped_does_no_harm() {
    let (peer, _) = serve();
    peer.exchange(r#"["push",["pipeline",0,["dropping"],[]]]"#, &[]);
    peer.exchange(r#"["release",1,1]"#, &[]);
    assert_rejected(&peer, 2, r#"["now"],[]"#);
}

#[test]
fn a_method_that_never_ends_holds_up_nobody() {
    let (peer, _) = serve();
    for id in 1..=100 {
        peer.exchange(r#"["push",["pipeline",0,["never"],[]]]"#, &[]);
        peer.exchange(&format!(r#"["pull",{id}]"#), &[]);
    }
    peer.exchange(r#"["push",["pipeline",0,["fine"],[]]]"#, &[]);
    peer.exchange(r#"["pull",101]"#, &[r#"["resolve",101,"fine"]"#]);
}

#[test]
fn a_hook_for_errors_that_panics_hides_the_error() {
    let options = Options::new().on_send_error(|_| panic!("secret"));
    let peer = Peer::new(Some(FixedTarget::stub()), options);
    peer.exchange(r#"["push",["pipeline",0,["fail"],["Error","private"]]]"#, &[]);
    peer.exchange(r#"["pull",1]"#, &[r#"["reject",1,["error","Error","Internal error."]]"#]);
    peer.exchange(r#"["push",["pipeline",0,["square"],[2]]]"#, &[]);
    peer.exchange(r#"["pull",2]"#, &[r#"["resolve",2,4]"#]);
}

#[test]
fn a_local_method_that_panics_rejects_its_call_only() {
    let mut pair = Pair::new(FixedTarget::stub());
    let stub = Stub::target(Main(Gate::new()));
    let (bad, good) = pair.executor.enter(|| (stub.call("now", ()), stub.call("fine", ())));
    assert_eq!(
        pair.run(bad.into_future()).unwrap_err().message(),
        "Internal error: the method panicked."
    );
    assert_eq!(pair.run(good.decode::<String>().into_future()).unwrap(), "fine");
}
