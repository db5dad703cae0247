#[capnweb::interface]
trait Store {
    #[rpc(get)]
    fn value(&self, key: String) -> u32;
}

fn main() {}
