//! Takes files over streams, and tells the sender how far it is by calling it back.
//!
//! ```sh
//! cargo run -p examples --bin upload-server -- 127.0.0.1:8080
//! ```

use std::{error::Error as StdError, sync::Arc};

use capnweb::{Call, Error, Reply, Stub, Target, server, stream::ReadableStream, value::Bytes};
use futures::TryStreamExt;
use tokio::net::TcpListener;

/// How much arrives between two calls of the sender's function.
const STEP: usize = 1 << 20;

struct Uploads;

impl Target for Uploads {
    fn call(self: Arc<Self>, call: Call) -> Reply {
        match call.method() {
            "upload" => call.reply_async(|(file, progress): (ReadableStream<Bytes>, Stub)| {
                receive(file, progress)
            }),
            _ => call.no_such_method(),
        }
    }
}

/// Reads a file to its end. Returns its size and a checksum; a real server would keep it as well.
///
/// The sender is never far ahead: as long as this does not ask for the next chunk, it waits.
async fn receive(mut file: ReadableStream<Bytes>, progress: Stub) -> Result<(usize, u32), Error> {
    let (mut size, mut checksum, mut told) = (0, 0, 0);
    while let Some(chunk) = file.try_next().await? {
        size += chunk.len();
        checksum = examples::checksum(checksum, &chunk);
        if size >= told + STEP {
            told = size - size % STEP;
            progress.invoke((told,)).await?;
        }
    }
    Ok((size, checksum))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on ws://{}", listener.local_addr()?);
    let endpoint = server::rpc().allow_unauthenticated().main(|_| Stub::target(Uploads));
    server::serve(listener, endpoint).await;
    Ok(())
}
