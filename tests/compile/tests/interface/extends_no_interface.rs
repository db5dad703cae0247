trait Base {
    fn name(&self) -> String;
}

#[capnweb::interface]
trait Api: Base {
    fn count(&self) -> u32;
}

fn main() {}
