//! Small pieces that tests are made of: targets from closures, logs, gates, guards.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use capnweb::{Call, Reply, Stub, Target, stream::ReadableStream, value::Bytes};
use tokio::sync::Semaphore;

/// A stub of a target whose methods a closure carries out.
pub fn target(f: impl Fn(Call) -> Reply + Send + Sync + 'static) -> Stub {
    struct Closure<F>(F);
    impl<F: Fn(Call) -> Reply + Send + Sync + 'static> Target for Closure<F> {
        fn call(self: Arc<Self>, call: Call) -> Reply {
            (self.0)(call)
        }

        fn has_method(&self, _: &str) -> bool {
            true
        }
    }
    Stub::target(Closure(f))
}

/// What happened, in order. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a line.
    pub fn push(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    /// Takes the lines out.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// A target that logs each call: the method's name, and the first argument if it is a number.
    /// Each method returns the number of calls so far.
    pub fn target(&self) -> Stub {
        let log = self.clone();
        target(move |call| {
            let method = call.method().to_owned();
            call.reply(|(n,): (Option<u32>,)| {
                log.push(match n {
                    Some(n) => format!("{method} {n}"),
                    None => method,
                });
                Ok(log.0.lock().unwrap().len())
            })
        })
    }
}

/// Something to wait for that a test lets happen. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Semaphore>);

impl Gate {
    /// A gate that is shut.
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Lets everybody through, for good.
    pub fn open(&self) {
        self.0.close();
    }

    /// Waits until it is open.
    pub async fn wait(&self) {
        // A closed semaphore is an open gate.
        assert!(self.0.acquire().await.is_err());
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

/// A stream of so many bytes, in chunks of 64 KiB, that counts what has been taken from it.
pub fn counted_bytes(total: u64, taken: Arc<AtomicU64>) -> ReadableStream<Bytes> {
    let mut left = total;
    let chunks = std::iter::from_fn(move || {
        let size = left.min(64 * 1024);
        left -= size;
        taken.fetch_add(size, Ordering::Relaxed);
        let chunk = vec![left as u8; size as usize];
        (size > 0).then(|| Ok(Bytes::new(chunk)))
    });
    ReadableStream::new(futures::stream::iter(chunks))
}

/// Logs a line when it is dropped.
#[derive(Debug)]
pub struct OnDrop(pub Log, pub &'static str);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.push(self.1);
    }
}
