struct Note {
    title: String,
}

#[capnweb::interface]
trait Notes {
    fn add(&self, note: Note);
}

fn main() {}
