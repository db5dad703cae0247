//! Reading a message: one pass over its text that finds everything that would end the session and
//! every reference to a table.
//!
//! Owns the grammar of messages and expressions. Performs nothing: a scan only says which table
//! entries an expression refers to and in which order ([`Ref`]); the session does the rest. The
//! text that comes out keeps the invariants of [`Payload`](crate::payload::Payload).
//!
//! The usual message is compact JSON as `JSON.stringify` writes it, and is scanned without being
//! copied. Where something has to be normalised (a reference becomes a hole, a lone surrogate
//! U+FFFD, a number beyond all doubles an infinity), only that is rewritten. White space and
//! duplicate keys are so rare that the text is canonicalised first and scanned again.

mod fetch;

use std::{borrow::Cow, collections::HashSet};

use bytestring::ByteString;

use super::{
    canonical::{canonicalise, quote},
    lex::{Cursor, LexError},
    limits::{Limits, MAX_DEPTH},
    text::{PRIVATE_PREFIX, is_forbidden_key, write_hole, write_string},
};
use crate::{
    error::{Error, ErrorKind},
    path::{Key, Path},
    value::{BigInt, BytesKind},
};

/// A message of the peer.
#[derive(Debug)]
pub(crate) enum Message {
    Push(Expr),
    Stream(Expr),
    Pipe,
    Pull(Id),
    Resolve(Id, Expr),
    /// With an expression that is only evaluated if the import is known.
    Reject(Id, ByteString),
    Release(Id, f64),
    Abort(Expr),
}

/// An expression: normalised text with a hole for every reference that a value was made of.
#[derive(Debug, Default)]
pub(crate) struct Expr {
    pub(crate) text: ByteString,
    /// In the order in which they must be carried out.
    pub(crate) refs: Vec<Ref>,
}

impl Expr {
    /// Whether all of it is an `import`. In a push that is as good as `pipeline`: what is pushed
    /// is always a promise.
    pub(crate) fn is_import(&self) -> bool {
        matches!(
            self.refs.as_slice(),
            [Ref {
                at: Some(0),
                kind: RefKind::Own { promise: false, .. } | RefKind::Call { promise: false, .. },
            }]
        )
    }
}

/// A reference to a table.
#[derive(Debug)]
pub(crate) struct Ref {
    /// Where the hole is in the text. `None` where the value is dropped after evaluation.
    pub(crate) at: Option<u32>,
    pub(crate) kind: RefKind,
}

#[derive(Debug)]
pub(crate) enum RefKind {
    /// `["export", id]`: a capability that the peer introduces.
    Export(Id),
    /// `["promise", id]`: the same, to be replaced by what it resolves to.
    Promise(Id),
    /// `["readable", id]`: the readable end of a pipe that the peer has opened.
    Readable(Id),
    /// `["writable", id]`: a stream that the peer introduces for this side to write.
    Writable(Id),
    /// `["blob", type, ["readable", id]]`: what comes through the pipe, when all of it has come.
    Blob { content_type: String, id: Id },
    /// `["import", id, path?]` and `["pipeline", id, path?]`: one of ours, or a property of it.
    Own { id: Id, path: Option<Path>, promise: bool },
    /// The same with arguments: a call.
    Call { id: Id, path: Path, args: Expr, promise: bool },
    /// `["remap", id, path, captures, instructions]`.
    Map { id: Id, path: Path, captures: Vec<Capture>, instructions: ByteString },
}

/// What a mapper brings along.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Capture {
    /// One of ours.
    Import(Id),
    /// One that the peer introduces.
    Export(Id),
}

/// A table index as the peer wrote it. JavaScript would look any number up, so one that is no
/// integer is simply never found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Id(pub(crate) f64);

