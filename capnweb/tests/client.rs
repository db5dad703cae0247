//! What a user sees when connecting fails, and when batches wait.
#![cfg(feature = "client")]

use std::time::Duration;

use capnweb::{
    client::{Batch, Connect, ConnectError},
    stream::ReadableStream,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::Instant,
};

async fn error(connect: Connect) -> ConnectError {
    connect.await.map(drop).unwrap_err()
}

/// A server that reads one request, sends this answer and closes; its URL.
async fn answering(answer: impl Into<Vec<u8>>) -> String {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"\r\n\r\n") {
            seen.push(stream.read_u8().await.unwrap());
        }
        // The client may have seen enough before the end.
        let _ = stream.write_all(&answer).await;
    });
    url
}

#[tokio::test]
async fn urls_that_cannot_work_say_why() {
    for (url, says) in [
        ("localhost/rpc", "relative URL"),
        ("http://localhost/rpc", "use ws://"),
        ("ws://user:hidden@localhost/", "credentials in a header"),
        ("ws://", "empty host"),
    ] {
        let error = error(capnweb::connect(url)).await;
        assert!(error.to_string().contains(says), "{url}: {error}");
        assert!(!error.to_string().contains("hidden"));
    }
}

#[cfg(not(feature = "tls"))]
#[tokio::test]
async fn secure_urls_name_the_missing_feature() {
    let error = error(capnweb::connect("wss://localhost/")).await;
    assert!(matches!(error, ConnectError::TlsUnavailable));
    assert!(error.to_string().contains("feature `tls`"));
}

#[tokio::test]
async fn impossible_and_reserved_headers_are_named() {
    for (builder, name) in [
        (capnweb::connect("ws://localhost").header("x-bad", "a\nb"), "x-bad"),
        (capnweb::connect("ws://localhost").header("Upgrade", "h2c"), "upgrade"),
        (capnweb::connect("ws://localhost").bearer("a\nhidden"), "authorization"),
        (capnweb::connect("ws://localhost").header("not a name", "x"), "header name"),
    ] {
        let error = error(builder).await;
        assert!(matches!(error, ConnectError::Header(_)), "{error}");
        assert!(error.to_string().contains(name), "{error}");
        assert!(!error.to_string().contains("hidden"), "{error}");
    }
}

#[tokio::test]
async fn a_refused_connection_names_the_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = error(capnweb::connect(format!("ws://{address}/?key=hidden"))).await;
    assert!(error.to_string().contains(&format!("nothing listens at {address}")), "{error}");
    assert!(!error.to_string().contains("hidden"), "{error}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_left_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let timeout = Duration::from_millis(50);
    let error = error(capnweb::connect(url).connect_timeout(timeout)).await;
    assert!(matches!(error, ConnectError::Timeout { .. }), "{error}");
}

#[tokio::test]
async fn a_refusals_body_is_bounded() {
    let mut answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 10000000\r\n\r\n".to_vec();
    answer.resize(answer.len() + 10_000_000, b'x');
    let error = error(capnweb::connect(answering(answer).await)).await;
    let ConnectError::Refused { status, body } = error else { panic!("{error}") };
    assert_eq!((status.as_u16(), body.len()), (403, 4096));
}

#[tokio::test]
async fn servers_that_speak_no_websocket_are_told_apart() {
    let switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n";
    for (answer, says) in [
        ("SSH-2.0-OpenSSH_9.6\r\n\r\n".to_owned(), "no usable WebSocket server"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi".to_owned(), "ordinary web page"),
        (format!("{switching}Upgrade: h2c\r\n\r\n"), "another protocol"),
        (format!("{switching}Upgrade: websocket\r\n\r\n"), "Sec-WebSocket-Accept"),
        (
            "HTTP/1.1 301 Moved\r\nContent-Length: 0\r\nLocation: /x\r\n\r\n".to_owned(),
            "redirects are not followed",
        ),
        (String::new(), "without an answer"),
    ] {
        let error = error(capnweb::connect(answering(answer.clone()).await)).await;
        assert!(error.to_string().contains(says), "{answer:?}: {error}");
    }
}

/// A batch with a stream that is never produced.
fn waiting_batch(url: &str) -> Batch {
    let batch = capnweb::batch(url.replace("ws://", "http://"));
    let batch = batch.timeout(Duration::from_secs(100)).begin();
    let never = ReadableStream::<u32>::new(futures::stream::pending());
    // Dropped: nobody waits for the answer.
    drop(batch.main().call("sum", (never,)));
    batch
}

#[tokio::test(start_paused = true)]
async fn a_batch_has_one_deadline_for_its_streams_and_its_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("ws://{}/", listener.local_addr().unwrap());
    let start = Instant::now();
    let error = waiting_batch(&silent).send().await.unwrap_err();
    let after_100 =
        matches!(&error, ConnectError::Unanswered { after, .. } if after.as_secs() == 100);
    assert!(after_100, "{error}");
    assert_eq!(start.elapsed().as_secs(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_answered_without_a_stream_that_is_never_produced() {
    let url = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let start = Instant::now();
    waiting_batch(&url).send().await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 50);
}
