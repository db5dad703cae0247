//! TypeScript's text.

use ts_rs::{TS, TypeVisitor};

use super::{
    comment::comment,
    declare::{Declare, Describe, interface_name, is_unit},
    integers::written,
};

/// How far a level is indented.
pub(super) const INDENT: &str = "  ";

/// Words that cannot name a parameter.
const RESERVED: &[&str] = &[
    "arguments",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "eval",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "implements",
    "import",
    "in",
    "instanceof",
    "interface",
    "let",
    "new",
    "null",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "static",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

/// The declaration of an interface, made of what it tells of itself.
#[derive(Default)]
pub(super) struct Interface {
    docs: Option<String>,
    bases: Vec<String>,
    members: String,
    /// What has been written of the parameters of the method that was begun; `None` for a getter.
    parameters: Option<Vec<String>>,
}

impl Interface {
    pub(super) fn comment(self) -> Option<String> {
        self.docs
    }

    pub(super) fn declaration(&self, name: &str) -> String {
        let bases = match &*self.bases {
            [] => "RpcTarget".to_owned(),
            bases => bases.join(", "),
        };
        let begin = if self.members.is_empty() { "" } else { "\n" };
        format!("interface {name} extends {bases} {{{begin}{}}}", self.members)
    }

    fn begin(&mut self, docs: &[&str]) {
        let comment = comment(docs.iter().flat_map(|text| text.split('\n')), INDENT);
        self.members.push_str(&comment);
        self.members.push_str(INDENT);
    }
}

impl Describe for Interface {
    fn docs(&mut self, lines: &[&str]) {
        let comment = comment(lines.iter().flat_map(|text| text.split('\n')), "");
        self.docs = Some(comment).filter(|comment| !comment.is_empty());
    }

    fn base<I: Declare + ?Sized + 'static>(&mut self) {
        self.bases.push(I::name());
    }

    fn method(&mut self, name: &str, docs: &[&str]) {
        self.begin(docs);
        self.members.push_str(&member_name(name));
        self.parameters = Some(Vec::new());
    }

    fn getter(&mut self, name: &str, docs: &[&str]) {
        self.begin(docs);
        self.members.push_str("readonly ");
        self.members.push_str(&member_name(name));
        self.parameters = None;
    }

    fn parameter<T: TS + 'static>(&mut self, name: &str, is_optional: bool) {
        let mark = if is_optional { "?" } else { "" };
        let parameter = format!("{}{mark}: {}", parameter_name(name), bare(&written::<T>()));
        self.parameters.get_or_insert_default().push(parameter);
    }

    fn result<T: TS + 'static>(&mut self) {
        if let Some(parameters) = self.parameters.take() {
            self.members.push_str(&format!("({})", parameters.join(", ")));
        }
        self.members.push_str(&format!(": {};\n", returned::<T>()));
    }
}

/// What a method returns: who implements the interface in TypeScript may do it at once or later,
/// and callers get a promise in both cases.
pub(super) fn returned<T: TS + 'static>() -> String {
    let value = if is_unit::<T>() { "void".to_owned() } else { written::<T>() };
    match &*value {
        // Contains promises.
        "unknown" => value,
        _ => format!("{value} | Promise<{}>", bare(&value)),
    }
}

/// A type as who is called gets it: objects are stubs.
pub(super) fn received<T: TS + 'static>() -> String {
    #[derive(Default)]
    struct Interfaces(Vec<String>);
    impl TypeVisitor for Interfaces {
        fn visit<T: TS + 'static + ?Sized>(&mut self) {
            self.0.extend(interface_name::<T>());
        }
    }
    let mut interfaces = Interfaces::default();
    interfaces.visit::<T>();
    T::visit_generics(&mut interfaces);

    let name = written::<T>();
    let mut text = String::with_capacity(name.len());
    let mut rest = &*name;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| !is_part_of_word(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(if end == 0 { first.len_utf8() } else { end });
        if interfaces.0.iter().any(|interface| interface == word) {
            text.push_str(&format!("RpcStub<{word}>"));
        } else {
            text.push_str(word);
        }
        rest = behind;
    }
    text
}

/// A type without the parentheses around all of it.
pub(super) fn bare(name: &str) -> &str {
    let Some(inner) = name.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else {
        return name;
    };
    let mut depth = 0_usize;
    for c in inner.chars() {
        match c {
            '(' => depth += 1,
            ')' => match depth.checked_sub(1) {
                Some(less) => depth = less,
                // The first one ends before the last.
                None => return name,
            },
            _ => {}
        }
    }
    inner
}

fn member_name(name: &str) -> String {
    if is_identifier(name) { name.to_owned() } else { quoted(name) }
}

/// Parameters are told apart by their place: another name changes nothing.
fn parameter_name(name: &str) -> String {
    if RESERVED.contains(&name) {
        format!("{name}_")
    } else if is_identifier(name) {
        name.to_owned()
    } else {
        format!("_{name}")
    }
}

fn is_identifier(name: &str) -> bool {
    name.chars().all(is_part_of_word)
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
}

pub(super) fn is_part_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn quoted(name: &str) -> String {
    let mut text = String::from("\"");
    for c in name.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            c if c.is_control() => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}
