//! Arrays that begin with a tag: special values and references.

use bytestring::ByteString;

use super::{
    Capture, Expr, Id, Ref, RefKind, Scan, Scanner, Stop, expression,
    members::{Members, is_space},
    out::Out,
    protocol, syntax,
};
use crate::{
    error::Error,
    path::{Key, Path},
    value::{BigInt, BytesKind},
    wire::{
        canonical::quote,
        lex::{Cursor, LexError},
        limits::Limits,
        text::write_hole,
    },
};

impl Scanner<'_> {
    /// An array that begins with a string: a tag and what belongs to it. `start` is the `[`.
    pub(super) fn special(&mut self, start: usize, depth: usize) -> Scan<()> {
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
    pub(super) fn path(&mut self) -> Scan<Option<Path>> {
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
    pub(super) fn hole(&mut self, start: usize, kind: RefKind) {
        let mut hole = String::with_capacity(12);
        write_hole(&mut hole, self.holes);
        self.holes += usize::from(!self.dropping);
        let at = self.out.replace(start, self.lex.pos(), &hole);
        self.refs.push(Ref { at: (!self.dropping).then_some(at), kind });
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
