//! The program as an operator meets it: started, stopped, and set up wrongly.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::server::{NAMESPACE, Server, program};

/// Runs a program that must fail to start; returns its exit code and the line it leaves.
fn failure(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr.trim_end().lines().count(), 1, "one line, not: {stderr}");
    assert!(output.stdout.is_empty());
    (output.status.code().expect("an exit, not a crash"), stderr)
}

#[test]
fn the_first_start_makes_secrets_and_shows_the_key_once() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&mut program(&data));
    let file = data.path().join("credentials.json");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let stored: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let key = stored["SESSIONS_RPC_SHARED_KEY"].as_str().unwrap();
    let namespace = stored["SESSIONS_SHARED_SECRET"].as_str().unwrap();

    assert_eq!(server.status("/healthz", ""), 200);
    assert_eq!(server.status("/rpc/share", ""), 401);
    assert_eq!(server.status("/rpc/share", "x-opencode-share-key: wrong\r\n"), 401);
    assert_eq!(server.status("/rpc/share", &format!("x-opencode-share-key: {key}\r\n")), 400);
    assert_eq!(server.status("/rpc", &format!("authorization: Bearer {key}\r\n")), 400);

    let address = server.address.clone();
    let (code, stdout, log) = server.stop();
    assert_eq!(code, 0);
    assert!(stdout.contains(key) && stdout.contains(&address), "{stdout}");
    assert!(!stdout.contains(namespace), "nobody needs the namespace: {stdout}");
    assert!(!log.contains(key) && !log.contains(namespace), "{log}");

    let server = Server::start(&mut program(&data));
    assert_eq!(server.status("/rpc", &format!("authorization: Bearer {key}\r\n")), 400);
    let (_, stdout, log) = server.stop();
    assert_eq!(stdout, "", "the key is shown once");
    assert!(!log.contains(key), "{log}");
}

#[test]
fn a_server_without_a_key_is_closed_unless_told_otherwise() {
    let data = TempDir::new().unwrap();
    let server = Server::start(program(&data).env("SESSIONS_SHARED_SECRET", NAMESPACE));
    assert_eq!(server.status("/rpc/share", "x-opencode-share-key: \r\n"), 403);
    let (_, _, log) = server.stop();
    assert!(log.contains("nobody can connect"), "{log}");

    let mut open = program(&data);
    open.env("SESSIONS_SHARED_SECRET", NAMESPACE).arg("--allow-unauthenticated");
    let server = Server::start(&mut open);
    assert_eq!(server.status("/rpc/share", ""), 400);
    let (_, _, log) = server.stop();
    assert!(log.contains("anybody who reaches this server"), "{log}");
}

#[test]
fn both_signals_stop_it_with_success() {
    for signal in ["-TERM", "-INT"] {
        let data = TempDir::new().unwrap();
        let server = Server::start(&mut program(&data));
        server.signal(signal);
        let (code, _, log) = server.wait();
        assert_eq!(code, 0, "{signal}");
        assert!(log.contains(r#""message":"stopped""#), "{signal}: {log}");
    }
}

#[test]
fn a_data_directory_in_use_is_refused() {
    let data = TempDir::new().unwrap();
    let _owner = Server::start(&mut program(&data));
    let (code, line) = failure(&mut program(&data));
    assert_eq!(code, 1);
    assert!(line.contains("in use by another process") && line.contains("--data-dir"), "{line}");
}

#[test]
fn a_data_directory_that_cannot_be_one_is_refused() {
    let data = TempDir::new().unwrap();
    let file = data.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below")] {
        let (code, line) = failure(program(&data).arg("--data-dir").arg(&path));
        assert_eq!(code, 1);
        assert!(line.contains("cannot use") && line.contains("--data-dir"), "{line}");
    }
}

#[test]
fn a_port_in_use_is_refused_before_any_key_is_made() {
    let data = TempDir::new().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, line) = failure(program(&data).args(["--listen", &address]));
    assert_eq!(code, 1);
    assert!(line.contains(&address) && line.contains("--listen"), "{line}");
    assert!(!data.path().join("credentials.json").exists());
}

#[test]
fn settings_that_cannot_be_used_are_refused() {
    let data = TempDir::new().unwrap();
    for (arguments, (name, value), hint) in [
        (&["--listen", "8787"] as &[_], ("X", ""), "127.0.0.1:8787"),
        (&["--listen", "localhost"], ("X", ""), "127.0.0.1:8787"),
        (&["--api-domain", "not a domain"], ("X", ""), "share.example.com"),
        (&[], ("API_DOMAIN", "not a domain"), "share.example.com"),
        (&[], ("SESSIONS_SHARED_SECRET", "hunter2"), "UUID"),
        (&[], ("SESSIONS_RPC_SHARED_KEY", "hunter 2"), "SESSIONS_RPC_SHARED_KEY"),
        (&["--allow-unauthenticated"], ("SESSIONS_RPC_SHARED_KEY", "hunter2"), "unset"),
    ] {
        let (code, line) = failure(program(&data).args(arguments).env(name, value));
        assert_eq!(code, 2, "{line}");
        assert!(line.contains(hint), "{line}");
        assert!(!line.contains("hunter"), "a secret is not repeated: {line}");
    }
}
