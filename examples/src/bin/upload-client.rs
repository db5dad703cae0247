//! Sends a file to `upload-server`, and prints how far it is.
//!
//! ```sh
//! cargo run -p examples --bin upload-client -- ws://127.0.0.1:8080 some/file
//! ```

use std::{error::Error, fs::File};

use capnweb::{Stub, stream::ReadableStream};
use examples::Uploads;
use futures::io::AllowStdIo;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: upload-client URL FILE";
    let (url, path) = (args.next().ok_or(usage)?, args.next().ok_or(usage)?);

    let connection = capnweb::connect(url).await?;
    // Read as fast as it is sent, and sent as fast as it is read over there.
    let file = ReadableStream::from_async_read(AllowStdIo::new(File::open(&path)?));
    let progress = Stub::new(async |bytes: u64| {
        println!("{bytes} bytes");
        Ok(())
    });
    let uploads = connection.main().typed::<dyn Uploads>();
    let receipt = uploads.upload(file, progress).await?;
    println!("sent {} bytes with the checksum {:08x}", receipt.size, receipt.checksum);
    Ok(())
}
