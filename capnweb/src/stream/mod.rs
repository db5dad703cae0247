//! Streams: values that follow one another, with back-pressure, in arguments and results.
//!
//! [`ReadableStream`] and [`WritableStream`] are [`futures::Stream`] and [`futures::Sink`] of any
//! type that serde knows, of [`Bytes`](crate::value::Bytes), or of [`Value`](crate::Value)s with
//! stubs in them. Made from a stream or sink of the application they can be sent; received ones
//! can be read and written, or sent on.
//!
//! A sender is never more ahead of the reader than its window, which follows the
//! connection; calls on the same connection pass in between. A stream that is dropped before its
//! end tells the other side: a reader sees an error, a writer's next write fails.
//!
//! Chunks arrive in the order in which they were written, those with promises or blobs in them
//! included. As JavaScript would let the next chunk overtake one of these, it is sent when they have
//! been taken: each costs a round trip, and in an HTTP batch the stream ends
//! behind the first one. A promise that is rejected ends the stream.

mod flow;
mod pipe;
mod pump;
mod readable;
mod writable;
mod writer;

pub(crate) use self::{
    pipe::{PipeInput, PipeReader, pipe},
    pump::pump,
    readable::Readable,
};
pub use self::{readable::ReadableStream, writable::WritableStream};

/// The error as I/O knows it.
#[cfg(not(target_arch = "wasm32"))]
fn io_error(error: crate::Error) -> std::io::Error {
    std::io::Error::other(error)
}

/// The error as I/O knows it: its text, as what it holds cannot cross threads on this target.
#[cfg(target_arch = "wasm32")]
fn io_error(error: crate::Error) -> std::io::Error {
    std::io::Error::other(error.to_string())
}
