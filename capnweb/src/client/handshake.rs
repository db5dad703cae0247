//! The opening handshake of a WebSocket, from the client's side (RFC 6455, section 4.1).
//!
//! Made with a full HTTP client and not by hand, because a server that refuses says why in a body
//! that can come in any of HTTP's ways.

use bytes::Bytes;
use futures::future::join;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper::{
    body::Incoming,
    client::conn::http1,
    upgrade::{OnUpgrade, Upgraded},
};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};

use super::{ConnectError, MAX_REFUSAL, Target};

/// Asks for a WebSocket on a fresh stream.
pub(super) async fn upgrade<S>(
    stream: S,
    target: &Target,
    headers: HeaderMap,
) -> Result<TokioIo<Upgraded>, ConnectError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let key = generate_key();
    let request = request(target, headers, &key)?;
    let requested = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let requested: Vec<_> = requested.iter().cloned().collect();
    let failed = |error: hyper::Error| handshake_error(target, error);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    // The connection is driven from here: no task is left behind when this future is dropped. It
    // ends with the upgrade, or once the answer has been read and `sender` is gone.
    let exchange = async move {
        let response = sender.send_request(request).await.map_err(failed)?;
        judge(response, &key, &requested, target).await
    };
    let (upgrade, driven) = join(exchange, connection.with_upgrades()).await;
    let upgrade = upgrade?;
    driven.map_err(failed)?;
    Ok(TokioIo::new(upgrade.await.map_err(failed)?))
}

fn request(
    target: &Target,
    headers: HeaderMap,
    key: &str,
) -> Result<Request<Empty<Bytes>>, ConnectError> {
    let mut request = Request::get(target.path_and_query.as_str())
        .body(Empty::new())
        .map_err(|e| ConnectError::Url(e.to_string()))?;
    let own = request.headers_mut();
    *own = headers;
    own.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    own.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    own.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    let key = HeaderValue::try_from(key).expect("base64 is a valid header value");
    own.insert(header::SEC_WEBSOCKET_KEY, key);
    Ok(request)
}

/// Accepts the server's answer or says what is wrong with it.
async fn judge(
    mut response: Response<Incoming>,
    key: &str,
    requested: &[HeaderValue],
    target: &Target,
) -> Result<OnUpgrade, ConnectError> {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let status = response.status();
        if status.is_success() {
            return Err(problem(target, "it answered like an ordinary web page"));
        }
        return Err(ConnectError::Refused { status, body: beginning(response).await });
    }
    let headers = response.headers();
    let is = |name, expected: &str| {
        headers.get(name).is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(expected.as_bytes()))
    };
    if !is(header::UPGRADE, "websocket") {
        return Err(problem(target, "it switched to another protocol"));
    }
    let accept = derive_accept_key(key.as_bytes());
    if headers.get(header::SEC_WEBSOCKET_ACCEPT).is_none_or(|v| v != accept.as_str()) {
        return Err(problem(target, "its Sec-WebSocket-Accept does not match the key sent"));
    }
    if headers.contains_key(header::SEC_WEBSOCKET_EXTENSIONS) {
        return Err(problem(target, "it chose an extension that was not offered"));
    }
    let offered = |chosen: &HeaderValue| {
        requested.iter().any(|list| {
            list.as_bytes().split(|&b| b == b',').any(|one| one.trim_ascii() == chosen.as_bytes())
        })
    };
    if headers.get(header::SEC_WEBSOCKET_PROTOCOL).is_some_and(|chosen| !offered(chosen)) {
        return Err(problem(target, "it chose a subprotocol that was not offered"));
    }
    Ok(hyper::upgrade::on(&mut response))
}

/// The beginning of a body, as text. What cannot be read is left out: the status says enough.
pub(super) async fn beginning(response: Response<Incoming>) -> String {
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while bytes.len() < MAX_REFUSAL {
        let Some(Ok(frame)) = body.frame().await else { break };
        if let Some(data) = frame.data_ref() {
            bytes.extend_from_slice(&data[..data.len().min(MAX_REFUSAL - bytes.len())]);
        }
    }
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

fn problem(target: &Target, problem: &str) -> ConnectError {
    ConnectError::Handshake { address: target.address(), problem: problem.to_owned() }
}

fn handshake_error(target: &Target, error: hyper::Error) -> ConnectError {
    if error.is_incomplete_message() {
        return problem(target, "it closed the connection without an answer");
    }
    ConnectError::Handshake { address: target.address(), problem: error.to_string() }
}
