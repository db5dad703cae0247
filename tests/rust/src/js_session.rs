//! A Rust client of a JavaScript server, with every message recorded and both sides' tables in
//! sight.

use std::time::Duration;

use capnweb::{
    Connection, Options, Stats, Stub,
    transport::websocket::{WebSocketConfig, WebSocketTransport},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{FrameLog, JsServer, js::DEADLINE};

/// What the JavaScript server asks for in the header `x-test-key`.
pub const KEY: &str = "a key for tests";

/// A connection with a JavaScript server of the fixed target, both for this test alone.
pub struct JsSession {
    /// The server's process.
    pub server: JsServer,
    /// The client's handle.
    pub connection: Connection,
    /// The server's main object.
    pub main: Stub,
    /// What went over the socket.
    pub log: FrameLog,
}

impl JsSession {
    /// Starts a server and connects to it.
    pub async fn start() -> Self {
        Self::with(JsServer::start("server.mjs", &["--key", KEY]).await, Options::new()).await
    }

    /// Starts a server that runs another release of the package, by its name in `package.json`.
    pub async fn of_release(package: &str, options: Options) -> Self {
        let env = [("CAPNWEB_PACKAGE", package)];
        let server = JsServer::start_with("server.mjs", &["--key", KEY], &env).await;
        Self::with(server, options).await
    }

    async fn with(server: JsServer, options: Options) -> Self {
        let log = FrameLog::new();
        let transport = WebSocketTransport::client(upgraded(&server).await, &config()).await;
        let connection = Connection::start(log.wrap(transport), None, options);
        let main = connection.main();
        Self { server, connection, main, log }
    }

    /// Waits for an answer: the server has then dealt with all that was sent before.
    pub async fn round_trip(&self) {
        let answer: f64 = self.main.call("square", (12,)).decode().await.expect("it answers");
        assert_eq!(answer, 144.0);
    }

    /// Forgets the messages so far, all of which have arrived.
    pub async fn clear_log(&self) {
        self.round_trip().await;
        self.log.clear();
    }

    /// Asserts that nothing was left behind, and ends it.
    pub async fn end(mut self) {
        self.assert_clean().await;
        let Self { mut server, connection, main, .. } = self;
        drop((connection, main));
        server.deserted().await;
        server.stop().await;
    }

    /// Asserts that nothing is left in either side's tables but the two main objects. The last
    /// releases may come behind an answer, so a few more round trips are granted.
    pub async fn assert_clean(&mut self) {
        let clean = Stats { imports: 1, exports: 1 };
        let mut stats = (self.connection.stats(), vec![]);
        for _ in 0..50 {
            self.round_trip().await;
            stats = (self.connection.stats(), self.server.stats().await);
            if stats == (clean, vec![clean]) {
                return;
            }
        }
        panic!("left over: {stats:?} after\n{:#?}", self.log.frames());
    }
}

/// Runs a test on a connection of its own, and checks afterwards that nothing was left behind.
pub async fn clean(test: impl AsyncFnOnce(&JsSession)) {
    limited(async {
        let session = JsSession::start().await;
        test(&session).await;
        session.end().await;
    })
    .await;
}

/// Fails a test that hangs.
pub async fn limited<T>(test: impl Future<Output = T>) -> T {
    timeout(2 * DEADLINE, test).await.expect("the test waits for something that does not come")
}

fn config() -> WebSocketConfig {
    let mut config = WebSocketConfig::default();
    config.close_timeout = Duration::from_secs(30);
    config
}

/// A socket after the opening handshake, made by hand: the library's own client does not let
/// anybody look at its transport.
async fn upgraded(server: &JsServer) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.expect("the server listens");
    stream.set_nodelay(true).expect("the socket is open");
    let request = format!(
        "GET /rpc HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         x-test-key: {KEY}\r\n\r\n",
        server.address()
    );
    stream.write_all(request.as_bytes()).await.expect("the server reads");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("the server answers"));
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    stream
}
