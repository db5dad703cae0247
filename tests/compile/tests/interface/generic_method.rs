#[capnweb::interface]
trait Store {
    fn put<T>(&self, key: String, value: T);
    fn count(&self) -> u32;
}

struct Nothing;

impl Store for Nothing {
    fn put<T>(&self, _key: String, _value: T) {}

    fn count(&self) -> u32 {
        0
    }
}

fn main() {
    let store = capnweb::Stub::<dyn Store>::new(Nothing);
    drop(store.count());
}
