#[capnweb::interface(rename_all = "snakeCase")]
trait Store {
    fn count_all(&self) -> u32;
}

struct None;

impl Store for None {
    fn count_all(&self) -> u32 {
        0
    }
}

fn main() {
    drop(capnweb::Stub::<dyn Store>::new(None));
}
