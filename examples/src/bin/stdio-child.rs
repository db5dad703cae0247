//! A program that is called over its own standard input and output, as `stdio-parent` does.
//!
//! What it has to say to a person goes to standard error: the output belongs to the messages.

use capnweb::{Connection, Options, Result, Stub, transport::lines::LinesTransport};
use examples::Words;

struct Splitter;

impl Words for Splitter {
    fn count(&self, text: String) -> usize {
        text.split_whitespace().count()
    }

    async fn each(&self, text: String, take: Stub<fn(String) -> Result<()>>) -> Result<()> {
        for word in text.split_whitespace() {
            take.call(word).await?;
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() {
    let transport = LinesTransport::tokio(tokio::io::stdin(), tokio::io::stdout());
    let words = Stub::<dyn Words>::new(Splitter).untyped();
    let connection = Connection::start(transport, Some(words), Options::new());
    let end = connection.closed().await;
    eprintln!("child: {end}");
}
