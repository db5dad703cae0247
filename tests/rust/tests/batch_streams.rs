//! Streams and blobs in HTTP batches: what is in the request arrives, and nothing waits for more.

use std::{net::SocketAddr, time::Duration};

use capnweb::{
    Error, Options, Promise, Stub, Value,
    client::Batch,
    fetch::Blob,
    server::{self, Rpc},
    stream::ReadableStream,
};
use capnweb_tests::{FixedTarget, Peer, limited, target};
use futures::{StreamExt, TryStreamExt, future::join, stream};
use tokio::net::TcpListener;

async fn serve() -> (Rpc, SocketAddr) {
    let rpc = server::rpc().allow_unauthenticated().main(|_| FixedTarget::stub());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server::serve(listener, rpc.clone()));
    (rpc, address)
}

fn batch(address: SocketAddr) -> Batch {
    capnweb::batch(format!("http://{address}/rpc")).begin()
}

const NOT_ALL: &str =
    "The client of an HTTP batch cannot be called back: it had to say everything in its request.";

/// More than the first window of a stream.
const TOO_LONG: usize = 1_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn streams_and_blobs_in_arguments_are_part_of_the_request() {
    limited(async {
        let (_rpc, address) = serve().await;
        let batch = batch(address);
        let blob = Blob::new("a/b", vec![b'x'; 100_000]);
        let blob = batch.main().call("readBlob", (blob,)).get("text").decode::<String>();
        // Produced only while the batch is being sent.
        let (gate, opened) = tokio::sync::oneshot::channel::<()>();
        let numbers = stream::once(opened).flat_map(|_| stream::iter((0..10).map(Ok)));
        let sum = batch.main().call("sumStream", (ReadableStream::new(numbers),)).decode::<f64>();
        let (sent, ()) = join(batch.send(), async { gate.send(()).unwrap() }).await;
        sent.unwrap();
        assert_eq!(blob.await.unwrap().len(), 100_000);
        assert_eq!(sum.await.unwrap(), 45.0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_never_produced_fails_the_call_that_reads_it_alone() {
    limited(async {
        let (_rpc, address) = serve().await;
        let batch = capnweb::batch(format!("http://{address}/rpc"))
            .timeout(Duration::from_millis(500))
            .begin();
        let never = ReadableStream::<u32>::new(stream::pending());
        let sum = batch.main().call("sumStream", (never,)).decode::<f64>();
        let square = batch.main().call("square", (3,)).decode::<f64>();
        batch.send().await.unwrap();
        assert_eq!(sum.await.unwrap_err().message(), NOT_ALL);
        assert_eq!(square.await.unwrap(), 9.0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_and_blobs_in_results_arrive_if_they_are_short() {
    limited(async {
        let (_rpc, address) = serve().await;
        let batch = batch(address);
        let text = "x".repeat(100_000);
        let made = batch.main().call("makeBlob", ("a/b", &text)).decode::<Blob>();
        let numbers = batch.main().call("countStream", (10,)).decode::<ReadableStream<u32>>();
        batch.send().await.unwrap();
        let blob = made.await.unwrap();
        assert_eq!((blob.content_type(), blob.len()), ("a/b", text.len()));
        let numbers: Vec<u32> = numbers.await.unwrap().try_collect().await.unwrap();
        assert_eq!(numbers, Vec::from_iter(0..10));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_long_for_a_batch_fails_its_call_alone() {
    limited(async {
        let (_rpc, address) = serve().await;
        let batch = batch(address);
        let blob = batch.main().call("readBlob", (Blob::new("", vec![b'x'; TOO_LONG]),));
        let made = batch.main().call("makeBlob", ("", "x".repeat(TOO_LONG))).decode::<Blob>();
        let square = batch.main().call("square", (3,)).decode::<f64>();
        batch.send().await.unwrap();
        assert_eq!(blob.await.unwrap_err().message(), NOT_ALL);
        assert!(made.await.is_err());
        assert_eq!(square.await.unwrap(), 9.0);
    })
    .await;
}

/// Streams that have no end, or a late one.
fn feeds() -> Stub {
    const PAUSE: Duration = Duration::from_millis(20);
    target(|call| match call.method() {
        "idle" => call.reply(|()| {
            Ok(ReadableStream::<u32>::new(stream::iter([Ok(1), Ok(2)]).chain(stream::pending())))
        }),
        "endless" => call.reply(|()| {
            Ok(ReadableStream::<u32>::new(stream::repeat(3).then(async |chunk| {
                tokio::time::sleep(PAUSE).await;
                Ok(chunk)
            })))
        }),
        "slow" => call.reply(|()| {
            Ok(ReadableStream::<u32>::new(stream::iter(0..30).then(async |chunk| {
                tokio::time::sleep(PAUSE).await;
                Ok(chunk)
            })))
        }),
        "promised" => call.reply(|()| {
            let promise = Promise::<Value>::from_future(async {
                tokio::time::sleep(PAUSE).await;
                Ok(7.0.into())
            });
            Ok(ReadableStream::<Value>::new(stream::iter([Ok(promise.into())])))
        }),
        "square" => call.reply(|(x,): (f64,)| Ok(x * x)),
        _ => call.no_such_method(),
    })
}

/// Reads up to the error of a stream that was cut off, or its end.
async fn read(stream: Promise<ReadableStream<u32>>) -> (Vec<u32>, Option<Error>) {
    let mut stream = stream.await.unwrap();
    let mut chunks = Vec::new();
    loop {
        match stream.next().await {
            Some(Ok(chunk)) => chunks.push(chunk),
            Some(Err(error)) => return (chunks, Some(error)),
            None => return (chunks, None),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_idle_or_endless_keeps_nothing_else_back() {
    limited(async {
        let rpc = server::rpc().allow_unauthenticated().main(|_| feeds());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(server::serve(listener, rpc));
        let batch = batch(address);
        let idle = batch.main().call("idle", ()).decode();
        let endless = batch.main().call("endless", ()).decode();
        let square = batch.main().call("square", (3,)).decode::<f64>();
        batch.send().await.unwrap();
        assert_eq!(square.await.unwrap(), 9.0);
        let (chunks, error) = read(idle).await;
        assert_eq!(chunks, [1, 2], "what was at hand is sent");
        assert_eq!(error.unwrap().message(), "Batch RPC request ended.");
        let (chunks, error) = read(endless).await;
        assert!(chunks.len() > 1);
        assert!(error.is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_goes_on_is_sent_behind_the_deadline_of_what_was_asked_for() {
    limited(async {
        let timeout = Duration::from_millis(300);
        let rpc = server::rpc().allow_unauthenticated().batch_timeout(timeout).main(|_| feeds());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(server::serve(listener, rpc));
        let batch = batch(address);
        let slow = batch.main().call("slow", ()).decode();
        let promised = batch.main().call("promised", ()).decode::<ReadableStream<Value>>();
        batch.send().await.unwrap();
        assert_eq!(read(slow).await.0, Vec::from_iter(0..30));
        let chunk = promised.await.unwrap().next().await.unwrap();
        assert_eq!(chunk.unwrap(), 7.0.into());
    })
    .await;
}

#[test]
fn chunks_before_the_end_of_a_request_are_read_and_then_the_stream_fails() {
    let peer = Peer::new(Some(FixedTarget::stub()), Options::new());
    peer.send(r#"["pipe"]"#);
    peer.send(r#"["push",["pipeline",0,["readSome"],[["readable",1],2]]]"#);
    peer.send(r#"["pipe"]"#);
    peer.send(r#"["push",["pipeline",0,["sumStream"],[["readable",3]]]]"#);
    peer.send(r#"["pull",4]"#);
    peer.session.input_ended("nobody listens");
    peer.expect(&[r#"["reject",4,["error","Error","nobody listens"]]"#]);

    let peer = Peer::new(Some(FixedTarget::stub()), Options::new());
    peer.send(r#"["pipe"]"#);
    // Nobody reads yet.
    peer.exchange(r#"["stream",["pipeline",1,["write"],[1]]]"#, &[]);
    peer.exchange(r#"["stream",["pipeline",1,["write"],[2]]]"#, &[]);
    peer.executor.enter(|| {
        peer.session.receive(r#"["push",["pipeline",0,["readSome"],[["readable",1],2]]]"#);
        peer.session.receive(r#"["pull",4]"#);
    });
    peer.session.input_ended("nobody listens");
    assert!(peer.outgoing().contains(&r#"["resolve",4,[[1,2]]]"#.to_owned()));
}

#[test]
fn a_method_that_writes_to_its_client_is_told_that_nobody_answers() {
    let peer = Peer::new(Some(FixedTarget::stub()), Options::new());
    peer.send(r#"["push",["pipeline",0,["fillStream"],[["writable",-1],3]]]"#);
    peer.send(r#"["pull",1]"#);
    peer.session.input_ended("nobody listens");
    let answers = peer.outgoing();
    let rejected = r#"["reject",1,["error","Error","nobody listens"]]"#.to_owned();
    assert!(answers.contains(&rejected), "{answers:?}");
}

#[test]
fn a_method_that_writes_more_than_a_window_is_told_that_nobody_answers() {
    let peer = Peer::new(Some(FixedTarget::stub()), Options::new());
    peer.send(r#"["push",["pipeline",0,["fillStream"],[["writable",-1],100000]]]"#);
    peer.send(r#"["pull",1]"#);
    peer.session.input_ended("nobody listens");
    let answers = peer.outgoing();
    let rejected = r#"["reject",1,["error","Error","nobody listens"]]"#.to_owned();
    assert!(answers.contains(&rejected), "{:?}", answers.last());
}

#[test]
fn a_method_that_aborts_its_clients_stream_does_not_wait_for_an_answer() {
    let peer = Peer::new(Some(FixedTarget::stub()), Options::new());
    peer.send(r#"["push",["pipeline",0,["abortStream"],[["writable",-1],"no"]]]"#);
    peer.send(r#"["pull",1]"#);
    peer.session.input_ended("nobody listens");
    let answers = peer.outgoing();
    let answered = answers.iter().any(|answer| answer.starts_with(r#"["resolve",1,"#));
    assert!(answered, "{answers:?}");
}
