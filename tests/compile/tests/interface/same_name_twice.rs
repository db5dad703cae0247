#[capnweb::interface]
trait Store {
    fn get_all(&self) -> u32;
    #[rpc(name = "getAll")]
    fn everything(&self) -> u32;
    #[rpc(name = "")]
    fn nothing(&self) -> u32;
}

struct One;

impl Store for One {
    fn get_all(&self) -> u32 {
        1
    }

    fn everything(&self) -> u32 {
        1
    }

    fn nothing(&self) -> u32 {
        1
    }
}

fn main() {}
