//! What travels by reference, and when it is let go.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use capnweb::{Call, Reply, Stats, Stub, Target, Value};
use capnweb_tests::clean;
use futures::channel::oneshot;
use serde::Deserialize;

#[derive(Deserialize)]
struct Back {
    stub: Stub,
}

#[derive(Deserialize)]
struct Counters {
    first: Stub,
    second: Stub,
}

/// Tells when it is dropped.
struct Greeter(Arc<AtomicBool>);

impl Target for Greeter {
    fn call(self: Arc<Self>, call: Call) -> Reply {
        match call.method() {
            "greet" => call.reply(|(name,): (String,)| Ok(format!("Hi {name}"))),
            _ => call.no_such_method(),
        }
    }
}

impl Drop for Greeter {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn double() -> Stub {
    Stub::function(|(n,): (f64,)| async move { Ok(n * 2.0) })
}

#[tokio::test]
async fn callbacks_are_called_and_let_go_before_the_result_comes() {
    clean(async |js| {
        let result = js.main.call("callBack", (double(), 21));
        assert_eq!(result.decode::<u8>().await.unwrap(), 42);
        let frames = [
            r#"> ["push",["pipeline",0,["callBack"],[["export",-1],21]]]"#,
            r#"> ["pull",1]"#,
            r#"< ["push",["pipeline",-1,[],[21]]]"#,
            r#"< ["pull",1]"#,
            r#"> ["resolve",1,42]"#,
            r#"< ["release",1,1]"#,
            r#"< ["release",-1,1]"#,
            r#"< ["resolve",1,42]"#,
            r#"> ["release",1,1]"#,
        ];
        js.log.expect(&frames).await;
    })
    .await;
}

#[tokio::test]
async fn callbacks_may_take_their_time() {
    clean(async |js| {
        let (called, was_called) = oneshot::channel();
        let (answer, answered) = oneshot::channel::<String>();
        let once = Mutex::new(Some((called, answered)));
        let slow = Stub::function(move |(_,): (Value,)| {
            let (called, answered) = once.lock().unwrap().take().expect("called once");
            async move {
                called.send(()).unwrap();
                Ok(answered.await.unwrap())
            }
        });
        let result = js.main.call("callBack", (slow, 1)).into_future();
        was_called.await.unwrap();
        assert_eq!(js.main.call("square", (2,)).await.unwrap(), Value::from(4));
        answer.send("at last".to_owned()).unwrap();
        assert_eq!(result.await.unwrap(), Value::from("at last"));
    })
    .await;
}

#[tokio::test]
async fn callbacks_may_call_the_server_in_turn() {
    clean(async |js| {
        let main = js.main.clone();
        let nested = Stub::function(move |(n,): (f64,)| {
            let main = main.clone();
            async move { main.call("callBack", (double(), n + 1.0)).decode::<f64>().await }
        });
        let result = js.main.call("callBack", (nested, 4));
        assert_eq!(result.decode::<f64>().await.unwrap(), 10.0);
    })
    .await;
}

#[tokio::test]
async fn callbacks_live_as_long_as_they_are_kept() {
    clean(async |js| {
        js.main.call("keep", (double(),)).await.unwrap();
        assert_eq!(js.main.call("callKept", (4,)).await.unwrap(), Value::from(8));
        assert_eq!(js.main.call("callKept", (5,)).await.unwrap(), Value::from(10));
        assert_eq!(js.connection.stats(), Stats { imports: 1, exports: 2 });
        js.main.call("dropKept", ()).await.unwrap();
        js.log.seen(r#"< ["release",-1,1]"#).await;
        let error = js.main.call("callKept", (6,)).await.unwrap_err();
        assert_eq!(error.message(), "Nothing is kept.");
    })
    .await;
}

#[tokio::test]
async fn an_object_is_dropped_when_the_server_lets_it_go() {
    clean(async |js| {
        let dropped = Arc::new(AtomicBool::new(false));
        let greeter = Stub::target(Greeter(Arc::clone(&dropped)));
        js.main.call("keep", (greeter,)).await.unwrap();
        js.round_trip().await;
        assert!(!dropped.load(Ordering::SeqCst));
        js.main.call("dropKept", ()).await.unwrap();
        js.log.seen(r#"< ["release",-1,1]"#).await;
        js.round_trip().await;
        assert!(dropped.load(Ordering::SeqCst));
    })
    .await;
}

#[tokio::test]
async fn what_nobody_uses_is_let_go() {
    clean(async |js| {
        js.main.call("getNull", (double(), [double()])).await.unwrap();
        js.main.call("missing", (double(),)).await.unwrap_err();
        for id in [-1, -2, -3] {
            js.log.seen(&format!(r#"< ["release",{id},1]"#)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn stubs_come_back_to_their_owner_as_themselves() {
    clean(async |js| {
        let back: Back = js.main.call("giveBack", (double(),)).decode().await.unwrap();
        js.clear_log().await;
        assert_eq!(back.stub.invoke((1,)).decode::<u8>().await.unwrap(), 2);
        assert!(js.log.frames().is_empty(), "a call on one's own object goes over no wire");
    })
    .await;
}

#[tokio::test]
async fn objects_that_come_back_keep_their_methods() {
    clean(async |js| {
        let greeter = Stub::target(Greeter(Arc::default()));
        let back: Back = js.main.call("giveBack", (greeter,)).decode().await.unwrap();
        let greeting: String = back.stub.call("greet", ("you",)).decode().await.unwrap();
        assert_eq!(greeting, "Hi you");
    })
    .await;
}

#[tokio::test]
async fn stubs_of_the_server_come_back_to_it_as_its_own() {
    clean(async |js| {
        let counter: Stub = js.main.call("makeCounter", (5,)).decode().await.unwrap();
        // The package refuses every call on what its side makes of this (it takes the stub for a
        // promise), whoever the client is: so nothing is called.
        let back: Back = js.main.call("giveBack", (&counter,)).decode().await.unwrap();
        js.log.seen(r#"> ["push",["pipeline",0,["giveBack"],[["import",-1]]]]"#).await;
        drop(back);
        js.log.seen(r#"> ["release",-2,1]"#).await;
        assert_eq!(counter.call("increment", ()).decode::<u8>().await.unwrap(), 6);
    })
    .await;
}

#[tokio::test]
async fn promised_stubs_of_the_server_come_back_to_it_as_themselves() {
    clean(async |js| {
        let counter = js.main.call("makeCounter", (5,));
        let back = js.main.call("giveBack", (&counter,));
        assert_eq!(back.get("stub").call("increment", ()).decode::<u8>().await.unwrap(), 6);
        assert_eq!(counter.get("value").decode::<u8>().await.unwrap(), 6);
    })
    .await;
}

#[tokio::test]
async fn stubs_of_the_server_can_be_given_to_a_callback() {
    clean(async |js| {
        let counter = js.main.call("makeCounter", (1,));
        let increment = Stub::function(|(counter,): (Stub,)| async move {
            counter.call("increment", (2,)).decode::<f64>().await
        });
        let result = js.main.call("callBack", (increment, &counter));
        assert_eq!(result.decode::<u8>().await.unwrap(), 3);
        assert_eq!(counter.get("value").decode::<u8>().await.unwrap(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_stub_is_released_with_its_last_clone() {
    clean(async |js| {
        let counter: Stub = js.main.call("makeCounter", (1,)).decode().await.unwrap();
        let clone = counter.clone();
        js.clear_log().await;
        drop(counter);
        assert_eq!(clone.call("increment", ()).decode::<u8>().await.unwrap(), 2);
        drop(clone);
        js.log.seen(r#"> ["release",-1,1]"#).await;
        let releases = js.log.frames().iter().filter(|f| f.contains(r#""release",-1"#)).count();
        assert_eq!(releases, 1);
    })
    .await;
}

#[tokio::test]
async fn stubs_in_a_result_are_released_one_by_one() {
    clean(async |js| {
        let Counters { first, second } = js.main.call("makeCounters", ()).decode().await.unwrap();
        assert_eq!(first.call("increment", ()).decode::<u8>().await.unwrap(), 2);
        js.clear_log().await;
        drop(first);
        js.log.expect(&[r#"> ["release",-1,1]"#]).await;
        assert_eq!(second.call("increment", ()).decode::<u8>().await.unwrap(), 3);
        js.clear_log().await;
        drop(second);
        js.log.expect(&[r#"> ["release",-2,1]"#]).await;
    })
    .await;
}

#[tokio::test]
async fn stubs_in_a_result_that_is_decoded_as_something_else_are_released() {
    clean(async |js| {
        #[derive(Deserialize)]
        struct First {
            first: Stub,
        }
        let First { first } = js.main.call("makeCounters", ()).decode().await.unwrap();
        js.log.seen(r#"> ["release",-2,1]"#).await;
        assert_eq!(first.get("value").decode::<u8>().await.unwrap(), 1);
        js.main.call("makeCounter", (1,)).decode::<u8>().await.unwrap_err();
        js.log.seen(r#"> ["release",-3,1]"#).await;
    })
    .await;
}

#[tokio::test]
async fn a_pending_call_that_is_dropped_leaves_nothing_behind() {
    clean(async |js| {
        drop(js.main.call("hold", ()));
        drop(js.main.call("hold", ()).into_future());
        assert_eq!(js.main.call("releaseHeld", ("nobody",)).await.unwrap(), Value::from(2));
    })
    .await;
}
