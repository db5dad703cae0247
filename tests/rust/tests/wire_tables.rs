//! What the JavaScript package writes and reads, replayed against this library.

use capnweb::Options;
use capnweb_tests::{FixedTarget, Peer, wire_table};
use serde::Deserialize;

#[derive(Deserialize)]
struct ValueRow {
    name: String,
    text: String,
    canonical: Option<String>,
    bits: Option<String>,
    #[serde(rename = "wellFormed")]
    well_formed: Option<String>,
    #[serde(default)]
    lossy: bool,
}

/// Sends a text through `echo` and returns what comes back.
fn echo(text: &str) -> Result<String, String> {
    let peer = Peer::new(Some(FixedTarget::stub()), Options::new());
    let mut out = peer.send(&format!(r#"["push",["pipeline",0,["echo"],[{text}]]]"#));
    out.extend(peer.send(r#"["pull",1]"#));
    resolution(&out)
}

/// Pushes a text as a value and returns what a pull of it gives.
fn push(text: &str) -> Result<String, String> {
    let peer = Peer::new(None, Options::new());
    let mut out = peer.send(&format!(r#"["push",{text}]"#));
    out.extend(peer.send(r#"["pull",1]"#));
    resolution(&out)
}

fn resolution(out: &[String]) -> Result<String, String> {
    match out {
        [answer] if answer.starts_with(r#"["resolve",1,"#) => {
            Ok(answer[13..answer.len() - 1].to_owned())
        }
        other => Err(format!("{other:?}")),
    }
}

/// JSON texts are compared as values: keys in any order, numbers by their doubles.
fn same(a: &str, b: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text);
    match (parse(a), parse(b)) {
        (Ok(a), Ok(b)) => normal(a) == normal(b),
        _ => a == b,
    }
}

fn normal(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value::{Array, Number, Object};
    match value {
        Number(n) => n.as_f64().map(Into::into).unwrap_or(Number(n)),
        Array(values) => values.into_iter().map(normal).collect(),
        Object(members) => Object(members.into_iter().map(|(k, v)| (k, normal(v))).collect()),
        other => other,
    }
}

fn check_values(table: &str) {
    let rows: Vec<ValueRow> = wire_table(table);
    assert!(rows.len() > 50);
    let mut wrong = Vec::new();
    let mut compared = 0;
    for row in &rows {
        compared += 1;
        let canonical = row.canonical.as_ref().unwrap_or(&row.text);
        let expected = row.well_formed.as_ref().unwrap_or(canonical);
        let pushed = push(&row.text);
        if pushed.is_err() {
            wrong.push(format!("{}: pushing gave {pushed:?}", row.name));
        }
        // As an argument it stands a level deeper.
        if row.name.contains("as deep as is sent") {
            continue;
        }
        match echo(&row.text) {
            // Where JavaScript loses something, such as an error's name, this library need not.
            Ok(text) if row.lossy || same(&text, expected) || same(&text, &row.text) => {
                if let Some(bits) = &row.bits {
                    let bits = u64::from_str_radix(bits.trim_start_matches("0x"), 16).unwrap();
                    let read: Option<f64> = text.parse().ok();
                    if f64::from_bits(bits).is_finite()
                        && read.is_some_and(|read| read != f64::from_bits(bits))
                    {
                        wrong.push(format!("{}: {text} is not the double", row.name));
                    }
                }
            }
            other => wrong.push(format!("{}: {} gave {other:?}", row.name, row.text)),
        }
    }
    assert!(compared > 100);
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn values_that_javascript_writes_come_back_the_same() {
    check_values("values.json");
}

#[test]
fn texts_that_javascript_accepts_are_read_the_same() {
    check_values("accepted.json");
}
