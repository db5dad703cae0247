use capnweb::Stub;

#[capnweb::interface]
trait Api {
    fn add(&self, a: u32, b: u32) -> u32;
    fn name(&self) -> String;
}

fn calls(api: Stub<dyn Api>) {
    drop(api.add(1_u32, "two"));
    drop(api.add(1_u32, api.name()));
    drop(api.add(1_u32));
    drop(api.subtract(1_u32));
}

fn main() {
    calls(Stub::broken(capnweb::Error::msg("none")));
}
