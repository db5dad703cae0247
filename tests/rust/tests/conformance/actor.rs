//! Does what the vectors say that an application does. `tests/conformance/README.md` lists the
//! actions.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex},
};

use capnweb::{
    Error, Promise, Stub, Value,
    stream::{ReadableStream, WritableStream},
    value::Object,
};
use capnweb_tests::{Peer, TestExecutor};
use futures::{
    StreamExt,
    channel::{
        mpsc::{UnboundedSender, unbounded},
        oneshot,
    },
    lock::Mutex as AsyncMutex,
};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    describe::{describe, failure},
    streams::{Noting, Write, write_all},
};

/// One action, as the vectors write it.
#[derive(Debug, Deserialize)]
pub(crate) struct Action {
    r#do: String,
    on: Option<String>,
    what: Option<String>,
    r#as: Option<String>,
    does: Option<String>,
    #[serde(default)]
    path: Vec<Json>,
    #[serde(default)]
    args: Vec<Json>,
    each: Option<Json>,
    value: Option<Json>,
    error: Option<(String, String)>,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let object = self.on.as_ref().or(self.what.as_ref());
        write!(f, "{} {object:?} {:?} {:?} as {:?}", self.r#do, self.path, self.args, self.r#as)
    }
}

impl Action {
    fn on(&self) -> &str {
        self.on.as_deref().expect("the action says on what")
    }

    fn what(&self) -> &str {
        self.what.as_deref().expect("the action says to what")
    }

    fn name(&self) -> String {
        self.r#as.clone().expect("the action names what it makes")
    }
}

/// What an application holds under a name.
enum Held {
    Stub(Stub),
    Promise(Promise),
    Value(Value),
    /// A stream to be sent.
    Readable(ReadableStream),
    /// A stream to be sent for the peer to write.
    Writable(WritableStream),
    /// A stream of the peer's that is being read.
    Reading(Arc<AsyncMutex<ReadableStream>>),
    /// A stream of the peer's that is being written.
    Writing(UnboundedSender<Write>),
}

type Settled = oneshot::Sender<Result<Value, Error>>;

/// Deliveries to the application: a name and what came.
#[derive(Clone, Default)]
pub(crate) struct Deliveries(Arc<Mutex<Vec<(String, Json)>>>);

impl Deliveries {
    pub(crate) fn note(&self, name: &str, what: Json) {
        self.0.lock().unwrap().push((name.to_owned(), what));
    }
}

/// An application in the hands of a script.
pub(crate) struct Actor {
    executor: TestExecutor,
    held: HashMap<String, Held>,
    /// What goes with what is held: properties of a promise, and the promise that a value came from.
    attached: HashMap<String, Vec<String>>,
    /// Values that have been awaited and not been looked at.
    arrived: Arc<Mutex<Vec<(String, Value)>>>,
    /// Own promises, and calls of own functions, that wait to be settled.
    settling: HashMap<String, Arc<Mutex<VecDeque<Settled>>>>,
    /// The writing ends of own streams.
    sources: HashMap<String, UnboundedSender<Result<Value, Error>>>,
    got: Deliveries,
}

impl Actor {
    pub(crate) fn new(peer: &Peer) -> Self {
        let main = Held::Stub(peer.connection.main());
        Self {
            executor: peer.executor.clone(),
            held: HashMap::from([("main".to_owned(), main)]),
            attached: HashMap::new(),
            arrived: Arc::default(),
            settling: HashMap::new(),
            sources: HashMap::new(),
            got: Deliveries::default(),
        }
    }

    /// What has been delivered since the last time.
    pub(crate) fn take(&mut self) -> Vec<(String, Json)> {
        for (name, value) in self.arrived.lock().unwrap().drain(..) {
            self.held.insert(name, Held::Value(value));
        }
        std::mem::take(&mut self.got.0.lock().unwrap())
    }

