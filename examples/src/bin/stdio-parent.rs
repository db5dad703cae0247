//! Starts `stdio-child` and calls it over the pipes of its standard input and output.
//!
//! ```sh
//! cargo build -p examples && cargo run -p examples --bin stdio-parent
//! ```

use std::{error::Error, process::Stdio};

use capnweb::{Connection, Options, Stub, transport::lines::LinesTransport};
use examples::Words;
use tokio::process::Command;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let program = std::env::current_exe()?.with_file_name("stdio-child");
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (Some(output), Some(input)) = (child.stdout.take(), child.stdin.take()) else {
        return Err("the child has no pipes".into());
    };
    let transport = LinesTransport::tokio(output, input);
    let connection = Connection::start(transport, None, Options::new());
    let words = connection.main().typed::<dyn Words>();

    let text = "the quick brown fox";
    println!("{} words", words.count(text).await?);
    let take = Stub::new(async |word: String| {
        println!("- {word}");
        Ok(())
    });
    words.each(text, take).await?;

    // The child ends with its input.
    connection.close();
    let status = child.wait().await?;
    println!("the child ended: {status}");
    Ok(())
}
