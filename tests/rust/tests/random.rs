//! Two sessions that do random things to each other, with messages and tasks in random order: at
//! the end nothing is left. A failure prints its seed; see [`for_seeds`].

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use capnweb::{Options, Promise, Stub, Value};
use capnweb_tests::{
    FixedTarget, Pair,
    random::{Random, for_seeds, is_full},
    target,
};

/// How many targets of the test are alive.
#[derive(Clone, Default)]
struct Alive(Arc<AtomicUsize>);

struct Counted(Alive);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Alive {
    /// A new function, which returns its argument.
    fn function(&self) -> Stub {
        self.0.fetch_add(1, Ordering::Relaxed);
        let counted = Counted(self.clone());
        target(move |call| {
            let _ = &counted;
            call.reply(|(value,): (Value,)| Ok(value))
        })
    }
}

/// What one side's application holds.
#[derive(Default)]
struct Held {
    stubs: Vec<Stub>,
    promises: Vec<Promise>,
}

struct World<'r> {
    random: &'r mut Random,
    pair: Pair,
    /// Messages on their way, to the server and to the client.
    wires: [VecDeque<String>; 2],
    held: [Held; 2],
    alive: Alive,
    waiting: usize,
}

const METHODS: [&str; 20] = [
    "square",
    "echo",
    "echo",
    "greet",
    "fail",
    "throwValue",
    "makeCounter",
    "makeCounters",
    "callBack",
    "callBack",
    "giveBack",
    "keep",
    "callKept",
    "dropKept",
    "hold",
    "heldInside",
    "releaseHeld",
    "promiseInside",
    "increment",
    "nonesuch",
];

const PROPERTIES: [&str; 8] = ["info", "a", "p", "stub", "first", "value", "square", "increment"];

impl<'r> World<'r> {
    fn new(random: &'r mut Random) -> Self {
        let main = || Some(FixedTarget::stub());
        let pair = Pair::with(main(), main(), Options::new(), Options::new());
        let (wires, held) = Default::default();
        Self { random, pair, wires, held, alive: Alive::default(), waiting: 0 }
    }

    fn main(&self, side: usize) -> Stub {
        if side == 0 { self.pair.client.main() } else { self.pair.server.main() }
    }

    fn act(&mut self) {
        let side = self.random.below(2);
        match self.random.below(14) {
            0..4 => self.call(side),
            4 => drop(self.random.take(&mut self.held[side].stubs)),
            5 => drop(self.random.take(&mut self.held[side].promises)),
            6 => self.wait(side),
            7 => {
                if let Some(promise) = self.random.pick(&self.held[side].promises) {
                    let stub = promise.stub();
                    self.held[side].stubs.push(stub);
                }
            }
            8 => {
                if let Some(promise) = self.random.pick(&self.held[side].promises) {
                    let property = promise.get(PROPERTIES[self.random.below(PROPERTIES.len())]);
                    self.held[side].promises.push(property);
                }
            }
            9..12 => drop(self.deliver(side)),
            _ => drop(self.run_one()),
        }
    }

    fn argument(&mut self, side: usize, depth: usize) -> Value {
        match self.random.below(if depth < 2 { 8 } else { 6 }) {
            0 => Value::Number(self.random.below(100) as f64),
            1 => Value::from("text"),
            2 => Value::Stub(self.alive.function()),
            3 => match self.random.pick(&self.held[side].stubs) {
                Some(stub) => stub.clone().into(),
                None => Value::Stub(self.main(side)),
            },
            4 | 5 => match self.random.pick(&self.held[side].promises) {
                Some(promise) => promise.clone().into(),
                None => Value::Undefined,
            },
            6 => (0..self.random.below(4)).map(|_| self.argument(side, depth + 1)).collect(),
            _ => {
                let value = self.argument(side, depth + 1);
                Value::Object([("a", value)].into_iter().collect())
            }
        }
    }

    fn call(&mut self, side: usize) {
        let method = METHODS[self.random.below(METHODS.len())];
        let count = self.random.below(3);
        let args: Vec<Value> = match method {
            // A promise here could depend on what it releases, and both would wait for ever.
            "releaseHeld" => vec![Value::from("released")],
            _ => (0..count).map(|_| self.argument(side, 0)).collect(),
        };
        let promise = match self.random.below(5) {
            0 if !self.held[side].promises.is_empty() => {
                let promise = self.random.pick(&self.held[side].promises);
                promise.map(|promise| promise.call(method, &args))
            }
            1 => {
                let stub = self.random.pick(&self.held[side].stubs);
                stub.map(|stub| self.pair.executor.enter(|| stub.invoke(&args)))
            }
            _ => Some(self.main(side).call(method, &args)),
        };
        match promise {
            Some(promise) if !self.random.once_in(3) => self.held[side].promises.push(promise),
            _ => {}
        }
    }

    fn wait(&mut self, side: usize) {
        if let Some(promise) = self.random.take(&mut self.held[side].promises) {
            self.waiting += 1;
            let waits = self.pair.executor.enter(|| promise.into_future());
            drop(self.pair.start(async move { drop(waits.await) }));
        }
    }

    fn collect(&mut self) {
        self.wires[0].extend(self.pair.client.session.outgoing());
        self.wires[1].extend(self.pair.server.session.outgoing());
    }

    /// Delivers one message of this side.
    fn deliver(&mut self, side: usize) -> bool {
        self.collect();
        let Some(message) = self.wires[side].pop_front() else { return false };
        let to = if side == 0 { &self.pair.server } else { &self.pair.client };
        self.pair.executor.enter(|| to.session.receive(message.clone()));
        assert_eq!(to.session.close_reason(), None, "{message} ended the session");
        true
    }

    fn run_one(&mut self) -> bool {
        self.pair.executor.run_one(|ready| self.random.below(ready))
    }

    /// Lets everything happen that can, in random order.
    fn settle(&mut self) {
        loop {
            let side = self.random.below(2);
            if self.random.once_in(2) && self.run_one() {
                continue;
            }
            if !(self.deliver(side) || self.deliver(1 - side) || self.run_one()) {
                return;
            }
        }
    }

    /// Drops everything and lets go of what the targets keep.
    fn finish(mut self) {
        self.held = Default::default();
        self.settle();
        // What is answered may lead to new calls, which are held again.
        for _ in 0..20 {
            for side in 0..2 {
                drop(self.main(side).call("dropKept", ()));
                drop(self.main(side).call("releaseHeld", (0,)));
            }
            self.settle();
        }
        self.pair.assert_clean();
        assert_eq!(self.alive.0.load(Ordering::Relaxed), 0, "targets were not dropped");
    }
}

#[test]
fn nothing_is_left_after_random_deeds() {
    for_seeds(if is_full() { 5000 } else { 150 }, |random| {
        let steps = 20 + random.below(200);
        let mut world = World::new(random);
        for _ in 0..steps {
            let executor = world.pair.executor.clone();
            executor.enter(|| world.act());
        }
        let executor = world.pair.executor.clone();
        executor.enter(|| world.finish());
    });
}
