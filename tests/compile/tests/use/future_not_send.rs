use std::{cell::Cell, future::ready, rc::Rc};

#[capnweb::interface]
trait Api {
    async fn count(&self) -> u32;
}

struct Server;

impl Api for Server {
    async fn count(&self) -> u32 {
        let count = Rc::new(Cell::new(1));
        ready(()).await;
        count.get()
    }
}

fn main() {}
