use capnweb::Record;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Record)]
#[serde(transparent)]
struct Wrapped {
    inner: u32,
}

fn main() {}
