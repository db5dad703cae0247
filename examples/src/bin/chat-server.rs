//! A chat: the server calls everybody who is in the room, and whoever disconnects has left it.
//!
//! ```sh
//! cargo run -p examples --bin chat-server -- 127.0.0.1:8080
//! ```

use std::{
    collections::BTreeMap,
    error::Error as StdError,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use capnweb::{Call, Reply, Stub, Target, server};
use tokio::net::TcpListener;

/// Who is here, by number: the functions that take what is said.
#[derive(Default)]
struct Room(Mutex<BTreeMap<u64, Stub>>);

impl Room {
    fn members(&self) -> MutexGuard<'_, BTreeMap<u64, Stub>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_everybody(&self, line: &str) {
        let everybody: Vec<_> = self.members().values().cloned().collect();
        for tell in everybody {
            // The call is made here and now. Nobody waits for its result: it is not even sent.
            drop(tell.invoke((line,)));
        }
    }
}

/// What everybody gets who connects.
struct Door(Arc<Room>);

impl Target for Door {
    fn call(self: Arc<Self>, call: Call) -> Reply {
        match call.method() {
            "join" => call.reply(|(name, tell): (String, Stub)| {
                let number = {
                    let mut members = self.0.members();
                    let number = members.keys().last().map_or(0, |last| last + 1);
                    members.insert(number, tell);
                    number
                };
                self.0.tell_everybody(&format!("* {name} has come"));
                Ok(Stub::target(Member { room: self.0.clone(), number, name }))
            }),
            _ => call.no_such_method(),
        }
    }
}

/// One who has joined. Dropped when its client lets go of it, or has gone.
struct Member {
    room: Arc<Room>,
    number: u64,
    name: String,
}

impl Target for Member {
    fn call(self: Arc<Self>, call: Call) -> Reply {
        match call.method() {
            "say" => call.reply(|(text,): (String,)| {
                self.room.tell_everybody(&format!("{}: {text}", self.name));
                Ok(())
            }),
            _ => call.no_such_method(),
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let left = self.room.members().remove(&self.number);
        drop(left);
        self.room.tell_everybody(&format!("* {} has left", self.name));
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on ws://{}", listener.local_addr()?);
    let room = Arc::new(Room::default());
    let endpoint =
        server::rpc().allow_unauthenticated().main(move |_| Stub::target(Door(room.clone())));
    server::serve(listener, endpoint).await;
    Ok(())
}
