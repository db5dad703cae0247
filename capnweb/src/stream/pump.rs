//! Moving a stream's chunks from where they come to where they go.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

use futures::future::{MaybeDone, maybe_done};

use super::{
    readable::{Chunk, Readable},
    writer::Writer,
};
use crate::{
    error::Error,
    hook::{Hook, broken},
    session::UnderWay,
};

/// Sends what is read from a stream to a hook that takes writes, up to the stream's end. Ends
/// early when a write fails: then nobody reads there any more, and here it is cancelled.
pub(crate) async fn pump(readable: Readable, to: Hook, under_way: UnderWay) {
    // A connection that ends may leave no write behind to tell of it.
    let mut gone = std::pin::pin!(maybe_done(broken(to.clone())));
    move_chunks(&readable, Writer::new(to.clone()), under_way, gone.as_mut()).await;
    if let Hook::Import(import) = to.resolved()
        && import.session.shared.input_ended().is_some()
    {
        // The peer cannot say how far it has read. To let go of the stream would take from it what
        // it has not.
        gone.await;
    }
}

async fn move_chunks(
    readable: &Readable,
    mut writer: Writer,
    mut under_way: UnderWay,
    mut gone: Pin<&mut MaybeDone<impl Future<Output = Error>>>,
) {
    loop {
        let ready = poll_fn(|cx| {
            let ready = writer.poll_ready(cx);
            under_way.set(ready.is_ready());
            ready
        });
        if let Err(error) = ready.await {
            return readable.cancel_because(&error);
        }
        // A write may fail while there is nothing to be read.
        let chunk = poll_fn(|cx| match writer.poll_failed(cx) {
            Poll::Ready(error) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let _ = gone.as_mut().poll(cx);
                match gone.as_mut().output_mut() {
                    Some(error) => Poll::Ready(Err(error.clone())),
                    None => readable.poll_chunk(cx).map(Ok),
                }
            }
        });
        match chunk.await {
            Err(error) => return readable.cancel_because(&error),
            Ok(Chunk::Next(payload)) => writer.write(payload),
            Ok(Chunk::End(resolution)) => {
                return resolution.resolve(sent(writer.close(), under_way).await);
            }
            Ok(Chunk::Failed(error)) => return sent(writer.abort(&error), under_way).await,
        }
    }
}

/// Waits for the end of a last call, which is sent when it is polled first.
async fn sent<T>(call: impl Future<Output = T>, mut under_way: UnderWay) -> T {
    let mut call = std::pin::pin!(call);
    poll_fn(|cx| {
        let polled = call.as_mut().poll(cx);
        under_way.set(false);
        polled
    })
    .await
}
