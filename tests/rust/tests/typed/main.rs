//! Interfaces as traits: the client that is made of one calls the object that implements it.

mod containers;
mod interfaces;
mod records;
mod validation;

use std::{fmt, future::IntoFuture, sync::Mutex};

use capnweb::{
    Error, ErrorKind, Failure, Record, Result, Stub, Value,
    typed::{Arg, CallError},
};
use capnweb_tests::Pair;
use serde::{Deserialize, Serialize};

/// What the tests call.
#[capnweb::interface]
pub trait Api {
    /// Who has this token.
    async fn authenticate(&self, token: String) -> Result<Stub<dyn Session>>;
    async fn add(&self, a: f64, b: f64) -> Result<f64>;
    /// Cannot fail, and does not wait.
    fn double_it(&self, n: i32) -> i32;
    async fn withdraw(&self, amount: u32) -> Result<u32, Overdrawn>;
    async fn ids(&self) -> Result<Vec<u32>>;
    async fn name_of(&self, id: u32) -> Result<String>;
    async fn sum(&self, numbers: Vec<Arg<f64>>) -> Result<f64>;
    fn greeting(&self, name: String, title: Option<String>) -> String;
    #[rpc(get)]
    fn version(&self) -> String;
    #[rpc(name = "__proto")]
    fn renamed(&self) -> String;
}

#[capnweb::interface]
pub trait Session {
    async fn profile(&self) -> Result<Profile>;
    async fn watch(&self, on_change: Stub<fn(String, u32) -> Result<bool>>) -> Result<u32>;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Record)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    pub first_name: String,
    pub logins: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Failure)]
pub struct Overdrawn {
    pub missing: u32,
}

impl fmt::Display for Overdrawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} too much", self.missing)
    }
}

#[derive(Default)]
struct Server {
    log: Mutex<Vec<String>>,
}

impl Api for Server {
    async fn authenticate(&self, token: String) -> Result<Stub<dyn Session>> {
        self.log.lock().unwrap().push(token.clone());
        if token != "secret" {
            return Err(Error::msg("no such token"));
        }
        Ok(Stub::new(Alice))
    }

    async fn add(&self, a: f64, b: f64) -> Result<f64> {
        Ok(a + b)
    }

    fn double_it(&self, n: i32) -> i32 {
        n * 2
    }

    async fn withdraw(&self, amount: u32) -> Result<u32, Overdrawn> {
        100_u32.checked_sub(amount).ok_or_else(|| Overdrawn { missing: amount - 100 })
    }

    async fn ids(&self) -> Result<Vec<u32>> {
        Ok(vec![1, 2, 3])
    }

    async fn name_of(&self, id: u32) -> Result<String> {
        Ok(format!("name {id}"))
    }

    async fn sum(&self, numbers: Vec<Arg<f64>>) -> Result<f64> {
        Ok(numbers.into_iter().filter_map(Arg::into_value).sum())
    }

    fn greeting(&self, name: String, title: Option<String>) -> String {
        format!("Hello {}{name}", title.unwrap_or_default())
    }

    fn version(&self) -> String {
        "1.0".to_owned()
    }

    fn renamed(&self) -> String {
        "renamed".to_owned()
    }
}

struct Alice;

impl Session for Alice {
    async fn profile(&self) -> Result<Profile> {
        Ok(Profile { first_name: "Alice".to_owned(), logins: 3 })
    }

    async fn watch(&self, on_change: Stub<fn(String, u32) -> Result<bool>>) -> Result<u32> {
        let mut seen = 0;
        while on_change.call("change", seen).await? {
            seen += 1;
        }
        Ok(seen)
    }
}

fn api() -> (Pair, Stub<dyn Api>) {
    let pair = Pair::new(Stub::<dyn Api>::new(Server::default()).untyped());
    let api = pair.client.main().typed();
    (pair, api)
}

#[test]
fn calls_are_made_and_answered() {
    let (mut pair, api) = api();
    assert_eq!(pair.run(api.add(1.0, 2.0).into_future()).unwrap(), 3.0);
    assert_eq!(pair.run(api.double_it(21).into_future()).unwrap(), 42);
    assert_eq!(pair.run(api.version().into_future()).unwrap(), "1.0");
    assert_eq!(pair.run(api.renamed().into_future()).unwrap(), "renamed");
    let names: Vec<_> = pair.client.log.iter().filter(|text| text.starts_with("[\"push")).collect();
    assert_eq!(
        names,
        [
            r#"["push",["pipeline",0,["add"],[1,2]]]"#,
            r#"["push",["pipeline",0,["doubleIt"],[21]]]"#,
            r#"["push",["pipeline",0,["version"]]]"#,
            r#"["push",["pipeline",0,["__proto"],[]]]"#,
        ]
    );
    drop(api);
    pair.assert_clean();
}

