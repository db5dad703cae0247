//! The opening handshake of a WebSocket, from the server's side (RFC 6455, section 4.2).

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, Response, StatusCode, Version, header, request::Parts};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{
    Refusal, ResponseBody,
    offer::{check_method, chosen, has_token},
};

/// Checks that this is a complete request for a WebSocket.
///
/// # Errors
/// What is wrong with it, as an answer.
pub(super) fn check(parts: &Parts) -> Result<(), Refusal> {
    check_method(&parts.method)?;
    if parts.version != Version::HTTP_11 {
        return Err(Refusal::bad_request("a WebSocket starts with HTTP/1.1"));
    }
    if !has_token(&parts.headers, header::CONNECTION, "upgrade") {
        return Err(Refusal::bad_request("the header `Connection: Upgrade` is missing"));
    }
    if parts.headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        let status = StatusCode::UPGRADE_REQUIRED;
        return Err(Refusal::new(
            status,
            "only version 13 of the WebSocket protocol is spoken here",
        )
        .header(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
        .header(header::UPGRADE, HeaderValue::from_static("websocket")));
    }
    let mut keys = parts.headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    match (keys.next(), keys.next()) {
        (Some(key), None) if STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16) => Ok(()),
        _ => Err(Refusal::bad_request("the header Sec-WebSocket-Key is missing or invalid")),
    }
}

/// The answer that turns the connection into a WebSocket; for requests that passed [`check`].
pub(super) fn switch(
    headers: &HeaderMap,
    subprotocol: Option<&HeaderValue>,
) -> Response<ResponseBody> {
    let key = headers.get(header::SEC_WEBSOCKET_KEY).map_or(&b""[..], HeaderValue::as_bytes);
    let accept = HeaderValue::try_from(derive_accept_key(key)).expect("base64 is a header value");
    let mut response = Response::new(ResponseBody::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let answer = response.headers_mut();
    answer.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    answer.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    answer.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(subprotocol) = chosen(subprotocol, headers) {
        answer.insert(header::SEC_WEBSOCKET_PROTOCOL, subprotocol.clone());
    }
    response
}
