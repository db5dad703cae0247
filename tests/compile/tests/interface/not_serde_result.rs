struct Note {
    title: String,
}

#[capnweb::interface]
trait Notes {
    fn newest(&self) -> Note;
    async fn all(&self) -> capnweb::Result<Vec<Note>>;
}

fn main() {}
