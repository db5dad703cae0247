//! The wire's text: JSON, messages and expressions.
//!
//! Pure functions from text and to text. Knows no tables, no sessions and no I/O.

mod canonical;
pub(crate) mod http;
pub(crate) mod lex;
mod limits;
mod scan;
mod text;
pub(crate) mod write;

pub(crate) use canonical::canonicalise;
pub use limits::Limits;
pub(crate) use limits::MAX_DEPTH;
pub(crate) use scan::{
    Capture, Expr, Id, Message, Ref, RefKind, expression, instructions, message,
};
pub(crate) use text::{PRIVATE_PREFIX, is_forbidden_key, write_hole, write_string};
