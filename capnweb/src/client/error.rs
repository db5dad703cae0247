//! Why connecting failed, in words that say what to do about it.

use std::{fmt, io, time::Duration};

use http::StatusCode;

/// Why there is no connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL cannot be used; the text says why. The URL itself is left out, as it may hold a key.
    Url(String),
    /// The URL has a scheme that does not go with what was asked for: `ws` and `wss` are for
    /// connections, `http` and `https` for batches.
    Scheme(String),
    /// The URL starts with `wss://` or `https://`, and the crate was built without the feature
    /// `tls`.
    TlsUnavailable,
    /// A header that was asked for is impossible, or reserved for the handshake. Holds its name;
    /// empty if it is the name that is impossible.
    Header(String),
    /// The server could not be reached, or the connection broke during the handshake.
    Io {
        /// Host and port.
        address: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The server could not be trusted, or TLS failed otherwise.
    Tls {
        /// Host and port.
        address: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The server answered, and refused.
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// The beginning of the answer's body.
        body: String,
    },
    /// What answered does not speak WebSocket, or not correctly; the text says what is wrong.
    Handshake {
        /// Host and port.
        address: String,
        /// What is wrong.
        problem: String,
    },
    /// What answered a batch does not serve batches, or not correctly; the text says what is wrong.
    Answer {
        /// Host and port.
        address: String,
        /// What is wrong.
        problem: String,
    },
    /// A batch was sent, and not answered in [`timeout`](super::BatchBuilder::timeout). Its calls
    /// may have been carried out.
    Unanswered {
        /// Host and port.
        address: String,
        /// The time that was allowed.
        after: Duration,
    },
    /// It took longer than [`connect_timeout`](super::Connect::connect_timeout).
    Timeout {
        /// Host and port.
        address: String,
        /// The time that was allowed.
        after: Duration,
    },
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(problem) => write!(
                f,
                "cannot connect to this URL: {problem}; what is expected looks like \
                 wss://example.com/rpc"
            ),
            Self::Scheme(scheme) if matches!(&**scheme, "ws" | "wss") => {
                write!(f, "cannot send a batch to {scheme}: URLs; use http:// or https://")
            }
            Self::Scheme(scheme) => write!(
                f,
                "cannot connect to {scheme}: URLs; use ws:// (or wss:// where the server has TLS) \
                 for a connection, http:// or https:// for a batch"
            ),
            Self::TlsUnavailable => f.write_str(
                "wss:// and https:// need TLS; enable the cargo feature `tls` of the crate \
                 `capnweb`",
            ),
            Self::Header(name) if name.is_empty() => {
                f.write_str("a header was set whose name is not a valid header name")
            }
            Self::Header(name) => write!(
                f,
                "the header {name} cannot be sent: either its value has characters that no header \
                 can have, or the handshake sets it by itself"
            ),
            Self::Io { address, source } if source.kind() == io::ErrorKind::ConnectionRefused => {
                write!(f, "nothing listens at {address}: {source}; is the server running there?")
            }
            Self::Io { address, source } => write!(f, "cannot connect to {address}: {source}"),
            Self::Tls { address, source } => {
                write!(f, "no secure connection to {address}: {source}")
            }
            Self::Refused { status, body } => {
                write!(f, "the server refused the connection: {status}")?;
                if !body.is_empty() {
                    write!(f, ": {body}")?;
                }
                f.write_str(match *status {
                    StatusCode::UNAUTHORIZED => "; check the token or the other credentials",
                    StatusCode::NOT_FOUND => "; check the URL's path",
                    status if status.is_redirection() => {
                        "; redirects are not followed, connect to the new address"
                    }
                    _ => "",
                })
            }
            Self::Handshake { address, problem } => write!(
                f,
                "what answers at {address} is no usable WebSocket server: {problem}; check host, \
                 port and path"
            ),
            Self::Answer { address, problem } => write!(
                f,
                "what answers at {address} serves no usable batches: {problem}; check host, port \
                 and path"
            ),
            Self::Unanswered { address, after } => write!(
                f,
                "the batch was not answered by {address} within {after:?}; ask for less in one \
                 batch, or raise `timeout`"
            ),
            Self::Timeout { address, after } => write!(
                f,
                "no connection to {address} within {after:?}; check host and port, or raise \
                 `connect_timeout`"
            ),
        }
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } | Self::Tls { source, .. } => Some(source),
            _ => None,
        }
    }
}
