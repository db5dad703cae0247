//! A Cap'n Web server on Cloudflare Workers: a greeter that anybody can talk to, and chat rooms
//! behind a key, each in a Durable Object of its own.
//!
//! ```js
//! const api = newWebSocketRpcSession("wss://example.workers.dev/rpc");
//! await api.greet("you");
//!
//! const room = newWebSocketRpcSession(new WebSocket("wss://example.workers.dev/room/lobby", { headers }));
//! await room.join(text => console.log(text));
//! await room.say("hello");
//! ```
// Workers are wasm: to any other target this crate is empty.
#![cfg(target_arch = "wasm32")]

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use capnweb::{
    Stub,
    server::{self, Refusal, UpgradeRequest},
};
use worker::{
    Context, DurableObject, Env, Request, Response, Result, State, durable_object, event,
    wasm_bindgen,
};

/// What anybody can talk to.
#[capnweb::interface]
pub trait Greeter {
    /// Greets somebody.
    fn greet(&self, name: String) -> String;
}

/// What a session sees of its room.
#[capnweb::interface]
pub trait Chat {
    /// Listens to what is said from now on.
    fn join(&self, listener: Listener);

    /// Says something to everybody who listens, and returns how many have heard it.
    async fn say(&self, text: String) -> u32;
}

/// A function that takes what is said.
pub type Listener = Stub<fn(String) -> capnweb::Result<()>>;

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    let path = request.path();
    if path == "/rpc" {
        let rpc = server::rpc().allow_unauthenticated().main(|_| Stub::<dyn Greeter>::new(English));
        return rpc.fetch(&request, context).await;
    }
    if let Some(room) = path.strip_prefix("/room/") {
        return env.durable_object("ROOM")?.get_by_name(room)?.fetch_with_request(request).await;
    }
    Response::error("Not Found", 404)
}

struct English;

impl Greeter for English {
    fn greet(&self, name: String) -> String {
        format!("Hello, {name}!")
    }
}

/// All sessions of a room live in one object, so they can talk to each other.
#[durable_object]
pub struct Room {
    key: String,
    listeners: Listeners,
}

/// Who listens in a room, by number.
type Listeners = Rc<RefCell<BTreeMap<u32, Listener>>>;

impl DurableObject for Room {
    fn new(_: State, env: Env) -> Self {
        // An empty key opens nothing, see below.
        let key = env.secret("ROOM_KEY").map(|key| key.to_string()).unwrap_or_default();
        Self { key, listeners: Rc::default() }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        let (key, listeners) = (self.key.clone(), self.listeners.clone());
        server::rpc()
            .authenticate(move |request: UpgradeRequest| {
                let known = !key.is_empty()
                    && request.bearer().is_ok_and(|sent| server::constant_time_eq(sent, &key));
                async move { known.then_some(()).ok_or_else(|| Refusal::unauthorized("unknown key")) }
            })
            .main(move |_| Stub::<dyn Chat>::new(Seat { listeners: listeners.clone() }))
            .fetch_in_object(&request)
            .await
    }
}

/// The place of one session in its room.
struct Seat {
    listeners: Listeners,
}

impl Chat for Seat {
    fn join(&self, listener: Listener) {
        let mut listeners = self.listeners.borrow_mut();
        let number = listeners.keys().last().map_or(0, |last| last + 1);
        listeners.insert(number, listener);
    }

    async fn say(&self, text: String) -> u32 {
        // All calls are made before the first answer is waited for.
        let calls: Vec<_> =
            self.listeners.borrow().iter().map(|(n, it)| (*n, it.call(&text))).collect();
        let mut heard = 0;
        for (number, call) in calls {
            match call.await {
                Ok(()) => heard += 1,
                // It does not answer: its session has ended.
                Err(_) => drop(self.listeners.borrow_mut().remove(&number)),
            }
        }
        heard
    }
}
