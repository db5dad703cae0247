//! Two gateways between a client and a server: three sessions in a row, in which each gateway
//! gives each side the other's main object as its own, before it knows it.

use std::{
    future::{Future, IntoFuture},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use capnweb::{
    Error, Options, Promise, Reply, Stats, Stub, Value,
    stream::{ReadableStream, WritableStream},
    value::{Bytes, Exception},
};
use capnweb_tests::{FixedTarget, Log, OnDrop, Outcome, Pair, TestExecutor, target};
use futures::{SinkExt, StreamExt, TryStreamExt, channel::oneshot, stream};

const HOPS: usize = 3;

/// The client is that of the first pair, the server that of the last.
struct Chain {
    pairs: Vec<Pair>,
    /// Runs what the gateways themselves do.
    executor: TestExecutor,
    /// What tells each gateway that it is connected with the next one.
    connect: Vec<oneshot::Sender<Stub>>,
}

impl Chain {
    /// Everybody is connected.
    fn new(client: Option<Stub>, server: Stub) -> Self {
        let mut chain = Self::unconnected(client, server);
        chain.connect();
        chain.settle();
        chain
    }

    /// Nobody is connected with the next one yet.
    fn unconnected(mut client: Option<Stub>, server: Stub) -> Self {
        let executor = TestExecutor::new();
        let (mut pairs, mut connect) = (Vec::new(), Vec::new());
        for _ in 1..HOPS {
            let (sender, connected) = oneshot::channel::<Stub>();
            let connected = async move { connected.await.map_err(Error::msg) };
            let main = executor.enter(|| Promise::from_future(connected).stub());
            let pair = Pair::with(client, Some(main), Options::new(), Options::new());
            client = Some(pair.server.main());
            pairs.push(pair);
            connect.push(sender);
        }
        pairs.push(Pair::with(client, Some(server), Options::new(), Options::new()));
        Self { pairs, executor, connect }
    }

    fn connect(&mut self) {
        for (connect, next) in self.connect.drain(..).zip(&self.pairs[1..]) {
            connect.send(next.client.main()).unwrap();
        }
    }

    /// The server's main object, as the client sees it.
    fn api(&self) -> Stub {
        self.pairs[0].client.main()
    }

    fn settle(&mut self) {
        while self.executor.run() | self.pairs.iter_mut().any(Pair::step) {}
    }

    fn start<F>(&self, future: F) -> Outcome<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.pairs[0].start(future)
    }

    #[track_caller]
    fn run<F>(&mut self, future: F) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let outcome = self.start(future);
        self.settle();
        outcome.take().expect("the future is still waiting when nothing happens any more")
    }

    /// What the last gateway has sent to the server.
    fn at_the_server(&self) -> &[String] {
        &self.pairs[HOPS - 1].client.log
    }

    #[track_caller]
    fn assert_clean(&mut self) {
        self.settle();
        for (hop, pair) in self.pairs.iter().enumerate() {
            let clean = Stats { imports: 1, exports: 1 };
            assert_eq!((pair.client.stats(), pair.server.stats()), (clean, clean), "hop {hop}");
        }
    }
}

