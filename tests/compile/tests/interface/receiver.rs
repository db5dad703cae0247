mod api {
    #[capnweb::interface]
    pub trait Counter {
        fn increment(&mut self, by: u32) -> u32;
        fn finish(self) -> u32;
        fn shared(self: std::sync::Arc<Self>) -> u32;
        fn start() -> u32;
        fn value(&self) -> u32;
    }
}

use api::Counter;

struct Count(u32);

impl Counter for Count {
    fn increment(&mut self, by: u32) -> u32 {
        self.0 += by;
        self.0
    }

    fn finish(self) -> u32 {
        self.0
    }

    fn shared(self: std::sync::Arc<Self>) -> u32 {
        self.0
    }

    fn start() -> u32 {
        0
    }

    fn value(&self) -> u32 {
        self.0
    }
}

fn main() {
    drop(capnweb::Stub::<dyn Counter>::new(Count(0)));
}
