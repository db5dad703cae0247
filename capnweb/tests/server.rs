//! The endpoint over real sockets, asked by hand and by the crate's own client.
#![cfg(all(feature = "client", feature = "server"))]

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use capnweb::{
    Call, Connection, Reply, Stub, Target,
    client::ConnectError,
    server::{self, Refusal, Rpc, UpgradeRequest},
};
use http::StatusCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};

/// The key and its answer are the example of RFC 6455.
const UPGRADE: &str = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

async fn serve(rpc: &Rpc) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (address, tokio::spawn(server::serve(listener, rpc.clone())))
}

async fn connect(address: SocketAddr) -> Result<Connection, ConnectError> {
    capnweb::connect(format!("ws://{address}/rpc")).await
}

/// A main object without members.
fn nothing() -> Stub {
    struct Nothing;
    impl Target for Nothing {
        fn call(self: Arc<Self>, call: Call) -> Reply {
            call.no_such_method()
        }
    }
    Stub::target(Nothing)
}

/// An endpoint open to all that counts the main objects it makes.
fn counting() -> (Rpc, Arc<AtomicUsize>) {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = made.clone();
    let rpc = server::rpc().allow_unauthenticated().main(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        nothing()
    });
    (rpc, made)
}

/// Sends a request by hand; the head of the answer and its body.
async fn ask(address: SocketAddr, first_line: &str, headers: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{first_line}\r\nHost: {address}\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.unwrap();
    (head, String::from_utf8(body).unwrap())
}

