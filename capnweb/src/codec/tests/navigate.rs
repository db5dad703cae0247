//! Where paths lead.

use super::{super::navigate::*, *};
use crate::{Error, path::Key};

/// The path written `a.b.0`; digits alone are an index, in quotes a name.
fn path(dotted: &str) -> Vec<Key> {
    let steps = dotted.split('.').filter(|step| !step.is_empty());
    steps
        .map(|step| match step.parse::<u32>() {
            Ok(index) => index.into(),
            Err(_) => step.trim_matches('\'').into(),
        })
        .collect()
}

fn go(payload: &Payload, dotted: &str) -> Result<Found, Error> {
    navigate(payload, &path(dotted))
}

#[track_caller]
fn value_at(payload: &Payload, dotted: &str) -> Payload {
    match go(payload, dotted).unwrap() {
        Found::Value(value) => value,
        Found::Cap { .. } => panic!("{dotted} leads to a capability"),
    }
}

#[test]
fn paths_lead_to_own_members_and_elements() {
    let root = payload(
        r#"{"a":{"b":[[1,[[2,3]],{"c":"x"}]],"":4,"5":6},"\u0064":["date",1],"n":null,"u":["undefined"],"e":["error","E","m",null,{"p":1}],"s":"str","toString":1}"#,
        [],
    );
    let undefined = r#"["undefined"]"#;
    for (dotted, expected) in [
        ("a.b.0", "1"),
        ("a.b.'1'.1", "3"),
        ("a.b.2.c", r#""x""#),
        ("a.5", "6"),
        ("a.'5'", "6"),
        ("d", r#"["date",1]"#),
        ("n", "null"),
        ("u", undefined),
        ("n.x", undefined),
        ("a.b.3", undefined),
        ("a.b.'01'", undefined),
        ("a.b.length", undefined),
        ("missing", undefined),
        ("d.getTime", undefined),
        ("e.p", undefined),
        ("s.length", undefined),
        ("s.0", undefined),
        ("toString", undefined),
        ("a.__proto__", undefined),
        ("missing.constructor", undefined),
    ] {
        assert_eq!(value_at(&root, dotted).text, expected, "{dotted}");
    }
    assert_eq!(value_at(&root, "").text, root.text);
}

#[test]
fn nothing_is_under_undefined() {
    let root = payload(r#"{"u":["undefined"]}"#, []);
    for (dotted, key) in [("missing.x", "x"), ("u.y.z", "y"), ("constructor.x", "x"), ("a.0", "0")]
    {
        let error = go(&root, dotted).err().expect("must fail");
        let expected = format!("TypeError: Cannot read properties of undefined (reading '{key}')");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn paths_lead_into_capabilities() {
    let settled = payload(
        r##"{"stub":["#",0],"list":[[["#",1]]]}"##,
        [Cap::Stub(hook(2)), Cap::Promise(hook(3), path("p"))],
    );
    let again = payload(r##"["#",0]"##, [Cap::Settled(settled)]);
    let root = payload(r##"{"a":["#",0],"b":["#",1]}"##, [Cap::Stub(hook(1)), Cap::Settled(again)]);
    for (dotted, expected, rest) in [
        ("a", 1, 1),
        ("a.x.y", 1, 1),
        ("b.stub", 2, 2),
        ("b.stub.x", 2, 2),
        ("b.list.0", 3, 3),
        ("b.list.0.x", 3, 3),
    ] {
        let Found::Cap { cap: Cap::Stub(hook) | Cap::Promise(hook, _), rest: found } =
            go(&root, dotted).unwrap()
        else {
            panic!("{dotted} leads to a value")
        };
        assert_eq!((number_of(&hook), found), (expected, rest), "{dotted}");
    }
    assert_eq!(value_at(&root, "a.toString").text, r#"["undefined"]"#);
}

#[test]
fn parts_own_their_capabilities() {
    let stubs: Vec<_> = (0..12).map(stub).collect();
    let caps = stubs.iter().map(|stub| Cap::Stub(stub.hook().clone()));
    let list = |range: std::ops::Range<u32>| {
        let holes: Vec<_> = range.map(|n| format!(r##"["#",{n}]"##)).collect();
        format!("[[{}]]", holes.join(","))
    };
    let text = format!(r#"{{"a":{},"é":{}}}"#, list(0..2), list(2..12));
    let root = payload(&text, caps);

    let first = value_at(&root, "a");
    let read: Vec<Stub> = decode(&first).unwrap();
    assert_eq!(read.iter().map(number).collect::<Vec<_>>(), [0, 1]);
    drop(read);
    let second = value_at(&root, "é");
    assert_eq!(second.text, list(0..10));
    for (slot, (at, _)) in second.slots.iter().zip(second.text.match_indices("[\"#")) {
        assert_eq!(slot.at as usize, at);
    }
    drop(root);
    let read: Vec<Stub> = decode(&second).unwrap();
    assert_eq!(read.iter().map(number).collect::<Vec<_>>(), Vec::from_iter(2..12));
    drop((first, second, read));
    assert!(stubs.iter().all(|stub| handles(stub) == 1));
}
