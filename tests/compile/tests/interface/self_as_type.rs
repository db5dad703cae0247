#[capnweb::interface]
trait Node {
    fn is_same(&self, other: Self) -> bool;
    fn children(&self) -> Vec<Self>;
}

fn main() {}
