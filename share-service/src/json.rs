//! What clients sent, as the JSON that is stored.
//!
//! Owns: the form in which each JavaScript value is kept, which is the one that `JSON.stringify` gives it. Refuses to
//! know: what the values mean.
//!
//! | came as | kept as |
//! |---|---|
//! | a member that is `undefined` | nothing |
//! | `undefined` elsewhere, a number that is not finite, an invalid date | `null` |
//! | a date | its text in ISO 8601 |
//! | a URL | its text |
//! | binary data with elements | an object of the elements by their index |
//! | an `ArrayBuffer` or `DataView` | an empty object |
//! | an `Error` | an object of what it carries beyond name, message and stack |
//! | a bigint, a stub | refused |

use capnweb::Value;
use capnweb::value::{Bytes, BytesKind, Object};
use serde_json::{Map, Number, Value as Json};

use crate::core::date::iso_8601;

/// How many elements of binary data one sync may hold. Each becomes a member of an object, which takes many times the
/// room that it took on the way.
const MAX_BINARY_ELEMENTS: usize = 1 << 20;

/// The range in which a double is an exact integer.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// A value that JSON has no form for, and where it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("data{path}: {problem}")]
pub struct NotJson {
    path: String,
    problem: &'static str,
}

/// Converts the items of one sync.
///
/// # Errors
/// [`NotJson`] for the first value that cannot be kept.
pub fn items(items: Vec<Value>) -> Result<Vec<Json>, NotJson> {
    Converter { binary_elements: 0 }.array(items)
}

struct Converter {
    /// How many elements of binary data there have been.
    binary_elements: usize,
}

impl Converter {
    fn value(&mut self, value: Value) -> Result<Json, NotJson> {
        Ok(match value {
            Value::Undefined | Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(value),
            Value::Number(value) => number(value),
            Value::String(text) => Json::String(text),
            Value::Array(elements) => Json::Array(self.array(elements)?),
            Value::Object(members) => Json::Object(self.object(members)?),
            // Only an invalid date has no text.
            Value::Date(date) => iso_8601(date.millis()).map_or(Json::Null, Json::String),
            Value::Bytes(bytes) => Json::Object(self.bytes(&bytes)?),
            Value::Error(error) => Json::Object(self.object(error.properties)?),
            Value::Url(url) => Json::String(String::from(*url)),
            Value::BigInt(_) => return Err(refused("a bigint cannot be stored as JSON")),
            Value::Stub(_) => {
                return Err(refused("a function or an RpcTarget cannot be stored as JSON"));
            }
            _ => return Err(refused("a value of this type cannot be stored as JSON")),
        })
    }

    fn array(&mut self, elements: Vec<Value>) -> Result<Vec<Json>, NotJson> {
        let convert = |(index, element)| {
            self.value(element).map_err(|error| error.within(&format!("[{index}]")))
        };
        elements.into_iter().enumerate().map(convert).collect()
    }

    fn object(&mut self, members: Object) -> Result<Map<String, Json>, NotJson> {
        let mut kept = Map::with_capacity(members.len());
        for (name, value) in members {
            if matches!(value, Value::Undefined) {
                continue;
            }
            let value = self.value(value).map_err(|error| error.within(&format!(".{name}")))?;
            kept.insert(name, value);
        }
        Ok(kept)
    }

    fn bytes(&mut self, bytes: &Bytes) -> Result<Map<String, Json>, NotJson> {
        self.binary_elements += bytes.len() / bytes.kind().element_size();
        if self.binary_elements > MAX_BINARY_ELEMENTS {
            return Err(refused("too much binary data; send it as text, in base64 for example"));
        }
        let elements: Vec<Json> = match bytes.kind() {
            BytesKind::ArrayBuffer | BytesKind::DataView => Vec::new(),
            BytesKind::Uint8Array | BytesKind::Uint8ClampedArray => {
                elements(bytes, |[byte]: [u8; 1]| byte.into())
            }
            BytesKind::Int8Array => elements(bytes, |byte| i8::from_le_bytes(byte).into()),
            BytesKind::Int16Array => elements(bytes, |two| i16::from_le_bytes(two).into()),
            BytesKind::Uint16Array => elements(bytes, |two| u16::from_le_bytes(two).into()),
            BytesKind::Int32Array => elements(bytes, |four| i32::from_le_bytes(four).into()),
            BytesKind::Uint32Array => elements(bytes, |four| u32::from_le_bytes(four).into()),
            BytesKind::Float32Array => {
                elements(bytes, |four| number(f32::from_le_bytes(four).into()))
            }
            BytesKind::Float64Array => elements(bytes, |eight| number(f64::from_le_bytes(eight))),
            // The remaining ones are arrays of bigints.
            _ => return Err(refused("an array of bigints cannot be stored as JSON")),
        };
        Ok(elements.into_iter().enumerate().map(|(index, e)| (index.to_string(), e)).collect())
    }
}

impl NotJson {
    /// The same error, seen from the value around.
    fn within(mut self, step: &str) -> Self {
        self.path.insert_str(0, step);
        self
    }
}

fn refused(problem: &'static str) -> NotJson {
    NotJson { path: String::new(), problem }
}

