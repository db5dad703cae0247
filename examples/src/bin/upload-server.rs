//! Takes files over streams, and tells the sender how far it is by calling it back.
//!
//! ```sh
//! cargo run -p examples --bin upload-server -- 127.0.0.1:8080
//! ```

use std::error::Error;

use capnweb::{Result, Stub, server, stream::ReadableStream, value::Bytes};
use examples::{Receipt, Uploads};
use futures::TryStreamExt;
use tokio::net::TcpListener;

/// How much arrives between two calls of the sender's function.
const STEP: u64 = 1 << 20;

struct Inbox;

impl Uploads for Inbox {
    /// The sender is never far ahead: as long as this does not ask for the next chunk, it waits.
    // A real server would keep the file as well.
    async fn upload(
        &self,
        mut file: ReadableStream<Bytes>,
        progress: Stub<fn(u64) -> Result<()>>,
    ) -> Result<Receipt> {
        let (mut size, mut checksum, mut told) = (0, 0, 0);
        while let Some(chunk) = file.try_next().await? {
            size += chunk.len() as u64;
            checksum = examples::checksum(checksum, &chunk);
            if size >= told + STEP {
                told = size - size % STEP;
                progress.call(told).await?;
            }
        }
        Ok(Receipt { size, checksum })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on ws://{}", listener.local_addr()?);
    let endpoint = server::rpc().allow_unauthenticated().main(|_| Stub::<dyn Uploads>::new(Inbox));
    server::serve(listener, endpoint).await;
    Ok(())
}
