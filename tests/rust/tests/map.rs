//! Map: functions that are recorded here and applied there.

use std::sync::Arc;

use capnweb::{Call, Error, Limits, Options, Promise, Reply, Stub, Target, Value};
use capnweb_tests::{FixedTarget, Pair, Peer};
use serde::Serialize;

/// Lists, and what can be asked about their elements.
struct Shelf;

impl Target for Shelf {
    fn call(self: Arc<Self>, call: Call) -> Reply {
        match call.method() {
            "ids" => Reply::value([1, 2, 3]),
            "book" => call.reply(|(id,): (u32,)| Ok(Stub::target(Book(id)))),
            "books" => Reply::value([Stub::target(Book(7)), Stub::target(Book(8))]),
            "nothing" => Reply::value(Value::Null),
            "one" => Reply::value("single"),
            "shelves" => Reply::value([[1, 2], [3, 4]]),
            "echo" => call.reply(|(value,): (Value,)| Ok(value)),
            "later" => call.reply_async(|(value,): (Value,)| async move {
                let mut woken = false;
                std::future::poll_fn(move |cx| {
                    if std::mem::replace(&mut woken, true) {
                        return std::task::Poll::Ready(());
                    }
                    cx.waker().wake_by_ref();
                    std::task::Poll::Pending
                })
                .await;
                Ok(value)
            }),
            _ => call.no_such_method(),
        }
    }
}

struct Book(u32);

impl Target for Book {
    fn call(self: Arc<Self>, call: Call) -> Reply {
        match call.method() {
            "title" => Reply::value(format!("Book {}", self.0)),
            _ => call.no_such_method(),
        }
    }
}

/// Counts the messages of the client up to the answer.
fn pushes(pair: &Pair) -> usize {
    pair.client.log.iter().filter(|frame| frame.starts_with("[\"push\"")).count()
}

#[test]
fn a_list_and_something_about_each_element_take_one_round_trip() {
    let mut pair = Pair::new(Stub::target(Shelf));
    let api = pair.client.main();
    let titles = api
        .call("ids", ())
        .map(|id| api.call("book", (id,)).call("title", ()))
        .decode::<Vec<String>>();
    let titles = pair.run(async move { titles.await }).unwrap();
    assert_eq!(titles, ["Book 1", "Book 2", "Book 3"]);
    // The list and the map: everything else happens over there.
    assert_eq!(pushes(&pair), 2);
    assert_eq!(
        pair.client.log[1],
        r#"["push",["remap",1,[],[["import",0]],[["pipeline",-1,["book"],[["pipeline",0]]],["pipeline",1,["title"],[]],["pipeline",2]]]]"#
    );
    drop(api);
    pair.assert_clean();
}

#[test]
fn null_stays_null_and_a_single_value_counts_as_one() {
    let mut pair = Pair::new(Stub::target(Shelf));
    let api = pair.client.main();
    let null = api.call("nothing", ()).map(|x| api.call("echo", (x,)));
    assert_eq!(pair.run(async move { null.await }).unwrap(), Value::Null);
    let single = api.call("one", ()).map(|x| api.call("echo", ((x, 1),)));
    let single = pair.run(async move { single.decode::<(String, u8)>().await }).unwrap();
    assert_eq!(single, ("single".to_owned(), 1));
    drop(api);
    pair.assert_clean();
}

#[test]
fn the_result_can_mix_calls_properties_and_constants() {
    #[derive(Serialize)]
    struct Entry {
        title: Promise,
        id: Promise,
        kind: &'static str,
    }
    let mut pair = Pair::new(Stub::target(Shelf));
    let api = pair.client.main();
    let entries = api.call("ids", ()).map(|id| Entry {
        title: api.call("book", (&id,)).call("title", ()),
        id,
        kind: "book",
    });
    let entries = pair.run(async move { entries.await }).unwrap();
    let first = &entries.as_array().unwrap()[0];
    assert_eq!(first.get("title").unwrap().as_str(), Some("Book 1"));
    assert_eq!(first.get("id").unwrap().as_f64(), Some(1.0));
    assert_eq!(first.get("kind").unwrap().as_str(), Some("book"));
    drop((api, entries));
    pair.assert_clean();
}

#[test]
fn maps_nest() {
    let mut pair = Pair::new(Stub::target(Shelf));
    let api = pair.client.main();
    let titles = api
        .call("shelves", ())
        .map(|shelf| shelf.map(|id| api.call("book", (id,)).call("title", ())))
        .decode::<Vec<Vec<String>>>();
    let titles = pair.run(async move { titles.await }).unwrap();
    assert_eq!(titles, [["Book 1", "Book 2"], ["Book 3", "Book 4"]]);
    drop(api);
    pair.assert_clean();
}

