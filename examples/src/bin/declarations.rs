//! Writes the interfaces of these examples down in TypeScript.
//!
//! ```sh
//! cargo run -p examples --bin declarations -- examples.d.ts
//! ```

use std::process::ExitCode;

use capnweb::typescript::Declarations;
use examples::{Chat, Greeter, Uploads, Words};

fn main() -> ExitCode {
    Declarations::new()
        .interface::<dyn Greeter>()
        .interface::<dyn Chat>()
        .interface::<dyn Uploads>()
        .interface::<dyn Words>()
        .command()
}
