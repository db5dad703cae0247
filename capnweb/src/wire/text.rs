//! Small pieces of text that several layers write or must recognise.

use super::lex::plain_len;

/// Names that no property path can pass and no object can have: in JavaScript they are inherited
/// by every object.
const FORBIDDEN: [&str; 12] = [
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toString",
    "valueOf",
    "toLocaleString",
    "__proto__",
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
];

/// What the names of tokens begin with, by which special values pass through serde.
pub(crate) const PRIVATE_PREFIX: &str = "$capnweb::";

/// Whether a property of this name is always undefined.
pub(crate) fn is_forbidden_key(key: &str) -> bool {
    FORBIDDEN.contains(&key)
}

/// The hole of a payload's slot: an array that begins with a string which is no tag.
pub(crate) fn write_hole(out: &mut String, index: usize) {
    out.push_str("[\"#\",");
    out.push_str(itoa::Buffer::new().format(index));
    out.push(']');
}

/// Writes a JSON string, escaping no more than JSON asks for.
pub(crate) fn write_string(out: &mut String, value: &str) {
    out.push('"');
    let mut rest = value;
    loop {
        let (plain, special) = rest.split_at(plain_len(rest.as_bytes()));
        out.push_str(plain);
        let mut chars = special.chars();
        let Some(char) = chars.next() else { break };
        write_escape(out, char);
        rest = chars.as_str();
    }
    out.push('"');
}

#[cold]
fn write_escape(out: &mut String, char: char) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push('\\');
    match char {
        '"' | '\\' => out.push(char),
        '\u{8}' => out.push('b'),
        '\u{c}' => out.push('f'),
        '\n' => out.push('n'),
        '\r' => out.push('r'),
        '\t' => out.push('t'),
        _ => {
            let code = char as usize;
            out.push_str("u00");
            out.push(char::from(HEX[code >> 4 & 15]));
            out.push(char::from(HEX[code & 15]));
        }
    }
}
