//! A server with one object: it greets, and counts down by calling its caller back.
//!
//! ```sh
//! cargo run -p examples --bin hello-server -- 127.0.0.1:8080
//! ```

use std::{error::Error, sync::Arc};

use capnweb::{
    Call, Reply, Stub, Target,
    server::{self, Refusal, UpgradeRequest},
};
use tokio::net::TcpListener;

struct Greeter;

impl Target for Greeter {
    fn call(self: Arc<Self>, call: Call) -> Reply {
        match call.method() {
            "hello" => call.reply(|(name,): (String,)| Ok(format!("Hello, {name}!"))),
            "countdown" => call.reply_async(|(from, tell): (u32, Stub)| async move {
                for n in (0..=from).rev() {
                    tell.invoke((n,)).await?;
                }
                Ok("lift-off")
            }),
            _ => call.no_such_method(),
        }
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
        .main(|_| Stub::target(Greeter));
    server::serve(listener, endpoint).await;
    Ok(())
}
