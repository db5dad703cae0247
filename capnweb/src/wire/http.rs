//! What the constructors of JavaScript's HTTP types take and what they refuse.
//!
//! Owns the rules for names and values of headers, methods, states and the members of an `init`;
//! knows these only as JSON, which they are on the wire. Both directions go through here: what is
//! received must not surprise an application, and what is sent must not end the peer's session.

use std::{borrow::Cow, fmt};

use super::lex::{Cursor, LexError};
use crate::value::BytesKind;

/// Why something is refused: the name of the JavaScript error and its message.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) name: &'static str,
    pub(crate) message: String,
}

impl Refusal {
    fn new(message: impl fmt::Display) -> Self {
        Self { name: "TypeError", message: message.to_string() }
    }

    fn range(message: impl fmt::Display) -> Self {
        Self { name: "RangeError", message: message.to_string() }
    }
}

impl From<LexError> for Refusal {
    fn from(error: LexError) -> Self {
        Self::new(format_args!("malformed text: {error}"))
    }
}

/// Names and values of headers.
pub(crate) type Pairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// Members that stand for something else than plain data, and have fields of their own.
const REQUEST_FIELDS: [&str; 5] = ["method", "headers", "body", "duplex", "signal"];
const RESPONSE_FIELDS: [&str; 5] = ["status", "statusText", "headers", "body", "webSocket"];

/// Whether `init` of a request says this in a field that is not plain data.
pub(crate) fn is_request_field(name: &str) -> bool {
    REQUEST_FIELDS.contains(&name)
}

/// Whether `init` of a response says this in a field that is not plain data.
pub(crate) fn is_response_field(name: &str) -> bool {
    RESPONSE_FIELDS.contains(&name)
}

/// Whether this can be a header's name, in whatever case.
pub(crate) fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(is_token_byte)
}

/// The value less the white space around it, if it can be a header's.
pub(crate) fn header_value(value: &str) -> Option<&str> {
    let value = value.trim_matches(['\t', '\n', '\r', ' ']);
    // Values are byte strings, whose bytes JavaScript shows as these characters.
    let valid = |c: char| !matches!(c, '\0' | '\n' | '\r') && u32::from(c) <= 0xff;
    value.chars().all(valid).then_some(value)
}

/// The method as the constructor of `Request` writes it.
///
/// # Errors
/// If it is none, or one that cannot be used.
pub(crate) fn method(method: &str) -> Result<Cow<'_, str>, Refusal> {
    const UPPER: [&str; 6] = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];
    const FORBIDDEN: [&str; 3] = ["CONNECT", "TRACE", "TRACK"];
    if !is_header_name(method) {
        return Err(Refusal::new(format_args!("'{method}' is not a valid HTTP method.")));
    }
    if FORBIDDEN.iter().any(|forbidden| forbidden.eq_ignore_ascii_case(method)) {
        return Err(Refusal::new(format_args!("'{method}' HTTP method is unsupported.")));
    }
    let upper = UPPER.into_iter().find(|upper| upper.eq_ignore_ascii_case(method));
    Ok(upper.map_or(Cow::Borrowed(method), Cow::Borrowed))
}

/// The URL of a request.
///
/// # Errors
/// If it is none, or tells a user or a password.
pub(crate) fn request_url(text: &str) -> Result<url::Url, Refusal> {
    let url = url::Url::parse(text)
        .map_err(|_| Refusal::new(format_args!("Failed to parse URL from {text}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::new(
            "Request cannot be constructed from a URL that includes credentials.",
        ));
    }
    Ok(url)
}

/// Whether a request with this method, as [`method`] gives it, can have a body.
pub(crate) fn may_have_body(method: &str) -> bool {
    !matches!(method, "GET" | "HEAD")
}

