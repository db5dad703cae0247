//! Passes capabilities through serde, which can carry only data.
//!
//! While a message is encoded or decoded, its thread holds a frame. A stub that is serialized puts
//! its capability there and hands serde a number; the encoder finds the capability by the number.
//! Decoding goes the other way. Numbers are never used twice on a thread, so one that got lost, or
//! was made up, names nothing. What nobody claims is dropped with the frame.
//!
//! Frames nest, because a user's `Serialize` or `Deserialize` may itself encode or decode. No
//! user code (a capability's `Drop` included) runs while a frame is borrowed.

use std::cell::{Cell, RefCell};

use crate::payload::Cap;

thread_local! {
    static ENCODING: RefCell<Option<Frame<Option<Cap>>>> = const { RefCell::new(None) };
    static DECODING: RefCell<Option<Frame<Cap>>> = const { RefCell::new(None) };
    static NEXT_ID: Cell<u64> = const { Cell::new(1) };
}

/// Capabilities in passage, numbered in ascending order.
struct Frame<T>(Vec<(u64, T)>);

impl<T> Frame<T> {
    fn add(&mut self, cap: T) -> u64 {
        let id = NEXT_ID.get();
        NEXT_ID.set(id.wrapping_add(1));
        self.0.push((id, cap));
        id
    }

    fn find(&mut self, id: u64) -> Option<&mut T> {
        let at = self.0.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.0.get_mut(at).map(|(_, cap)| cap)
    }
}

/// While this lives, stubs can be serialized, or cannot if it was [`EncodeScope::without_caps`].
pub(super) struct EncodeScope(Option<Frame<Option<Cap>>>);

impl EncodeScope {
    /// Lets capabilities through.
    pub(super) fn enter() -> Self {
        Self(ENCODING.replace(Some(Frame(Vec::new()))))
    }

    /// Lets no capabilities through, even if one is serialized within another message.
    pub(super) fn without_caps() -> Self {
        Self(ENCODING.replace(None))
    }
}

impl Drop for EncodeScope {
    fn drop(&mut self) {
        // In two steps: what is left in the frame is dropped after the borrow has ended.
        let done = ENCODING.replace(self.0.take());
        drop(done);
    }
}

/// While this lives, stubs can be deserialized.
pub(super) struct DecodeScope(Option<Frame<Cap>>);

impl DecodeScope {
    pub(super) fn enter() -> Self {
        Self(DECODING.replace(Some(Frame(Vec::new()))))
    }
}

impl Drop for DecodeScope {
    fn drop(&mut self) {
        let done = DECODING.replace(self.0.take());
        drop(done);
    }
}

/// Puts a capability that is being serialized into the frame; `None` outside of a message.
pub(crate) fn offer(cap: Cap) -> Option<u64> {
    let mut cap = Some(cap);
    // What could not be placed is dropped here, when the borrow has ended.
    ENCODING.with_borrow_mut(|frame| frame.as_mut().map(|frame| frame.add(cap.take())))
}

/// Takes out a capability for the encoder. Each can be taken once.
pub(super) fn take(id: u64) -> Option<Cap> {
    ENCODING.with_borrow_mut(|frame| frame.as_mut()?.find(id)?.take())
}

/// Puts a capability that the decoder came upon into the frame.
pub(super) fn lend(cap: Cap) -> Option<u64> {
    let mut cap = Some(cap);
    DECODING.with_borrow_mut(|frame| {
        let frame = frame.as_mut()?;
        cap.take().map(|cap| frame.add(cap))
    })
}

/// A copy of the capability that is being deserialized. It is a copy because serde may read
/// buffered content more than once, until a variant of an untagged enum fits.
pub(crate) fn claim(id: u64) -> Option<Cap> {
    DECODING.with_borrow_mut(|frame| frame.as_mut()?.find(id).map(|cap| cap.clone()))
}

/// The error of a capability that is of another kind than was asked for.
pub(crate) fn unexpected<E: serde::de::Error>(cap: &Cap, expected: &str) -> E {
    let found = match cap {
        Cap::Stub(_) => "a stub",
        Cap::Promise(..) | Cap::Settled(_) => "a promise",
        Cap::Readable(_) => "a readable stream",
        Cap::Blob(_) | Cap::Incoming(_) => "a blob",
        Cap::Writable(_) => "a writable stream",
    };
    E::custom(format_args!("expected {expected}, found {found}"))
}
