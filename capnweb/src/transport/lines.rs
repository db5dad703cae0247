//! Messages as lines of text, over any pair of byte streams: the pipes of a child process, a
//! Unix socket, a serial line.
//!
//! Owns the framing and the limit on a message's size, which holds while the message arrives.
//! Each message is one line that ends in a line feed, with or without a carriage return in front
//! of it; the messages of the protocol contain neither. Starts no runtime: the streams are those
//! of the crate `futures`, and with the cargo feature `tokio` those of tokio as well.
//!
//! ```
//! # #[cfg(feature = "tokio")]
//! # async fn example() -> Result<(), capnweb::Error> {
//! use capnweb::{Connection, Options, transport::lines::LinesTransport};
//!
//! // A program that is called over its own standard input and output.
//! let transport = LinesTransport::tokio(tokio::io::stdin(), tokio::io::stdout());
//! let parent = Connection::start(transport, None, Options::new()).main();
//! # Ok(())
//! # }
//! ```

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytestring::ByteString;
use futures::{AsyncRead, AsyncWrite};

use super::{CloseReason, Transport, TransportError};
use crate::{
    maybe_send::{BoxFuture, MaybeSend},
    spawn,
};

/// The default limit on one message, in bytes: what the protocol's own limit of 32 Mi UTF-16 units
/// can take in UTF-8.
pub const DEFAULT_MAX_MESSAGE_SIZE: usize = 3 * 32 * 1024 * 1024;

/// So much is read at a time.
const READ_BUFFER: usize = 16 * 1024;

/// Lines are collected up to this size before they are written without having been flushed.
const WRITE_BUFFER: usize = 64 * 1024;

/// How long a peer that does not read can hold up the end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// A [`Transport`] that reads lines from `R` and writes lines to `W`.
pub struct LinesTransport<R, W> {
    reader: R,
    writer: W,
    max_message_size: usize,
    /// What was read last, of which the part between these places has not been looked at.
    read: Box<[u8]>,
    unread: std::ops::Range<usize>,
    /// The beginning of a message whose end has not come.
    line: Vec<u8>,
    /// Lines to be written, so many bytes of which have been.
    outgoing: Vec<u8>,
    written: usize,
    closing: Option<BoxFuture<()>>,
}

impl<R, W> LinesTransport<R, W>
where
    R: AsyncRead + MaybeSend + Unpin + 'static,
    W: AsyncWrite + MaybeSend + Unpin + 'static,
{
    /// A transport over these two streams. Both are closed with the connection.
    pub fn new(reader: R, writer: W) -> Self {
        Self {
            reader,
            writer,
            max_message_size: DEFAULT_MAX_MESSAGE_SIZE,
            read: vec![0; READ_BUFFER].into_boxed_slice(),
            unread: 0..0,
            line: Vec::new(),
            outgoing: Vec::new(),
            written: 0,
            closing: None,
        }
    }

    /// The largest message that is accepted, in bytes, without the end of its line. The default is
    /// [`DEFAULT_MAX_MESSAGE_SIZE`]. A longer one ends the session.
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = bytes;
        self
    }

    /// Takes what has been looked at so far as a message.
    fn take_line(&mut self) -> Result<ByteString, TransportError> {
        let mut line = std::mem::take(&mut self.line);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if line.len() > self.max_message_size {
            return Err(TransportError::TooLarge { limit: self.max_message_size });
        }
        let line = String::from_utf8(line).map_err(|_| TransportError::NotText)?;
        Ok(line.into())
    }

    /// Writes what has been collected.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.outgoing.get(self.written..).filter(|rest| !rest.is_empty()) {
            let written = ready!(Pin::new(&mut self.writer).poll_write(cx, rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += written;
        }
        self.written = 0;
        if self.outgoing.capacity() > 2 * WRITE_BUFFER {
            // Left over from a large message.
            self.outgoing = Vec::new();
        }
        self.outgoing.clear();
        Poll::Ready(Ok(()))
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write(cx))?;
        Pin::new(&mut self.writer).poll_close(cx)
    }
}

