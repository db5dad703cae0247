//! HTTP batches to the package's server.

use capnweb::{
    Error, ErrorKind, Stub, Value, client::ConnectError, fetch::Blob, stream::ReadableStream,
};
use capnweb_tests::{JsServer, KEY, limited};
use futures::stream;

async fn start() -> (JsServer, String) {
    let server = JsServer::start("server.mjs", &["--key", KEY]).await;
    let url = format!("http://{}/rpc", server.address());
    (server, url)
}

#[tokio::test]
async fn one_request_carries_calls_chains_maps_and_errors() {
    limited(async {
        let (server, url) = start().await;
        let batch = capnweb::batch(url).header("x-test-key", KEY).begin();
        let api = batch.main();
        let four = api.call("square", (2,)).decode::<u32>();
        let sum = api.call("add", (&four, api.call("square", (3,)))).decode::<u32>();
        let counted = api.call("makeCounter", (10,)).call("increment", (5,)).decode::<u32>();
        let squares =
            api.call("echo", ([1, 2, 3],)).map(|n| api.call("square", (n,))).decode::<Vec<u32>>();
        let inside = api.call("promiseInside", ("deep",)).get("p").decode::<String>();
        let failed = api.call("fail", ("RangeError", "no"));
        let lines = api.call("echo", ("a\nb\r\n",)).decode::<String>();
        batch.send().await.unwrap();
        assert_eq!((four.await.unwrap(), sum.await.unwrap()), (4, 13));
        assert_eq!(counted.await.unwrap(), 15);
        assert_eq!(squares.await.unwrap(), [1, 4, 9]);
        assert_eq!(inside.await.unwrap(), "deep");
        let failed = failed.await.unwrap_err();
        assert_eq!((failed.name(), failed.message()), ("RangeError", "no"));
        assert_eq!(lines.await.unwrap(), "a\nb\r\n");
        let late = api.call("square", (2,)).await.unwrap_err();
        assert_eq!(late.message(), "Batch RPC request ended.");
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_blob_and_a_stream_are_part_of_the_request() {
    limited(async {
        let (server, url) = start().await;
        let batch = capnweb::batch(url).header("x-test-key", KEY).begin();
        let blob = Blob::new("a/b", vec![b'x'; 100_000]);
        let text = batch.main().call("readBlob", (blob,)).get("text").decode::<String>();
        let numbers = ReadableStream::new(stream::iter((0..10).map(Ok)));
        let sum = batch.main().call("sumStream", (numbers,)).decode::<f64>();
        batch.send().await.unwrap();
        assert_eq!(text.await.unwrap().len(), 100_000);
        assert_eq!(sum.await.unwrap(), 45.0);
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn callbacks_are_called_with_the_answer_and_stubs_come_home() {
    limited(async {
        let (server, url) = start().await;
        let (called, was_called) = tokio::sync::oneshot::channel();
        let called = std::sync::Mutex::new(Some(called));
        let callback = Stub::function(move |(n,): (u32,)| {
            let called = called.lock().unwrap().take();
            async move {
                called.map(|called| called.send(n));
                Ok(n * 2)
            }
        });
        let batch = capnweb::batch(url).header("x-test-key", KEY).begin();
        let api = batch.main();
        drop(api.call("keep", (&callback,)));
        drop(api.call("callKept", (7,)));
        #[derive(serde::Deserialize)]
        struct Back {
            stub: Stub,
        }
        let back = api.call("giveBack", (&callback,)).decode::<Back>();
        batch.send().await.unwrap();
        assert_eq!(was_called.await.unwrap(), 7);
        let back = back.await.unwrap().stub;
        assert_eq!(back.invoke((21,)).decode::<u32>().await.unwrap(), 42);
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn without_the_key_every_call_fails() {
    limited(async {
        let (server, url) = start().await;
        let batch = capnweb::batch(url).begin();
        let call = batch.main().call("square", (2,));
        let error = batch.send().await.unwrap_err();
        assert!(
            matches!(&error, ConnectError::Refused { status, body }
                if *status == 401 && body.contains("Unauthorized")),
            "{error}"
        );
        let error: Error = call.await.map(|value: Value| panic!("{value:?}")).unwrap_err();
        assert_eq!(error.message(), "RPC request failed: 401 Unauthorized");
        assert_eq!(error.kind(), ErrorKind::Disconnected);
        server.stop().await;
    })
    .await;
}
