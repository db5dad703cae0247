//! The session of an HTTP batch, on every platform.
//!
//! Messages are fed to the session as they stand in the body, and what it sends is collected until
//! everything that was asked for is known. Streams in that go on for a moment, as long as they bring
//! something; what they have not brought by then is not part of the answer.

use std::{task::Poll, time::Duration};

use bytestring::ByteString;
use futures::{
    FutureExt,
    future::{Either, select},
};
use http::StatusCode;

use super::{
    Refusal,
    admission::{Entry, Settings},
};
use crate::{Connection, Error, ErrorKind, Options, Session, SpawnHandle, spawn};

/// How many messages are taken in before other tasks get their turn.
const INPUT_PER_TURN: usize = 256;

/// How long a stream may bring nothing before the answer goes without the rest of it.
const IDLE: Duration = Duration::from_millis(250);

/// How long the answer waits for streams in all, which may bring a little for ever.
const STREAMS: Duration = Duration::from_secs(2);

/// Why a client of a batch does not answer.
const CANNOT_ANSWER: &str =
    "The client of an HTTP batch cannot be called back: it had to say everything in its request.";

/// The messages of a body.
pub(crate) fn split(body: &ByteString, settings: &Settings) -> Result<Vec<ByteString>, Refusal> {
    // An empty body is a batch of no messages, not of an empty one.
    let lines = body.split('\n').filter(|_| !body.is_empty());
    let limit = settings.max_batch_messages;
    let messages: Vec<_> = lines.take(limit.saturating_add(1)).collect();
    if messages.len() > limit {
        return Err(too_large(format_args!("{limit} messages")));
    }
    Ok(messages.into_iter().map(|message| body.slice_ref(message)).collect())
}

pub(crate) fn too_large(limit: std::fmt::Arguments<'_>) -> Refusal {
    let text = format!("a batch may have no more than {limit}; send several");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, text)
}

/// The session of one batch. Ends when this is dropped, also when that is because the client has
/// gone.
pub(crate) struct Exchange {
    session: Session,
    connection: Connection,
    spawn: Option<SpawnHandle>,
}

impl Exchange {
    pub(crate) fn start(entry: &dyn Entry, options: Options) -> Self {
        let spawn = options.spawn.clone().or_else(spawn::current);
        let (session, connection) = Session::new(Some(entry.main()), options);
        entry.begun(&connection);
        Self { session, connection, spawn }
    }

    /// Feeds the messages to the session, and waits until all that they ask for is known.
    pub(crate) async fn run(&self, messages: Vec<ByteString>) -> Result<(), Refusal> {
        for (i, message) in messages.into_iter().enumerate() {
            self.session.receive(message);
            if i % INPUT_PER_TURN == INPUT_PER_TURN - 1 {
                self.check()?;
                let_others_run().await;
            }
        }
        self.session.input_ended(CANNOT_ANSWER);
        self.connection.drain().await.map_err(|error| ended(&error))
    }

    /// What the session has to say, with the streams that are at hand. Takes no longer than a
    /// moment.
    pub(crate) async fn answer(self) -> Result<String, Refusal> {
        self.streams_sent().await;
        self.check()?;
        Ok(self.session.outgoing().join("\n"))
    }

    /// Waits for the streams in the answer, and for the promises in those, as long as they bring
    /// something.
    async fn streams_sent(&self) {
        // Without an executor nothing goes on here.
        let Some(spawn) = &self.spawn else { return };
        let sent = async {
            // The chunks of a stream may hold promises, and their values streams.
            while self.connection.drain().await.is_ok() {
                self.session.streams_sent().await;
                if self.connection.drain().now_or_never().is_some() {
                    return;
                }
            }
        };
        let mut sent = std::pin::pin!(sent);
        let until = spawn.now() + STREAMS;
        loop {
            let before = self.session.outgoing_bytes();
            let left = until.saturating_sub(spawn.now());
            let Either::Right(_) = select(sent.as_mut(), spawn.sleep(IDLE.min(left))).await else {
                return;
            };
            if self.session.outgoing_bytes() == before || spawn.now() >= until {
                return tracing::debug!("a batch was answered without the rest of a stream");
            }
        }
    }

    /// Gives an answer up that would become too large.
    fn check(&self) -> Result<(), Refusal> {
        if self.session.is_overloaded() {
            tracing::warn!("the answer of a batch became too large");
            let text = "the answer is too large; ask for less in one batch";
            return Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, text));
        }
        Ok(())
    }
}

/// Pending once.
async fn let_others_run() {
    let mut had_its_turn = false;
    std::future::poll_fn(move |cx| {
        if std::mem::replace(&mut had_its_turn, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What is answered where the session ended early.
fn ended(error: &Error) -> Refusal {
    match error.kind() {
        ErrorKind::Protocol => Refusal::bad_request(&error.to_string()),
        // What the application or the client thought of it is not for everybody.
        _ => {
            tracing::debug!(%error, "the session of a batch was ended");
            let text = "the session was ended before the batch was answered";
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, text)
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.session.disconnected("The HTTP batch has ended.");
    }
}
