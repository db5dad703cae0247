//! The JavaScript suites against a Rust server, on other runtimes than the installed Node.js: its
//! next major version, Bun, and a page in Chromium.

use capnweb_tests::{FixedServer, Runtime, run_suite_on};

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

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
async fn run(runtime: Runtime, suites: &[&str]) {
    let server = FixedServer::start(KEY).await;
    for suite in suites {
        let env = [("CAPNWEB_URL", server.url()), ("CAPNWEB_KEY", KEY)];
        run_suite_on(runtime, suite, &env).await;
    }
    server.stop().await;
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[tokio::test(flavor = "multi_thread")]
async fn node_22_is_a_client() {
    run(Runtime::Node22, &SUITES).await;
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[tokio::test(flavor = "multi_thread")]
async fn bun_is_a_client() {
    // Bun loses the types of blobs, with a JavaScript server as well.
    let on_bun = SUITES.into_iter().filter(|suite| *suite != "fetch.test.mjs").collect::<Vec<_>>();
    run(Runtime::Bun, &on_bun).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_chromium_is_a_client() {
    let server = FixedServer::start_open().await;
    for suite in SUITES {
        run_suite_on(Runtime::Chromium, suite, &[("CAPNWEB_URL", server.url())]).await;
    }
    server.stop().await;
}
