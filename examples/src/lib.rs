//! Small programs that show `capnweb` at work, each in a file of its own under `src/bin`. What a client
//! and its server agree on is here: their interfaces.
//!
//! | program | shows |
//! |---|---|
//! | `hello-server`, `hello-client` | a server with one object, and a client that calls it and is called back |
//! | `pipelining` | the messages of a chain of calls that costs one round trip |
//! | `chat-server`, `chat-client` | functions that the server keeps and calls, until their client has gone |
//! | `upload-server`, `upload-client` | a file that is sent as a stream, and progress that is called back |
//! | `stdio-parent`, `stdio-child` | a child process that is called over its standard input and output |
//! | `browser-server` | a web page that calls the server with the JavaScript package |
//! | `declarations` | these interfaces in TypeScript |
//! | `gateway` | a gateway between clients and a server, by holding a session with each |

use capnweb::{Result, Stub, stream::ReadableStream, typescript::TS, value::Bytes};
use serde::{Deserialize, Serialize};

/// What `hello-server` and `browser-server` offer.
///
/// The one trait is implemented by servers and called by clients in Rust. JavaScript calls the same
/// methods; `say_hello` would be `sayHello` there.
#[capnweb::interface(typescript)]
pub trait Greeter {
    /// Greets somebody.
    fn hello(&self, name: String) -> String;

    /// Calls `tell` with the numbers from `from` down to 0, and returns what comes then.
    async fn countdown(&self, from: u32, tell: Stub<fn(u32) -> Result<()>>) -> Result<String>;
}

/// A room in which everybody hears everybody.
#[capnweb::interface(typescript)]
pub trait Chat {
    /// Comes in. From then on `tell` is called with what is said, and with who comes and goes. Who
    /// lets go of the member has left.
    fn join(&self, name: String, tell: Stub<fn(String) -> Result<()>>) -> Stub<dyn Member>;
}

/// One who is in the room.
#[capnweb::interface(typescript)]
pub trait Member {
    /// Says something to everybody.
    fn say(&self, text: String);
}

/// Takes files.
#[capnweb::interface(typescript)]
pub trait Uploads {
    /// Reads a file to its end. Calls `progress` now and then with how many bytes have arrived.
    async fn upload(
        &self,
        file: ReadableStream<Bytes>,
        progress: Stub<fn(u64) -> Result<()>>,
    ) -> Result<Receipt>;
}

/// What has arrived of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(crate = "capnweb::typescript::ts_rs")]
pub struct Receipt {
    /// How many bytes.
    pub size: u64,
    /// Their [`checksum`].
    pub checksum: u32,
}

/// What a child process does for its parent.
#[capnweb::interface(typescript)]
pub trait Words {
    /// How many words there are in a text.
    fn count(&self, text: String) -> usize;

    /// Hands over each word, one after the other.
    async fn each(&self, text: String, take: Stub<fn(String) -> Result<()>>) -> Result<()>;
}

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
