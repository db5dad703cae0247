struct Overdrawn;

#[capnweb::interface]
trait Account {
    async fn withdraw(&self, amount: u32) -> Result<u32, Overdrawn>;
    fn deposit(&self, amount: u32) -> Result<u32, String>;
}

fn main() {}