/// Checks what a response says of itself.
///
/// # Errors
/// If the constructor of `Response` refuses it.
pub(crate) fn check_status(status: f64, text: &str, has_body: bool) -> Result<u16, Refusal> {
    let status = status.trunc();
    if !(200.0..=599.0).contains(&status) {
        return Err(Refusal::range(
            "init[\"status\"] must be in the range of 200 to 599, inclusive.",
        ));
    }
    // Within the range.
    let status = status as u16;
    let valid = |c: char| matches!(c, '\t' | ' '..='~' | '\u{80}'..='\u{ff}');
    if !text.chars().all(valid) {
        return Err(Refusal::new("Invalid statusText"));
    }
    if has_body && matches!(status, 204 | 205 | 304) {
        return Err(Refusal::new(format_args!(
            "Response constructor: Invalid response status code {status}"
        )));
    }
    Ok(status)
}

/// Reads a list of headers, which is JSON without white space: names and values as they stand.
///
/// # Errors
/// If it is none, or a name or value is none.
pub(crate) fn read_headers(list: &str) -> Result<Pairs<'_>, Refusal> {
    let no_pair = || Refusal::new("Headers: expected a list of pairs of a name and a value.");
    let mut lex = Cursor::new(list);
    let mut headers = Vec::new();
    if !lex.eat(b'[') {
        return Err(no_pair());
    }
    while !lex.eat(b']') {
        if !headers.is_empty() {
            lex.expect(b',')?;
        }
        if !lex.eat_text("[\"") {
            return Err(no_pair());
        }
        lex = lex.back_to(lex.pos() - 1);
        let name = lex.string()?;
        if !lex.eat_text(",\"") {
            return Err(no_pair());
        }
        lex = lex.back_to(lex.pos() - 1);
        let value = lex.string()?;
        if !lex.eat(b']') {
            return Err(no_pair());
        }
        if !is_header_name(&name) {
            return Err(Refusal::new(format_args!(
                "Headers.append: {name:?} is an invalid header name."
            )));
        }
        if header_value(&value).is_none() {
            return Err(Refusal::new(format_args!(
                "Headers.append: {value:?} is an invalid header value."
            )));
        }
        headers.push((name, value));
    }
    if lex.is_at_end() { Ok(headers) } else { Err(no_pair()) }
}

/// Whether this expression, which is well-formed, can be a body, be it as it is received or with a
/// capability in it.
pub(crate) fn is_body(expression: &str) -> bool {
    let mut lex = Cursor::new(expression);
    if lex.peek() == Some(b'"') {
        return true;
    }
    if !lex.eat_text("[\"") {
        return false;
    }
    let Ok(tag) = lex.back_to(1).string() else { return false };
    match &*tag {
        "readable" => true,
        // Without a marker the bytes are an array of the plainest kind, which bodies are.
        "bytes" => match Elements::of(expression).nth(2) {
            None => true,
            Some(marker) => string(marker).is_ok_and(|m| m == BytesKind::Uint8Array.name()),
        },
        _ => false,
    }
}

/// Whether all of this is the place of a capability.
pub(crate) fn is_hole(expression: &str) -> bool {
    expression.starts_with("[\"#\",") && Elements::of(expression).count() == 2
}

/// The elements of an array that is JSON without white space, each as its text.
struct Elements<'a>(Cursor<'a>);

impl<'a> Elements<'a> {
    fn of(array: &'a str) -> Self {
        Self(Cursor::new(array))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if !self.0.eat(b'[') && !self.0.eat(b',') {
            return None;
        }
        let start = self.0.pos();
        self.0.skip_value().ok()?;
        Some(self.0.since(start))
    }
}

/// The members of an `init`, each as its text.
#[derive(Debug, Default)]
pub(crate) struct Init<'a>(Vec<Member<'a>>);

#[derive(Debug)]
struct Member<'a> {
    name: Cow<'a, str>,
    text: &'a str,
    /// Where the text begins in that of the whole.
    at: usize,
}

