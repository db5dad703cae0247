//! What a call through an interface costs beside the same call by name, client and server included.
//!
//! Compared are the bytes allocated, and with `CAPNWEB_FULL=1` also the instructions carried out,
//! which valgrind counts.

use std::process::Command;

/// A twentieth more at most.
const LIMIT: f64 = 1.05;

const PROGRAM: &str = env!("CARGO_BIN_EXE_typed-calls");

const METHODS: [&str; 5] = ["add", "rename", "find", "version", "chain"];

#[test]
fn a_typed_call_costs_hardly_more_than_an_untyped_one() {
    for method in METHODS {
        compare("bytes", method, allocated);
        if std::env::var_os("CAPNWEB_FULL").is_some() {
            compare("instructions", method, instructions);
        }
    }
}

fn compare(unit: &str, method: &str, measure: fn(side: &str, method: &str, calls: u32) -> u64) {
    // What the process costs without its calls is the same in both numbers, and cancels out.
    let [typed, untyped] = ["typed", "untyped"]
        .map(|side| (measure(side, method, 600) - measure(side, method, 200)) as f64 / 400.0);
    println!("{method}: {typed:.0} {unit} typed, {untyped:.0} untyped");
    assert!(
        typed <= untyped * LIMIT,
        "a call of {method} costs {typed:.0} {unit} through the interface, {untyped:.0} by name"
    );
}

fn allocated(side: &str, method: &str, calls: u32) -> u64 {
    let output = Command::new(PROGRAM).args([side, method, &calls.to_string()]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

fn instructions(side: &str, method: &str, calls: u32) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", PROGRAM])
        .args([side, method, &calls.to_string()])
        .output()
        .expect("the instructions of calls are counted by valgrind: install it");
    let text = String::from_utf8(output.stderr).unwrap();
    let counted = text.lines().find_map(|line| line.split_once("Collected : "));
    let (_, count) = counted.unwrap_or_else(|| panic!("no instructions were counted:\n{text}"));
    count.trim().parse().unwrap()
}
