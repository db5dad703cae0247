//! The way over TCP and, where asked for, TLS.

use std::time::Duration;

use http::HeaderMap;
use tokio::net::TcpStream;

#[cfg(feature = "tls")]
use super::tls;
use super::{Connect, ConnectError, Target, handshake};
use crate::{
    Connection,
    transport::websocket::{WebSocketConfig, WebSocketTransport},
};

pub(super) async fn open(
    connect: Connect,
    target: &Target,
    headers: HeaderMap,
) -> Result<Connection, ConnectError> {
    let stream = dial(target).await?;
    let upgraded = if target.secure {
        #[cfg(not(feature = "tls"))]
        return Err(ConnectError::TlsUnavailable);
        #[cfg(feature = "tls")]
        handshake::upgrade(tls::secure(stream, target, connect.tls).await?, target, headers).await?
    } else {
        handshake::upgrade(stream, target, headers).await?
    };
    let config = WebSocketConfig {
        max_message_size: connect.max_message_size,
        keep_alive: connect.keep_alive,
        ..WebSocketConfig::default()
    };
    let transport = WebSocketTransport::client(upgraded, &config).await;
    Ok(Connection::start(transport, connect.main, connect.options))
}

/// What the future comes to, or `None` if that takes longer.
pub(super) async fn timeout<T>(after: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(after, future).await.ok()
}

/// Opens a TCP connection.
pub(super) async fn dial(target: &Target) -> Result<TcpStream, ConnectError> {
    let io_error = |source| ConnectError::Io { address: target.address(), source };
    let stream = TcpStream::connect((target.host.as_str(), target.port)).await.map_err(io_error)?;
    // Without this, a small message waits for the acknowledgement of the one before it.
    stream.set_nodelay(true).map_err(io_error)?;
    Ok(stream)
}
