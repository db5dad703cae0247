//! A gateway: takes in sessions over WebSockets, and connects each with a server behind it.
//!
//! It does not relay messages. For each client it holds two sessions, one with the client and one
//! with the server, and gives each side the other's main object as its own. Everything else
//! follows: a stub that one side sends is a stub that the other side gets, and what one side lets
//! go of is released on the other. Nothing waits for the connection to the server either: what the
//! client asks for meanwhile is asked of a promise.
//!
//! ```sh
//! cargo run -p examples --bin gateway -- 127.0.0.1:9090 ws://127.0.0.1:8080 "x-key: open sesame"
//! ```
//!
//! The path, query and headers of a client's request are passed on to the server, so that it knows
//! whom it talks to and can refuse. Two kinds stay here, because the server could only misread them:
//!
//! - `Origin`, the web page that a request comes from. Which pages may connect is the gateway's to
//!   decide, and it has decided when it lets a client in: pages of its own host, since no others are
//!   named. The server sees another host, and would take each of them for a page from elsewhere.
//! - `Forwarded` and `X-Forwarded-...`, which say for whom a proxy asks. Anybody can send them; only a
//!   gateway that knows the proxies in front of it could tell which to believe.
//!
//! The header at the end is what clients have to send to the gateway itself, and stays there, too;
//! without it everybody is let in. The line `stats` on standard input is
//! answered with what each session holds; the gateway ends with its input.

use std::{
    collections::HashMap,
    error::Error as StdError,
    io::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use capnweb::{
    Connection, Error, Promise, Stub,
    client::{Connect, ConnectError},
    server::{self, Refusal, UpgradeRequest},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    sync::oneshot,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: gateway ADDRESS SERVER [\"HEADER: VALUE\"]";
    let (address, server) = (args.next().ok_or(usage)?, args.next().ok_or(usage)?);
    let required = match args.next() {
        Some(header) => {
            let (name, value) = header.split_once(':').ok_or(usage)?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        }
        None => None,
    };
    let listener = TcpListener::bind(address).await?;
    println!("listening on ws://{}", listener.local_addr()?);

    let own_header = required.as_ref().map(|(name, _)| name.to_ascii_lowercase());
    let gateway = Arc::new(Gateway { server, own_header, relays: Mutex::default() });
    let relays = gateway.clone();
    let endpoint = server::rpc()
        .authenticate(move |request: UpgradeRequest| {
            let admitted = is_allowed(&request, required.as_ref());
            let client = admitted.then(|| Client::new(gateway.clone(), &request));
            async { client.ok_or_else(|| Refusal::unauthorized("a header is missing or wrong")) }
        })
        .on_connect(|accepted, connection| accepted.identity().connected(connection))
        .main(|accepted| accepted.identity().main.clone());
    tokio::spawn(server::serve(listener, endpoint.clone()));

    let mut commands = BufReader::new(tokio::io::stdin()).lines();
    while let Some(command) = commands.next_line().await? {
        match command.as_str() {
            "stats" => println!("{}", relays.stats()),
            _ => println!("unknown command"),
        }
        std::io::stdout().flush()?;
    }
    endpoint.shutdown(Duration::from_secs(10)).await;
    Ok(())
}

fn is_allowed(request: &UpgradeRequest, required: Option<&(String, String)>) -> bool {
    required.is_none_or(|(name, value)| {
        let presented = request.headers().get(name);
        presented.is_some_and(|presented| server::constant_time_eq(presented, value))
    })
}

/// Whether a header is meant for the server. Others say how this connection or message is to be
/// read, or what only the gateway can judge.
fn is_for_the_server(name: &str) -> bool {
    let for_the_gateway = [
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "forwarded",
        "host",
        "keep-alive",
        "origin",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let kinds = ["proxy-", "sec-websocket-", "x-forwarded-"];
    !for_the_gateway.contains(&name) && !kinds.iter().any(|kind| name.starts_with(kind))
}

/// Where clients are connected to, and the connections that there are.
struct Gateway {
    server: String,
    /// What is between the clients and the gateway, and not for the server.
    own_header: Option<String>,
    relays: Mutex<HashMap<u64, Relay>>,
}

/// A client's session and the server's.
#[derive(Clone)]
struct Relay {
    client: Connection,
    server: Connection,
}

/// A client that was let in.
struct Client {
    /// The server's main object, or the promise of it.
    main: Stub,
    /// Takes the client's connection, for the server to get the client's main object.
    connected: Mutex<Option<oneshot::Sender<Connection>>>,
}

impl Client {
    fn new(gateway: Arc<Gateway>, request: &UpgradeRequest) -> Self {
        let connect = gateway.connect_as(request);
        let (connected, connection) = oneshot::channel();
        let main = Promise::from_future(async move {
            let client: Connection =
                connection.await.map_err(|_| Error::msg("The client has gone."))?;
            gateway.connect(connect, client).await
        });
        Self { main: main.stub(), connected: Mutex::new(Some(connected)) }
    }

    fn connected(&self, connection: Connection) {
        if let Some(connected) = lock(&self.connected).take() {
            // Nobody waits for it only if the runtime is shutting down.
            let _ = connected.send(connection);
        }
    }
}

impl Gateway {
    /// A connection to the server that asks for what this request asked for.
    fn connect_as(&self, request: &UpgradeRequest) -> Connect {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let connect = capnweb::connect(format!("{}{target}", self.server));
        let of_the_connection: Vec<String> = request
            .headers()
            .get_all("connection")
            .iter()
            .filter_map(|names| names.to_str().ok())
            .flat_map(|names| names.split(',').map(|name| name.trim().to_ascii_lowercase()))
            .collect();
        let passed_on = request.headers().iter().filter(|(name, _)| {
            let name = name.as_str();
            is_for_the_server(name)
                && self.own_header.as_deref() != Some(name)
                && !of_the_connection.iter().any(|of_it| of_it == name)
        });
        passed_on.fold(connect, |connect, (name, value)| connect.header(name, value))
    }

    /// Connects a client with the server, whose main object it returns.
    async fn connect(self: Arc<Self>, connect: Connect, client: Connection) -> Result<Stub, Error> {
        match connect.main(client.main()).await {
            Ok(server) => {
                let main = server.main();
                tokio::spawn(self.keep(Relay { client, server }));
                Ok(main)
            }
            Err(error) => {
                let error = Error::msg(match error {
                    ConnectError::Refused { status, body } => {
                        format!("The server refuses this connection: {status} {body}")
                    }
                    error => format!("The server cannot be reached: {error}"),
                });
                client.abort(error.clone());
                Err(error)
            }
        }
    }

    /// Keeps both sessions until one has ended, and then tells the other side why.
    async fn keep(self: Arc<Self>, relay: Relay) {
        let id = {
            let mut relays = lock(&self.relays);
            let id = relays.keys().max().map_or(0, |last| last + 1);
            relays.insert(id, relay.clone());
            id
        };
        tokio::select! {
            reason = relay.client.closed() => relay.server.abort(reason),
            reason = relay.server.closed() => relay.client.abort(reason),
        }
        lock(&self.relays).remove(&id);
    }

    /// What the sessions hold, as JSON.
    fn stats(&self) -> String {
        let relays = lock(&self.relays);
        let sessions = relays.values().flat_map(|relay| [&relay.client, &relay.server]);
        let rows: Vec<_> = sessions
            .map(|session| {
                let stats = session.stats();
                format!(r#"{{"imports":{},"exports":{}}}"#, stats.imports, stats.exports)
            })
            .collect();
        format!("[{}]", rows.join(","))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing here panics while it holds a lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
