//! Reading JSON text token by token.
//!
//! Owns the lexical grammar: strings, numbers, literals, white space, and how to step over a whole
//! value. Knows nothing of what the tokens mean, nor of nesting rules: those are its callers'.
//!
//! Two kinds of callers share it. The scanner reads text from a peer, and relies on
//! [`Cursor::skip_string`] and [`Cursor::number`] accepting exactly what JSON accepts. The decoder
//! and the navigator read text that has been scanned, and use the shortcuts: [`Cursor::skip_value`]
//! checks no more than it must to find the end. Neither can panic on any text.

use std::{borrow::Cow, fmt};

/// A position in JSON text, moved forward by reading.
///
/// After an error the position is unspecified, but valid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    /// Always at a character boundary: only ASCII bytes and whole strings are stepped over.
    pos: usize,
}

/// Text that is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LexError {
    /// Byte offset of what was found wrong.
    pub(crate) at: usize,
    /// What was found wrong there.
    pub(crate) problem: &'static str,
}

/// What a string holds besides plain characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StringTraits {
    /// There are escapes: the characters differ from the text.
    pub(crate) escaped: bool,
    /// There is an escape that is half of a surrogate pair, which no Rust string can hold.
    pub(crate) lone_surrogate: bool,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of the text.
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, pos: 0 }
    }

    /// A cursor at a byte offset, which must be at a character boundary; if it isn't, every read
    /// reports the end of the text.
    pub(crate) fn at(text: &'a str, pos: usize) -> Self {
        Self { text, pos: if text.is_char_boundary(pos) { pos } else { text.len() } }
    }

    /// A cursor at an earlier position of this one.
    pub(crate) fn back_to(&self, pos: usize) -> Self {
        Self::at(self.text, pos)
    }

    /// The byte offset of what is read next.
    pub(crate) fn pos(&self) -> usize {
        self.pos
    }

    /// The text that has not been read.
    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.pos..).unwrap_or_default()
    }

    /// The text between a position of this cursor's past and here.
    pub(crate) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.pos).unwrap_or_default()
    }

    /// Whether all text has been read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.pos >= self.text.len()
    }

    /// The next byte, left in place.
    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.pos).copied()
    }

    /// Steps over this ASCII byte if it is next.
    #[inline]
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte) && byte.is_ascii();
        self.pos += usize::from(next);
        next
    }

    /// Steps over this text if it is next.
    pub(crate) fn eat_text(&mut self, text: &str) -> bool {
        let next = self
            .text
            .as_bytes()
            .get(self.pos..)
            .is_some_and(|rest| rest.starts_with(text.as_bytes()));
        if next {
            self.pos += text.len();
        }
        next
    }

    /// Steps over this many bytes, which the caller has seen to be ASCII.
    #[inline]
    pub(crate) fn step(&mut self, len: usize) {
        if self.text.is_char_boundary(self.pos + len) {
            self.pos += len;
        }
    }

    /// Steps over this punctuation mark.
    ///
    /// # Errors
    /// If something else is next.
    #[inline]
    pub(crate) fn expect(&mut self, mark: u8) -> Result<(), LexError> {
        if self.eat(mark) { Ok(()) } else { Err(self.missing(mark)) }
    }

    /// Steps over JSON's white space.
    pub(crate) fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.pos += 1;
        }
    }

    /// Reads a string. A lone surrogate reads as U+FFFD.
    ///
    /// # Errors
    /// If what is next is no JSON string.
    pub(crate) fn string(&mut self) -> Result<Cow<'a, str>, LexError> {
        self.expect(b'"')?;
        let start = self.pos;
        self.pos += plain_len(self.bytes());
        let plain = self.since(start);
        if self.eat(b'"') {
            return Ok(Cow::Borrowed(plain));
        }
        self.rest_of_string(plain).map(Cow::Owned)
    }

    /// Steps over a string and says what is in it.
    ///
    /// # Errors
    /// If what is next is no JSON string.
    pub(crate) fn skip_string(&mut self) -> Result<StringTraits, LexError> {
        let mut traits = StringTraits::default();
        self.expect(b'"')?;
        loop {
            self.pos += plain_len(self.bytes());
            match self.peek() {
                Some(b'"') => {
                    self.pos += 1;
                    return Ok(traits);
                }
                Some(b'\\') => {
                    traits.escaped = true;
                    traits.lone_surrogate |= self.escape()?.is_none();
                }
                _ => return Err(self.bad_character()),
            }
        }
    }

    /// Reads a number's text.
    ///
    /// # Errors
    /// If what is next is no JSON number. What follows the number is not looked at.
    pub(crate) fn number(&mut self) -> Result<&'a str, LexError> {
        let start = self.pos;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            self.digits()?;
        }
        Ok(self.since(start))
    }

    /// Steps over one whole value, however deep, without recursion. Checks only what it must to
    /// find the end: brackets are counted, not matched.
    ///
    /// # Errors
    /// If the text ends before the value, a string is malformed, or there is no value.
    pub(crate) fn skip_value(&mut self) -> Result<(), LexError> {
        let mut open = 0_usize;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.skip_string()?;
                }
                Some(b'[' | b'{') => {
                    open += 1;
                    self.pos += 1;
                    continue;
                }
                Some(b']' | b'}') if open > 0 => {
                    open -= 1;
                    self.pos += 1;
                }
                Some(b',' | b':') if open > 0 => {
                    self.pos += 1;
                    continue;
                }
                Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') => {
                    let word = self.bytes().iter().take_while(|b| is_word(**b)).count();
                    self.pos += word;
                }
                Some(b' ' | b'\t' | b'\n' | b'\r') => {
                    self.pos += 1;
                    continue;
                }
                _ => return Err(self.error("expected a value")),
            }
            if open == 0 {
                return Ok(());
            }
        }
    }

    /// An error about what is next.
    pub(crate) fn error(&self, problem: &'static str) -> LexError {
        LexError { at: self.pos, problem }
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.pos..).unwrap_or_default()
    }

    fn digits(&mut self) -> Result<(), LexError> {
        let count = self.bytes().iter().take_while(|b| b.is_ascii_digit()).count();
        if count == 0 {
            return Err(self.error("expected a digit"));
        }
        self.pos += count;
        Ok(())
    }

    /// Reads on in a string that is not all plain.
    #[cold]
    fn rest_of_string(&mut self, plain: &str) -> Result<String, LexError> {
        let mut out = String::with_capacity(plain.len() + 16);
        out.push_str(plain);
        loop {
            let start = self.pos;
            self.pos += plain_len(self.bytes());
            out.push_str(self.since(start));
            match self.peek() {
                Some(b'"') => {
                    self.pos += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?.unwrap_or(char::REPLACEMENT_CHARACTER)),
                _ => return Err(self.bad_character()),
            }
        }
    }

    /// Reads one escape, or both of a surrogate pair; `None` is a lone surrogate.
    fn escape(&mut self) -> Result<Option<char>, LexError> {
        self.expect(b'\\')?;
        let plain = match self.peek() {
            Some(b'u') => return self.unicode_escape(),
            Some(mark @ (b'"' | b'\\' | b'/')) => char::from(mark),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return Err(self.error("expected one of JSON's escapes")),
        };
        self.pos += 1;
        Ok(Some(plain))
    }

    fn unicode_escape(&mut self) -> Result<Option<char>, LexError> {
        self.expect(b'u')?;
        let unit = self.hex4()?;
        if !(0xd800..0xdc00).contains(&unit) {
            return Ok(char::from_u32(unit));
        }
        let mut ahead = *self;
        if ahead.eat_text("\\u")
            && let Ok(low @ 0xdc00..0xe000) = ahead.hex4()
        {
            *self = ahead;
            return Ok(char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)));
        }
        Ok(None)
    }

    fn hex4(&mut self) -> Result<u32, LexError> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            unit = unit << 4 | digit.ok_or_else(|| self.error("expected a hexadecimal digit"))?;
            self.pos += 1;
        }
        Ok(unit)
    }

    #[cold]
    fn bad_character(&self) -> LexError {
        self.error(match self.peek() {
            None => "the text ends within a string",
            Some(_) => "a control character within a string",
        })
    }

    #[cold]
    fn missing(&self, mark: u8) -> LexError {
        self.error(match mark {
            b'"' => "expected a string",
            b'[' => "expected an array",
            b']' => "expected the end of an array",
            b'{' => "expected an object",
            b'}' => "expected the end of an object",
            b':' => "expected a colon",
            b',' => "expected a comma",
            _ => "expected something else",
        })
    }
}

