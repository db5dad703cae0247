//! A long life of one connection: nothing is left behind.

use std::alloc::System;

use cap::Cap;
use capnweb::{Connection, Error, Stats, Stub};
use capnweb_tests::FixedTarget;
use tokio::net::TcpListener;

// Counts the live bytes of this process, client and server together.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// A million calls in the full run.
fn calls() -> usize {
    if std::env::var_os("CAPNWEB_FULL").is_some() { 1_000_000 } else { 20_000 }
}

/// Ten calls: plain ones, a pipelined chain, a callback, a promise as an argument.
async fn round(api: &Stub, double: &Stub, i: f64) -> Result<(), Error> {
    let square = api.call("square", (i,)).decode::<f64>();
    let counter = api.call("makeCounter", (i,));
    let first = counter.call("increment", (1,)).decode::<f64>();
    let second = counter.call("increment", (2,)).decode::<f64>();
    let value = counter.get("value").decode::<f64>();
    let called = api.call("callBack", (double, i)).decode::<f64>();
    let sum = api.call("add", (i, api.call("square", (2,)))).decode::<f64>();
    let unused = api.call("greet", ("nobody",));
    let (square, first, second, value, called, sum) =
        tokio::try_join!(square, first, second, value, called, sum)?;
    drop(unused);
    assert_eq!(
        [square, first, second, value, called, sum],
        [i * i, i + 1.0, i + 3.0, i + 3.0, 2.0 * i, i + 4.0]
    );
    Ok(())
}

#[tokio::test]
async fn a_connection_that_made_a_million_calls_holds_no_more_than_a_new_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let (connected, mut connections) = tokio::sync::mpsc::unbounded_channel();
    let rpc = capnweb::server::rpc()
        .allow_unauthenticated()
        .on_connect(move |_, connection| connected.send(connection).unwrap())
        .main(|_| FixedTarget::stub());
    tokio::spawn(capnweb::server::serve(listener, rpc));
    let client = capnweb::connect(&url).await.unwrap();
    let server = connections.recv().await.unwrap();
    let api = client.main();
    let double = Stub::function(|(n,): (f64,)| async move { Ok(2.0 * n) });

    const CALLS_PER_ROUND: usize = 10;
    const ROUNDS_AT_ONCE: usize = 50;
    let batches = calls() / (CALLS_PER_ROUND * ROUNDS_AT_ONCE);
    let mut after_a_tenth = 0;
    for batch in 0..batches {
        let rounds = (0..ROUNDS_AT_ONCE).map(|i| round(&api, &double, (batch + i) as f64));
        futures::future::try_join_all(rounds).await.unwrap();
        if batch == batches / 10 {
            settle(&client, &server).await;
            after_a_tenth = ALLOCATOR.allocated();
        }
    }
    settle(&client, &server).await;
    let grown = ALLOCATOR.allocated().saturating_sub(after_a_tenth);
    assert!(grown < 64 * 1024, "{grown} bytes more are alive than after a tenth of the calls");
}

/// Waits until only the main objects are left. What was released is on its way.
async fn settle(client: &Connection, server: &Connection) {
    let clean = Stats { imports: 1, exports: 1 };
    // A call behind everything else: when it is answered, all of that has arrived.
    let last = async {
        client.main().call("square", (1,)).decode::<f64>().await?;
        Ok::<_, Error>(())
    };
    last.await.unwrap();
    for _ in 0..1000 {
        if client.stats() == clean && server.stats() == clean {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("client {:?}, server {:?}", client.stats(), server.stats());
}