impl Id {
    /// The index, if it can be one at all.
    pub(crate) fn get(self) -> Option<i64> {
        let id = self.0 as i64;
        (id as f64 == self.0 && self.0.abs() < 9_007_199_254_740_992.0).then_some(id)
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads a message.
///
/// # Errors
/// What the session has to be aborted with.
pub(crate) fn message(text: &ByteString, limits: &Limits) -> Result<Message, Error> {
    // Never more UTF-16 units than bytes, so the count is needed for huge messages only.
    if text.len() > limits.max_message_size && text.encode_utf16().count() > limits.max_message_size
    {
        return Err(Error::of_kind(
            ErrorKind::Protocol,
            "TypeError",
            format_args!(
                "Incoming message exceeds maximum size of {} UTF-16 code units.",
                limits.max_message_size
            ),
        ));
    }
    match Scanner::new(text, limits, false).message() {
        Ok(message) => Ok(message),
        Err(Stop::Abort(error)) => {
            // JavaScript parses the whole text before it looks at any of it.
            canonicalise(text).map_err(syntax)?;
            Err(error)
        }
        Err(Stop::Syntax(error)) => Err(syntax(error)),
        Err(Stop::Unusual) => {
            let compact = ByteString::from(canonicalise(text).map_err(syntax)?);
            Scanner::new(&compact, limits, true).message().map_err(|stop| stop.into_error(&compact))
        }
    }
}

/// Reads an expression that a message left unread.
///
/// # Errors
/// What the session has to be aborted with.
pub(crate) fn expression(text: &ByteString, limits: &Limits) -> Result<Expr, Error> {
    let scan = |text: &ByteString, canonical| Scanner::new(text, limits, canonical).expression();
    match scan(text, false) {
        Err(Stop::Unusual) => {
            let compact = ByteString::from(canonicalise(text).map_err(syntax)?);
            scan(&compact, true).map_err(|stop| stop.into_error(&compact))
        }
        scanned => scanned.map_err(|stop| stop.into_error(text)),
    }
}

fn syntax(error: LexError) -> Error {
    Error::of_kind(ErrorKind::Protocol, "SyntaxError", format_args!("bad JSON in message: {error}"))
}

fn bad_message(text: &str) -> Error {
    protocol("Error", format_args!("bad RPC message: {text}"))
}

fn protocol(name: &str, message: impl std::fmt::Display) -> Error {
    Error::of_kind(ErrorKind::Protocol, name, message)
}

/// Why a scan stopped.
enum Stop {
    Abort(Error),
    Syntax(LexError),
    /// White space or a duplicate key: canonicalise and scan again.
    Unusual,
}

impl Stop {
    /// For text that has been canonicalised, or was shown not to need it.
    fn into_error(self, text: &str) -> Error {
        match self {
            Stop::Abort(error) => error,
            Stop::Syntax(error) => syntax(error),
            Stop::Unusual => bad_message(text),
        }
    }
}

impl From<LexError> for Stop {
    fn from(error: LexError) -> Self {
        Stop::Syntax(error)
    }
}

type Scan<T> = Result<T, Stop>;

struct Scanner<'a> {
    source: &'a ByteString,
    lex: Cursor<'a>,
    limits: &'a Limits,
    max_depth: usize,
    out: Out<'a>,
    refs: Vec<Ref>,
    /// How many of them have a hole.
    holes: usize,
    /// Hashes of the keys of the objects around the current position.
    keys: Vec<u64>,
    /// Set while scanning what will be evaluated but not kept.
    dropping: bool,
    /// The text is known to have no duplicate keys.
    canonical: bool,
}

impl<'a> Scanner<'a> {
    fn new(source: &'a ByteString, limits: &'a Limits, canonical: bool) -> Self {
        Self {
            source,
            lex: Cursor::new(source),
            limits,
            max_depth: limits.max_depth.min(MAX_DEPTH),
            out: Out::new(source),
            refs: Vec::new(),
            holes: 0,
            keys: Vec::new(),
            dropping: false,
            canonical,
        }
    }

    fn message(&mut self) -> Scan<Message> {
        let message = self.open_message();
        match message {
            Ok(Some(message)) => {
                self.rest_of_array()?;
                if self.peek().is_some() {
                    return Err(Stop::Unusual);
                }
                Ok(message)
            }
            // Shaped in a way that no message is. Only valid JSON is worth quoting.
            Ok(None) => Err(match quote(self.source) {
                Ok(text) => Stop::Abort(bad_message(&text)),
                Err(error) => Stop::Syntax(error),
            }),
            Err(stop) => Err(stop),
        }
    }

