#[capnweb::interface]
trait Store {
    type Key;
    const LIMIT: u32;
    fn get(&self, key: String) -> u32;
}

struct One;

impl Store for One {
    type Key = String;
    const LIMIT: u32 = 1;

    fn get(&self, _key: String) -> u32 {
        1
    }
}

fn main() {}
