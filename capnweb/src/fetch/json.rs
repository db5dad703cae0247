//! The members of an `init` that are plain data, as the JSON that they are on the wire.

use crate::{
    value::{Object, Value},
    wire::{
        MAX_DEPTH,
        http::Init,
        lex::{Cursor, LexError},
        write_string,
    },
};

/// Reads a value, which is JSON without white space.
///
/// # Errors
/// Where the text stops being JSON, or goes too deep.
fn read(text: &str) -> Result<Value, LexError> {
    let mut lex = Cursor::new(text);
    let value = read_at(&mut lex, 0)?;
    if lex.is_at_end() { Ok(value) } else { Err(lex.error("expected the end")) }
}

/// Reads the members of an `init` that are plain data: those that have no field.
///
/// # Errors
/// As [`read`].
pub(super) fn read_data(init: &Init<'_>, is_field: fn(&str) -> bool) -> Result<Object, LexError> {
    let data = init.members().filter(|(name, _)| !is_field(name));
    data.map(|(name, text)| Ok((name, read(text)?))).collect()
}

/// Writes members that are plain data behind the others of an `init`.
///
/// # Errors
/// A member that is a field, or holds what JSON has no word for.
pub(super) fn write_data(
    out: &mut String,
    data: &Object,
    is_field: fn(&str) -> bool,
) -> Result<(), String> {
    for (name, value) in data.iter().filter(|(_, value)| !matches!(value, Value::Undefined)) {
        if is_field(name) {
            return Err(format!("init.{name}: cannot be sent as plain data"));
        }
        write_name(out, 1, name);
        write(out, value).map_err(|problem| format!("init.{name}: {problem} cannot be sent"))?;
    }
    Ok(())
}

fn read_at(lex: &mut Cursor<'_>, depth: usize) -> Result<Value, LexError> {
    if depth > MAX_DEPTH {
        return Err(lex.error("nested too deep"));
    }
    match lex.peek() {
        Some(b'"') => Ok(Value::String(lex.string()?.into_owned())),
        Some(b'[') => {
            lex.step(1);
            let mut elements = Vec::new();
            while !lex.eat(b']') {
                if !elements.is_empty() {
                    lex.expect(b',')?;
                }
                elements.push(read_at(lex, depth + 1)?);
            }
            Ok(Value::Array(elements))
        }
        Some(b'{') => {
            lex.step(1);
            let mut members = Object::new();
            while !lex.eat(b'}') {
                if !members.is_empty() {
                    lex.expect(b',')?;
                }
                let name = lex.string()?.into_owned();
                lex.expect(b':')?;
                members.insert(name, read_at(lex, depth + 1)?);
            }
            Ok(Value::Object(members))
        }
        _ if lex.eat_text("null") => Ok(Value::Null),
        _ if lex.eat_text("true") => Ok(Value::Bool(true)),
        _ if lex.eat_text("false") => Ok(Value::Bool(false)),
        _ => {
            // Overflow gives an infinity, as in JavaScript.
            let number = lex.number()?.parse().unwrap_or(f64::INFINITY);
            Ok(Value::Number(number))
        }
    }
}

/// Writes a value.
///
/// # Errors
/// What it holds that JSON has no word for.
fn write(out: &mut String, value: &Value) -> Result<(), &'static str> {
    write_at(out, value, 0)
}

fn write_at(out: &mut String, value: &Value, depth: usize) -> Result<(), &'static str> {
    if depth > MAX_DEPTH {
        return Err("values nested too deep");
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(value) if value.is_finite() => {
            out.push_str(ryu_js::Buffer::new().format_finite(*value));
        }
        Value::String(value) => write_string(out, value),
        Value::Array(elements) => {
            out.push('[');
            for (i, element) in elements.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_at(out, element, depth + 1)?;
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            let start = out.len();
            for (name, value) in members.iter().filter(|(_, v)| !matches!(v, Value::Undefined)) {
                write_name(out, start, name);
                write_at(out, value, depth + 1)?;
            }
            out.push('}');
        }
        Value::Undefined => return Err("undefined in an array"),
        Value::Number(_) => return Err("a number that is not finite"),
        _ => return Err("a value that is not of JSON"),
    }
    Ok(())
}

/// Writes the name of a member of an object whose text begins at `start`.
pub(super) fn write_name(out: &mut String, start: usize, name: &str) {
    if out.len() > start {
        out.push(',');
    }
    write_string(out, name);
    out.push(':');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_comes_back_as_it_was() {
        for text in [r#"{"a":[1,[],{}],"b":null,"c":"é\n","d":true}"#, "[]", "{}", "-1.5"] {
            let mut out = String::new();
            write(&mut out, &read(text).unwrap()).unwrap();
            assert_eq!(out, text);
        }
        for text in ["", "[1", "{\"a\"}", "[1]]", "nul"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let text = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(read(&text).is_err());
    }
}
