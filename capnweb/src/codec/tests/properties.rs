//! What holds for any value.

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    Value,
    value::{BigInt, Bytes, BytesKind, Date, Exception, Object},
};

fn bytes() -> impl Strategy<Value = Bytes> {
    let kinds = proptest::sample::select(BytesKind::ALL.as_slice());
    (vec(any::<[u8; 8]>(), 0..4), kinds)
        .prop_map(|(data, kind)| Bytes::of_kind(data.concat(), kind).unwrap())
}

fn object(member: impl Strategy<Value = Value>) -> impl Strategy<Value = Object> {
    vec((".{0,8}", member), 0..5).prop_map(Object::from_iter)
}

/// Any value that equals itself, and survives: the negative zero becomes the positive.
fn value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![any::<f64>(), (-100_i32..100).prop_map(f64::from)];
    let leaf = prop_oneof![
        Just(Value::Undefined),
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number.prop_map(|number| Value::Number(if number.is_nan() { 0.0 } else { number })),
        any::<i128>().prop_map(|int| Value::BigInt(BigInt::from(int))),
        any::<String>().prop_map(Value::String),
        (-8.64e15..8.64e15).prop_map(|millis| Value::Date(Date::from_millis(millis))),
        bytes().prop_map(Value::Bytes),
        "[a-z]{1,8}".prop_map(|path| {
            Value::Url(Box::new(format!("https://x.y/{path}").parse().unwrap()))
        }),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        let properties = object(inner.clone());
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::Array),
            object(inner).prop_map(Value::Object),
            (".{0,8}", ".{0,8}", properties).prop_map(|(name, message, properties)| {
                let mut exception = Exception::new(name, message);
                exception.properties = properties;
                for own in ["name", "message", "stack"] {
                    exception.properties.remove(own);
                }
                exception.into()
            }),
        ]
    })
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value as Json;
    // Without null, which serde_json writes as unit, and unit is undefined.
    let leaf = prop_oneof![
        any::<bool>().prop_map(Json::Bool),
        any::<String>().prop_map(Json::String),
        (-9_007_199_254_740_992_i64..9_007_199_254_740_992).prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            vec((any::<String>(), inner), 0..5).prop_map(|m| Json::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn values_survive(value in value()) {
        let encoded = encode(&value).unwrap();
        serde_json::from_str::<serde_json::Value>(&encoded.text).unwrap();
        prop_assert_eq!(&decode::<Value>(&encoded).unwrap(), &value);
        prop_assert_eq!(Value::encode(&value).unwrap(), value);
    }

    #[test]
    fn documents_without_arrays_read_as_serde_json_reads_them(json in json()) {
        let text = serde_json::to_string(&json).unwrap();
        let ours: Value = read(&text);
        prop_assert_eq!(ours, Value::encode(&json).unwrap());
        let theirs: serde_json::Value = read(&text);
        prop_assert_eq!(super::text(&theirs), super::text(&json));
    }

    #[test]
    fn every_member_can_be_navigated_to(value in object(value())) {
        let encoded = encode(&value).unwrap();
        for (name, member) in value.iter() {
            let found = super::super::navigate::navigate(&encoded, &[name.into()]).unwrap();
            let super::super::navigate::Found::Value(found) = found else { panic!("a capability") };
            prop_assert_eq!(&decode::<Value>(&found).unwrap(), member);
        }
    }
}
