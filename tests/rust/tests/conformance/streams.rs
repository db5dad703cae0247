//! The application's ends of streams.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use capnweb::{Error, Value, stream::WritableStream};
use futures::{Sink, SinkExt, StreamExt, channel::mpsc::UnboundedReceiver};
use serde_json::json;

use super::{
    actor::Deliveries,
    describe::{describe, failure},
};

/// What is done to a stream of the peer's.
pub(crate) enum Write {
    Chunk(Value),
    Close,
    Abort(Error),
}

/// Carries out the writes to a stream of the peer's, until it is over.
pub(crate) async fn write_all(
    name: String,
    mut stream: WritableStream,
    mut writes: UnboundedReceiver<Write>,
    got: Deliveries,
) {
    loop {
        let next = poll_fn(|cx| {
            // Notices a failed write although nothing is written.
            if let Poll::Ready(Err(_)) = stream.poll_flush_unpin(cx) {
                return Poll::Ready(None);
            }
            writes.poll_next_unpin(cx)
        });
        match next.await {
            Some(Write::Chunk(chunk)) => drop(stream.feed(chunk).await),
            Some(Write::Abort(error)) => return stream.abort(error).await,
            Some(Write::Close) => {
                return got.note(
                    &name,
                    match stream.close().await {
                        Ok(()) => json!({"$": "end"}),
                        Err(error) => failure(&error),
                    },
                );
            }
            None => return,
        }
    }
}

/// A sink that notes what comes. One that is dropped unclosed does not learn why.
pub(crate) struct Noting {
    pub(crate) name: String,
    pub(crate) got: Deliveries,
    /// It has not been closed.
    pub(crate) open: bool,
}

impl Sink<Value> for Noting {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, chunk: Value) -> Result<(), Error> {
        self.got.note(&self.name, describe(&chunk));
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.got.note(&self.name, json!({"$": "end"}));
        self.open = false;
        Poll::Ready(Ok(()))
    }
}

impl Drop for Noting {
    fn drop(&mut self) {
        if self.open {
            self.got.note(&self.name, json!({"$": "failed"}));
        }
    }
}
