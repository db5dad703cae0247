//! Connecting to a server by its URL.
//!
//! Owns the [`Connect`] builder: from URL, headers and limits to a connection, by way of TCP, TLS
//! and the WebSocket's opening handshake, all under one deadline; and the [`Batch`], which collects
//! calls and sends them in one HTTP request. Knows nothing of sessions but how to start one.

mod batch;
mod error;
mod handshake;
mod headers;
mod target;
#[cfg(feature = "tls")]
mod tls;

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    time::Duration,
};

use http::{HeaderName, HeaderValue};
use tokio::net::TcpStream;

pub use self::{
    batch::{Batch, BatchBuilder, batch},
    error::ConnectError,
};
use self::{
    headers::Headers,
    target::{Target, WEBSOCKET},
};
use crate::{
    Connection, Options, Stub,
    transport::websocket::{KeepAlive, WebSocketConfig, WebSocketTransport},
};

/// Starts to describe a connection to a `ws://` or `wss://` URL; awaiting it connects.
///
/// ```no_run
/// # async fn example(key: &str) -> Result<(), capnweb::client::ConnectError> {
/// let connection = capnweb::connect("ws://localhost:8080/rpc").bearer(key).await?;
/// # Ok(())
/// # }
/// ```
///
/// `wss://` needs the cargo feature `tls`.
pub fn connect(url: impl Into<String>) -> Connect {
    Connect {
        url: url.into(),
        headers: Headers::new(&handshake::OWN_HEADERS),
        main: None,
        options: Options::default(),
        websocket: WebSocketConfig::default(),
        timeout: Duration::from_secs(30),
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
    websocket: WebSocketConfig,
    timeout: Duration,
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
    pub fn main(mut self, main: impl Into<Stub>) -> Self {
        self.main = Some(main.into());
        self
    }

    /// The session's limits and hooks.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// The largest message that is accepted from the server, in bytes. The default is
    /// [`DEFAULT_MAX_MESSAGE_SIZE`](crate::transport::websocket::DEFAULT_MAX_MESSAGE_SIZE).
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.websocket.max_message_size = bytes;
        self
    }

    /// How a server that has silently gone is found out; `None` switches pings off.
    pub fn keep_alive(mut self, keep_alive: impl Into<Option<KeepAlive>>) -> Self {
        self.websocket.keep_alive = keep_alive.into();
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

    async fn run(self) -> Result<Connection, ConnectError> {
        let Self { url, mut headers, main, options, websocket, timeout, .. } = self;
        let target = Target::parse(&url, &WEBSOCKET)?;
        let headers = headers.take(&target.authority)?;
        let open = async {
            let stream = dial(&target).await?;
            #[cfg(feature = "tls")]
            if target.secure {
                let stream = tls::secure(stream, &target, self.tls).await?;
                return handshake::upgrade(stream, &target, headers).await;
            }
            handshake::upgrade(stream, &target, headers).await
        };
        let Ok(upgraded) = tokio::time::timeout(timeout, open).await else {
            return Err(ConnectError::Timeout { address: target.address(), after: timeout });
        };
        let transport = WebSocketTransport::client(upgraded?, &websocket).await;
        Ok(Connection::start(transport, main, options))
    }
}

impl IntoFuture for Connect {
    type Output = Result<Connection, ConnectError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

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

/// Opens a TCP connection.
async fn dial(target: &Target) -> Result<TcpStream, ConnectError> {
    let io_error = |source| ConnectError::Io { address: target.address(), source };
    let stream = TcpStream::connect((target.host.as_str(), target.port)).await.map_err(io_error)?;
    // Without this, a small message waits for the acknowledgement of the one before it.
    stream.set_nodelay(true).map_err(io_error)?;
    Ok(stream)
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
