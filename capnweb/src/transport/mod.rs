//! What carries messages between two sessions.
//!
//! Owns the [`Transport`] trait, its errors, and the transports that come with the crate. A
//! transport moves whole text messages, in order, and knows nothing of what they say: no ids, no
//! JSON, no calls.
//!
//! # Writing one
//!
//! A transport is polled by one task, the connection's. Every method that returns
//! [`Poll::Pending`] must have arranged for that task to be woken. The caller keeps to this order:
//! [`poll_ready`](Transport::poll_ready) before each [`start_send`](Transport::start_send), any
//! number of those before one [`poll_flush`](Transport::poll_flush), and nothing but
//! [`poll_close`](Transport::poll_close) once that has been called. Reading goes on while writing
//! is stuck, and the other way round.
//!
//! A transport made of two channels:
//!
//! ```
//! use std::task::{Context, Poll, ready};
//! use bytestring::ByteString;
//! use capnweb::transport::{CloseReason, Transport, TransportError};
//! use futures::{StreamExt, channel::mpsc};
//!
//! struct Channels {
//!     incoming: mpsc::Receiver<String>,
//!     outgoing: mpsc::Sender<String>,
//! }
//!
//! impl Transport for Channels {
//!     fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<ByteString, TransportError>> {
//!         Poll::Ready(match ready!(self.incoming.poll_next_unpin(cx)) {
//!             Some(message) => Ok(message.into()),
//!             None => Err(TransportError::closed("the channel was dropped")),
//!         })
//!     }
//!
//!     fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
//!         self.outgoing.poll_ready(cx).map_err(TransportError::other)
//!     }
//!
//!     fn start_send(&mut self, message: String) -> Result<(), TransportError> {
//!         self.outgoing.start_send(message).map_err(TransportError::other)
//!     }
//!
//!     fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
//!         Poll::Ready(Ok(())) // A channel has nothing to flush.
//!     }
//!
//!     fn poll_close(&mut self, _: &mut Context<'_>, _: &CloseReason) -> Poll<()> {
//!         self.outgoing.close_channel();
//!         Poll::Ready(())
//!     }
//! }
//! ```

#[cfg(any(feature = "websocket", all(feature = "worker", target_arch = "wasm32")))]
pub(crate) mod close;
pub mod lines;
pub mod memory;
#[cfg(feature = "websocket")]
pub mod websocket;

use std::{
    fmt, io,
    task::{Context, Poll},
};

use bytestring::ByteString;

use crate::MaybeSend;

/// The default limit on one message, in bytes: what the protocol's own limit of 32 Mi UTF-16 units
/// can take in UTF-8, where one unit is at most three bytes (and a surrogate pair four).
pub const DEFAULT_MAX_MESSAGE_SIZE: usize = 3 * 32 * 1024 * 1024;

/// A two-way channel of text messages: ordered, reliable, with a beginning and an end.
///
/// The [module documentation](self) has the order of calls and an example.
pub trait Transport: MaybeSend + Unpin + 'static {
    /// The next message.
    ///
    /// A message may share the transport's read buffer; whoever keeps a small one for long keeps
    /// that buffer too.
    ///
    /// # Errors
    /// [`TransportError::Closed`] when the peer has gone, after the last message it sent; anything
    /// else when the transport broke. After an error nothing more can be received.
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<ByteString, TransportError>>;

    /// Ready when there is room for one more message.
    ///
    /// # Errors
    /// When nothing more can be sent.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>>;

    /// Takes a message for sending. It may stay in a buffer until the next
    /// [`poll_flush`](Self::poll_flush).
    ///
    /// # Errors
    /// When nothing more can be sent, or the call was made without room.
    fn start_send(&mut self, message: String) -> Result<(), TransportError>;

    /// Ready when everything taken so far has left.
    ///
    /// # Errors
    /// When nothing more can be sent.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>>;

    /// Sends what can still be sent, says goodbye, and is ready when the transport can be dropped.
    /// Takes a bounded time, and cannot fail: there is nobody left to tell.
    fn poll_close(&mut self, cx: &mut Context<'_>, reason: &CloseReason) -> Poll<()>;
}

/// Why this side closes a transport.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// The application let go of the connection.
    Done,
    /// The session broke. The text goes to the peer where the transport has a place for it.
    Abort(String),
}

/// Why a transport can carry no more.
#[derive(Debug)]
#[non_exhaustive]
pub enum TransportError {
    /// The peer has gone, in good order or not.
    Closed {
        /// The WebSocket close code: 1005 if the peer gave none, 1006 if it left without a word.
        /// `None` for transports that have no codes.
        code: Option<u16>,
        /// What the peer said about it; often empty.
        reason: String,
    },
    /// The peer sent a message above this transport's limit.
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The peer sent a binary message, or a text that is not UTF-8.
    NotText,
    /// Reading or writing failed, or a deadline for it passed.
    Io(io::Error),
    /// Anything else; the text says what.
    Other(String),
}

impl TransportError {
    /// A peer that has gone, on a transport that has no close codes.
    pub fn closed(reason: impl Into<String>) -> Self {
        Self::Closed { code: None, reason: reason.into() }
    }

    /// A failure that has no variant of its own, by its description.
    pub fn other(error: impl fmt::Display) -> Self {
        Self::Other(error.to_string())
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Word for word what the JavaScript implementation says: applications look for it.
            Self::Closed { code: Some(code), reason } => {
                write!(f, "Peer closed WebSocket: {code} {reason}")
            }
            Self::Closed { code: None, reason } if reason.is_empty() => {
                f.write_str("Peer closed the connection")
            }
            Self::Closed { code: None, reason } => {
                write!(f, "Peer closed the connection: {reason}")
            }
            Self::TooLarge { limit } => write!(
                f,
                "The peer sent a message of more than {limit} bytes; raise `max_message_size` if \
                 messages may be that large"
            ),
            Self::NotText => f.write_str(
                "The peer sent a message that is not UTF-8 text; only text messages are understood",
            ),
            Self::Io(error) => write!(f, "The connection failed: {error}"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for TransportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for TransportError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