impl<R, W> Transport for LinesTransport<R, W>
where
    R: AsyncRead + MaybeSend + Unpin + 'static,
    W: AsyncWrite + MaybeSend + Unpin + 'static,
{
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<ByteString, TransportError>> {
        loop {
            let unread = &self.read[self.unread.clone()];
            let end = memchr::memchr(b'\n', unread);
            let part = &unread[..end.unwrap_or(unread.len())];
            // One more for a carriage return.
            if self.line.len() + part.len() > self.max_message_size.saturating_add(1) {
                let limit = self.max_message_size;
                return Poll::Ready(Err(TransportError::TooLarge { limit }));
            }
            self.line.extend_from_slice(part);
            if end.is_some() {
                self.unread.start += part.len() + 1;
                return Poll::Ready(self.take_line());
            }
            self.unread = 0..0;
            match ready!(Pin::new(&mut self.reader).poll_read(cx, &mut self.read)) {
                Ok(0) if self.line.is_empty() => {
                    return Poll::Ready(Err(TransportError::closed("")));
                }
                Ok(0) => {
                    let reason = "it ended in the middle of a message";
                    return Poll::Ready(Err(TransportError::closed(reason)));
                }
                Ok(read) => self.unread = 0..read.min(READ_BUFFER),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        if self.outgoing.len() < WRITE_BUFFER {
            return Poll::Ready(Ok(()));
        }
        self.poll_write(cx).map_err(Into::into)
    }

    fn start_send(&mut self, mut message: String) -> Result<(), TransportError> {
        if memchr::memchr(b'\n', message.as_bytes()).is_some() {
            return Err(TransportError::other(
                "a message with a line feed cannot be sent as a line",
            ));
        }
        message.push('\n');
        if self.outgoing.is_empty() {
            self.outgoing = message.into_bytes();
        } else {
            self.outgoing.extend_from_slice(message.as_bytes());
        }
        Ok(())
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        ready!(self.poll_write(cx))?;
        Pin::new(&mut self.writer).poll_flush(cx).map_err(Into::into)
    }

    /// Has no place for the reason: whoever is to know it has been told in a message.
    fn poll_close(&mut self, cx: &mut Context<'_>, _: &CloseReason) -> Poll<()> {
        if self.poll_finish(cx).is_ready() {
            return Poll::Ready(());
        }
        if self.closing.is_none() {
            self.closing = spawn::current().map(|spawn| spawn.sleep(CLOSE_TIMEOUT));
        }
        match &mut self.closing {
            Some(deadline) => deadline.as_mut().poll(cx),
            // Nobody can tell how long it takes.
            None => Poll::Ready(()),
        }
    }
}

impl<R, W> fmt::Debug for LinesTransport<R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinesTransport")
            .field("max_message_size", &self.max_message_size)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "tokio")]
pub use self::tokio_io::TokioStream;

/// The streams of tokio as those of `futures`.
#[cfg(feature = "tokio")]
mod tokio_io {
    use std::{
        io,
        pin::Pin,
        task::{Context, Poll, ready},
    };

    use futures::{AsyncRead, AsyncWrite};
    use tokio::io::ReadBuf;

    use super::LinesTransport;
    use crate::MaybeSend;

    /// A stream of tokio's, made by [`LinesTransport::tokio`].
    #[derive(Debug)]
    pub struct TokioStream<T>(T);

    impl<R, W> LinesTransport<TokioStream<R>, TokioStream<W>>
    where
        R: tokio::io::AsyncRead + MaybeSend + Unpin + 'static,
        W: tokio::io::AsyncWrite + MaybeSend + Unpin + 'static,
    {
        /// A transport over two streams of tokio's, such as the pipes of a child process or the
        /// halves of a socket.
        pub fn tokio(reader: R, writer: W) -> Self {
            Self::new(TokioStream(reader), TokioStream(writer))
        }
    }

