//! A program that is called over its own standard input and output, as `stdio-parent` does.
//!
//! What it has to say to a person goes to standard error: the output belongs to the messages.

use std::sync::Arc;

use capnweb::{Call, Connection, Options, Reply, Stub, Target, transport::lines::LinesTransport};

struct Words;

impl Target for Words {
    fn call(self: Arc<Self>, call: Call) -> Reply {
        match call.method() {
            "count" => call.reply(|(text,): (String,)| Ok(text.split_whitespace().count())),
            // Hands over each word, one after the other.
            "each" => call.reply_async(|(text, take): (String, Stub)| async move {
                for word in text.split_whitespace() {
                    take.invoke((word,)).await?;
                }
                Ok(())
            }),
            _ => call.no_such_method(),
        }
    }
}

#[tokio::main]
async fn main() {
    let transport = LinesTransport::tokio(tokio::io::stdin(), tokio::io::stdout());
    let connection = Connection::start(transport, Some(Stub::target(Words)), Options::new());
    let end = connection.closed().await;
    eprintln!("child: {end}");
}
