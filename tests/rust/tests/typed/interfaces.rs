//! What an interface can be made of beyond plain methods, and several interfaces on one object.

use std::{fmt, future::IntoFuture, sync::Arc};

use capnweb::{
    Caller, Error, Failure, Promise, Result, Stub, Value,
    fetch::Blob,
    stream::{ReadableStream, WritableStream},
    typed::{Arg, CallError},
    value::Exception,
};
use capnweb_tests::Pair;
use futures::{SinkExt, StreamExt, stream};
use serde::{Deserialize, Serialize};

#[capnweb::interface]
trait Api {
    fn greet(&self, name: String) -> String {
        format!("Hello, {name}!")
    }
    async fn shout(&self, text: String) -> Result<String> {
        Ok(self.greet(text).to_uppercase())
    }
    #[rpc(get)]
    fn version(&self) -> u32;
}

#[capnweb::interface]
trait Audit {
    fn entries(&self, since: u32) -> Vec<String>;
    #[rpc(get)]
    async fn size(&self) -> Result<u32>;
}

#[capnweb::interface]
trait Admin: Api + Audit + Send {
    fn stop(&self) -> bool;
    #[rpc(get)]
    fn role(&self) -> String;
}

struct Server;

impl Api for Server {
    fn version(&self) -> u32 {
        3
    }
}

impl Audit for Server {
    fn entries(&self, since: u32) -> Vec<String> {
        vec![format!("entry {since}")]
    }

    async fn size(&self) -> Result<u32> {
        Ok(1)
    }
}

impl Admin for Server {
    fn stop(&self) -> bool {
        true
    }

    fn role(&self) -> String {
        "admin".to_owned()
    }
}

#[test]
fn an_interface_has_what_it_extends() {
    let mut pair = Pair::new(Stub::<dyn Admin>::new(Server).untyped());
    let admin: Stub<dyn Admin> = pair.client.main().typed();
    assert!(pair.run(admin.stop().into_future()).unwrap());
    assert_eq!(pair.run(admin.role().into_future()).unwrap(), "admin");
    // Of the first one, as if it were its own.
    assert_eq!(pair.run(admin.greet("Ada").into_future()).unwrap(), "Hello, Ada!");
    assert_eq!(pair.run(admin.shout("Ada").into_future()).unwrap(), "HELLO, ADA!");
    assert_eq!(pair.run(admin.version().into_future()).unwrap(), 3);
    // Of any, where it is expected.
    let api: Stub<dyn Api> = Stub::upcast(admin.clone());
    assert_eq!(pair.run(api.version().into_future()).unwrap(), 3);
    let audit: Stub<dyn Audit> = Stub::upcast(admin.clone());
    assert_eq!(pair.run(audit.entries(7).into_future()).unwrap(), ["entry 7"]);
    assert_eq!(pair.run(audit.size().into_future()).unwrap(), 1);
    let error = pair.run(admin.untyped().call("nothing", ()).into_future()).unwrap_err();
    assert_eq!(error.message(), "'nothing' is not a function.");
    drop((api, audit));
    pair.assert_clean();
}

#[test]
fn one_object_has_several_interfaces() {
    #[capnweb::interface]
    trait Doors {
        fn api(&self) -> Stub<dyn Api>;
        fn audit(&self) -> Stub<dyn Audit>;
    }
    struct Both(Arc<Server>);
    impl Doors for Both {
        fn api(&self) -> Stub<dyn Api> {
            Stub::from_arc(Arc::clone(&self.0))
        }

        fn audit(&self) -> Stub<dyn Audit> {
            Stub::from_arc(Arc::clone(&self.0))
        }
    }
    let server = Arc::new(Server);
    let mut pair = Pair::new(Stub::<dyn Doors>::new(Both(Arc::clone(&server))).untyped());
    let doors: Stub<dyn Doors> = pair.client.main().typed();
    assert_eq!(pair.run(doors.api().version().into_future()).unwrap(), 3);
    assert_eq!(pair.run(doors.audit().entries(1).into_future()).unwrap(), ["entry 1"]);
    let hidden = Stub::from(doors.api()).untyped().call("entries", (1,));
    let error = pair.run(hidden.into_future()).unwrap_err();
    assert_eq!(error.message(), "'entries' is not a function.", "each stub has its own interface");
    drop(doors);
    pair.assert_clean();
    drop(pair);
    assert_eq!(Arc::strong_count(&server), 1);
}

