//! What a client sends in a sync: parsed and checked as a whole, before any of it touches a share.

use serde_json::{Map, Value};

use super::error::ShareError;
use super::limits::{Limits, MAX_ITEM_DEPTH};

/// One change to a session.
#[derive(Debug, Clone, PartialEq)]
pub enum SyncItem {
    /// Replaces the session.
    Session(Map<String, Value>),
    /// Replaces the message with the same id, or is a new one.
    Message(Entry),
    /// Replaces the part with the same id, or is a new one.
    Part(Entry),
    /// File diffs to append.
    SessionDiff(Vec<Value>),
    /// Models, each of which replaces the one with the same id, or is a new one.
    Models(Vec<Entry>),
}

/// An object that is known by its `id`.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    id: String,
    value: Value,
}

impl Entry {
    /// The `id` of the object, and the object.
    pub fn into_parts(self) -> (String, Value) {
        (self.id, self.value)
    }

    fn parse(value: Value) -> Option<Self> {
        let id = entry_id(&value)?.to_owned();
        Some(Self { id, value })
    }
}

/// The `id` of a stored or received object, if it has one.
pub fn entry_id(value: &Value) -> Option<&str> {
    value.get("id")?.as_str()
}

/// Parses the items of one sync. Items of a type that this service does not know are left out: newer clients send
/// more than older services understand.
///
/// # Errors
/// [`ShareError::TooManyItems`], [`ShareError::ItemTooLarge`], [`ShareError::ItemTooDeep`] beyond the limits, and
/// [`ShareError::InvalidItem`] for an item that lacks what merging it needs.
pub fn parse(data: Vec<Value>, limits: &Limits) -> Result<Vec<SyncItem>, ShareError> {
    if data.len() > limits.items_per_sync {
        return Err(ShareError::TooManyItems { count: data.len(), max: limits.items_per_sync });
    }
    data.into_iter()
        .enumerate()
        .filter_map(|(index, item)| parse_item(index, item, limits).transpose())
        .collect()
}

fn parse_item(index: usize, item: Value, limits: &Limits) -> Result<Option<SyncItem>, ShareError> {
    let invalid = |problem| ShareError::InvalidItem { index, problem };
    let Value::Object(mut item) = item else {
        return Err(invalid("an item must be an object"));
    };
    let data = item.remove("data");
    let kind = item.get("type").and_then(Value::as_str).ok_or(invalid("type must be a string"))?;
    if !matches!(kind, "session" | "message" | "part" | "session_diff" | "model") {
        return Ok(None);
    }
    let data = data.ok_or(invalid("data is missing"))?;
    check_limits(index, &data, limits)?;
    let parsed = match (kind, data) {
        ("session", Value::Object(session)) => SyncItem::Session(session),
        ("session", _) => return Err(invalid("the data of a session must be an object")),
        ("session_diff", Value::Array(diffs)) => SyncItem::SessionDiff(diffs),
        ("session_diff", _) => return Err(invalid("the data of a session_diff must be an array")),
        ("model", Value::Array(models)) => {
            let models = models.into_iter().map(Entry::parse).collect::<Option<_>>();
            SyncItem::Models(models.ok_or(invalid("every model must have a string id"))?)
        }
        ("model", _) => return Err(invalid("the data of a model must be an array")),
        ("message", message) => SyncItem::Message(
            Entry::parse(message).ok_or(invalid("a message must have a string id"))?,
        ),
        (_, part) => {
            SyncItem::Part(Entry::parse(part).ok_or(invalid("a part must have a string id"))?)
        }
    };
    Ok(Some(parsed))
}

fn check_limits(index: usize, data: &Value, limits: &Limits) -> Result<(), ShareError> {
    if is_deeper_than(data, MAX_ITEM_DEPTH) {
        return Err(ShareError::ItemTooDeep { index, max: MAX_ITEM_DEPTH });
    }
    let size = json_size(data);
    if size > limits.item_bytes {
        return Err(ShareError::ItemTooLarge { index, size, max: limits.item_bytes });
    }
    Ok(())
}

/// Whether a value has more than so many levels. Goes no deeper than that itself, so no value can exhaust the stack.
fn is_deeper_than(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => {
            levels == 0 || items.iter().any(|item| is_deeper_than(item, levels - 1))
        }
        Value::Object(members) => {
            levels == 0 || members.values().any(|member| is_deeper_than(member, levels - 1))
        }
        _ => false,
    }
}

