//! Prints the messages of a chain of calls, each of which needs the result of the one before.
//!
//! The client sends the whole chain before it hears anything, and what it asks for comes back in
//! one answer. Both sides run in this process, on a transport that prints what the client sends
//! (`>`) and receives (`<`).
//!
//! ```sh
//! cargo run -p examples --bin pipelining
//! ```

use std::task::{Context, Poll};

use bytestring::ByteString;
use capnweb::{
    Connection, Error, Options, Result, Stub,
    transport::{CloseReason, Transport, TransportError, memory},
};

/// Lets users in, and greets by name.
#[capnweb::interface]
trait Api {
    fn authenticate(&self, token: String) -> Result<Stub<dyn Session>>;
    fn greet(&self, name: String) -> String;
}

/// What there is for a user who was let in.
#[capnweb::interface]
trait Session {
    fn name(&self) -> String;
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let (here, there) = memory::pair(16);
    let server = Stub::<dyn Api>::new(Server).untyped();
    let _server = Connection::start(there, Some(server), Options::default());
    let client = Connection::start(Printed(here), None, Options::default());
    let api = client.main().typed::<dyn Api>();

    // Nothing is awaited in between. A promise has the methods of what it will be, and stands for it
    // in the arguments of other calls.
    let session = api.authenticate("alice's token");
    let name = session.name();
    let greeting = api.greet(&name);
    println!("{}", greeting.await?);
    Ok(())
}

struct Server;

impl Api for Server {
    fn authenticate(&self, token: String) -> Result<Stub<dyn Session>> {
        match token.as_str() {
            "alice's token" => Ok(Stub::new(User { name: "Alice".to_owned() })),
            _ => Err(Error::msg("unknown token")),
        }
    }

    fn greet(&self, name: String) -> String {
        format!("Hello, {name}!")
    }
}

struct User {
    name: String,
}

impl Session for User {
    fn name(&self) -> String {
        self.name.clone()
    }
}

/// A transport that prints what goes through it.
struct Printed<T>(T);

impl<T: Transport> Transport for Printed<T> {
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<ByteString, TransportError>> {
        let polled = self.0.poll_recv(cx);
        if let Poll::Ready(Ok(message)) = &polled {
            println!("< {message}");
        }
        polled
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.0.poll_ready(cx)
    }

    fn start_send(&mut self, message: String) -> Result<(), TransportError> {
        println!("> {message}");
        self.0.start_send(message)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.0.poll_flush(cx)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>, reason: &CloseReason) -> Poll<()> {
        self.0.poll_close(cx, reason)
    }
}
