//! The JavaScript suites against a Rust server, on other runtimes than the installed Node.js: its
//! next major version, Bun, and a page in Chromium.

use capnweb_tests::{FixedServer, Runtime, run_suite_on};

const KEY: &str = "a key for tests";

const SUITES: [&str; 6] = [
    "values.test.mjs",
    "calls.test.mjs",
    "stubs.test.mjs",
    "session.test.mjs",
    "map.test.mjs",
    "batch.test.mjs",
];

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
async fn run(runtime: Runtime) {
    let server = FixedServer::start(KEY).await;
    for suite in SUITES {
        let env = [("CAPNWEB_URL", server.url()), ("CAPNWEB_KEY", KEY)];
        run_suite_on(runtime, suite, &env).await;
    }
    server.stop().await;
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[tokio::test(flavor = "multi_thread")]
async fn node_22_is_a_client() {
    run(Runtime::Node22).await;
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[tokio::test(flavor = "multi_thread")]
async fn bun_is_a_client() {
    run(Runtime::Bun).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_chromium_is_a_client() {
    let server = FixedServer::start_open().await;
    for suite in SUITES {
        run_suite_on(Runtime::Chromium, suite, &[("CAPNWEB_URL", server.url())]).await;
    }
    server.stop().await;
}