    /// Reads a message up to what is behind its last meaningful element; `None` if it is none.
    fn open_message(&mut self) -> Scan<Option<Message>> {
        if self.peek() != Some(b'[') {
            if self.peek().is_none_or(is_space) {
                return Err(Stop::Unusual);
            }
            return Ok(None);
        }
        self.lex.step(1);
        if self.peek() != Some(b'"') {
            return if self.peek().is_some_and(is_space) { Err(Stop::Unusual) } else { Ok(None) };
        }
        let kind = self.lex.string()?;
        Ok(match &*kind {
            "push" => {
                if !self.comma() {
                    return Ok(None);
                }
                Some(Message::Push(self.expression()?))
            }
            "stream" => {
                if !self.comma() {
                    return Ok(None);
                }
                Some(Message::Stream(self.expression()?))
            }
            "pipe" => Some(Message::Pipe),
            "pull" => self.comma_number()?.map(Message::Pull),
            "release" => match self.comma_number()? {
                None => None,
                Some(id) => self.comma_number()?.map(|count| Message::Release(id, count.0)),
            },
            "resolve" => match self.comma_number()? {
                Some(id) if self.comma() => Some(Message::Resolve(id, self.expression()?)),
                _ => None,
            },
            "reject" => match self.comma_number()? {
                Some(id) if self.comma() => {
                    let start = self.lex.pos();
                    self.skip_unseen()?;
                    let expr = self.source.slice_ref(self.lex.since(start));
                    Some(Message::Reject(id, expr))
                }
                _ => None,
            },
            // A missing reason is `undefined`.
            "abort" => Some(Message::Abort(if self.comma() {
                self.expression()?
            } else {
                Expr { text: ByteString::from_static("[\"undefined\"]"), refs: Vec::new() }
            })),
            _ => None,
        })
    }

    /// A whole expression of a message, with depth counted from 0.
    fn expression(&mut self) -> Scan<Expr> {
        self.out.start_at(self.lex.pos());
        self.value(0)?;
        let text = self.out.finish(self.source, self.lex.pos());
        Ok(Expr { text, refs: std::mem::take(&mut self.refs) })
    }

    /// Whether there may be a value at this depth.
    fn check_depth(&self, depth: usize) -> Scan<()> {
        if depth < self.max_depth {
            return Ok(());
        }
        Err(Stop::Abort(protocol(
            "TypeError",
            format_args!(
                "Deserialization exceeded maximum allowed message depth of {}.",
                self.max_depth
            ),
        )))
    }

