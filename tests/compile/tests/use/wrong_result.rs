use capnweb::{Result, Stub};

#[capnweb::interface]
trait Api {
    fn name(&self) -> String;
}

async fn calls(api: Stub<dyn Api>) -> Result<u32> {
    let count: u32 = api.name().await?;
    Ok(count)
}

fn main() {
    drop(calls(Stub::broken(capnweb::Error::msg("none"))));
}
