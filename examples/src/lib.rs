//! Small programs that show `capnweb` at work, each in a file of its own under `src/bin`.
//!
//! | program | shows |
//! |---|---|
//! | `hello-server`, `hello-client` | a server with one object, and a client that calls it and is called back |
//! | `pipelining` | the messages of a chain of calls that costs one round trip |

/// The code of the README, which is compiled and run with the tests of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
