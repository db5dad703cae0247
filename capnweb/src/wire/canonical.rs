//! JSON text without white space, without duplicate keys (the last one wins, as in JavaScript)
//! and without needless escapes.
//!
//! Serves the texts that JavaScript peers do not write, and error messages that quote one.

use std::collections::HashMap;

use super::{
    lex::{Cursor, LexError},
    text::write_string,
};

/// What is open around the current position.
enum Open {
    Array,
    Object(Members),
}

#[derive(Default)]
struct Members {
    /// Where the object begins in the output.
    start: usize,
    /// Key and value of each member so far, as a range of the output.
    ranges: Vec<(usize, usize)>,
    /// For each key the index of its range.
    by_key: HashMap<String, usize>,
    /// Later members that take the place of an earlier one: (earlier, later).
    replaced: Vec<(usize, usize)>,
    current: usize,
}

/// Canonicalises a JSON document of any depth, without recursion. Numbers stay as they are.
///
/// # Errors
/// Where the text stops being JSON.
pub(crate) fn canonicalise(text: &str) -> Result<String, LexError> {
    rewrite(text, |out, number| out.push_str(number))
}

/// The document as `JSON.stringify` would write it, for quoting it in an error message.
///
/// # Errors
/// Where the text stops being JSON.
pub(crate) fn quote(text: &str) -> Result<String, LexError> {
    rewrite(text, |out, number| match number.parse::<f64>() {
        Ok(number) if number.is_finite() => {
            out.push_str(ryu_js::Buffer::new().format_finite(number));
        }
        _ => out.push_str("null"),
    })
}

fn rewrite(text: &str, write_number: fn(&mut String, &str)) -> Result<String, LexError> {
    let mut lex = Cursor::new(text);
    let mut out = String::with_capacity(text.len());
    let mut open: Vec<Open> = Vec::new();
    // Set where the text may close the innermost array or object that has no elements yet.
    let mut empty = false;
    loop {
        // A value, or the end of what is open and still empty.
        lex.skip_space();
        let mut done = true;
        match lex.peek() {
            Some(b']') if empty && matches!(open.last(), Some(Open::Array)) => {
                lex.step(1);
                out.push(']');
                open.pop();
            }
            Some(b'}') if empty && matches!(open.last(), Some(Open::Object(_))) => {
                lex.step(1);
                out.push('}');
                open.pop();
            }
            _ => {
                if let Some(Open::Object(members)) = open.last_mut() {
                    key(&mut lex, &mut out, members)?;
                    lex.skip_space();
                }
                match lex.peek() {
                    Some(b'[') => {
                        lex.step(1);
                        out.push('[');
                        open.push(Open::Array);
                        done = false;
                    }
                    Some(b'{') => {
                        lex.step(1);
                        open.push(Open::Object(Members { start: out.len(), ..Members::default() }));
                        out.push('{');
                        done = false;
                    }
                    Some(b'"') => {
                        let string = lex.string()?;
                        write_string(&mut out, &string);
                    }
                    Some(b'-' | b'0'..=b'9') => write_number(&mut out, lex.number()?),
                    _ => {
                        let literal = ["null", "true", "false"];
                        match literal.into_iter().find(|literal| lex.eat_text(literal)) {
                            Some(literal) => out.push_str(literal),
                            None => return Err(lex.error("expected a value")),
                        }
                    }
                }
            }
        }
        empty = !done;
        // What follows a complete value: the ends of what is open, or a comma.
        while done {
            lex.skip_space();
            match (open.last_mut(), lex.peek()) {
                (None, None) => return Ok(out),
                (Some(Open::Array), Some(b']')) => {
                    lex.step(1);
                    out.push(']');
                    open.pop();
                }
                (Some(Open::Object(members)), Some(b'}')) => {
                    lex.step(1);
                    members.close(&mut out);
                    out.push('}');
                    open.pop();
                }
                (Some(Open::Array), Some(b',')) => {
                    lex.step(1);
                    out.push(',');
                    done = false;
                }
                (Some(Open::Object(members)), Some(b',')) => {
                    lex.step(1);
                    members.end_member(out.len());
                    out.push(',');
                    done = false;
                }
                _ => return Err(lex.error("unexpected character")),
            }
        }
    }
}

fn key(lex: &mut Cursor<'_>, out: &mut String, members: &mut Members) -> Result<(), LexError> {
    if lex.peek() != Some(b'"') {
        return Err(lex.error("expected a property name"));
    }
    members.current = out.len();
    let key = lex.string()?;
    write_string(out, &key);
    lex.skip_space();
    if lex.peek() != Some(b':') {
        return Err(lex.error("expected a colon"));
    }
    lex.step(1);
    out.push(':');
    let index = members.ranges.len();
    match members.by_key.get(&*key) {
        Some(&earlier) => members.replaced.push((earlier, index)),
        None => {
            members.by_key.insert(key.into_owned(), index);
        }
    }
    Ok(())
}

impl Members {
    fn end_member(&mut self, end: usize) {
        self.ranges.push((self.current, end));
    }

    /// Ends the last member, and writes the object anew if a key stood in it more than once.
    fn close(&mut self, out: &mut String) {
        self.end_member(out.len());
        if self.replaced.is_empty() {
            return;
        }
        let mut order: Vec<usize> = (0..self.ranges.len()).collect();
        for &(earlier, later) in &self.replaced {
            order[earlier] = later;
            order[later] = usize::MAX;
        }
        let mut object = String::from("{");
        for &index in order.iter().filter(|&&index| index != usize::MAX) {
            if object.len() > 1 {
                object.push(',');
            }
            let (from, to) = self.ranges[index];
            object.push_str(&out[from..to]);
        }
        out.truncate(self.start);
        out.push_str(&object);
    }
}

#[cfg(test)]
mod tests {
    use super::canonicalise;

    #[test]
    fn keeps_compact_json() {
        for text in ["1", "[]", "{}", "[[],{}]", r#"{"a":[1,{"b":null}],"c":"x"}"#, "true"] {
            assert_eq!(canonicalise(text).unwrap(), text);
        }
    }

    #[test]
    fn drops_space_and_needless_escapes() {
        assert_eq!(canonicalise(" [ 1 , { \"\\u0061\" : [ ] } ]\r\n").unwrap(), r#"[1,{"a":[]}]"#);
    }

    #[test]
    fn the_last_of_equal_keys_wins() {
        assert_eq!(
            canonicalise(r#"{"a":1,"b":{"x":1,"x":2},"a":[3],"\u0061":4}"#).unwrap(),
            r#"{"a":4,"b":{"x":2}}"#
        );
    }

    #[test]
    fn refuses_what_is_no_json() {
        for text in
            ["", " ", "[", "[1", "[1,]", "{\"a\"}", "{\"a\":}", "1 2", "]", "[}", "{]", "nul"]
        {
            assert!(canonicalise(text).is_err(), "{text}");
        }
    }

    #[test]
    fn deep_nesting_needs_no_stack() {
        let text = "[".repeat(1 << 20) + &"]".repeat(1 << 20);
        assert_eq!(canonicalise(&text).unwrap(), text);
    }
}
