//! Errors tell the truth and no more.

use capnweb::{Error, ErrorKind, Options, Reply, Stub, Value, value::Exception};
use capnweb_tests::{FixedTarget, Pair, Peer, target};
use serde::Deserialize;

/// A server whose every method throws this.
fn throws(error: impl Into<Error>) -> Stub {
    let error = error.into();
    target(move |call| {
        let error = error.clone();
        call.reply(|(): ()| Err::<(), _>(error))
    })
}

fn thrown(error: impl Into<Error>) -> Error {
    let mut pair = Pair::new(throws(error));
    let failed = pair.client.main().call("m", ());
    let error = pair.run(failed.into_future()).unwrap_err();
    pair.assert_clean();
    error
}

#[test]
fn an_error_keeps_its_name_message_cause_and_properties() {
    let exception = Exception::new("RangeError", "too far")
        .with_cause(Exception::new("TypeError", "why").with_cause("deep"))
        .with_property("code", 7)
        .with_property("at", Value::from(vec![1, 2]));
    let error = thrown(exception.clone());
    assert_eq!(error.kind(), ErrorKind::Thrown);
    assert_eq!(error.exception(), Some(&exception));
    assert_eq!(error.to_string(), "RangeError: too far");
}

#[test]
fn an_aggregate_error_keeps_its_errors() {
    let errors = vec![Exception::new("Error", "one"), Exception::new("SyntaxError", "two")];
    let error =
        thrown(Exception::new("AggregateError", "several").with_property("errors", errors.clone()));
    let exception = error.exception().unwrap();
    let received: Vec<_> = exception.errors().to_vec();
    assert_eq!(received, errors.into_iter().map(Value::from).collect::<Vec<_>>());
}

#[test]
fn what_is_thrown_and_no_error_arrives_as_it_is() {
    for value in [Value::from("a word"), 5.into(), Value::Null, Value::Undefined, vec![1].into()] {
        let error = thrown(Error::throw(value.clone()));
        assert_eq!(error.thrown(), &value);
        assert_eq!(error.kind(), ErrorKind::Thrown);
        assert_eq!((error.name(), error.message()), ("", ""));
    }
}

#[test]
fn stubs_do_not_travel_in_what_is_thrown() {
    let error = thrown(Error::throw(Value::Stub(FixedTarget::stub())));
    assert_eq!(error.message(), "Can't serialize RPC stubs in this context.");
    let error = thrown(
        Exception::new("Error", "no")
            .with_property("stub", FixedTarget::stub())
            .with_property("code", 1),
    );
    let exception = error.exception().unwrap();
    assert!(!exception.properties.contains("stub"));
    assert_eq!(exception.properties.get("code"), Some(&1.into()));
}

