//! The programs print what they are said to.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// Killed when dropped, whatever becomes of the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // Fails if it has ended, which is just as well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program, which has to succeed, and returns the lines that it prints.
fn lines(command: &mut Command) -> Vec<String> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn hello_client_talks_to_hello_server() {
    let mut server = Command::new(env!("CARGO_BIN_EXE_hello-server"));
    let mut server = server.arg("127.0.0.1:0").stdout(Stdio::piped()).spawn().map(Server).unwrap();
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim_end().strip_prefix("listening on ").unwrap();
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
