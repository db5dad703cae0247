//! A session in one HTTP request: calls are collected, sent together, and answered together.

use std::{fmt, time::Duration};

use bytes::Bytes;
use bytestring::ByteString;
use futures::future::{Either, select};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{body::Incoming, client::conn::http1, ext::ReasonPhrase};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, timeout},
};

#[cfg(feature = "tls")]
use super::tls;
use super::{
    ConnectError, handshake,
    headers::Headers,
    target::{HTTP, Target},
    tcp::dial,
};
use crate::{
    Connection, Options, Session, Stub, transport::websocket::DEFAULT_MAX_MESSAGE_SIZE as MAX_SIZE,
    typed::Interface,
};

/// The headers that a batch sets itself; nobody else may.
const OWN_HEADERS: [HeaderName; 4] =
    [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::UPGRADE];

/// Word for word what the JavaScript implementation says: applications look for it.
const ENDED: &str = "Batch RPC request ended.";

/// How many messages of an answer are taken in before other tasks get their turn.
const INPUT_PER_TURN: usize = 256;

/// Starts to describe a batch: calls that are sent to an `http://` or `https://` URL together, in
/// one request, without a connection that would outlast it.
///
/// ```no_run
/// # async fn example(key: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let batch = capnweb::batch("http://localhost:8080/rpc").bearer(key).begin();
/// let api = batch.main();
/// let user = api.call("authenticate", ("token",));
/// let name = user.call("profile", ()).get("name").decode::<String>();
/// let sum = api.call("add", (1, 2)).decode::<u32>();
/// // Nothing has been sent yet. Now all of it is, and all of it is answered.
/// batch.send().await?;
/// println!("{} {}", name.await?, sum.await?);
/// # Ok(())
/// # }
/// ```
///
/// `https://` needs the cargo feature `tls`.
pub fn batch(url: impl Into<String>) -> BatchBuilder {
    BatchBuilder {
        main: None,
        options: Options::default(),
        request: BatchRequest {
            url: url.into(),
            headers: Headers::new(&OWN_HEADERS),
            max_response_size: MAX_SIZE,
            connect_timeout: Duration::from_secs(30),
            timeout: Duration::from_secs(120),
            #[cfg(feature = "tls")]
            tls: None,
        },
    }
}

/// A batch to be begun; see [`batch`].
#[must_use = "nothing can be called until this is begun"]
pub struct BatchBuilder {
    main: Option<Stub>,
    options: Options,
    request: BatchRequest,
}

impl BatchBuilder {
    /// Adds a header to the request.
    ///
    /// A name or value that no header can have, and the headers that say how the request is
    /// transferred, make sending fail with [`ConnectError::Header`].
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        self.request.headers.add(name, value);
        self
    }

    /// Adds `Authorization: Bearer` with this token, which is kept out of all debug output.
    pub fn bearer(mut self, token: impl AsRef<str>) -> Self {
        self.request.headers.bearer(token.as_ref());
        self
    }

    /// The main object that this side offers to the server. The server can call it, but not wait
    /// for the answer.
    pub fn main<I: Interface + ?Sized>(mut self, main: Stub<I>) -> Self {
        self.main = Some(main.untyped());
        self
    }

    /// The session's limits and hooks.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// The largest answer that is accepted from the server, in bytes. The default is that of a
    /// [single message](crate::transport::websocket::DEFAULT_MAX_MESSAGE_SIZE).
    pub fn max_response_size(mut self, bytes: usize) -> Self {
        self.request.max_response_size = bytes;
        self
    }

    /// How long connecting may take, from the name's look-up to the end of TLS' handshake; 30
    /// seconds unless set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.request.connect_timeout = timeout;
        self
    }

    /// How long [`Batch::send`] may take in all, connecting aside; 120 seconds unless set.
    ///
    /// Half of it is for what streams in arguments have to produce: a stream that is late by then
    /// fails the calls that read it, and the others still have the rest of the time.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.request.timeout = timeout;
        self
    }

    /// Uses these TLS settings in place of the default ones, which trust what the operating system
    /// trusts and present no certificate.
    #[cfg(feature = "tls")]
    pub fn tls_config(
        mut self,
        config: std::sync::Arc<tokio_rustls::rustls::ClientConfig>,
    ) -> Self {
        self.request.tls = Some(tls::Config(config));
        self
    }

    /// Begins to collect calls. Sends nothing; what is wrong with the description is reported by
    /// [`Batch::send`].
    pub fn begin(self) -> Batch {
        let (session, connection) = Session::new(self.main, self.options);
        Batch { collected: Collected { session, connection }, request: self.request }
    }
}

