//! Cap'n Web for Rust.
#![warn(missing_docs)]

mod codec;
mod error;
mod hook;
mod payload;
mod path;
pub mod value;
mod wire;

pub use error::{Error, ErrorKind};
pub use path::{Key, Path};
pub use value::Value;
