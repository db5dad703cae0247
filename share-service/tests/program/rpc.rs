//! The service as a client in Rust meets it, over a WebSocket and in batches.

use std::collections::HashSet;

use capnweb::client::ConnectError;
use capnweb::value::{Bytes, Date};
use capnweb::{ErrorKind, Value};
use capnweb_tests::limited;
use capnweb_tests::share::{ShareService, create, item, object, part, sync};
use serde_json::json;
use share_service::api::ShareInfo;
use tempfile::TempDir;

use crate::server::{KEY, NAMESPACE, Server, keyed, program, stored};

/// Runs a part of the suite for share services, and returns what the program has stored of the share that is left.
async fn check(scenario: impl AsyncFnOnce(&ShareService) -> ShareInfo) -> serde_json::Value {
    let data = TempDir::new().unwrap();
    let server = Server::start(&mut keyed(&data));
    let share = limited(scenario(&ShareService::new(server.url(), KEY))).await;
    stored(&data, &share.id)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_for_share_services_passes() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&mut keyed(&data));
    ShareService::new(server.url(), KEY).check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_is_created_again_keeps_what_is_stored() {
    let stored = check(async |service| service.a_share_is_created_once().await).await;
    assert_eq!(stored["parts"], json!([{"id": "1"}, {"id": "2"}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn syncs_of_one_connection_are_stored_in_the_order_of_the_calls() {
    let stored = check(async |service| service.syncs_keep_the_order_of_the_calls().await).await;
    assert_eq!(stored["diffs"], json!((0..50).collect::<Vec<_>>()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_syncs_from_ten_connections_are_all_stored() {
    let stored = check(async |service| service.a_hundred_syncs_at_once_are_counted().await).await;
    assert_eq!(stored["metadata"]["syncCount"], 100);
    let ids: HashSet<_> = stored["parts"].as_array().unwrap().iter().map(|p| &p["id"]).collect();
    assert_eq!(ids.len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_not_stored() {
    let scenario =
        async |service: &ShareService| service.what_cannot_be_stored_is_refused_by_name().await;
    assert_eq!(check(scenario).await["parts"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_are_stored_as_they_came() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&mut keyed(&data));
    let service = server.service().await;
    let share = create(&service, "session-abc123").await;
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
    sync(&service, &share, sent).await.unwrap();
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
    let share = create(&connection.main().typed(), "session-abc123").await;
    assert_eq!(share.url, format!("http://{}/share/n-abc123", server.address));
    let page = capnweb::connect(server.url()).header("origin", "https://elsewhere.example");
    assert_eq!(refusal(page).await.0, 403, "web pages of other hosts stay outside");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_closes_its_sessions() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&mut keyed(&data));
    let connections = [server.connect().await, server.connect().await];
    let service = connections[0].main().typed();
    let share = create(&service, "session-abc123").await;
    sync(&service, &share, vec![part(1)]).await.unwrap();
    server.signal("-TERM");
    for connection in &connections {
        assert_eq!(connection.closed().await.kind(), ErrorKind::Disconnected);
    }
    let (code, _, log) = server.wait();
    assert_eq!(code, 0);
    assert!(log.contains(r#""message":"stopped""#) && !log.contains("cut off"), "{log}");
}
