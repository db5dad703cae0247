//! Laying out what is declared on one line.
//!
//! The crate `ts-rs` writes a type on one line, with the comments of its fields in between. Here it
//! becomes lines that can be read, where one is not enough.

use super::{
    comment::{comment, lines_of},
    text::INDENT,
};

/// How long a line may be.
const WIDTH: usize = 100;

/// A part of a type.
enum Piece<'a> {
    Text(&'a str),
    /// What stands between braces.
    Object(Vec<Field<'a>>),
}

struct Field<'a> {
    comments: Vec<&'a str>,
    /// Its name and its type.
    pieces: Vec<Piece<'a>>,
}

/// `type Name = ...;`, laid out.
pub(super) fn alias(declaration: &str) -> String {
    let declaration = declaration.trim_end().trim_end_matches(';');
    let Some((head, body)) = declaration.split_once('=') else {
        return format!("{declaration};");
    };
    let head = head.trim_end();
    let pieces = Reader { rest: body }.pieces(&[]);
    let line = flat(&pieces).filter(|line| fits(line, head.len() + "export  = ;".len()));
    if let Some(line) = line {
        return format!("{head} = {line};");
    }
    let alternatives = alternatives(pieces);
    if let [pieces] = &*alternatives {
        return format!("{head} = {};", lines(pieces, 0));
    }
    let mut text = format!("{head} =");
    for pieces in &alternatives {
        text.push_str(&format!("\n{INDENT}| {}", laid_out(pieces, 1, "| ;".len())));
    }
    text.push(';');
    text
}

/// On one line, if that will do for so much beside it.
fn laid_out(pieces: &[Piece<'_>], level: usize, beside: usize) -> String {
    let beside = beside + level * INDENT.len();
    let line = flat(pieces).filter(|line| fits(line, beside));
    line.unwrap_or_else(|| lines(pieces, level))
}

fn fits(line: &str, beside: usize) -> bool {
    line.chars().count() + beside <= WIDTH
}

/// On one line; `None` if there are comments in it, which need lines of their own.
fn flat(pieces: &[Piece<'_>]) -> Option<String> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(piece) => text.push_str(piece),
            Piece::Object(fields) if fields.is_empty() => text.push_str("{}"),
            Piece::Object(fields) => {
                let fields: Option<Vec<_>> = fields
                    .iter()
                    .map(|field| flat(&field.pieces).filter(|_| field.comments.is_empty()))
                    .collect();
                text.push_str(&format!("{{ {} }}", fields?.join("; ")));
            }
        }
    }
    Some(text.trim().to_owned())
}

/// With each field of an object on a line of its own.
fn lines(pieces: &[Piece<'_>], level: usize) -> String {
    let outer = INDENT.repeat(level);
    let inner = INDENT.repeat(level + 1);
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(piece) => text.push_str(piece),
            Piece::Object(fields) => {
                text.push_str("{\n");
                for field in fields {
                    for raw in &field.comments {
                        text.push_str(&comment(lines_of(raw), &inner));
                    }
                    let field = laid_out(&field.pieces, level + 1, 1);
                    text.push_str(&format!("{inner}{field};\n"));
                }
                text.push_str(&format!("{outer}}}"));
            }
        }
    }
    text.trim().to_owned()
}

/// The members of a union.
fn alternatives(pieces: Vec<Piece<'_>>) -> Vec<Vec<Piece<'_>>> {
    let mut all = vec![Vec::new()];
    let mut depth = 0_usize;
    for piece in pieces {
        let Piece::Text(text) = piece else {
            all.last_mut().expect("there is always one").push(piece);
            continue;
        };
        let mut begin = 0;
        for (at, c) in outside_of_strings(text) {
            match c {
                '(' | '[' | '<' => depth += 1,
                ')' | ']' => depth = depth.saturating_sub(1),
                '>' if !text[..at].ends_with('=') => depth = depth.saturating_sub(1),
                '|' if depth == 0 => {
                    let last = all.last_mut().expect("there is always one");
                    last.push(Piece::Text(&text[begin..at]));
                    all.push(Vec::new());
                    begin = at + 1;
                }
                _ => {}
            }
        }
        all.last_mut().expect("there is always one").push(Piece::Text(&text[begin..]));
    }
    all
}

/// The characters that are in no string, with their places.
fn outside_of_strings(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut in_string = false;
    let mut is_escaped = false;
    text.char_indices().filter(move |&(_, c)| {
        let was_in_string = in_string;
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if in_string => is_escaped = true,
            '"' => in_string = !in_string,
            _ => {}
        }
        !was_in_string && c != '"'
    })
}

/// Takes a type apart.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Reads up to one of these characters, which is left, or to the end.
    fn pieces(&mut self, until: &[char]) -> Vec<Piece<'a>> {
        let mut pieces = Vec::new();
        let mut depth = 0_usize;
        loop {
            let text = self.rest;
            let end = outside_of_strings(text).find(|&(at, c)| {
                if depth == 0 && until.contains(&c) || c == '{' {
                    return true;
                }
                match c {
                    '(' | '[' | '<' => depth += 1,
                    ')' | ']' => depth = depth.saturating_sub(1),
                    '>' if !text[..at].ends_with('=') => depth = depth.saturating_sub(1),
                    _ => {}
                }
                false
            });
            let (text, rest) = text.split_at(end.map_or(text.len(), |(at, _)| at));
            if !text.is_empty() {
                pieces.push(Piece::Text(text));
            }
            match rest.strip_prefix('{') {
                Some(rest) => {
                    self.rest = rest;
                    pieces.push(Piece::Object(self.fields()));
                }
                None => {
                    self.rest = rest;
                    return pieces;
                }
            }
        }
    }

    /// Reads what is behind a brace, and the brace that closes it.
    fn fields(&mut self) -> Vec<Field<'a>> {
        let mut fields = Vec::new();
        loop {
            let mut comments = Vec::new();
            self.rest = self.rest.trim_start();
            while let Some((comment, rest)) =
                self.rest.strip_prefix("/**").and_then(|rest| rest.split_once("*/"))
            {
                comments.push(comment);
                self.rest = rest.trim_start();
            }
            let pieces = self.pieces(&[',', '}']);
            if !pieces
                .iter()
                .all(|piece| matches!(piece, Piece::Text(text) if text.trim().is_empty()))
            {
                fields.push(Field { comments, pieces });
            }
            match self.rest.strip_prefix(',') {
                Some(rest) => self.rest = rest,
                None => {
                    self.rest = self.rest.strip_prefix('}').unwrap_or_default();
                    return fields;
                }
            }
        }
    }
}
