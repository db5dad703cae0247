//! Finding what a peer of an old release could not read, before it is sent.
//!
//! Works on what is about to be sent, because only then it is known to whom. Costs nothing for
//! peers that can read everything.

use super::{de::head, error::CodecError};
use crate::{
    Error, ErrorKind,
    payload::{Cap, Payload, Slot},
    session::PeerRelease,
    wire::lex::Cursor,
};

/// What a value became readable with.
const NOT_FINITE: PeerRelease = PeerRelease::new(0, 2, 0);
const STREAMS: PeerRelease = PeerRelease::new(0, 5, 0);
const BLOBS: PeerRelease = PeerRelease::new(0, 8, 0);
const ERROR_PROPERTIES: PeerRelease = BLOBS;
const KINDS_OF_BYTES: PeerRelease = PeerRelease::new(0, 11, 1);

/// The first release that can read everything.
const EVERYTHING: PeerRelease = KINDS_OF_BYTES;

/// Checks a value.
///
/// # Errors
/// Of kind [`ErrorKind::Encode`], naming the first value that a peer of this release cannot read.
pub(crate) fn check_value(payload: &Payload, release: PeerRelease) -> Result<(), Error> {
    check(payload, release, "value", Shape::Value)
}

/// Checks a call's arguments, which are a bare array.
///
/// # Errors
/// As [`check_value`].
pub(crate) fn check_args(payload: &Payload, release: PeerRelease) -> Result<(), Error> {
    check(payload, release, "args", Shape::Elements)
}

/// Checks the text of expressions that hold no capabilities: a bare array of a map's instructions.
///
/// # Errors
/// As [`check_value`].
pub(crate) fn check_instructions(text: &str, release: PeerRelease) -> Result<(), Error> {
    check_parts(text, &[], release, "instructions", Shape::Elements)
}

/// Checks the text of an expression that holds no capabilities.
///
/// # Errors
/// As [`check_value`].
pub(crate) fn check_text(text: &str, release: PeerRelease) -> Result<(), Error> {
    check_parts(text, &[], release, "value", Shape::Value)
}

/// What a text is as a whole.
enum Shape {
    Value,
    /// A bare array.
    Elements,
}

fn check(payload: &Payload, release: PeerRelease, root: &str, shape: Shape) -> Result<(), Error> {
    check_parts(&payload.text, &payload.slots, release, root, shape)
}

fn check_parts(
    text: &str,
    slots: &[Slot],
    release: PeerRelease,
    root: &str,
    shape: Shape,
) -> Result<(), Error> {
    if release >= EVERYTHING {
        return Ok(());
    }
    let mut walk = Walk { cursor: Cursor::new(text), slots, release, unread: false };
    match shape {
        Shape::Value => walk.value(),
        Shape::Elements => walk.elements(),
    }
    .map_err(|error| error.into_error(ErrorKind::Encode, root))
}

/// A walk over text that is well-formed and no deeper than can be sent.
struct Walk<'a> {
    cursor: Cursor<'a>,
    slots: &'a [Slot],
    release: PeerRelease,
    /// The peer does not look at what is here. Only that matters which takes messages of its own.
    unread: bool,
}

impl Walk<'_> {
    fn value(&mut self) -> Result<(), CodecError> {
        match self.cursor.peek() {
            Some(b'{') => self.members(),
            Some(b'[') if self.cursor.rest().starts_with("[[") => {
                self.cursor.step(1);
                self.elements()?;
                Ok(self.cursor.expect(b']')?)
            }
            Some(b'[') => self.special(),
            _ => Ok(self.cursor.skip_value()?),
        }
    }

    /// The elements of an array, with its brackets.
    fn elements(&mut self) -> Result<(), CodecError> {
        self.cursor.expect(b'[')?;
        for index in 0.. {
            if self.cursor.eat(b']') {
                break;
            }
            if index > 0 {
                self.cursor.expect(b',')?;
            }
            self.value().map_err(|error| error.in_element(index))?;
        }
        Ok(())
    }

    fn members(&mut self) -> Result<(), CodecError> {
        self.cursor.expect(b'{')?;
        let mut first = true;
        while !self.cursor.eat(b'}') {
            if !std::mem::replace(&mut first, false) {
                self.cursor.expect(b',')?;
            }
            let name = self.cursor.string()?;
            self.cursor.expect(b':')?;
            self.value().map_err(|error| error.in_member(name))?;
        }
        Ok(())
    }

    fn special(&mut self) -> Result<(), CodecError> {
        let start = self.cursor;
        self.cursor.expect(b'[')?;
        let tag = self.cursor.string()?;
        match &*tag {
            "error" => return self.error(),
            "pipeline" | "import" | "remap" => return self.reference(),
            "#" => {
                self.cursor = start;
                return self.capability();
            }
            _ => {}
        }
        self.cursor = start;
        self.cursor.skip_value()?;
        let text = self.cursor.since(start.pos());
        match &*tag {
            _ if self.unread => Ok(()),
            "inf" | "-inf" | "nan" => self.since(NOT_FINITE, "a number that is not finite"),
            "headers" => self.since(STREAMS, "headers"),
            "request" => self.since(STREAMS, "a request"),
            "response" => self.since(STREAMS, "a response"),
            "date" if text == "[\"date\",null]" => self.since(BLOBS, "an invalid date"),
            "url" => self.since(KINDS_OF_BYTES, "a URL"),
            // With a third element, which no string before it can look like.
            "bytes" if text.matches("\",\"").count() > 1 => {
                self.since(KINDS_OF_BYTES, "bytes other than a Uint8Array")
            }
            _ => Ok(()),
        }
    }

    /// An error behind its tag.
    fn error(&mut self) -> Result<(), CodecError> {
        while self.cursor.eat(b',') {
            if self.cursor.peek() == Some(b'{') {
                let outer = self.unread;
                self.unread |= self.release < ERROR_PROPERTIES;
                self.members()?;
                self.unread = outer;
            } else {
                self.cursor.skip_value()?;
            }
        }
        Ok(self.cursor.expect(b']')?)
    }

    /// A reference behind its tag: an id, a path, then a list of expressions; for a map there are
    /// its captures in between.
    fn reference(&mut self) -> Result<(), CodecError> {
        let mut lists = 0;
        while self.cursor.eat(b',') {
            if self.cursor.peek() != Some(b'[') {
                self.cursor.skip_value()?;
                continue;
            }
            lists += 1;
            if lists == 1 { self.cursor.skip_value()? } else { self.elements()? }
        }
        Ok(self.cursor.expect(b']')?)
    }

    fn capability(&mut self) -> Result<(), CodecError> {
        let slot = head::hole(&mut self.cursor).and_then(|index| self.slots.get(index));
        match slot.map(|slot| &slot.cap) {
            Some(Cap::Readable(_) | Cap::Writable(_)) => self.since(STREAMS, "a stream"),
            Some(Cap::Blob(_) | Cap::Incoming(_)) => self.since(BLOBS, "a blob"),
            Some(Cap::Settled(payload)) => {
                let cursor = Cursor::new(&payload.text);
                Walk { cursor, slots: &payload.slots, ..*self }.value()
            }
            Some(Cap::Stub(_) | Cap::Promise(..)) | None => Ok(()),
        }
    }

    fn since(&self, since: PeerRelease, what: &str) -> Result<(), CodecError> {
        if self.release >= since {
            return Ok(());
        }
        Err(CodecError::new(format_args!(
            "{what} cannot be read by the peer's release {}, only from {since} on",
            self.release
        )))
    }
}
