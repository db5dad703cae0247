//! The recorded behaviour of the JavaScript package, replayed against this library.

use capnweb::{Limits, Options, Stats};
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
    for row in &rows {
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
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn values_that_javascript_writes_come_back_the_same() {
    check_values("values.json");
}

#[test]
fn texts_that_javascript_accepts_are_read_the_same() {
    check_values("accepted.json");
}

#[derive(Deserialize)]
struct AbortRow {
    name: String,
    main: bool,
    limits: Option<RowLimits>,
    frames: Vec<String>,
    abort: Option<String>,
    ended: bool,
    #[serde(default)]
    engine: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RowLimits {
    max_depth: Option<usize>,
    max_big_int_digits: Option<usize>,
    max_message_size: Option<usize>,
}

impl RowLimits {
    fn options(this: Option<&Self>) -> Options {
        let mut limits = Limits::default();
        if let Some(row) = this {
            limits.max_depth = row.max_depth.unwrap_or(limits.max_depth);
            limits.max_bigint_digits = row.max_big_int_digits.unwrap_or(limits.max_bigint_digits);
            limits.max_message_size = row.max_message_size.unwrap_or(limits.max_message_size);
        }
        Options::new().limits(limits)
    }
}

#[test]
fn what_ends_a_javascript_session_ends_ours_with_the_same_words() {
    let rows: Vec<AbortRow> = wire_table("aborts.json");
    assert!(rows.len() > 100);
    let mut wrong = Vec::new();
    for row in &rows {
        let main = row.main.then(FixedTarget::stub);
        let peer = Peer::new(main, RowLimits::options(row.limits.as_ref()));
        let out: Vec<String> = row.frames.iter().flat_map(|frame| peer.send(frame)).collect();
        let abort = out.iter().find(|frame| frame.starts_with("[\"abort\""));
        let ended = peer.session.close_reason().is_some();
        let right = if row.engine {
            abort.is_some() == row.abort.is_some()
        } else {
            abort == row.abort.as_ref()
        };
        if !right || ended != row.ended {
            let frames: String = format!("{:?}", row.frames).chars().take(300).collect();
            wrong.push(format!(
                "{}: {frames}\n  expected {:?} ended {}\n  got      {abort:?} ended {ended}",
                row.name, row.abort, row.ended
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[derive(Deserialize)]
struct ReplyRow {
    name: String,
    main: bool,
    steps: Vec<Step>,
    stats: RowStats,
    #[serde(default)]
    engine: bool,
    defect: Option<String>,
}

#[derive(Deserialize)]
struct Step {
    r#in: String,
    out: Vec<String>,
}

#[derive(Deserialize)]
struct RowStats {
    imports: usize,
    exports: usize,
}

/// Where the protocol leaves a choice and ours is another one.
const FREEDOMS: [&str; 7] = [
    // JavaScript clients send array indexes as strings, so ours are found.
    "property inside an array by a string",
    // A stub in an error that is returned lives as long as the result.
    "stub inside an error argument",
    // A stub is sent outright, and not as a promise with a resolution to it behind.
    "map with a capture as a value",
    // A resolution goes out right behind the message with its promise, and not behind all others.
    "map with a callback",
    "map with a callback whose result is used",
    "map in a map",
    // A promise of the peer's is used as it is; JavaScript asks the peer for a duplicate of it.
    "map with a rejecting callback",
];

#[test]
fn the_same_frames_get_the_same_replies() {
    let rows: Vec<ReplyRow> = wire_table("replies.json");
    assert!(rows.len() > 100);
    let mut wrong = Vec::new();
    let ours = |row: &&ReplyRow| !FREEDOMS.contains(&row.name.as_str());
    for row in rows.iter().filter(|row| row.defect.is_none()).filter(ours) {
        let peer = Peer::new(row.main.then(FixedTarget::stub), Options::new());
        let mut trace = Vec::new();
        let mut right = true;
        for step in &row.steps {
            let out = peer.send(&step.r#in);
            let same = out.len() == step.out.len()
                && out.iter().zip(&step.out).all(|(ours, theirs)| {
                    if row.engine {
                        ours.split(',').next() == theirs.split(',').next()
                    } else {
                        same(ours, theirs)
                    }
                });
            right &= same;
            let mark = if same { ' ' } else { '!' };
            trace.push(format!("{mark} {} -> {out:?}", step.r#in));
            if !same {
                trace.push(format!("  expected {:?}", step.out));
            }
        }
        let stats = Stats { imports: row.stats.imports, exports: row.stats.exports };
        let ended = peer.session.close_reason().is_some();
        if !right || (!ended && peer.connection.stats() != stats) {
            wrong.push(format!(
                "{}: {:?}\n  {}",
                row.name,
                peer.connection.stats(),
                trace.join("\n  ")
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}
