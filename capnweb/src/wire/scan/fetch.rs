//! Scanning HTTP types and blobs.
//!
//! What is no expression in them, such as headers and most of an `init`, stays the JSON that it
//! is; it is checked here, so that whoever decodes it later finds nothing wrong with it.

use super::{Id, RefKind, Scan, Scanner, Stop, is_space, protocol};
use crate::wire::http::{Init, Refusal, is_body, nesting, read_headers};

impl Scanner<'_> {
    /// `headers`, behind the tag.
    pub(super) fn headers(&mut self, start: usize) -> Scan<()> {
        if !self.comma() || self.peek() != Some(b'[') {
            return self.unknown(start);
        }
        let from = self.lex.pos();
        self.skip_unseen()?;
        let list = self.lex.since(from);
        self.end_or_unknown(start)?;
        read_headers(list).map(drop).map_err(refused)
    }

    /// `request`, behind the tag.
    pub(super) fn request(&mut self, start: usize, depth: usize) -> Scan<()> {
        let Some(url) = self.comma_string()? else { return self.unknown(start) };
        let from = self.init(start)?;
        let end = self.lex;
        let init = Init::read(end.since(from))?;
        let mut has_body = false;
        if let Some(body) = init.position("body") {
            self.lex = end.back_to(from + body);
            has_body = self.body(depth, "Request")?;
        }
        if let Some(signal) = init.position("signal").filter(|_| init.is_truthy("signal")) {
            self.lex = end.back_to(from + signal);
            self.value(depth + 1)?;
            return Err(Stop::Abort(protocol(
                "TypeError",
                "Request siganl must be of type AbortSignal.",
            )));
        }
        init.check_request(&url, has_body).map_err(refused)?;
        self.lex = end;
        self.end_or_unknown(start)
    }

    /// `response`, behind the tag.
    pub(super) fn response(&mut self, start: usize, depth: usize) -> Scan<()> {
        if !self.comma() {
            return self.unknown(start);
        }
        // JavaScript counts the elements before it looks at any of them.
        let body = self.lex;
        self.lex.skip_value()?;
        self.init(start)?;
        self.lex = body;
        let has_body = self.body(depth, "Response")?;
        self.comma();
        let from = self.lex.pos();
        self.lex.skip_value()?;
        Init::read(self.lex.since(from))?.check_response(has_body).map_err(refused)?;
        self.end_or_unknown(start)
    }

    /// `blob`, behind the tag.
    pub(super) fn blob(&mut self, start: usize, depth: usize) -> Scan<()> {
        let Some(content_type) = self.comma_string()? else { return self.unknown(start) };
        if !self.comma() {
            return self.unknown(start);
        }
        let content = self.lex;
        self.lex.skip_value()?;
        self.end_or_unknown(start)?;
        let end = std::mem::replace(&mut self.lex, content);
        let Some(id) = self.readable_id()? else {
            self.lex = content;
            self.value(depth + 1)?;
            return Err(Stop::Abort(protocol(
                "TypeError",
                "Blob content must be serialized as a ReadableStream.",
            )));
        };
        self.check_depth(depth + 1)?;
        self.lex = end;
        self.hole(start, RefKind::Blob { content_type: content_type.into(), id });
        Ok(())
    }

    /// Steps over the last element of an array, which must be an object; returns where it begins.
    fn init(&mut self, start: usize) -> Scan<usize> {
        if !self.comma() || self.peek() != Some(b'{') {
            return self.unknown(start);
        }
        let from = self.lex.pos();
        self.skip_unseen()?;
        if self.peek() != Some(b']') {
            return self.unknown(start);
        }
        // It is data for the application, which need not be ready for any depth.
        self.check_depth(nesting(self.lex.since(from)))?;
        Ok(from)
    }

    /// A body; returns whether there is one.
    fn body(&mut self, depth: usize, of: &str) -> Scan<bool> {
        let start = self.lex.pos();
        self.value(depth + 1)?;
        match self.lex.since(start) {
            "null" => return Ok(false),
            body if is_body(body) => return Ok(true),
            _ => {}
        }
        Err(Stop::Abort(protocol(
            "TypeError",
            format_args!("{of} body must be of type ReadableStream."),
        )))
    }

    /// The id of a readable, if that is what comes next.
    fn readable_id(&mut self) -> Scan<Option<Id>> {
        if self.peek().is_some_and(is_space) {
            return Err(Stop::Unusual);
        }
        if !self.lex.eat_text("[\"") {
            return Ok(None);
        }
        self.lex = self.lex.back_to(self.lex.pos() - 1);
        if self.lex.string()? != "readable" {
            return Ok(None);
        }
        let id = self.comma_number()?;
        if id.is_some() {
            self.rest_of_array()?;
        }
        Ok(id)
    }
}

fn refused(Refusal { name, message }: Refusal) -> Stop {
    Stop::Abort(protocol(name, message))
}
