//! HTTP batches: the client and the server of this library, and the server asked by hand.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use capnweb::{
    Call, Error, ErrorKind, Limits, Options, Promise, Reply, Stub, Value,
    client::ConnectError,
    server::{self, Builder, Decided, Refusal, Rpc, UpgradeRequest},
};
use capnweb_tests::{FixedTarget, Gate, Log, OnDrop, Peer, limited, target};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// An endpoint in this process.
struct Server {
    rpc: Rpc,
    address: SocketAddr,
}

impl Server {
    async fn start(main: impl Fn() -> Stub + Send + Sync + 'static) -> Self {
        Self::with(|builder| builder, main).await
    }

    async fn with(
        describe: impl FnOnce(Builder<Decided<()>>) -> Builder<Decided<()>>,
        main: impl Fn() -> Stub + Send + Sync + 'static,
    ) -> Self {
        Self::serve(describe(server::rpc().allow_unauthenticated()).main(move |_| main())).await
    }

    async fn serve(rpc: Rpc) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(server::serve(listener, rpc.clone()));
        Self { rpc, address }
    }

    fn batch(&self) -> capnweb::client::BatchBuilder {
        capnweb::batch(format!("http://{}/rpc", self.address))
    }

    /// Posts a body by hand: status, headers in lower case, body of the answer.
    async fn post(&self, body: impl AsRef<[u8]>) -> (u16, String, String) {
        let body = body.as_ref();
        self.ask("POST", &format!("Content-Length: {}\r\n", body.len()), body).await
    }

    async fn ask(&self, method: &str, headers: &str, body: &[u8]) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "{method} /rpc HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n",
            self.address
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // The server may have seen enough before the end.
        let _ = stream.write_all(body).await;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), body.to_owned())
    }
}

