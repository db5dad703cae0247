#[capnweb::interface]
trait Shapes {
    fn area(&self, (width, height): (u32, u32)) -> u32;
    fn length(&self, _: u32) -> u32;
}

fn main() {}
