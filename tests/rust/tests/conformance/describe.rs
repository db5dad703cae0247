//! What was delivered, in the words of the vectors.

use capnweb::{Error, Value};
use serde_json::{Map, Value as Json, json};

/// What was delivered, as JSON; `{"$": kind}` stands for what JSON has no word for.
pub(crate) fn describe(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Number(number) => json!(number),
        Value::String(text) => json!(text),
        Value::Array(elements) => elements.iter().map(describe).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, member)| (name.to_owned(), describe(member)));
            Json::Object(members.collect::<Map<_, _>>())
        }
        Value::Error(error) => {
            json!({"$": "error", "name": error.name, "message": error.message})
        }
        Value::Undefined => json!({"$": "undefined"}),
        Value::Stub(_) => json!({"$": "stub"}),
        Value::ReadableStream(_) => json!({"$": "readable"}),
        Value::WritableStream(_) => json!({"$": "writable"}),
        other => panic!("the vectors deliver nothing like {other:?}"),
    }
}

/// What a failed promise or stream is noted as.
pub(crate) fn failure(error: &Error) -> Json {
    json!({"$": "failed", "with": describe(error.thrown())})
}

/// Whether the same has been delivered. A failure without a reason is as good as one with.
pub(crate) fn same_deliveries(ours: &[(String, Json)], theirs: &[(String, Json)]) -> bool {
    let unexplained = json!({"$": "failed"});
    ours.len() == theirs.len()
        && ours.iter().zip(theirs).all(|((our_name, ours), (their_name, theirs))| {
            our_name == their_name
                && (super::normal(ours.clone()) == super::normal(theirs.clone())
                    || (*ours == unexplained && theirs["$"] == "failed"))
        })
}
