//! The JavaScript client talks to the JavaScript server through the gateway, and cannot tell.

use std::{process::Stdio, sync::Arc};

use capnweb_tests::{DEADLINE, JsServer, run_suite};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    net::TcpListener,
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::Mutex,
    time::timeout,
};

const KEY: &str = "a key for tests";

/// What this library does not implement yet.
const LACKS: &str = "headers,request,response,blob";

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
    let env = [
        ("CAPNWEB_URL", url.as_str()),
        ("CAPNWEB_KEY", KEY),
        ("CAPNWEB_LACKS", LACKS),
        ("CAPNWEB_STATS", tables.as_str()),
    ];
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