    fn value(&mut self, depth: usize) -> Scan<()> {
        self.check_depth(depth)?;
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'[') => self.array(depth),
            Some(b'{') => self.object(depth, Members::All),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(byte) if is_space(byte) => Err(Stop::Unusual),
            _ => self.literal(),
        }
    }

    fn string(&mut self) -> Scan<()> {
        let start = self.lex.pos();
        if self.lex.skip_string()?.lone_surrogate {
            self.rewrite_string(start)?;
        }
        Ok(())
    }

    /// Writes the string at `start` anew, without the lone surrogates that it holds.
    #[cold]
    fn rewrite_string(&mut self, start: usize) -> Scan<()> {
        let end = self.lex.pos();
        let text = Cursor::new(&self.source[start..end]).string()?.into_owned();
        let mut quoted = String::with_capacity(text.len() + 2);
        write_string(&mut quoted, &text);
        self.out.replace(start, end, &quoted);
        Ok(())
    }

    fn number(&mut self) -> Scan<()> {
        let start = self.lex.pos();
        self.lex.number().map(drop)?;
        let end = self.lex.pos();
        // Overflowing takes an exponent or more than 300 digits.
        let text = &self.source[start..end];
        if text.len() > 300 || text.bytes().any(|b| b | 0x20 == b'e') {
            let number: f64 = text.parse().unwrap_or(f64::INFINITY);
            if number.is_infinite() {
                self.out.replace(start, end, if number > 0.0 { "[\"inf\"]" } else { "[\"-inf\"]" });
            }
        }
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Scan<()> {
        let start = self.lex.pos();
        self.lex.step(1);
        match self.peek() {
            Some(b'[') => {
                self.lex.step(1);
                self.elements(depth)?;
                if self.peek() != Some(b']') {
                    return self.unknown(start);
                }
                self.lex.step(1);
                Ok(())
            }
            Some(b'"') => self.special(start, depth),
            _ => self.unknown(start),
        }
    }

    /// The elements of an array that has been opened, and its end.
    fn elements(&mut self, depth: usize) -> Scan<()> {
        if self.peek() == Some(b']') {
            self.lex.step(1);
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            match self.peek() {
                Some(b',') => self.lex.step(1),
                Some(b']') => {
                    self.lex.step(1);
                    return Ok(());
                }
                _ => return self.unexpected(),
            }
        }
    }

    /// The members of an object, those with forbidden keys evaluated but dropped.
    fn object(&mut self, depth: usize, members: Members) -> Scan<()> {
        self.lex.step(1);
        if self.peek() == Some(b'}') {
            self.lex.step(1);
            return Ok(());
        }
        let outer_keys = self.keys.len();
        let mut many = None;
        let mut kept = 0usize;
        // Where the text that the last kept member belongs to ends.
        let mut tail = self.lex.pos();
        loop {
            let key_start = self.lex.pos();
            if self.peek() != Some(b'"') {
                return self.unexpected();
            }
            let lone = self.lex.skip_string()?.lone_surrogate;
            let key_end = self.lex.pos();
            let raw = &self.source[key_start + 1..key_end - 1];
            self.remember_key(raw, outer_keys, &mut many)?;
            if self.peek() != Some(b':') {
                return self.unexpected();
            }
            self.lex.step(1);
            match members.fate(raw) {
                Fate::Keep => {
                    if kept == 0 && tail != key_start {
                        // A dropped member before this one left its comma behind.
                        self.out.replace(tail, key_start, "");
                    }
                    if lone {
                        self.rewrite_key(key_start, key_end)?;
                    }
                    self.value(depth + 1)?;
                    kept += 1;
                    tail = self.lex.pos();
                }
                Fate::Drop => {
                    let mark = self.out.mark(tail);
                    let outer = std::mem::replace(&mut self.dropping, true);
                    let from = self.refs.len();
                    self.value(depth + 1)?;
                    self.dropping = outer;
                    for dropped in &mut self.refs[from..] {
                        dropped.at = None;
                    }
                    self.out.rewind(mark, self.lex.pos());
                    if kept == 0 {
                        tail = self.lex.pos();
                    }
                }
                Fate::Skip => {
                    let mark = self.out.mark(tail);
                    self.skip_unseen()?;
                    self.out.rewind(mark, self.lex.pos());
                    if kept == 0 {
                        tail = self.lex.pos();
                    }
                }
            }
            match self.peek() {
                Some(b',') => self.lex.step(1),
                Some(b'}') => {
                    self.lex.step(1);
                    self.keys.truncate(outer_keys);
                    return Ok(());
                }
                _ => return self.unexpected(),
            }
        }
    }

    #[cold]
    fn rewrite_key(&mut self, start: usize, end: usize) -> Scan<()> {
        let text = Cursor::new(&self.source[start..end]).string()?.into_owned();
        let mut quoted = String::new();
        write_string(&mut quoted, &text);
        self.out.replace(start, end, &quoted);
        Ok(())
    }

    /// Stops the scan if this key may already stand in the object.
    ///
    /// JavaScript lets the last of several equal keys win, before anything is evaluated. Equal
    /// hashes are taken for equal keys here, and all keys with escapes for equal: the canonical
    /// text settles it.
    fn remember_key(
        &mut self,
        raw: &str,
        outer_keys: usize,
        many: &mut Option<HashSet<u64>>,
    ) -> Scan<()> {
        if self.canonical {
            return Ok(());
        }
        let hash = key_hash(raw.as_bytes());
        let object = &self.keys[outer_keys..];
        // Comparing all pairs is quickest for the usual object, and quadratic for a huge one.
        let seen = match many {
            Some(many) => !many.insert(hash),
            None if object.len() < 32 => object.contains(&hash),
            None => !many.insert(object.iter().copied().collect()).insert(hash),
        };
        if seen {
            return Err(Stop::Unusual);
        }
        if many.is_none() {
            self.keys.push(hash);
        }
        Ok(())
    }

    /// An array that begins with a string: a tag and what belongs to it. `start` is the `[`.
    fn special(&mut self, start: usize, depth: usize) -> Scan<()> {
        let tag = self.lex.string()?;
        match &*tag {
            "undefined" => self.end_or_unknown(start),
            "inf" | "-inf" | "nan" => self.rest_of_array(),
            "bigint" => self.bigint(start),
            "date" => {
                if !self.comma() {
                    return self.unknown(start);
                }
                match self.peek() {
                    Some(b'n') => self.literal()?,
                    Some(b'-' | b'0'..=b'9') => self.lex.number().map(drop)?,
                    _ => return self.unknown(start),
                }
                self.rest_of_array()
            }
            "bytes" => self.bytes(start),
            "error" => self.error(start, depth),
            "url" => {
                let Some(text) = self.comma_string()? else { return self.unknown(start) };
                if url::Url::parse(&text).is_err() {
                    return Err(Stop::Abort(protocol("TypeError", "Invalid URL")));
                }
                self.end_or_unknown(start)
            }
            "export" | "promise" | "readable" | "writable" => {
                let Some(id) = self.comma_number()? else { return self.unknown(start) };
                let kind = match &*tag {
                    "export" => RefKind::Export(id),
                    "promise" => RefKind::Promise(id),
                    "readable" => RefKind::Readable(id),
                    _ => RefKind::Writable(id),
                };
                self.rest_of_array()?;
                self.hole(start, kind);
                Ok(())
            }
            "import" | "pipeline" => self.own(start, depth, tag == "pipeline"),
            "remap" => self.map(start),
            "headers" => self.headers(start),
            "request" => self.request(start, depth),
            "response" => self.response(start, depth),
            "blob" => self.blob(start, depth),
            _ => self.unknown(start),
        }
    }

    fn bigint(&mut self, start: usize) -> Scan<()> {
        let Some(digits) = self.comma_string()? else { return self.unknown(start) };
        // Counted in UTF-16 units; a longer text in bytes is either too long or no number.
        if digits.len() > self.limits.max_bigint_digits {
            return Err(Stop::Abort(protocol(
                "TypeError",
                format_args!(
                    "Deserialized bigint exceeds maximum length of {} digits.",
                    self.limits.max_bigint_digits
                ),
            )));
        }
        let plain = digits.strip_prefix('-').unwrap_or(&digits);
        let plain = !plain.is_empty() && plain.bytes().all(|b| b.is_ascii_digit());
        if !plain && BigInt::from_javascript(&digits).is_none() {
            return Err(Stop::Abort(protocol(
                "SyntaxError",
                format_args!("Cannot convert {digits} to a BigInt"),
            )));
        }
        self.rest_of_array()
    }

    fn bytes(&mut self, start: usize) -> Scan<()> {
        if !self.comma() || self.peek() != Some(b'"') {
            return self.unknown(start);
        }
        let from = self.lex.pos() + 1;
        self.lex.skip_string()?;
        let base64 = &self.source.as_bytes()[from..self.lex.pos() - 1];
        if self.peek() == Some(b']') {
            self.lex.step(1);
            return Ok(());
        }
        if !self.comma() {
            return self.unexpected();
        }
        if self.peek() != Some(b'"') {
            let found = match self.peek() {
                Some(b't' | b'f') => "boolean",
                Some(b'-' | b'0'..=b'9') => "number",
                _ => "object",
            };
            return Err(Stop::Abort(protocol(
                "TypeError",
                format_args!("Unknown bytes type marker type: {found}"),
            )));
        }
        let marker = self.lex.string()?;
        let Some(kind) = BytesKind::from_name(&marker) else {
            let marker: String = marker.chars().take(64).collect();
            return Err(Stop::Abort(protocol(
                "TypeError",
                format_args!("Unknown bytes type marker: {marker}"),
            )));
        };
        let unpadded = base64.iter().filter(|&&b| b != b'=').count();
        let length = unpadded / 4 * 3 + (unpadded % 4).saturating_sub(1);
        if !length.is_multiple_of(kind.element_size()) {
            return Err(Stop::Abort(protocol(
                "TypeError",
                format_args!(
                    "Invalid byte length {length} for {}; expected a multiple of {}",
                    kind.name(),
                    kind.element_size()
                ),
            )));
        }
        self.rest_of_array()
    }

    fn error(&mut self, start: usize, depth: usize) -> Scan<()> {
        for _ in 0..2 {
            if !self.comma() || self.peek() != Some(b'"') {
                return self.unknown(start);
            }
            self.string()?;
        }
        if !self.comma() {
            return self.end_or_unknown(start);
        }
        // The stack: used if it is a string, ignored if not.
        match self.peek() {
            Some(b'"') => self.string()?,
            Some(byte) if is_space(byte) => return Err(Stop::Unusual),
            _ => {
                let from = self.lex.pos();
                self.skip_unseen()?;
                self.out.replace(from, self.lex.pos(), "null");
            }
        }
        if !self.comma() {
            return self.end_or_unknown(start);
        }
        if self.peek() != Some(b'{') {
            return self.unknown(start);
        }
        self.object(depth, Members::OfError)?;
        let end = self.lex.pos();
        self.rest_of_array()?;
        self.out.replace(end, self.lex.pos() - 1, "");
        Ok(())
    }

    /// `import` and `pipeline`, behind the tag.
    fn own(&mut self, start: usize, depth: usize, promise: bool) -> Scan<()> {
        let Some(id) = self.comma_number()? else { return self.unknown(start) };
        if !self.comma() {
            self.end_or_unknown(start)?;
            self.hole(start, RefKind::Own { id, path: None, promise });
            return Ok(());
        }
        let Some(path) = self.path()? else { return self.unknown(start) };
        if !self.comma() {
            self.end_or_unknown(start)?;
            self.hole(start, RefKind::Own { id, path: Some(path), promise });
            return Ok(());
        }
        if self.peek() != Some(b'[') {
            return self.unknown(start);
        }
        // The arguments are an expression of their own, whose text is the bare array. They count
        // as deep as if it had been escaped.
        let outer_refs = std::mem::take(&mut self.refs);
        let outer_holes = std::mem::take(&mut self.holes);
        // Also where the result is not kept, the method gets what it is called with.
        let outer_dropping = std::mem::take(&mut self.dropping);
        let mut outer_out = std::mem::replace(&mut self.out, Out::new(self.source));
        self.out.start_at(self.lex.pos());
        self.lex.step(1);
        self.elements(depth)?;
        let text = self.out.finish(self.source, self.lex.pos());
        let refs = std::mem::replace(&mut self.refs, outer_refs);
        self.holes = outer_holes;
        self.dropping = outer_dropping;
        std::mem::swap(&mut self.out, &mut outer_out);
        self.end_or_unknown(start)?;
        self.hole(start, RefKind::Call { id, path, args: Expr { text, refs }, promise });
        Ok(())
    }

    /// `remap`, behind the tag. The instructions are read when they are carried out: what is wrong
    /// with them is wrong with the call, not with the session.
    fn map(&mut self, start: usize) -> Scan<()> {
        let Some(id) = self.comma_number()? else { return self.unknown(start) };
        if !self.comma() {
            return self.unknown(start);
        }
        let Some(path) = self.path()? else { return self.unknown(start) };
        if !self.comma() || self.peek() != Some(b'[') {
            return self.unknown(start);
        }
        let captures_at = self.lex.pos();
        self.skip_unseen()?;
        let captures = self.lex.since(captures_at);
        if !self.comma() || self.peek() != Some(b'[') {
            return self.unknown(start);
        }
        let instructions_at = self.lex.pos();
        self.skip_unseen()?;
        let instructions = self.source.slice_ref(self.lex.since(instructions_at));
        self.end_or_unknown(start)?;
        let captures = read_captures(captures)?;
        self.hole(start, RefKind::Map { id, path, captures, instructions });
        Ok(())
    }

    /// A property path; `None` if the value here is none.
    fn path(&mut self) -> Scan<Option<Path>> {
        if self.peek() != Some(b'[') {
            return Ok(None);
        }
        self.lex.step(1);
        let mut path = Path::new();
        if self.peek() == Some(b']') {
            self.lex.step(1);
            return Ok(Some(path));
        }
        loop {
            match self.peek() {
                Some(b'"') => path.push(Key::from(&*self.lex.string()?)),
                Some(b'-' | b'0'..=b'9') => {
                    let number = self.lex.number()?.parse().unwrap_or(f64::INFINITY);
                    path.push(match number as u32 {
                        index if f64::from(index) == number => Key::Index(index),
                        _ => Key::from(number.to_string()),
                    });
                }
                Some(byte) if is_space(byte) => return Err(Stop::Unusual),
                _ => return Ok(None),
            }
            match self.peek() {
                Some(b',') => self.lex.step(1),
                Some(b']') => {
                    self.lex.step(1);
                    return Ok(Some(path));
                }
                _ => return self.unexpected(),
            }
        }
    }

    /// Puts a hole in place of the text from `start` to here.
    fn hole(&mut self, start: usize, kind: RefKind) {
        let mut hole = String::with_capacity(12);
        write_hole(&mut hole, self.holes);
        self.holes += usize::from(!self.dropping);
        let at = self.out.replace(start, self.lex.pos(), &hole);
        self.refs.push(Ref { at: (!self.dropping).then_some(at), kind });
    }

    fn literal(&mut self) -> Scan<()> {
        for literal in ["null", "true", "false"] {
            if self.lex.eat_text(literal) {
                return Ok(());
            }
        }
        self.unexpected()
    }

    /// Steps over a value that is not evaluated. It must be JSON all the same.
    fn skip_unseen(&mut self) -> Scan<()> {
        let start = self.lex.pos();
        self.lex.skip_value()?;
        if canonicalise(self.lex.since(start))?.len() != self.lex.pos() - start && !self.canonical {
            return Err(Stop::Unusual);
        }
        Ok(())
    }

    fn comma(&mut self) -> bool {
        self.lex.eat(b',')
    }

    fn comma_number(&mut self) -> Scan<Option<Id>> {
        if self.comma() {
            match self.peek() {
                Some(b'-' | b'0'..=b'9') => {
                    return Ok(Some(Id(self.lex.number()?.parse().unwrap_or(f64::INFINITY))));
                }
                Some(byte) if is_space(byte) => return Err(Stop::Unusual),
                _ => {}
            }
        }
        Ok(None)
    }

    fn comma_string(&mut self) -> Scan<Option<Cow<'a, str>>> {
        if self.comma() {
            match self.peek() {
                Some(b'"') => return Ok(Some(self.lex.string()?)),
                Some(byte) if is_space(byte) => return Err(Stop::Unusual),
                _ => {}
            }
        }
        Ok(None)
    }

    /// The end of an array that must not go on.
    fn end_or_unknown(&mut self, start: usize) -> Scan<()> {
        if self.peek() == Some(b']') {
            self.lex.step(1);
            return Ok(());
        }
        self.unknown(start)
    }

    /// Elements that nobody looks at, and the end of the array.
    fn rest_of_array(&mut self) -> Scan<()> {
        loop {
            match self.peek() {
                Some(b']') => {
                    self.lex.step(1);
                    return Ok(());
                }
                Some(b',') => {
                    self.lex.step(1);
                    self.skip_unseen()?;
                }
                _ => return self.unexpected(),
            }
        }
    }

    /// Aborts over the array that begins at `start`, quoting it.
    #[cold]
    fn unknown<T>(&mut self, start: usize) -> Scan<T> {
        if self.peek().is_some_and(is_space) {
            return Err(Stop::Unusual);
        }
        let mut whole = Cursor::new(&self.source[start..]);
        whole.skip_value()?;
        let text = quote(&self.source[start..start + whole.pos()])?;
        Err(Stop::Abort(protocol("TypeError", format_args!("unknown special value: {text}"))))
    }

    #[cold]
    fn unexpected<T>(&mut self) -> Scan<T> {
        if self.peek().is_some_and(is_space) {
            return Err(Stop::Unusual);
        }
        Err(Stop::Syntax(self.lex.error("unexpected character")))
    }

    fn peek(&self) -> Option<u8> {
        self.lex.peek()
    }
}