    pub(crate) fn act(&mut self, action: &Action) {
        match action.r#do.as_str() {
            "call" => {
                let args: Vec<Value> = action.args.iter().map(|arg| self.value(arg)).collect();
                let result = self.follow(action.on(), &action.path).call(args);
                self.held.insert(action.name(), Held::Promise(result));
            }
            "get" => {
                let held = self.follow(action.on(), &action.path).into_held();
                self.held.insert(action.name(), held);
                self.attach(action.on(), action.name());
            }
            "dup" => {
                let held = self.follow(action.what(), &[]).into_held();
                self.held.insert(action.name(), held);
            }
            "dispose" | "cancel" => self.dispose(action.what()),
            "await" => self.wait(action),
            "map" => {
                let each = action.each.as_ref().expect("a map says what to do");
                let of = self.follow(action.on(), &action.path);
                let result = of.map(|item| self.mapped(each, &[&item]));
                self.held.insert(action.name(), Held::Promise(result));
            }
            "function" => self.function(action),
            "promise" => {
                let (sender, receiver) = oneshot::channel();
                self.settling.insert(action.name(), Arc::new(Mutex::new(VecDeque::from([sender]))));
                let promise = Promise::from_future(settled(receiver));
                self.held.insert(action.name(), Held::Promise(promise));
            }
            "settle" => {
                let result = match &action.error {
                    Some((name, message)) => Err(Error::named(name, message)),
                    None => Ok(self.value(action.value.as_ref().unwrap_or(&Json::Null))),
                };
                let sender = self.settling[action.what()].lock().unwrap().pop_front();
                let _ = sender.expect("something waits to be settled").send(result);
            }
            "readable" => {
                let (source, chunks) = unbounded();
                self.sources.insert(action.name(), source);
                self.held.insert(action.name(), Held::Readable(ReadableStream::new(chunks)));
            }
            "writable" => {
                let sink = Noting { name: action.name(), got: self.got.clone(), open: true };
                self.held.insert(action.name(), Held::Writable(WritableStream::new(sink)));
            }
            "write" => {
                let chunk = self.value(action.value.as_ref().unwrap_or(&Json::Null));
                match self.sources.get(action.what()) {
                    Some(source) => source.unbounded_send(Ok(chunk)).expect("it is open"),
                    None => self.write(action.what(), Write::Chunk(chunk)),
                }
            }
            "close" => {
                if self.sources.remove(action.what()).is_none() {
                    self.write(action.what(), Write::Close);
                }
            }
            "abort" => {
                let (name, message) = action.error.as_ref().expect("an abort has a reason");
                let error = Error::named(name, message);
                match self.sources.remove(action.what()) {
                    Some(source) => source.unbounded_send(Err(error)).expect("it is open"),
                    None => self.write(action.what(), Write::Abort(error)),
                }
            }
            "read" => self.read(action.what()),
            other => panic!("no action is called {other}"),
        }
    }

    fn attach(&mut self, to: &str, name: String) {
        // The main object is never disposed of.
        if to != "main" {
            self.attached.entry(to.to_owned()).or_default().push(name);
        }
    }

    fn dispose(&mut self, name: &str) {
        self.held.remove(name);
        self.dispose_attached(name);
    }

    fn dispose_attached(&mut self, name: &str) {
        for name in self.attached.remove(name).unwrap_or_default() {
            self.dispose(&name);
        }
    }

    fn wait(&mut self, action: &Action) {
        self.attach(&action.name(), action.what().to_owned());
        let promise = match self.follow(action.what(), &[]) {
            Base::Promise(promise) => promise,
            Base::Stub(_) => panic!("only promises are awaited"),
        };
        let (name, arrived, got) = (action.name(), self.arrived.clone(), self.got.clone());
        let value = promise.into_future();
        self.executor.start(async move {
            match value.await {
                Ok(value) => {
                    got.note(&name, describe(&value));
                    arrived.lock().unwrap().push((name, value));
                }
                Err(error) => got.note(&name, failure(&error)),
            }
        });
    }

    fn function(&mut self, action: &Action) {
        let calls = Arc::<Mutex<VecDeque<Settled>>>::default();
        let stub = match action.does.as_deref() {
            Some("double") => Stub::function(|(n,): (f64,)| async move { Ok(n * 2.0) }),
            Some("fail") => {
                Stub::function(|()| async { Err::<(), _>(Error::named("RangeError", "no")) })
            }
            Some("wait") => {
                let calls = calls.clone();
                Stub::function(move |args: Vec<Value>| {
                    let (sender, receiver) = oneshot::channel();
                    calls.lock().unwrap().push_back(sender);
                    async move {
                        let result = settled(receiver).await;
                        drop(args);
                        result
                    }
                })
            }
            other => panic!("no function does {other:?}"),
        };
        self.settling.insert(action.name(), calls);
        self.held.insert(action.name(), Held::Stub(stub));
    }

    fn read(&mut self, name: &str) {
        if let Some(Held::Value(Value::ReadableStream(stream))) = self.held.get(name) {
            let reading = Held::Reading(Arc::new(AsyncMutex::new(stream.clone())));
            self.held.insert(name.to_owned(), reading);
            self.dispose_attached(name);
        }
        let Some(Held::Reading(stream)) = self.held.get(name) else {
            panic!("{name} is no stream")
        };
        let (name, stream, got) = (name.to_owned(), stream.clone(), self.got.clone());
        self.executor.start(async move {
            let next = stream.lock().await.next().await;
            got.note(
                &name,
                match next {
                    Some(Ok(chunk)) => describe(&chunk),
                    Some(Err(error)) => failure(&error),
                    None => json!({"$": "end"}),
                },
            );
        });
    }

    fn write(&mut self, name: &str, write: Write) {
        if let Some(Held::Value(Value::WritableStream(stream))) = self.held.get(name) {
            let (sender, writes) = unbounded();
            let stream = stream.clone();
            self.held.insert(name.to_owned(), Held::Writing(sender));
            self.dispose_attached(name);
            self.executor.start(write_all(name.to_owned(), stream, writes, self.got.clone()));
        }
        let Some(Held::Writing(sender)) = self.held.get(name) else {
            panic!("{name} is no stream")
        };
        let _ = sender.unbounded_send(write);
    }

    /// What is held under a name, or a property of it.
    fn follow(&self, name: &str, path: &[Json]) -> Base {
        match self.held.get(name) {
            Some(Held::Stub(stub)) => Base::Stub(stub.clone()).get(path),
            Some(Held::Promise(promise)) => Base::Promise(promise.clone()).get(path),
            Some(Held::Value(value)) => within(value, path),
            _ => panic!("{name} cannot be used like that"),
        }
    }

    /// A value of a script: JSON in which `{"$": name, "path": […]}` is something that is held.
    fn value(&mut self, json: &Json) -> Value {
        if let Some(name) = special(json, "$") {
            return match self.held.remove(name) {
                Some(Held::Readable(stream)) => Value::ReadableStream(stream),
                Some(Held::Writable(stream)) => Value::WritableStream(stream),
                Some(held) => {
                    self.held.insert(name.to_owned(), held);
                    self.follow(name, path_of(json)).into_value()
                }
                None => panic!("nothing is called {name}"),
            };
        }
        convert(json, &mut |json| self.value(json))
    }

    /// The same in the function of a map, where there are items, calls and further maps.
    fn mapped(&self, json: &Json, items: &[&Promise]) -> Value {
        let base = |name: &str| match name {
            "item" => Base::Promise(items[items.len() - 1].clone()).get(path_of(json)),
            "outer" => Base::Promise(items[items.len() - 2].clone()).get(path_of(json)),
            name => self.follow(name, path_of(json)),
        };
        if let Some(name) = special(json, "$") {
            return base(name).into_value();
        }
        if let Some(name) = special(json, "call") {
            let args = json["args"].as_array().expect("a call has arguments");
            let args: Vec<Value> = args.iter().map(|arg| self.mapped(arg, items)).collect();
            return Value::Promise(base(name).call(args));
        }
        if let Some(name) = special(json, "map") {
            let inner = |item: Promise| {
                let items: Vec<&Promise> = items.iter().copied().chain([&item]).collect();
                self.mapped(&json["each"], &items)
            };
            return Value::Promise(base(name).map(inner));
        }
        convert(json, &mut |json| self.mapped(json, items))
    }
}

