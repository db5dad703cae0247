//! Answers that end a request before there is a session.

use std::{error::Error, fmt};

use http::{HeaderName, HeaderValue, Response, StatusCode, header};

/// An answer to a request that gets no session: a status, and a JSON body `{"error": "..."}`.
///
/// The message is for the client: it should say what to do, and nothing of the server's inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    message: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Refusal {
    /// A refusal with any status of the classes 3xx to 5xx. Others would not refuse anything and
    /// are replaced by 403.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let refuses =
            status.is_redirection() || status.is_client_error() || status.is_server_error();
        let status = if refuses { status } else { StatusCode::FORBIDDEN };
        Self { status, message: message.into(), headers: Vec::new() }
    }

    /// 401: no credentials, or unknown ones. Asks for a bearer token.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
            .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 403: known, and not allowed.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// 503: not now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    /// 400: the request makes no sense here.
    pub(crate) fn bad_request(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Adds a header to the answer, in place of one of the same name.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value));
        self
    }

    /// The answer's status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The text of the answer's `error` member.
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn into_response<B: From<String>>(self) -> Response<B> {
        let body = format!("{{\"error\":{}}}", JsonString(&self.message));
        let mut response = Response::new(B::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.extend(self.headers);
        response
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.message)
    }
}

impl Error for Refusal {}

/// A text as a JSON string.
struct JsonString<'a>(&'a str);

impl fmt::Display for JsonString<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if c < ' ' => write!(f, "\\u{:04x}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_message_is_a_json_string() {
        let message = "a \"quoted\"\n\\ \u{1} ü";
        let json = JsonString(message).to_string();
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), message);
    }

    #[test]
    fn a_refusal_cannot_succeed() {
        assert_eq!(Refusal::new(StatusCode::OK, "").status(), StatusCode::FORBIDDEN);
        assert_eq!(Refusal::new(StatusCode::CONTINUE, "").status(), StatusCode::FORBIDDEN);
        assert_eq!(Refusal::new(StatusCode::FOUND, "").status(), StatusCode::FOUND);
    }
}
