//! The JavaScript client talks to the JavaScript server through the gateway, and cannot tell.

use std::{process::Stdio, sync::Arc};

use capnweb::{
    Connection, ErrorKind,
    client::ConnectError,
    server::{self, Refusal, UpgradeRequest},
};
use capnweb_tests::{DEADLINE, FixedTarget, JsServer, run_suite};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::Mutex,
    time::timeout,
};

const KEY: &str = "a key for tests";

/// The gateway's process. Killed when dropped.
struct Gateway {
    _child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    url: String,
}

impl Gateway {
    async fn start(server: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gateway"))
            .args(["127.0.0.1:0", server, &format!("x-test-key: {KEY}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut gateway = Self { _child: child, input, lines, url: String::new() };
        let line = gateway.line().await;
        gateway.url = format!("{}/rpc?a=b", line.strip_prefix("listening on ").unwrap());
        gateway
    }

    async fn stats(&mut self) -> String {
        self.input.write_all(b"stats\n").await.unwrap();
        self.line().await
    }

    async fn line(&mut self) -> String {
        let line = timeout(DEADLINE, self.lines.next_line()).await.expect("the gateway is silent");
        line.unwrap().expect("the gateway has ended")
    }
}

/// The gateway, the server behind it, and what both of them hold at a URL for the suites.
struct Behind {
    gateway: Gateway,
    server: JsServer,
}

impl Behind {
    /// All tables, as one list.
    async fn tables(&mut self) -> String {
        let server = self.server.command("stats").await;
        let gateway = self.gateway.stats().await;
        let server =
            server.strip_prefix("STATS [").and_then(|rows| rows.strip_suffix(']')).unwrap();
        let gateway = gateway.strip_prefix('[').and_then(|rows| rows.strip_suffix(']')).unwrap();
        let rows: Vec<_> = [server, gateway].into_iter().filter(|rows| !rows.is_empty()).collect();
        format!("[{}]", rows.join(","))
    }
}

/// Answers every HTTP request with the tables.
async fn serve_tables(listener: TcpListener, behind: Arc<Mutex<Behind>>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let body = behind.lock().await.tables().await;
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

async fn run(suite: &str) {
    let server = JsServer::start("server.mjs", &[]).await;
    let gateway = Gateway::start(&format!("ws://{}", server.address())).await;
    let url = gateway.url.clone();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tables = format!("http://{}/", listener.local_addr().unwrap());
    let behind = Arc::new(Mutex::new(Behind { gateway, server }));
    let served = tokio::spawn(serve_tables(listener, behind.clone()));
    let env =
        [("CAPNWEB_URL", url.as_str()), ("CAPNWEB_KEY", KEY), ("CAPNWEB_STATS", tables.as_str())];
    run_suite(suite, &env).await;
    served.abort();
    // When the clients have gone, so have the gateway's sessions, and those of the server.
    let deserted = async { while behind.lock().await.tables().await != "[]" {} };
    timeout(DEADLINE, deserted).await.expect("a session stays open");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_come_back_through_a_gateway_as_they_were() {
    run("values.test.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_properties_and_errors_go_through_a_gateway() {
    run("calls.test.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stubs_and_promises_go_through_a_gateway_and_are_let_go() {
    run("stubs.test.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_begin_and_end_through_a_gateway_as_they_should() {
    run("session.test.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_go_through_a_gateway() {
    run("streams.test.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn maps_are_applied_behind_a_gateway() {
    run("map.test.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_and_bodies_go_through_a_gateway() {
    run("fetch.test.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_answered_through_a_gateway() {
    run("batch.test.mjs").await;
}

const SERVERS_KEY: &str = "a key for the server";

/// A server that asks for a key of its own, and keeps the requests that it got.
async fn strict_server(requests: Arc<Mutex<Vec<UpgradeRequest>>>) -> String {
    let endpoint = server::rpc()
        .authenticate(move |request: UpgradeRequest| {
            let requests = requests.clone();
            async move {
                requests.lock().await.push(request.clone());
                match request.bearer()? {
                    SERVERS_KEY => Ok(()),
                    _ => Err(Refusal::unauthorized("this key opens nothing")),
                }
            }
        })
        .main(|_| FixedTarget::stub());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server::serve(listener, endpoint));
    format!("ws://{address}")
}

async fn connect(gateway: &Gateway, bearer: &str) -> Connection {
    let connect = capnweb::connect(&gateway.url)
        .header("x-test-key", KEY)
        .header("x-application", "one")
        .header("x-application", "two")
        .header("cookie", "session=1")
        .header("sec-websocket-protocol", "not spoken here")
        .header("te", "trailers");
    connect.bearer(bearer).await.expect("the gateway itself lets this client in")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_sees_the_credentials_of_the_client_and_not_those_for_the_gateway() {
    let requests = Arc::<Mutex<Vec<UpgradeRequest>>>::default();
    let gateway = Gateway::start(&strict_server(requests.clone()).await).await;
    let client = connect(&gateway, SERVERS_KEY).await;
    assert_eq!(client.main().call("echo", ("hello",)).decode::<String>().await.unwrap(), "hello");

    let requests = requests.lock().await;
    let [request] = &requests[..] else { panic!("one connection was made: {requests:?}") };
    assert_eq!(request.uri(), "/rpc?a=b");
    let all = |name| request.headers().get_all(name).iter().collect::<Vec<_>>();
    assert_eq!(all("x-application"), ["one", "two"]);
    assert_eq!(all("cookie"), ["session=1"]);
    assert_eq!(all("upgrade").len(), 1);
    assert_eq!(all("sec-websocket-key").len(), 1);
    for not_for_it in ["x-test-key", "sec-websocket-protocol", "te"] {
        assert_eq!(all(not_for_it), [""; 0], "{not_for_it} was passed on");
    }
    assert!(!gateway.url.contains(all("host")[0].to_str().unwrap()), "the server is the host");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_the_gateways_own_host_gets_to_the_server() {
    let requests = Arc::<Mutex<Vec<UpgradeRequest>>>::default();
    let gateway = Gateway::start(&strict_server(requests.clone()).await).await;
    let page = |origin: String| {
        capnweb::connect(&gateway.url)
            .header("x-test-key", KEY)
            .header("origin", origin)
            .bearer(SERVERS_KEY)
    };
    let host = gateway.url.strip_prefix("ws://").and_then(|url| url.strip_suffix("/rpc?a=b"));
    let client = page(format!("http://{}", host.unwrap())).await.unwrap();
    // The server lets in pages of its own host only.
    assert_eq!(client.main().call("echo", (1,)).decode::<u32>().await.unwrap(), 1);
    assert!(!requests.lock().await[0].headers().contains_key("origin"));

    let elsewhere = page("http://elsewhere.example".to_owned()).await;
    assert!(matches!(elsewhere, Err(ConnectError::Refused { .. })), "{elsewhere:?}");
    assert_eq!(requests.lock().await.len(), 1, "the gateway itself refuses pages from elsewhere");
}

/// A client that sets what the library's own client would set itself.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_the_gateway_only_is_not_passed_on() {
    let requests = Arc::<Mutex<Vec<UpgradeRequest>>>::default();
    let gateway = Gateway::start(&strict_server(requests.clone()).await).await;
    let host = gateway.url.strip_prefix("ws://").and_then(|url| url.strip_suffix("/rpc?a=b"));
    let host = host.unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!(
        "GET /rpc HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade, X-Of-This-Hop\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Of-This-Hop: 1\r\n\
         Forwarded: for=192.0.2.1\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Host: a.example\r\n\
         X-Test-Key: {KEY}\r\nAuthorization: Bearer {SERVERS_KEY}\r\nX-Application: 1\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let arrived = async {
        loop {
            if let Some(request) = requests.lock().await.first() {
                return request.clone();
            }
            tokio::task::yield_now().await;
        }
    };
    let request = timeout(DEADLINE, arrived).await.expect("the gateway does not connect");
    let has = |name| request.headers().contains_key(name);
    assert!(has("x-application"), "the rest is passed on: {request:?}");
    for not_for_it in ["x-of-this-hop", "forwarded", "x-forwarded-for", "x-forwarded-host"] {
        assert!(!has(not_for_it), "{not_for_it} was passed on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_the_server_refuses_is_told_so() {
    let gateway = Gateway::start(&strict_server(Arc::default()).await).await;
    let client = connect(&gateway, "another key").await;
    // Sent at once, without knowing yet.
    let error = client.main().call("echo", ("hello",)).decode::<String>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected);
    let told = "The server refuses this connection: 401 Unauthorized";
    assert!(error.message().starts_with(told), "{error}");
    assert!(error.message().contains("this key opens nothing"), "{error}");
    let reason = timeout(DEADLINE, client.closed()).await.expect("the connection stays open");
    assert!(reason.message().starts_with(told), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_told_that_there_is_no_server() {
    // Nobody listens where somebody did.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = format!("ws://{}", listener.local_addr().unwrap());
    drop(listener);
    let gateway = Gateway::start(&nowhere).await;
    let client = connect(&gateway, SERVERS_KEY).await;
    let error = client.main().call("echo", ("hello",)).decode::<String>().await.unwrap_err();
    assert!(error.message().starts_with("The server cannot be reached: "), "{error}");
}