fn error_of(body: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    body["error"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_chains_and_promises_as_arguments_are_answered_in_one_request() {
    limited(async {
        let made = Log::new();
        let log = made.clone();
        let server = Server::start(move || {
            log.push("a main object");
            FixedTarget::stub()
        })
        .await;
        let batch = server.batch().begin();
        let api = batch.main();
        let four = api.call("square", (2,)).decode::<u32>();
        let sum = api.call("add", (&four, 1)).decode::<u32>();
        let counted = api.call("makeCounter", (10,)).call("increment", (5,)).decode::<u32>();
        let leaf = api.get("info").get("a").get("b").get(2).get("c").decode::<String>();
        let leaf = leaf.into_future();
        let inside = api.call("promiseInside", ("deep",));
        let failed = api.call("fail", ("RangeError", "no"));
        batch.send().await.unwrap();
        assert_eq!(four.await.unwrap(), 4);
        assert_eq!(sum.await.unwrap(), 5);
        assert_eq!(counted.await.unwrap(), 15);
        assert_eq!(leaf.await.unwrap(), "x");
        assert_eq!(inside.get("p").decode::<String>().await.unwrap(), "deep");
        let failed = failed.await.unwrap_err();
        assert_eq!((failed.name(), failed.message()), ("RangeError", "no"));
        assert_eq!(failed.kind(), ErrorKind::Thrown);
        assert_eq!(made.take(), ["a main object"]);
        assert_eq!(server.rpc.connections(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promise_that_waits_already_is_resolved_by_the_answer() {
    limited(async {
        let server = Server::start(FixedTarget::stub).await;
        let batch = server.batch().begin();
        let nine = batch.main().call("square", (3,)).decode::<u32>();
        let (nine, sent) = tokio::join!(nine.into_future(), batch.send());
        sent.unwrap();
        assert_eq!(nine.unwrap(), 9);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_that_take_their_time_are_waited_for_and_what_is_dropped_is_not() {
    limited(async {
        let gate = Gate::new();
        let log = Log::new();
        let (open, seen) = (gate.clone(), log.clone());
        let main = target(move |call: Call| match call.method() {
            "open" => {
                open.open();
                Reply::undefined()
            }
            "later" => {
                let gate = open.clone();
                call.reply_async(|(n,): (u32,)| async move {
                    gate.wait().await;
                    Ok(n)
                })
            }
            _ => {
                let guard = OnDrop(seen.clone(), "dropped");
                call.reply_async(|(): ()| async move {
                    std::future::pending::<()>().await;
                    drop(guard);
                    Ok(())
                })
            }
        });
        let server = Server::start(move || main.clone()).await;
        let batch = server.batch().begin();
        let later = batch.main().call("later", (7,)).decode::<u32>();
        drop(batch.main().call("never", ()));
        drop(batch.main().call("open", ()));
        batch.send().await.unwrap();
        assert_eq!(later.await.unwrap(), 7);
        // It runs on, as it would without its caller's connection.
        assert!(log.take().is_empty());
    })
    .await;
}

#[tokio::test]
async fn calls_after_the_answer_fail_and_say_so() {
    limited(async {
        let server = Server::start(FixedTarget::stub).await;
        let batch = server.batch().begin();
        let api = batch.main();
        let unread = api.get("info");
        batch.send().await.unwrap();
        for late in [api.call("square", (2,)), unread] {
            let late = late.await.unwrap_err();
            assert_eq!(late.message(), "Batch RPC request ended.");
            assert_eq!(late.kind(), ErrorKind::Disconnected);
        }
    })
    .await;
}

#[tokio::test]
async fn a_batch_that_is_never_sent_breaks_its_calls() {
    limited(async {
        let batch = capnweb::batch("http://localhost:1/").begin();
        let call = batch.main().call("square", (2,)).into_future();
        drop(batch);
        let error = call.await.unwrap_err();
        assert_eq!(error.message(), "The batch was dropped before it was answered.");
        assert_eq!(error.kind(), ErrorKind::Disconnected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_the_client_fails_at_once_and_says_why() {
    limited(async {
        let server = Server::start(FixedTarget::stub).await;
        let called = Arc::new(Mutex::new(Vec::new()));
        let log = called.clone();
        let callback = Stub::function(move |(n,): (u32,)| {
            log.lock().unwrap().push(n);
            async move { Ok(n) }
        });
        let batch = server.batch().begin();
        let api = batch.main();
        let answer = api.call("callBack", (&callback, 5));
        let never = Promise::<u32>::from_future(std::future::pending());
        let waits = api.call("square", (&never,));
        let fine = api.call("square", (3,)).decode::<u32>();
        batch.send().await.unwrap();
        for waited in [answer, waits] {
            let error = waited.await.unwrap_err();
            assert!(error.message().contains("cannot be called back"), "{error}");
            assert_eq!(error.kind(), ErrorKind::Thrown);
        }
        assert_eq!(fine.await.unwrap(), 9);
        // The call itself has been made: it came with the answer.
        assert_eq!(*called.lock().unwrap(), [5]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn results_of_callbacks_can_be_returned_unawaited() {
    limited(async {
        let main = target(|call| {
            call.reply(|(callback,): (Stub,)| Ok([callback.invoke((1,)), callback.invoke((2,))]))
        });
        let server = Server::start(move || main.clone()).await;
        let double = Stub::function(|(n,): (u32,)| async move { Ok(n * 2) });
        let batch = server.batch().begin();
        let both = batch.main().call("both", (double,)).decode::<[u32; 2]>();
        batch.send().await.unwrap();
        assert_eq!(both.await.unwrap(), [2, 4]);
    })
    .await;
}

#[tokio::test]
async fn the_hook_decides_about_batches_too() {
    limited(async {
        let rpc = server::rpc()
            .authenticate(|request: UpgradeRequest| async move {
                match request.bearer()? {
                    "s3cret" => Ok(request.method().clone()),
                    _ => Err(Refusal::forbidden("wrong key")),
                }
            })
            .main(|accepted| {
                let method = accepted.identity().to_string();
                target(move |_| Reply::value(&method))
            });
        let server = Server::serve(rpc).await;

        let batch = server.batch().begin();
        let call = batch.main().call("method", ());
        let error = batch.send().await.unwrap_err();
        let ConnectError::Refused { status, body } = &error else { panic!("{error}") };
        assert_eq!(status.as_u16(), 401);
        assert_eq!(error_of(body), "a bearer token is needed");
        let error = call.await.unwrap_err();
        assert_eq!(error.message(), "RPC request failed: 401 Unauthorized");
        assert_eq!(error.kind(), ErrorKind::Disconnected);

        let batch = server.batch().bearer("s3cret").begin();
        let call = batch.main().call("method", ()).decode::<String>();
        batch.send().await.unwrap();
        assert_eq!(call.await.unwrap(), "POST");
    })
    .await;
}

#[tokio::test]
async fn web_pages_of_other_origins_cannot_post() {
    limited(async {
        let server = Server::start(FixedTarget::stub).await;
        let foreign = "Content-Length: 0\r\nOrigin: https://evil.example\r\n";
        assert_eq!(server.ask("POST", foreign, b"").await.0, 403);
        let own = format!("Content-Length: 0\r\nOrigin: http://{}\r\n", server.address);
        assert_eq!(server.ask("POST", &own, b"").await.0, 200);
    })
    .await;
}

#[tokio::test]
async fn a_body_is_messages_joined_by_line_feeds() {
    limited(async {
        let server = Server::start(FixedTarget::stub).await;
        let push = r#"["push",["pipeline",0,["square"],[2]]]"#;
        let (status, head, body) = server.post(format!("{push}\n[\"pull\",1]")).await;
        assert_eq!((status, body.as_str()), (200, r#"["resolve",1,4]"#));
        assert!(head.contains("content-type: text/plain;charset=utf-8"), "{head}");

        let (status, _, body) = server.post("").await;
        assert_eq!((status, body.as_str()), (200, ""));
        // A carriage return is white space to JSON.
        let (status, _, body) = server.post(format!("{push}\r\n[\"pull\",1]\r")).await;
        assert_eq!((status, body.as_str()), (200, r#"["resolve",1,4]"#));
        let chunked = "Transfer-Encoding: chunked\r\n";
        let body = format!("{:x}\r\n{push}\r\n0\r\n\r\n", push.len());
        assert_eq!(server.ask("POST", chunked, body.as_bytes()).await.0, 200);

        let (status, head, _) = server.ask("GET", "", b"").await;
        assert!(status == 400 && head.contains("application/json"), "{head}");
    })
    .await;
}

#[tokio::test]
async fn what_breaks_the_protocol_is_answered_by_what_is_wrong() {
    limited(async {
        let server = Server::start(FixedTarget::stub).await;
        let push = r#"["push",["pipeline",0,["square"],[2]]]"#;
        for (body, says) in [
            (r#"["bogus",1]"#, r#"bad RPC message: ["bogus",1]"#),
            (r#"["pull",7]"#, "no such export ID: 7"),
            (r#"["push",["pipeline",5,["x"],[]]]"#, "no such entry on exports table: 5"),
        ] {
            let (status, _, answer) = server.post(format!("{push}\n{body}\n[\"pull\",1]")).await;
            assert_eq!((status, error_of(&answer).as_str()), (400, says));
        }
        // A line feed at the end makes an empty message.
        let (status, _, answer) = server.post(format!("{push}\n")).await;
        assert!(status == 400 && error_of(&answer).contains("JSON"), "{answer}");
        let (status, _, answer) = server.post(b"\xff").await;
        assert!(status == 400 && error_of(&answer).contains("UTF-8"), "{answer}");
        let (status, ..) = server.post(r#"["abort","enough"]"#).await;
        assert_eq!(status, 500);
    })
    .await;
}

#[tokio::test]
async fn bodies_and_answers_have_limits() {
    limited(async {
        let describe = |builder: Builder<Decided<()>>| {
            let mut limits = Limits::default();
            limits.max_outgoing_bytes = 1000;
            builder
                .max_message_size(200)
                .max_batch_messages(3)
                .options(Options::new().limits(limits))
        };
        let main = || target(|_| Reply::value("x".repeat(2000)));
        let server = Server::with(describe, main).await;
        assert_eq!(server.post(vec![b' '; 201]).await.0, 413);
        // One that does not say how long it is is cut off where it becomes too long.
        let body = format!("c9\r\n{}\r\n0\r\n\r\n", " ".repeat(201));
        let chunked = "Transfer-Encoding: chunked\r\n";
        assert_eq!(server.ask("POST", chunked, body.as_bytes()).await.0, 413);
        assert_eq!(server.post("\n\n\n").await.0, 413);
        assert_eq!(server.post("[\"push\",1]\n[\"push\",2]\n[\"push\",3]").await.0, 200);
        let ask = r#"["push",["pipeline",0,["x"],[]]]"#;
        let (status, _, answer) = server.post(format!("{ask}\n[\"pull\",1]")).await;
        assert!(status == 500 && error_of(&answer).contains("too large"), "{answer}");
        assert_eq!(server.rpc.connections(), 0);
    })
    .await;
}

#[tokio::test]
async fn the_deadline_ends_a_batch_whose_method_never_answers() {
    limited(async {
        let (tell, told) = tokio::sync::oneshot::channel();
        let tell = Mutex::new(Some(tell));
        let main = target(move |call| {
            let caller = call.caller().clone();
            let tell = tell.lock().unwrap().take();
            call.reply_async(|(): ()| async move {
                caller.gone().await;
                tell.map(|tell| tell.send(()));
                Ok(())
            })
        });
        let short =
            |builder: Builder<Decided<()>>| builder.batch_timeout(Duration::from_millis(50));
        let server = Server::with(short, move || main.clone()).await;
        let batch = server.batch().begin();
        let call = batch.main().call("wait", ());
        let error = batch.send().await.unwrap_err();
        assert!(matches!(error, ConnectError::Refused { status, .. } if status == 504), "{error}");
        let error = call.await.unwrap_err();
        assert_eq!(error.message(), "RPC request failed: 504 Gateway Timeout");
        // The method sees that nobody waits any more.
        told.await.unwrap();
        // A body that does not come is not waited for any longer, either.
        assert_eq!(server.ask("POST", "Content-Length: 9\r\n", b"[").await.0, 408);
    })
    .await;
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_batch_and_not_the_method() {
    limited(async {
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let main = target(move |call| {
            let caller = call.caller().clone();
            let tell = tell.clone();
            call.reply_async(|(): ()| async move {
                tell.send("begun").unwrap();
                caller.gone().await;
                tell.send("ended").unwrap();
                Ok(())
            })
        });
        let server = Server::start(move || main.clone()).await;
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let body = "[\"push\",[\"pipeline\",0,[\"wait\"],[]]]\n[\"pull\",1]";
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        assert_eq!(told.recv().await, Some("begun"));
        assert_eq!(server.rpc.connections(), 1);
        drop(stream);
        assert_eq!(told.recv().await, Some("ended"));
        while server.rpc.connections() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_waits_for_running_batches() {
    limited(async {
        let gate = Gate::new();
        let (started, mut has_started) = tokio::sync::mpsc::unbounded_channel();
        let wait = gate.clone();
        let main = target(move |call| {
            started.send(()).unwrap();
            let gate = wait.clone();
            call.reply_async(|(): ()| async move {
                gate.wait().await;
                Ok("done")
            })
        });
        let server = Server::start(move || main.clone()).await;
        let batch = server.batch().begin();
        let call = batch.main().call("work", ()).decode::<String>();
        let sending = tokio::spawn(batch.send());
        has_started.recv().await.unwrap();
        assert!(!server.rpc.shutdown(Duration::from_millis(20)).await);
        gate.open();
        sending.await.unwrap().unwrap();
        assert_eq!(call.await.unwrap(), "done");
        assert!(server.rpc.shutdown(Duration::from_secs(30)).await);
    })
    .await;
}

#[tokio::test]
async fn a_batch_that_does_not_reach_a_server_fails_all_its_calls() {
    limited(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        for (builder, says) in [
            (capnweb::batch(format!("ws://{address}/")), "http://"),
            (capnweb::batch("http://user:hidden@localhost/"), "credentials in a header"),
            (capnweb::batch(format!("http://{address}/")).header("Content-Length", "5"), "header"),
            (
                capnweb::batch(format!("http://{address}/")).timeout(Duration::from_millis(20)),
                "within 20ms",
            ),
        ] {
            let batch = builder.begin();
            let call = batch.main().call("square", (2,));
            let error = batch.send().await.unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
            assert!(!error.to_string().contains("hidden"), "{error}");
            let call = call.await.unwrap_err();
            assert_eq!(call.message(), error.to_string());
            assert_eq!(call.kind(), ErrorKind::Disconnected);
        }
        drop(listener);
        let error = capnweb::batch(format!("http://{address}/")).begin().send().await.unwrap_err();
        assert!(matches!(error, ConnectError::Io { .. }), "{error}");
    })
    .await;
}

#[test]
fn only_promises_that_are_held_are_asked_for() {
    let peer = Peer::new(None, Options::new());
    let main = peer.connection.main();
    let held = main.call("held", ());
    drop(main.call("dropped", ()));
    let chained = main.call("made", ()).call("chained", ());
    let awaited = main.call("awaited", ());
    let _waiting = peer.executor.start(async move { awaited.await.map(drop) });
    peer.outgoing();
    peer.session.pull_promises();
    peer.expect(&[r#"["pull",1]"#, r#"["pull",4]"#]);
    peer.session.pull_promises();
    peer.expect(&[]);
    drop((held, chained));
}

#[test]
fn what_waits_when_the_input_ends_fails_and_the_rest_goes_on() {
    let peer = Peer::new(Some(FixedTarget::stub()), Options::new());
    peer.send(r#"["push",["pipeline",0,["callBack"],[["export",-1],5]]]"#);
    peer.send(r#"["push",["pipeline",0,["giveBack"],[["export",-2]]]]"#);
    peer.send(r#"["pull",1]"#);
    peer.session.input_ended("nobody listens");
    let rejected = r#"["reject",1,["error","Error","nobody listens"]]"#;
    assert!(peer.outgoing().iter().any(|frame| frame == rejected));
    peer.exchange(r#"["pull",2]"#, &[r#"["resolve",2,{"stub":["import",-2]}]"#]);
    // It can still be called, but not be waited for.
    let main = peer.connection.main();
    let call = main.call("more", ());
    assert_eq!(peer.outgoing().len(), 1);
    let waiting = peer.executor.start(async move { call.await.map(drop) });
    peer.outgoing();
    assert_eq!(waiting.take().unwrap().unwrap_err().message(), "nobody listens");
}

/// A server that answers one request with this; its URL.
async fn answering(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"[\"pull\",1]") {
            seen.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    url
}

#[tokio::test]
async fn answers_that_are_none_are_told_apart() {
    limited(async {
        let ok = "HTTP/1.1 200 OK\r\n";
        for (answer, says) in [
            (format!("{ok}Content-Length: 13\r\n\r\n<html></html>"), "JSON"),
            (
                format!("{ok}Content-Length: 20000\r\n\r\n{}", " ".repeat(20000)),
                "max_response_size",
            ),
            (format!("{ok}Content-Length: 100\r\n\r\n[\"resolve\",1,"), "serves no usable batches"),
            ("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n".to_owned(), "redirects"),
        ] {
            let batch = capnweb::batch(answering(answer).await).max_response_size(10_000).begin();
            let call = batch.main().call("square", (2,));
            let error = batch.send().await.unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
            assert_ne!(call.await.unwrap_err().kind(), ErrorKind::Thrown);
        }
        // A call that was left out.
        let batch =
            capnweb::batch(answering(format!("{ok}Content-Length: 0\r\n\r\n")).await).begin();
        let call = batch.main().call("square", (2,));
        batch.send().await.unwrap();
        let error: Error = call.await.map(|value: Value| panic!("{value:?}")).unwrap_err();
        assert_eq!(error.message(), "Batch RPC request ended.");
    })
    .await;
}
