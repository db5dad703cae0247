#[capnweb::interface(rename = "Shop")]
trait Store {
    fn count(&self) -> u32;
}

#[capnweb::interface]
trait Shop {
    #[rpc(rename = "size")]
    fn count(&self) -> u32;
    #[rpc(name)]
    fn name(&self) -> String;
}

fn main() {}
