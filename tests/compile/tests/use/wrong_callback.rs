use capnweb::{Result, Stub};

#[capnweb::interface]
trait Api {
    fn watch(&self, on_change: Stub<fn(String) -> Result<bool>>);
}

fn calls(api: Stub<dyn Api>) {
    api.watch(Stub::new(async |count: u32| Ok(count > 1)));
    api.watch(Stub::new(|text: String| Ok(text.is_empty())));
    api.watch(async |text: String| Ok(text.is_empty()));
}

fn main() {
    calls(Stub::broken(capnweb::Error::msg("none")));
}