#[test]
fn elements_can_be_stubs_and_results_that_come_later() {
    let mut pair = Pair::new(Stub::target(Shelf));
    let api = pair.client.main();
    let titles = api
        .call("books", ())
        .map(|book| api.call("later", (book.call("title", ()),)))
        .decode::<Vec<String>>();
    assert_eq!(pair.run(async move { titles.await }).unwrap(), ["Book 7", "Book 8"]);
    drop(api);
    pair.assert_clean();
}

#[test]
fn a_callback_of_the_mapping_side_can_be_captured() {
    let mut pair = Pair::new(Stub::target(Shelf));
    let api = pair.client.main();
    let double = Stub::function(|(n,): (f64,)| async move { Ok(2.0 * n) });
    let doubled = api.call("ids", ()).map(|id| double.invoke((id,))).decode::<Vec<f64>>();
    assert_eq!(pair.run(async move { doubled.await }).unwrap(), [2.0, 4.0, 6.0]);
    drop((api, double));
    pair.assert_clean();
}

#[test]
fn a_local_promise_is_mapped_the_same() {
    let mut pair = Pair::new(Stub::target(Shelf));
    let local = Stub::target(Shelf);
    let titles = pair
        .executor
        .enter(|| local.call("ids", ()).map(|id| local.call("book", (id,)).call("title", ())));
    let titles = pair.run(async move { titles.decode::<Vec<String>>().await }).unwrap();
    assert_eq!(titles, ["Book 1", "Book 2", "Book 3"]);
}

#[test]
fn making_an_object_inside_is_refused_with_the_reason() {
    let mut pair = Pair::new(Stub::target(Shelf));
    let api = pair.client.main();
    let refused = api.call("ids", ()).map(|id| api.call("echo", (id, Stub::target(Shelf))));
    let error = pair.run(async move { refused.await }).unwrap_err();
    assert!(error.message().contains("cannot be made inside of a map's function"), "{error}");
    assert_eq!(pushes(&pair), 1);
    drop(api);
    pair.assert_clean();
}

#[test]
fn a_placeholder_that_escapes_is_of_no_use() {
    let mut pair = Pair::new(Stub::target(Shelf));
    let api = pair.client.main();
    let mut escaped = None;
    let mapped = api.call("ids", ()).map(|id| escaped = Some(id));
    let escaped = escaped.unwrap();
    let error = pair.run(async move { escaped.await }).unwrap_err();
    assert!(error.message().contains("placeholders"), "{error}");
    let units = pair.run(async move { mapped.decode::<Vec<()>>().await }).unwrap();
    assert_eq!(units.len(), 3);
    drop(api);
    pair.assert_clean();
}

#[test]
fn a_function_that_panics_leaves_nothing_behind() {
    let mut pair = Pair::new(Stub::target(Shelf));
    let api = pair.client.main();
    let ids = api.call("ids", ());
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        ids.map(|_| -> u8 { panic!("in the function") })
    }));
    assert!(panicked.is_err());
    // Calls are calls again.
    let echo = api.call("echo", (1,)).decode::<u8>();
    assert_eq!(pair.run(async move { echo.await }).unwrap(), 1);
    drop((api, ids));
    pair.assert_clean();
}

#[test]
fn what_is_wrong_with_instructions_only_rejects_the_call() {
    for (instructions, message) in [
        ("[]", "Invalid empty mapper function."),
        (r#"[["pipeline",5]]"#, "no such entry on exports table: 5"),
        (r#"[["export",-1]]"#, "A mapper function cannot refer to exports."),
        (r#"[["bogus"]]"#, "unknown special value: [\"bogus\"]"),
    ] {
        let peer = Peer::new(Some(FixedTarget::stub()), Options::new());
        peer.exchange(&format!(r#"["push",["remap",0,["info","a","b"],[],{instructions}]]"#), &[]);
        let answer = peer.send(r#"["pull",1]"#).join("");
        let expected = serde_json::to_string(message).unwrap();
        assert!(answer.starts_with("[\"reject\",1,") && answer.contains(&expected), "{answer}");
        assert!(peer.session.close_reason().is_none());
    }
}

#[test]
fn a_map_of_too_many_steps_is_rejected() {
    let mut limits = Limits::default();
    limits.max_map_steps = 5;
    let mut pair =
        Pair::with(None, Some(Stub::target(Shelf)), Options::new(), Options::new().limits(limits));
    let api = pair.client.main();
    let mapped = api.call("ids", ()).map(|id| api.call("echo", (id,)));
    let error: Error = pair.run(async move { mapped.await }).unwrap_err();
    assert_eq!(error.name(), "RangeError");
    drop(api);
    pair.assert_clean();
}
