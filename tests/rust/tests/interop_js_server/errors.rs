//! What JavaScript throws, as Rust sees it.

use capnweb::{
    Error, ErrorKind, Promise, Stub, Value,
    value::{Date, Exception, Object},
};
use capnweb_tests::clean;

async fn failure(promise: Promise) -> Error {
    promise.await.expect_err("the call fails")
}

#[tokio::test]
async fn errors_keep_their_class_and_message() {
    clean(async |js| {
        let classes = [
            "Error",
            "EvalError",
            "RangeError",
            "ReferenceError",
            "SyntaxError",
            "TypeError",
            "URIError",
        ];
        for class in classes {
            let error = failure(js.main.call("fail", (class, "what happened"))).await;
            assert_eq!((error.name(), error.message()), (class, "what happened"));
            assert_eq!(error.kind(), ErrorKind::Thrown);
            assert_eq!(error.exception().unwrap().stack, None);
        }
    })
    .await;
}

#[tokio::test]
async fn errors_keep_cause_and_properties() {
    clean(async |js| {
        let details: Object =
            [("list", Value::from([1, 2])), ("when", Value::Date(Date::from_millis(0.0)))]
                .into_iter()
                .collect();
        let thrown = Exception::new("TypeError", "outer")
            .with_cause(Value::Error(Box::new(Exception::new("RangeError", "inner"))))
            .with_property("code", "E_CODE")
            .with_property("status", 404)
            .with_property("details", Value::Object(details));
        let error = failure(js.main.call("throwValue", (&thrown,))).await;
        assert_eq!(error.exception(), Some(&thrown));
    })
    .await;
}

#[tokio::test]
async fn errors_keep_those_that_they_stand_for() {
    clean(async |js| {
        let inner = |name: &str| Value::Error(Box::new(Exception::new(name, "inner")));
        let errors = Value::from([inner("TypeError"), inner("Error"), Value::from(3)]);
        let thrown = Exception::new("AggregateError", "several").with_property("errors", errors);
        let error = failure(js.main.call("throwValue", (&thrown,))).await;
        assert_eq!(error.exception(), Some(&thrown));
        assert_eq!(error.exception().unwrap().errors().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn anything_can_be_thrown() {
    clean(async |js| {
        let object = Value::Object([("code", Value::from([1]))].into_iter().collect());
        for value in [Value::from("oops"), Value::from(42), Value::Null, Value::Undefined, object] {
            let error = failure(js.main.call("throwValue", (&value,))).await;
            assert_eq!((error.kind(), error.thrown()), (ErrorKind::Thrown, &value));
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_missing_is_named() {
    clean(async |js| {
        let info = js.main.get("info");
        for (promise, message) in [
            (js.main.call("missing", ()), "'missing' is not a function."),
            (info.get("a").call("missing", (1,)), "'info.a.missing' is not a function."),
            (
                js.main.get("missing").get("deeper"),
                "Cannot read properties of undefined (reading 'deeper')",
            ),
        ] {
            let error = failure(promise).await;
            assert_eq!((error.name(), error.message()), ("TypeError", message));
        }
    })
    .await;
}

#[tokio::test]
async fn an_error_reaches_what_was_built_on_it_and_nothing_else() {
    clean(async |js| {
        let failing = js.main.call("fail", ("RangeError", "first"));
        let built = [
            failing.get("property"),
            failing.call("method", ()),
            js.main.call("square", (&failing,)),
            failing.clone(),
        ];
        let other = js.main.call("square", (2,));
        for promise in built {
            let error = failure(promise).await;
            assert_eq!((error.name(), error.message()), ("RangeError", "first"));
        }
        assert_eq!(other.await.unwrap(), Value::from(4));
    })
    .await;
}

#[tokio::test]
async fn a_rejected_promise_inside_a_result_rejects_it() {
    clean(async |js| {
        let error = failure(js.main.call("makeRejecting", ("inner",))).await;
        assert_eq!(error.message(), "inner");
    })
    .await;
}

#[tokio::test]
async fn errors_of_callbacks_come_back_through_javascript() {
    clean(async |js| {
        let thrown = Exception::new("RangeError", "no").with_property("code", 7);
        for error in [Error::from(thrown), Error::throw("plain")] {
            let expected = error.thrown().clone();
            let fail = Stub::function(move |(_,): (Value,)| {
                let error = error.clone();
                async move { Err::<(), _>(error) }
            });
            let error = failure(js.main.call("callBack", (fail, 1))).await;
            assert_eq!(error.thrown(), &expected);
        }
    })
    .await;
}

#[tokio::test]
async fn a_result_of_another_type_is_told_apart_from_a_failure_of_the_call() {
    clean(async |js| {
        let error = js.main.call("greet", ("you",)).decode::<u8>().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(error.message().contains("found a string"), "{error}");
    })
    .await;
}
