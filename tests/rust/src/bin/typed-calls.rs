//! Makes calls between two sessions in this process, through an interface or by name, for counting
//! what either costs, and prints how many bytes it has allocated.

use std::{alloc::System, future::IntoFuture, sync::Arc};

use cap::Cap;
use capnweb::{Call, Promise, Reply, Result, Stub, Target};
use capnweb_tests::Pair;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

const USAGE: &str = "usage: typed-calls typed|untyped add|rename|find|version|chain CALLS";

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

#[derive(Serialize, Deserialize)]
struct User {
    id: u32,
    name: String,
}

#[capnweb::interface]
trait Api {
    fn add(&self, a: f64, b: f64) -> f64;
    async fn rename(&self, user: User, name: String) -> Result<User>;
    async fn find(&self, name: String, limit: Option<u32>) -> Result<Vec<User>>;
    #[rpc(get)]
    fn version(&self) -> String;
    fn same(&self) -> Stub<dyn Api>;
}

struct Server;

impl Api for Server {
    fn add(&self, a: f64, b: f64) -> f64 {
        a + b
    }

    async fn rename(&self, user: User, name: String) -> Result<User> {
        Ok(User { name, ..user })
    }

    async fn find(&self, name: String, limit: Option<u32>) -> Result<Vec<User>> {
        Ok(vec![User { id: limit.unwrap_or(1), name }])
    }

    fn version(&self) -> String {
        "1.0".to_owned()
    }

    fn same(&self) -> Stub<dyn Api> {
        Stub::new(Server)
    }
}

/// The same by hand.
struct ByName(Server);

impl Target for ByName {
    fn call(self: Arc<Self>, call: Call) -> Reply {
        match call.method() {
            "add" => call.reply(|(a, b): (f64, f64)| Ok(self.0.add(a, b))),
            "rename" => call.reply_async(|(user, name): (User, String)| async move {
                self.0.rename(user, name).await
            }),
            "find" => call.reply_async(|(name, limit): (String, Option<u32>)| async move {
                self.0.find(name, limit).await
            }),
            "same" => call.reply(|(): ()| Ok(Stub::target(ByName(Server)))),
            _ => call.no_such_method(),
        }
    }

    fn get(self: Arc<Self>, property: &str) -> Reply {
        match property {
            "version" => Reply::value(self.0.version()),
            _ => Reply::undefined(),
        }
    }
}

fn main() {
    let mut args = std::env::args().skip(1);
    let (side, method) = (args.next().unwrap_or_default(), args.next().unwrap_or_default());
    let calls: u32 = args.next().and_then(|calls| calls.parse().ok()).expect(USAGE);
    let main = match &*side {
        "typed" => Stub::<dyn Api>::new(Server).untyped(),
        "untyped" => Stub::target(ByName(Server)),
        _ => panic!("{USAGE}"),
    };
    let mut pair = Pair::new(main);
    let api = pair.client.main();
    let typed: Stub<dyn Api> = api.clone().typed();
    for id in 0..calls {
        let (a, b) = (1.5, f64::from(id));
        let user = User { id, name: "Alice".to_owned() };
        match (&*side, &*method) {
            ("typed", "add") => run(&mut pair, typed.add(a, b)),
            ("typed", "rename") => run(&mut pair, typed.rename(user, "Bob")),
            ("typed", "find") => run(&mut pair, typed.find("Alice", 3)),
            ("typed", "version") => run(&mut pair, typed.version()),
            ("typed", "chain") => run(&mut pair, typed.same().add(a, b)),
            (_, "add") => run(&mut pair, api.call("add", (a, b)).decode::<f64>()),
            (_, "rename") => run(&mut pair, api.call("rename", (user, "Bob")).decode::<User>()),
            (_, "find") => run(&mut pair, api.call("find", ("Alice", 3)).decode::<Vec<User>>()),
            (_, "version") => run(&mut pair, api.get("version").decode::<String>()),
            (_, "chain") => {
                run(&mut pair, api.call("same", ()).call("add", (a, b)).decode::<f64>());
            }
            _ => panic!("{USAGE}"),
        }
    }
    println!("{}", ALLOCATOR.total_allocated());
}

fn run<T: DeserializeOwned + Send + 'static>(pair: &mut Pair, promise: Promise<T>) {
    pair.run(promise.into_future()).expect("nothing keeps the call from being answered");
    pair.client.log.clear();
    pair.server.log.clear();
}
