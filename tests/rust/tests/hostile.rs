//! A peer that sends recorded messages with mutations: the session lives on or ends with an
//! abort, holds no more than its limits say, and nothing panics. A failure prints its seed; see
//! [`for_seeds`].

use capnweb::{Limits, Options};
use capnweb_tests::{
    FixedTarget, Peer, conformance,
    random::{Random, for_seeds, is_full},
    wire_table,
};
use serde_json::Value;

const MOST: usize = 200;

/// All messages of the vectors, and all values of the tables.
fn corpus() -> Vec<String> {
    let mut messages = Vec::new();
    for table in ["aborts.json", "replies.json"] {
        for row in conformance::<Value>(table) {
            collect(&row["steps"], &mut messages);
        }
    }
    for table in ["values.json", "accepted.json"] {
        for row in wire_table::<Value>(table) {
            let text = row["text"].as_str().unwrap();
            messages.push(format!(r#"["push",["pipeline",0,["echo"],[{text}]]]"#));
            messages.push(format!(r#"["resolve",1,{text}]"#));
        }
    }
    messages.retain(|message| message.len() < 4000);
    assert!(messages.len() > 500);
    messages
}

fn collect(value: &Value, messages: &mut Vec<String>) {
    match value {
        Value::String(message) => messages.push(message.clone()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, messages)),
        Value::Object(members) => collect(&members["in"], messages),
        _ => {}
    }
}

fn mutate_bytes(random: &mut Random, message: &str) -> String {
    const ODD: &[u8] = b"[]{}\",:-+.0123456789eE\\ntu#pl ";
    let mut bytes = message.as_bytes().to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(8)).min(bytes.len());
        match random.below(5) {
            0 if at < bytes.len() => bytes[at] = ODD[random.below(ODD.len())],
            1 => bytes.insert(at, ODD[random.below(ODD.len())]),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            _ if random.once_in(4) => bytes.truncate(at),
            _ => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn mutate_structure(random: &mut Random, corpus: &[String], message: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(message) else { return message.to_owned() };
    for _ in 0..=random.below(3) {
        mutate_node(random, corpus, &mut value, 0);
    }
    value.to_string()
}

fn mutate_node(random: &mut Random, corpus: &[String], value: &mut Value, depth: usize) {
    // Down the tree in most cases.
    if depth == 0 || !random.once_in(3) {
        match value {
            Value::Array(elements) if !elements.is_empty() => {
                let at = random.below(elements.len());
                return mutate_node(random, corpus, &mut elements[at], depth + 1);
            }
            Value::Object(members) if !members.is_empty() => {
                let at = random.below(members.len());
                if let Some(member) = members.values_mut().nth(at) {
                    return mutate_node(random, corpus, member, depth + 1);
                }
            }
            _ => {}
        }
    }
    *value = match random.below(8) {
        0..3 => Value::from(random.below(12) as i64 - 5),
        3 => match random.pick(corpus).and_then(|text| serde_json::from_str::<Value>(text).ok()) {
            // An expression of another message.
            Some(Value::Array(mut parts)) if parts.len() > 1 => parts.swap_remove(1),
            other => other.unwrap_or(Value::Null),
        },
        4 => Value::Array(vec![value.take()]),
        5 => {
            let id = random.below(12) as i64 - 5;
            let tag = ["export", "promise", "import", "pipeline"][random.below(4)];
            serde_json::json!([tag, id])
        }
        6 => Value::Array(vec![value.clone(), value.take()]),
        _ => [Value::Null, Value::from(1e300), Value::from("\u{0}"), serde_json::json!({})]
            [random.below(4)]
        .clone(),
    };
}

/// What an honest peer might send, with ids that may be alive.
fn likely(random: &mut Random) -> String {
    let (id, other) = (random.below(9), random.below(9));
    match random.below(9) {
        0 => format!(r#"["pull",{id}]"#),
        1 if random.once_in(3) => format!(r#"["release",{},1]"#, id + 1),
        2 => format!(r#"["resolve",{id},["import",{other}]]"#),
        3 => format!(r#"["push",["pipeline",0,["callBack"],[["export",-{}],5]]]"#, id + 1),
        4 => format!(r#"["push",["pipeline",{id},["giveBack"],[["pipeline",{other}]]]]"#),
        5 => format!(r#"["push",{{"stub":["import",{id}]}}]"#),
        6 => format!(r#"["push",["pipeline",{id},["stub"]]]"#),
        7 => format!(r#"["reject",{id},["error","Error","no"]]"#),
        _ => r#"["push",["pipeline",0,["hold"],[]]]"#.to_owned(),
    }
}

/// A session that has come some way.
fn serve(limits: &Limits) -> Peer {
    let peer = Peer::new(Some(FixedTarget::stub()), Options::new().limits(limits.clone()));
    for message in [
        r#"["push",["pipeline",0,["hold"],[]]]"#,
        r#"["push",["pipeline",0,["callBack"],[["export",-1],1]]]"#,
        r#"["push",["pipeline",0,["callBack"],[["export",-2],["pipeline",1]]]]"#,
        r#"["push",["pipeline",2,["callBack"],[["export",-3],["promise",-4]]]]"#,
        r#"["push",["pipeline",0,["makeCounter"],[1]]]"#,
        r#"["push",["pipeline",0,["heldInside"],[]]]"#,
        r#"["push",["pipeline",0,["keep"],[["export",-5]]]]"#,
        r#"["push",["pipeline",0,["callKept"],[1]]]"#,
    ] {
        peer.send(message);
    }
    assert_eq!(peer.session.close_reason(), None);
    peer
}

fn check(peer: &Peer, message: &str, answers: &[String]) {
    let stats = peer.connection.stats();
    assert!(stats.exports <= 2 * MOST && stats.imports <= 2 * MOST, "{stats:?}");
    for answer in answers {
        // Deeper than this, the test's own parser gives up.
        let deep = answer.matches(['[', '{']).count() > 100;
        let is_json = serde_json::from_str::<Value>(answer).is_ok();
        assert!(deep || is_json, "{message} was answered with {answer}");
    }
    if peer.session.close_reason().is_some() {
        let aborted = answers.last().is_some_and(|last| last.starts_with(r#"["abort","#));
        assert!(aborted || message.contains("abort"), "{message} ended it without a word");
    }
}

#[test]
fn mutated_messages_do_no_harm() {
    const PER_SEED: u64 = 500;
    let corpus = corpus();
    let mut limits = Limits::default();
    limits.max_exports = MOST;
    limits.max_imports = MOST;
    limits.max_calls_in_flight = MOST / 4;
    let messages = if is_full() { 1_000_000 } else { 20_000 };
    for_seeds(messages / PER_SEED, |random| {
        let mut peer = serve(&limits);
        for _ in 0..PER_SEED {
            let message = random.pick(&corpus).expect("there are many");
            let message = match random.below(12) {
                0 => message.clone(),
                1 => mutate_bytes(random, message),
                2 | 3 => mutate_structure(random, &corpus, message),
                4 => {
                    let message = likely(random);
                    mutate_structure(random, &corpus, &message)
                }
                _ => likely(random),
            };
            let answers = peer.send(&message);
            check(&peer, &message, &answers);
            if peer.session.close_reason().is_some() {
                peer = serve(&limits);
            }
        }
    });
}
