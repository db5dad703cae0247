//! The same frames without an RPC system: the ceiling.

use std::collections::VecDeque;

use futures::{FutureExt, SinkExt, StreamExt};
use serde::{Deserialize, de::IgnoredAny};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, Utf8Bytes, protocol::WebSocketConfig},
};

use crate::{
    Scenario, Took,
    document::{WireDocument, document},
    timed,
};

fn config() -> WebSocketConfig {
    // As the library sets it.
    WebSocketConfig::default().read_buffer_size(8192)
}

/// Frames of this kind begin so; what follows is an id.
fn id(frame: &str) -> u64 {
    let digits = frame.split(',').nth(1).unwrap_or_default();
    digits.trim_end_matches(']').parse().expect("a frame has an id")
}

enum Held {
    Number(f64),
    Document(Box<WireDocument>),
    Session,
    Profile,
    Name,
}

#[derive(Deserialize)]
struct Push<T>(IgnoredAny, Pipeline<T>);

#[derive(Deserialize)]
struct Pipeline<T>(IgnoredAny, IgnoredAny, IgnoredAny, T);

fn argument<T: serde::de::DeserializeOwned>(frame: &str) -> T {
    let Push::<(T,)>(_, Pipeline(_, _, _, (argument,))) =
        serde_json::from_str(frame).expect("a push is JSON");
    argument
}

pub(crate) async fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("it is bound").port());
    loop {
        let (stream, _) = listener.accept().await.expect("the port stays open");
        tokio::spawn(connection(stream));
    }
}

async fn connection(stream: TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut socket =
        tokio_tungstenite::accept_async_with_config(stream, Some(config())).await.ok()?;
    let mut held: VecDeque<Option<Held>> = VecDeque::new();
    let mut base = 1;
    let mut unflushed = false;
    loop {
        let message = match socket.next().now_or_never() {
            Some(message) => message,
            None => {
                if std::mem::take(&mut unflushed) {
                    socket.flush().await.ok()?;
                }
                socket.next().await
            }
        };
        let Message::Text(frame) = message?.ok()? else { continue };
        match &frame.as_bytes()[..6] {
            b"[\"push" => held.push_back(Some(push(&frame))),
            b"[\"pull" => {
                let id = id(&frame);
                let result = held.get((id - base) as usize)?.as_ref()?;
                socket.feed(Message::text(resolve(id, result))).await.ok()?;
                unflushed = true;
            }
            b"[\"rele" => {
                held[(id(&frame) - base) as usize] = None;
                while let Some(None) = held.front() {
                    held.pop_front();
                    base += 1;
                }
            }
            other => panic!("unexpected frame {other:?}"),
        }
    }
}

fn push(frame: &str) -> Held {
    if frame.contains("[\"square\"]") {
        let n: f64 = argument(frame);
        Held::Number(n * n)
    } else if frame.contains("[\"echo\"]") {
        Held::Document(argument(frame))
    } else if frame.contains("[\"authenticate\"]") {
        let _token: String = argument(frame);
        Held::Session
    } else if frame.contains("[\"getProfile\"]") {
        Held::Profile
    } else {
        Held::Name
    }
}

fn resolve(id: u64, result: &Held) -> String {
    let mut out = Vec::with_capacity(64);
    out.extend_from_slice(b"[\"resolve\",");
    out.extend_from_slice(itoa::Buffer::new().format(id).as_bytes());
    out.push(b',');
    match result {
        Held::Number(n) => out.extend_from_slice(itoa::Buffer::new().format(*n as i64).as_bytes()),
        Held::Document(document) => {
            serde_json::to_writer(&mut out, document).expect("a document is JSON");
        }
        _ => out.extend_from_slice(b"\"Alice\""),
    }
    out.push(b']');
    String::from_utf8(out).expect("JSON is UTF-8")
}

#[derive(Deserialize)]
struct Resolve<T>(IgnoredAny, u64, T);

struct Client {
    socket: WebSocketStream<TcpStream>,
    next: u64,
}

impl Client {
    async fn feed(&mut self, frame: String) {
        self.socket.feed(Message::text(frame)).await.expect("the socket is open");
    }

    /// Sends a call on an id and returns its own.
    async fn push(&mut self, on: u64, rest: &str) -> u64 {
        self.feed(format!("[\"push\",[\"pipeline\",{on},{rest}]]")).await;
        self.next += 1;
        self.next - 1
    }

    async fn pull(&mut self, id: u64) {
        self.feed(format!("[\"pull\",{id}]")).await;
    }

    async fn release(&mut self, id: u64) {
        self.feed(format!("[\"release\",{id},1]")).await;
    }

    /// The next frame; what has been fed is flushed if there is none yet.
    async fn next(&mut self) -> Utf8Bytes {
        let message = match self.socket.next().now_or_never() {
            Some(message) => message,
            None => {
                self.socket.flush().await.expect("the socket is open");
                self.socket.next().await
            }
        };
        match message {
            Some(Ok(Message::Text(frame))) => frame,
            other => panic!("unexpected {other:?}"),
        }
    }
}

pub(crate) async fn call(scenario: Scenario, port: u16, calls: usize, server: u32) -> Took {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the server listens");
    stream.set_nodelay(true).expect("a socket has that option");
    let (socket, _) = tokio_tungstenite::client_async_with_config(
        format!("ws://127.0.0.1:{port}/"),
        stream,
        Some(config()),
    )
    .await
    .expect("the server upgrades");
    let client = tokio::sync::Mutex::new(Client { socket, next: 1 });
    timed(calls, server, async |n| {
        let client = &mut *client.lock().await;
        match scenario {
            Scenario::S1 => square(client, n, 1).await,
            Scenario::S2 => square(client, n, 256).await,
            Scenario::S3 => chain(client, n).await,
            Scenario::S4a => echo(client, n).await,
        }
    })
    .await
}

async fn square(client: &mut Client, calls: usize, in_flight: usize) {
    let first = client.next;
    let mut sent = 0;
    for done in 0..calls {
        while sent < calls && sent < done + in_flight {
            let id = client.push(0, &format!("[\"square\"],[{sent}]")).await;
            client.pull(id).await;
            sent += 1;
        }
        let frame = client.next().await;
        let Resolve::<f64>(_, id, square) = serde_json::from_str(&frame).expect("a resolve");
        let i = id - first;
        assert_eq!(square, (i * i) as f64);
        client.release(id).await;
    }
}

async fn chain(client: &mut Client, calls: usize) {
    for _ in 0..calls {
        let session = client.push(0, "[\"authenticate\"],[\"token\"]").await;
        let profile = client.push(session, "[\"getProfile\"],[]").await;
        let name = client.push(profile, "[\"name\"]").await;
        client.pull(name).await;
        let frame = client.next().await;
        let Resolve::<String>(..) = serde_json::from_str(&frame).expect("a resolve");
        for id in [session, profile, name] {
            client.release(id).await;
        }
    }
}

async fn echo(client: &mut Client, calls: usize) {
    let document = WireDocument::from(document());
    for _ in 0..calls {
        let text = serde_json::to_string(&document).expect("a document is JSON");
        let id = client.push(0, &format!("[\"echo\"],[{text}]")).await;
        client.pull(id).await;
        let frame = client.next().await;
        let Resolve::<WireDocument>(..) = serde_json::from_str(&frame).expect("a resolve");
        client.release(id).await;
    }
}
