//! Calls, properties, and what is saved by not waiting.

use capnweb::Value;
use capnweb_tests::clean;
use futures::future::join_all;

#[tokio::test]
async fn results_come_back() {
    clean(async |js| {
        let main = &js.main;
        assert_eq!(main.call("square", (5,)).decode::<u32>().await.unwrap(), 25);
        assert_eq!(main.call("add", (2, 3.5)).decode::<f64>().await.unwrap(), 5.5);
        let greeting: String = main.call("greet", ("wörld",)).decode().await.unwrap();
        assert_eq!(greeting, "Hello, wörld!");
        assert_eq!(main.call("getUndefined", ()).await.unwrap(), Value::Undefined);
        assert_eq!(main.call("getNull", ()).await.unwrap(), Value::Null);
    })
    .await;
}

#[tokio::test]
async fn a_call_costs_one_message_each_way_a_pull_and_a_release() {
    clean(async |js| {
        js.main.call("square", (5,)).await.unwrap();
        let frames = [
            r#"> ["push",["pipeline",0,["square"],[5]]]"#,
            r#"> ["pull",1]"#,
            r#"< ["resolve",1,25]"#,
            r#"> ["release",1,1]"#,
        ];
        js.log.expect(&frames).await;
    })
    .await;
}

#[tokio::test]
async fn many_calls_at_a_time_are_answered_each() {
    clean(async |js| {
        let calls = (0..1000).map(|n| js.main.call("square", (n,)).decode::<u32>().into_future());
        let results: Vec<u32> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(results, (0..1000).map(|n| n * n).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn calls_arrive_in_the_order_in_which_they_were_made() {
    clean(async |js| {
        let counter = js.main.call("makeCounter", (0,));
        let calls = (0..200).map(|_| counter.call("increment", ()).decode::<u32>().into_future());
        let results: Vec<u32> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(results, (1..=200).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn a_call_need_not_wait_for_one_that_is_pending() {
    clean(async |js| {
        let held = js.main.call("hold", ()).into_future();
        assert_eq!(js.main.call("square", (3,)).await.unwrap(), Value::from(9));
        assert_eq!(js.main.call("releaseHeld", ("late",)).await.unwrap(), Value::from(1));
        assert_eq!(held.await.unwrap(), Value::from("late"));
    })
    .await;
}

#[tokio::test]
async fn properties_are_read_at_any_depth() {
    clean(async |js| {
        let b = js.main.get("info").get("a").get("b");
        assert_eq!(b.get(1).decode::<u8>().await.unwrap(), 2);
        assert_eq!(b.get(2).get("c").decode::<String>().await.unwrap(), "x");
        assert_eq!(js.main.get("missing").await.unwrap(), Value::Undefined);
        assert_eq!(js.main.get("info").get("missing").await.unwrap(), Value::Undefined);
    })
    .await;
}

#[tokio::test]
async fn a_chain_of_calls_takes_one_round_trip() {
    clean(async |js| {
        let counter = js.main.call("makeCounter", (10,));
        assert_eq!(counter.call("increment", (5,)).decode::<u8>().await.unwrap(), 15);
        drop(counter);
        let frames = [
            r#"> ["push",["pipeline",0,["makeCounter"],[10]]]"#,
            r#"> ["push",["pipeline",1,["increment"],[5]]]"#,
            r#"> ["pull",2]"#,
            r#"< ["resolve",2,15]"#,
            r#"> ["release",2,1]"#,
            r#"> ["release",1,1]"#,
        ];
        js.log.expect(&frames).await;
    })
    .await;
}

#[tokio::test]
async fn promises_as_arguments_take_one_round_trip() {
    clean(async |js| {
        let (four, nine) = (js.main.call("square", (2,)), js.main.call("square", (3,)));
        let sum: u8 = js.main.call("add", (&four, &nine)).decode().await.unwrap();
        assert_eq!(sum, 13);
        let frames = [
            r#"> ["push",["pipeline",0,["square"],[2]]]"#,
            r#"> ["push",["pipeline",0,["square"],[3]]]"#,
            r#"> ["push",["pipeline",0,["add"],[["pipeline",1],["pipeline",2]]]]"#,
            r#"> ["pull",3]"#,
            r#"< ["resolve",3,13]"#,
            r#"> ["release",3,1]"#,
        ];
        js.log.expect(&frames).await;
    })
    .await;
}

#[tokio::test]
async fn members_of_a_result_can_be_called_before_it_comes() {
    clean(async |js| {
        let counters = js.main.call("makeCounters", ());
        let second = counters.get("second").call("increment", (40,));
        assert_eq!(second.decode::<u8>().await.unwrap(), 42);
        assert_eq!(counters.get("first").get("value").decode::<u8>().await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_pipelined_on_a_pending_result_waits_for_it() {
    clean(async |js| {
        let held = js.main.call("hold", ());
        let read = held.get("a").get("b").into_future();
        let argument = js.main.call("greet", (&held.get("name"),)).into_future();
        let value = Value::encode(&serde_json::json!({"a": {"b": "found"}, "name": "you"}));
        js.main.call("releaseHeld", (value.unwrap(),)).await.unwrap();
        assert_eq!(read.await.unwrap(), Value::from("found"));
        assert_eq!(argument.await.unwrap(), Value::from("Hello, you!"));
    })
    .await;
}

#[tokio::test]
async fn promises_inside_a_result_are_waited_for() {
    clean(async |js| {
        let inside = js.main.call("promiseInside", (7,)).await.unwrap();
        assert_eq!(inside.get("p"), Some(&Value::from(7)));
        let held = js.main.call("heldInside", ()).into_future();
        js.main.call("releaseHeld", (9,)).await.unwrap();
        assert_eq!(held.await.unwrap().get("p"), Some(&Value::from(9)));
    })
    .await;
}

#[tokio::test]
async fn a_promise_can_be_used_again_after_it_was_awaited() {
    clean(async |js| {
        let four = js.main.call("square", (2,));
        assert_eq!(four.clone().decode::<u8>().await.unwrap(), 4);
        assert_eq!(js.main.call("add", (&four, 1)).decode::<u8>().await.unwrap(), 5);
        let counter = js.main.call("makeCounter", (1,));
        counter.clone().await.unwrap();
        assert_eq!(counter.call("increment", ()).decode::<u8>().await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_promise_that_is_dropped_unread_is_never_pulled() {
    clean(async |js| {
        let counter = js.main.call("makeCounter", (0,));
        drop(counter.call("increment", (5,)));
        assert_eq!(counter.get("value").decode::<u8>().await.unwrap(), 5);
        let frames = [
            r#"> ["push",["pipeline",0,["makeCounter"],[0]]]"#,
            r#"> ["push",["pipeline",1,["increment"],[5]]]"#,
            r#"> ["release",2,1]"#,
            r#"> ["push",["pipeline",1,["value"]]]"#,
            r#"> ["pull",3]"#,
            r#"< ["resolve",3,5]"#,
            r#"> ["release",3,1]"#,
        ];
        js.log.expect(&frames).await;
    })
    .await;
}
