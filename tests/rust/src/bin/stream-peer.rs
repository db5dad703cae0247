//! A server in a process of its own that takes and gives large streams, and knows how much memory
//! that took. Prints where it listens; ends with its standard input.

use std::{
    alloc::System,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use cap::Cap;
use capnweb::{Call, Reply, Stub, Target, server, stream::ReadableStream, value::Bytes};
use capnweb_tests::counted_bytes;
use futures::TryStreamExt;
use tokio::{
    io::{AsyncReadExt, stdin},
    net::TcpListener,
};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

#[derive(Default)]
struct Streams {
    /// Bytes that were read from the stream that is taken.
    received: AtomicU64,
    /// Bytes that were handed over to the stream that is given.
    given: Arc<AtomicU64>,
}

impl Target for Streams {
    fn call(self: Arc<Self>, call: Call) -> Reply {
        match call.method() {
            "take" => call.reply_async(|(mut bytes,): (ReadableStream<Bytes>,)| async move {
                while let Some(chunk) = bytes.try_next().await? {
                    self.received.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                }
                Ok(self.received.load(Ordering::Relaxed))
            }),
            "give" => call.reply(|(total,): (u64,)| Ok(counted_bytes(total, self.given.clone()))),
            // Returns how much has been received by now; tells how much has been given by now.
            "beside" => call.reply(|(tell,): (Stub,)| {
                drop(tell.invoke((self.given.load(Ordering::Relaxed),)));
                Ok(self.received.load(Ordering::Relaxed))
            }),
            "mostLive" => Reply::value(ALLOCATOR.max_allocated()),
            _ => call.no_such_method(),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    println!("ws://{}", listener.local_addr().expect("it is bound"));
    let rpc = server::rpc().allow_unauthenticated().main(|_| Stub::target(Streams::default()));
    tokio::spawn(server::serve(listener, rpc));
    let mut commands = Vec::new();
    stdin().read_to_end(&mut commands).await.expect("its input can be read");
}