/// What calls can be made on.
enum Base {
    Stub(Stub),
    Promise(Promise),
}

impl Base {
    fn get(self, path: &[Json]) -> Self {
        path.iter().fold(self, |base, key| {
            Base::Promise(match (base, key.as_str(), key.as_u64()) {
                (Base::Stub(stub), Some(name), _) => stub.get(name),
                (Base::Promise(promise), Some(name), _) => promise.get(name),
                (Base::Stub(stub), _, Some(index)) => stub.get(u32::try_from(index).unwrap()),
                (Base::Promise(promise), _, Some(index)) => {
                    promise.get(u32::try_from(index).unwrap())
                }
                _ => panic!("{key} is no part of a path"),
            })
        })
    }

    fn call(&self, args: Vec<Value>) -> Promise {
        match self {
            Base::Stub(stub) => stub.invoke(args),
            Base::Promise(promise) => promise.invoke(args),
        }
    }

    fn map(&self, f: impl FnOnce(Promise) -> Value) -> Promise {
        match self {
            Base::Stub(stub) => stub.map(f),
            Base::Promise(promise) => promise.map(f),
        }
    }

    fn into_held(self) -> Held {
        match self {
            Base::Stub(stub) => Held::Stub(stub),
            Base::Promise(promise) => Held::Promise(promise),
        }
    }

    fn into_value(self) -> Value {
        match self {
            Base::Stub(stub) => Value::Stub(stub),
            Base::Promise(promise) => Value::Promise(promise),
        }
    }
}

/// A stub in a value that was delivered, or a property of it.
fn within(value: &Value, path: &[Json]) -> Base {
    match (value, path) {
        (Value::Stub(stub), path) => Base::Stub(stub.clone()).get(path),
        (value, [key, rest @ ..]) => {
            let name = key.as_str().expect("members have names");
            within(value.get(name).expect("there is such a member"), rest)
        }
        _ => panic!("no stub is there"),
    }
}

/// The name in an object that has this member.
fn special<'a>(json: &'a Json, member: &str) -> Option<&'a str> {
    json.as_object()?.get(member)?.as_str()
}

fn path_of(json: &Json) -> &[Json] {
    json.get("path").and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// JSON as a value, with its elements and members converted by `f`.
fn convert(json: &Json, f: &mut dyn FnMut(&Json) -> Value) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => Value::Number(number.as_f64().expect("it is a double")),
        Json::String(text) => Value::String(text.clone()),
        Json::Array(elements) => Value::Array(elements.iter().map(f).collect()),
        Json::Object(members) => {
            let mut object = Object::new();
            for (name, member) in members {
                object.insert(name, f(member));
            }
            Value::Object(object)
        }
    }
}

async fn settled(receiver: oneshot::Receiver<Result<Value, Error>>) -> Result<Value, Error> {
    receiver.await.unwrap_or_else(|_| Err(Error::msg("It was never settled.")))
}
