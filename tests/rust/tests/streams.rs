//! Streams in arguments and results, in both directions.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use capnweb::{
    Error, Options, Reply, Stub, Value,
    stream::{ReadableStream, WritableStream},
    value::Bytes,
};
use capnweb_tests::{Log, OnDrop, Pair, Peer, target};
use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt, stream};

/// Sums what it is sent, and sends what it is asked for.
fn streamer() -> Stub {
    target(|call| match call.method() {
        "sum" => call.reply_async(|(mut numbers,): (ReadableStream<f64>,)| async move {
            let mut sum = 0.0;
            while let Some(number) = numbers.next().await {
                sum += number?;
            }
            Ok(sum)
        }),
        "count" => call.reply(|(to,): (u32,)| Ok(ReadableStream::new(stream::iter(0..to).map(Ok)))),
        "failing" => Reply::value(ReadableStream::new(stream::iter([
            Ok(1),
            Err(Error::named("RangeError", "that was all")),
        ]))),
        "first" => call.reply_async(|(mut numbers,): (ReadableStream<f64>,)| async move {
            numbers.next().await.unwrap_or(Ok(0.0))
        }),
        "ignore" => call.reply(|(_,): (ReadableStream,)| Ok(())),
        "fill" => call.reply_async(|(mut out,): (WritableStream<u32>,)| async move {
            for i in 0..5 {
                out.send(i).await?;
            }
            out.close().await?;
            Ok("filled")
        }),
        "drop" => call.reply_async(|(mut out,): (WritableStream<u32>,)| async move {
            out.send(1).await?;
            Ok(())
        }),
        "echo" => call.reply(|(value,): (Value,)| Ok(value)),
        "callAll" => call.reply_async(|(mut stubs,): (ReadableStream<Stub>,)| async move {
            let mut sum = 0.0;
            while let Some(stub) = stubs.next().await {
                sum += stub?.invoke(()).decode::<f64>().await?;
            }
            Ok(sum)
        }),
        _ => call.no_such_method(),
    })
}