#[test]
fn what_is_promised_is_used_before_it_is_there() {
    let (mut pair, api) = api();
    let session = api.authenticate("secret");
    let name = session.profile().first_name();
    let sum = api.add(1.0, api.add(2.0, 3.0));
    let both = pair.start(async move { tokio::try_join!(name, sum) });
    pair.executor.run();
    assert!(pair.deliver_to_server());
    pair.executor.run();
    assert!(pair.deliver_to_client());
    pair.executor.run();
    assert_eq!(both.take().unwrap().unwrap(), ("Alice".to_owned(), 6.0), "in one round trip");
    drop((api, session));
    pair.assert_clean();
}

#[test]
fn callbacks_are_called() {
    let (mut pair, api) = api();
    let session: Stub<dyn Session> = api.authenticate("secret").into();
    let callback = Stub::new(async |what: String, n: u32| Ok(what == "change" && n < 3));
    assert_eq!(pair.run(session.watch(callback).into_future()).unwrap(), 3);
    drop((api, session));
    pair.assert_clean();
}

#[test]
fn what_a_callback_returns_for_nothing_is_let_go() {
    #[capnweb::interface]
    trait Bell {
        async fn ring(&self, tell: Stub<fn(u32) -> Result<()>>) -> Result<()>;
    }
    struct Server;
    impl Bell for Server {
        async fn ring(&self, tell: Stub<fn(u32) -> Result<()>>) -> Result<()> {
            tell.call(1).await
        }
    }
    let mut pair = Pair::new(Stub::<dyn Bell>::new(Server).untyped());
    let bell = pair.client.main();
    for returned in [Value::from(7), Value::Null, Stub::function(|(): ()| async { Ok(()) }).into()]
    {
        // As a function of one expression returns it in JavaScript, where nobody minds.
        let tell = Stub::function(move |_: (u32,)| std::future::ready(Ok(returned.clone())));
        pair.run(bell.call("ring", (tell,)).decode::<()>().into_future()).unwrap();
    }
    let failing = Stub::function(|_: (u32,)| async { Err::<(), _>(Error::msg("mine")) });
    let error = pair.run(bell.call("ring", (failing,)).into_future()).unwrap_err();
    assert_eq!(error.message(), "mine");
    drop(bell);
    pair.assert_clean();
}

