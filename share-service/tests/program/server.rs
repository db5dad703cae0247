//! The program, run for a test.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};

use capnweb::{Connection, Stub};
use serde_json::Value;
use share_service::api::ShareApi;
use tempfile::TempDir;

/// The namespace of [`keyed`].
pub(crate) const NAMESPACE: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

/// The key of [`keyed`].
pub(crate) const KEY: &str = "k3y";

/// The program with nothing set but where to keep its data, on a port that is free.
pub(crate) fn program(data_dir: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_share-service"));
    command
        .env_clear()
        .env("SHARE_LISTEN", "127.0.0.1:0")
        .env("SHARE_LOG_FORMAT", "json")
        .env("SHARE_DATA_DIR", data_dir.path());
    command
}

/// The program as an operator would set it up.
pub(crate) fn keyed(data_dir: &TempDir) -> Command {
    let mut command = program(data_dir);
    command
        .env("SESSIONS_SHARED_SECRET", NAMESPACE)
        .env("SESSIONS_RPC_SHARED_KEY", KEY)
        .env("API_DOMAIN", "share.example.com");
    command
}

/// What is stored of a share at this moment.
pub(crate) fn stored(data_dir: &TempDir, id: &str) -> Value {
    let file = data_dir.path().join(format!("share/{id}.json"));
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

/// A server that is up. Killed when dropped.
pub(crate) struct Server {
    child: Child,
    stderr: BufReader<ChildStderr>,
    log: String,
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut server = Self { child, stderr, log: String::new(), address: String::new() };
        while server.address.is_empty() {
            let mut line = String::new();
            let read = server.stderr.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "it did not start: {}", server.log);
            server.log.push_str(&line);
            let line: Value = serde_json::from_str(&line).expect("the log is JSON");
            if line["fields"]["message"] == "listening" {
                server.address = line["fields"]["address"].as_str().unwrap().to_owned();
            }
        }
        server
    }

    pub(crate) fn status(&self, path: &str, headers: &str) -> u16 {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n")
            .unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let kill = format!("kill {signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Kills it, with no chance to finish anything, and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The address of the RPC endpoint.
    pub(crate) fn url(&self) -> String {
        format!("ws://{}/rpc/share", self.address)
    }

    /// Connects with the key of [`keyed`].
    pub(crate) async fn connect(&self) -> Connection {
        capnweb::connect(self.url()).header("x-opencode-share-key", KEY).await.unwrap()
    }

    /// The service, on a connection of its own.
    pub(crate) async fn service(&self) -> Stub<dyn ShareApi> {
        self.connect().await.main().typed()
    }

    /// Waits for the end; returns the exit code, what was printed, and what was logged.
    pub(crate) fn wait(mut self) -> (i32, String, String) {
        let status = self.child.wait().unwrap();
        let (mut stdout, mut log) = (String::new(), std::mem::take(&mut self.log));
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        self.stderr.read_to_string(&mut log).unwrap();
        (status.code().expect("an exit, not a crash"), stdout, log)
    }

    pub(crate) fn stop(self) -> (i32, String, String) {
        self.signal("-TERM");
        self.wait()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails if it has ended, which is just as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