/// How many bytes a value takes as compact JSON, without writing it anywhere.
fn json_size(value: &Value) -> usize {
    struct Counter(usize);

    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let mut counter = Counter(0);
    match serde_json::to_writer(&mut counter, value) {
        Ok(()) => counter.0,
        // Neither the value nor the counter can fail; should that change, nothing may slip through the limit.
        Err(_) => usize::MAX,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse_one(item: Value) -> Result<Vec<SyncItem>, ShareError> {
        parse(vec![item], &Limits::default())
    }

    #[test]
    fn each_kind_of_item_is_recognised() {
        let entry = |id: &str| Entry { id: id.into(), value: json!({"id": id, "x": 1}) };
        let data = json!([
            {"type": "session", "data": {"title": "t"}},
            {"type": "message", "data": {"id": "m", "x": 1}},
            {"type": "part", "data": {"id": "p", "x": 1}},
            {"type": "session_diff", "data": [{"file": "a"}]},
            {"type": "model", "data": [{"id": "o", "x": 1}]},
        ]);
        let Value::Array(data) = data else { unreachable!() };
        let Value::Object(session) = json!({"title": "t"}) else { unreachable!() };
        assert_eq!(
            parse(data, &Limits::default()).unwrap(),
            [
                SyncItem::Session(session),
                SyncItem::Message(entry("m")),
                SyncItem::Part(entry("p")),
                SyncItem::SessionDiff(vec![json!({"file": "a"})]),
                SyncItem::Models(vec![entry("o")]),
            ]
        );
    }

    #[test]
    fn items_of_an_unknown_type_are_skipped_whatever_they_hold() {
        for item in [json!({"type": "todo"}), json!({"type": "", "data": 3, "x": []})] {
            assert_eq!(parse_one(item), Ok(vec![]));
        }
    }

    #[test]
    fn what_cannot_be_merged_is_named_with_its_position() {
        for (item, problem) in [
            (json!(3), "an item must be an object"),
            (json!({"data": {}}), "type must be a string"),
            (json!({"type": 1, "data": {}}), "type must be a string"),
            (json!({"type": "message"}), "data is missing"),
            (json!({"type": "message", "data": {}}), "a message must have a string id"),
            (json!({"type": "message", "data": {"id": 7}}), "a message must have a string id"),
            (json!({"type": "part", "data": []}), "a part must have a string id"),
            (json!({"type": "session", "data": []}), "the data of a session must be an object"),
            (
                json!({"type": "session_diff", "data": {}}),
                "the data of a session_diff must be an array",
            ),
            (json!({"type": "model", "data": {"id": "m"}}), "the data of a model must be an array"),
            (json!({"type": "model", "data": [{}]}), "every model must have a string id"),
        ] {
            let good = json!({"type": "session_diff", "data": []});
            let error = parse(vec![good, item.clone()], &Limits::default()).unwrap_err();
            assert_eq!(error, ShareError::InvalidItem { index: 1, problem }, "{item}");
        }
    }

    #[test]
    fn limits_hold_to_the_byte_and_to_the_item() {
        let item = json!({"type": "part", "data": {"id": "p", "text": "ä"}});
        let size = r#"{"id":"p","text":"ä"}"#.len();
        let limits = Limits { items_per_sync: 2, item_bytes: size, share_bytes: 0 };
        assert!(parse(vec![item.clone(); 2], &limits).is_ok());
        assert_eq!(
            parse(vec![item.clone(); 3], &limits).unwrap_err(),
            ShareError::TooManyItems { count: 3, max: 2 }
        );
        let limits = Limits { item_bytes: size - 1, ..limits };
        assert_eq!(
            parse(vec![item], &limits).unwrap_err(),
            ShareError::ItemTooLarge { index: 0, size, max: size - 1 }
        );
    }

    #[test]
    fn depth_is_bounded_and_what_is_within_the_bound_can_be_read_back() {
        let nest = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        let item = |levels| json!({"type": "session_diff", "data": nest(levels)});
        assert!(parse_one(item(MAX_ITEM_DEPTH)).is_ok());
        assert_eq!(
            parse_one(item(MAX_ITEM_DEPTH + 1)).unwrap_err(),
            ShareError::ItemTooDeep { index: 0, max: MAX_ITEM_DEPTH }
        );
        let stored = json!({"diffs": [nest(MAX_ITEM_DEPTH)]}).to_string();
        assert!(serde_json::from_str::<Value>(&stored).is_ok());
    }
}
