//! The JavaScript suites against a Rust server, on other runtimes than the installed Node.js: its
//! next major version, Bun, and a page in Chromium.

use capnweb_tests::{FixedServer, JsServer, Runtime, run_suite_but, run_suite_on};

const KEY: &str = "a key for tests";

const SUITES: [&str; 8] = [
    "values.test.mjs",
    "calls.test.mjs",
    "stubs.test.mjs",
    "session.test.mjs",
    "map.test.mjs",
    "batch.test.mjs",
    "streams.test.mjs",
    "fetch.test.mjs",
];

/// The tests that fail on Bun by its own fault: with a JavaScript server they fail as well.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const BROKEN_ON_BUN: [(&str, &str); 1] = [
    // A slice of a blob without bytes, which is how the package gives it its type, has none there.
    ("fetch.test.mjs", "blobs > come back with their types when they are empty"),
];

fn settings(url: &str) -> [(&str, &str); 2] {
    [("CAPNWEB_URL", url), ("CAPNWEB_KEY", KEY)]
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[tokio::test(flavor = "multi_thread")]
async fn node_22_is_a_client() {
    let server = FixedServer::start(KEY).await;
    for suite in SUITES {
        run_suite_on(Runtime::Node22, suite, &settings(server.url())).await;
    }
    server.stop().await;
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[tokio::test(flavor = "multi_thread")]
async fn bun_is_a_client() {
    let server = FixedServer::start(KEY).await;
    let theirs = JsServer::start("server.mjs", &["--key", KEY]).await;
    for suite in SUITES {
        let broken: Vec<_> =
            BROKEN_ON_BUN.iter().filter(|(of, _)| *of == suite).map(|(_, test)| *test).collect();
        run_suite_but(Runtime::Bun, suite, &settings(server.url()), &broken).await;
        if !broken.is_empty() {
            run_suite_but(Runtime::Bun, suite, &settings(&theirs.url()), &broken).await;
        }
    }
    theirs.stop().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_chromium_is_a_client() {
    let server = FixedServer::start_open().await;
    for suite in SUITES {
        run_suite_on(Runtime::Chromium, suite, &[("CAPNWEB_URL", server.url())]).await;
    }
    server.stop().await;
}
