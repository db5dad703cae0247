//! Connecting to a server by its URL.
//!
//! Owns the [`Connect`] builder: from URL, headers and limits to a connection, by way of TCP, TLS
//! and the WebSocket's opening handshake (or, on Cloudflare Workers, of a request that the runtime
//! makes), all under one deadline; and the `Batch`, which collects calls and sends them in one HTTP
//! request. Knows nothing of sessions but how to start one.

#[cfg(feature = "client")]
mod batch;
mod error;
#[cfg(not(feature = "client"))]
mod fetch;
#[cfg(feature = "client")]
mod handshake;
mod headers;
mod target;
#[cfg(feature = "client")]
mod tcp;
#[cfg(feature = "tls")]
mod tls;

use std::{fmt, future::IntoFuture, time::Duration};

use http::{HeaderName, HeaderValue, header};

#[cfg(feature = "client")]
pub use self::batch::{Batch, BatchBuilder, batch};
pub use self::error::ConnectError;
#[cfg(not(feature = "client"))]
pub use self::fetch::Through;
#[cfg(not(feature = "client"))]
use self::fetch::{open, timeout};
#[cfg(feature = "client")]
use self::tcp::{open, timeout};
use self::{
    headers::Headers,
    target::{Target, WEBSOCKET},
};
#[cfg(feature = "client")]
use crate::transport::websocket::KeepAlive;
use crate::{
    BoxFuture, Connection, Options, Stub, transport::DEFAULT_MAX_MESSAGE_SIZE, typed::Interface,
};

/// The headers that the handshake sets or negotiates; nobody else may.
const OWN_HEADERS: [HeaderName; 6] = [
    header::CONNECTION,
    header::UPGRADE,
    header::SEC_WEBSOCKET_ACCEPT,
    header::SEC_WEBSOCKET_EXTENSIONS,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
];

/// How much of a refusal's body is kept for the error.
const MAX_REFUSAL: usize = 4096;

/// Starts to describe a connection to a `ws://` or `wss://` URL; awaiting it connects.
///
/// ```no_run
/// # async fn example(key: &str) -> Result<(), capnweb::client::ConnectError> {
/// let connection = capnweb::connect("ws://localhost:8080/rpc").bearer(key).await?;
/// # Ok(())
/// # }
/// ```
///
/// `wss://` needs the cargo feature `tls`, except on Cloudflare Workers.
pub fn connect(url: impl Into<String>) -> Connect {
    Connect {
        url: url.into(),
        headers: Headers::new(&OWN_HEADERS),
        main: None,
        options: Options::default(),
        max_message_size: DEFAULT_MAX_MESSAGE_SIZE,
        timeout: Duration::from_secs(30),
        #[cfg(feature = "client")]
        keep_alive: Some(KeepAlive::default()),
        #[cfg(not(feature = "client"))]
        through: Through::default(),
        #[cfg(feature = "tls")]
        tls: None,
    }
}

/// A connection to be made; see [`connect`].
#[must_use = "nothing is connected until this is awaited"]
pub struct Connect {
    url: String,
    headers: Headers,
    main: Option<Stub>,
    options: Options,
    max_message_size: usize,
    timeout: Duration,
    #[cfg(feature = "client")]
    keep_alive: Option<KeepAlive>,
    #[cfg(not(feature = "client"))]
    through: Through,
    #[cfg(feature = "tls")]
    tls: Option<tls::Config>,
}

impl Connect {
    /// Adds a header to the upgrade request.
    ///
    /// A name or value that no header can have, and the headers that the handshake itself needs,
    /// make connecting fail with [`ConnectError::Header`].
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        self.headers.add(name, value);
        self
    }

    /// Adds `Authorization: Bearer` with this token, which is kept out of all debug output.
    pub fn bearer(mut self, token: impl AsRef<str>) -> Self {
        self.headers.bearer(token.as_ref());
        self
    }

    /// The main object that this side offers to the server.
    pub fn main<I: Interface + ?Sized>(mut self, main: Stub<I>) -> Self {
        self.main = Some(main.untyped());
        self
    }

    /// The session's limits and hooks.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// The largest message that is accepted from the server, in bytes. The default is
    /// [`DEFAULT_MAX_MESSAGE_SIZE`].
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = bytes;
        self
    }

    /// How a server that has silently gone is found out; `None` switches pings off. Not on
    /// Workers, where the runtime sends none.
    #[cfg(feature = "client")]
    pub fn keep_alive(mut self, keep_alive: impl Into<Option<KeepAlive>>) -> Self {
        self.keep_alive = keep_alive.into();
        self
    }

    /// How long connecting may take, from the name's look-up to the server's answer; 30 seconds
    /// unless set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Uses these TLS settings in place of the default ones, which trust what the operating system
    /// trusts and present no certificate.
    #[cfg(feature = "tls")]
    pub fn tls_config(
        mut self,
        config: std::sync::Arc<tokio_rustls::rustls::ClientConfig>,
    ) -> Self {
        self.tls = Some(tls::Config(config));
        self
    }

    /// Connects by way of a service binding or a Durable Object and not over the internet. The
    /// host in the URL is then only what the other Worker sees.
    #[cfg(not(feature = "client"))]
    pub fn through(mut self, through: impl Into<Through>) -> Self {
        self.through = through.into();
        self
    }

    async fn run(mut self) -> Result<Connection, ConnectError> {
        let target = Target::parse(&self.url, &WEBSOCKET)?;
        let headers = self.headers.take(&target.authority)?;
        let after = self.timeout;
        match timeout(after, open(self, &target, headers)).await {
            Some(connection) => connection,
            None => Err(ConnectError::Timeout { address: target.address(), after }),
        }
    }
}

impl IntoFuture for Connect {
    type Output = Result<Connection, ConnectError>;
    type IntoFuture = BoxFuture<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the URL, whose query often holds a key, nor header values that may be secret.
        f.debug_struct("Connect").field("headers", &self.headers).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_kept_out_of_debug_output() {
        let builder = connect("ws://localhost/?key=hidden").bearer("hidden").header("x", "hidden");
        assert!(!format!("{builder:?}").contains("hidden"));
        let builder = batch("http://localhost/?key=hidden").bearer("hidden").header("x", "hidden");
        assert!(!format!("{builder:?}").contains("hidden"));
        assert!(!format!("{:?}", builder.begin()).contains("hidden"));
    }
}
