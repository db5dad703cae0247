//! A Rust client against the published JavaScript package as the server.
//!
//! Every test has a server process and a connection of its own. Most end with [`clean`]'s check
//! that nothing is left in the tables of either side.
//!
//! [`clean`]: capnweb_tests::clean

mod batch;
mod calls;
mod errors;
mod fetch;
mod lifetime;
mod map;
mod streams;
mod stubs;
mod values;
