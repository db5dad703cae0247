use serde_json::json;

use super::*;
use crate::core::ids::ShareId;

const NOW: u64 = 1_700_000_000_000;

fn session(id: &str) -> SessionId {
    SessionId::parse(id).unwrap()
}

fn items(data: Value) -> Vec<Value> {
    let Value::Array(items) = data else { panic!("not a list of items") };
    items
}

fn create_with(
    stored: Option<ShareDocument>,
    id: &str,
    data: Option<Value>,
) -> Result<(ShareDocument, bool), ShareError> {
    let data = data.map(items);
    create(stored, &session(id), Secret::new("s3cret"), data, &Limits::default(), NOW)
}

fn new_share() -> ShareDocument {
    create_with(None, "session-abc123", None).unwrap().0
}

fn synced(share: ShareDocument, data: Value) -> ShareDocument {
    sync(Some(share), "s3cret", items(data), &Limits::default(), NOW + 5).unwrap()
}

fn stored(share: &ShareDocument) -> Value {
    serde_json::from_slice(&share.encode(&Limits::default()).unwrap()).unwrap()
}

#[test]
fn a_new_share_is_stored_in_the_layout_that_others_read() {
    let share = new_share();
    assert_eq!(
        String::from_utf8(share.encode(&Limits::default()).unwrap()).unwrap(),
        concat!(
            r#"{"session":{"id":"session-abc123","slug":"session-abc123","projectID":"","#,
            r#""directory":"","title":"","version":"1","#,
            r#""time":{"created":1700000000000,"updated":1700000000000}},"#,
            r#""messages":[],"parts":[],"diffs":[],"models":[],"#,
            r#""metadata":{"createdAt":1700000000000,"lastUpdated":1700000000000,"#,
            r#""syncCount":0,"secret":"s3cret","sessionID":"session-abc123"}}"#,
        )
    );
    let id = ShareId::parse("n-abc123").unwrap();
    assert_eq!(
        String::from_utf8(share.index(&id).encode()).unwrap(),
        concat!(
            r#"{"id":"n-abc123","sessionID":"session-abc123","title":"","directory":"","#,
            r#""messageCount":0,"partCount":0,"diffCount":0,"modelCount":0,"#,
            r#""lastUpdated":1700000000000,"syncCount":0,"createdAt":1700000000000}"#,
        )
    );
}

#[test]
fn the_index_follows_the_share() {
    let share = synced(
        new_share(),
        json!([
            {"type": "session", "data": {"id": "x", "title": "T", "directory": "/d"}},
            {"type": "message", "data": {"id": "m"}},
            {"type": "part", "data": {"id": "p1"}},
            {"type": "part", "data": {"id": "p2"}},
            {"type": "session_diff", "data": [1, 2, 3]},
            {"type": "model", "data": [{"id": "o"}]},
        ]),
    );
    let index = share.index(&ShareId::parse("n-abc123").unwrap());
    assert_eq!(
        serde_json::to_value(index).unwrap(),
        json!({
            "id": "n-abc123", "sessionID": "session-abc123", "title": "T", "directory": "/d",
            "messageCount": 1, "partCount": 2, "diffCount": 3, "modelCount": 1,
            "lastUpdated": NOW + 5, "syncCount": 1, "createdAt": NOW,
        })
    );
}

#[test]
fn merging_replaces_in_place_and_keeps_the_order_of_first_appearance() {
    let message = |id: &str, v: u8| json!({"type": "message", "data": {"id": id, "v": v}});
    let part = |id: &str, v: u8| json!({"type": "part", "data": {"id": id, "v": v}});
    let model = |list: Value| json!({"type": "model", "data": list});
    let diff = |list: Value| json!({"type": "session_diff", "data": list});
    for (name, syncs, field, expected) in [
        (
            "messages upsert across syncs",
            vec![
                json!([message("a", 1), message("b", 1)]),
                json!([message("c", 2), message("a", 2)]),
            ],
            "messages",
            json!([{"id": "a", "v": 2}, {"id": "b", "v": 1}, {"id": "c", "v": 2}]),
        ),
        (
            "the last of one sync wins",
            vec![json!([part("a", 1), part("b", 1), part("a", 2)])],
            "parts",
            json!([{"id": "a", "v": 2}, {"id": "b", "v": 1}]),
        ),
        (
            "models upsert one by one",
            vec![
                json!([model(json!([{"id": "a", "v": 1}, {"id": "b", "v": 1}]))]),
                json!([model(json!([{"id": "b", "v": 2}])), model(json!([{"id": "c"}]))]),
            ],
            "models",
            json!([{"id": "a", "v": 1}, {"id": "b", "v": 2}, {"id": "c"}]),
        ),
        (
            "diffs are appended, equal ones too",
            vec![json!([diff(json!(["x"])), diff(json!(["y", "x"]))]), json!([diff(json!(["x"]))])],
            "diffs",
            json!(["x", "y", "x", "x"]),
        ),
        (
            "a session replaces all of the session",
            vec![
                json!([{"type": "session", "data": {"title": "old", "gone": true}}]),
                json!([{"type": "session", "data": {"title": "new"}}]),
            ],
            "session",
            json!({"title": "new"}),
        ),
    ] {
        let rounds = syncs.len();
        let share = syncs.into_iter().fold(new_share(), synced);
        assert_eq!(stored(&share)[field], expected, "{name}");
        assert_eq!(share.metadata.sync_count, rounds as u64, "{name}");
        assert_eq!(share.metadata.last_updated, NOW + 5, "{name}");
        assert_eq!(share.metadata.created_at, NOW, "{name}");
    }
}

