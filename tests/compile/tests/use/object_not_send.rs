use std::cell::Cell;

#[capnweb::interface]
trait Api {
    fn count(&self) -> u32;
}

struct Server(Cell<u32>);

impl Api for Server {
    fn count(&self) -> u32 {
        self.0.get()
    }
}

fn main() {}
