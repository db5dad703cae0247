//! Messages as WebSocket text frames, over any tokio stream that has been upgraded already.
//!
//! Owns framing, size limits, keep-alive and the closing handshake. The opening handshake is the
//! business of the client and the server; nothing here knows HTTP.
//!
//! Two things keep the memory of a connection bounded whatever its messages are: the size limit
//! is checked against each frame's header before the frame is read, and a large message goes out
//! in fragments, of which only one is in the write buffer at a time.

use std::{
    fmt, io, mem,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use bytestring::ByteString;
use futures::{Sink, SinkExt, StreamExt};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message,
        error::{CapacityError, ProtocolError},
        protocol::{
            CloseFrame, Role,
            frame::{
                Frame,
                coding::{CloseCode, Data, OpCode},
            },
        },
    },
};

pub use super::DEFAULT_MAX_MESSAGE_SIZE;
use super::{
    CloseReason, Transport, TransportError,
    close::{self, ABNORMAL, NO_STATUS},
};
use crate::MaybeSend;

/// The whole read buffer is cleared before every read from the socket, so a large one costs more
/// on each small message than it saves on a large one.
const READ_BUFFER: usize = 8 * 1024;

/// Frames are collected up to this size before they are written without having been flushed.
const WRITE_BUFFER: usize = 64 * 1024;

/// Messages above this size go out in fragments of this size.
const FRAGMENT: usize = 256 * 1024;

/// What can be set on a WebSocket.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WebSocketConfig {
    /// The largest message that is accepted, in bytes of UTF-8; enforced while it arrives.
    pub max_message_size: usize,
    /// How a peer that has silently gone is found out; `None` to wait for the network to tell.
    pub keep_alive: Option<KeepAlive>,
    /// How long a close may take: sending what is left, and the peer's answer.
    pub close_timeout: Duration,
}

impl Default for WebSocketConfig {
    /// [`DEFAULT_MAX_MESSAGE_SIZE`], the default [`KeepAlive`], five seconds to close.
    fn default() -> Self {
        Self {
            max_message_size: DEFAULT_MAX_MESSAGE_SIZE,
            keep_alive: Some(KeepAlive::default()),
            close_timeout: Duration::from_secs(5),
        }
    }
}

/// When to ask a silent peer whether it is still there, and how long to wait for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    /// A ping is sent after at least this much silence (at most twice as much).
    pub after: Duration,
    /// The connection has failed if nothing at all arrives for this long after the ping.
    pub timeout: Duration,
}

impl Default for KeepAlive {
    /// A ping after 30 seconds, as proxies like to drop connections after 60; 20 for the answer.
    fn default() -> Self {
        Self { after: Duration::from_secs(30), timeout: Duration::from_secs(20) }
    }
}

/// A [`Transport`] over a WebSocket.
///
/// Uses tokio's timer: it has to be polled on a tokio runtime that has one.
pub struct WebSocketTransport<S> {
    socket: WebSocketStream<Watched<S>>,
    max_message_size: usize,
    /// What remains to be sent of a large message.
    rest: Bytes,
    /// The peer's goodbye.
    closed: Option<(u16, String)>,
    /// Reading has failed: frames can no longer be told apart.
    broken: bool,
    heartbeat: Option<Heartbeat>,
    close_timeout: Duration,
    closing: Option<Closing>,
}

