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

use std::{collections::HashSet, sync::Arc};

use bytestring::ByteString;

use crate::{
    fetch::{Blob, Incoming},
    hook::Hook,
    path::Path,
    session::Caller,
    stream::Readable,
    turn, wire,
};

/// A value in wire form, owning the capabilities in it.
#[derive(Clone, Default)]
pub(crate) struct Payload {
    pub(crate) text: ByteString,
    pub(crate) slots: Vec<Slot>,
}

impl Drop for Payload {
    fn drop(&mut self) {
        // A value can hold a stub of another value, and so on.
        if !self.slots.is_empty() {
            turn::bury(std::mem::take(&mut self.slots));
        }
    }
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
    /// A blob, delivered as such.
    Blob(Blob),
    /// A blob that has not come yet. Replaced by the complete one, before delivery.
    Incoming(Incoming),
    /// A stream to be read by whoever gets it.
    Readable(Readable),
    /// A stream to be written by whoever gets it.
    Writable(Hook),
}

impl Payload {
    /// A payload that is nothing but this capability.
    pub(crate) fn of(cap: Cap) -> Self {
        let mut text = String::new();
        wire::write_hole(&mut text, 0);
        Self { text: text.into(), slots: vec![Slot { at: 0, cap }] }
    }

    /// The value `undefined`.
    pub(crate) fn undefined() -> Self {
        Self { text: ByteString::from_static(r#"["undefined"]"#), slots: Vec::new() }
    }

    /// Adds the capabilities in it, other than streams to be read.
    pub(crate) fn hooks(&self, to: &mut Vec<Hook>) {
        for slot in &self.slots {
            match &slot.cap {
                Cap::Stub(hook) | Cap::Promise(hook, _) | Cap::Writable(hook) => {
                    to.push(hook.clone());
                }
                Cap::Settled(payload) => payload.hooks(to),
                Cap::Readable(_) | Cap::Blob(_) | Cap::Incoming(_) => {}
            }
        }
    }

    /// How many bytes it keeps, those of blobs and of promises that have settled included.
    pub(crate) fn size(&self) -> usize {
        let within = |slot: &Slot| match &slot.cap {
            Cap::Blob(blob) => blob.len(),
            // Values are nested no deeper in each other than the limit of depth.
            Cap::Settled(payload) => payload.size(),
            Cap::Stub(_)
            | Cap::Promise(..)
            | Cap::Incoming(_)
            | Cap::Readable(_)
            | Cap::Writable(_) => 0,
        };
        self.slots.iter().map(within).fold(self.text.len(), usize::saturating_add)
    }

    /// The same, with the values of promises in it that are known already: they are kept for as long
    /// as this is.
    pub(crate) fn size_with_promises(&self) -> usize {
        /// Values that refer to more than this are not looked through.
        const MAX_HOOKS: usize = 1 << 12;
        let mut size = self.size();
        if self.slots.is_empty() {
            return size;
        }
        let (mut todo, mut values) = (Vec::new(), HashSet::new());
        self.hooks(&mut todo);
        while let Some(hook) = todo.pop() {
            if let Hook::Value(payload) = hook.resolved()
                && values.insert(Arc::as_ptr(&payload))
            {
                size = size.saturating_add(payload.size());
                if todo.len().max(values.len()) < MAX_HOOKS {
                    payload.hooks(&mut todo);
                }
            }
        }
        size
    }

    /// Whether it can be delivered as it is.
    pub(crate) fn is_settled(&self) -> bool {
        !self.slots.iter().any(|slot| slot.cap.is_unsettled())
    }

    /// Whether a peer that gets it has all of it at once. What it gets later than the message can be
    /// overtaken by what is sent behind.
    pub(crate) fn arrives_at_once(&self) -> bool {
        self.slots.iter().all(|slot| match &slot.cap {
            Cap::Stub(_) | Cap::Readable(_) | Cap::Writable(_) => true,
            Cap::Promise(..) | Cap::Blob(_) | Cap::Incoming(_) => false,
            Cap::Settled(payload) => payload.arrives_at_once(),
        })
    }

    /// Whether all of it is one capability. Any other text that holds one begins with what the
    /// hole stands in.
    pub(crate) fn is_capability(&self) -> bool {
        matches!(self.slots.as_slice(), [Slot { at: 0, .. }])
    }

    /// The hook that stands for this payload: where the whole payload is a promise, that one.
    pub(crate) fn into_hook(self) -> Hook {
        match self.slots.as_slice() {
            // A hole at the beginning is all of the text: any other text that holds one begins
            // with what the hole stands in.
            [Slot { at: 0, cap: Cap::Promise(..) }] => self.into_capability(),
            _ => Hook::value(self),
        }
    }

    /// The capability that is all of this payload, be it promise or stub.
    pub(crate) fn into_capability(mut self) -> Hook {
        match self.slots.pop().map(|slot| slot.cap) {
            Some(Cap::Stub(hook) | Cap::Writable(hook)) => hook,
            Some(Cap::Promise(hook, path)) if path.is_empty() => hook,
            Some(Cap::Promise(hook, path)) => hook.get(path),
            Some(Cap::Settled(payload)) => Hook::value(payload),
            Some(cap @ (Cap::Readable(_) | Cap::Blob(_) | Cap::Incoming(_))) => {
                Hook::value(Payload::of(cap))
            }
            None => Hook::value(self),
        }
    }
}

impl Cap {
    /// Whether a promise, or a blob to come, is left in it.
    pub(crate) fn is_unsettled(&self) -> bool {
        match self {
            Cap::Stub(_) | Cap::Blob(_) | Cap::Readable(_) | Cap::Writable(_) => false,
            Cap::Promise(..) | Cap::Incoming(_) => true,
            Cap::Settled(payload) => !payload.is_settled(),
        }
    }
}

/// The arguments of a call: the text is the bare array of them.
pub(crate) struct Args {
    pub(crate) payload: Payload,
    pub(crate) caller: Caller,
}

impl From<Payload> for Args {
    /// Arguments of a call that came over no connection.
    fn from(payload: Payload) -> Self {
        Self { payload, caller: Caller::default() }
    }
}
