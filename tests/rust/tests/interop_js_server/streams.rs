//! Streams, in arguments and results, to and from the published package.

use capnweb::{
    Error,
    stream::{ReadableStream, WritableStream},
    value::Bytes,
};
use capnweb_tests::{Log, OnDrop, clean};
use futures::{SinkExt, StreamExt, TryStreamExt, channel::mpsc, stream};
use serde::Deserialize;

#[derive(Debug, Deserialize, PartialEq)]
struct SinkState {
    sum: f64,
    state: String,
}

#[tokio::test]
async fn a_readable_stream_is_read_by_the_server() {
    clean(async |session| {
        let numbers = ReadableStream::new(stream::iter(0..2000).map(Ok));
        let sum: f64 = session.main.call("sumStream", (numbers,)).decode().await.unwrap();
        assert_eq!(sum, 1_999_000.0);
        let chunks = stream::iter(0..300).map(|_| Ok(Bytes::new(vec![7; 8192])));
        let bytes = ReadableStream::new(chunks);
        let size: usize = session.main.call("sizeStream", (bytes,)).decode().await.unwrap();
        assert_eq!(size, 300 * 8192);
    })
    .await;
}

#[tokio::test]
async fn an_error_of_a_stream_reaches_the_servers_reader() {
    clean(async |session| {
        let error = Error::named("RangeError", "no more");
        let failing = ReadableStream::<f64>::new(stream::iter([Ok(1.0), Err(error)]));
        let error = session.main.call("sumStream", (failing,)).await.unwrap_err();
        assert_eq!((error.name(), error.message()), ("RangeError", "no more"));
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_the_server_has_read_enough_of_is_dropped() {
    clean(async |session| {
        for method in ["readSome", "ignoreStream"] {
            let (dropped, mut seen) = mpsc::unbounded::<()>();
            let endless = ReadableStream::new(stream::iter(0_u32..).map(move |n| {
                let _ = &dropped;
                Ok(n)
            }));
            session.main.call(method, (endless, 3)).await.unwrap();
            // Nothing is ever sent: this ends when the stream has been dropped.
            assert_eq!(seen.next().await, None);
        }
    })
    .await;
}

#[tokio::test]
async fn a_stream_of_the_server_is_read_here() {
    clean(async |session| {
        let numbers: ReadableStream<u32> =
            session.main.call("countStream", (1000,)).decode().await.unwrap();
        let numbers: Vec<_> = numbers.try_collect().await.unwrap();
        assert_eq!(numbers, (0..1000).collect::<Vec<_>>());
        let mut bytes: ReadableStream<Bytes> =
            session.main.call("byteStream", (300, 8192)).decode().await.unwrap();
        let mut size = 0;
        while let Some(chunk) = bytes.try_next().await.unwrap() {
            size += chunk.len();
        }
        assert_eq!(size, 300 * 8192);
    })
    .await;
}

#[tokio::test]
async fn an_error_of_the_servers_stream_is_seen_here() {
    clean(async |session| {
        let failing = session.main.call("failingStream", (0, "that was all"));
        let failing: ReadableStream<u32> = failing.decode().await.unwrap();
        let items: Vec<_> = failing.collect().await;
        let error = items.last().unwrap().as_ref().unwrap_err();
        assert_eq!((error.name(), error.message()), ("RangeError", "that was all"));
    })
    .await;
}

#[tokio::test]
async fn a_stream_of_the_server_may_be_left_unread() {
    clean(async |session| {
        let mut numbers: ReadableStream<u32> =
            session.main.call("countStream", (100_000,)).decode().await.unwrap();
        assert_eq!(numbers.try_next().await.unwrap(), Some(0));
    })
    .await;
}

#[tokio::test]
async fn a_writable_stream_is_written_by_the_server() {
    clean(async |session| {
        let (sender, receiver) = mpsc::unbounded();
        let out = WritableStream::<u32>::new(sender.sink_map_err(Error::msg));
        let filled: u32 = session.main.call("fillStream", (out, 5)).decode().await.unwrap();
        assert_eq!(filled, 5);
        assert_eq!(receiver.collect::<Vec<_>>().await, [0, 1, 2, 3, 4]);
    })
    .await;
}

#[tokio::test]
async fn a_writable_stream_that_the_server_ends_badly_is_dropped_unclosed() {
    clean(async |session| {
        for name in ["leaveStream", "abortStream"] {
            let log = Log::new();
            let (ended, mut seen) = mpsc::unbounded::<()>();
            let closed = OnDrop(log.clone(), "dropped");
            let sink = futures::sink::unfold((closed, ended), |state, _: u32| async move {
                Ok::<_, Error>(state)
            });
            let out = WritableStream::new(sink);
            session.main.call(name, (out, "no more")).await.unwrap();
            assert_eq!(seen.next().await, None, "{name}");
            assert_eq!(log.take(), ["dropped"], "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_sink_of_the_server_is_written_and_closed() {
    clean(async |session| {
        #[derive(Deserialize)]
        struct Made {
            stream: WritableStream<u32>,
        }
        let made = session.main.call("makeSink", ()).decode::<Made>();
        let mut sink = made.await.unwrap().stream;
        for n in 1..=100 {
            sink.send(n).await.unwrap();
        }
        sink.close().await.unwrap();
        drop(sink);
        let state: SinkState = session.main.call("sinkState", ()).decode().await.unwrap();
        assert_eq!(state, SinkState { sum: 5050.0, state: "closed".to_owned() });
    })
    .await;
}
