//! Chunks with promises and blobs in them keep their place among the others, on every way.

use capnweb::{
    Error, Options, Promise, Stub, Value,
    fetch::Blob,
    stream::{ReadableStream, WritableStream},
};
use capnweb_tests::{FixedTarget, Gate, Pair, Peer, TestExecutor, target};
use futures::{SinkExt, StreamExt, TryStreamExt, channel::mpsc, stream};

/// A promise that is known a little later.
fn later(value: impl Into<Value>) -> Value {
    let value = value.into();
    Value::from(Promise::<Value>::from_future(async {
        yield_often().await;
        Ok(value)
    }))
}

async fn yield_often() {
    let mut times = 0;
    std::future::poll_fn(|cx| {
        times += 1;
        if times > 100 {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

fn blob(byte: u8, len: usize) -> Value {
    Value::Blob(Blob::new("", vec![byte; len]))
}

/// Chunks of which every second one is complete only later.
fn mixed() -> Vec<Value> {
    vec![
        1.0.into(),
        later(2.0),
        3.0.into(),
        blob(b'x', 100_000),
        blob(b'y', 10),
        Value::Array(vec![later("within")]),
        4.0.into(),
        later("last"),
    ]
}

fn stream_of(chunks: Vec<Value>) -> ReadableStream<Value> {
    ReadableStream::new(stream::iter(chunks.into_iter().map(Ok)))
}

/// What the chunks are, in words.
fn described(chunks: Vec<Value>) -> Vec<String> {
    let describe = |chunk| match chunk {
        Value::Blob(blob) => format!("{} × {}", blob.len(), char::from(blob.as_slice()[0])),
        chunk => format!("{chunk:?}"),
    };
    chunks.into_iter().map(describe).collect()
}

fn expected() -> Vec<String> {
    let known = vec![
        1.0.into(),
        2.0.into(),
        3.0.into(),
        blob(b'x', 100_000),
        blob(b'y', 10),
        Value::Array(vec!["within".into()]),
        4.0.into(),
        "last".into(),
    ];
    described(known)
}

fn streamer() -> Stub {
    target(|call| match call.method() {
        "make" => call.reply(|()| Ok(stream_of(mixed()))),
        "read" => call.reply_async(|(chunks,): (ReadableStream<Value>,)| async move {
            Ok(described(chunks.try_collect().await?))
        }),
        "open" => call.reply(|(to,): (Stub,)| {
            let sink = futures::sink::unfold(to, |to, chunk: Value| async move {
                to.call("take", (chunk,)).decode::<()>().await?;
                Ok::<_, Error>(to)
            });
            Ok(WritableStream::new(sink))
        }),
        _ => call.no_such_method(),
    })
}

async fn make_and_read(main: Stub) {
    let made = main.call("make", ()).decode::<ReadableStream<Value>>().await.unwrap();
    assert_eq!(described(made.try_collect().await.unwrap()), expected());
    let read = main.call("read", (stream_of(mixed()),)).decode::<Vec<String>>().await;
    assert_eq!(read.unwrap(), expected());
}

async fn write_to_a_sink(main: Stub) {
    let (taken, taking) = mpsc::unbounded();
    let taker = target(move |call| {
        let taken = taken.clone();
        call.reply(move |(chunk,): (Value,)| taken.unbounded_send(chunk).map_err(Error::msg))
    });
    let open = main.call("open", (taker,));
    let mut writable = open.decode::<WritableStream<Value>>().await.unwrap();
    for chunk in mixed() {
        writable.send(chunk).await.unwrap();
    }
    writable.close().await.unwrap();
    drop((writable, main));
    assert_eq!(described(taking.take(expected().len()).collect().await), expected());
}

#[test]
fn over_a_connection() {
    let mut pair = Pair::new(streamer());
    let main = pair.client.main();
    pair.run(make_and_read(main));
    let main = pair.client.main();
    pair.run(write_to_a_sink(main));
}

#[test]
fn within_a_process() {
    let executor = TestExecutor::new();
    let outcomes =
        [executor.start(make_and_read(streamer())), executor.start(write_to_a_sink(streamer()))];
    executor.run();
    assert!(outcomes.iter().all(|outcome| outcome.take().is_some()));
}

#[test]
fn writes_that_hold_promises_are_read_in_their_order_whoever_sent_them_at_once() {
    let peer = Peer::new(Some(FixedTarget::stub()), Options::new());
    peer.exchange(r#"["pipe"]"#, &[]);
    peer.exchange(r#"["push",["pipeline",0,["readSome"],[["readable",1],3]]]"#, &[]);
    peer.exchange(r#"["pull",2]"#, &[]);
    peer.exchange(
        r#"["stream",["pipeline",1,["write"],[1]]]"#,
        &[r#"["resolve",3,["undefined"]]"#],
    );
    peer.send(r#"["stream",["pipeline",1,["write"],[["promise",-1]]]]"#);
    peer.send(r#"["stream",["pipeline",1,["write"],[3]]]"#);
    peer.send(r#"["stream",["pipeline",1,["close"],[]]]"#);
    let answers = peer.send(r#"["resolve",-1,2]"#);
    assert!(answers.contains(&r#"["resolve",2,[[1,2,3]]]"#.to_owned()), "{answers:?}");
}

/// A session whose method returns 1, a promise that the gate opens, and 3.
fn sender() -> (Peer, Gate) {
    let gate = Gate::new();
    let opened = gate.clone();
    let main = target(move |call| {
        let opened = opened.clone();
        let promise = Promise::<Value>::from_future(async move {
            opened.wait().await;
            Ok(2.0.into())
        });
        call.reply(|()| Ok(stream_of(vec![1.0.into(), promise.into(), 3.0.into()])))
    });
    (Peer::new(Some(main), Options::new()), gate)
}

#[test]
fn nothing_is_sent_behind_a_chunk_that_is_not_complete_before_its_answer() {
    let (peer, gate) = sender();
    peer.exchange(r#"["push",["pipeline",0,["make"],[]]]"#, &[]);
    peer.exchange(
        r#"["pull",1]"#,
        &[
            r#"["pipe"]"#,
            r#"["resolve",1,["readable",1]]"#,
            r#"["stream",["pipeline",1,["write"],[1]]]"#,
            r#"["stream",["pipeline",1,["write"],[["promise",-1]]]]"#,
        ],
    );
    peer.exchange(r#"["resolve",2,["undefined"]]"#, &[]);
    gate.open();
    peer.expect(&[r#"["resolve",-1,2]"#]);
    peer.exchange(
        r#"["resolve",3,["undefined"]]"#,
        &[
            r#"["stream",["pipeline",1,["write"],[3]]]"#,
            r#"["stream",["pipeline",1,["close"],[]]]"#,
        ],
    );
}

#[test]
fn a_close_waits_for_a_last_chunk_that_is_not_complete() {
    let main = target(|call| call.reply(|()| Ok(stream_of(vec![later(1.0)]))));
    let peer = Peer::new(Some(main), Options::new());
    peer.send(r#"["push",["pipeline",0,["make"],[]]]"#);
    let close = r#"["stream",["pipeline",1,["close"],[]]]"#.to_owned();
    assert!(!peer.send(r#"["pull",1]"#).contains(&close));
    assert!(peer.send(r#"["resolve",2,["undefined"]]"#).contains(&close));
}

#[test]
fn in_a_batch_a_stream_ends_behind_a_chunk_that_is_not_complete() {
    let (peer, gate) = sender();
    gate.open();
    peer.send(r#"["push",["pipeline",0,["make"],[]]]"#);
    peer.executor.enter(|| peer.session.receive(r#"["pull",1]"#));
    peer.session.input_ended("nobody listens");
    let said = peer.outgoing();
    assert!(said.contains(&r#"["resolve",-1,2]"#.to_owned()), "{said:?}");
    assert!(!said.iter().any(|message| message.contains("[3]") || message.contains("close")));
}

#[test]
fn a_promise_that_is_rejected_ends_the_stream_for_both_sides() {
    let peer = Peer::new(Some(FixedTarget::stub()), Options::new());
    peer.exchange(r#"["pipe"]"#, &[]);
    peer.exchange(r#"["push",["pipeline",0,["sumStream"],[["readable",1]]]]"#, &[]);
    peer.exchange(r#"["pull",2]"#, &[]);
    peer.send(r#"["stream",["pipeline",1,["write"],[["promise",-1]]]]"#);
    let answers = peer.send(r#"["reject",-1,["error","RangeError","no"]]"#);
    assert!(answers.contains(&r#"["reject",2,["error","RangeError","no"]]"#.to_owned()));
    let answers = peer.send(r#"["stream",["pipeline",1,["write"],[3]]]"#);
    assert_eq!(answers, [r#"["reject",4,["error","RangeError","no"]]"#]);
}
