#[capnweb::interface]
trait Session {
    fn name(&self) -> String;
}

#[capnweb::interface]
trait Api {
    fn close(&self, session: dyn Session);
    fn open(&self) -> Box<dyn Session>;
}

fn main() {}
