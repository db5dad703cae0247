//! What is held back from peers of old releases, message by message.

use capnweb::{
    Error, ErrorKind, Options, PeerRelease, Reply, Stub, Value,
    fetch::Blob,
    stream::WritableStream,
    value::{Date, Exception, Object},
};
use capnweb_tests::{Peer, target};
use futures::SinkExt;

fn url() -> Value {
    Value::Url(Box::new("http://x/".parse().unwrap()))
}

fn old(minor: u16) -> Options {
    Options::new().peer_release(PeerRelease::new(0, minor, 0))
}

#[test]
fn nothing_is_sent_of_a_call_that_holds_what_cannot_be_read() {
    let peer = Peer::new(None, old(4));
    let callback = Stub::function(|(): ()| async { Ok(()) });
    let call = peer.connection.main().call("f", (callback, Blob::new("", "x")));
    peer.expect(&[]);
    let error = futures::executor::block_on(async { call.await.unwrap_err() });
    assert_eq!(error.kind(), ErrorKind::Encode);
    assert_eq!(
        error.message(),
        "args[1]: a blob cannot be read by the peer's release 0.4.0, only from 0.8.0 on"
    );
}

#[test]
fn texts_that_look_like_tags_are_sent() {
    let peer = Peer::new(None, old(1));
    let value =
        Object::from_iter([("url", Value::from(["url", "inf"])), ("b", "[\"nan\"]".into())]);
    let call = peer.connection.main().call("f", ("url", ["blob"], value));
    peer.expect(&[
        r#"["push",["pipeline",0,["f"],["url",[["blob"]],{"url":[["url","inf"]],"b":"[\"nan\"]"}]]]"#,
    ]);
    drop(call);
}

#[test]
fn each_release_gets_what_it_knows() {
    let cases = [
        (Value::from(f64::NAN), 2),
        (Date::INVALID.into(), 8),
        (Blob::new("", "x").into(), 8),
        (Value::from([Value::Headers(Default::default())]), 5),
    ];
    for (value, since) in cases {
        for minor in 1..12 {
            let peer = Peer::new(None, old(minor));
            let call = peer.connection.main().call("f", (&value,));
            assert_eq!(!peer.outgoing().is_empty(), minor >= since, "{value:?} to 0.{minor}");
            drop(call);
        }
    }
}

#[test]
fn an_answer_that_cannot_be_read_rejects_the_call() {
    let main = target(|call| match call.method() {
        "url" => Reply::value(url()),
        _ => call.no_such_method(),
    });
    let peer = Peer::new(Some(main), old(11));
    peer.send(r#"["push",["pipeline",0,["url"],[]]]"#);
    peer.exchange(
        r#"["pull",1]"#,
        &[r#"["reject",1,["error","TypeError","a URL cannot be read by the peer's release 0.11.0, only from 0.11.1 on"]]"#],
    );
    peer.exchange(r#"["release",1,1]"#, &[]);
}

#[test]
fn a_thrown_error_loses_the_properties_that_cannot_be_read() {
    let main = target(|call| {
        let error = Exception::new("RangeError", "a, \"b\"").with_property("at", url());
        call.reply(move |(): ()| Err::<(), _>(Error::from(error)))
    });
    for (minor, expected) in [
        (11, r#"["reject",1,["error","RangeError","a, \"b\""]]"#),
        // Such a release does not look at properties.
        (4, r#"["reject",1,["error","RangeError","a, \"b\"",null,{"at":["url","http://x/"]}]]"#),
    ] {
        let peer = Peer::new(Some(main.clone()), old(minor));
        peer.send(r#"["push",["pipeline",0,["f"],[]]]"#);
        peer.exchange(r#"["pull",1]"#, &[expected]);
    }
}

#[test]
fn constants_of_a_map_are_looked_at() {
    let peer = Peer::new(None, old(4));
    let main = peer.connection.main();
    let mapped = main.get("list").map(|x| main.call("f", (x, url())));
    peer.expect(&[]);
    let error = futures::executor::block_on(async { mapped.await.unwrap_err() });
    assert!(error.message().contains("a URL cannot be read"), "{error}");
    let mapped = main.get("list").map(|x| main.call("f", (x, 5)));
    assert_eq!(peer.outgoing().len(), 1);
    drop(mapped);
}

#[test]
fn a_chunk_that_cannot_be_read_ends_its_stream() {
    let main = target(|call| {
        call.reply_async(|(mut out,): (WritableStream,)| async move {
            out.send(url()).await?;
            out.close().await
        })
    });
    let peer = Peer::new(Some(main), old(8));
    peer.send(r#"["push",["pipeline",0,["f"],[["writable",-1]]]]"#);
    let out = peer.send(r#"["pull",1]"#);
    assert!(out.iter().any(|frame| frame.contains("a URL cannot be read by")), "{out:?}");
    assert!(!out.iter().any(|frame| frame.contains("[\"url\"")), "{out:?}");
    assert!(peer.session.close_reason().is_none());
}
