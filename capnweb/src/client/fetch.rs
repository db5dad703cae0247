//! The way by a request of the Workers runtime.

use std::{fmt, io};

use http::{HeaderMap, StatusCode, header};
use worker::{Fetch, Fetcher, Headers, Method, Request, RequestInit, Response};

use super::{Connect, ConnectError, MAX_REFUSAL, Target};
pub(super) use crate::workers::timeout;
use crate::{Connection, workers::WebSocketTransport};

/// What carries the request to the server.
#[derive(Default)]
#[non_exhaustive]
pub enum Through {
    /// The internet.
    #[default]
    Internet,
    /// A service binding.
    Service(Fetcher),
    /// A Durable Object.
    Object(worker::Stub),
}

impl From<Fetcher> for Through {
    fn from(service: Fetcher) -> Self {
        Self::Service(service)
    }
}

impl From<worker::Stub> for Through {
    fn from(object: worker::Stub) -> Self {
        Self::Object(object)
    }
}

impl fmt::Debug for Through {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Internet => "Internet",
            Self::Service(_) => "Service",
            Self::Object(_) => "Object",
        })
    }
}

impl Through {
    async fn send(self, request: Request) -> worker::Result<Response> {
        match self {
            Self::Internet => Fetch::Request(request).send().await,
            #[allow(clippy::useless_conversion, reason = "with a feature of `worker` it is not")]
            Self::Service(service) => Ok(service.fetch_request(request).await?.try_into()?),
            Self::Object(object) => object.fetch_with_request(request).await,
        }
    }
}

pub(super) async fn open(
    connect: Connect,
    target: &Target,
    headers: HeaderMap,
) -> Result<Connection, ConnectError> {
    let failed = |error: worker::Error| ConnectError::Io {
        address: target.address(),
        source: io::Error::other(error.to_string()),
    };
    let request = request(target, &headers).map_err(failed)?;
    let mut response = connect.through.send(request).await.map_err(failed)?;
    if response.status_code() != StatusCode::SWITCHING_PROTOCOLS.as_u16() {
        let status = StatusCode::from_u16(response.status_code()).unwrap_or_default();
        let mut body = response.text().await.unwrap_or_default();
        body.truncate(body.floor_char_boundary(MAX_REFUSAL));
        return Err(ConnectError::Refused { status, body });
    }
    let socket = response.websocket().ok_or_else(|| ConnectError::Handshake {
        address: target.address(),
        problem: "it switched to another protocol".to_owned(),
    })?;
    let transport =
        WebSocketTransport::accept_with_limit(socket, connect.max_message_size).map_err(failed)?;
    Ok(Connection::start(transport, connect.main, connect.options))
}

fn request(target: &Target, sent: &HeaderMap) -> worker::Result<Request> {
    let headers = Headers::new();
    // The runtime sets `Host` from the URL.
    for (name, value) in sent.iter().filter(|(name, _)| *name != header::HOST) {
        // In JavaScript each character of a header is one byte.
        let value: String = value.as_bytes().iter().copied().map(char::from).collect();
        headers.append(name.as_str(), &value)?;
    }
    headers.set("upgrade", "websocket")?;
    let scheme = if target.secure { "https" } else { "http" };
    let url = format!("{scheme}://{}{}", target.authority, target.path_and_query);
    let mut init = RequestInit::new();
    init.with_method(Method::Get).with_headers(headers);
    Request::new_with_init(&url, &init)
}
