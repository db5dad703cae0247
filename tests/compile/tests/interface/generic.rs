mod api {
    #[capnweb::interface]
    pub trait Store<T> {
        fn get(&self, key: String) -> T;
    }
}

use api::Store;

struct Numbers;

impl Store<u32> for Numbers {
    fn get(&self, _key: String) -> u32 {
        1
    }
}

async fn read(store: capnweb::Stub<dyn Store<u32>>) {
    drop(store);
}

fn main() {
    drop(read(capnweb::Stub::broken(capnweb::Error::msg("none"))));
}
