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

use capnweb::{Result, Stub, server};
use examples::{Chat, Member};
use tokio::net::TcpListener;

/// A function that takes what is said.
type Tell = Stub<fn(String) -> Result<()>>;

/// Who is here, by number.
#[derive(Default)]
struct Room(Mutex<BTreeMap<u64, Tell>>);

impl Room {
    fn members(&self) -> MutexGuard<'_, BTreeMap<u64, Tell>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_everybody(&self, line: &str) {
        let everybody: Vec<_> = self.members().values().cloned().collect();
        for tell in everybody {
            // The call is made here and now. Nobody waits for its result: it is not even sent.
            drop(tell.call(line));
        }
    }
}

/// What everybody gets who connects.
struct Door(Arc<Room>);

impl Chat for Door {
    fn join(&self, name: String, tell: Tell) -> Stub<dyn Member> {
        let number = {
            let mut members = self.0.members();
            let number = members.keys().last().map_or(0, |last| last + 1);
            members.insert(number, tell);
            number
        };
        self.0.tell_everybody(&format!("* {name} has come"));
        Stub::new(Seat { room: self.0.clone(), number, name })
    }
}

/// The place of one who has joined. Dropped when its client lets go of it, or has gone.
struct Seat {
    room: Arc<Room>,
    number: u64,
    name: String,
}

impl Member for Seat {
    fn say(&self, text: String) {
        self.room.tell_everybody(&format!("{}: {text}", self.name));
    }
}

impl Drop for Seat {
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
    let endpoint = server::rpc()
        .allow_unauthenticated()
        .main(move |_| Stub::<dyn Chat>::new(Door(room.clone())));
    server::serve(listener, endpoint).await;
    Ok(())
}
