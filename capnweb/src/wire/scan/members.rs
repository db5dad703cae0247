//! The keys of objects: which members are kept, and telling equal ones.

use std::borrow::Cow;

use crate::wire::{
    lex::Cursor,
    text::{PRIVATE_PREFIX, is_forbidden_key},
};

/// Which members of an object are meant.
#[derive(Clone, Copy)]
pub(super) enum Members {
    All,
    /// The properties of an error, whose name, message and stack travel elsewhere.
    OfError,
}

pub(super) enum Fate {
    Keep,
    /// Evaluate, so that what it refers to is released, and leave it out.
    Drop,
    /// Leave out unseen.
    Skip,
}

impl Members {
    pub(super) fn fate(self, raw: &str) -> Fate {
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

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Tells keys of one object apart, well enough. Keys with escapes all hash alike.
pub(super) fn key_hash(key: &[u8]) -> u64 {
    if key.contains(&b'\\') {
        return 0;
    }
    // FNV-1a over all bytes: keys are short.
    key.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
