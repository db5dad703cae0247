//! Moving a stream's chunks from where they come to where they go.

use std::future::poll_fn;

use super::{
    readable::{Chunk, Readable},
    writer::Writer,
};
use crate::hook::Hook;

/// Sends what is read from a stream to a hook that takes writes, up to the stream's end. Ends
/// early when a write fails: then nobody reads there any more, and here it is cancelled.
pub(crate) async fn pump(readable: Readable, to: Hook) {
    let mut writer = Writer::new(to);
    loop {
        if poll_fn(|cx| writer.poll_ready(cx)).await.is_err() {
            // Dropping the source cancels it.
            return readable.cancel();
        }
        // A write may fail while there is nothing to be read.
        let chunk = poll_fn(|cx| {
            if writer.poll_failed(cx).is_ready() {
                return std::task::Poll::Ready(None);
            }
            readable.poll_chunk(cx).map(Some)
        });
        match chunk.await {
            None => return readable.cancel(),
            Some(Chunk::Next(payload)) => writer.write(payload),
            Some(Chunk::End(resolution)) => return resolution.resolve(writer.close().await),
            Some(Chunk::Failed(error)) => return writer.abort(&error).await,
        }
    }
}
