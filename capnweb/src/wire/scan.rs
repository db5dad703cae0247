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
mod members;
mod out;
mod plan;
mod special;

use std::{borrow::Cow, collections::HashSet};

use bytestring::ByteString;

use self::{
    members::{Fate, Members, is_space, key_hash},
    out::Out,
};
pub(crate) use self::{
    plan::{Capture, Expr, Id, Message, Ref, RefKind},
    special::instructions,
};
use super::{
    canonical::{canonicalise, quote},
    lex::{Cursor, LexError},
    limits::{Limits, MAX_DEPTH},
    text::write_string,
};
use crate::error::{Error, ErrorKind};

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
