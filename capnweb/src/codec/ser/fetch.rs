//! Headers, requests and responses being written.
//!
//! Most of them is JSON and no expression, and comes here as text. Whatever text that is, what
//! goes out is well-formed and holds no expression but the body: text of unknown origin, such as
//! a map with a private key from somewhere else, cannot smuggle a reference into a message.

use serde::{Serialize, Serializer, ser::Impossible};

use super::{
    Encoder,
    limited::{refuse, transparent},
};
use crate::{
    codec::{error::CodecError, token::Token},
    payload::Cap,
    wire::{
        canonicalise,
        http::{Init, Refusal, is_body, is_hole, read_headers},
        write_string,
    },
};

impl From<Refusal> for CodecError {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.message)
    }
}

/// Writes headers, given their list.
pub(super) fn write_headers(out: &mut String, list: &str) -> Result<(), CodecError> {
    let list = canonicalise(list)?;
    read_headers(&list)?;
    out.push_str("[\"headers\",");
    out.push_str(&list);
    out.push(']');
    Ok(())
}

/// A request or response being written: its texts, then its body.
pub(in crate::codec) struct FetchParts<'a, 'b> {
    encoder: &'b mut Encoder<'a>,
    is_request: bool,
    texts: Vec<String>,
    has_body: Option<bool>,
}

impl<'a, 'b> FetchParts<'a, 'b> {
    pub(super) fn new(encoder: &'b mut Encoder<'a>, token: Token) -> Self {
        Self { encoder, is_request: token == Token::Request, texts: Vec::new(), has_body: None }
    }

    pub(super) fn part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        match self.texts.as_slice() {
            [] => self.text(value),
            [_] if self.is_request => self.text(value),
            [url, init] => self.request(url.clone(), &canonicalise(init)?, value),
            [init] => self.response(&canonicalise(init)?, value),
            _ => Err(malformed()),
        }
    }

    /// What has been written is only whole with a body.
    pub(super) fn end(self) -> Result<(), CodecError> {
        self.has_body.map(drop).ok_or_else(malformed)
    }

    fn text<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        let mut text = String::new();
        value.serialize(TextOnly(&mut text))?;
        self.texts.push(text);
        Ok(())
    }

    fn request<T: Serialize + ?Sized>(
        &mut self,
        url: String,
        init: &str,
        body: &T,
    ) -> Result<(), CodecError> {
        let members = Init::read(init)?;
        if members.get("body").is_some() || members.get("signal").is_some() {
            return Err(malformed());
        }
        self.encoder.out.push_str("[\"request\",");
        write_string(self.encoder.out, &url);
        self.encoder.out.push(',');
        self.encoder.out.push_str(init.strip_suffix('}').unwrap_or(init));
        let before = self.encoder.out.len();
        self.encoder.out.push_str(if init == "{}" { "\"body\":" } else { ",\"body\":" });
        let has_body = self.body(body)?;
        if !has_body {
            self.encoder.out.truncate(before);
        }
        members.check_request(&url, has_body)?;
        self.encoder.out.push_str("}]");
        Ok(())
    }

    fn response<T: Serialize + ?Sized>(&mut self, init: &str, body: &T) -> Result<(), CodecError> {
        let members = Init::read(init)?;
        self.encoder.out.push_str("[\"response\",");
        let has_body = self.body(body)?;
        members.check_response(has_body)?;
        self.encoder.out.push(',');
        self.encoder.out.push_str(init);
        self.encoder.out.push(']');
        Ok(())
    }

    /// Writes a body; returns whether there is one.
    fn body<T: Serialize + ?Sized>(&mut self, body: &T) -> Result<bool, CodecError> {
        if self.has_body.is_some() {
            return Err(malformed());
        }
        let (start, slots) = (self.encoder.out.len(), self.encoder.slots.len());
        self.encoder.depth += 1;
        self.encoder.check_depth()?;
        body.serialize(&mut *self.encoder)?;
        self.encoder.depth -= 1;
        let text = self.encoder.out.get(start..).unwrap_or_default();
        let has_body = text != "null";
        let valid = !has_body || is_body(text) || {
            let streams = self.encoder.slots.get(slots..).unwrap_or_default();
            is_hole(text) && streams.iter().all(|slot| matches!(slot.cap, Cap::Readable(_)))
        };
        self.has_body = Some(has_body);
        if valid { Ok(has_body) } else { Err(malformed()) }
    }
}

fn malformed() -> CodecError {
    CodecError::new("the parts of a request or response are of the wrong kind")
}

/// Takes a text and nothing else.
struct TextOnly<'a>(&'a mut String);

impl Serializer for TextOnly<'_> {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = Impossible<(), CodecError>;
    type SerializeTuple = Impossible<(), CodecError>;
    type SerializeTupleStruct = Impossible<(), CodecError>;
    type SerializeTupleVariant = Impossible<(), CodecError>;
    type SerializeMap = Impossible<(), CodecError>;
    type SerializeStruct = Impossible<(), CodecError>;
    type SerializeStructVariant = Impossible<(), CodecError>;

    fn serialize_str(self, text: &str) -> Result<(), CodecError> {
        self.0.push_str(text);
        Ok(())
    }

    transparent!();

    refuse!("a special value's body is of the wrong kind":
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char bytes none unit unit_variant seq map
        struct variant);
}