impl<'a> Init<'a> {
    /// Takes an object apart, which is JSON without white space and duplicate keys.
    ///
    /// # Errors
    /// If it is none.
    pub(crate) fn read(text: &'a str) -> Result<Self, LexError> {
        let mut lex = Cursor::new(text);
        let mut members = Vec::new();
        lex.expect(b'{')?;
        while !lex.eat(b'}') {
            if !members.is_empty() {
                lex.expect(b',')?;
            }
            let name = lex.string()?;
            lex.expect(b':')?;
            let start = lex.pos();
            lex.skip_value()?;
            members.push(Member { name, text: lex.since(start), at: start });
        }
        if lex.is_at_end() { Ok(Self(members)) } else { Err(lex.error("expected the end")) }
    }

    /// The members in order.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0.iter().map(|member| (member.name.as_ref(), member.text))
    }

    /// Where the text of this member begins.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().find_map(|member| (member.name == name).then_some(member.at))
    }

    /// The text of this member.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.members().find_map(|(member, text)| (member == name).then_some(text))
    }

    /// What JavaScript takes for true in a condition.
    pub(crate) fn is_truthy(&self, name: &str) -> bool {
        self.get(name).is_some_and(|text| match text {
            "null" | "false" | "\"\"" => false,
            _ => text.parse::<f64>() != Ok(0.0),
        })
    }

    /// The headers, if any are given.
    ///
    /// # Errors
    /// If they are no list, or as [`read_headers`].
    pub(crate) fn headers(&self) -> Result<Pairs<'a>, Refusal> {
        match self.get("headers") {
            None => Ok(Vec::new()),
            Some(list) if list.starts_with('[') => read_headers(list),
            Some(_) => {
                Err(Refusal::new("Request headers must be serialized as an array of pairs."))
            }
        }
    }

    /// The method.
    ///
    /// # Errors
    /// As [`method`].
    pub(crate) fn method(&self) -> Result<String, Refusal> {
        match self.get("method") {
            None => Ok("GET".to_owned()),
            Some(text) => Ok(method(&string(text)?)?.into_owned()),
        }
    }

    /// Checks a request, whose body is looked at by others.
    ///
    /// # Errors
    /// If the constructor of `Request` refuses it.
    pub(crate) fn check_request(&self, url: &str, has_body: bool) -> Result<(), Refusal> {
        self.headers()?;
        request_url(url)?;
        if has_body && !may_have_body(&self.method()?) {
            return Err(Refusal::new("Request with GET/HEAD method cannot have body."));
        }
        self.method().map(drop)
    }

    /// The status and its text.
    ///
    /// # Errors
    /// As [`check_status`].
    pub(crate) fn status(&self, has_body: bool) -> Result<(u16, String), Refusal> {
        let status = match self.get("status") {
            None => 200.0,
            Some(text) => text.parse().unwrap_or(f64::NAN),
        };
        let text = match self.get("statusText") {
            None => String::new(),
            Some(text) => string(text)?,
        };
        Ok((check_status(status, &text, has_body)?, text))
    }

    /// Checks a response, whose body is looked at by others.
    ///
    /// # Errors
    /// If the constructor of `Response` refuses it.
    pub(crate) fn check_response(&self, has_body: bool) -> Result<(), Refusal> {
        if self.is_truthy("webSocket") {
            return Err(Refusal::new("Can't deserialize a Response containing a webSocket."));
        }
        self.headers()?;
        self.status(has_body).map(drop)
    }
}

/// How many arrays and objects stand around the innermost value of a JSON text.
pub(crate) fn nesting(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_string) = (0_usize, 0, false);
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => drop(bytes.next()),
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn string(text: &str) -> Result<String, Refusal> {
    if !text.starts_with('"') {
        return Err(Refusal::new("Expected a string in the init of a request or response."));
    }
    Ok(Cursor::new(text).string()?.into_owned())
}

/// What may stand in methods and the names of headers.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
