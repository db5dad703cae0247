//! Doc comments, as TypeScript's tools read them.

/// A comment of these lines, each with the space that Rust leaves in front; nothing if there are
/// none.
pub(super) fn comment<'a>(lines: impl Iterator<Item = &'a str>, indent: &str) -> String {
    let lines: Vec<_> =
        lines.map(|line| text(line.strip_prefix(' ').unwrap_or(line).trim_end())).collect();
    let is_empty = |line: &&String| line.is_empty();
    let begin = lines.iter().take_while(is_empty).count();
    let end = lines.len() - lines[begin..].iter().rev().take_while(is_empty).count();
    match &lines[begin..end] {
        [] => String::new(),
        [line] => format!("{indent}/** {line} */\n"),
        lines => {
            let mut text = format!("{indent}/**\n");
            for line in lines {
                text.push_str(format!("{indent} * {line}").trim_end());
                text.push('\n');
            }
            text.push_str(&format!("{indent} */\n"));
            text
        }
    }
}

/// The lines of a comment that has been written already, without what makes it one.
pub(super) fn lines_of(comment: &str) -> impl Iterator<Item = &str> {
    let comment = comment.trim();
    let inner = comment.strip_prefix("/**").unwrap_or(comment);
    let inner = inner.strip_suffix("*/").unwrap_or(inner);
    inner.lines().map(|line| line.trim_start().strip_prefix('*').unwrap_or(line))
}

/// A line that does not end the comment, and without links that only Rust's documentation has.
fn text(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, behind)) = rest.split_once('[') {
        text.push_str(before);
        match link(behind) {
            Some((name, behind)) => {
                text.push_str(name);
                rest = behind;
            }
            None => {
                text.push('[');
                rest = behind;
            }
        }
    }
    text.push_str(rest);
    text.replace("*/", "*\\/")
}

/// What a link to an item is called, and what comes behind it: `` [`name`] `` and
/// `[name](path::to::item)`.
fn link(behind_bracket: &str) -> Option<(&str, &str)> {
    let (name, behind) = behind_bracket.split_once(']')?;
    if let Some((target, behind)) = behind.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        let is_item = target.chars().all(|c| c.is_alphanumeric() || "_:@!".contains(c));
        return is_item.then_some((name, behind));
    }
    let is_code = name.len() > 2 && name.starts_with('`') && name.ends_with('`');
    is_code.then_some((name, behind))
}
