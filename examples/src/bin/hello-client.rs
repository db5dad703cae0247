//! A client of `hello-server`: calls a method, and passes a function that the server calls.
//!
//! ```sh
//! cargo run -p examples --bin hello-client -- ws://127.0.0.1:8080
//! ```

use std::error::Error;

use capnweb::Stub;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or("ws://127.0.0.1:8080".to_owned());
    let connection = capnweb::connect(url).bearer("open sesame").await?;
    let greeter = connection.main();

    let greeting: String = greeter.call("hello", ("world",)).decode().await?;
    println!("{greeting}");

    let tell = Stub::function(|(n,): (u32,)| async move {
        println!("{n}");
        Ok(())
    });
    let end: String = greeter.call("countdown", (3, tell)).decode().await?;
    println!("{end}");
    Ok(())
}