#[test]
fn a_stream_in_the_arguments_is_read_by_the_method() {
    let mut pair = Pair::new(streamer());
    let api = pair.client.main();
    let numbers = ReadableStream::new(stream::iter([1, 2, 3]).map(Ok));
    let sum = api.call("sum", (numbers,)).decode::<f64>();
    assert_eq!(pair.run(async move { sum.await }).unwrap(), 6.0);
    assert_eq!(
        pair.client.log[..2],
        [r#"["pipe"]"#, r#"["push",["pipeline",0,["sum"],[["readable",1]]]]"#]
    );
    assert!(
        pair.client.log.contains(&r#"["stream",["pipeline",1,["write"],[1]]]"#.to_owned()),
        "{:?}",
        pair.client.log
    );
    drop(api);
    pair.assert_clean();
}

#[test]
fn a_stream_in_a_result_is_read_by_the_caller() {
    let mut pair = Pair::new(streamer());
    let api = pair.client.main();
    let counted = pair.run(async move {
        let numbers: ReadableStream<u32> = api.call("count", (1000,)).decode().await?;
        numbers.collect::<Vec<_>>().await.into_iter().collect::<Result<Vec<_>, Error>>()
    });
    assert_eq!(counted.unwrap(), (0..1000).collect::<Vec<_>>());
    pair.assert_clean();
}

#[test]
fn an_error_ends_a_stream_for_its_reader() {
    let mut pair = Pair::new(streamer());
    let api = pair.client.main();
    let items = pair.run(async move {
        let numbers: ReadableStream<u32> = api.call("failing", ()).decode().await?;
        Ok::<_, Error>(numbers.collect::<Vec<_>>().await)
    });
    let items = items.unwrap();
    let error = items.last().unwrap().as_ref().unwrap_err();
    assert_eq!((error.name(), error.message()), ("RangeError", "that was all"));
    pair.assert_clean();
}

/// A stream that counts what was taken from it, and tells when it is dropped.
fn counted(taken: &Arc<AtomicUsize>, log: &Log) -> ReadableStream<Bytes> {
    let taken = Arc::clone(taken);
    let guard = OnDrop(log.clone(), "dropped");
    ReadableStream::new(stream::repeat(()).map(move |()| {
        let _ = &guard;
        taken.fetch_add(1, Ordering::Relaxed);
        Ok(Bytes::new(vec![0; 1024]))
    }))
}

#[test]
fn a_reader_that_stops_ends_the_senders_stream() {
    let mut pair = Pair::new(streamer());
    let api = pair.client.main();
    let (taken, log) = (Arc::new(AtomicUsize::new(0)), Log::new());
    let ignored = api.call("ignore", (counted(&taken, &log),));
    pair.run(async move { ignored.decode::<()>().await }).unwrap();
    assert_eq!(log.take(), ["dropped"]);
    drop(api);
    pair.assert_clean();
}

#[test]
fn a_sender_is_never_ahead_by_more_than_its_window() {
    let mut pair = Pair::new(target(|call| match call.method() {
        "open" => call.reply_async(|(stream,): (ReadableStream<Bytes>,)| async move {
            // Kept, and not read.
            std::future::pending::<()>().await;
            drop(stream);
            Ok(())
        }),
        _ => call.no_such_method(),
    }));
    let api = pair.client.main();
    let (taken, log) = (Arc::new(AtomicUsize::new(0)), Log::new());
    let open = api.call("open", (counted(&taken, &log),));
    let waiting = pair.start(async move { open.decode::<()>().await });
    pair.settle();
    assert!(waiting.take().is_none());
    let sent: usize =
        pair.client.log.iter().filter(|f| f.starts_with("[\"stream\"")).map(String::len).sum();
    // The initial window, and the write that reaches it.
    assert!((256 * 1024..256 * 1024 + 4096).contains(&sent), "{sent} bytes were sent");
    pair.client.connection.as_ref().unwrap().close();
    pair.settle();
    assert_eq!(log.take(), ["dropped"]);
}

#[test]
fn calls_pass_while_a_stream_waits() {
    let mut pair = Pair::new(streamer());
    let api = pair.client.main();
    let never = ReadableStream::<f64>::new(stream::pending());
    let sum = api.call("sum", (never,));
    let _waiting = pair.start(async move { sum.decode::<f64>().await });
    let echo = api.call("echo", (7,)).decode::<u8>();
    assert_eq!(pair.run(async move { echo.await }).unwrap(), 7);
}

#[test]
fn a_writable_stream_in_the_arguments_is_written_by_the_method() {
    let mut pair = Pair::new(streamer());
    let api = pair.client.main();
    let (sender, receiver) = futures::channel::mpsc::unbounded();
    let sink = sender.sink_map_err(Error::msg);
    let out = pair.executor.enter(|| WritableStream::<u32>::new(sink));
    let filled = api.call("fill", (out,)).decode::<String>();
    assert_eq!(pair.run(async move { filled.await }).unwrap(), "filled");
    assert_eq!(pair.run(receiver.collect::<Vec<_>>()), [0, 1, 2, 3, 4]);
    drop(api);
    pair.assert_clean();
}

#[test]
fn a_pipe_that_is_released_unclosed_ends_in_an_error() {
    // Seen from the reader of a pipe: the writer goes away without closing.
    let peer = Peer::new(Some(streamer()), Options::new());
    peer.exchange(r#"["pipe"]"#, &[]);
    peer.exchange(r#"["push",["pipeline",0,["sum"],[["readable",1]]]]"#, &[]);
    peer.exchange(r#"["pull",2]"#, &[]);
    peer.exchange(
        r#"["stream",["pipeline",1,["write"],[5]]]"#,
        &[r#"["resolve",3,["undefined"]]"#],
    );
    let answer = peer.send(r#"["release",1,1]"#).join("");
    assert_eq!(
        answer,
        r#"["reject",2,["error","Error","WritableStream RPC stub was disposed without calling close()"]]"#
    );
}

#[test]
fn the_writes_of_a_pipe_are_acknowledged_when_they_are_read() {
    let peer = Peer::new(Some(streamer()), Options::new());
    peer.exchange(r#"["pipe"]"#, &[]);
    peer.exchange(r#"["stream",["pipeline",1,["write"],[1]]]"#, &[]);
    peer.exchange(r#"["stream",["pipeline",1,["write"],[2]]]"#, &[]);
    peer.exchange(
        r#"["push",["pipeline",0,["first"],[["readable",1]]]]"#,
        &[
            r#"["resolve",2,["undefined"]]"#,
            r#"["reject",3,["error","Error","ReadableStream RPC stub was disposed without being consumed"]]"#,
        ],
    );
    peer.exchange(r#"["pull",4]"#, &[r#"["resolve",4,1]"#]);
    peer.exchange(r#"["release",4,1]"#, &[]);
    peer.exchange(r#"["release",1,1]"#, &[]);
    assert_eq!(peer.connection.stats().exports, 1);
}

#[test]
fn a_pipe_cannot_be_pulled() {
    let peer = Peer::new(Some(streamer()), Options::new());
    peer.exchange(r#"["pipe"]"#, &[]);
    peer.exchange(
        r#"["pull",1]"#,
        &[r#"["reject",1,["error","Error","Cannot pull a WritableStream stub"]]"#],
    );
}

#[test]
fn an_abort_loses_what_was_not_read() {
    let peer = Peer::new(Some(streamer()), Options::new());
    peer.exchange(r#"["pipe"]"#, &[]);
    peer.exchange(r#"["stream",["pipeline",1,["write"],[1]]]"#, &[]);
    let mut answers =
        peer.send(r#"["stream",["pipeline",1,["abort"],[["error","RangeError","no more"]]]]"#);
    answers.sort();
    assert_eq!(
        answers,
        [r#"["reject",2,["error","RangeError","no more"]]"#, r#"["resolve",3,["undefined"]]"#,]
    );
    peer.exchange(r#"["push",["pipeline",0,["sum"],[["readable",1]]]]"#, &[]);
    peer.exchange(r#"["pull",4]"#, &[r#"["reject",4,["error","RangeError","no more"]]"#]);
}

#[test]
fn chunks_can_hold_stubs() {
    let mut pair = Pair::new(streamer());
    let api = pair.client.main();
    let stubs = ReadableStream::new(
        stream::iter(1..=3)
            .map(|n| Ok(Stub::function(move |(): ()| async move { Ok(f64::from(n)) }))),
    );
    let sum = api.call("callAll", (stubs,)).decode::<f64>();
    assert_eq!(pair.run(async move { sum.await }).unwrap(), 6.0);
    drop(api);
    pair.assert_clean();
}

#[test]
fn a_received_stream_can_be_sent_on() {
    let mut pair = Pair::new(streamer());
    let api = pair.client.main();
    // Back to where it came from, without being read here.
    let sum = pair.run(async move {
        let numbers: ReadableStream<f64> = api.call("count", (10,)).decode().await?;
        api.call("sum", (numbers,)).decode::<f64>().await
    });
    assert_eq!(sum.unwrap(), 45.0);
    pair.assert_clean();
}

#[test]
fn streams_pass_through_values() {
    let mut pair = Pair::new(streamer());
    let api = pair.client.main();
    let echoed = pair.run(async move {
        let numbers = ReadableStream::new(stream::iter([1, 2]).map(Ok));
        let value = api.call("echo", (numbers,)).await?;
        let Value::ReadableStream(numbers) = value else { panic!("{value:?}") };
        numbers.collect::<Vec<_>>().await.into_iter().collect::<Result<Vec<_>, Error>>()
    });
    assert_eq!(echoed.unwrap(), [Value::Number(1.0), Value::Number(2.0)]);
    pair.assert_clean();
}

#[test]
fn bytes_are_read_and_written_as_such() {
    let mut pair = Pair::new(streamer());
    let api = pair.client.main();
    let text = pair.run(async move {
        let (mut near, far) = tokio_pipe();
        let sent = ReadableStream::from_async_read(far);
        near.write_all(b"hello, ").await.unwrap();
        near.write_all(b"world").await.unwrap();
        near.close().await.unwrap();
        drop(near);
        let back: ReadableStream<Bytes> = api.call("echo", (sent,)).decode().await?;
        let mut text = String::new();
        back.into_async_read().read_to_string(&mut text).await.map_err(Error::msg)?;
        Ok::<_, Error>(text)
    });
    assert_eq!(text.unwrap(), "hello, world");
    pair.assert_clean();
}

/// An in-memory pipe of bytes.
fn tokio_pipe() -> (impl futures::AsyncWrite + Unpin, impl futures::AsyncRead + Unpin) {
    let (sender, receiver) = futures::channel::mpsc::unbounded::<Vec<u8>>();
    let reader = receiver.map(Ok::<_, std::io::Error>).into_async_read();
    struct Writer(futures::channel::mpsc::UnboundedSender<Vec<u8>>);
    impl futures::AsyncWrite for Writer {
        fn poll_write(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            bytes: &[u8],
        ) -> std::task::Poll<std::io::Result<usize>> {
            let sent = self.0.unbounded_send(bytes.to_vec());
            std::task::Poll::Ready(sent.map(|()| bytes.len()).map_err(std::io::Error::other))
        }

        fn poll_flush(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            std::task::Poll::Ready(Ok(()))
        }

        fn poll_close(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            self.0.close_channel();
            std::task::Poll::Ready(Ok(()))
        }
    }
    use futures::TryStreamExt;
    (Writer(sender), reader)
}

#[test]
fn a_disconnect_ends_streams_in_both_directions() {
    let mut pair = Pair::new(streamer());
    let api = pair.client.main();
    let numbers = pair
        .run(async move { api.call("count", (1_000_000,)).decode::<ReadableStream<u32>>().await });
    let numbers = numbers.unwrap();
    pair.client.session.disconnected("gone");
    pair.server.session.disconnected("gone");
    let items = pair.run(async move { numbers.collect::<Vec<_>>().await });
    assert!(items.last().unwrap().is_err());
    pair.executor.advance(Duration::from_secs(120));
    pair.settle();
}
