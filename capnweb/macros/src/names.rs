//! Names on the wire.

use syn::{Ident, LitStr, ext::IdentExt};

/// The ways to make a name of the wire from a name in Rust, as serde names them.
#[derive(Clone, Copy)]
pub(crate) enum Rule {
    Unchanged,
    Lower,
    Upper,
    Pascal,
    Camel,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

impl Rule {
    pub(crate) fn read(name: &LitStr) -> syn::Result<Self> {
        Ok(match name.value().as_str() {
            "snake_case" => Self::Unchanged,
            "lowercase" => Self::Lower,
            "UPPERCASE" => Self::Upper,
            "PascalCase" => Self::Pascal,
            "camelCase" => Self::Camel,
            "SCREAMING_SNAKE_CASE" => Self::ScreamingSnake,
            "kebab-case" => Self::Kebab,
            "SCREAMING-KEBAB-CASE" => Self::ScreamingKebab,
            other => {
                let text = format!(
                    "no such case: {other:?}; there are \"camelCase\", \"snake_case\", \
                     \"PascalCase\", \"kebab-case\", \"lowercase\", \"UPPERCASE\", \
                     \"SCREAMING_SNAKE_CASE\" and \"SCREAMING-KEBAB-CASE\""
                );
                return Err(syn::Error::new(name.span(), text));
            }
        })
    }

    /// The name of a method or field, which is in snake case.
    pub(crate) fn apply(self, ident: &Ident) -> String {
        let name = ident.unraw().to_string();
        match self {
            Self::Unchanged | Self::Lower => name,
            Self::Upper | Self::ScreamingSnake => name.to_ascii_uppercase(),
            Self::Kebab => name.replace('_', "-"),
            Self::ScreamingKebab => name.to_ascii_uppercase().replace('_', "-"),
            Self::Pascal => pascal(&name),
            Self::Camel => {
                let pascal = pascal(&name);
                let mut chars = pascal.chars();
                let first = chars.next().map(|c| c.to_ascii_lowercase());
                first.into_iter().chain(chars).collect()
            }
        }
    }
}

fn pascal(name: &str) -> String {
    let mut pascal = String::with_capacity(name.len());
    let mut begins = true;
    for c in name.chars() {
        if c == '_' {
            begins = true;
        } else if begins {
            pascal.push(c.to_ascii_uppercase());
            begins = false;
        } else {
            pascal.push(c);
        }
    }
    pascal
}