impl fmt::Debug for BatchBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchBuilder").field("request", &self.request).finish_non_exhaustive()
    }
}

/// Calls that are being collected, to be sent together. Dropping it unsent breaks them.
///
/// Make calls on [`main`](Self::main) and on what they return, then [`send`](Self::send), then
/// await the promises. A promise that is awaited first waits for a `send` elsewhere: in one task,
/// `api.call(…).await` before `send` never ends.
#[must_use = "nothing is sent until `send` is called"]
pub struct Batch {
    collected: Collected,
    request: BatchRequest,
}

impl Batch {
    /// The server's main object. Calls on it are collected until [`send`](Self::send).
    pub fn main(&self) -> Stub {
        self.collected.connection.main()
    }

    /// Sends the calls, asks for the value of every promise of theirs that is still held, and
    /// resolves these. Afterwards the session is over: further calls fail, as do promises that the
    /// server left without an answer, with
    /// [`Disconnected`](crate::ErrorKind::Disconnected): `Batch RPC request ended.`
    ///
    /// Streams and blobs in arguments are part of the request as far as they fit into the first
    /// window of a stream, 256 KiB of messages; `send` waits until they have been produced. What is
    /// longer fails the calls that read it.
    ///
    /// A property of the main object is only read if its promise has been turned into a future
    /// (`api.get("version").into_future()`) or used in a call before.
    ///
    /// # Errors
    /// Why there was no answer; every promise fails then, too. A method that fails is no error
    /// here but one of its own promise.
    pub async fn send(self) -> Result<(), ConnectError> {
        let Self { collected, request } = self;
        let session = &collected.session;
        session.pull_promises();
        let began = Instant::now();
        // A stream that is never produced does not hold the others up for ever: the server answers
        // that it has not come.
        let _ = timeout(request.timeout / 2, session.streams_sent()).await;
        let spent = began.elapsed();
        let (address, answer) = match request.send(session.outgoing().join("\n"), spent).await {
            Ok(answer) => answer,
            Err(failure) => {
                session.disconnected(&failure.message);
                return Err(failure.error);
            }
        };
        // An empty answer is one of no messages, not of an empty one.
        let messages = answer.split('\n').filter(|_| !answer.is_empty());
        for (i, message) in messages.enumerate() {
            session.receive(answer.slice_ref(message));
            if i % INPUT_PER_TURN == INPUT_PER_TURN - 1 {
                tokio::task::yield_now().await;
            }
        }
        if session.close_reason().is_some() {
            let problem = collected.connection.closed().await.to_string();
            return Err(ConnectError::Answer { address, problem });
        }
        // What has come of a stream can be read, though the rest of it has not.
        session.input_ended(ENDED);
        session.disconnected(ENDED);
        Ok(())
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("request", &self.request).finish_non_exhaustive()
    }
}

/// The session of a batch. Nothing of it waits for ever: it ends when this is dropped.
struct Collected {
    session: Session,
    connection: Connection,
}

impl Drop for Collected {
    fn drop(&mut self) {
        self.session.disconnected("The batch was dropped before it was answered.");
    }
}

/// The HTTP side of a batch.
struct BatchRequest {
    url: String,
    headers: Headers,
    max_response_size: usize,
    connect_timeout: Duration,
    timeout: Duration,
    #[cfg(feature = "tls")]
    tls: Option<tls::Config>,
}

/// Why there is no answer.
struct Failure {
    error: ConnectError,
    /// What the calls fail with.
    message: String,
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        Self { message: error.to_string(), error }
    }
}

