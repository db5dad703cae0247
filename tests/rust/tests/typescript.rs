//! A client in TypeScript: the declarations of a Rust server's interfaces are what it is compiled
//! against, and the server is what it talks to.

use std::{collections::HashMap, path::PathBuf, process::Stdio};

use capnweb::{
    Error, Promise, Record, Result, Stub, Value, server,
    stream::ReadableStream,
    typescript::{Declarations, TS},
    value::{Bytes, Date},
};
use capnweb_tests::{DEADLINE, node_in, run_node_tests, tests_dir};
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, time::timeout};

/// Tells one object of another.
type Introduction = fn(Stub<dyn Session>) -> Result<String>;

#[capnweb::interface(typescript)]
pub trait Base {
    /// Answers `pong`.
    fn ping(&self) -> String;
}

/// What a client begins with.
#[capnweb::interface(typescript)]
pub trait Api: Base {
    /// Who has this token.
    ///
    /// # Errors
    /// If nobody has.
    async fn authenticate(&self, token: String) -> Result<Stub<dyn Session>>;
    async fn add(&self, a: f64, b: f64) -> Result<f64>;
    fn greeting(&self, name: String, title: Option<String>) -> String;
    /// Of the server.
    #[rpc(get)]
    fn version(&self) -> String;
    fn ids(&self) -> Vec<u32>;
    fn name_of(&self, id: u32) -> String;
    fn tomorrow(&self, day: Date) -> Date;
    fn reversed(&self, bytes: Bytes) -> Bytes;
    fn doubled(&self, n: u128) -> u128;
    fn account(&self) -> Account;
    fn newest(&self) -> Item;
    /// The numbers of the items on a page.
    fn page(&self, page: Page<Item>) -> Page<u32>;
    fn count(&self, words: Vec<String>) -> HashMap<String, u32>;
    fn describe(&self, shape: Shape) -> String;
    fn echo(&self, value: Value) -> Value;
    fn adder(&self, a: f64) -> Stub<fn(f64) -> Result<f64>>;
    async fn notify(&self, listener: Stub<dyn Listener>) -> Result<String>;
    fn numbers(&self, until: u32) -> ReadableStream<u32>;
    async fn total(&self, numbers: ReadableStream<f64>) -> Result<f64>;
    fn untyped(&self, any: Stub) -> Stub;
}

#[capnweb::interface(typescript)]
pub trait Session {
    fn profile(&self) -> Profile;
    /// Calls back until that says no, and tells how often it said yes.
    async fn watch(&self, on_change: Stub<fn(String, u32) -> Result<bool>>) -> Result<u32>;
    fn introduce(&self, to: Stub<Introduction>) -> Promise<String>;
}

/// What clients implement.
#[capnweb::interface(typescript)]
pub trait Listener {
    #[rpc(get)]
    fn label(&self) -> String;
    /// Something has happened.
    async fn notified(&self, what: String, by: Stub<dyn Session>) -> Result<bool>;
}

#[derive(Serialize, Deserialize, TS, Record)]
#[serde(rename_all = "camelCase")]
#[ts(crate = "capnweb::typescript::ts_rs")]
pub struct Profile {
    /// What friends say.
    pub first_name: String,
    pub since: Date,
}

#[derive(Serialize, Deserialize, TS)]
#[ts(crate = "capnweb::typescript::ts_rs")]
pub struct Account {
    pub balance: i128,
}

#[derive(Serialize, Deserialize, TS)]
#[ts(crate = "capnweb::typescript::ts_rs")]
pub struct Item {
    pub id: u32,
    pub title: Option<String>,
    pub tags: Vec<String>,
}

/// Some of many.
#[derive(Serialize, Deserialize, TS)]
#[ts(crate = "capnweb::typescript::ts_rs")]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The number of the next page.
    pub next: Option<u64>,
}

#[derive(Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[ts(crate = "capnweb::typescript::ts_rs")]
pub enum Shape {
    Circle { radius: f64 },
    Rectangle { width: f64, height: f64 },
    Nothing,
}

struct Server;

impl Base for Server {
    fn ping(&self) -> String {
        "pong".to_owned()
    }
}

impl Api for Server {
    async fn authenticate(&self, token: String) -> Result<Stub<dyn Session>> {
        if token != "secret" {
            return Err(Error::msg("no such token"));
        }
        Ok(Stub::new(Alice))
    }

    async fn add(&self, a: f64, b: f64) -> Result<f64> {
        Ok(a + b)
    }

    fn greeting(&self, name: String, title: Option<String>) -> String {
        format!("Hello {}{name}", title.unwrap_or_default())
    }

    fn version(&self) -> String {
        "1.0".to_owned()
    }

    fn ids(&self) -> Vec<u32> {
        vec![1, 2, 3]
    }

    fn name_of(&self, id: u32) -> String {
        format!("name {id}")
    }

