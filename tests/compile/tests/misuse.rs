//! Wrong uses of interfaces, and what the compiler says of each: the culprit, and what to write
//! instead.
//!
//! What it says is in the file beside each use. Rewrite them with `TRYBUILD=overwrite`, and read
//! every line that changes with the eyes of somebody who has made that mistake.

use std::{panic, process::Command};

/// Whose words the files are. Other versions may say the same in other words.
const RUSTC: &str = "1.95.0";

#[test]
fn the_compiler_names_the_culprit_and_the_way_out() {
    let rustc = rustc_version();
    let result = panic::catch_unwind(|| {
        let cases = trybuild::TestCases::new();
        cases.compile_fail("tests/interface/*.rs");
        cases.compile_fail("tests/use/*.rs");
    });
    if let Err(mismatch) = result {
        assert_eq!(
            rustc, RUSTC,
            "the expected messages are those of rustc {RUSTC}: run this test with that version \
             before you look for what has changed"
        );
        panic::resume_unwind(mismatch);
    }
}

/// As in `1.95.0`.
fn rustc_version() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().nth(1).unwrap().to_owned()
}
