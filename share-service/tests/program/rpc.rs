//! The service as a client in Rust meets it, over a WebSocket and in batches.

use std::collections::HashSet;

use capnweb::client::ConnectError;
use capnweb::value::{Bytes, Date, Object};
use capnweb::{Error, ErrorKind, Stub, Value};
use serde_json::json;
use share_service::api::{Probe, Probed, ShareApi, ShareInfo, SyncResult};
use share_service::core::Secret;
use tempfile::TempDir;

use crate::server::{KEY, NAMESPACE, Server, keyed, program, stored};

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    members.into_iter().collect::<Object>().into()
}

fn item(kind: &str, data: impl Into<Value>) -> Value {
    object([("type", kind.into()), ("data", data.into())])
}

pub(crate) fn part(id: impl ToString) -> Value {
    item("part", object([("id", id.to_string().into())]))
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> (String, String) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Thrown);
    (error.name().to_owned(), error.message().to_owned())
}

fn error(message: &str) -> (String, String) {
    ("Error".to_owned(), message.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_lives_from_creation_to_deletion() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&mut keyed(&data));
    let service = server.service().await;

    let share = service.create_share("session-abc123", None).await.unwrap();
    let expected = ShareInfo {
        id: "n-abc123".into(),
        secret: Secret::new("3bd6334d-9d1a-5e35-b332-aaf934f6f45c"),
        url: "https://share.example.com/share/n-abc123".into(),
    };
    assert_eq!(share, expected);
    let synced = service.sync_share(&share.id, &share.secret, [part(1)]).await.unwrap();
    assert_eq!(synced, SyncResult { success: true, sync_count: 1 });
    let again = service.create_share("session-abc123", [part(2)]).await.unwrap();
    assert_eq!(again, share);
    assert_eq!(stored(&data, "n-abc123")["parts"], json!([{"id": "1"}, {"id": "2"}]));

    let wrong = Secret::new("wrong");
    let synced = service.sync_share(&share.id, &wrong, [part(3)]).await;
    assert_eq!(refused(synced), error("Invalid secret"));
    assert_eq!(refused(service.delete_share(&share.id, &wrong).await), error("Invalid secret"));
    let synced = service.sync_share("nosuchid", &share.secret, [part(3)]).await;
    assert_eq!(refused(synced), error("Share not found"));

    let deleted = service.delete_share(&share.id, &share.secret).await.unwrap();
    assert!(deleted.success);
    let synced = service.sync_share(&share.id, &share.secret, [part(3)]).await;
    assert_eq!(refused(synced), error("Share not found"));
    let deleted = service.delete_share(&share.id, &share.secret).await;
    assert_eq!(refused(deleted), error("Share not found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn creating_and_syncing_needs_nothing_awaited_in_between() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&mut keyed(&data));
    let service = server.service().await;
    let share = service.create_share("session-abc123", None);
    let synced = service.sync_share(share.id(), share.secret(), [part(1)]).await.unwrap();
    assert_eq!(synced, SyncResult { success: true, sync_count: 1 });
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_are_stored_as_they_came() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&mut keyed(&data));
    let service = server.service().await;
    let share = service.create_share("session-abc123", None).await.unwrap();
    let session = object([
        ("title", "t".into()),
        ("from_a_newer_client", object([("z", Value::Null), ("a", vec![1, 2].into())])),
        ("gone", Value::Undefined),
        ("at", Date::from_millis(0.0).into()),
        ("bytes", Bytes::new(vec![7]).into()),
    ]);
    let sent = vec![
        item("session", session),
        item("message", object([("id", "m".into())])),
        part("p"),
        item("session_diff", vec![object([("file", "a".into())])]),
        item("model", vec![object([("id", "o".into())])]),
        item("type_of_a_newer_client", 1),
    ];
    service.sync_share(&share.id, &share.secret, sent).await.unwrap();
    let stored = stored(&data, &share.id);
    // As text, because the order of the members counts.
    assert_eq!(
        stored["session"].to_string(),
        r#"{"title":"t","from_a_newer_client":{"z":null,"a":[1,2]},"at":"1970-01-01T00:00:00.000Z","bytes":{"0":7}}"#
    );
    assert_eq!(stored["messages"], json!([{"id": "m"}]));
    assert_eq!(stored["parts"], json!([{"id": "p"}]));
    assert_eq!(stored["diffs"], json!([{"file": "a"}]));
    assert_eq!(stored["models"], json!([{"id": "o"}]));
    assert_eq!(stored["metadata"]["syncCount"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_stored_or_understood_is_refused_by_name() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&mut keyed(&data));
    let service = server.service().await;
    let share = service.create_share("session-abc123", None).await.unwrap();
    let refusal =
        async |data: Vec<Value>| refused(service.sync_share(&share.id, &share.secret, data).await);

    let type_error = |message: &str| ("TypeError".to_owned(), message.to_owned());
    let bigint = vec![part(1), item("part", object([("id", "p".into()), ("n", 1i128.into())]))];
    let message = "data[1].data.n: a bigint cannot be stored as JSON";
    assert_eq!(refusal(bigint).await, type_error(message));
    let function = Stub::function(|(): ()| async { Ok(()) });
    let message = "data[0].data: a function or an RpcTarget cannot be stored as JSON";
    assert_eq!(refusal(vec![item("part", function)]).await, type_error(message));
    let no_id = vec![part(1), item("part", Object::new())];
    let message = "Invalid data[1]: a part must have a string id";
    assert_eq!(refusal(no_id).await, error(message));

    // What the interface would not let through.
    let untyped = service.untyped();
    let text = untyped.call("syncShare", (&share.id, &share.secret, "text"));
    let message = "syncShare: args[2]: expected an array, found a string";
    assert_eq!(refused(text.await), type_error(message));
    let unknown = untyped.call("readShare", ());
    assert_eq!(refused(unknown.await), type_error("'readShare' is not a function."));
    assert_eq!(stored(&data, &share.id)["metadata"]["syncCount"], 0, "nothing was stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_show_values_and_call_back() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&mut keyed(&data));
    let service = server.service().await;
    let nested = object([("x", 1.5.into()), ("null", Value::Null)]);
    let probe = |millis| Probe {
        when: Date::from_millis(millis),
        bytes: Bytes::new(vec![0, 255]),
        nested: nested.clone(),
    };
    let probed = service.probe_value(probe(1_700_000_000_123.0)).await.unwrap();
    let when = "2023-11-14T22:13:20.123Z".to_owned();
    assert_eq!(probed, Probed { when, bytes: vec![0, 255], size: 2, nested: nested.clone() });
    let invalid = service.probe_value(probe(f64::NAN)).await;
    assert_eq!(refused(invalid), ("RangeError".to_owned(), "Invalid time value".to_owned()));

    let echo = Stub::new(async |text: String| Ok(format!("{text}!")));
    assert_eq!(service.probe_callback(echo).await.unwrap(), "server-called!");
    let failing = Stub::new(async |_: String| Err(Error::msg("mine")));
    assert_eq!(refused(service.probe_callback(failing).await), error("mine"));
}

#[tokio::test(flavor = "multi_thread")]
async fn syncs_of_one_connection_are_stored_in_the_order_of_the_calls() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&mut keyed(&data));
    let service = server.service().await;
    let share = service.create_share("session-abc123", None).await.unwrap();
    let syncs: Vec<_> = (0..50)
        .map(|n| service.sync_share(&share.id, &share.secret, [item("session_diff", vec![n])]))
        .collect();
    for (n, sync) in syncs.into_iter().enumerate() {
        assert_eq!(sync.await.unwrap().sync_count, n as u64 + 1);
    }
    assert_eq!(stored(&data, &share.id)["diffs"], json!((0..50).collect::<Vec<_>>()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_syncs_from_ten_connections_all_arrive_and_are_counted() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&mut keyed(&data));
    let share = server.service().await.create_share("session-abc123", None).await.unwrap();
    let services = futures::future::join_all((0..10).map(|_| server.service())).await;
    let syncs = services.iter().enumerate().flat_map(|(connection, service)| {
        let share = &share;
        (0..10).map(move |n| {
            let part = part(format!("{connection}-{n}"));
            service.sync_share(&share.id, &share.secret, [part]).into_future()
        })
    });
    let answers = futures::future::try_join_all(syncs).await.unwrap();
    let mut counts: Vec<_> = answers.iter().map(|synced| synced.sync_count).collect();
    counts.sort_unstable();
    assert!(counts.iter().copied().eq(1..=100), "{counts:?}");

    let stored = stored(&data, &share.id);
    assert_eq!(stored["metadata"]["syncCount"], 100);
    let ids: HashSet<_> = stored["parts"].as_array().unwrap().iter().map(|p| &p["id"]).collect();
    assert_eq!(ids.len(), 100);
}

/// The status and the error with which a connection is refused.
async fn refusal(connect: capnweb::client::Connect) -> (u16, String) {
    match connect.await {
        Err(ConnectError::Refused { status, body }) => {
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            (status.as_u16(), body["error"].as_str().unwrap().to_owned())
        }
        other => panic!("it should be refused: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_key_opens_the_door() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&mut keyed(&data));
    for path in ["/rpc", "/rpc/share"] {
        let url = format!("ws://{}{path}", server.address);
        let connect = || capnweb::connect(url.as_str());
        for right in [connect().header("x-opencode-share-key", KEY), connect().bearer(KEY)] {
            let service = right.await.unwrap().main().typed::<dyn ShareApi>();
            service.create_share("session-abc123", None).await.unwrap();
        }
        let (status, message) = refusal(connect()).await;
        assert_eq!(status, 401);
        assert!(message.starts_with("Missing key"), "{message}");
        for wrong in [
            connect().header("x-opencode-share-key", "wrong"),
            connect().bearer("wrong"),
            connect().bearer(format!("{KEY}x")),
        ] {
            assert_eq!(refusal(wrong).await, (401, "Invalid key".to_owned()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_answered_behind_the_same_key() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&mut keyed(&data));
    for path in ["/rpc", "/rpc/share"] {
        let url = format!("http://{}{path}", server.address);
        let batch = capnweb::batch(url.as_str()).bearer(KEY).begin();
        let service = batch.main().typed::<dyn ShareApi>();
        let share = service.create_share("session-abc123", None);
        let synced = service.sync_share(share.id(), share.secret(), [part(1)]);
        let callback = Stub::new(async |text: String| Ok(format!("client:{text}")));
        let called_back = service.probe_callback(callback);
        batch.send().await.unwrap();
        assert_eq!(share.await.unwrap().id, "n-abc123");
        assert!(synced.await.unwrap().success);
        let (name, message) = refused(called_back.await);
        assert_eq!(name, "Error");
        assert!(message.contains("client of an HTTP batch cannot be called back"), "{message}");

        let batch = capnweb::batch(url).bearer("wrong").begin();
        let share = batch.main().typed::<dyn ShareApi>().create_share("session-abc123", None);
        match batch.send().await {
            Err(ConnectError::Refused { status, body }) => {
                assert_eq!((status.as_u16(), body.as_str()), (401, r#"{"error":"Invalid key"}"#));
            }
            other => panic!("it should be refused: {other:?}"),
        }
        let error = share.await.unwrap_err();
        assert_eq!(error.message(), "RPC request failed: 401 Unauthorized");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_key_is_closed_and_open_only_by_its_flag() {
    let data = TempDir::new().unwrap();
    let mut without_key = program(&data);
    without_key.env("SESSIONS_SHARED_SECRET", NAMESPACE);
    let server = Server::start(&mut without_key);
    let (status, _) = refusal(capnweb::connect(server.url()).bearer(KEY)).await;
    assert_eq!(status, 403);
    server.stop();

    let server = Server::start(without_key.arg("--allow-unauthenticated"));
    let connection = capnweb::connect(server.url()).await.unwrap();
    let service = connection.main().typed::<dyn ShareApi>();
    let share = service.create_share("session-abc123", None).await.unwrap();
    assert_eq!(share.url, format!("http://{}/share/n-abc123", server.address));
    let page = capnweb::connect(server.url()).header("origin", "https://elsewhere.example");
    assert_eq!(refusal(page).await.0, 403, "web pages of other hosts stay outside");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_closes_its_sessions() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&mut keyed(&data));
    let connections = [server.connect().await, server.connect().await];
    let service = connections[0].main().typed::<dyn ShareApi>();
    let share = service.create_share("session-abc123", None).await.unwrap();
    service.sync_share(&share.id, &share.secret, [part(1)]).await.unwrap();
    server.signal("-TERM");
    for connection in &connections {
        assert_eq!(connection.closed().await.kind(), ErrorKind::Disconnected);
    }
    let (code, _, log) = server.wait();
    assert_eq!(code, 0);
    assert!(log.contains(r#""message":"stopped""#) && !log.contains("cut off"), "{log}");
}
