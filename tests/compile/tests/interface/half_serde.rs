#[derive(serde::Serialize)]
struct Given {
    title: String,
}

#[derive(serde::Deserialize)]
struct Taken {
    title: String,
}

#[capnweb::interface]
trait Notes {
    fn add(&self, note: Given);
    fn put(&self, note: Taken);
    fn newest(&self) -> Given;
    fn oldest(&self) -> Taken;
}

fn main() {}
