//! The service as clients in JavaScript meet it.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::timeout;

use crate::server::{KEY, Server, keyed};

/// How long a client may take; none is meant to take a tenth of it.
const DEADLINE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_suite_for_share_services_passes() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&mut keyed(&data));
    pass(node().await.args(["--test", "share.test.mjs"]), &server).await;
}

/// Node, in the folder with the JavaScript package.
async fn node() -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/interop");
    install(&folder).await;
    let mut node = Command::new("node");
    node.current_dir(folder);
    node
}

/// Runs a client of the server, which has to succeed. Returns what it prints.
async fn pass(client: &mut Command, server: &Server) -> String {
    client.env("SHARE_URL", server.url()).env("SHARE_KEY", KEY).kill_on_drop(true);
    let output = timeout(DEADLINE, client.output()).await.expect("the client does not end");
    let output = output.expect("Node 20 or newer is needed");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    stdout
}

/// Installs the packages of the folder if they are not there as the lock file has them. Tests of other packages may
/// be about to do the same.
async fn install(folder: &Path) {
    let lock = File::create(folder.join(".install.lock")).unwrap();
    lock.lock().unwrap();
    let changed =
        |name: &str| fs::metadata(folder.join(name)).and_then(|file| file.modified()).ok();
    // npm leaves a list of what it has installed.
    if changed("node_modules/.package-lock.json") >= changed("package-lock.json") {
        return;
    }
    let npm =
        Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder).status();
    assert!(npm.await.expect("npm is needed, which comes with Node").success());
}
