//! What the headers of an upgrade request say, for every kind of server.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use super::Refusal;

/// Whether the request asks for a WebSocket at all.
pub(crate) fn is_upgrade(headers: &HeaderMap) -> bool {
    has_token(headers, header::UPGRADE, "websocket")
}

/// The subprotocol to answer with: ours, where the client offers it.
pub(crate) fn chosen<'a>(
    subprotocol: Option<&'a HeaderValue>,
    headers: &HeaderMap,
) -> Option<&'a HeaderValue> {
    subprotocol.filter(|subprotocol| {
        let token = subprotocol.to_str();
        token.is_ok_and(|token| has_token(headers, header::SEC_WEBSOCKET_PROTOCOL, token))
    })
}

/// # Errors
/// A 405 for a method that no WebSocket starts with.
pub(crate) fn check_method(method: &Method) -> Result<(), Refusal> {
    if method == Method::GET {
        return Ok(());
    }
    Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "a WebSocket starts with a GET")
        .header(header::ALLOW, HeaderValue::from_static("GET")))
}

/// Whether a comma-separated header, in one line or several, lists this token.
pub(crate) fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    headers.get_all(name).iter().any(|value| {
        value
            .as_bytes()
            .split(|&byte| byte == b',')
            .any(|listed| listed.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    })
}
