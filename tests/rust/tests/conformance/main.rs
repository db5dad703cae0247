//! The vectors of `tests/conformance`, replayed against this library.
//!
//! Frames are compared as values, member by member, in their order; where the protocol leaves a
//! freedom, a vector names it and [`Vector::freedom`] says what is compared instead.

mod actor;
mod describe;
mod streams;
mod stricter;

use capnweb::{Limits, Options, Stats};
use capnweb_tests::{FixedTarget, Peer, conformance, tests_dir};
use serde::Deserialize;
use serde_json::Value as Json;

use self::{
    actor::{Action, Actor},
    describe::same_deliveries,
};

#[derive(Deserialize)]
struct Vector {
    bullet: String,
    name: String,
    main: bool,
    limits: Option<VectorLimits>,
    steps: Vec<Step>,
    ended: bool,
    stats: Option<VectorStats>,
    /// The words are those of a JavaScript engine: only the kinds of messages are compared.
    #[serde(default)]
    engine: bool,
    /// The package is wrong here: nothing is compared.
    defect: Option<String>,
    /// `order`: the messages of a step may come in any order. `reasons`: only the kinds of messages
    /// are compared. With any other freedom the messages may be others; only whether the session
    /// goes on is compared.
    freedom: Option<String>,
}

#[derive(Deserialize)]
struct Step {
    r#in: Option<String>,
    r#do: Option<Action>,
    out: Vec<String>,
    #[serde(default)]
    got: Vec<(String, Json)>,
}

#[derive(Deserialize)]
struct VectorStats {
    imports: usize,
    exports: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VectorLimits {
    max_depth: Option<usize>,
    max_big_int_digits: Option<usize>,
    max_message_size: Option<usize>,
}

impl VectorLimits {
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

impl Vector {
    /// Carries the vector out, and says what was different.
    fn replay(&self) -> Result<(), String> {
        let options = VectorLimits::options(self.limits.as_ref());
        let peer = Peer::new(self.main.then(FixedTarget::stub), options);
        let mut actor = Actor::new(&peer);
        let mut trace = vec![format!("{} ({})", self.name, self.bullet)];
        let mut right = true;
        for step in &self.steps {
            let out = match (&step.r#in, &step.r#do) {
                (Some(frame), None) => peer.send(frame),
                (None, Some(action)) => {
                    peer.executor.enter(|| actor.act(action));
                    peer.outgoing()
                }
                _ => panic!("a step is either a frame or an action"),
            };
            let got = actor.take();
            let same = self.allows(step, &out) && same_deliveries(&got, &step.got);
            right &= same;
            let what = step.r#in.clone().or_else(|| step.r#do.as_ref().map(Action::to_string));
            let what = what.unwrap_or_default();
            let mark = if same { ' ' } else { '!' };
            trace.push(format!("{mark} {} -> {out:?} {got:?}", shortened(&what)));
            if !same {
                trace.push(format!("  expected {:?} {:?}", step.out, step.got));
            }
        }
        let ended = peer.session.close_reason().is_some();
        let stats = (!ended).then(|| peer.connection.stats());
        let expected = self.stats.as_ref().map(VectorStats::to_stats);
        let free = self
            .freedom
            .as_deref()
            .is_some_and(|freedom| freedom != "order" && freedom != "reasons");
        if right && ended == self.ended && (free || stats == expected) {
            return Ok(());
        }
        trace.push(format!("  after it: ended {ended}, {stats:?}"));
        trace.push(format!("  expected: ended {}, {expected:?}", self.ended));
        Err(trace.join("\n  "))
    }

    /// Whether the messages are those of this step, as far as the protocol determines them.
    fn allows(&self, step: &Step, out: &[String]) -> bool {
        let kind = |frame: &String| frame.split(',').next().map(str::to_owned);
        match self.freedom.as_deref() {
            _ if self.engine => out.iter().map(kind).eq(step.out.iter().map(kind)),
            None => same_frames(out, &step.out),
            Some("reasons") => out.iter().map(kind).eq(step.out.iter().map(kind)),
            Some("order") => {
                let sorted = |frames: &[String]| {
                    let mut frames = frames.to_vec();
                    frames.sort();
                    frames
                };
                same_frames(&sorted(out), &sorted(&step.out))
            }
            Some(_) => true,
        }
    }
}

impl VectorStats {
    fn to_stats(&self) -> Stats {
        Stats { imports: self.imports, exports: self.exports }
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(300).collect()
}

fn same_frames(ours: &[String], theirs: &[String]) -> bool {
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| same(a, b))
}

/// JSON texts are compared as values: keys in any order, numbers by their doubles.
fn same(a: &str, b: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<Json>(text);
    match (parse(a), parse(b)) {
        (Ok(a), Ok(b)) => normal(a) == normal(b),
        _ => a == b,
    }
}

fn normal(value: Json) -> Json {
    match value {
        Json::Number(n) => n.as_f64().map(Into::into).unwrap_or(Json::Number(n)),
        Json::Array(values) => values.into_iter().map(normal).collect(),
        Json::Object(members) => members.into_iter().map(|(k, v)| (k, normal(v))).collect(),
        other => other,
    }
}

fn replay(file: &str) {
    let vectors: Vec<Vector> = conformance(file);
    let mut compared = 0;
    let mut wrong = Vec::new();
    for vector in vectors.iter().filter(|vector| vector.defect.is_none()) {
        compared += 1;
        wrong.extend(vector.replay().err());
    }
    assert!(compared > 50, "only {compared} vectors");
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_ends_a_javascript_session_ends_ours_with_the_same_words() {
    replay("aborts.json");
}

#[test]
fn the_same_requests_get_the_same_replies() {
    replay("replies.json");
}

#[test]
fn the_same_actions_send_the_same_requests() {
    replay("clients.json");
}

#[test]
fn every_statement_is_shown_by_a_vector_or_by_a_test_that_exists() {
    #[derive(Deserialize)]
    struct Bullet {
        id: String,
        #[serde(default)]
        tests: Vec<String>,
    }
    let vectors = ["aborts.json", "replies.json", "clients.json"].map(conformance::<Vector>);
    let vectors: Vec<Vector> = vectors.into_iter().flatten().collect();
    let bullets: Vec<Bullet> = conformance("bullets.json");
    for Bullet { id, tests } in &bullets {
        assert!(
            vectors.iter().any(|vector| vector.bullet == *id) || !tests.is_empty(),
            "nothing shows {id}"
        );
        for test in tests {
            let (file, name) = test.split_once("::").expect("a test is FILE::NAME");
            let text = std::fs::read_to_string(tests_dir().join("..").join(file));
            assert!(text.is_ok_and(|text| has_test(&text, name)), "{id}: there is no test {test}");
        }
    }
    for vector in &vectors {
        let known = bullets.iter().any(|bullet| bullet.id == vector.bullet);
        assert!(known, "{}: {} is no statement", vector.name, vector.bullet);
    }
}

/// Whether a file has a test of this name: a function in Rust, a title in JavaScript.
fn has_test(text: &str, name: &str) -> bool {
    let quoted = |quote| text.contains(&format!("{quote}{name}{quote}"));
    text.contains(&format!("fn {name}(")) || quoted('"') || quoted('`') || quoted('\'')
}