#[test]
fn payloads_are_kept_to_the_letter() {
    let odd = r#"{"zeta":1,"id":"p","alpha":{"b":null,"a":[1.5,0.1,-7,18446744073709551615]},"text":"ü\u0000😀"}"#;
    let item = format!(r#"[{{"type":"part","data":{odd}}}]"#);
    let share = synced(new_share(), serde_json::from_str(&item).unwrap());
    let bytes = share.encode(&Limits::default()).unwrap();
    let again = ShareDocument::decode(&bytes).unwrap();
    assert_eq!(again, share);
    assert_eq!(serde_json::to_string(&again.parts[0]).unwrap(), odd);
}

#[test]
fn documents_of_others_are_read_with_all_that_they_hold() {
    let foreign = json!({
        "session": {"id": "session-abc123"}, "messages": [{"noId": 1}], "parts": [], "diffs": [],
        "metadata": {
            "createdAt": 1, "lastUpdated": 2, "syncCount": 3, "secret": "s3cret",
            "sessionID": "session-abc123", "region": "weur",
        },
        "pinned": {"by": "somebody"},
    });
    let share = ShareDocument::decode(foreign.to_string().as_bytes()).unwrap();
    let share = synced(share, json!([{"type": "message", "data": {"id": "m"}}]));
    let stored = stored(&share);
    assert_eq!(stored["messages"], json!([{"noId": 1}, {"id": "m"}]));
    assert_eq!(stored["models"], json!([]), "older documents have no models");
    assert_eq!(stored["pinned"], json!({"by": "somebody"}));
    assert_eq!(stored["metadata"]["region"], "weur");
    assert_eq!(stored["metadata"]["syncCount"], 4);
}

#[test]
fn the_count_starts_at_one_with_initial_data_and_at_zero_without() {
    assert_eq!(new_share().metadata.sync_count, 0);
    let data = json!([{"type": "message", "data": {"id": "m"}}]);
    let (share, changed) = create_with(None, "session-abc123", Some(data)).unwrap();
    assert!(changed);
    assert_eq!(share.metadata.sync_count, 1);
    assert_eq!(share.messages, [json!({"id": "m"})]);
}

#[test]
fn creating_again_keeps_the_data_and_the_secret() {
    let share = synced(new_share(), json!([{"type": "message", "data": {"id": "a"}}]));
    let same = create(
        Some(share.clone()),
        &session("session-abc123"),
        Secret::new("of another namespace"),
        None,
        &Limits::default(),
        NOW + 9,
    );
    assert_eq!(same.unwrap(), (share.clone(), false));

    let data = json!([{"type": "message", "data": {"id": "b"}}]);
    let (merged, changed) = create_with(Some(share), "session-abc123", Some(data)).unwrap();
    assert!(changed);
    assert_eq!(merged.messages, [json!({"id": "a"}), json!({"id": "b"})]);
    assert_eq!(merged.metadata.sync_count, 2);
}

#[test]
fn a_session_whose_id_ends_alike_cannot_take_the_share() {
    let error = create_with(Some(new_share()), "other-sessioN-n-abc123", None).unwrap_err();
    assert_eq!(error, ShareError::IdTaken);
    assert_eq!(error.to_string(), "Share id already belongs to another session");
}

#[test]
fn clients_see_the_messages_that_they_look_for() {
    let limits = Limits::default();
    let missing = sync(None, "s3cret", vec![], &limits, NOW).unwrap_err();
    let wrong = sync(Some(new_share()), "wrong", vec![], &limits, NOW).unwrap_err();
    assert_eq!(missing.to_string(), "Share not found");
    assert_eq!(wrong.to_string(), "Invalid secret");
    assert_eq!(delete(None, "s3cret"), Err(ShareError::NotFound));
    assert_eq!(delete(Some(new_share()), "wrong"), Err(ShareError::InvalidSecret));
    assert_eq!(delete(Some(new_share()), "s3cret"), Ok(()));
}

#[test]
fn a_wrong_secret_is_answered_before_the_data_is_judged() {
    let error = sync(Some(new_share()), "wrong", vec![json!(3)], &Limits::default(), NOW);
    assert_eq!(error, Err(ShareError::InvalidSecret));
}

#[test]
fn a_share_cannot_outgrow_its_limit() {
    let share = synced(new_share(), json!([{"type": "part", "data": {"id": "p"}}]));
    let size = share.encode(&Limits::default()).unwrap().len();
    let limits = |share_bytes| Limits { share_bytes, ..Limits::default() };
    assert!(share.encode(&limits(size)).is_ok());
    assert_eq!(
        share.encode(&limits(size - 1)).unwrap_err(),
        ShareError::ShareTooLarge { size, max: size - 1 }
    );
}
