//! The names under which an interface's methods appear in errors.

use crate::{
    error::{Error, ErrorKind},
    path::Key,
};

/// A method of an interface.
#[doc(hidden)]
#[derive(Debug)]
pub struct Method {
    /// The trait's name.
    interface: &'static str,
    /// The method's name on the wire.
    pub(crate) name: &'static str,
    /// Whether it is a property that is read, and not called.
    is_getter: bool,
}

impl Method {
    /// A method of an interface.
    pub const fn new(interface: &'static str, name: &'static str) -> Self {
        Self { interface, name, is_getter: false }
    }

    /// A property of an interface.
    pub const fn getter(interface: &'static str, name: &'static str) -> Self {
        Self { interface, name, is_getter: true }
    }

    /// Adds the interface, the method, and which property of its result was asked for, to an error
    /// that says nothing about the method's own work: that it isn't there, or that its result is
    /// not what the interface says.
    pub(crate) fn explain(&self, property: &[Key], error: Error) -> Error {
        let Self { interface, name, .. } = self;
        let missing = error.kind() == ErrorKind::Thrown
            && error.name() == "TypeError"
            && is_about(error.message(), name);
        if !missing && error.kind() != ErrorKind::Decode {
            return error;
        }
        let mut place = format!("{interface}.{name}");
        for key in self.behind(property) {
            place.push_str(&format!(".{key}"));
        }
        Error::of_kind(error.kind(), "TypeError", format_args!("{place}: {}", error.message()))
    }

    /// What of a path comes behind this method: all of it, as a call begins a new one, but for a
    /// getter only what follows its own name.
    fn behind<'a>(&self, path: &'a [Key]) -> &'a [Key] {
        let is_own = |key: &Key| matches!(key, Key::Name(name) if **name == *self.name);
        let own = path.iter().position(is_own).filter(|_| self.is_getter);
        own.map_or(path, |at| &path[at + 1..])
    }
}

/// Whether the message is the one with which peers answer a call of what isn't there, of this name
/// or one behind it.
fn is_about(message: &str, name: &str) -> bool {
    message
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix("' is not a function."))
        .and_then(|path| path.strip_prefix(name))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
