#[capnweb::interface]
trait Api: std::fmt::Debug + Clone + Send {
    fn count(&self) -> u32;
}

#[capnweb::interface]
trait Other: Sized {
    fn count(&self) -> u32;
}

fn main() {}
