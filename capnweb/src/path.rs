//! Property paths: which member of a stub or promise is meant.

use std::fmt;

/// One step of a property path: a name, or an index into an array.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// A property or method name.
    Name(Box<str>),
    /// An index into an array.
    Index(u32),
}

/// A property path, outermost step first.
pub type Path = Vec<Key>;

impl From<&str> for Key {
    fn from(name: &str) -> Self {
        Key::Name(name.into())
    }
}

impl From<String> for Key {
    fn from(name: String) -> Self {
        Key::Name(name.into())
    }
}

impl From<u32> for Key {
    fn from(index: u32) -> Self {
        Key::Index(index)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Name(name) => f.write_str(name),
            Key::Index(index) => write!(f, "{index}"),
        }
    }
}

/// How many bytes it keeps.
pub(crate) fn size(path: &[Key]) -> usize {
    let names = path.iter().map(|key| match key {
        Key::Name(name) => name.len(),
        Key::Index(_) => 0,
    });
    names.fold(std::mem::size_of_val(path), usize::saturating_add)
}

/// Writes a path the way JavaScript error messages name it: `a.b.0`.
pub(crate) fn display(path: &[Key]) -> impl fmt::Display + '_ {
    struct Dotted<'a>(&'a [Key]);
    impl fmt::Display for Dotted<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            for (i, key) in self.0.iter().enumerate() {
                if i > 0 {
                    f.write_str(".")?;
                }
                key.fmt(f)?;
            }
            Ok(())
        }
    }
    Dotted(path)
}
