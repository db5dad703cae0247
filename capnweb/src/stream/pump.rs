//! Moving a stream's chunks from where they come to where they go.

use std::{future::poll_fn, task::Poll};

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
        if let Err(error) = poll_fn(|cx| writer.poll_ready(cx)).await {
            return readable.cancel_because(&error);
        }
        // A write may fail while there is nothing to be read.
        let chunk = poll_fn(|cx| match writer.poll_failed(cx) {
            Poll::Ready(error) => Poll::Ready(Err(error)),
            Poll::Pending => readable.poll_chunk(cx).map(Ok),
        });
        match chunk.await {
            Err(error) => return readable.cancel_because(&error),
            Ok(Chunk::Next(payload)) => writer.write(payload),
            Ok(Chunk::End(resolution)) => return resolution.resolve(writer.close().await),
            Ok(Chunk::Failed(error)) => return writer.abort(&error).await,
        }
    }
}