impl<S> WebSocketTransport<S>
where
    S: AsyncRead + AsyncWrite + MaybeSend + Unpin + 'static,
{
    /// The client's end of a stream whose opening handshake is over.
    pub async fn client(io: S, config: &WebSocketConfig) -> Self {
        Self::new(io, Role::Client, config).await
    }

    /// The server's end of a stream whose opening handshake is over.
    pub async fn server(io: S, config: &WebSocketConfig) -> Self {
        Self::new(io, Role::Server, config).await
    }

    async fn new(io: S, role: Role, config: &WebSocketConfig) -> Self {
        // The write buffer has no limit of its own: it holds WRITE_BUFFER and one fragment at most,
        // because nothing is put into it before `poll_ready` has emptied it.
        let limits = tungstenite::protocol::WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_message_size(Some(config.max_message_size))
            .max_frame_size(Some(config.max_message_size));
        let io = Watched { io, heard: false };
        Self {
            socket: WebSocketStream::from_raw_socket(io, role, Some(limits)).await,
            max_message_size: config.max_message_size,
            rest: Bytes::new(),
            closed: None,
            broken: false,
            heartbeat: config.keep_alive.map(Heartbeat::new),
            close_timeout: config.close_timeout,
            closing: None,
        }
    }

    /// Feeds what remains of a large message, then is ready when there is room for another.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        loop {
            if let Err(error) = ready!(self.socket.poll_ready_unpin(cx)) {
                return Poll::Ready(Err(self.error(error)));
            }
            if self.rest.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let fragment = self.rest.split_to(FRAGMENT.min(self.rest.len()));
            let frame =
                Frame::message(fragment, OpCode::Data(Data::Continue), self.rest.is_empty());
            self.feed(Message::Frame(frame))?;
        }
    }

    fn feed(&mut self, message: Message) -> Result<(), TransportError> {
        self.socket.start_send_unpin(message).map_err(|e| self.error(e))
    }

    /// Looks whether the peer is overdue; called when there is nothing to read.
    fn poll_heartbeat(&mut self, cx: &mut Context<'_>) -> Poll<TransportError> {
        let Some(heartbeat) = &mut self.heartbeat else { return Poll::Pending };
        loop {
            ready!(heartbeat.timer.as_mut().poll(cx));
            let heard = mem::take(&mut self.socket.get_mut().heard);
            match heartbeat.next(heard) {
                Beat::Wait => {}
                Beat::Ping => {
                    // A ping that cannot be sent now will be missed by its answer: no need to
                    // look at these results.
                    let _ = Pin::new(&mut self.socket).start_send(Message::Ping(Bytes::new()));
                    let _ = self.socket.poll_flush_unpin(cx);
                }
                Beat::Dead => {
                    let text = format!(
                        "nothing was heard from the peer for {:?} after a ping",
                        heartbeat.config.timeout
                    );
                    return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, text).into());
                }
            }
        }
    }

    fn error(&self, error: tungstenite::Error) -> TransportError {
        use tungstenite::Error as E;
        match error {
            E::ConnectionClosed
            | E::AlreadyClosed
            | E::Protocol(
                ProtocolError::ResetWithoutClosingHandshake | ProtocolError::SendAfterClosing,
            ) => self.closed_error(),
            E::Io(error) if is_disconnect(error.kind()) => self.closed_error(),
            E::Io(error) => TransportError::Io(error),
            E::Capacity(CapacityError::MessageTooLong { .. }) => {
                TransportError::TooLarge { limit: self.max_message_size }
            }
            E::Utf8(_) => TransportError::NotText,
            other => TransportError::other(other),
        }
    }

    fn closed_error(&self) -> TransportError {
        let (code, reason) = self.closed.clone().unwrap_or((ABNORMAL, String::new()));
        TransportError::Closed { code: Some(code), reason }
    }
}

impl<S> Transport for WebSocketTransport<S>
where
    S: AsyncRead + AsyncWrite + MaybeSend + Unpin + 'static,
{
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<ByteString, TransportError>> {
        if self.closed.is_some() {
            return Poll::Ready(Err(self.closed_error()));
        }
        loop {
            match self.socket.poll_next_unpin(cx) {
                Poll::Ready(Some(Ok(Message::Text(text)))) => {
                    // No copy; there is no way to tell a ByteString that it has been checked.
                    let text = ByteString::try_from(Bytes::from(text));
                    return Poll::Ready(text.map_err(|_| TransportError::NotText));
                }
                Poll::Ready(Some(Ok(Message::Binary(_)))) => {
                    return Poll::Ready(Err(TransportError::NotText));
                }
                // A ping has queued its pong, which the next read sends.
                Poll::Ready(Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)))) => {}
                Poll::Ready(Some(Ok(Message::Close(frame)))) => {
                    self.closed = Some(match frame {
                        Some(frame) => (frame.code.into(), frame.reason.as_str().to_owned()),
                        None => (NO_STATUS, String::new()),
                    });
                    // The answer is queued, and the next read sends it. Should that block, closing
                    // this side will try again.
                    let _ = self.socket.poll_next_unpin(cx);
                    return Poll::Ready(Err(self.closed_error()));
                }
                Poll::Ready(Some(Err(error))) => {
                    self.broken = true;
                    return Poll::Ready(Err(self.error(error)));
                }
                Poll::Ready(None) => return Poll::Ready(Err(self.closed_error())),
                Poll::Pending => return self.poll_heartbeat(cx).map(Err),
            }
        }
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.poll_rest(cx)
    }

    fn start_send(&mut self, message: String) -> Result<(), TransportError> {
        if !self.rest.is_empty() {
            return Err(TransportError::other("a message was sent before there was room for it"));
        }
        if message.len() <= FRAGMENT {
            return self.feed(Message::Text(message.into()));
        }
        self.rest = Bytes::from(message);
        let first = self.rest.split_to(FRAGMENT);
        self.feed(Message::Frame(Frame::message(first, OpCode::Data(Data::Text), false)))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        ready!(self.poll_rest(cx))?;
        self.socket.poll_flush_unpin(cx).map_err(|e| self.error(e))
    }

    fn poll_close(&mut self, cx: &mut Context<'_>, reason: &CloseReason) -> Poll<()> {
        let timeout = self.close_timeout;
        let closing = self.closing.get_or_insert_with(|| Closing::new(timeout));
        if closing.deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        if !closing.goodbye_said {
            match self.poll_rest(cx) {
                Poll::Ready(Ok(())) => {
                    if let Some(closing) = &mut self.closing {
                        closing.goodbye_said = true;
                    }
                    // Fails if the peer has closed first: then its answer is on the way already.
                    let _ = self.feed(Message::Close(Some(close_frame(reason))));
                }
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                // Read on below, so that a peer stuck in its own writing comes to reading ours.
                Poll::Pending => {}
            }
        }
        let flushed = match self.poll_flush(cx) {
            Poll::Ready(Err(_)) => return Poll::Ready(()),
            Poll::Ready(Ok(())) => true,
            Poll::Pending => false,
        };
        // Closing a socket that holds unread data resets it, and a reset can overtake the close
        // frame: read until the peer has closed, too.
        let drained = loop {
            match self.socket.poll_next_unpin(cx) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(error))) => {
                    self.broken |= !matches!(self.error(error), TransportError::Closed { .. });
                    break true;
                }
                Poll::Ready(None) => break true,
                Poll::Pending => break false,
            }
        };
        if !flushed || !drained {
            return Poll::Pending;
        }
        if !self.broken {
            return Poll::Ready(());
        }
        let io = &mut self.socket.get_mut().io;
        let _ = ready!(Pin::new(&mut *io).poll_shutdown(cx));
        poll_discard(io, cx)
    }
}

