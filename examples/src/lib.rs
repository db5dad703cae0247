//! Small programs that show `capnweb` at work, each in a file of its own under `src/bin`.
//!
//! | program | shows |
//! |---|---|
//! | `hello-server`, `hello-client` | a server with one object, and a client that calls it and is called back |
//! | `pipelining` | the messages of a chain of calls that costs one round trip |
//! | `chat-server`, `chat-client` | functions that the server keeps and calls, until their client has gone |
//! | `upload-server`, `upload-client` | a file that is sent as a stream, and progress that is called back |
//! | `stdio-parent`, `stdio-child` | a child process that is called over its standard input and output |
//! | `browser-server` | a web page that calls the server with the JavaScript package |
//! | `gateway` | a gateway between clients and a server, by holding a session with each |

/// The code of the README, which is compiled and run with the tests of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// A checksum of bytes behind those that the one passed in is of, from 0 on (Adler-32 without its
/// offset): good enough to see that a file has arrived as it was.
pub fn checksum(before: u32, bytes: &[u8]) -> u32 {
    let (mut sum, mut sums) = (before & 0xffff, before >> 16);
    for byte in bytes {
        sum = (sum + u32::from(*byte)) % 65521;
        sums = (sums + sum) % 65521;
    }
    sums << 16 | sum
}
