#[capnweb::interface]
trait Base {
    fn id(&self) -> u32;
}

#[capnweb::interface]
trait Api: Base {
    #[rpc(name = "id")]
    fn text(&self) -> String;
}

fn main() {}
