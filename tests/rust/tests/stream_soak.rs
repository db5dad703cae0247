//! Streams far larger than what may be held of them, between two processes.

use std::{
    alloc::System,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use cap::Cap;
use capnweb::{Error, Stats, Stub, stream::ReadableStream, value::Bytes};
use capnweb_tests::{counted_bytes, random::is_full};
use futures::{TryStreamExt, future::join};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// What either process may hold at any time, everything included.
const MOST_LIVE: usize = 32 << 20;

/// The most of a stream that can be on its way, in messages: the default limit.
const WINDOW: u64 = 16 << 20;

/// A gibibyte in the full run.
fn total() -> u64 {
    if is_full() { 1 << 30 } else { 64 << 20 }
}

/// The other process, and the URL of its server.
async fn peer() -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_stream-peer"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = lines.next_line().await.unwrap().unwrap();
    (child, url)
}

/// Makes one small call after the other until told to stop, and counts them. `given` is what this
/// side has handed over to its stream, `read` what it has read from the other's.
async fn calls_beside(
    api: Stub,
    given: &AtomicU64,
    read: Arc<AtomicU64>,
    stop: &AtomicBool,
) -> u64 {
    let late = Arc::new(AtomicU64::new(0));
    let counted = late.clone();
    // Looked at in its place among the other side's chunks.
    let tell = Stub::function(move |(given_there,): (u64,)| {
        let is_late = read.load(Ordering::Relaxed) > given_there;
        counted.fetch_add(u64::from(is_late), Ordering::Relaxed);
        async { Ok(()) }
    });
    let mut calls = 0;
    while !stop.load(Ordering::Relaxed) {
        let answer = api.call("beside", (&tell,)).decode::<u64>();
        let given = given.load(Ordering::Relaxed);
        let received_there = answer.await.unwrap();
        assert!(
            received_there <= given,
            "a call made behind {given} bytes was looked at behind {received_there}"
        );
        calls += 1;
    }
    assert_eq!(late.load(Ordering::Relaxed), 0, "calls back came behind chunks sent after them");
    calls
}

#[tokio::test(flavor = "current_thread")]
async fn a_large_stream_takes_little_memory_and_lets_calls_pass() {
    let (_peer, url) = peer().await;
    let connection = capnweb::connect(&url).await.unwrap();
    let api = connection.main();

    let given = Arc::new(AtomicU64::new(0));
    let stop = AtomicBool::new(false);
    let sent = async {
        let bytes = counted_bytes(total(), given.clone());
        let taken: u64 = api.call("take", (bytes,)).decode().await?;
        stop.store(true, Ordering::Relaxed);
        Ok::<_, Error>(taken)
    };
    let (taken, up) = join(sent, calls_beside(api.clone(), &given, Arc::default(), &stop)).await;
    assert_eq!(taken.unwrap(), total());
    // While a call is under way there goes at most a window, and what is being written.
    assert!(up >= total() / (WINDOW + (1 << 20)), "only {up} calls passed upwards");

    let read = Arc::new(AtomicU64::new(0));
    let stop = AtomicBool::new(false);
    let received = async {
        let mut bytes: ReadableStream<Bytes> = api.call("give", (total(),)).decode().await?;
        while let Some(chunk) = bytes.try_next().await? {
            read.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        }
        stop.store(true, Ordering::Relaxed);
        Ok::<_, Error>(())
    };
    let (received, down) =
        join(received, calls_beside(api.clone(), &given, read.clone(), &stop)).await;
    received.unwrap();
    assert_eq!(read.load(Ordering::Relaxed), total());
    assert!(down >= total() / (WINDOW + (1 << 20)), "only {down} calls passed downwards");

    let there: usize = api.call("mostLive", ()).decode().await.unwrap();
    assert!(there < MOST_LIVE, "the other side held {there} bytes");
    let here = ALLOCATOR.max_allocated();
    assert!(here < MOST_LIVE, "this side held {here} bytes");
    println!("{} bytes each way, with {up} and {down} calls beside them", total());
    println!("at most {here} bytes here and {there} bytes there were alive");
    assert_eq!(connection.stats(), Stats { imports: 1, exports: 1 });
}