impl<S> fmt::Debug for WebSocketTransport<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketTransport")
            .field("max_message_size", &self.max_message_size)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

/// A close in progress.
struct Closing {
    deadline: Pin<Box<Sleep>>,
    /// The close frame is in the write buffer.
    goodbye_said: bool,
}

impl Closing {
    fn new(timeout: Duration) -> Self {
        Self { deadline: Box::pin(sleep(timeout)), goodbye_said: false }
    }
}

/// The timer behind [`KeepAlive`]. It is not reset by each message: when it fires it is told
/// whether anything has arrived since, which costs nothing while messages flow.
struct Heartbeat {
    config: KeepAlive,
    timer: Pin<Box<Sleep>>,
    pinged: bool,
}

enum Beat {
    Wait,
    Ping,
    Dead,
}

impl Heartbeat {
    fn new(config: KeepAlive) -> Self {
        Self { config, timer: Box::pin(sleep(config.after)), pinged: false }
    }

    /// Sets the timer anew and says what is due.
    fn next(&mut self, heard: bool) -> Beat {
        let (beat, wait) = match (heard, self.pinged) {
            (true, _) => (Beat::Wait, self.config.after),
            (false, false) => (Beat::Ping, self.config.timeout),
            (false, true) => (Beat::Dead, self.config.timeout),
        };
        self.pinged = matches!(beat, Beat::Ping);
        // Not `reset`, which takes a point in time that a very long wait could overflow.
        self.timer.set(sleep(wait));
        beat
    }
}

/// A stream that notes whether bytes have arrived: a large message takes long on a slow line, and
/// its sender is alive before it is complete.
struct Watched<S> {
    io: S,
    heard: bool,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.io).poll_read(cx, buf);
        self.heard |= buf.filled().len() > before;
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Reads until the peer has closed its side.
fn poll_discard(io: &mut (impl AsyncRead + Unpin), cx: &mut Context<'_>) -> Poll<()> {
    let mut scratch = [0; 4096];
    loop {
        let mut buf = ReadBuf::new(&mut scratch);
        if ready!(Pin::new(&mut *io).poll_read(cx, &mut buf)).is_err() || buf.filled().is_empty() {
            return Poll::Ready(());
        }
    }
}

fn close_frame(reason: &CloseReason) -> CloseFrame {
    let (code, reason) = close::frame(reason);
    CloseFrame { code: CloseCode::from(code), reason: reason.into() }
}

/// Whether this is a peer that has gone, and no trouble of our own.
fn is_disconnect(kind: io::ErrorKind) -> bool {
    use io::ErrorKind as K;
    matches!(kind, K::ConnectionReset | K::ConnectionAborted | K::BrokenPipe | K::UnexpectedEof)
}
