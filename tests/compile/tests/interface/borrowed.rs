#[capnweb::interface]
trait Notes {
    fn find(&self, title: &str) -> Option<String>;
    fn add(&self, bytes: &[u8]);
    fn first(&self) -> &String;
    fn many(&self, titles: Vec<&'static str>) -> u32;
}

struct Empty(String);

impl Notes for Empty {
    fn find(&self, _title: &str) -> Option<String> {
        None
    }

    fn add(&self, _bytes: &[u8]) {}

    fn first(&self) -> &String {
        &self.0
    }

    fn many(&self, titles: Vec<&'static str>) -> u32 {
        titles.len() as u32
    }
}

fn main() {
    drop(capnweb::Stub::<dyn Notes>::new(Empty(String::new())));
}
