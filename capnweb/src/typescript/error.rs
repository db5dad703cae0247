//! Why there are no declarations.

use std::{error::Error as StdError, fmt, io, path::PathBuf};

/// What is wrong with a set of interfaces and data types, or with the file of their declarations.
#[non_exhaustive]
pub enum DeclareError {
    /// Two types have one name.
    NameTaken {
        /// The name in TypeScript.
        name: String,
        /// A Rust type of this name.
        first: String,
        /// Another one, or what TypeScript itself calls so.
        second: String,
    },
    /// A type has integers of 64 bits, which are numbers on the wire, and of 128 bits, which are
    /// bigints, and they cannot be told apart.
    MixedIntegers {
        /// The Rust type.
        type_name: String,
    },
    /// A type has a `()` in it, which is `undefined` on the wire, but would be written as `null`.
    Unit {
        /// The Rust type.
        type_name: String,
    },
    /// A type has no data: it is `undefined` on the wire, but would be written as `null`.
    UnitStruct {
        /// The Rust type.
        type_name: String,
    },
    /// A type can be sent, but `ts-rs` has no words for it: it panicked, and has said so on the
    /// standard error stream, too. With `panic = "abort"` the program ends there.
    Undeclarable {
        /// The Rust type.
        type_name: String,
        /// What `ts-rs` says of it.
        reason: String,
    },
    /// The file holds something else than the declarations as they are now.
    NotCurrent {
        /// The file.
        path: PathBuf,
        /// The first line that differs, counted from 1.
        line: usize,
        /// What this line would be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The file cannot be read or written.
    Io {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        error: io::Error,
    },
}

impl fmt::Display for DeclareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameTaken { name, first, second } => write!(
                f,
                "{first} and {second} are both called {name} in TypeScript: rename one of them, \
                 data with `#[ts(rename = \"..\")]`, an interface with \
                 `#[capnweb::interface(typescript = \"..\")]`"
            ),
            Self::MixedIntegers { type_name } => write!(
                f,
                "{type_name} has integers of 64 bits, which are numbers, and of 128 bits, which \
                 are bigints, and they cannot be told apart: write `#[ts(type = \"bigint\")]` on \
                 the fields of 128 bits"
            ),
            Self::Unit { type_name } => write!(
                f,
                "{type_name} has a `()` in it, which is sent as undefined: write \
                 `#[ts(type = \"undefined\")]` on the field"
            ),
            Self::UnitStruct { type_name } => write!(
                f,
                "{type_name} has no data, and is sent as undefined: write \
                 `#[ts(type = \"undefined\")]` on it"
            ),
            Self::Undeclarable { type_name, reason } => write!(
                f,
                "{type_name} has no declaration, because {reason}: write what it is, with \
                 `#[ts(type = \"..\")]` or `#[ts(as = \"..\")]` on the type, or leave the field \
                 out, with `#[ts(skip)]`"
            ),
            Self::NotCurrent { path, line, expected, found } => write!(
                f,
                "{} is not current: line {line} is {found:?} and should be {expected:?}; a test writes \
                 it with {}=1 in the environment, and a program without --check",
                path.display(),
                super::UPDATE,
            ),
            Self::Io { path, error } => write!(f, "{}: {error}", path.display()),
        }
    }
}

/// The same text as for [`Display`](fmt::Display): it is what a test prints that unwraps or
/// returns the error.
impl fmt::Debug for DeclareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for DeclareError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}