/// Reads, writes and lists.
fn server() -> Stub {
    target(|call| match call.method() {
        "sum" => call.reply_async(|(numbers,): (ReadableStream<f64>,)| async move {
            numbers.try_fold(0.0, |sum, n| async move { Ok(sum + n) }).await
        }),
        "count" => call.reply(|(to,): (u32,)| Ok(ReadableStream::new(stream::iter(0..to).map(Ok)))),
        "failing" => Reply::value(ReadableStream::new(stream::iter([
            Ok(1),
            Err(Error::named("RangeError", "that was all")),
        ]))),
        "fill" => call.reply_async(|(mut out,): (WritableStream<u32>,)| async move {
            for n in 0..5 {
                out.send(n).await?;
            }
            out.close().await?;
            Ok("filled")
        }),
        "callAll" => call.reply_async(|(mut stubs,): (ReadableStream<Stub>,)| async move {
            let mut sum = 0.0;
            while let Some(stub) = stubs.next().await {
                sum += stub?.invoke(()).decode::<f64>().await?;
            }
            Ok(sum)
        }),
        "keep" => call.reply_async(|(unread,): (ReadableStream,)| async move {
            std::future::pending::<()>().await;
            drop(unread);
            Ok(())
        }),
        "full" => {
            Reply::value(WritableStream::<u32>::new(futures::sink::unfold((), |(), _| async {
                Err(Error::named("RangeError", "full"))
            })))
        }
        "list" => Reply::value([1, 2, 3]),
        "square" => call.reply(|(n,): (f64,)| Ok(n * n)),
        "twice" => call.reply_async(|(f, n): (Stub, f64)| async move {
            let once: f64 = f.invoke((n,)).decode().await?;
            f.invoke((once,)).decode::<f64>().await
        }),
        "who" => call.reply(|(stub,): (Stub,)| Ok((stub.clone(), stub))),
        _ => call.no_such_method(),
    })
}

#[test]
fn what_is_asked_before_anybody_is_connected_is_answered_afterwards() {
    let mut chain = Chain::unconnected(None, server());
    let api = chain.api();
    let square = api.call("square", (3,));
    let squared = chain.start(api.call("square", (square,)).decode::<f64>().into_future());
    let numbers = ReadableStream::new(stream::iter([1, 2, 3]).map(Ok));
    let sum = chain.start(api.call("sum", (numbers,)).decode::<f64>().into_future());
    let mapped = api.call("list", ()).map(|n| api.call("square", (n,)));
    let mapped = chain.start(mapped.decode::<Vec<f64>>().into_future());
    chain.settle();
    assert!(squared.take().is_none() && sum.take().is_none() && mapped.take().is_none());
    chain.connect();
    chain.settle();
    assert_eq!(squared.take().unwrap().unwrap(), 81.0);
    assert_eq!(sum.take().unwrap().unwrap(), 6.0);
    assert_eq!(mapped.take().unwrap().unwrap(), [1.0, 4.0, 9.0]);
    drop(api);
    chain.assert_clean();
}

#[test]
fn a_pipelined_chain_is_one_round_trip_also_behind_gateways() {
    for connected in [true, false] {
        let mut chain = Chain::unconnected(None, FixedTarget::stub());
        if connected {
            chain.connect();
            chain.settle();
        }
        let api = chain.api();
        let counter = api.call("makeCounter", (5,));
        drop(counter.call("increment", (1,)));
        let value = api.call("giveBack", (&counter,)).get("stub").get("value");
        let value = chain.start(value.decode::<f64>().into_future());
        chain.settle();
        chain.connect();
        chain.settle();
        assert_eq!(value.take().unwrap().unwrap(), 6.0);
        let calls: Vec<_> =
            chain.at_the_server().iter().filter(|frame| frame.starts_with("[\"push\"")).collect();
        assert_eq!(
            calls,
            [
                r#"["push",["pipeline",0,["makeCounter"],[5]]]"#,
                r#"["push",["pipeline",1,["increment"],[1]]]"#,
                r#"["push",["pipeline",0,["giveBack"],[["pipeline",1]]]]"#,
                r#"["push",["pipeline",3,["stub","value"]]]"#,
            ],
            "connected beforehand: {connected}"
        );
        drop((api, counter));
        chain.assert_clean();
    }
}