/// A number as JavaScript writes it: an integer without a fraction, and `null` for what is not finite.
fn number(value: f64) -> Json {
    if value.trunc() == value && value.abs() <= MAX_SAFE_INTEGER {
        Json::from(value as i64)
    } else {
        Number::from_f64(value).map_or(Json::Null, Json::Number)
    }
}

fn elements<const N: usize>(bytes: &[u8], element: impl Fn([u8; N]) -> Json) -> Vec<Json> {
    bytes.as_chunks().0.iter().map(|&chunk| element(chunk)).collect()
}

#[cfg(test)]
mod tests {
    use capnweb::Stub;
    use capnweb::value::{BigInt, Date, Exception};

    use super::*;

    fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
        members.into_iter().collect::<Object>().into()
    }

    /// A value as it would arrive from a client that has it from this JSON.
    fn received(json: Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(value) => value.into(),
            Json::Number(value) => value.as_f64().unwrap().into(),
            Json::String(value) => value.into(),
            Json::Array(elements) => elements.into_iter().map(received).collect(),
            Json::Object(members) => members
                .into_iter()
                .map(|(name, value)| (name, received(value)))
                .collect::<Object>()
                .into(),
        }
    }

    fn kept(value: impl Into<Value>) -> String {
        Json::Array(items(vec![value.into()]).unwrap()).to_string()
    }

    fn refusal(value: impl Into<Value>) -> String {
        items(vec![Value::Null, value.into()]).unwrap_err().to_string()
    }

    #[test]
    fn plain_values_stay_what_they_are_to_the_character() {
        let text = "[{\"z\":1,\"a\":[true,null,-1.5,\"\u{2028}😀\",{},[]],\"\":9007199254740991,\"e\":1e+300}]";
        let Json::Array(sent) = serde_json::from_str(text).unwrap() else { unreachable!() };
        let values = sent.into_iter().map(received).collect();
        assert_eq!(Json::Array(items(values).unwrap()).to_string(), text);
    }

    #[test]
    fn undefined_vanishes_from_objects_only() {
        let value = object([
            ("gone", Value::Undefined),
            ("null", Value::Null),
            ("list", vec![Value::Undefined, 1.into()].into()),
        ]);
        assert_eq!(kept(value), r#"[{"null":null,"list":[null,1]}]"#);
    }

    #[test]
    fn numbers_are_written_as_javascript_writes_them() {
        for (number, text) in [
            (1.0, "[1]"),
            (-0.0, "[0]"),
            (0.1, "[0.1]"),
            (-9_007_199_254_740_991.0, "[-9007199254740991]"),
            (f64::NAN, "[null]"),
            (f64::NEG_INFINITY, "[null]"),
        ] {
            assert_eq!(kept(number), text);
        }
    }

    #[test]
    fn special_values_have_the_form_that_stringify_gives_them() {
        assert_eq!(kept(Date::from_millis(1_700_000_000_123.0)), r#"["2023-11-14T22:13:20.123Z"]"#);
        assert_eq!(kept(Date::INVALID), "[null]");
        assert_eq!(kept(Bytes::new(vec![1, 255])), r#"[{"0":1,"1":255}]"#);
        let of = |kind, bytes: &[u8]| kept(Bytes::of_kind(bytes.to_vec(), kind).unwrap());
        assert_eq!(of(BytesKind::Int16Array, &[254, 255, 1, 0]), r#"[{"0":-2,"1":1}]"#);
        assert_eq!(of(BytesKind::Float64Array, &1.5f64.to_le_bytes()), r#"[{"0":1.5}]"#);
        assert_eq!(of(BytesKind::ArrayBuffer, &[1]), "[{}]");
        let error = Exception::new("Error", "text").with_property("code", 7);
        assert_eq!(kept(error), r#"[{"code":7}]"#);
        assert_eq!(
            kept(Value::Url(Box::new("https://a.example/b".parse().unwrap()))),
            r#"["https://a.example/b"]"#
        );
    }

    #[test]
    fn what_has_no_form_is_refused_by_its_place() {
        let nested =
            |value| object([("data", object([("list", vec![Value::Null, value].into())]))]);
        let bigint = nested(BigInt::from(1).into());
        assert_eq!(refusal(bigint), "data[1].data.list[1]: a bigint cannot be stored as JSON");
        let bigints = Bytes::of_kind(vec![0; 8], BytesKind::BigInt64Array).unwrap();
        assert_eq!(refusal(bigints), "data[1]: an array of bigints cannot be stored as JSON");
        let stub = Stub::function(|(): ()| async { Ok(()) });
        assert_eq!(
            refusal(nested(stub.into())),
            "data[1].data.list[1]: a function or an RpcTarget cannot be stored as JSON",
        );
    }

    #[test]
    fn binary_data_is_bounded_over_the_whole_sync() {
        let half = || Value::from(Bytes::new(vec![0; MAX_BINARY_ELEMENTS / 2]));
        assert!(items(vec![half(), half()]).is_ok());
        let one_more = Value::from(Bytes::new(vec![0]));
        let error = items(vec![half(), half(), one_more]).unwrap_err();
        assert!(error.to_string().starts_with("data[2]: too much binary data"), "{error}");
    }
}
