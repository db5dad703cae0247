//! A connection lives as long as anything that came from it.

use capnweb::{
    Connection, ErrorKind, Options, Promise, Session, Stub,
    transport::{CloseReason, memory},
};
use capnweb_tests::{FixedTarget, Log, Peer, target};

/// Drops `handle` and says whether that ended the session.
fn ends<T>(peer: &Session, handle: T) -> bool {
    assert_eq!(peer.close_reason(), None, "it has ended before");
    drop(handle);
    match peer.close_reason() {
        Some(reason) => {
            assert_eq!(reason, CloseReason::Done);
            true
        }
        None => false,
    }
}

fn client() -> (Session, Connection) {
    Session::new(None, Options::new())
}

#[test]
fn a_connection_handle_keeps_it_alive() {
    let (session, connection) = client();
    let clone = connection.clone();
    assert!(!ends(&session, connection));
    assert!(ends(&session, clone));
    assert!(session.outgoing().is_empty(), "no abort is sent");
}

#[test]
fn the_main_stub_keeps_it_alive() {
    let (session, connection) = client();
    let main = connection.main();
    assert!(!ends(&session, connection));
    let clone = main.clone();
    assert!(!ends(&session, main));
    assert!(ends(&session, clone));
}

#[test]
fn a_promise_keeps_it_alive() {
    let (session, connection) = client();
    let promise = connection.main().call("get", ()).call("more", ());
    assert!(!ends(&session, connection));
    assert!(ends(&session, promise));
}

#[test]
fn a_property_that_was_not_read_yet_keeps_it_alive() {
    let (session, connection) = client();
    let promise = connection.main().get("property");
    assert!(!ends(&session, connection));
    assert!(ends(&session, promise));
}

#[test]
fn a_future_that_waits_keeps_it_alive() {
    let (session, connection) = client();
    let future = connection.main().call("get", ()).into_future();
    assert!(!ends(&session, connection));
    assert!(ends(&session, future));
}

#[test]
fn a_callback_that_was_received_keeps_it_alive() {
    let Peer { executor, session, connection } =
        Peer::new(Some(FixedTarget::stub()), Options::new());
    executor.enter(|| {
        session.receive(r#"["push",["pipeline",0,["keep"],[["export",-1]]]]"#);
    });
    assert!(!ends(&session, connection));
    executor.enter(|| {
        session.receive(r#"["push",["pipeline",0,["callKept"],[1]]]"#);
        assert!(session.outgoing()[0].contains(r#"["pipeline",-1,[],[1]]"#));
        session.receive(r#"["push",["pipeline",0,["dropKept"],[]]]"#);
        // The call that is under way holds it still.
        assert_eq!(session.close_reason(), None);
        session.receive(r#"["resolve",1,5]"#);
    });
    executor.run();
    assert_eq!(session.close_reason(), Some(CloseReason::Done));
}

#[test]
fn waiting_for_the_end_does_not_put_it_off() {
    let (session, connection) = client();
    let closed = connection.closed();
    assert!(ends(&session, connection));
    let error = futures::executor::block_on(closed);
    assert_eq!(error.kind(), ErrorKind::Disposed);
}

#[test]
fn what_was_called_before_the_end_is_still_sent() {
    let (session, connection) = client();
    drop(connection.main().call("last", ()));
    drop(connection);
    assert_eq!(session.close_reason(), Some(CloseReason::Done));
    assert_eq!(session.outgoing()[0], r#"["push",["pipeline",0,["last"],[]]]"#);
}

#[test]
fn closing_does_not_ask_who_else_holds_it() {
    let (session, connection) = client();
    let main = connection.main();
    connection.close();
    assert_eq!(session.close_reason(), Some(CloseReason::Done));
    let error = futures::executor::block_on(main.call("m", ()).into_future()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disposed);
}

/// A client and a server over a transport, and the server's handle.
fn connected(main: Stub) -> (Connection, Connection) {
    let (a, b) = memory::pair(8);
    let server = Connection::start(a, Some(main), Options::new());
    (Connection::start(b, None, Options::new()), server)
}

async fn log_in(server: Stub) -> (Promise, Connection) {
    let (client, server) = connected(server);
    (client.main().call("makeCounter", (10,)), server)
}

#[tokio::test]
async fn a_stub_from_a_function_that_forgot_its_connection_works() {
    let (counter, server) = log_in(FixedTarget::stub()).await;
    let counter: Stub = counter.decode().await.unwrap();
    assert_eq!(counter.call("increment", (5,)).decode::<u32>().await.unwrap(), 15);
    assert_eq!(counter.get("value").decode::<u32>().await.unwrap(), 15);
    drop(counter);
    assert_eq!(server.closed().await.kind(), ErrorKind::Disconnected);
}

#[tokio::test]
async fn the_server_lets_go_of_its_objects_when_the_client_has_gone() {
    let log = Log::new();
    let guard = capnweb_tests::OnDrop(log.clone(), "dropped");
    let (client, server) = connected(target(move |call| {
        let _ = &guard;
        call.no_such_method()
    }));
    let main = client.main();
    assert_eq!(main.call("m", ()).await.unwrap_err().name(), "TypeError");
    drop(main);
    drop(client);
    server.closed().await;
    assert_eq!(log.take(), ["dropped"]);
}

#[tokio::test]
async fn a_last_call_arrives_though_everything_is_dropped_at_once() {
    let (sender, receiver) = futures::channel::oneshot::channel();
    let sender = std::sync::Mutex::new(Some(sender));
    let (client, server) = connected(target(move |call| {
        call.reply(|(n,): (u32,)| {
            if let Some(sender) = sender.lock().unwrap().take() {
                let _ = sender.send(n);
            }
            Ok(())
        })
    }));
    drop(client.main().call("last", (7,)));
    drop(client);
    assert_eq!(receiver.await, Ok(7));
    server.closed().await;
}
