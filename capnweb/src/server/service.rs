//! The endpoint as a tower service, and the sessions that it has started.

use std::{
    convert::Infallible,
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use http::{HeaderValue, Method, Request, Response, header, request::Parts};
use http_body_util::Full;
use hyper::{body::Body, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::timeout,
};
use tower_service::Service;

use super::{
    Refusal, UpgradeRequest,
    admission::{Admit, Entry, Settings},
    handshake, offer,
};
use crate::{
    Connection,
    transport::websocket::{WebSocketConfig, WebSocketTransport},
};

/// The body of an answer.
pub type ResponseBody = Full<Bytes>;

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An endpoint: a [`tower_service::Service`] for any server that upgrades connections in hyper's
/// way, answering batches as well, and the handle to end its sessions. Clones share connections, limit and end.
#[derive(Clone)]
pub struct Rpc(Arc<Endpoint>);

impl Rpc {
    pub(super) fn new(settings: Settings, admit: Arc<dyn Admit>) -> Self {
        let permits = settings.max_connections.min(Semaphore::MAX_PERMITS);
        Self(Arc::new(Endpoint {
            permits: Arc::new(Semaphore::new(permits)),
            stop: watch::Sender::new(None),
            settings,
            admit,
        }))
    }

    /// The number of connections and batches, those being authenticated included.
    pub fn connections(&self) -> usize {
        let limit = self.0.settings.max_connections.min(Semaphore::MAX_PERMITS);
        limit.saturating_sub(self.0.permits.available_permits())
    }

    /// Ends the endpoint in good order: further requests are answered 503, [`serve`](super::serve)
    /// stops accepting, batches are still answered, and each connection is closed as soon as what its
    /// client waits for has been answered, or half of `grace` has passed. Returns whether they had
    /// all ended within `grace`; the rest go on. There is no way back.
    pub async fn shutdown(&self, grace: Duration) -> bool {
        self.0.stop.send_replace(Some(grace / 2));
        // Whatever has to end first holds a `Stop`.
        timeout(grace, self.0.stop.closed()).await.is_ok()
    }

    pub(super) fn stop(&self) -> Stop {
        Stop(self.0.stop.subscribe())
    }
}

impl<B> Service<Request<B>> for Rpc
where
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let upgrade = request.extensions_mut().remove::<OnUpgrade>();
        let (parts, body) = request.into_parts();
        let endpoint = self.0.clone();
        async move {
            let answer = if offer::is_upgrade(&parts.headers) {
                // Who is refused has no other use for the connection, and may wait for its end.
                let close = |refusal: Refusal| {
                    refusal.header(header::CONNECTION, HeaderValue::from_static("close"))
                };
                endpoint.upgrade(parts, upgrade).await.map_err(close)
            } else if parts.method == Method::POST {
                endpoint.batch(parts, body).await
            } else {
                Err(Refusal::bad_request(
                    "this address is for WebSocket connections, and for batches sent by POST",
                ))
            };
            Ok(answer.unwrap_or_else(Refusal::into_response))
        }
        .boxed()
    }
}

impl fmt::Debug for Rpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rpc").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

/// Tells when the endpoint is shut down. The shutdown then waits until this is dropped.
/// It says how long answers may take that are under way.
pub(super) struct Stop(watch::Receiver<Option<Duration>>);

impl Stop {
    pub(super) async fn requested(&mut self) -> Duration {
        // An error would mean that the endpoint is no more.
        let requested = self.0.wait_for(Option::is_some).await;
        requested.ok().and_then(|grace| *grace).unwrap_or_default()
    }

    fn is_requested(&self) -> bool {
        self.0.borrow().is_some()
    }
}

pub(super) struct Endpoint {
    pub(super) settings: Settings,
    admit: Arc<dyn Admit>,
    permits: Arc<Semaphore>,
    stop: watch::Sender<Option<Duration>>,
}

/// A request that was let in. Counts as a connection, and delays the shutdown, until it is dropped.
pub(super) struct Admitted {
    pub(super) entry: Box<dyn Entry>,
    pub(super) permit: OwnedSemaphorePermit,
    pub(super) stop: Stop,
}

impl Endpoint {
    /// Answers a request for a WebSocket, and starts the session if it is let in.
    async fn upgrade(
        self: Arc<Self>,
        parts: Parts,
        upgrade: Option<OnUpgrade>,
    ) -> Result<Response<ResponseBody>, Refusal> {
        handshake::check(&parts)?;
        let response = handshake::switch(&parts.headers, self.settings.subprotocol.as_ref());
        let admitted = self.admit(parts).await?;
        let Some(upgrade) = upgrade else {
            tracing::error!("the server in front of the endpoint does not allow upgrades");
            return Err(Refusal::unavailable("WebSockets are not available here"));
        };
        tokio::spawn(self.session(upgrade, admitted));
        Ok(response)
    }

    /// Decides whether a request gets a session.
    pub(super) async fn admit(&self, parts: Parts) -> Result<Admitted, Refusal> {
        let settings = &self.settings;
        settings.origins.check(&parts.headers, host(&parts))?;
        let stop = Stop(self.stop.subscribe());
        if stop.is_requested() {
            return Err(Refusal::unavailable("the server is shutting down"));
        }
        let Ok(permit) = self.permits.clone().try_acquire_owned() else {
            tracing::warn!(limit = settings.max_connections, "too many connections");
            return Err(Refusal::unavailable("too many connections; try again later")
                .header(header::RETRY_AFTER, HeaderValue::from_static("10")));
        };
        let decision = self.admit.clone().admit(UpgradeRequest::new(parts));
        match timeout(settings.handshake_timeout, decision).await {
            Ok(entry) => Ok(Admitted { entry: entry?, permit, stop }),
            Err(_) => {
                tracing::warn!("authentication took longer than {:?}", settings.handshake_timeout);
                Err(Refusal::unavailable("authentication takes too long; try again later"))
            }
        }
    }

    /// One connection from its upgrade to its end.
    async fn session(self: Arc<Self>, upgrade: OnUpgrade, admitted: Admitted) {
        let Admitted { entry, permit, mut stop } = admitted;
        let settings = &self.settings;
        let io = match timeout(settings.handshake_timeout, upgrade).await {
            Ok(Ok(io)) => TokioIo::new(io),
            Ok(Err(error)) => return tracing::debug!(%error, "an upgrade failed"),
            Err(_) => return tracing::debug!("an upgrade took too long"),
        };
        let config = WebSocketConfig {
            max_message_size: settings.max_message_size,
            keep_alive: settings.keep_alive,
            ..WebSocketConfig::default()
        };
        let transport = WebSocketTransport::server(io, &config).await;
        let connection = Connection::start(transport, Some(entry.main()), settings.options.clone());
        entry.begun(&connection);
        drop(entry);
        tokio::select! {
            _ = connection.closed() => {}
            grace = stop.requested() => {
                // It ends as well when the client leaves.
                let _ = timeout(grace, connection.drain()).await;
                connection.close();
                connection.closed().await;
            }
        }
        drop(permit);
    }
}

/// The host that a request was made to.
fn host(parts: &Parts) -> Option<&str> {
    match parts.headers.get(header::HOST) {
        Some(host) => host.to_str().ok(),
        None => parts.uri.authority().map(|authority| authority.as_str()),
    }
}
