#[capnweb::interface(typescript)]
trait Geometry {
    fn map(&self) -> String;
    fn to_string(&self) -> String;
    #[rpc(name = "then")]
    fn after(&self) -> u32;
    #[rpc(get)]
    fn constructor(&self) -> String;
    #[rpc(name = "areaMap")]
    fn dup(&self) -> u32;
}

// Callers in Rust can call them.
#[capnweb::interface]
trait Untold {
    fn map(&self) -> String;
}

fn main() {}
