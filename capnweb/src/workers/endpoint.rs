//! An endpoint that answers `fetch`.

use std::{cell::Cell, fmt, rc::Rc, sync::Arc};

use bytestring::ByteString;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header, request::Parts};
use url::Position;
use worker::{Context, Headers, Request, Response, ResponseBuilder, WebSocketPair};

use super::{EventLoop, WebSocketTransport, timeout};
use crate::{
    Connection, SpawnHandle,
    server::{
        Refusal, UpgradeRequest,
        admission::{Admit, Entry, Settings},
        exchange::{Exchange, split, too_large},
        offer,
    },
};

/// An endpoint, made by [`server::rpc`](crate::server::rpc). Clones are the same one.
///
/// It costs next to nothing to make, so a Worker can make one for each request. Only the limit on
/// connections asks for one that is kept, in a `thread_local!` or in a Durable Object.
#[derive(Clone)]
pub struct Rpc(Rc<Endpoint>);

struct Endpoint {
    settings: Settings,
    admit: Arc<dyn Admit>,
    connections: Rc<Cell<usize>>,
}

impl Rpc {
    pub(crate) fn new(settings: Settings, admit: Arc<dyn Admit>) -> Self {
        Self(Rc::new(Endpoint { settings, admit, connections: Rc::default() }))
    }

    /// Answers a request: starts a session if it asks for a WebSocket and is let in, and otherwise
    /// says in JSON why not. The session goes on when this has returned.
    ///
    /// # Errors
    /// What the runtime fails with; no client can cause that.
    pub async fn fetch(&self, request: &Request, context: Context) -> worker::Result<Response> {
        self.answer(request, EventLoop::waiting(context)).await
    }

    /// [`fetch`](Self::fetch) in a Durable Object: with targets that belong to the object and can
    /// use its storage and what other connections have left in it.
    ///
    /// A session keeps its object in memory for as long as it is connected, because what its stubs
    /// stand for cannot be written down; the object is billed for that time. Sockets that only
    /// listen are cheaper outside of a session, with the runtime's hibernation.
    ///
    /// # Errors
    /// What the runtime fails with; no client can cause that.
    pub async fn fetch_in_object(&self, request: &Request) -> worker::Result<Response> {
        self.answer(request, EventLoop::new()).await
    }

    /// The number of connections, those being authenticated included.
    pub fn connections(&self) -> usize {
        self.0.connections.get()
    }

    async fn answer(&self, request: &Request, spawn: EventLoop) -> worker::Result<Response> {
        let spawn = self.0.settings.options.spawn.clone().unwrap_or_else(|| Arc::new(spawn));
        let admitted = match self.admit(request).await {
            Ok(admitted) => admitted,
            Err(refusal) => return respond(refusal),
        };
        if offer::is_upgrade(&admitted.headers) {
            return self.start(admitted, spawn);
        }
        match self.batch(request, admitted, spawn).await {
            Ok(answer) => Ok(ResponseBuilder::new()
                .with_header("content-type", "text/plain;charset=UTF-8")?
                .fixed(answer.into_bytes())),
            Err(refusal) => respond(refusal),
        }
    }

    /// Answers a batch: all of a session in one request.
    async fn batch(
        &self,
        request: &Request,
        admitted: Admitted,
        spawn: SpawnHandle,
    ) -> Result<String, Refusal> {
        let settings = &self.0.settings;
        let incomplete = |error| {
            tracing::debug!(%error, "a batch did not arrive");
            Refusal::bad_request("the batch did not arrive completely")
        };
        let limit = settings.max_message_size;
        let too_large = || too_large(format_args!("{limit} bytes"));
        // What says beforehand that it is larger need not be read at all. (The runtime has a limit
        // of its own as well.)
        let announced = admitted.headers.get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let mut request = request.clone().map_err(incomplete)?;
        let answered = async {
            let body = ByteString::from(request.text().await.map_err(incomplete)?);
            if body.len() > limit {
                return Err(too_large());
            }
            let messages = split(&body, settings)?;
            let options = settings.options.clone().spawn(spawn);
            let exchange = Exchange::start(&*admitted.entry, options);
            exchange.run(messages).await?;
            Ok(exchange)
        };
        let Some(answered) = timeout(settings.batch_timeout, answered).await else {
            tracing::warn!("a batch took longer than {:?}", settings.batch_timeout);
            let text = "the batch takes too long; ask for less in one";
            return Err(Refusal::new(StatusCode::GATEWAY_TIMEOUT, text));
        };
        answered?.answer().await
    }

