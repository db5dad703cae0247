//! A client of `hello-server`: calls a method, and passes a function that the server calls.
//!
//! ```sh
//! cargo run -p examples --bin hello-client -- ws://127.0.0.1:8080
//! ```

use std::error::Error;

use capnweb::Stub;
use examples::Greeter;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or("ws://127.0.0.1:8080".to_owned());
    let connection = capnweb::connect(url).bearer("open sesame").await?;
    // From here on the compiler knows what can be called, with what, and what comes back.
    let greeter = connection.main().typed::<dyn Greeter>();

    println!("{}", greeter.hello("world").await?);

    let tell = Stub::new(async |n: u32| {
        println!("{n}");
        Ok(())
    });
    println!("{}", greeter.countdown(3, tell).await?);
    Ok(())
}