impl BatchRequest {
    /// Sends a body, which it took some time to make, and returns who answered what.
    async fn send(
        mut self,
        body: String,
        spent: Duration,
    ) -> Result<(String, ByteString), Failure> {
        let target = Target::parse(&self.url, &HTTP)?;
        let headers = self.headers.take(&target.authority)?;
        let request = post(&target, headers, body)?;
        let after = self.connect_timeout;
        let late = || ConnectError::Timeout { address: target.address(), after };
        let stream = timeout(after, dial(&target)).await.map_err(|_| late())??;
        let answer = if target.secure {
            #[cfg(not(feature = "tls"))]
            return Err(ConnectError::TlsUnavailable.into());
            #[cfg(feature = "tls")]
            {
                let secure = tls::secure(stream, &target, self.tls.take());
                let stream = timeout(after, secure).await.map_err(|_| late())??;
                self.exchange(stream, &target, request, spent).await?
            }
        } else {
            self.exchange(stream, &target, request, spent).await?
        };
        Ok((target.address(), answer))
    }

    /// Sends the request on a fresh stream, and reads the answer.
    async fn exchange<S>(
        &self,
        stream: S,
        target: &Target,
        request: Request<Full<Bytes>>,
        spent: Duration,
    ) -> Result<ByteString, Failure>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let failed = |error: hyper::Error| problem(target, error);
        let exchange = async {
            let (mut sender, connection) =
                http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
            let answer = async move {
                let response = sender.send_request(request).await.map_err(failed)?;
                self.read(response, target).await
            };
            // The connection is driven from here: no task is left behind when this future is
            // dropped. An answer is complete whatever becomes of the connection behind it.
            match select(Box::pin(answer), Box::pin(connection)).await {
                Either::Left((answer, _)) => answer,
                Either::Right((_, answer)) => answer.await,
            }
        };
        let Ok(answer) = timeout(self.timeout.saturating_sub(spent), exchange).await else {
            let address = target.address();
            return Err(ConnectError::Unanswered { address, after: self.timeout }.into());
        };
        answer
    }

    async fn read(
        &self,
        response: Response<Incoming>,
        target: &Target,
    ) -> Result<ByteString, Failure> {
        let status = response.status();
        if !status.is_success() {
            let text = match response.extensions().get::<ReasonPhrase>() {
                Some(text) => String::from_utf8_lossy(text.as_bytes()).into_owned(),
                None => status.canonical_reason().unwrap_or_default().to_owned(),
            };
            // Word for word what the JavaScript implementation says: applications look for it.
            let message = format!("RPC request failed: {} {text}", status.as_u16());
            let body = handshake::beginning(response).await;
            return Err(Failure { error: ConnectError::Refused { status, body }, message });
        }
        let limit = self.max_response_size;
        let body = Limited::new(response.into_body(), limit).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                let text = "its answer is larger than `max_response_size`";
                return problem(target, text);
            }
            problem(target, error)
        })?;
        ByteString::try_from(body.to_bytes())
            .map_err(|_| problem(target, "its answer is not UTF-8 text").into())
    }
}

fn post(
    target: &Target,
    headers: HeaderMap,
    body: String,
) -> Result<Request<Full<Bytes>>, ConnectError> {
    let mut request = Request::post(target.path_and_query.as_str())
        .body(Full::from(body))
        .map_err(|error| ConnectError::Url(error.to_string()))?;
    let own = request.headers_mut();
    *own = headers;
    own.insert(header::CONNECTION, HeaderValue::from_static("close"));
    if !own.contains_key(header::CONTENT_TYPE) {
        let text = HeaderValue::from_static("text/plain;charset=UTF-8");
        own.insert(header::CONTENT_TYPE, text);
    }
    Ok(request)
}

fn problem(target: &Target, problem: impl fmt::Display) -> ConnectError {
    ConnectError::Answer { address: target.address(), problem: problem.to_string() }
}

impl fmt::Debug for BatchRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the URL, whose query often holds a key.
        f.debug_struct("BatchRequest").field("headers", &self.headers).finish_non_exhaustive()
    }
}
