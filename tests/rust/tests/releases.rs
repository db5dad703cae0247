//! Old releases of the JavaScript package as peers, in both roles: what they cannot read is held
//! back, and the session goes on.

use capnweb::{
    ErrorKind, Options, PeerRelease, Value,
    fetch::{Blob, Headers, Request, Response},
    stream::ReadableStream,
    value::{Bytes, BytesKind, Date},
};
use capnweb_tests::{FixedServer, JsSession, limited, run_suite};
use futures::stream;

const KEY: &str = "a key for tests";

/// The releases under test: name in `package.json`, version, and what is held back from them.
const RELEASES: [(&str, PeerRelease, &[&str]); 3] = [
    (
        "capnweb-0.4",
        PeerRelease::new(0, 4, 0),
        &["blob", "date", "headers", "kind", "request", "response", "stream", "url"],
    ),
    ("capnweb-0.8", PeerRelease::new(0, 8, 0), &["kind", "url"]),
    ("capnweb", PeerRelease::NEWEST, &[]),
];

/// One of each kind of value that not every release knows.
fn values() -> Vec<(&'static str, Value)> {
    let stream = ReadableStream::new(stream::iter([Ok(Value::from(1))]));
    let request = Request::new("GET", "http://example.com/".parse().unwrap());
    let url = request.url.clone();
    vec![
        ("blob", Blob::new("text/plain", "hello").into()),
        ("date", Date::INVALID.into()),
        ("headers", Headers::from_pairs([("a", "b")]).unwrap().into()),
        ("infinity", f64::INFINITY.into()),
        ("kind", Bytes::of_kind(vec![0; 8], BytesKind::Float64Array).unwrap().into()),
        ("request", request.into()),
        ("response", Response::new("hello").into()),
        ("stream", Value::ReadableStream(stream)),
        ("url", url.into()),
    ]
}

/// The values as a member of an argument.
fn nested(value: Value) -> Value {
    Value::from([capnweb::value::Object::from_iter([("it's", value)])])
}

#[tokio::test]
async fn a_client_sends_no_release_what_it_cannot_read() {
    for (package, release, held_back) in RELEASES {
        limited(async {
            let options = Options::new().peer_release(release);
            let js = JsSession::of_release(package, options).await;
            for (name, value) in values() {
                // What is sent is not looked at: some releases cannot send it back.
                let sent = js.main.call("square", (1, nested(value))).await;
                if held_back.contains(&name) {
                    let error = sent.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Encode, "{package} {name}: {error}");
                    let start = r#"args[1][0]["it's"]: "#;
                    assert!(error.message().starts_with(start), "{error}");
                    assert!(error.message().contains(&release.to_string()), "{error}");
                } else {
                    assert_eq!(sent.unwrap(), Value::from(1), "{package} {name}");
                }
            }
            js.end().await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_answers_no_release_with_what_it_cannot_read() {
    for (package, release, held_back) in RELEASES {
        let server = FixedServer::with(KEY, Options::new().peer_release(release)).await;
        let held_back = held_back.join(",");
        let env = [
            ("CAPNWEB_URL", server.url()),
            ("CAPNWEB_KEY", KEY),
            ("CAPNWEB_PACKAGE", package),
            ("CAPNWEB_HELD_BACK", &held_back),
        ];
        run_suite("releases.test.mjs", &env).await;
        server.stop().await;
    }
}
