//! Functions that are recorded here and applied by the package's server.

use capnweb::{Stub, Value};
use capnweb_tests::clean;
use serde::{Deserialize, Serialize};

#[tokio::test]
async fn a_list_and_something_about_each_element_take_one_round_trip() {
    clean(async |js| {
        let squares = js.main.call("echo", ([1, 2, 3],)).map(|n| js.main.call("square", (n,)));
        assert_eq!(squares.decode::<Vec<u32>>().await.unwrap(), [1, 4, 9]);
        let frames = js.log.frames();
        let pushes = frames.iter().filter(|frame| frame.starts_with(r#"> ["push""#));
        assert_eq!(pushes.count(), 2, "{frames:#?}");
    })
    .await;
}

#[tokio::test]
async fn results_mix_elements_calls_properties_and_constants() {
    #[derive(Serialize)]
    struct Row<N, S> {
        n: N,
        more: (S, &'static str),
    }
    #[derive(Debug, Deserialize, PartialEq)]
    struct Mapped {
        n: u32,
        more: (u32, String),
    }
    clean(async |js| {
        let rows = serde_json::json!([{"n": 2}, {"n": 3}]);
        let mapped = js.main.call("echo", (rows,)).map(|row| Row {
            n: row.get("n"),
            more: (js.main.call("square", (row.get("n"),)), "x"),
        });
        let mapped = mapped.decode::<Vec<Mapped>>().await.unwrap();
        let expected = [(2, 4), (3, 9)].map(|(n, square)| Mapped { n, more: (square, "x".into()) });
        assert_eq!(mapped, expected);
    })
    .await;
}

#[tokio::test]
async fn null_stays_null_and_another_value_counts_as_one() {
    clean(async |js| {
        let square = |value: capnweb::Promise| value.map(|n| js.main.call("square", (n,)));
        assert_eq!(square(js.main.call("getNull", ())).await.unwrap(), Value::Null);
        assert_eq!(square(js.main.call("getUndefined", ())).await.unwrap(), Value::Undefined);
        assert_eq!(square(js.main.call("square", (3,))).await.unwrap(), Value::from(81));
        let counter = js.main.call("makeCounter", (5,));
        let seven = counter.map(|counter| counter.call("increment", (2,)));
        assert_eq!(seven.decode::<u32>().await.unwrap(), 7);
        let b = js.main.get("info").get("a").get("b").map(|each| each.get("c"));
        let b = b.decode::<Vec<Option<String>>>().await.unwrap();
        assert_eq!(b, [None, None, Some("x".to_owned())]);
    })
    .await;
}

#[tokio::test]
async fn stubs_from_outside_and_callbacks_can_be_used_inside() {
    clean(async |js| {
        let counter = js.main.call("makeCounter", (0,));
        let counts = js
            .main
            .call("echo", ([1, 2, 3],))
            .map(|n| counter.call("increment", (n,)))
            .decode::<Vec<u32>>();
        assert_eq!(counts.await.unwrap(), [1, 3, 6]);
        let double = Stub::function(|(n,): (u32,)| async move { Ok(n * 2) });
        let doubled = js
            .main
            .call("echo", ([1, 2],))
            .map(|n| js.main.call("square", (double.invoke((n,)),)))
            .decode::<Vec<u32>>();
        assert_eq!(doubled.await.unwrap(), [4, 16]);
    })
    .await;
}

#[tokio::test]
async fn results_of_callbacks_come_home() {
    clean(async |js| {
        let double = Stub::function(|(n,): (u32,)| async move { Ok(n * 2) });
        let doubled =
            js.main.call("echo", ([1, 2],)).map(|n| double.invoke((n,))).decode::<Vec<u32>>();
        assert_eq!(doubled.await.unwrap(), [2, 4]);
    })
    .await;
}

#[tokio::test]
async fn maps_nest() {
    clean(async |js| {
        let table = serde_json::json!([{"by": 10, "row": [1, 2]}, {"by": 20, "row": [3]}]);
        let sums = js
            .main
            .call("echo", (table,))
            .map(|line| line.get("row").map(|n| js.main.call("add", (line.get("by"), n))));
        let sums = sums.decode::<Vec<Vec<u32>>>().await.unwrap();
        assert_eq!(sums, [vec![11, 12], vec![23]]);
    })
    .await;
}

#[tokio::test]
async fn errors_inside_reject_the_result() {
    clean(async |js| {
        let list = js.main.call("echo", ([1, 2],));
        let thrown = list.map(|_| js.main.call("fail", ("RangeError", "no"))).await.unwrap_err();
        assert_eq!((thrown.name(), thrown.message()), ("RangeError", "no"));
        let missing = list.map(|n| js.main.call("missing", (n,))).await.unwrap_err();
        assert_eq!(missing.message(), "'missing' is not a function.");
        // An error while recording is one of the result, and nothing is sent.
        let made = list.map(|_| Stub::function(|(): ()| async { Ok(()) })).await.unwrap_err();
        assert!(made.message().contains("cannot be made inside"), "{made}");
    })
    .await;
}
