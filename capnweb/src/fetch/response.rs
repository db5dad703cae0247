//! JavaScript's `Response`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use super::{
    Body, Headers, Parts,
    headers::from_read,
    json,
    parts::{Read, Write},
};
use crate::{
    codec::token::{self, Token},
    value::Object,
    wire::http::{self, Init},
};

/// An answer to a request, as JavaScript's `Response` describes it.
///
/// When it is sent it has to be one that JavaScript's constructor takes: the status is from 200 to
/// 599, and 204, 205 and 304 have no body.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Response {
    /// The status.
    pub status: u16,
    /// What the status is called, if anything.
    pub status_text: String,
    /// Its headers.
    pub headers: Headers,
    /// What it carries.
    pub body: Body,
    /// What else its sender has said, by the names that `ResponseInit` has for it: on Cloudflare
    /// Workers `cf` and `encodeBody`. Plain data only.
    pub init: Object,
}

impl Response {
    /// A response of status 200 without headers.
    pub fn new(body: impl Into<Body>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }

    /// A response of this status without headers and body.
    pub fn of_status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    fn init(&self) -> Result<String, String> {
        let has_body = !self.body.is_empty();
        http::check_status(self.status.into(), &self.status_text, has_body)
            .map_err(|refusal| refusal.message)?;
        let mut out = String::from("{");
        if self.status != 200 {
            json::write_name(&mut out, 1, "status");
            out.push_str(itoa::Buffer::new().format(self.status));
        }
        if !self.status_text.is_empty() {
            json::write_name(&mut out, 1, "statusText");
            crate::wire::write_string(&mut out, &self.status_text);
        }
        if !self.headers.is_empty() {
            json::write_name(&mut out, 1, "headers");
            self.headers.write(&mut out);
        }
        json::write_data(&mut out, &self.init, http::is_response_field)?;
        out.push('}');
        Ok(out)
    }
}

impl Default for Response {
    fn default() -> Self {
        Self {
            status: 200,
            status_text: String::new(),
            headers: Headers::new(),
            body: Body::Empty,
            init: Object::new(),
        }
    }
}

impl Parts for Response {
    const TOKEN: Token = Token::Response;
    type Texts = [String; 1];

    fn from_parts<E: de::Error>([text]: [String; 1], body: Body) -> Result<Self, E> {
        let init = Init::read(&text).map_err(E::custom)?;
        let (status, status_text) =
            init.status(!body.is_empty()).map_err(|refusal| E::custom(refusal.message))?;
        Ok(Self {
            status,
            status_text,
            headers: from_read(init.headers().map_err(|refusal| E::custom(refusal.message))?)?,
            body,
            init: json::read_data(&init, http::is_response_field).map_err(E::custom)?,
        })
    }
}

impl Serialize for Response {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let init = self.init().map_err(ser::Error::custom)?;
        let parts = Write { texts: [&init], body: &self.body };
        token::serialize(serializer, Self::TOKEN, &parts)
    }
}

impl<'de> Deserialize<'de> for Response {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        token::deserialize::<_, Read<Self>>(deserializer, Self::TOKEN).map(|read| read.0)
    }
}
