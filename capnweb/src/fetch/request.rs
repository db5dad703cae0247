//! JavaScript's `Request`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use url::Url;

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

/// A request for something, as JavaScript's `Request` describes it.
///
/// When it is sent it has to be one that JavaScript's constructor takes: `GET` and `HEAD` have no
/// body, `CONNECT`, `TRACE` and `TRACK` are refused, and so is a URL with a password in it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Request {
    /// The method. JavaScript writes the well-known ones in upper case.
    pub method: String,
    /// Where it goes.
    pub url: Url,
    /// Its headers.
    pub headers: Headers,
    /// What it carries.
    pub body: Body,
    /// What else its sender has asked for, by the names that `RequestInit` has for it, where it
    /// is not the default: `cache`, `credentials`, `integrity`, `keepalive`, `mode`, `redirect`,
    /// `referrer`, `referrerPolicy`; on Cloudflare Workers also `cf` and `encodeResponseBody`.
    /// Plain data only.
    pub init: Object,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: impl Into<String>, url: Url) -> Self {
        Self {
            method: method.into(),
            url,
            headers: Headers::new(),
            body: Body::Empty,
            init: Object::new(),
        }
    }

    /// What the wire calls `init`, but for the body.
    fn init(&self) -> Result<String, String> {
        let method = http::method(&self.method).map_err(|refusal| refusal.message)?;
        let mut out = String::from("{");
        if method != "GET" {
            json::write_name(&mut out, 1, "method");
            crate::wire::write_string(&mut out, &method);
        }
        if !self.headers.is_empty() {
            json::write_name(&mut out, 1, "headers");
            self.headers.write(&mut out);
        }
        if matches!(self.body, Body::Stream(_)) {
            // The standard wants it said, and Node insists.
            json::write_name(&mut out, 1, "duplex");
            out.push_str("\"half\"");
        }
        json::write_data(&mut out, &self.init, http::is_request_field)?;
        out.push('}');
        Ok(out)
    }
}

impl Parts for Request {
    const TOKEN: Token = Token::Request;
    type Texts = [String; 2];

    fn from_parts<E: de::Error>([url, text]: [String; 2], body: Body) -> Result<Self, E> {
        let init = Init::read(&text).map_err(E::custom)?;
        Ok(Self {
            method: init.method().map_err(|refusal| E::custom(refusal.message))?,
            url: http::request_url(&url).map_err(|refusal| E::custom(refusal.message))?,
            headers: from_read(init.headers().map_err(|refusal| E::custom(refusal.message))?)?,
            body,
            init: json::read_data(&init, http::is_request_field).map_err(E::custom)?,
        })
    }
}

impl Serialize for Request {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let init = self.init().map_err(ser::Error::custom)?;
        let parts = Write { texts: [self.url.as_str(), &init], body: &self.body };
        token::serialize(serializer, Self::TOKEN, &parts)
    }
}

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        token::deserialize::<_, Read<Self>>(deserializer, Self::TOKEN).map(|read| read.0)
    }
}
