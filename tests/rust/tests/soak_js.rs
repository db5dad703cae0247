//! Many calls on one connection with a JavaScript server, after which nothing may be left.

use capnweb::{Connection, Error, Stats, Stub};
use capnweb_tests::JsServer;
use futures::future::try_join_all;

/// Calls in flight at a time.
const BATCH: u32 = 100;

/// 100,000 where `CAPNWEB_FULL` is set.
fn calls() -> u32 {
    if std::env::var_os("CAPNWEB_FULL").is_some() { 100_000 } else { 2_000 }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_after_many_calls() {
    let mut server = JsServer::start("server.mjs", &[]).await;
    let connection = capnweb::connect(server.url()).await.unwrap();
    let main = connection.main();
    for batch in 0..calls() / BATCH {
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        try_join_all(numbers.map(|n| one(&main, n))).await.unwrap();
    }
    assert_clean(&connection, &mut server).await;
    drop((connection, main));
    server.deserted().await;
    server.stop().await;
}

/// One call of each kind in turn, with its result checked.
async fn one(main: &Stub, n: u32) -> Result<(), Error> {
    let n = f64::from(n);
    let (result, expected): (f64, f64) = match n as u32 % 6 {
        0 => (main.call("square", (n,)).decode().await?, n * n),
        1 => {
            let callback = Stub::function(|(n,): (f64,)| async move { Ok(n + 1.0) });
            (main.call("callBack", (callback, n)).decode().await?, n + 1.0)
        }
        2 => {
            let counter = main.call("makeCounter", (n,));
            (counter.call("increment", (2,)).decode().await?, n + 2.0)
        }
        3 => {
            let square = main.call("square", (n,));
            (main.call("add", (&square, n)).decode().await?, n * n + n)
        }
        4 => {
            let counter = main.call("makeCounter", (n,));
            let increment = Stub::function(|(counter,): (Stub,)| async move {
                counter.call("increment", ()).decode::<f64>().await
            });
            (main.call("callBack", (increment, &counter)).decode().await?, n + 1.0)
        }
        _ => {
            // Dropped unread, and failing: these leave nothing either.
            drop(main.call("makeCounters", ()).get("first").call("increment", ()));
            let error = main.call("fail", ("RangeError", n.to_string())).await.unwrap_err();
            (error.message().parse().unwrap(), n)
        }
    };
    assert_eq!(result, expected);
    Ok(())
}

/// The last releases may come behind the last answers, so a few more round trips are granted.
async fn assert_clean(connection: &Connection, server: &mut JsServer) {
    let clean = Stats { imports: 1, exports: 1 };
    let mut stats = (connection.stats(), vec![]);
    for _ in 0..50 {
        connection.main().call("square", (2,)).await.unwrap();
        stats = (connection.stats(), server.stats().await);
        if stats == (clean, vec![clean]) {
            return;
        }
    }
    panic!("left over: {stats:?}");
}
