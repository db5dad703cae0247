//! The server's side of HTTP batches: one session per request.
//!
//! Messages are fed to the session as they stand in the body, and what it sends is collected until
//! everything that was asked for is known. All of that has one deadline.

use std::sync::Arc;

use bytestring::ByteString;
use http::{HeaderValue, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body;
use tokio::time::{Instant, timeout_at};

use super::{
    Refusal, ResponseBody,
    admission::{Entry, Settings},
    service::{Admitted, BoxError, Endpoint},
};
use crate::{Connection, Error, ErrorKind, Session};

/// How many messages are taken in before other tasks get their turn.
const INPUT_PER_TURN: usize = 256;

/// Why a client of a batch does not answer.
const CANNOT_ANSWER: &str =
    "The client of an HTTP batch cannot be called back: it had to say everything in its request.";

impl Endpoint {
    /// Answers a batch, if it is let in.
    pub(super) async fn batch<B>(
        self: Arc<Self>,
        parts: Parts,
        body: B,
    ) -> Result<Response<ResponseBody>, Refusal>
    where
        B: Body<Data: Send, Error: Into<BoxError>> + Send,
    {
        let settings = &self.settings;
        let deadline = Instant::now() + settings.batch_timeout;
        let Admitted { entry, permit, stop } = self.admit(parts).await?;
        let _until_answered = (permit, stop);
        let Ok(body) = timeout_at(deadline, read(body, settings)).await else {
            let text = "the batch did not arrive in time";
            return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, text));
        };
        let messages = split(&body?, settings)?;
        let exchange = Exchange::start(&*entry, settings);
        match timeout_at(deadline, exchange.run(messages)).await {
            Ok(answer) => Ok(text(answer?)),
            Err(_) => {
                tracing::warn!("a batch took longer than {:?}", settings.batch_timeout);
                let text = "the batch takes too long; ask for less in one";
                Err(Refusal::new(StatusCode::GATEWAY_TIMEOUT, text))
            }
        }
    }
}

/// The body, of which no more is read than is allowed.
async fn read<B>(body: B, settings: &Settings) -> Result<ByteString, Refusal>
where
    B: Body<Error: Into<BoxError>>,
{
    let limit = settings.max_message_size;
    // What says beforehand that it is larger need not be read at all.
    let announced = body.size_hint().lower();
    if usize::try_from(announced).is_ok_and(|announced| announced <= limit) {
        match Limited::new(body, limit).collect().await {
            Ok(body) => {
                return ByteString::try_from(body.to_bytes())
                    .map_err(|_| Refusal::bad_request("a batch is UTF-8 text"));
            }
            Err(error) if error.is::<LengthLimitError>() => {}
            Err(error) => {
                tracing::debug!(%error, "a batch did not arrive");
                return Err(Refusal::bad_request("the batch did not arrive completely"));
            }
        }
    }
    Err(too_large(format_args!("{limit} bytes")))
}

/// The messages of a body.
fn split(body: &ByteString, settings: &Settings) -> Result<Vec<ByteString>, Refusal> {
    // An empty body is a batch of no messages, not of an empty one.
    let lines = body.split('\n').filter(|_| !body.is_empty());
    let limit = settings.max_batch_messages;
    let messages: Vec<_> = lines.take(limit.saturating_add(1)).collect();
    if messages.len() > limit {
        return Err(too_large(format_args!("{limit} messages")));
    }
    Ok(messages.into_iter().map(|message| body.slice_ref(message)).collect())
}

fn too_large(limit: std::fmt::Arguments<'_>) -> Refusal {
    let text = format!("a batch may have no more than {limit}; send several");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, text)
}

fn text(body: String) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::from(body));
    let kind = HeaderValue::from_static("text/plain;charset=UTF-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// The session of one batch. Ends when this is dropped, also when that is because the client has
/// gone.
struct Exchange {
    session: Session,
    connection: Connection,
}

impl Exchange {
    fn start(entry: &dyn Entry, settings: &Settings) -> Self {
        let (session, connection) = Session::new(Some(entry.main()), settings.options.clone());
        entry.begun(&connection);
        Self { session, connection }
    }

    /// Feeds the messages to the session, and returns what it has to say when all is known.
    async fn run(self, messages: Vec<ByteString>) -> Result<String, Refusal> {
        for (i, message) in messages.into_iter().enumerate() {
            self.session.receive(message);
            if i % INPUT_PER_TURN == INPUT_PER_TURN - 1 {
                self.check()?;
                tokio::task::yield_now().await;
            }
        }
        self.session.input_ended(CANNOT_ANSWER);
        if let Err(error) = self.connection.drain().await {
            return Err(ended(&error));
        }
        self.check()?;
        Ok(self.session.outgoing().join("\n"))
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
