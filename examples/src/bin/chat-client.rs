//! A client of `chat-server`: says each line of its standard input, and prints what is said.
//!
//! ```sh
//! cargo run -p examples --bin chat-client -- ws://127.0.0.1:8080 Alice
//! ```

use std::error::Error;

use capnweb::Stub;
use examples::Chat;
use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let url = args.next().unwrap_or("ws://127.0.0.1:8080".to_owned());
    let name = args.next().unwrap_or("Somebody".to_owned());

    let connection = capnweb::connect(url).await?;
    let tell = Stub::new(async |line: String| {
        println!("{line}");
        Ok(())
    });
    let member = connection.main().typed::<dyn Chat>().join(name, tell).await?;

    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                Some(line) => member.say(line).await?,
                None => break,
            },
            reason = connection.closed() => {
                eprintln!("{reason}");
                // Returning would wait for a line of the input.
                std::process::exit(1);
            }
        }
    }
    // Nothing more has to be done in order to leave: the server sees that the client has gone.
    Ok(())
}