/// Reads a list of captures, which is JSON.
fn read_captures(list: &str) -> Scan<Vec<Capture>> {
    let mut captures = Vec::new();
    for item in items(list)? {
        let mut lex = Cursor::new(item);
        let capture = (|| {
            let export = lex.eat_text("[\"export\",");
            if !export && !lex.eat_text("[\"import\",") {
                return None;
            }
            let id = Id(lex.number().ok()?.parse().ok()?);
            (lex.rest() == "]").then_some(if export {
                Capture::Export(id)
            } else {
                Capture::Import(id)
            })
        })();
        let Some(capture) = capture else {
            return Err(Stop::Abort(protocol(
                "TypeError",
                format_args!("unknown map capture: {}", quote(item)?),
            )));
        };
        captures.push(capture);
    }
    Ok(captures)
}

/// The elements of a JSON array without white space.
fn items(list: &str) -> Result<Vec<&str>, LexError> {
    let mut lex = Cursor::new(list);
    lex.expect(b'[')?;
    let mut items = Vec::new();
    while lex.peek().is_some_and(|byte| byte != b']') {
        let start = lex.pos();
        lex.skip_value()?;
        items.push(lex.since(start));
        lex.eat(b',');
    }
    Ok(items)
}

/// Reads the instructions of a mapper, an expression each.
///
/// # Errors
/// What the map is to be rejected with.
pub(crate) fn instructions(list: &ByteString, limits: &Limits) -> Result<Vec<Expr>, Error> {
    let items = items(list).map_err(syntax)?;
    items.into_iter().map(|item| expression(&list.slice_ref(item), limits)).collect()
}