    async fn admit(&self, request: &Request) -> Result<Admitted, Refusal> {
        let Endpoint { settings, admit, connections } = &*self.0;
        let parts = parts(request)?;
        if offer::is_upgrade(&parts.headers) {
            offer::check_method(&parts.method)?;
        } else if parts.method != http::Method::POST {
            let text = "this address is for WebSocket connections and batches by POST";
            return Err(Refusal::bad_request(text));
        }
        // The runtime's own routing goes by the URL, not by the header.
        let url = request.url().ok();
        let host = url.as_ref().map(|url| &url[Position::BeforeHost..Position::AfterPort]);
        settings.origins.check(&parts.headers, host)?;
        let Some(permit) = Permit::take(connections, settings.max_connections) else {
            tracing::warn!(limit = settings.max_connections, "too many connections");
            return Err(Refusal::unavailable("too many connections; try again later")
                .header(header::RETRY_AFTER, HeaderValue::from_static("10")));
        };
        let headers = parts.headers.clone();
        let decision = admit.clone().admit(UpgradeRequest::new(parts));
        let Some(entry) = timeout(settings.handshake_timeout, decision).await else {
            tracing::warn!("authentication took longer than {:?}", settings.handshake_timeout);
            return Err(Refusal::unavailable("authentication takes too long; try again later"));
        };
        Ok(Admitted { entry: entry?, headers, permit })
    }

    fn start(&self, admitted: Admitted, spawn: SpawnHandle) -> worker::Result<Response> {
        let Admitted { entry, headers, permit } = admitted;
        let settings = &self.0.settings;
        let WebSocketPair { client, server } = WebSocketPair::new()?;
        let transport = WebSocketTransport::accept_with_limit(server, settings.max_message_size)?;
        let options = settings.options.clone().spawn(SpawnHandle::clone(&spawn));
        let connection = Connection::start(transport, Some(entry.main()), options);
        entry.begun(&connection);
        spawn.spawn(Box::pin(async move {
            // The connection lives as long as its socket, whatever the client has let go of.
            connection.closed().await;
            drop((connection, permit));
        }));
        let mut response = Response::from_websocket(client)?;
        if let Some(subprotocol) = offer::chosen(settings.subprotocol.as_ref(), &headers)
            && let Ok(subprotocol) = subprotocol.to_str()
        {
            let name = header::SEC_WEBSOCKET_PROTOCOL;
            response.headers_mut().set(name.as_str(), subprotocol)?;
        }
        Ok(response)
    }
}

impl fmt::Debug for Rpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rpc").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

/// A request that was let in.
struct Admitted {
    entry: Box<dyn Entry>,
    headers: HeaderMap,
    permit: Permit,
}

/// A place among the connections.
struct Permit(Rc<Cell<usize>>);

impl Permit {
    fn take(connections: &Rc<Cell<usize>>, limit: usize) -> Option<Self> {
        let taken = connections.get();
        (taken < limit).then(|| {
            connections.set(taken + 1);
            Self(connections.clone())
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// The request as authentication hooks see it on every platform.
fn parts(request: &Request) -> Result<Parts, Refusal> {
    let unusable = || Refusal::bad_request("the request cannot be understood");
    let url = request.url().map_err(|_| unusable())?;
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let method = http::Method::from_bytes(request.inner().method().as_bytes());
    let mut parts = http::Request::new(()).into_parts().0;
    parts.method = method.map_err(|_| unusable())?;
    parts.uri = Uri::try_from(target).map_err(|_| unusable())?;
    parts.headers = headers(request.headers());
    if let Some(cf) = request.cf() {
        parts.extensions.insert(cf.clone());
    }
    Ok(parts)
}

fn headers(sent: &Headers) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in sent.entries() {
        // In JavaScript each character of a header is one byte.
        let value: Result<Vec<u8>, _> = value.chars().map(u8::try_from).collect();
        if let Ok(name) = HeaderName::try_from(name)
            && let Ok(value) = value
            && let Ok(value) = HeaderValue::try_from(value)
        {
            headers.append(name, value);
        }
    }
    headers
}

fn respond(refusal: Refusal) -> worker::Result<Response> {
    let (parts, body) = refusal.into_response::<String>().into_parts();
    let mut builder = ResponseBuilder::new().with_status(parts.status.as_u16());
    for (name, value) in &parts.headers {
        if let Ok(value) = value.to_str() {
            builder = builder.with_header(name.as_str(), value)?;
        }
    }
    Ok(builder.fixed(body.into_bytes()))
}