    fn tomorrow(&self, day: Date) -> Date {
        Date::from_millis(day.millis() + 24.0 * 60.0 * 60.0 * 1000.0)
    }

    fn reversed(&self, bytes: Bytes) -> Bytes {
        let reversed: Vec<u8> = bytes.as_slice().iter().rev().copied().collect();
        Bytes::new(reversed)
    }

    fn doubled(&self, n: u128) -> u128 {
        n * 2
    }

    fn account(&self) -> Account {
        Account { balance: -(1 << 70) }
    }

    fn newest(&self) -> Item {
        Item { id: 3, title: None, tags: vec!["a".to_owned()] }
    }

    fn page(&self, page: Page<Item>) -> Page<u32> {
        Page { items: page.items.iter().map(|item| item.id).collect(), next: page.next }
    }

    fn count(&self, words: Vec<String>) -> HashMap<String, u32> {
        let mut counts = HashMap::new();
        for word in words {
            *counts.entry(word).or_default() += 1;
        }
        counts
    }

    fn describe(&self, shape: Shape) -> String {
        match shape {
            Shape::Circle { radius } => format!("a circle of {radius}"),
            Shape::Rectangle { width, height } => format!("{width} by {height}"),
            Shape::Nothing => "nothing".to_owned(),
        }
    }

    fn echo(&self, value: Value) -> Value {
        value
    }

    fn adder(&self, a: f64) -> Stub<fn(f64) -> Result<f64>> {
        Stub::new(move |b: f64| async move { Ok(a + b) })
    }

    async fn notify(&self, listener: Stub<dyn Listener>) -> Result<String> {
        assert!(listener.notified("news", Stub::new(Alice)).await?);
        listener.label().await
    }

    fn numbers(&self, until: u32) -> ReadableStream<u32> {
        ReadableStream::new(stream::iter(0..until).map(Ok))
    }

    async fn total(&self, numbers: ReadableStream<f64>) -> Result<f64> {
        numbers.try_fold(0.0, async |sum, n| Ok(sum + n)).await
    }

    fn untyped(&self, _: Stub) -> Stub {
        Stub::<dyn Session>::new(Alice).untyped()
    }
}

struct Alice;

impl Session for Alice {
    fn profile(&self) -> Profile {
        Profile { first_name: "Alice".to_owned(), since: Date::from_millis(0.0) }
    }

    async fn watch(&self, on_change: Stub<fn(String, u32) -> Result<bool>>) -> Result<u32> {
        let mut seen = 0;
        while on_change.call("change", seen).await? {
            seen += 1;
        }
        Ok(seen)
    }

    fn introduce(&self, to: Stub<Introduction>) -> Promise<String> {
        to.call(Stub::new(Alice))
    }
}

fn folder() -> PathBuf {
    tests_dir().join("typescript")
}

/// What the compiler prints of the files that this configuration names, and whether it is content.
async fn compile(config: &str) -> (bool, String) {
    let run = node_in("typescript")
        .args(["node_modules/typescript/bin/tsc", "--pretty", "false", "--project", config])
        .stdin(Stdio::null())
        .output();
    let output = timeout(5 * DEADLINE, run).await.expect("the compiler never ends");
    let output = output.expect("Node.js is needed: install version 20 or newer");
    let report = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&report).into_owned())
}

#[test]
fn the_declarations_are_current() {
    Declarations::new().interface::<dyn Api>().check(folder().join("api.ts")).unwrap();
}

#[tokio::test]
async fn a_client_is_compiled_and_understood() {
    let (is_content, report) = compile("tsconfig.json").await;
    assert!(is_content, "{report}");

    let rpc =
        server::rpc().allow_unauthenticated().main(|_| Stub::<dyn Api>::new(Server).untyped());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/rpc", listener.local_addr().unwrap());
    tokio::spawn(server::serve(listener, rpc.clone()));
    run_node_tests("typescript", "node_modules/.build/client.js", &[("CAPNWEB_URL", &url)]).await;
    assert!(rpc.shutdown(DEADLINE).await, "a session does not end");
}

#[tokio::test]
async fn mistakes_are_refused() {
    let source = std::fs::read_to_string(folder().join("mistakes.ts")).unwrap();
    let expected: Vec<(usize, &str)> = (1..)
        .zip(source.lines())
        .filter_map(|(number, line)| Some((number, line.rsplit_once(" // TS")?.1)))
        .collect();
    assert!(expected.len() > 10, "{expected:?}");

    let (is_content, report) = compile("tsconfig.mistakes.json").await;
    assert!(!is_content, "nothing was refused");
    // As in `mistakes.ts(8,13): error TS2339: Property ...`.
    let found: Vec<(usize, &str)> = report
        .lines()
        .filter_map(|line| {
            let (place, error) = line.strip_prefix("mistakes.ts(")?.split_once("): error TS")?;
            Some((place.split_once(',')?.0.parse().ok()?, error.split_once(':')?.0))
        })
        .collect();
    assert_eq!(found, expected, "{report}");
}