#[test]
fn a_method_fails_with_a_type_of_its_own() {
    let (mut pair, api) = api();
    assert_eq!(pair.run(api.withdraw(30_u32).into_future()).unwrap(), 70);
    match pair.run(api.withdraw(101_u32).into_future()) {
        Err(CallError::Method(Overdrawn { missing: 1 })) => {}
        other => panic!("{other:?}"),
    }
    assert!(
        pair.server
            .log
            .last()
            .unwrap()
            .contains(r#"["error","Overdrawn","1 too much",null,{"data":{"missing":1}}]"#),
        "{:?}",
        pair.server.log
    );
    drop(api);
    pair.assert_clean();
}

#[test]
fn maps_have_types() {
    let (mut pair, api) = api();
    let names = {
        let api = api.clone();
        api.clone().ids().map(move |id| (id.clone(), api.name_of(id)))
    };
    let names: Vec<(u32, String)> = pair.run(names.into_future()).unwrap();
    assert_eq!(names[2], (3, "name 3".to_owned()));
    let first = api.ids().at(0);
    assert_eq!(pair.run(first.into_future()).unwrap(), 1);
    drop(api);
    pair.assert_clean();
}

#[test]
fn arguments_hold_promises_at_any_depth() {
    let (mut pair, api) = api();
    let numbers: Vec<Arg<f64>> = vec![1.0.into(), api.add(2.0, 3.0).into()];
    assert_eq!(pair.run(api.sum(numbers).into_future()).unwrap(), 6.0);
    drop(api);
    pair.assert_clean();
}

#[test]
fn arguments_are_given_as_they_are_at_hand() {
    let (mut pair, api) = api();
    let (name, title) = ("Alice".to_owned(), "Dr. ".to_owned());
    let given = Some(title.clone());
    let mut greeting = |promise: capnweb::Promise<String>| pair.run(promise.into_future()).unwrap();
    assert_eq!(greeting(api.greeting(&name, &given)), "Hello Dr. Alice");
    assert_eq!(greeting(api.greeting("Alice", &title)), "Hello Dr. Alice");
    assert_eq!(greeting(api.greeting(name, title)), "Hello Dr. Alice");
    let first = api.name_of(1);
    assert_eq!(greeting(api.greeting("Alice", &first)), "Hello name 1Alice");
    assert_eq!(greeting(api.greeting(&first, first.clone())), "Hello name 1name 1");
    assert_eq!(pair.run(api.sum([1.0.into(), 2.0.into()]).into_future()).unwrap(), 3.0);
    assert_eq!(pair.run(api.withdraw(30).into_future()).unwrap(), 70);
    drop((api, first));
    pair.assert_clean();
}

#[test]
fn optional_arguments_at_the_end_are_not_sent() {
    let (mut pair, api) = api();
    let greeting = api.greeting("Alice", None);
    assert_eq!(pair.run(greeting.into_future()).unwrap(), "Hello Alice");
    let greeting = api.greeting("Alice", "Dr. ");
    assert_eq!(pair.run(greeting.into_future()).unwrap(), "Hello Dr. Alice");
    let calls: Vec<_> = pair.client.log.iter().filter(|text| text.contains("greeting")).collect();
    assert_eq!(
        calls,
        [
            r#"["push",["pipeline",0,["greeting"],["Alice"]]]"#,
            r#"["push",["pipeline",0,["greeting"],["Alice","Dr. "]]]"#,
        ]
    );
    drop(api);
    pair.assert_clean();
}

#[test]
fn what_does_not_fit_is_named() {
    let (mut pair, api) = api();
    let untyped = api.clone().untyped();
    // The caller's fault: JavaScript has no types to stop it.
    let mut error = |promise: capnweb::Promise| {
        let error = pair.run(promise.into_future()).unwrap_err();
        (error.name().to_owned(), error.message().to_owned())
    };
    let text = |text: &str| ("TypeError".to_owned(), text.to_owned());
    assert_eq!(
        error(untyped.call("add", (1, "x"))),
        text("add: args[1]: expected a number, found a string")
    );
    assert_eq!(
        error(untyped.call("doubleIt", (1.5,))),
        text("doubleIt: args[0]: expected an integer from -2147483648 to 2147483647, found 1.5")
    );
    assert_eq!(
        error(untyped.call("nameOf", ())),
        text("nameOf: args[0]: expected an integer from 0 to 4294967295, found undefined")
    );
    assert_eq!(error(untyped.call("nothing", ())), text("'nothing' is not a function."));
    assert_eq!(error(untyped.call("version", ())), text("'version' is not a function."));
    drop((api, untyped));
    pair.assert_clean();
}

#[test]
fn an_object_that_is_not_as_its_interface_says_is_named() {
    #[capnweb::interface]
    trait Other {
        fn add(&self, a: f64, b: f64) -> String;
        fn missing(&self) -> String;
        fn ids(&self) -> Profile;
        #[rpc(get)]
        fn version(&self) -> u8;
    }
    let (mut pair, api) = api();
    let other: Stub<dyn Other> = api.untyped().typed();
    let mut error = |promise: capnweb::Promise<String>| {
        let error = pair.run(promise.into_future()).unwrap_err();
        (error.kind(), error.message().to_owned())
    };
    assert_eq!(
        error(other.add(1.0, 2.0)),
        (ErrorKind::Decode, "Other.add: expected a string, found a number".to_owned())
    );
    assert_eq!(
        error(other.missing()),
        (ErrorKind::Thrown, "Other.missing: 'missing' is not a function.".to_owned())
    );
    assert_eq!(
        error(other.ids().first_name()),
        (ErrorKind::Decode, "Other.ids.firstName: expected a string, found undefined".to_owned())
    );
    let error = pair.run(other.version().into_future()).unwrap_err();
    assert_eq!(error.message(), "Other.version: expected an integer from 0 to 255, found a string");
    drop(other);
    pair.assert_clean();
}
