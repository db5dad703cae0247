//! JavaScript's `Blob`: bytes with a type, which travel as a stream and arrive as a whole.

use std::{fmt, sync::Arc};

use bytes::Bytes as Data;
use futures::{FutureExt, StreamExt, future::Shared, stream};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use super::body::{chunks, collect};
use crate::{
    codec::{
        frame,
        token::{self, Token},
    },
    error::Error,
    maybe_send::BoxFuture,
    payload::Cap,
    session::Waiting,
    stream::{Readable, ReadableStream},
    value::Bytes,
};

/// Bytes and what they are. Cheap to clone.
///
/// A blob of any size is sent in small messages, between which others pass. The call that it is an
/// argument of is delivered when all of it has come, and calls made later may overtake that one.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Blob {
    content_type: String,
    data: Data,
}

impl Blob {
    /// A blob of these bytes. As in JavaScript, the type is written in lower case, and one with
    /// anything but printable ASCII in it counts as none.
    pub fn new(content_type: &str, data: impl Into<Data>) -> Self {
        let valid = content_type.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let content_type = if valid { content_type.to_ascii_lowercase() } else { String::new() };
        Self { content_type, data: data.into() }
    }

    /// What the bytes are, such as `text/plain`; empty if nobody said so.
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.data
    }

    /// The bytes as a shared buffer.
    pub fn into_data(self) -> Data {
        self.data
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The stream that it is sent as.
    pub(crate) fn to_readable(&self) -> Readable {
        chunks(self.data.clone()).into_readable()
    }

    /// The blob that a message being read holds under this number.
    fn received<E: de::Error>(id: u64) -> Result<Self, E> {
        match frame::claim(id) {
            Some(Cap::Blob(blob)) => Ok(blob),
            Some(cap) => Err(frame::unexpected(&cap, "a blob")),
            None => Err(E::custom("a blob can only be received in a Cap'n Web message")),
        }
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({:?}, {:?})", self.content_type, self.data)
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let id = frame::offer(Cap::Blob(self.clone()))
            .ok_or_else(|| ser::Error::custom("a blob can only be sent in a Cap'n Web message"))?;
        token::serialize(serializer, Token::Capability, &id)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::received(token::deserialize(deserializer, Token::Capability)?)
    }
}

/// A blob whose bytes are still to come. They are read, once for all copies of it, when somebody
/// waits for them.
#[derive(Clone)]
pub(crate) struct Incoming {
    content_type: String,
    data: Shared<BoxFuture<Result<Complete, Error>>>,
}

/// All bytes of a blob, which count as waiting as long as this is held.
#[derive(Clone)]
struct Complete {
    data: Data,
    waiting: Arc<Waiting>,
}

impl Incoming {
    /// A blob of what this stream yields, which counts as waiting until it is delivered.
    pub(crate) fn new(
        content_type: String,
        readable: Readable,
        max_bytes: usize,
        mut waiting: Waiting,
    ) -> Self {
        let read: BoxFuture<_> = Box::pin(async move {
            let stream = ReadableStream::of(readable);
            let data = collect(stream, "blob", max_bytes, |more| waiting.add(more)).await?;
            Ok(Complete { data, waiting: Arc::new(waiting) })
        });
        Self { content_type, data: read.shared() }
    }

    /// What the bytes are said to be.
    pub(crate) fn content_type(&self) -> &str {
        &self.content_type
    }

    /// The blob, when it is complete, and what says until its delivery that it waits.
    pub(crate) async fn complete(self) -> Result<(Blob, Arc<Waiting>), Error> {
        let Complete { data, waiting } = self.data.await?;
        Ok((Blob::new(&self.content_type, data), waiting))
    }

    /// The stream that it is sent on as.
    pub(crate) fn to_readable(&self) -> Readable {
        let chunks = stream::once(self.data.clone()).flat_map(|read| match read {
            Ok(Complete { data, waiting }) => chunks(data)
                .inspect(move |_| {
                    let _ = &waiting;
                })
                .left_stream(),
            Err(error) => stream::iter([Err(error)]).right_stream(),
        });
        ReadableStream::<Bytes>::new(chunks).into_readable()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_normalised_as_in_javascript() {
        for (given, expected) in
            [("Text/Plain", "text/plain"), ("a\u{e9}", ""), ("a\n", ""), ("", "")]
        {
            assert_eq!(Blob::new(given, "").content_type(), expected);
        }
    }
}
