//! A server of its own, for programs that have no other.

use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tower_service::Service;

use super::{PeerAddr, Rpc, service::Stop};

/// How many connections may be talking HTTP at a time, before their upgrade. Further ones wait in
/// the listener's queue.
const MAX_HANDSHAKES: usize = 1024;

/// How long a client may take for the head of its request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The pause after a failed accept: the reason is mostly a lack of file descriptors, which trying
/// again at once would not mend.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves an endpoint on every path of a listener, without TLS, until [`Rpc::shutdown`] is called.
///
/// Failures of single connections are logged and end nothing else.
pub async fn serve(listener: TcpListener, rpc: Rpc) {
    let mut stop = rpc.stop();
    let slots = Arc::new(Semaphore::new(MAX_HANDSHAKES));
    loop {
        let accepted = tokio::select! {
            _ = stop.requested() => return,
            accepted = accept(&listener, &slots) => accepted,
        };
        if let Some((stream, peer, slot)) = accepted {
            tokio::spawn(talk(stream, peer, rpc.clone(), rpc.stop(), slot));
        }
    }
}

/// The next connection; `None` if this attempt failed.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, slot)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

/// Talks HTTP on one connection until it is upgraded or ends.
async fn talk(
    stream: TcpStream,
    peer: SocketAddr,
    rpc: Rpc,
    mut stop: Stop,
    _slot: OwnedSemaphorePermit,
) {
    // Without this, a small message waits for the acknowledgement of the one before it. A socket
    // that refuses it has gone already, which shows soon.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(PeerAddr(peer));
        rpc.clone().call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        _ = stop.requested() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %peer, "an HTTP connection failed");
    }
}
