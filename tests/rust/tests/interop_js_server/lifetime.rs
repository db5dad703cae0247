//! How connections begin and end.

use capnweb::{ErrorKind, Stub, Value, client::ConnectError, value::BigInt};
use capnweb_tests::{JsServer, JsSession, limited};

const KEY: &str = "correct horse";

async fn server_with_key() -> JsServer {
    JsServer::start("server.mjs", &["--key", KEY]).await
}

#[tokio::test]
async fn a_connection_without_the_key_is_refused_with_the_servers_answer() {
    limited(async {
        let mut server = server_with_key().await;
        for key in [None, Some("wrong"), Some("")] {
            let mut connect = capnweb::connect(server.url());
            if let Some(key) = key {
                connect = connect.header("x-test-key", key);
            }
            let error = connect.await.map(drop).unwrap_err();
            let ConnectError::Refused { status, body } = &error else { panic!("{error}") };
            assert_eq!(status.as_u16(), 401);
            assert_eq!(body, r#"{"error":"Unauthorized"}"#);
        }
        assert!(server.stats().await.is_empty());
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_connection_with_the_key_lives_as_long_as_anything_that_came_from_it() {
    limited(async {
        let mut server = server_with_key().await;
        let login = async || -> Stub {
            let connection =
                capnweb::connect(server.url()).header("x-test-key", KEY).await.unwrap();
            connection.main().call("makeCounter", (1,)).decode().await.unwrap()
        };
        let counter = login().await;
        assert_eq!(counter.call("increment", ()).decode::<u8>().await.unwrap(), 2);
        assert_eq!(server.stats().await.len(), 1);
        drop(counter);
        server.deserted().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_server_that_closes_rejects_what_is_pending_and_tells_the_watchers() {
    limited(async {
        let JsSession { mut server, connection, main, .. } = JsSession::start().await;
        let counter: Stub = main.call("makeCounter", (1,)).decode().await.unwrap();
        let pending = main.call("hold", ()).into_future();
        let broken = [Stub::broken_by(&main), Stub::broken_by(&counter)];
        main.call("square", (2,)).await.unwrap();
        assert_eq!(server.command("close").await, "CLOSED 1");

        let says = "Peer closed WebSocket: 1001 closed by command";
        let mut errors = vec![pending.await.unwrap_err(), connection.closed().await];
        for broken in broken {
            errors.push(broken.await);
        }
        errors.push(main.call("square", (2,)).await.unwrap_err());
        errors.push(counter.get("value").await.unwrap_err());
        errors.push(connection.main().call("square", (2,)).await.unwrap_err());
        for error in errors {
            assert_eq!((error.kind(), error.message()), (ErrorKind::Disconnected, says));
        }
        server.deserted().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn closing_ends_what_is_pending_and_the_servers_session() {
    limited(async {
        let JsSession { mut server, connection, main, .. } = JsSession::start().await;
        let pending = main.call("hold", ()).into_future();
        main.call("square", (2,)).await.unwrap();
        connection.close();
        assert_eq!(pending.await.unwrap_err().kind(), ErrorKind::Disposed);
        assert_eq!(connection.closed().await.kind(), ErrorKind::Disposed);
        server.deserted().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_server_that_aborts_says_why() {
    limited(async {
        let JsSession { mut server, connection, main, log } = JsSession::start().await;
        let pending = main.call("hold", ()).into_future();
        let broken = Stub::broken_by(&main);
        // JavaScript does not read bigints of more than 16,384 digits.
        let long: BigInt = "7".repeat(16_385).parse().unwrap();
        let refused = main.call("echo", (Value::BigInt(long),)).await.unwrap_err();
        let says = "Deserialized bigint exceeds maximum length of 16384 digits.";
        let errors = [refused, pending.await.unwrap_err(), broken.await, connection.closed().await];
        for error in errors {
            assert_eq!(error.message(), says);
        }
        let abort = log.frames().into_iter().next_back().unwrap();
        assert!(abort.starts_with(r#"< ["abort",["error","#), "{abort}");
        server.deserted().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_abort_gives_the_server_its_reason() {
    limited(async {
        let JsSession { mut server, connection, main, log } = JsSession::start().await;
        main.call("square", (2,)).await.unwrap();
        connection.abort(capnweb::Error::type_error("enough"));
        let error = main.call("square", (2,)).await.unwrap_err();
        assert_eq!(error.message(), "enough");
        connection.closed().await;
        assert_eq!(log.frames().last().unwrap(), r#"> ["abort",["error","TypeError","enough"]]"#);
        server.deserted().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_callback_that_is_running_goes_on_when_the_server_closes() {
    limited(async {
        let JsSession { mut server, connection, main, .. } = JsSession::start().await;
        let (called, mut was_called) = tokio::sync::mpsc::unbounded_channel();
        let (go_on, gate) = tokio::sync::watch::channel(false);
        let (ended, mut has_ended) = tokio::sync::mpsc::unbounded_channel();
        let callback = Stub::function(move |(_,): (Value,)| {
            let (called, ended, mut gate) = (called.clone(), ended.clone(), gate.clone());
            async move {
                called.send(()).unwrap();
                gate.wait_for(|open| *open).await.unwrap();
                ended.send(()).unwrap();
                Ok(())
            }
        });
        let pending = main.call("callBack", (callback, 1)).into_future();
        was_called.recv().await.unwrap();
        server.command("close").await;
        assert_eq!(pending.await.unwrap_err().kind(), ErrorKind::Disconnected);
        connection.closed().await;
        go_on.send(true).unwrap();
        has_ended.recv().await.unwrap();
        server.stop().await;
    })
    .await;
}
