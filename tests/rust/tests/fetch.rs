//! Blobs, headers, requests and responses between two sessions, and from peers that err.

use std::future::IntoFuture;

use capnweb::{
    ErrorKind, Limits, Options, Reply, Stub, Value,
    fetch::{Blob, Body, Headers, Request, Response},
    stream::ReadableStream,
    value::{Bytes, Object},
};
use capnweb_tests::{FixedTarget, Log, Pair, Peer, target};
use futures::stream;
use serde::{Deserialize, Serialize};

fn request(method: &str) -> Request {
    Request::new(method, "http://x/".parse().unwrap())
}

#[test]
fn a_blob_is_sent_through_a_pipe() {
    let mut pair = Pair::new(FixedTarget::stub());
    let read = pair.client.main().call("readBlob", (Blob::new("text/plain", "hello"),));
    let read = pair.run(async move { read.decode::<Object>().await }).unwrap();
    assert_eq!(read.get("text"), Some(&"hello".into()));
    assert_eq!(
        pair.client.log[..3],
        [
            r#"["pipe"]"#,
            r#"["push",["pipeline",0,["readBlob"],[["blob","text/plain",["readable",1]]]]]"#,
            r#"["stream",["pipeline",1,["write"],[["bytes","aGVsbG8"]]]]"#,
        ]
    );
    pair.assert_clean();
}