#[test]
fn names_and_attributes_are_taken_as_they_are() {
    #[capnweb::interface]
    trait Odd {
        /// A keyword.
        fn r#type(&self, r#match: u8) -> u8;
        /// What generated code might call its own.
        fn names(&self, call: u8, target: u8, remote: u8, argument: u8, value: u8) -> u32;
        #[cfg(any())]
        fn absent(&self, nothing: NoSuchType) -> NoSuchType;
        #[cfg(not(any()))]
        fn present(&self) -> bool;
        #[deprecated(note = "use `present`")]
        fn old(&self) -> bool;
        #[rpc(get)]
        fn r#ref(&self) -> u8;
    }
    struct Object;
    impl Odd for Object {
        fn r#type(&self, r#match: u8) -> u8 {
            r#match
        }

        fn names(&self, call: u8, target: u8, remote: u8, argument: u8, value: u8) -> u32 {
            [call, target, remote, argument, value].into_iter().fold(0, |n, x| n * 10 + x as u32)
        }

        fn present(&self) -> bool {
            true
        }

        fn old(&self) -> bool {
            false
        }

        fn r#ref(&self) -> u8 {
            9
        }
    }
    let mut pair = Pair::new(Stub::<dyn Odd>::new(Object).untyped());
    let odd: Stub<dyn Odd> = pair.client.main().typed();
    assert_eq!(pair.run(odd.r#type(4).into_future()).unwrap(), 4);
    assert_eq!(pair.run(odd.names(1, 2, 3, 4, 5).into_future()).unwrap(), 12345);
    assert!(pair.run(odd.present().into_future()).unwrap());
    #[expect(deprecated, reason = "the attribute is the client's, too")]
    let old = odd.old();
    assert!(!pair.run(old.into_future()).unwrap());
    assert_eq!(pair.run(odd.r#ref().into_future()).unwrap(), 9);
    let error = pair.run(odd.untyped().call("absent", (1,)).into_future()).unwrap_err();
    assert_eq!(error.message(), "'absent' is not a function.");
    assert!(pair.client.log.iter().any(|text| text.contains(r#"["type"],[4]"#)));
    pair.assert_clean();
}

#[test]
fn methods_have_up_to_sixteen_parameters() {
    #[capnweb::interface]
    trait Wide {
        #[rustfmt::skip]
        #[expect(clippy::too_many_arguments, reason = "as many as there can be")]
        fn sum(
            &self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: u8, k: u8,
            l: u8, m: u8, n: u8, o: u8, p: u8,
        ) -> u32;
        fn nothing(&self);
    }
    struct Adder;
    impl Wide for Adder {
        #[rustfmt::skip]
        fn sum(
            &self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: u8, k: u8,
            l: u8, m: u8, n: u8, o: u8, p: u8,
        ) -> u32 {
            [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p].into_iter().map(u32::from).sum()
        }

        fn nothing(&self) {}
    }
    let mut pair = Pair::new(Stub::<dyn Wide>::new(Adder).untyped());
    let wide: Stub<dyn Wide> = pair.client.main().typed();
    let sum = wide.sum(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
    assert_eq!(pair.run(sum.into_future()).unwrap(), 136);
    pair.run(wide.nothing().into_future()).unwrap();
    drop(wide);
    pair.assert_clean();
}

#[test]
fn the_caller_is_no_argument() {
    #[capnweb::interface]
    trait Door {
        fn knock(&self, before: u8, caller: Caller, after: u8) -> (u8, bool, u8);
        async fn wait(&self, caller: Caller) -> bool;
    }
    struct Wood;
    impl Door for Wood {
        fn knock(&self, before: u8, caller: Caller, after: u8) -> (u8, bool, u8) {
            (before, caller.is_gone(), after)
        }

        async fn wait(&self, caller: Caller) -> bool {
            caller.is_gone()
        }
    }
    let mut pair = Pair::new(Stub::<dyn Door>::new(Wood).untyped());
    let door: Stub<dyn Door> = pair.client.main().typed();
    assert_eq!(pair.run(door.knock(1, 2).into_future()).unwrap(), (1, false, 2));
    assert!(!pair.run(door.wait().into_future()).unwrap());
    drop(door);
    pair.assert_clean();
}

#[test]
fn streams_and_blobs_go_both_ways() {
    #[capnweb::interface]
    trait Files {
        async fn sum(&self, numbers: ReadableStream<f64>) -> Result<f64>;
        fn count_to(&self, last: u32) -> ReadableStream<u32>;
        async fn write_to(&self, sink: WritableStream<String>) -> Result<()>;
        fn reverse(&self, blob: Blob) -> Blob;
    }
    struct Disk;
    impl Files for Disk {
        async fn sum(&self, mut numbers: ReadableStream<f64>) -> Result<f64> {
            let mut sum = 0.0;
            while let Some(number) = numbers.next().await {
                sum += number?;
            }
            Ok(sum)
        }

        fn count_to(&self, last: u32) -> ReadableStream<u32> {
            ReadableStream::new(stream::iter(1..=last).map(Ok))
        }

        async fn write_to(&self, mut sink: WritableStream<String>) -> Result<()> {
            sink.send("written".to_owned()).await?;
            sink.close().await
        }

        fn reverse(&self, blob: Blob) -> Blob {
            let reversed: Vec<u8> = blob.as_slice().iter().rev().copied().collect();
            Blob::new(blob.content_type(), reversed)
        }
    }
    let mut pair = Pair::new(Stub::<dyn Files>::new(Disk).untyped());
    let files: Stub<dyn Files> = pair.client.main().typed();
    let numbers = ReadableStream::new(stream::iter([1.5, 2.0]).map(Ok));
    assert_eq!(pair.run(files.sum(numbers).into_future()).unwrap(), 3.5);
    let counted = {
        let files = files.clone();
        async move { files.count_to(3).await?.collect::<Vec<_>>().await.into_iter().collect() }
    };
    let counted: Result<Vec<u32>> = pair.run(counted);
    assert_eq!(counted.unwrap(), [1, 2, 3]);
    let (lines, written) = futures::channel::mpsc::unbounded();
    let lines = lines.sink_map_err(|_| Error::msg("nobody reads"));
    let sink = pair.executor.enter(|| WritableStream::new(lines));
    pair.run(files.write_to(sink).into_future()).unwrap();
    assert_eq!(pair.run(written.collect::<Vec<String>>()), ["written"]);
    let blob = pair.run(files.reverse(Blob::new("text/plain", "abc")).into_future()).unwrap();
    assert_eq!((blob.content_type(), blob.as_slice()), ("text/plain", &b"cba"[..]));
    drop(files);
    pair.assert_clean();
}

#[test]
fn both_apis_mix() {
    #[capnweb::interface]
    trait Loose {
        fn any(&self, value: Value, stub: Stub) -> Value;
        fn some(&self, flags: Option<Vec<Arg<bool>>>) -> u32;
    }
    struct Object;
    impl Loose for Object {
        fn any(&self, value: Value, _stub: Stub) -> Value {
            value
        }

        fn some(&self, flags: Option<Vec<Arg<bool>>>) -> u32 {
            flags.map_or(0, |flags| flags.len() as u32)
        }
    }
    let mut pair = Pair::new(Stub::<dyn Loose>::new(Object).untyped());
    let loose: Stub<dyn Loose> = pair.client.main().typed();
    let value = loose.any(Value::from("text"), loose.clone().untyped());
    assert_eq!(pair.run(value.into_future()).unwrap().as_str(), Some("text"));
    assert_eq!(pair.run(loose.some(None).into_future()).unwrap(), 0);
    assert_eq!(pair.run(loose.some(vec![true.into()]).into_future()).unwrap(), 1);
    drop(loose);
    pair.assert_clean();
}

type Introduction = fn(Stub<dyn Introduces>) -> Result<String>;

/// What is held while a method waits is looked at by rustc without its lifetimes.
#[capnweb::interface]
trait Introduces {
    async fn introduce(&self, to: Stub<Introduction>) -> Result<String>;
    fn name(&self) -> Promise<String>;
    async fn name_later(&self) -> Result<Promise<String>>;
    fn anything(&self) -> Promise;
}

struct Host;

impl Introduces for Host {
    async fn introduce(&self, to: Stub<Introduction>) -> Result<String> {
        let first = to.call(Stub::new(Host)).await?;
        Ok(format!("{first}, {}", to.call(Stub::new(Host)).await?))
    }

    fn name(&self) -> Promise<String> {
        Promise::from_future(async { Ok("host".to_owned()) })
    }

    async fn name_later(&self) -> Result<Promise<String>> {
        Ok(self.name())
    }

    fn anything(&self) -> Promise {
        self.name().untyped()
    }
}

#[test]
fn functions_take_stubs_and_methods_return_promises() {
    let mut pair = Pair::new(Stub::<dyn Introduces>::new(Host).untyped());
    let host = pair.client.main().typed::<dyn Introduces>();
    let callback = Stub::new(async |host: Stub<dyn Introduces>| host.name().await);
    assert_eq!(pair.run(host.introduce(callback).into_future()).unwrap(), "host, host");
    assert_eq!(pair.run(host.name_later().into_future()).unwrap(), "host");
    let anything = host.anything();
    assert_eq!(pair.run(anything.into_future()).unwrap(), Value::from("host"));
    drop(host);
    pair.assert_clean();
}

#[test]
fn a_failure_is_known_by_its_name() {
    #[derive(Debug, Serialize, Deserialize, Failure)]
    struct Loose {
        code: Option<u32>,
    }
    impl fmt::Display for Loose {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "loose: {:?}", self.code)
        }
    }
    #[capnweb::interface]
    trait Throws {
        fn throw(&self, name: String) -> Result<(), Loose>;
    }
    let thrown = Stub::function(|(name,): (String,)| async move {
        let data = Value::encode(&Loose { code: Some(1) })?;
        Err::<(), _>(Exception::new(name, "thrown").with_property("data", data).into())
    });
    let mut pair = Pair::new(thrown);
    // Methods of a function have no names of their own; what is thrown is the same.
    let mut caught = |name: &str| {
        let promise = pair.client.main().invoke((name,));
        let error = pair.run(promise.into_future()).unwrap_err();
        matches!(
            <Loose as capnweb::typed::Failure>::seen(error),
            CallError::Method(Loose { code: Some(1) })
        )
    };
    assert!(caught("Loose"));
    assert!(caught("Error"), "JavaScript keeps no names of its callers' classes");
    assert!(!caught("Other"));
    fn _is_an_interface(_: Stub<dyn Throws>) {}
}

/// Compiles where warnings are errors.
#[deprecated]
#[capnweb::interface]
pub trait Old {
    fn count(&self, mut from: u32) -> u32 {
        from += 1;
        from
    }
}

#[test]
fn names_that_every_stub_has_are_called_by_the_clients_name() {
    #[capnweb::interface]
    trait Awkward {
        fn clone(&self, from: u32) -> u32;
        fn into(&self, what: u32) -> u32;
        fn untyped(&self) -> u32;
    }
    struct Object;
    impl Awkward for Object {
        fn clone(&self, from: u32) -> u32 {
            from + 1
        }
        fn into(&self, what: u32) -> u32 {
            what + 2
        }
        fn untyped(&self) -> u32 {
            3
        }
    }
    let mut pair = Pair::new(Stub::untyped(Stub::<dyn Awkward>::new(Object)));
    let stub = pair.client.main().typed::<dyn Awkward>();
    let promises = [
        AwkwardClient::clone(&stub, 0),
        AwkwardClient::into(&stub, 0),
        AwkwardClient::untyped(&stub),
    ];
    let answers = promises.map(|promise| pair.run(promise.into_future()).unwrap());
    assert_eq!(answers, [1, 2, 3]);
    drop(stub);
    pair.assert_clean();
}