#[test]
fn a_stack_is_sent_only_where_the_hook_supplies_one() {
    let mut exception = Exception::new("Error", "no").with_property("code", 1);
    exception.stack = Some("secret".into());
    let ask = |options| {
        let peer = Peer::new(Some(throws(exception.clone())), options);
        peer.exchange(r#"["push",["pipeline",0,["m"],[]]]"#, &[]);
        peer.send(r#"["pull",1]"#).remove(0)
    };
    assert_eq!(ask(Options::new()), r#"["reject",1,["error","Error","no",null,{"code":1}]]"#);
    assert_eq!(
        ask(Options::new().on_send_error(|_| None)),
        r#"["reject",1,["error","Error","no",null,{"code":1}]]"#
    );
    let shown = Options::new().on_send_error(|error| {
        let mut exception = error.exception()?.clone();
        exception.stack = Some("at home".into());
        Some(exception)
    });
    assert_eq!(ask(shown), r#"["reject",1,["error","Error","no","at home",{"code":1}]]"#);
    let hidden = Options::new().on_send_error(|_| Some(Exception::new("Error", "sorry")));
    assert_eq!(ask(hidden), r#"["reject",1,["error","Error","sorry"]]"#);
}

#[test]
fn the_hook_sees_what_failed_on_this_side_too() {
    let options = Options::new()
        .on_send_error(|error| Some(Exception::new("Error", format!("{:?}", error.kind()))));
    let peer = Peer::new(Some(FixedTarget::stub()), options);
    peer.exchange(r#"["push",["pipeline",0,["greet"],[5]]]"#, &[]);
    peer.exchange(r#"["pull",1]"#, &[r#"["reject",1,["error","Error","Decode"]]"#]);
}

#[test]
fn a_stack_that_was_received_is_kept() {
    let peer = Peer::new(None, Options::new());
    let failed = peer.executor.start(peer.connection.main().call("m", ()).into_future());
    peer.executor.run();
    peer.send(r#"["reject",1,["error","Error","no","at theirs"]]"#);
    let error = failed.take().unwrap().unwrap_err();
    assert_eq!(error.exception().unwrap().stack.as_deref(), Some("at theirs"));
}

#[test]
fn names_that_every_object_of_javascript_has_lead_to_no_method() {
    let peer = Peer::new(Some(target(|_| Reply::value("reached"))), Options::new());
    peer.exchange(r#"["push",["pipeline",0,["toJSON"],[]]]"#, &[]);
    peer.exchange(r#"["pull",1]"#, &[r#"["resolve",1,"reached"]"#]);
    for (n, name) in ["toString", "constructor", "__proto__"].into_iter().enumerate() {
        let [read, called] = [2 * n + 2, 2 * n + 3];
        peer.exchange(&format!(r#"["push",["pipeline",0,["{name}"]]]"#), &[]);
        peer.exchange(
            &format!(r#"["pull",{read}]"#),
            &[&format!(r#"["resolve",{read},["undefined"]]"#)],
        );
        peer.exchange(&format!(r#"["push",["pipeline",0,["{name}"],[]]]"#), &[]);
        let error = format!(r#"["error","TypeError","'{name}' is not a function."]"#);
        peer.exchange(
            &format!(r#"["pull",{called}]"#),
            &[&format!(r#"["reject",{called},{error}]"#)],
        );
    }
}

#[test]
fn a_missing_method_is_named() {
    let mut pair = Pair::new(FixedTarget::stub());
    let main = pair.client.main();
    for (promise, message) in [
        (main.call("nonesuch", ()), "'nonesuch' is not a function."),
        (main.get("info").call("a", ()), "'info.a' is not a function."),
        (main.call("constructor", ()), "'constructor' is not a function."),
    ] {
        let error = pair.run(promise.into_future()).unwrap_err();
        assert_eq!((error.name(), error.message()), ("TypeError", message));
        assert_eq!(error.kind(), ErrorKind::Thrown, "it comes from the other side");
    }
}

#[test]
fn an_argument_of_the_wrong_type_is_named_with_its_method() {
    #[derive(Debug, Deserialize)]
    struct Person {
        #[expect(dead_code)]
        age: u8,
    }
    let mut pair = Pair::new(target(|call| match call.method() {
        "meet" => call.reply(|(_, _): (String, Person)| Ok(())),
        _ => call.reply(|(_,): (u8,)| Ok(())),
    }));
    let main = pair.client.main();
    let mut message = |promise: capnweb::Promise| {
        let error = pair.run(promise.into_future()).unwrap_err();
        assert_eq!(error.name(), "TypeError");
        error.message().to_owned()
    };
    #[derive(serde::Serialize)]
    struct Old {
        age: u32,
    }
    let old = message(main.call("meet", ("Ann", Old { age: 300 })));
    assert!(old.starts_with("meet: args[1].age: "), "{old}");
    assert!(old.contains("300"), "{old}");
    let number = message(main.call("meet", (5, Old { age: 30 })));
    assert!(number.starts_with("meet: args[0]: expected a string"), "{number}");
    let missing = message(main.call("meet", ("Ann",)));
    assert!(missing.starts_with("meet: args[1]: "), "{missing}");
    // The stub itself, as a function, has no name.
    let function = message(main.invoke(("x",)));
    assert!(function.starts_with("args[0]: "), "{function}");
}

#[test]
fn a_result_of_the_wrong_type_is_an_error_of_this_side() {
    let mut pair = Pair::new(FixedTarget::stub());
    let square = pair.client.main().call("square", (3,));
    let error = pair.run(square.decode::<String>().into_future()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    pair.assert_clean();
}

#[test]
fn an_error_that_is_a_value_is_no_failure() {
    let mut pair = Pair::new(FixedTarget::stub());
    let exception = Exception::new("RangeError", "just a value").with_property("code", 7);
    let echoed = pair.client.main().call("echo", (&exception,));
    assert_eq!(pair.run(echoed.decode::<Exception>().into_future()).unwrap(), exception);
}