async fn status(address: SocketAddr, headers: &str) -> u16 {
    let (head, _) = ask(address, "GET /rpc HTTP/1.1", headers).await;
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_correct_request_is_upgraded() {
    let (rpc, _) = counting();
    let (address, _server) = serve(&rpc).await;
    let offer = format!("{UPGRADE}Sec-WebSocket-Protocol: chat\r\n");
    let (head, _) = ask(address, "GET /rpc HTTP/1.1", &offer).await;
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"), "{head}");
    assert!(!head.contains("sec-websocket-protocol"), "{head}");
}

#[tokio::test]
async fn a_configured_subprotocol_is_chosen_where_it_is_offered() {
    let rpc = server::rpc()
        .allow_unauthenticated()
        .subprotocol(http::HeaderValue::from_static("chat"))
        .main(|_| nothing());
    let (address, _server) = serve(&rpc).await;
    let offer = format!("{UPGRADE}Sec-WebSocket-Protocol: other, chat\r\n");
    let (head, _) = ask(address, "GET / HTTP/1.1", &offer).await;
    assert!(head.contains("sec-websocket-protocol: chat\r\n"), "{head}");
    let (head, _) = ask(address, "GET / HTTP/1.1", UPGRADE).await;
    assert!(head.starts_with("http/1.1 101 ") && !head.contains("protocol: chat"), "{head}");
}

#[tokio::test]
async fn wrong_requests_are_answered_by_what_is_wrong() {
    let (rpc, made) = counting();
    let (address, _server) = serve(&rpc).await;

    let (head, body) = ask(address, "GET / HTTP/1.1", "").await;
    assert!(head.starts_with("http/1.1 400 "), "{head}");
    assert!(head.contains("content-type: application/json\r\n"), "{head}");
    assert_eq!(
        body,
        r#"{"error":"this address is for WebSocket connections, and for batches sent by POST"}"#
    );

    let (head, _) = ask(address, "POST / HTTP/1.1", UPGRADE).await;
    assert!(head.starts_with("http/1.1 405 ") && head.contains("allow: get\r\n"), "{head}");
    assert!(head.contains("connection: close\r\n"), "{head}");

    let old = UPGRADE.replace("Version: 13", "Version: 8");
    let (head, _) = ask(address, "GET / HTTP/1.1", &old).await;
    assert!(head.starts_with("http/1.1 426 "), "{head}");
    assert!(head.contains("sec-websocket-version: 13\r\n"), "{head}");

    let no_key = UPGRADE.replace("Sec-WebSocket-Key", "X-Key");
    assert_eq!(status(address, &no_key).await, 400);
    let short_key = UPGRADE.replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ==");
    assert_eq!(status(address, &short_key).await, 400);
    let no_connection = UPGRADE.replace("keep-alive, Upgrade", "keep-alive");
    assert_eq!(status(address, &no_connection).await, 400);

    assert_eq!(made.load(Ordering::SeqCst), 0);
    assert_eq!(rpc.connections(), 0);
}

#[tokio::test]
async fn origins_are_checked() {
    let (rpc, made) = counting();
    let (address, _server) = serve(&rpc).await;
    let foreign = format!("{UPGRADE}Origin: https://evil.example\r\n");
    let (head, body) = ask(address, "GET / HTTP/1.1", &foreign).await;
    assert!(head.starts_with("http/1.1 403 "), "{head}");
    assert!(body.contains("origin"), "{body}");
    assert_eq!(made.load(Ordering::SeqCst), 0);
    assert_eq!(status(address, &format!("{UPGRADE}Origin: http://{address}\r\n")).await, 101);

    let rpc = server::rpc()
        .allow_origins(["https://good.example"])
        .allow_unauthenticated()
        .main(|_| nothing());
    let (address, _server) = serve(&rpc).await;
    assert_eq!(status(address, &foreign).await, 403);
    assert_eq!(status(address, &format!("{UPGRADE}Origin: https://good.example\r\n")).await, 101);

    let rpc = server::rpc().allow_any_origin().allow_unauthenticated().main(|_| nothing());
    let (address, _server) = serve(&rpc).await;
    assert_eq!(status(address, &foreign).await, 101);
}

#[tokio::test]
async fn the_hook_sees_the_request_and_its_identity_reaches_the_main_object() {
    let (seen, mut identities) = mpsc::unbounded_channel();
    let rpc = server::rpc()
        .authenticate(|request: UpgradeRequest| async move {
            if request.bearer()? != "s3cret" {
                return Err(Refusal::forbidden("wrong \"key\""));
            }
            let team = request.headers().get("x-team").unwrap().to_str().unwrap().to_owned();
            Ok((team, request.uri().to_string()))
        })
        .main(move |accepted| {
            seen.send((accepted.identity().clone(), accepted.peer_addr())).unwrap();
            nothing()
        });
    let (address, _server) = serve(&rpc).await;
    let url = format!("ws://{address}/rpc?room=1");

    let error = capnweb::connect(&url).await.map(drop).unwrap_err();
    let ConnectError::Refused { status, body } = &error else { panic!("{error}") };
    assert_eq!(*status, StatusCode::UNAUTHORIZED);
    assert_eq!(body, r#"{"error":"a bearer token is needed"}"#);
    assert!(error.to_string().contains("check the token"), "{error}");

    let error = capnweb::connect(&url).bearer("guess").await.map(drop).unwrap_err();
    let ConnectError::Refused { status, body } = error else { panic!("{error}") };
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(body, r#"{"error":"wrong \"key\""}"#);

    let _connection =
        capnweb::connect(&url).bearer("s3cret").header("x-team", "blue").await.unwrap();
    let ((team, uri), peer) = identities.recv().await.unwrap();
    assert_eq!((team.as_str(), uri.as_str()), ("blue", "/rpc?room=1"));
    assert!(peer.unwrap().ip().is_loopback());
    assert!(identities.try_recv().is_err(), "a refused request made a main object");
}

#[tokio::test]
async fn a_hook_that_never_decides_is_given_up() {
    let rpc = server::rpc()
        .authenticate(|_| std::future::pending::<Result<(), Refusal>>())
        .handshake_timeout(Duration::from_millis(10))
        .main(|_| nothing());
    let (address, _server) = serve(&rpc).await;
    assert_eq!(status(address, UPGRADE).await, 503);
    assert_eq!(rpc.connections(), 0);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_others_to_end() {
    let (seen, mut made) = mpsc::unbounded_channel();
    let rpc = server::rpc().allow_unauthenticated().max_connections(1).main(move |_| {
        seen.send(()).unwrap();
        nothing()
    });
    let (address, _server) = serve(&rpc).await;
    let first = connect(address).await.unwrap();
    made.recv().await.unwrap();
    assert_eq!(rpc.connections(), 1);
    let error = connect(address).await.map(drop).unwrap_err();
    assert!(matches!(error, ConnectError::Refused { status, .. } if status == 503), "{error}");
    first.close();
    first.closed().await;
    while rpc.connections() > 0 {
        tokio::task::yield_now().await;
    }
    connect(address).await.unwrap();
}

#[tokio::test]
async fn shutdown_closes_sessions_and_refuses_new_ones() {
    let (rpc, _) = counting();
    let (address, server) = serve(&rpc).await;
    let connection = connect(address).await.unwrap();
    let client = tokio::spawn(async move { connection.closed().await });
    assert!(rpc.shutdown(Duration::from_secs(10)).await);
    client.await.unwrap();
    server.await.unwrap();
    assert_eq!(rpc.connections(), 0);
    let error = connect(address).await.map(drop).unwrap_err();
    assert!(matches!(error, ConnectError::Io { .. }), "{error}");
}

#[tokio::test]
async fn shutdown_answers_what_is_under_way() {
    let (began, mut begun) = tokio::sync::mpsc::unbounded_channel();
    let release = std::sync::Arc::new(tokio::sync::Notify::new());
    let held = release.clone();
    let rpc = capnweb::server::rpc().allow_unauthenticated().main(move |_| {
        let (began, held) = (began.clone(), held.clone());
        Stub::function(move |(): ()| {
            let (began, held) = (began.clone(), held.clone());
            async move {
                began.send(()).unwrap();
                held.notified().await;
                Ok("stored")
            }
        })
    });
    let (address, _server) = serve(&rpc).await;
    let connection = connect(address).await.unwrap();
    let answer = tokio::spawn(async move { connection.main().invoke(()).decode::<String>().await });
    begun.recv().await.unwrap();
    let ending = rpc.clone();
    let ended = tokio::spawn(async move { ending.shutdown(Duration::from_secs(20)).await });
    // Nobody new is let in any more, so the shutdown has begun.
    while connect(address).await.is_ok() {}
    release.notify_one();
    assert_eq!(answer.await.unwrap().unwrap(), "stored");
    assert!(ended.await.unwrap());
}

#[tokio::test]
async fn axum_serves_the_endpoint() {
    let (rpc, made) = counting();
    let app = axum::Router::new().route_service("/rpc", rpc.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });

    let connection = connect(address).await.unwrap();
    let error = capnweb::connect(format!("ws://{address}/elsewhere")).await.map(drop).unwrap_err();
    assert!(error.to_string().contains("404 Not Found; check the URL's path"), "{error}");
    let client = tokio::spawn(async move { connection.closed().await });
    assert!(rpc.shutdown(Duration::from_secs(10)).await);
    client.await.unwrap();
    assert_eq!(made.load(Ordering::SeqCst), 1);
    assert_eq!(status(address, UPGRADE).await, 503);
}
