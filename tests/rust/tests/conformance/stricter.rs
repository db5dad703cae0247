//! Where the package takes what would do it harm, and this library does not.

use capnweb::Options;
use capnweb_tests::{FixedTarget, Peer};

/// What a session answers to the last of these messages.
fn answer(messages: &[&str]) -> Vec<String> {
    let peer = Peer::new(Some(FixedTarget::stub()), Options::new());
    let mut answer = Vec::new();
    for message in messages {
        answer = peer.send(message);
    }
    assert!(peer.session.close_reason().is_some(), "{messages:?} must end the session");
    answer
}

#[test]
fn releases_of_nothing_of_parts_and_of_less_end_the_session() {
    for count in ["0", "-1", "0.5", "-0.5"] {
        assert_eq!(
            answer(&[r#"["push",1]"#, &format!(r#"["release",1,{count}]"#)]),
            [format!(r#"["abort",["error","Error","bad refcount in a release: {count}"]]"#)]
        );
    }
}

#[test]
fn introduced_ids_of_0_or_more_end_the_session() {
    for tag in ["export", "promise", "writable"] {
        for id in ["0", "1", "-0.5"] {
            assert_eq!(
                answer(&[&format!(r#"["push",["{tag}",{id}]]"#)]),
                [format!(r#"["abort",["error","Error","bad id for an export: {id}"]]"#)]
            );
        }
    }
}
