trait Plain {
    fn count(&self) -> u32;
}

fn close(_plain: capnweb::Stub<dyn Plain>) {}

fn main() {}