    impl<T: tokio::io::AsyncRead + Unpin> AsyncRead for TokioStream<T> {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffer: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            let mut buffer = ReadBuf::new(buffer);
            ready!(Pin::new(&mut self.0).poll_read(cx, &mut buffer))?;
            Poll::Ready(Ok(buffer.filled().len()))
        }
    }

    impl<T: tokio::io::AsyncWrite + Unpin> AsyncWrite for TokioStream<T> {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.0).poll_write(cx, bytes)
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(cx)
        }

        fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(cx)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, future::poll_fn};

    use futures::{executor::block_on, io::Cursor};

    use super::*;

    /// A reader of these pieces, one for each read.
    struct Pieces(VecDeque<Vec<u8>>);

    impl AsyncRead for Pieces {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            let piece = self.0.pop_front().unwrap_or_default();
            buffer[..piece.len()].copy_from_slice(&piece);
            Poll::Ready(Ok(piece.len()))
        }
    }

    fn reading<'a>(
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> LinesTransport<Pieces, Cursor<Vec<u8>>> {
        let pieces = Pieces(pieces.into_iter().map(<[u8]>::to_vec).collect());
        LinesTransport::new(pieces, Cursor::new(Vec::new()))
    }

    fn recv(transport: &mut impl Transport) -> Result<String, TransportError> {
        block_on(poll_fn(|cx| transport.poll_recv(cx))).map(|message| message.to_string())
    }

    #[test]
    fn lines_are_messages_however_they_are_cut() {
        let text = "[1]\n\"é\"\r\n\n[\"a\\n\"]\n".as_bytes();
        for size in 1..text.len() {
            let mut transport = reading(text.chunks(size));
            for expected in ["[1]", "\"é\"", "", r#"["a\n"]"#] {
                assert_eq!(recv(&mut transport).unwrap(), expected);
            }
            let error = recv(&mut transport).unwrap_err();
            assert_eq!(error.to_string(), "Peer closed the connection");
        }
    }

    #[test]
    fn a_message_may_be_as_long_as_the_limit_says() {
        for ending in ["\n", "\r\n"] {
            let line = format!("{}{ending}", "x".repeat(10));
            let mut fits = reading([line.as_bytes()]).max_message_size(10);
            assert_eq!(recv(&mut fits).unwrap().len(), 10);
            let mut too_long = reading([line.as_bytes()]).max_message_size(9);
            let error = recv(&mut too_long).unwrap_err();
            assert!(matches!(error, TransportError::TooLarge { limit: 9 }), "{error:?}");
        }
    }

    #[test]
    fn the_limit_holds_while_a_message_arrives() {
        let endless = futures::io::repeat(b'x');
        let mut transport =
            LinesTransport::new(endless, Cursor::new(Vec::new())).max_message_size(100_000);
        assert!(matches!(recv(&mut transport), Err(TransportError::TooLarge { limit: 100_000 })));
        assert!(transport.line.len() <= 100_001);
    }

    #[test]
    fn what_is_not_utf8_is_refused() {
        let mut transport = reading([&b"[\"\xff\"]\n"[..]]);
        assert!(matches!(recv(&mut transport), Err(TransportError::NotText)));
    }

    #[test]
    fn an_end_in_the_middle_of_a_message_is_told() {
        let mut transport = reading([&b"[1]\n[2"[..]]);
        assert_eq!(recv(&mut transport).unwrap(), "[1]");
        let error = recv(&mut transport).unwrap_err();
        assert!(error.to_string().ends_with("it ended in the middle of a message"), "{error}");
    }

    #[test]
    fn messages_are_written_as_lines() {
        let mut transport = reading([]);
        let large = "x".repeat(3 * WRITE_BUFFER);
        block_on(async {
            for message in ["[1]", "[2]", &large, "[3]"] {
                poll_fn(|cx| transport.poll_ready(cx)).await.unwrap();
                transport.start_send(message.to_owned()).unwrap();
            }
            poll_fn(|cx| transport.poll_flush(cx)).await.unwrap();
            poll_fn(|cx| transport.poll_close(cx, &CloseReason::Done)).await;
        });
        let written = String::from_utf8(transport.writer.into_inner()).unwrap();
        assert_eq!(written, format!("[1]\n[2]\n{large}\n[3]\n"));
    }

    #[test]
    fn a_message_that_would_be_two_lines_is_refused() {
        let mut transport = reading([]);
        assert!(transport.start_send("[1,\n2]".to_owned()).is_err());
    }
}
