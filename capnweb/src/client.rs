//! Connecting to a server by its URL.
//!
//! Owns the [`Connect`] builder: from URL, headers and limits to a connection, by way of TCP, TLS
//! and the WebSocket's opening handshake (or, on Cloudflare Workers, of a request that the runtime
//! makes), all under one deadline. Knows nothing of sessions but how to start one.

mod error;
#[cfg(not(feature = "client"))]
mod fetch;
#[cfg(feature = "client")]
mod handshake;
#[cfg(feature = "client")]
mod tcp;
#[cfg(feature = "tls")]
mod tls;

use std::{fmt, future::IntoFuture, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use url::{Host, Url};

pub use self::error::ConnectError;
#[cfg(not(feature = "client"))]
pub use self::fetch::Through;
#[cfg(not(feature = "client"))]
use self::fetch::{open, timeout};
#[cfg(feature = "client")]
use self::tcp::{open, timeout};
#[cfg(feature = "client")]
use crate::transport::websocket::KeepAlive;
use crate::{BoxFuture, Connection, Options, Stub, transport::DEFAULT_MAX_MESSAGE_SIZE};

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
        headers: HeaderMap::new(),
        invalid: None,
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
    headers: HeaderMap,
    /// The first thing that was wrong with what the builder was given; reported on connecting.
    invalid: Option<ConnectError>,
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
        match (name.try_into(), value.try_into()) {
            (Ok(name), Ok(value)) if !OWN_HEADERS.contains(&name) => {
                self.headers.append(name, value);
            }
            (Ok(name), _) => {
                self.invalid.get_or_insert(ConnectError::Header(name.to_string()));
            }
            (Err(_), _) => {
                self.invalid.get_or_insert(ConnectError::Header(String::new()));
            }
        }
        self
    }

    /// Adds `Authorization: Bearer` with this token, which is kept out of all debug output.
    pub fn bearer(mut self, token: impl AsRef<str>) -> Self {
        match HeaderValue::try_from(format!("Bearer {}", token.as_ref())) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.headers.insert(header::AUTHORIZATION, value);
            }
            Err(_) => {
                self.invalid.get_or_insert(ConnectError::Header(header::AUTHORIZATION.to_string()));
            }
        }
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
    /// [`DEFAULT_MAX_MESSAGE_SIZE`](crate::transport::DEFAULT_MAX_MESSAGE_SIZE).
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
        if let Some(invalid) = self.invalid.take() {
            return Err(invalid);
        }
        let target = Target::parse(&self.url)?;
        let after = self.timeout;
        match timeout(after, open(self, &target)).await {
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
        let names: Vec<_> = self.headers.keys().collect();
        f.debug_struct("Connect").field("headers", &names).finish_non_exhaustive()
    }
}

/// What a URL says about where to connect.
struct Target {
    secure: bool,
    /// As the resolver and TLS want it: an IPv6 address without brackets.
    host: String,
    port: u16,
    /// The `Host` header: with brackets, and with the port unless it is the scheme's own.
    authority: String,
    path_and_query: String,
}

impl Target {
    fn parse(url: &str) -> Result<Self, ConnectError> {
        let url = Url::parse(url).map_err(|e| ConnectError::Url(e.to_string()))?;
        let (secure, default_port) = match url.scheme() {
            "ws" => (false, 80),
            "wss" => (true, 443),
            other => return Err(ConnectError::Scheme(other.to_owned())),
        };
        if secure && cfg!(all(feature = "client", not(feature = "tls"))) {
            return Err(ConnectError::TlsUnavailable);
        }
        if !url.username().is_empty() || url.password().is_some() {
            let text = "it holds a user name or password; send credentials in a header instead";
            return Err(ConnectError::Url(text.to_owned()));
        }
        let Some(host) = url.host() else {
            return Err(ConnectError::Url("it names no host".to_owned()));
        };
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        let host = match host {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let path_and_query = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let port = url.port().unwrap_or(default_port);
        Ok(Self { secure, host, port, authority, path_and_query })
    }

    /// For error messages: host and port, and nothing of the URL that could be secret.
    fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        Target::parse(url).unwrap()
    }

    #[test]
    fn a_url_names_host_port_and_path() {
        let plain = target("ws://Example.com/rpc?key=1#top");
        assert_eq!((plain.host.as_str(), plain.port), ("example.com", 80));
        assert_eq!(plain.authority, "example.com");
        assert_eq!(plain.path_and_query, "/rpc?key=1");

        let v6 = target("ws://[::1]:8080");
        assert_eq!((v6.host.as_str(), v6.port), ("::1", 8080));
        assert_eq!((v6.authority.as_str(), v6.path_and_query.as_str()), ("[::1]:8080", "/"));
        assert_eq!(v6.address(), "[::1]:8080");
    }

    #[test]
    fn secrets_are_kept_out_of_debug_output() {
        let builder = connect("ws://localhost/?key=hidden").bearer("hidden").header("x", "hidden");
        assert!(!format!("{builder:?}").contains("hidden"));
    }
}
