//! A value at rest: wire text with the capabilities taken out into slots.
//!
//! Owns the representation that every layer above the wire passes around. Knows nothing of
//! sessions and ids: a slot holds a capability, never its number on some connection.
//!
//! Invariants of [`Payload::text`]:
//! - It is one well-formed wire expression without insignificant white space, within the depth
//!   limit, and every lone surrogate or out-of-range number in it has been normalised, so that a
//!   reader needs no checks for those.
//! - Where a capability stood there is a *hole*, the text `["#",N]`, N being the index into
//!   [`Payload::slots`]. `#` is no tag of the protocol and the scanner rejects it on receipt, so
//!   a peer cannot forge one. Holes appear in ascending order of N and of position.

use bytestring::ByteString;

use crate::{hook::Hook, path::Path};

/// A value in wire form, owning the capabilities in it.
#[derive(Clone, Default)]
pub(crate) struct Payload {
    pub(crate) text: ByteString,
    pub(crate) slots: Vec<Slot>,
}

/// A capability and the place of its hole.
#[derive(Clone)]
pub(crate) struct Slot {
    /// Byte offset of the hole's `[` in the payload's text.
    pub(crate) at: u32,
    pub(crate) cap: Cap,
}

/// What fills a hole.
#[derive(Clone)]
pub(crate) enum Cap {
    /// Delivered as a stub.
    Stub(Hook),
    /// Replaced by what the promise (or the property of it at the path) settles to, before
    /// delivery.
    Promise(Hook, Path),
    /// A promise that has settled: its value stands here now.
    Settled(Payload),
}
