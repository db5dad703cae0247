//! The programs print what they are said to.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// A program that is running. Killed when dropped, whatever becomes of the test.
struct Running {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    /// The next line that it prints.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn say(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Ends its input, and waits until it has ended in good order.
    fn end(mut self) {
        self.input = None;
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails if it has ended, which is just as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a server on a port of its choice, and returns the URL that it prints.
fn serve(program: &str, args: &[&str]) -> (Running, String) {
    let mut server = Running::start(Command::new(program).arg("127.0.0.1:0").args(args));
    let url = server.line().strip_prefix("listening on ").unwrap().to_owned();
    (server, url)
}

/// Runs a program, which has to succeed, and returns the lines that it prints.
fn lines(command: &mut Command) -> Vec<String> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The tests of the documentation run it.
#[test]
fn the_readme_shows_a_whole_program_in_forty_lines() {
    let readme = include_str!("../../README.md");
    let (_, tour) = readme.split_once("## The library in forty lines").unwrap();
    let (_, program) = tour.split_once("```rust\n").unwrap();
    let (program, _) = program.split_once("```").unwrap();
    assert!(program.contains("#[capnweb::interface]") && program.contains("fn main()"));
    assert!(program.lines().count() <= 40, "{} lines", program.lines().count());
}

#[test]
fn hello_client_talks_to_hello_server() {
    let (_server, url) = serve(env!("CARGO_BIN_EXE_hello-server"), &[]);
    let printed = lines(Command::new(env!("CARGO_BIN_EXE_hello-client")).arg(url));
    assert_eq!(printed, ["Hello, world!", "3", "2", "1", "0", "lift-off"]);
}

#[test]
fn pipelining_takes_one_round_trip() {
    let printed = lines(&mut Command::new(env!("CARGO_BIN_EXE_pipelining")));
    let answer = printed.iter().position(|line| line.starts_with('<')).unwrap();
    assert_eq!(
        printed[..answer],
        [
            r#"> ["push",["pipeline",0,["authenticate"],["alice's token"]]]"#,
            r#"> ["push",["pipeline",1,["name"],[]]]"#,
            r#"> ["push",["pipeline",0,["greet"],[["pipeline",2]]]]"#,
            r#"> ["pull",3]"#,
        ]
    );
    assert_eq!(printed[answer], r#"< ["resolve",3,"Hello, Alice!"]"#);
    assert_eq!(printed.iter().filter(|line| line.starts_with('<')).count(), 1);
    assert!(printed.iter().any(|line| line == "Hello, Alice!"), "{printed:?}");
}

#[test]
fn the_interfaces_are_written_down_in_typescript() {
    let declarations = || Command::new(env!("CARGO_BIN_EXE_declarations"));
    let printed = lines(&mut declarations());
    for line in [
        "export interface Chat extends RpcTarget {",
        "  countdown(from: number, tell: (a: number) => void | Promise<void>): string | Promise<string>;",
        "  say(text: string): void | Promise<void>;",
    ] {
        assert!(printed.iter().any(|printed| printed == line), "{line}: {printed:#?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("api.d.ts");
    assert!(declarations().arg(&file).status().unwrap().success());
    let check = || declarations().arg("--check").arg(&file).output().unwrap();
    assert!(check().status.success());
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("countdown", "countUp")).unwrap();
    let refused = check();
    assert!(!refused.status.success());
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("is not current") && told.contains("countUp"), "{told}");
}

#[test]
fn a_child_process_is_called_over_its_pipes() {
    let printed = lines(&mut Command::new(env!("CARGO_BIN_EXE_stdio-parent")));
    let ended = "the child ended: exit status: 0";
    assert_eq!(printed, ["4 words", "- the", "- quick", "- brown", "- fox", ended]);
}

#[test]
fn everybody_in_a_chat_hears_everybody_until_they_leave() {
    let (_server, url) = serve(env!("CARGO_BIN_EXE_chat-server"), &[]);
    let join = |name: &str| {
        Running::start(Command::new(env!("CARGO_BIN_EXE_chat-client")).args([&url, name]))
    };
    let mut alice = join("Alice");
    assert_eq!(alice.line(), "* Alice has come");
    let mut bob = join("Bob");
    assert_eq!(bob.line(), "* Bob has come");
    assert_eq!(alice.line(), "* Bob has come");
    bob.say("hi");
    assert_eq!(alice.line(), "Bob: hi");
    assert_eq!(bob.line(), "Bob: hi");
    bob.end();
    assert_eq!(alice.line(), "* Bob has left");
    // Whoever is killed has left as well.
    let mut carol = join("Carol");
    assert_eq!(alice.line(), "* Carol has come");
    assert_eq!(carol.line(), "* Carol has come");
    drop(carol);
    assert_eq!(alice.line(), "* Carol has left");
    alice.end();
}

#[test]
fn an_upload_tells_how_far_it_is() {
    let (_server, url) = serve(env!("CARGO_BIN_EXE_upload-server"), &[]);
    let bytes: Vec<u8> = (0..5 << 19).map(|i: u32| (i / 7) as u8).collect();
    let file = std::env::temp_dir().join(format!("capnweb-upload-{}", std::process::id()));
    std::fs::write(&file, &bytes).unwrap();
    let printed = lines(Command::new(env!("CARGO_BIN_EXE_upload-client")).arg(url).arg(&file));
    std::fs::remove_file(&file).unwrap();
    let checksum = examples::checksum(0, &bytes);
    let end = format!("sent 2621440 bytes with the checksum {checksum:08x}");
    assert_eq!(printed, ["1048576 bytes", "2097152 bytes", &end]);
}

#[test]
fn a_page_in_a_browser_calls_the_server_and_is_called_back() {
    // Installs the JavaScript packages.
    let mut browser = capnweb_tests::node().into_std();
    let module = capnweb_tests::tests_dir().join("interop/node_modules/capnweb/dist/index.js");
    let server = env!("CARGO_BIN_EXE_browser-server");
    let (_server, url) = serve(server, &[module.to_str().unwrap()]);
    let printed = lines(browser.args(["page.mjs", &url, "greeting", "countdown", "end"]));
    assert_eq!(printed, ["Hello, browser!", "3 2 1 0", "lift-off"]);
}
