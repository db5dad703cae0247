//! Follows a property path into a payload, without decoding more than lies on the way.
//!
//! Owns the rules of what has properties, which are those of JavaScript peers: own members of
//! plain objects and elements of arrays, nothing else; never what every JavaScript object
//! inherits.

use super::{
    de::head::{self, Head, Tag},
    error::CodecError,
};
use crate::{
    Error, ErrorKind,
    path::Key,
    payload::{Cap, Payload, Slot},
    wire::{is_forbidden_key, lex::Cursor, write_hole},
};

/// Where a path leads.
pub(crate) enum Found {
    /// To this part of the payload, which owns copies of the capabilities in it.
    Value(Payload),
    /// Into a capability, which is what knows the rest.
    Cap {
        /// The capability.
        cap: Cap,
        /// The index of the first key that has not been used.
        rest: usize,
    },
}

/// Follows the path.
///
/// # Errors
/// A `TypeError` if it asks for a property of undefined.
pub(crate) fn navigate(payload: &Payload, path: &[Key]) -> Result<Found, Error> {
    follow(payload, path).map_err(|failure| match failure {
        Failure::OfUndefined(key) => {
            Error::type_error(format_args!("Cannot read properties of undefined (reading '{key}')"))
        }
        Failure::Malformed(error) => error.into_error(ErrorKind::Decode, "value"),
    })
}

enum Failure<'a> {
    OfUndefined(&'a Key),
    Malformed(CodecError),
}

impl<T: Into<CodecError>> From<T> for Failure<'_> {
    fn from(error: T) -> Self {
        Self::Malformed(error.into())
    }
}

/// A value within a payload.
#[derive(Clone, Copy)]
struct Place<'p> {
    payload: &'p Payload,
    cursor: Cursor<'p>,
}

impl<'p> Place<'p> {
    fn root(payload: &'p Payload) -> Self {
        Self { payload, cursor: Cursor::new(&payload.text) }
    }

    /// Goes on in what promises have settled to; returns the capability if it is none of those.
    fn settle(&mut self) -> Option<&'p Cap> {
        loop {
            let index = head::hole(&mut { self.cursor })?;
            match &self.payload.slots.get(index)?.cap {
                Cap::Settled(payload) => *self = Self::root(payload),
                cap => return Some(cap),
            }
        }
    }
}

fn follow<'a>(payload: &Payload, path: &'a [Key]) -> Result<Found, Failure<'a>> {
    // `None` is undefined.
    let mut place = Some(Place::root(payload));
    for (used, key) in path.iter().enumerate() {
        if matches!(key, Key::Name(name) if is_forbidden_key(name)) {
            place = None;
            continue;
        }
        let Some(mut at) = place else { return Err(Failure::OfUndefined(key)) };
        if let Some(cap) = at.settle() {
            return Ok(Found::Cap { cap: cap.clone(), rest: used });
        }
        let member = match Head::read(&mut at.cursor)? {
            Head::Undefined => return Err(Failure::OfUndefined(key)),
            Head::Object => find_member(&mut at.cursor, key)?,
            Head::Array => find_element(&mut at.cursor, key)?,
            Head::Null
            | Head::Bool(_)
            | Head::Number
            | Head::NotFinite(_)
            | Head::String
            | Head::Special(
                Tag::BigInt
                | Tag::Bytes
                | Tag::Date
                | Tag::Error
                | Tag::Headers
                | Tag::Hole
                | Tag::Request
                | Tag::Response
                | Tag::Url,
            ) => false,
        };
        place = member.then_some(at);
    }
    let Some(mut at) = place else {
        return Ok(Found::Value(Payload { text: "[\"undefined\"]".into(), slots: Vec::new() }));
    };
    match at.settle() {
        Some(cap) => Ok(Found::Cap { cap: cap.clone(), rest: path.len() }),
        None => Ok(Found::Value(extract(at)?)),
    }
}

