//! The scenarios on this library.

use std::sync::Arc;

use capnweb::{Call, Reply, Stub, Target};
use futures::{StreamExt, stream};
use serde::Serialize;

use crate::{
    Scenario, Took,
    document::{Document, document},
    timed,
};

struct Api;

impl Target for Api {
    fn call(self: Arc<Self>, call: Call) -> Reply {
        match call.method() {
            "square" => call.reply(|(n,): (f64,)| Ok(n * n)),
            "echo" => call.reply(|(document,): (Document,)| Ok(document)),
            "authenticate" => call.reply(|(_token,): (String,)| Ok(Stub::target(Session))),
            _ => call.no_such_method(),
        }
    }
}

struct Session;

#[derive(Serialize)]
struct Profile {
    name: &'static str,
    email: &'static str,
}

impl Target for Session {
    fn call(self: Arc<Self>, call: Call) -> Reply {
        match call.method() {
            "getProfile" => Reply::value(Profile { name: "Alice", email: "alice@example.com" }),
            _ => call.no_such_method(),
        }
    }
}

pub(crate) async fn serve() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("it is bound").port());
    let rpc = capnweb::server::rpc().allow_unauthenticated().main(|_| Stub::target(Api));
    capnweb::server::serve(listener, rpc).await;
}

pub(crate) async fn call(scenario: Scenario, port: u16, calls: usize, server: u32) -> Took {
    let connection =
        capnweb::connect(format!("ws://127.0.0.1:{port}/")).await.expect("the server listens");
    let api = connection.main();
    match scenario {
        Scenario::S1 => {
            timed(calls, server, async |n| {
                for i in 0..n {
                    let square: f64 =
                        api.call("square", (i,)).decode().await.expect("it can be squared");
                    assert_eq!(square, (i * i) as f64);
                }
            })
            .await
        }
        Scenario::S2 => {
            timed(calls, server, async |n| {
                let mut results = stream::iter(0..n)
                    .map(|i| {
                        let square = api.call("square", (i,)).decode::<f64>();
                        async move { (i, square.await) }
                    })
                    .buffer_unordered(256);
                while let Some((i, square)) = results.next().await {
                    assert_eq!(square.expect("it can be squared"), (i * i) as f64);
                }
            })
            .await
        }
        Scenario::S3 => {
            timed(calls, server, async |n| {
                for _ in 0..n {
                    let session = api.call("authenticate", ("token",));
                    let name = session.call("getProfile", ()).get("name").decode::<String>();
                    assert_eq!(name.await.expect("there is a name"), "Alice");
                }
            })
            .await
        }
        Scenario::S4a => {
            let document = document();
            timed(calls, server, async |n| {
                for _ in 0..n {
                    let echo: Document =
                        api.call("echo", (&document,)).decode().await.expect("it comes back");
                    assert_eq!(echo.rows.len(), document.rows.len());
                }
            })
            .await
        }
    }
}
