//! A server with one object: it greets, and counts down by calling its caller back.
//!
//! ```sh
//! cargo run -p examples --bin hello-server -- 127.0.0.1:8080
//! ```

use std::error::Error;

use capnweb::{
    Result, Stub,
    server::{self, Refusal, UpgradeRequest},
};
use examples::Greeter;
use tokio::net::TcpListener;

struct English;

impl Greeter for English {
    fn hello(&self, name: String) -> String {
        format!("Hello, {name}!")
    }

    async fn countdown(&self, from: u32, tell: Stub<fn(u32) -> Result<()>>) -> Result<String> {
        for n in (0..=from).rev() {
            // Runs in the caller's process, which may fail, or go away: then so does this call.
            tell.call(n).await?;
        }
        Ok("lift-off".to_owned())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on ws://{}", listener.local_addr()?);

    // A real server reads its keys from somewhere safer.
    let endpoint = server::rpc()
        .authenticate(|request: UpgradeRequest| async move {
            if server::constant_time_eq(request.bearer()?, "open sesame") {
                Ok(())
            } else {
                Err(Refusal::unauthorized("unknown key"))
            }
        })
        .main(|_| Stub::<dyn Greeter>::new(English));
    server::serve(listener, endpoint).await;
    Ok(())
}
