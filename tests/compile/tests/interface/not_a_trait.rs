#[capnweb::interface]
struct Api;

#[derive(capnweb::Record)]
enum Shape {
    Round,
    Square,
}

#[derive(capnweb::Record)]
struct Point(u32, u32);

fn main() {}
