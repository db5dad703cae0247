#[capnweb::interface]
trait Api {
    fn count(&self) -> u32;
}

struct Server;

fn main() {
    drop(capnweb::Stub::<dyn Api>::new(Server));
}
