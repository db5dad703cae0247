#[capnweb::interface]
trait Events {
    fn on_change(&self, f: impl Fn(u32));
    fn numbers(&self) -> impl Iterator<Item = u32>;
    fn run(&self, job: Box<dyn Fn()>);
}

fn main() {}
