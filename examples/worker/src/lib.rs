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

use std::{cell::RefCell, rc::Rc, sync::Arc};

use capnweb::{
    Call, Error, Reply, Stub, Target,
    server::{self, Refusal, UpgradeRequest},
};
use worker::{
    Context, DurableObject, Env, Request, Response, Result, State, durable_object, event,
    wasm_bindgen,
};

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    let path = request.path();
    if path == "/rpc" {
        let rpc = server::rpc().allow_unauthenticated().main(|_| Stub::target(Greeter));
        return rpc.fetch(&request, context).await;
    }
    if let Some(room) = path.strip_prefix("/room/") {
        return env.durable_object("ROOM")?.get_by_name(room)?.fetch_with_request(request).await;
    }
    Response::error("Not Found", 404)
}

struct Greeter;

impl Target for Greeter {
    fn call(self: Arc<Self>, call: Call) -> Reply {
        match call.method() {
            "greet" => call.reply(|(name,): (String,)| Ok(format!("Hello, {name}!"))),
            _ => call.no_such_method(),
        }
    }
}

/// All sessions of a room live in one object, so they can talk to each other.
#[durable_object]
pub struct Room {
    key: String,
    members: Rc<RefCell<Vec<Stub>>>,
}

impl DurableObject for Room {
    fn new(_: State, env: Env) -> Self {
        // An empty key opens nothing, see below.
        let key = env.secret("ROOM_KEY").map(|key| key.to_string()).unwrap_or_default();
        Self { key, members: Rc::default() }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        let (key, members) = (self.key.clone(), self.members.clone());
        server::rpc()
            .authenticate(move |request: UpgradeRequest| {
                let known = !key.is_empty()
                    && request.bearer().is_ok_and(|sent| server::constant_time_eq(sent, &key));
                async move { known.then_some(()).ok_or_else(|| Refusal::unauthorized("unknown key")) }
            })
            .main(move |_| Stub::target(Seat { members: members.clone() }))
            .fetch_in_object(&request)
            .await
    }
}

/// What one session sees of its room.
struct Seat {
    members: Rc<RefCell<Vec<Stub>>>,
}

impl Target for Seat {
    fn call(self: Arc<Self>, call: Call) -> Reply {
        match call.method() {
            "join" => call.reply(|(listener,): (Stub,)| {
                self.members.borrow_mut().push(listener);
                Ok(())
            }),
            "say" => call.reply_async(|(text,): (String,)| async move {
                let members = self.members.borrow().clone();
                // All calls are made before the first answer is waited for.
                let heard: Vec<_> = members.iter().map(|it| it.invoke((&text,))).collect();
                let mut listeners = 0;
                for (member, heard) in members.iter().zip(heard) {
                    match heard.await {
                        Ok(_) => listeners += 1,
                        Err(_) => self.forget(member),
                    }
                }
                Ok::<_, Error>(listeners)
            }),
            _ => call.no_such_method(),
        }
    }
}

impl Seat {
    /// Takes a listener out that does not answer: its session has ended.
    fn forget(&self, member: &Stub) {
        self.members.borrow_mut().retain(|it| it != member);
    }
}
