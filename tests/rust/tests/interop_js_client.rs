//! The JavaScript suites against a Rust server: the published package is the client.

use capnweb_tests::{FixedServer, run_suite};

const KEY: &str = "a key for tests";

/// What this library does not implement yet.
const LACKS: &str = "headers,request,response,blob";

async fn run(suite: &str) {
    let server = FixedServer::start(KEY).await;
    let env = [("CAPNWEB_URL", server.url()), ("CAPNWEB_KEY", KEY), ("CAPNWEB_LACKS", LACKS)];
    run_suite(suite, &env).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_from_javascript_come_back_as_they_were() {
    run("values.test.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript_calls_properties_and_errors_work() {
    run("calls.test.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript_stubs_and_promises_are_served_and_let_go() {
    run("stubs.test.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript_sessions_begin_and_end_as_they_should() {
    run("session.test.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript_streams_are_read_and_written() {
    run("streams.test.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript_maps_are_applied() {
    run("map.test.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript_batches_are_answered() {
    run("batch.test.mjs").await;
}
