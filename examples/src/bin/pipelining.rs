//! Prints the messages of a chain of calls, each of which needs the result of the one before.
//!
//! The client sends the whole chain before it hears anything, and what it asks for comes back in
//! one answer. Both sides run in this process, on a transport that prints what the client sends
//! (`>`) and receives (`<`).
//!
//! ```sh
//! cargo run -p examples --bin pipelining
//! ```

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytestring::ByteString;
use capnweb::{
    Call, Connection, Error, Options, Reply, Stub, Target,
    transport::{CloseReason, Transport, TransportError, memory},
};

struct Api;

struct Session {
    user: String,
}

impl Target for Api {
    fn call(self: Arc<Self>, call: Call) -> Reply {
        match call.method() {
            "authenticate" => call.reply(|(token,): (String,)| match token.as_str() {
                "alice's token" => Ok(Stub::target(Session { user: "Alice".to_owned() })),
                _ => Err(Error::msg("unknown token")),
            }),
            "greet" => call.reply(|(name,): (String,)| Ok(format!("Hello, {name}!"))),
            _ => call.no_such_method(),
        }
    }
}

impl Target for Session {
    fn call(self: Arc<Self>, call: Call) -> Reply {
        match call.method() {
            "name" => call.reply(|(): ()| Ok(self.user.clone())),
            _ => call.no_such_method(),
        }
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

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (here, there) = memory::pair(16);
    let _server = Connection::start(there, Some(Stub::target(Api)), Options::default());
    let client = Connection::start(Printed(here), None, Options::default());
    let api = client.main();

    // Nothing is awaited in between: a promise stands in for what it will be.
    let session = api.call("authenticate", ("alice's token",));
    let name = session.call("name", ());
    let greeting = api.call("greet", (&name,));
    println!("{}", greeting.decode::<String>().await?);
    Ok(())
}