#[test]
fn a_call_waits_for_its_blob_alone() {
    let log = Log::new();
    let main = target({
        let log = log.clone();
        move |call| {
            let log = log.clone();
            call.reply(move |(value,): (Value,)| {
                log.push(if matches!(value, Value::Blob(_)) { "blob" } else { "later" });
                Ok(())
            })
        }
    });
    let peer = Peer::new(Some(main), Options::new());
    peer.send(r#"["pipe"]"#);
    peer.exchange(r#"["push",["pipeline",0,["f"],[["blob","",["readable",1]]]]]"#, &[]);
    peer.exchange(r#"["push",["pipeline",0,["f"],[1]]]"#, &[]);
    assert_eq!(log.take(), ["later"]);
    let written = peer.send(r#"["stream",["pipeline",1,["write"],[["bytes","AA"]]]]"#);
    assert_eq!(written, [r#"["resolve",4,["undefined"]]"#]);
    assert!(log.take().is_empty());
    peer.send(r#"["stream",["pipeline",1,["close"],[]]]"#);
    assert_eq!(log.take(), ["blob"]);
}

#[test]
fn a_blob_that_is_too_long_fails_its_call_and_stops_its_sender() {
    let mut limits = Limits::default();
    limits.max_blob_bytes = 200_000;
    let mut pair =
        Pair::with(None, Some(FixedTarget::stub()), Options::new(), Options::new().limits(limits));
    let api = pair.client.main();
    for (len, fits) in [(200_000, true), (200_001, false), (10_000_000, false)] {
        let read = api.call("readBlob", (Blob::new("", vec![b'x'; len]),));
        let read = pair.run(async move { read.await });
        match read {
            Ok(_) => assert!(fits, "{len}"),
            Err(error) => {
                assert!(!fits, "{len}: {error}");
                assert_eq!(error.message(), "The blob is longer than 200000 bytes.");
            }
        }
        let sent: usize = pair.client.log.drain(..).map(|frame| frame.len()).sum();
        assert!(sent < 1_000_000, "{sent} bytes were sent of {len}");
    }
    drop(api);
    pair.assert_clean();
}

#[test]
fn a_blob_whose_stream_breaks_fails_its_call() {
    for end in [
        r#"["stream",["pipeline",1,["abort"],[["error","RangeError","no more"]]]]"#,
        r#"["release",1,1]"#,
        r#"["stream",["pipeline",1,["write"],["no bytes"]]]"#,
    ] {
        let peer = Peer::new(Some(FixedTarget::stub()), Options::new());
        peer.send(r#"["pipe"]"#);
        peer.send(r#"["push",["pipeline",0,["readBlob"],[["blob","",["readable",1]]]]]"#);
        peer.exchange(r#"["pull",2]"#, &[]);
        let out = peer.send(end);
        assert!(out.iter().any(|frame| frame.starts_with(r#"["reject",2,"#)), "{end}: {out:?}");
        assert!(peer.session.close_reason().is_none());
    }
}

#[test]
fn a_blob_in_a_result_can_be_awaited_twice_and_sent_on() {
    let mut pair = Pair::new(FixedTarget::stub());
    let api = pair.client.main();
    let made = api.call("makeBlob", ("a/b", "hello"));
    let await_blob = || made.clone().decode::<Blob>().into_future();
    let (first, second) = (await_blob(), await_blob());
    // The peer's own promise comes home as itself; its blob is not sent twice.
    let read = api.call("readBlob", (made,)).decode::<Object>().into_future();
    let all = pair.run(async move { futures::try_join!(first, second, read) });
    let (first, second, read) = all.unwrap();
    assert_eq!((&first, first.content_type()), (&second, "a/b"));
    assert_eq!(read.get("text"), Some(&"hello".into()));
    drop(api);
    pair.assert_clean();
}

#[test]
fn blobs_and_streamed_bodies_pass_through_a_third_party() {
    // The far end is reached through one in the middle.
    let mut far = Pair::new(FixedTarget::stub());
    let far_main = far.client.main();
    let mut near = Pair::new(target(move |call| {
        let method = call.method().to_owned();
        let far = far_main.clone();
        call.reply(move |(value,): (Value,)| Ok(far.call(method, (value,))))
    }));
    let body = ReadableStream::new(stream::iter([Ok(Bytes::new("he")), Ok(Bytes::new("llo"))]));
    let mut streamed = request("POST");
    streamed.body = body.into();
    let api = near.client.main();
    let blob = near
        .start(api.call("readBlob", (Blob::new("a/b", "hello"),)).decode::<Object>().into_future());
    let text = near.start(api.call("readBody", (streamed,)).decode::<Object>().into_future());
    while near.step() || far.step() {}
    for read in [blob, text] {
        assert_eq!(read.take().unwrap().unwrap().get("text"), Some(&"hello".into()));
    }
    drop(api);
    near.assert_clean();
}

#[test]
fn requests_are_written_without_what_is_default() {
    let peer = Peer::new(None, Options::new());
    let main = peer.connection.main();
    let mut full = request("post");
    full.headers = Headers::from_pairs([("B", "2"), ("a", "1")]).unwrap();
    full.body = "text".into();
    full.init.insert("cf", Object::from_iter([("a", Value::from([1, 2]))]));
    let mut response = Response::of_status(404);
    response.status_text = "Not Found".into();
    let sent = [
        (Value::from(request("GET")), r#"["request","http://x/",{}]"#),
        (
            full.into(),
            concat!(
                r#"["request","http://x/",{"method":"POST","headers":[["a","1"],["b","2"]],"#,
                r#""cf":{"a":[1,2]},"body":"text"}]"#
            ),
        ),
        (Response::default().into(), r#"["response",null,{}]"#),
        (response.into(), r#"["response",null,{"status":404,"statusText":"Not Found"}]"#),
        (Response::new(vec![0_u8]).into(), r#"["response",["bytes","AA"],{}]"#),
    ];
    for (value, expected) in sent {
        let call = main.call("f", (&value,));
        peer.expect(&[&format!(r#"["push",["pipeline",0,["f"],[{expected}]]]"#)]);
        std::mem::forget(call);
    }
}

#[test]
fn a_streamed_body_is_half_duplex() {
    let peer = Peer::new(None, Options::new());
    let mut streamed = request("PUT");
    streamed.body = ReadableStream::new(stream::empty()).into();
    let call = peer.connection.main().call("f", (streamed,));
    let out = peer.outgoing();
    assert_eq!(
        out[..2],
        [
            r#"["pipe"]"#,
            concat!(
                r#"["push",["pipeline",0,["f"],[["request","http://x/","#,
                r#"{"method":"PUT","duplex":"half","body":["readable",1]}]]]]"#
            ),
        ]
    );
    drop(call);
}

#[test]
fn other_members_of_an_init_are_data_and_not_expressions() {
    let peer = Peer::new(Some(FixedTarget::stub()), Options::new());
    let init = r#"{"cf":["pipeline",0,["dropKept"],[]],"x":["\#",0],"n":[1]}"#.replace('\\', "");
    let text = format!(r#"["request","http://x/",{init}]"#);
    peer.send(&format!(r#"["push",["pipeline",0,["echo"],[{text}]]]"#));
    peer.exchange(r#"["pull",1]"#, &[&format!(r#"["resolve",1,{text}]"#)]);
}

#[test]
fn what_the_constructors_refuse_aborts() {
    let refused = [
        r#"["headers",[["a","b\nc"]]]"#,
        r#"["headers",[["a","\u20ac"]]]"#,
        r#"["headers",[["","b"]]]"#,
        r#"["headers",[["a",["b"]]]]"#,
        r#"["request","http://user:secret@x/",{}]"#,
        r#"["request","http://x/",{"method":"TRACE"}]"#,
        r#"["request","http://x/",{"method":"a b"}]"#,
        r#"["request","http://x/",{"body":"x"}]"#,
        r#"["request","http://x/",{"method":"POST","body":["bytes","AAAA","Int8Array"]}]"#,
        r#"["request","http://x/",{"method":"POST","body":["undefined"]}]"#,
        r#"["request","http://x/",{"signal":["nope"]}]"#,
        r#"["request","http://x/",{"headers":null}]"#,
        r#"["response","x",{"status":204}]"#,
        r#"["response",null,{"status":600}]"#,
        r#"["response",null,{"statusText":"a\nb"}]"#,
        r#"["response",null,{"webSocket":{}}]"#,
        r#"["response",["pipeline",0],{}]"#,
        r#"["blob","",["pipeline",0]]"#,
        r#"["blob","",["readable",7]]"#,
    ];
    for text in refused {
        let peer = Peer::new(Some(FixedTarget::stub()), Options::new());
        let out = peer.send(&format!(r#"["push",{text}]"#));
        assert!(out.len() == 1 && out[0].starts_with(r#"["abort","#), "{text}: {out:?}");
    }
    let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    let peer = Peer::new(None, Options::new());
    let out = peer.send(&format!(r#"["push",["request","http://x/",{{"cf":{deep}}}]]"#));
    assert!(out[0].contains("maximum allowed message depth"), "{out:?}");
}

#[test]
fn odd_but_harmless_spellings_are_read() {
    let accepted = [
        (r#"[ "headers" , [ [ "A" , "b" ] ] ]"#, r#"["headers",[["a","b"]]]"#),
        (
            r#"["request", "http://x", {"signal": null, "method": "put", "method": "post"}]"#,
            r#"["request","http://x/",{"method":"POST"}]"#,
        ),
        (
            r#"["response", "x", {"status": 201, "webSocket": false}]"#,
            r#"["response","x",{"status":201}]"#,
        ),
        (
            r#"["request","http://x/",{"body":null,"duplex":"half"}]"#,
            r#"["request","http://x/",{}]"#,
        ),
    ];
    for (text, expected) in accepted {
        let peer = Peer::new(Some(FixedTarget::stub()), Options::new());
        peer.send(&format!(r#"["push",["pipeline",0,["echo"],[{text}]]]"#));
        peer.exchange(r#"["pull",1]"#, &[&format!(r#"["resolve",1,{expected}]"#)]);
    }
}

#[test]
fn they_keep_their_meaning_in_every_kind_of_container() {
    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(f64),
        Headers(Headers),
        Response(Box<Response>),
        Blob(Blob),
    }
    #[derive(Serialize, Deserialize)]
    struct Outer {
        #[serde(flatten)]
        inner: Inner,
    }
    #[derive(Serialize, Deserialize)]
    struct Inner {
        request: Option<Request>,
        either: Vec<Either>,
    }
    let mut sent = request("PUT");
    sent.body = ReadableStream::new(stream::iter([Ok(Bytes::new("hello"))])).into();
    let headers = Headers::from_pairs([("a", "b")]).unwrap();
    let either = vec![
        Either::Number(1.0),
        Either::Headers(headers.clone()),
        Either::Response(Box::new(Response::new("x"))),
        Either::Blob(Blob::new("a/b", "y")),
    ];
    let outer = Outer { inner: Inner { request: Some(sent), either } };
    let outer: Outer = Value::encode(&outer).unwrap().decode().unwrap();
    let [Either::Number(1.0), Either::Headers(h), Either::Response(r), Either::Blob(b)] =
        &outer.inner.either[..]
    else {
        panic!("the variants changed");
    };
    assert_eq!((h, &r.body, b.as_slice()), (&headers, &Body::from("x"), &b"y"[..]));
    let body = outer.inner.request.unwrap().body;
    let collected = futures::executor::block_on(body.collect(5)).unwrap();
    assert_eq!(&collected[..], b"hello");
}

#[test]
fn text_from_elsewhere_cannot_smuggle_references_into_a_message() {
    let smuggling = [
        r#"{"$capnweb::headers": "[[\"a\",\"b\"]],[\"import\",0]"}"#,
        r#"{"$capnweb::headers": "[[\"a\",[\"import\",0]]]"}"#,
        r#"{"$capnweb::request": ["http://x/", "{\"body\":[\"pipeline\",0,[\"f\"],[]]}", null]}"#,
        r#"{"$capnweb::request": ["http://x/", "{}]", null]}"#,
        r#"{"$capnweb::request": ["http://x/", "{\"method\":\"PUT\"}", [1]]}"#,
        r#"{"$capnweb::request": ["http://x/"]}"#,
        r#"{"$capnweb::response": ["{},1", null]}"#,
        r#"{"$capnweb::response": ["{}", {"a":1}]}"#,
    ];
    for json in smuggling {
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        let peer = Peer::new(None, Options::new());
        let call = peer.connection.main().call("f", (&value,));
        peer.expect(&[]);
        let error = futures::executor::block_on(async { call.await.unwrap_err() });
        assert_eq!(error.kind(), ErrorKind::Encode, "{json}");
    }
}

#[test]
fn a_map_cannot_use_blobs() {
    let mut pair = Pair::new(FixedTarget::stub());
    let api: Stub = pair.client.main();
    let blob = Blob::new("", "x");
    let mapped = api.call("echo", ([1],)).map(|_| api.call("readBlob", (&blob,)));
    let error = pair.run(async move { mapped.await }).unwrap_err();
    assert_eq!(error.message(), "A map's function cannot use streams and blobs.");
    drop(api);
    pair.assert_clean();
}

#[test]
fn they_have_no_properties() {
    let main = target(|call| match call.method() {
        "headers" => Reply::value(Headers::new()),
        "request" => Reply::value(request("GET")),
        "response" => Reply::value(Response::default()),
        _ => Reply::value(Blob::new("a/b", "x")),
    });
    let mut pair = Pair::new(main);
    for method in ["headers", "request", "response", "blob"] {
        let property = pair.client.main().call(method, ()).get("size");
        assert_eq!(pair.run(async move { property.await }).unwrap(), Value::Undefined, "{method}");
    }
    pair.assert_clean();
}