/// How many bytes stand before the first that a JSON string can't hold as it is: a quote, a
/// backslash or a control character.
pub(crate) fn plain_len(bytes: &[u8]) -> usize {
    const fn each(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }
    // The high bit of each byte that is smaller than `limit`. A borrow can set wrong bits above
    // the first right one, never below it.
    const fn below(word: u64, limit: u8) -> u64 {
        word.wrapping_sub(each(limit)) & !word & each(0x80)
    }
    let (words, tail) = bytes.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let hits = below(word, 0x20) | below(word ^ each(b'"'), 1) | below(word ^ each(b'\\'), 1);
        if hits != 0 {
            return i * 8 + hits.trailing_zeros() as usize / 8;
        }
    }
    let special = tail.iter().position(|b| matches!(b, b'"' | b'\\' | 0..0x20));
    words.len() * 8 + special.unwrap_or(tail.len())
}

fn is_word(byte: u8) -> bool {
    matches!(byte, b'-' | b'+' | b'.') || byte.is_ascii_alphanumeric()
}

impl fmt::Display for LexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.problem, self.at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn string(text: &str) -> Result<String, LexError> {
        let mut cursor = Cursor::new(text);
        let read = cursor.string()?;
        assert!(cursor.is_at_end(), "{text}");
        Ok(read.into_owned())
    }

    #[test]
    fn strings_without_escapes_are_borrowed() {
        let text = "\"a string of more than eight bytes, ünïcode\"";
        assert!(matches!(Cursor::new(text).string(), Ok(Cow::Borrowed(_))));
    }

    #[test]
    fn lone_surrogates_read_as_replacement_characters_and_are_reported() {
        for (text, expected) in [
            (r#""\ud800""#, "\u{fffd}"),
            (r#""\udc00x""#, "\u{fffd}x"),
            (r#""\ud800\ud83d\ude00""#, "\u{fffd}\u{1f600}"),
            (r#""\ud800\u0041""#, "\u{fffd}A"),
        ] {
            assert_eq!(string(text).unwrap(), expected);
            let traits = Cursor::new(text).skip_string().unwrap();
            assert_eq!(traits, StringTraits { escaped: true, lone_surrogate: true });
        }
        let pair = Cursor::new(r#""\ud83d\ude00""#).skip_string().unwrap();
        assert_eq!(pair, StringTraits { escaped: true, lone_surrogate: false });
    }

    #[test]
    fn malformed_strings_say_where() {
        for (text, at) in [
            ("\"abc", 4),
            ("\"a\nb\"", 2),
            ("\"long enough for words\u{1}\"", 22),
            (r#""\x""#, 2),
            (r#""\u12g4""#, 5),
            ("x", 0),
        ] {
            assert_eq!(string(text).unwrap_err().at, at, "{text:?}");
            assert_eq!(Cursor::new(text).skip_string().unwrap_err().at, at, "{text:?}");
        }
    }

    #[test]
    fn numbers_follow_the_json_grammar() {
        for good in ["0", "-0", "10", "1.5", "0.25e10", "1E-7", "1e+21"] {
            let mut cursor = Cursor::new(good);
            assert_eq!(cursor.number(), Ok(good));
            assert!(cursor.is_at_end());
        }
        for (bad, at) in [("-", 1), ("1.", 2), (".5", 0), ("1e", 2), ("1e+", 3), ("+1", 0)] {
            assert_eq!(Cursor::new(bad).number().unwrap_err().at, at, "{bad}");
        }
        let mut cursor = Cursor::new("01");
        assert_eq!(cursor.number(), Ok("0"));
        assert_eq!(cursor.peek(), Some(b'1'));
    }

    #[test]
    fn skipping_a_deep_value_needs_no_stack() {
        let text = "[".repeat(1_000_000) + &"]".repeat(1_000_000) + ",1";
        let mut cursor = Cursor::new(&text);
        cursor.skip_value().unwrap();
        assert_eq!(cursor.rest(), ",1");
        assert!(Cursor::new("[[1,2]").skip_value().is_err());
        assert!(Cursor::new("").skip_value().is_err());
        assert!(Cursor::new("]").skip_value().is_err());
    }

    proptest! {
        #[test]
        fn strings_read_as_serde_json_reads_them(content in any::<String>()) {
            let text = serde_json::to_string(&content).unwrap();
            prop_assert_eq!(string(&text).unwrap(), content);
        }

        #[test]
        fn strings_are_refused_where_serde_json_refuses_them(inner in r#"[a-c"\\u0-9\x00-\x21é]{0,12}"#) {
            let text = format!("\"{inner}\"");
            let mut cursor = Cursor::new(&text);
            let ours = cursor.string().ok().filter(|_| cursor.is_at_end());
            let theirs = serde_json::from_str::<String>(&text).ok();
            prop_assert_eq!(ours.map(Cow::into_owned), theirs);
        }

        #[test]
        fn numbers_are_refused_where_serde_json_refuses_them(text in "-?[0-9]{0,3}[.]?[0-9]{0,2}[eE]?[+-]?[0-9]{0,2}") {
            let mut cursor = Cursor::new(&text);
            let ours = cursor.number().is_ok() && cursor.is_at_end();
            prop_assert_eq!(ours, serde_json::from_str::<f64>(&text).is_ok());
        }

        #[test]
        fn any_text_can_be_read_without_a_panic(text in any::<String>(), at in 0..20_usize) {
            let cursor = Cursor::at(&text, at);
            let _ = { cursor }.string();
            let _ = { cursor }.skip_string();
            let _ = { cursor }.number();
            let _ = { cursor }.skip_value();
        }
    }
}