#[test]
fn what_nobody_waits_for_is_not_pulled_anywhere() {
    let mut chain = Chain::new(None, server());
    let api = chain.api();
    let unused = api.call("square", (2,));
    chain.settle();
    assert_eq!(chain.at_the_server(), [r#"["push",["pipeline",0,["square"],[2]]]"#]);
    drop((api, unused));
    chain.assert_clean();
    assert_eq!(chain.at_the_server()[1..], [r#"["release",1,1]"#]);
}

#[test]
fn streams_go_through_in_arguments_and_results() {
    let mut chain = Chain::new(None, server());
    let api = chain.api();
    let numbers = ReadableStream::new(stream::iter(1..=1000).map(Ok));
    let sum = api.call("sum", (numbers,)).decode::<f64>();
    assert_eq!(chain.run(sum.into_future()).unwrap(), 500_500.0);
    let counted = api.call("count", (1000,)).decode::<ReadableStream<u32>>();
    let counted = async move { counted.await?.try_collect::<Vec<_>>().await };
    assert_eq!(chain.run(counted).unwrap(), (0..1000).collect::<Vec<_>>());
    drop(api);
    chain.assert_clean();
}

#[test]
fn an_error_ends_a_stream_for_the_reader_behind_gateways() {
    let mut chain = Chain::new(None, server());
    let api = chain.api();
    let failing = api.call("failing", ()).decode::<ReadableStream<u32>>();
    let items = chain.run(async move { failing.await.unwrap().collect::<Vec<_>>().await });
    let error = items.last().unwrap().as_ref().unwrap_err();
    assert_eq!((error.name(), error.message()), ("RangeError", "that was all"));
    drop(api);
    chain.assert_clean();
}

#[test]
fn a_writer_behind_gateways_learns_why_nobody_reads() {
    let mut chain = Chain::new(None, server());
    let api = chain.api();
    let full = api.call("full", ()).decode::<WritableStream<u32>>();
    let failed = chain.run(async move {
        let mut full = full.await?;
        loop {
            full.send(1).await?;
        }
        #[expect(unreachable_code, reason = "says what the result would be")]
        Ok::<(), Error>(())
    });
    let error = failed.unwrap_err();
    assert_eq!((error.name(), error.message()), ("RangeError", "full"));
    drop(api);
    chain.assert_clean();
}

#[test]
fn a_writable_stream_is_written_through_gateways() {
    let mut chain = Chain::new(None, server());
    let api = chain.api();
    let (sender, receiver) = futures::channel::mpsc::unbounded();
    let out = chain.pairs[0]
        .executor
        .enter(|| WritableStream::<u32>::new(sender.sink_map_err(Error::msg)));
    let filled = api.call("fill", (out,)).decode::<String>();
    assert_eq!(chain.run(filled.into_future()).unwrap(), "filled");
    assert_eq!(chain.run(receiver.collect::<Vec<_>>()), [0, 1, 2, 3, 4]);
    drop(api);
    chain.assert_clean();
}

#[test]
fn stubs_in_chunks_are_called_through_gateways_and_let_go() {
    let log = Log::new();
    let mut chain = Chain::new(None, server());
    let api = chain.api();
    let stubs = (1..=3).map(|n| {
        let guard = OnDrop(log.clone(), "dropped");
        Ok(Stub::function(move |(): ()| {
            let _ = &guard;
            async move { Ok(f64::from(n)) }
        }))
    });
    let stubs: Vec<_> = stubs.collect();
    let sum = api.call("callAll", (ReadableStream::new(stream::iter(stubs)),)).decode::<f64>();
    assert_eq!(chain.run(sum.into_future()).unwrap(), 6.0);
    drop(api);
    chain.assert_clean();
    assert_eq!(log.take(), ["dropped"; 3]);
}

#[test]
fn a_reader_that_does_not_read_holds_up_the_sender_behind_gateways() {
    let mut chain = Chain::new(None, server());
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    let chunks = stream::repeat(()).map(move |()| {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(Bytes::new(vec![0; 1024]))
    });
    let api = chain.api();
    let kept = chain.start(api.call("keep", (ReadableStream::new(chunks),)).into_future());
    chain.settle();
    assert!(kept.take().is_none());
    // No more than the windows of all sessions, which have no reason to have grown far.
    let bytes = taken.load(Ordering::Relaxed) * 1024;
    assert!((256 * 1024..HOPS * 16 * 1024 * 1024).contains(&bytes), "{bytes} bytes were taken");
    let sum = api.call("square", (4,)).decode::<f64>();
    assert_eq!(chain.run(sum.into_future()).unwrap(), 16.0);
}

#[test]
fn a_map_is_applied_at_the_server() {
    let mut chain = Chain::new(None, server());
    let api = chain.api();
    let mapped = api.call("list", ()).map(|n| api.call("square", (n,)));
    let mapped = mapped.decode::<Vec<f64>>();
    assert_eq!(chain.run(mapped.into_future()).unwrap(), [1.0, 4.0, 9.0]);
    // The server's own main object, which it calls without asking anybody.
    let remap = chain.at_the_server().iter().find(|frame| frame.contains("\"remap\"")).unwrap();
    assert!(remap.contains(r#"[["import",0]]"#), "{remap}");
    let calls_back = chain.pairs[HOPS - 1].server.log.iter().filter(|f| f.starts_with("[\"push\""));
    assert_eq!(calls_back.count(), 0);
    drop(api);
    chain.assert_clean();
}

#[test]
fn a_map_can_call_the_client_through_gateways() {
    let mut chain = Chain::new(None, server());
    let api = chain.api();
    let half = Stub::function(|(n,): (f64,)| async move { Ok(n / 2.0) });
    let mapped = api.call("list", ()).map(|n| half.invoke((n,))).decode::<Vec<f64>>();
    assert_eq!(chain.run(mapped.into_future()).unwrap(), [0.5, 1.0, 1.5]);
    drop((api, half));
    chain.assert_clean();
}

#[test]
fn callbacks_are_called_through_gateways() {
    let mut chain = Chain::new(None, server());
    let api = chain.api();
    let double = Stub::function(|(n,): (f64,)| async move { Ok(2.0 * n) });
    let twice = api.call("twice", (double, 3)).decode::<f64>();
    assert_eq!(chain.run(twice.into_future()).unwrap(), 12.0);
    drop(api);
    chain.assert_clean();
}

#[test]
fn main_objects_of_both_ends_are_recognized_behind_gateways() {
    let mut chain = Chain::new(Some(FixedTarget::stub()), server());
    let api = chain.api();
    // The server's own main object goes home as such,
    let who = api.call("who", (&api,)).decode::<(Stub, Stub)>();
    drop(chain.run(who.into_future()).unwrap());
    let frame = r#"["push",["pipeline",0,["who"],[["import",0]]]]"#;
    assert!(chain.at_the_server().iter().any(|sent| sent == frame), "{:?}", chain.at_the_server());
    // and the server calls the client's.
    let client = chain.pairs[HOPS - 1].server.main();
    let square = client.call("square", (5,)).decode::<f64>();
    assert_eq!(chain.run(square.into_future()).unwrap(), 25.0);
    drop((api, client));
    chain.assert_clean();
}

#[test]
fn errors_keep_their_properties_behind_gateways() {
    let mut chain = Chain::new(None, FixedTarget::stub());
    let api = chain.api();
    let cause = Exception::new("RangeError", "inner");
    let thrown =
        Exception::new("TypeError", "no").with_property("code", "E_CODE").with_cause(cause);
    let failing = api.call("throwValue", (Value::from(thrown.clone()),));
    let error = chain.run(failing.into_future()).unwrap_err();
    assert_eq!(error.thrown(), &Value::from(thrown));
    drop(api);
    chain.assert_clean();
}

#[test]
fn a_server_that_cannot_be_reached_fails_what_was_asked() {
    let mut chain = Chain::unconnected(None, server());
    let square = chain.start(chain.api().call("square", (2,)).into_future());
    chain.connect.clear();
    chain.settle();
    assert_eq!(square.take().unwrap().unwrap_err().message(), "oneshot canceled");
}
