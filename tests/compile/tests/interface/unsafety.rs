#[capnweb::interface]
unsafe trait Memory {
    fn size(&self) -> u32;
}

#[capnweb::interface]
trait Raw {
    unsafe fn read(&self, at: u32) -> u8;
}

fn main() {}