/// Which members of an object are meant.
#[derive(Clone, Copy)]
enum Members {
    All,
    /// The properties of an error, whose name, message and stack travel elsewhere.
    OfError,
}

enum Fate {
    Keep,
    /// Evaluate, so that what it refers to is released, and leave it out.
    Drop,
    /// Leave out unseen.
    Skip,
}

impl Members {
    fn fate(self, raw: &str) -> Fate {
        // The usual key is none of these by its first letter.
        let first = raw.as_bytes().first().copied().unwrap_or(0);
        if matches!(self, Members::OfError) && matches!(first, b'n' | b'm' | b's' | b'\\') {
            let key = unescape(raw);
            if matches!(&*key, "name" | "message" | "stack") {
                return Fate::Skip;
            }
        }
        if matches!(first, b'_' | b'c' | b'h' | b'i' | b'p' | b't' | b'v' | b'$')
            || raw.as_bytes().contains(&b'\\')
        {
            let key = unescape(raw);
            if key == "toJSON" || is_forbidden_key(&key) || key.starts_with(PRIVATE_PREFIX) {
                return Fate::Drop;
            }
        }
        Fate::Keep
    }
}

fn unescape(raw: &str) -> Cow<'_, str> {
    if raw.as_bytes().contains(&b'\\') {
        let quoted = format!("\"{raw}\"");
        match Cursor::new(&quoted).string() {
            Ok(text) => Cow::Owned(text.into_owned()),
            Err(_) => Cow::Borrowed(raw),
        }
    } else {
        Cow::Borrowed(raw)
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Tells keys of one object apart, well enough. Keys with escapes all hash alike.
fn key_hash(key: &[u8]) -> u64 {
    if key.contains(&b'\\') {
        return 0;
    }
    // FNV-1a over all bytes: keys are short.
    key.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Copy-on-write text: a part of the source until something in it is replaced.
struct Out<'a> {
    source: &'a str,
    start: usize,
    /// Up to here the source has been copied (if anything has).
    copied: usize,
    buffer: String,
    dirty: bool,
}

struct Mark(usize);

impl<'a> Out<'a> {
    fn new(source: &'a str) -> Self {
        Self { source, start: 0, copied: 0, buffer: String::new(), dirty: false }
    }

    fn start_at(&mut self, position: usize) {
        self.start = position;
        self.copied = position;
    }

    /// Replaces the source from `from` to `to`, which nothing has been replaced in yet except
    /// inside of it. Returns where in the output it stands now.
    fn replace(&mut self, from: usize, to: usize, with: &str) -> u32 {
        self.copy_to(from);
        let at = self.buffer.len();
        self.buffer.push_str(with);
        self.copied = to;
        // Messages are far below 4 GiB: the size limit is checked before scanning.
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    fn copy_to(&mut self, position: usize) {
        self.dirty = true;
        if self.copied < position {
            self.buffer.push_str(&self.source[self.copied..position]);
            self.copied = position;
        }
    }

    /// Remembers the output up to the source's `position`.
    fn mark(&mut self, position: usize) -> Mark {
        self.copy_to(position);
        Mark(self.buffer.len())
    }

    /// Forgets the output since the mark, and goes on at the source's `position`.
    fn rewind(&mut self, mark: Mark, position: usize) {
        self.buffer.truncate(mark.0);
        self.copied = position;
    }

    fn finish(&mut self, source: &ByteString, end: usize) -> ByteString {
        if self.dirty {
            self.copy_to(end);
            ByteString::from(std::mem::take(&mut self.buffer))
        } else {
            source.slice_ref(&source[self.start..end])
        }
    }
}
