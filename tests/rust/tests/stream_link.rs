//! A stream over a simulated link, in virtual time: how fast it goes, and how far its sender is
//! ahead of its reader.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, OnceLock},
    time::Duration,
};

use capnweb::{Spawn, Stub, stream::ReadableStream, value::Bytes};
use capnweb_tests::{Pair, TestExecutor, target};
use futures::{StreamExt, stream};

const CHUNK: usize = 16 * 1024;
/// A chunk in base64 and the message around it.
const MESSAGE: usize = CHUNK * 4 / 3 + 60;

/// 100 Mbit/s.
const LINK: f64 = 12.5e6;
/// One way; a round trip takes twice as long.
const DELAY: Duration = Duration::from_millis(50);

/// One direction of a link, with messages on it.
struct Link {
    /// When it has sent everything that it was given.
    free_at: Duration,
    arriving: VecDeque<(Duration, String)>,
}

impl Link {
    fn new() -> Self {
        Self { free_at: Duration::ZERO, arriving: VecDeque::new() }
    }

    fn send(&mut self, now: Duration, message: String) {
        let took = Duration::from_secs_f64(message.len() as f64 / LINK);
        self.free_at = self.free_at.max(now) + took;
        self.arriving.push_back((self.free_at + DELAY, message));
    }

    fn arrival(&self) -> Option<Duration> {
        self.arriving.front().map(|(at, _)| *at)
    }

    fn arrived(&mut self, now: Duration) -> Option<String> {
        if self.arrival()? > now {
            return None;
        }
        self.arriving.pop_front().map(|(_, message)| message)
    }
}

/// A client that sends a stream without end.
struct Simulation {
    pair: Pair,
    up: Link,
    down: Link,
    /// The id of the last message that has one.
    last_id: u64,
    /// Sizes of the writes that have not been answered.
    unanswered: HashMap<u64, usize>,
    /// Bytes of writes that have been answered.
    answered: usize,
}

impl Simulation {
    fn new(read_per_second: f64) -> Self {
        let executor = Arc::<OnceLock<TestExecutor>>::default();
        let this = Self {
            pair: Pair::new(reader(read_per_second, executor.clone())),
            up: Link::new(),
            down: Link::new(),
            last_id: 0,
            unanswered: HashMap::new(),
            answered: 0,
        };
        let _ = executor.set(this.pair.executor.clone());
        let chunks = stream::repeat_with(|| Ok(Bytes::new(vec![7; CHUNK])));
        let read = this.pair.client.main().call("read", (ReadableStream::new(chunks),));
        this.pair.start(async move { read.await.map(drop) });
        this
    }

    fn now(&self) -> Duration {
        self.pair.executor.now()
    }

    /// Lets time pass. `look` is told after each message how much is on its way or waits.
    fn run(&mut self, until: Duration, mut look: impl FnMut(usize)) {
        loop {
            self.pair.executor.run();
            let now = self.now();
            for message in self.pair.client.session.outgoing() {
                self.note_sent(&message);
                look(self.unanswered.values().sum());
                self.up.send(now, message);
            }
            for message in self.pair.server.session.outgoing() {
                self.down.send(now, message);
            }
            let events =
                [self.up.arrival(), self.down.arrival(), self.pair.executor.next_deadline()];
            let next = events.into_iter().flatten().min().expect("something is going on");
            if next > until {
                return;
            }
            self.pair.executor.advance(next.saturating_sub(now));
            let executor = self.pair.executor.clone();
            while let Some(message) = self.up.arrived(next) {
                executor.enter(|| self.pair.server.session.receive(message));
            }
            while let Some(message) = self.down.arrived(next) {
                self.note_answer(&message);
                executor.enter(|| self.pair.client.session.receive(message));
            }
        }
    }

    fn note_sent(&mut self, message: &str) {
        if ["[\"push\"", "[\"pipe\"", "[\"stream\""].iter().any(|kind| message.starts_with(kind)) {
            self.last_id += 1;
        }
        if message.starts_with("[\"stream\"") {
            self.unanswered.insert(self.last_id, message.len());
        }
    }

    fn note_answer(&mut self, message: &str) {
        let id = message.split(',').nth(1).and_then(|id| id.parse().ok());
        if let Some(size) = id.and_then(|id: u64| self.unanswered.remove(&id)) {
            self.answered += size;
        }
    }
}

/// Reads so many bytes a second, on the executor that is set later.
fn reader(bytes_per_second: f64, executor: Arc<OnceLock<TestExecutor>>) -> Stub {
    target(move |call| {
        let executor = executor.clone();
        call.reply_async(move |(mut bytes,): (ReadableStream<Bytes>,)| async move {
            while let Some(chunk) = bytes.next().await.transpose()? {
                let takes = Duration::from_secs_f64(chunk.len() as f64 / bytes_per_second);
                executor.get().expect("it is running this").sleep(takes).await;
            }
            Ok(())
        })
    })
}

#[test]
fn a_stream_fills_a_long_fat_link_within_three_seconds() {
    let mut simulation = Simulation::new(f64::INFINITY);
    simulation.run(Duration::from_secs(2), |_| {});
    let before = simulation.answered;
    simulation.run(Duration::from_secs(3), |_| {});
    let rate = (simulation.answered - before) as f64;
    assert!(rate >= 0.9 * LINK, "{rate} bytes in the third second");
}

#[test]
fn a_sender_is_ahead_of_a_slow_reader_by_its_window_at_most() {
    let mut simulation = Simulation::new(1e6);
    // What is read in a round trip, in messages.
    let rate = 1e6 * MESSAGE as f64 / CHUNK as f64;
    let product = rate * 2.0 * DELAY.as_secs_f64();
    let mut most = 0;
    simulation.run(Duration::from_secs(10), |ahead| most = most.max(ahead));
    // The window at first, while it seeks what the reader can do, and the message that reaches it.
    let window = (2.0 * product).max(256.0 * 1024.0);
    assert!(most as f64 <= window + MESSAGE as f64, "{most} bytes were on their way");

    let (mut later, before) = (0, simulation.answered);
    simulation.run(Duration::from_secs(20), |ahead| later = later.max(ahead));
    // The window when that is known.
    let window = 1.25 * product;
    assert!(later as f64 <= window + MESSAGE as f64, "{later} bytes were on their way");
    let read = (simulation.answered - before) as f64;
    assert!(read > 0.99 * 10.0 * rate, "the reader waited: it read {read} bytes");
}