/// The elements of a payload that is an array; `None` if it is none.
///
/// # Errors
/// None for text that has been scanned.
pub(crate) fn elements(payload: &Payload) -> Result<Option<Vec<Payload>>, Error> {
    let malformed = |error: CodecError| error.into_error(ErrorKind::Decode, "value");
    let mut cursor = Cursor::new(&payload.text);
    if Head::read(&mut cursor).map_err(malformed)? != Head::Array {
        return Ok(None);
    }
    let mut elements = Vec::new();
    while cursor.peek().is_some_and(|byte| byte != b']') {
        elements.push(extract(Place { payload, cursor }).map_err(malformed)?);
        cursor.skip_value().map_err(|error| malformed(error.into()))?;
        cursor.eat(b',');
    }
    Ok(Some(elements))
}

/// Goes to the value of this member, if the object that begins here has it.
fn find_member(cursor: &mut Cursor<'_>, key: &Key) -> Result<bool, CodecError> {
    let mut digits = itoa::Buffer::new();
    let wanted = match key {
        Key::Name(name) => name,
        Key::Index(index) => digits.format(*index),
    };
    while cursor.peek() == Some(b'"') {
        let name = cursor.string()?;
        cursor.expect(b':')?;
        if name == wanted {
            return Ok(true);
        }
        cursor.skip_value()?;
        cursor.eat(b',');
    }
    cursor.expect(b'}')?;
    Ok(false)
}

/// Goes to this element, if the array that begins here has it.
fn find_element(cursor: &mut Cursor<'_>, key: &Key) -> Result<bool, CodecError> {
    let index = match key {
        Key::Index(index) => Some(*index),
        Key::Name(name) => {
            // Only as JavaScript writes it: "1" and not "01".
            name.parse::<u32>().ok().filter(|index| itoa::Buffer::new().format(*index) == &**name)
        }
    };
    let Some(index) = index else { return Ok(false) };
    for _ in 0..index {
        if cursor.peek() == Some(b']') {
            return Ok(false);
        }
        cursor.skip_value()?;
        if !cursor.eat(b',') {
            return Ok(false);
        }
    }
    Ok(cursor.peek() != Some(b']'))
}

/// Copies the capabilities within a value and numbers their holes anew. The text is shared with
/// the whole payload's as far as the numbers allow it.
fn extract(place: Place<'_>) -> Result<Payload, CodecError> {
    let Place { payload, mut cursor } = place;
    let start = cursor.pos();
    cursor.skip_value()?;
    let text = cursor.since(start);
    let slots = payload.slots.as_slice();
    let first = slots.partition_point(|slot| (slot.at as usize) < start);
    let end = slots.partition_point(|slot| (slot.at as usize) < cursor.pos());
    let slots = slots.get(first..end).unwrap_or_default();
    if slots.is_empty() || first == 0 {
        let slots = slots
            .iter()
            .map(|slot| Slot { at: slot.at - start as u32, cap: slot.cap.clone() })
            .collect();
        return Ok(Payload { text: payload.text.slice_ref(text), slots });
    }
    let mut out = Payload { text: Default::default(), slots: Vec::with_capacity(slots.len()) };
    let mut renumbered = String::with_capacity(text.len());
    let mut copied = start;
    for (index, slot) in slots.iter().enumerate() {
        let mut hole = Cursor::at(&payload.text, slot.at as usize);
        renumbered.push_str(payload.text.get(copied..hole.pos()).unwrap_or_default());
        // Numbers only become smaller, so this is still within 32 bits.
        out.slots.push(Slot { at: renumbered.len() as u32, cap: slot.cap.clone() });
        write_hole(&mut renumbered, index);
        hole.skip_value()?;
        copied = hole.pos();
    }
    renumbered.push_str(payload.text.get(copied..cursor.pos()).unwrap_or_default());
    out.text = renumbered.into();
    Ok(out)
}
