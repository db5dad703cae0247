//! Writing messages.

use super::text::write_string;
use crate::{path::Key, payload::Slot};

/// `[message,["pipeline",id,[path]`, the message being `push` or `stream`, up to where the arguments or the end follow.
pub(crate) fn call_head(out: &mut String, message: &str, id: i64, path: &[Key]) {
    out.push_str("[\"");
    out.push_str(message);
    out.push_str("\",[\"pipeline\",");
    number(out, id);
    out.push(',');
    self::path(out, path);
}

/// `["push",["remap",id,[path],[` up to where the captures follow.
pub(crate) fn map_head(out: &mut String, id: i64, path: &[Key]) {
    out.push_str("[\"push\",[\"remap\",");
    number(out, id);
    out.push(',');
    self::path(out, path);
    out.push_str(",[");
}

/// What closes a call behind its path or arguments.
pub(crate) const CALL_TAIL: &str = "]]";

/// `["pipe"]`
pub(crate) const PIPE: &str = "[\"pipe\"]";

pub(crate) fn pull(id: i64) -> String {
    let mut out = String::with_capacity(24);
    out.push_str("[\"pull\",");
    number(&mut out, id);
    out.push(']');
    out
}

pub(crate) fn release(id: i64, count: u64) -> String {
    let mut out = String::with_capacity(28);
    out.push_str("[\"release\",");
    number(&mut out, id);
    out.push(',');
    out.push_str(itoa::Buffer::new().format(count));
    out.push(']');
    out
}

/// `["resolve",id,` or `["reject",id,`: the expression and a `]` have to follow.
pub(crate) fn settle_head(out: &mut String, kind: &str, id: i64) {
    out.push_str("[\"");
    out.push_str(kind);
    out.push_str("\",");
    number(out, id);
    out.push(',');
}

/// `["tag",id]`, or with a path `["tag",id,[path]]`.
pub(crate) fn reference(out: &mut String, tag: &str, id: i64, path: &[Key]) {
    out.push_str("[\"");
    out.push_str(tag);
    out.push_str("\",");
    number(out, id);
    if !path.is_empty() {
        out.push(',');
        self::path(out, path);
    }
    out.push(']');
}

pub(crate) fn path(out: &mut String, path: &[Key]) {
    out.push('[');
    for (i, key) in path.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        match key {
            Key::Name(name) => write_string(out, name),
            Key::Index(index) => number(out, i64::from(*index)),
        }
    }
    out.push(']');
}

fn number(out: &mut String, number: i64) {
    out.push_str(itoa::Buffer::new().format(number));
}

/// Copies `text`, calling `fill` in place of each hole. The slots' positions count from
/// `text`'s beginning.
pub(crate) fn fill_holes(
    out: &mut String,
    text: &str,
    slots: &[Slot],
    mut fill: impl FnMut(&mut String, usize),
) {
    let mut from = 0;
    for (index, slot) in slots.iter().enumerate() {
        let at = slot.at as usize;
        out.push_str(&text[from..at]);
        fill(out, index);
        // A hole is `["#",N]`: it ends at the first bracket.
        from = at + text[at..].find(']').map_or(0, |end| end + 1);
    }
    out.push_str(&text[from..]);
}
