//! The service as clients in JavaScript meet it.

use capnweb_tests::{DEADLINE, node, run_suite};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::server::{KEY, Server, keyed};

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_suite_for_share_services_passes() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&mut keyed(&data));
    run_suite("share.test.mjs", &[("SHARE_URL", &server.url()), ("SHARE_KEY", KEY)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clients_of_the_readme_get_in_with_the_key_and_not_without() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&mut keyed(&data));
    let readme = include_str!("../../../README.md");
    let clients: Vec<_> = readme
        .split("```js\n")
        .skip(1)
        .map(|block| block.split_once("```").expect("a block ends").0)
        .collect();
    assert_eq!(clients.len(), 2, "one for the built-in WebSocket and one for the package ws");
    for client in clients {
        for (key, gets_in) in [(KEY, true), ("wrong", false)] {
            let mut node = node();
            // Node before 22 has the built-in WebSocket only by this flag.
            node.args(["--experimental-websocket", "--input-type=module", "--eval", client])
                .envs([("SHARE_URL", server.url().as_str()), ("SHARE_KEY", key)]);
            let output = timeout(DEADLINE, node.output()).await.expect("it does not end").unwrap();
            let printed = String::from_utf8_lossy(&output.stdout);
            let problem = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.success(), gets_in, "{client}\n{printed}\n{problem}");
            assert_eq!(printed.contains("server-called!"), gets_in, "{client}\n{printed}");
        }
    }
}
