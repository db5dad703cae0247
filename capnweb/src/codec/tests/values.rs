//! How each kind of value is written and read.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_bytes_like::Blob;

use super::*;
use crate::{
    Value,
    value::{BigInt, Bytes, BytesKind, Date, Exception, Object},
};

/// A field type that uses serde's bytes, as the usual helper crates do.
mod serde_bytes_like {
    use std::fmt;

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};

    #[derive(Debug, PartialEq)]
    pub(super) struct Blob(pub(super) Vec<u8>);

    impl Serialize for Blob {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(&self.0)
        }
    }

    impl<'de> Deserialize<'de> for Blob {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct BlobVisitor;
            impl Visitor<'_> for BlobVisitor {
                type Value = Blob;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("bytes")
                }

                fn visit_byte_buf<E>(self, data: Vec<u8>) -> Result<Blob, E> {
                    Ok(Blob(data))
                }
            }
            deserializer.deserialize_byte_buf(BlobVisitor)
        }
    }
}

#[test]
fn scalars() {
    both_ways((), r#"["undefined"]"#);
    both_ways(None::<bool>, "null");
    both_ways(true, "true");
    both_ways(-128_i8, "-128");
    both_ways(255_u8, "255");
    both_ways(9_007_199_254_740_992_u64, "9007199254740992");
    both_ways(-9_007_199_254_740_992_i64, "-9007199254740992");
    both_ways(i128::MIN, r#"["bigint","-170141183460469231731687303715884105728"]"#);
    both_ways(u128::MAX, r#"["bigint","340282366920938463463374607431768211455"]"#);
    both_ways(1.5, "1.5");
    both_ways(100.0, "100");
    both_ways(0.1_f32, "0.1");
    both_ways(f64::INFINITY, r#"["inf"]"#);
    both_ways(f32::NEG_INFINITY, r#"["-inf"]"#);
    assert_eq!(text(&f64::NAN), r#"["nan"]"#);
    assert!(read::<f64>(r#"["nan"]"#).is_nan());
    assert_eq!(text(&-0.0), "0");
    both_ways('é', r#""é""#);
    both_ways(
        String::from("a\"\\\n\u{1}\u{7f}\u{2028}😀"),
        "\"a\\\"\\\\\\n\\u0001\u{7f}\u{2028}😀\"",
    );
}

#[test]
fn integers_are_whatever_is_integral() {
    for text in ["5", "5.0", "50e-1", "0.5e+1", r#"["bigint","5"]"#, r#"["bigint"," 0x5 "]"#] {
        assert_eq!(read::<u8>(text), 5, "{text}");
        assert_eq!(read::<i64>(text), 5, "{text}");
        assert_eq!(read::<i128>(text), 5, "{text}");
        assert_eq!(read::<BigInt>(text), BigInt::from(5), "{text}");
    }
    assert_eq!(read::<u32>("-0"), 0);
    assert_eq!(read::<u64>("18446744073709551615"), u64::MAX);
    assert_eq!(read::<u128>("1e+21"), 10_u128.pow(21));
    assert_eq!(read::<i64>(r#"["bigint","-9223372036854775808"]"#), i64::MIN);
    assert!(read::<f64>("-0").is_sign_negative());
    assert_eq!(read::<f64>("1e400"), f64::INFINITY);
}

#[test]
fn composites() {
    both_ways(Vec::<u32>::new(), "[[]]");
    both_ways((1, "x".to_owned(), None::<u32>, ()), r#"[[1,"x",null,["undefined"]]]"#);
    both_ways(vec![vec![1], vec![]], "[[[[1]],[[]]]]");
    both_ways(BTreeMap::from([(1_u32, 'a'), (2, 'b')]), r#"{"1":"a","2":"b"}"#);
    both_ways(BTreeMap::from([(true, 1)]), r#"{"true":1}"#);
    both_ways(BTreeMap::from([('\n', 1)]), r#"{"\n":1}"#);
    both_ways(HashMap::<String, u32>::new(), "{}");

    #[derive(Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug)]
    enum Shape {
        Point,
        Circle(f64Key),
        Line(u8, u8),
        Rect { w: u8 },
    }
    #[derive(Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug)]
    #[allow(non_camel_case_types)]
    struct f64Key(u8);

    both_ways(Shape::Point, r#""Point""#);
    both_ways(Shape::Circle(f64Key(1)), r#"{"Circle":1}"#);
    both_ways(Shape::Line(1, 2), r#"{"Line":[[1,2]]}"#);
    both_ways(Shape::Rect { w: 1 }, r#"{"Rect":{"w":1}}"#);
    both_ways(BTreeMap::from([(Shape::Point, 1)]), r#"{"Point":1}"#);
    assert_eq!(read::<Shape>(r#"{"Point":null}"#), Shape::Point);
}

#[test]
fn null_and_undefined_are_told_apart_only_where_it_matters() {
    for text in ["null", r#"["undefined"]"#] {
        assert_eq!(read::<Option<u8>>(text), None);
        read::<()>(text);
    }
    both_ways(Value::Null, "null");
    both_ways(Value::Undefined, r#"["undefined"]"#);
    assert_eq!(read::<Option<Vec<u8>>>("[[1]]"), Some(vec![1]));
}

#[test]
fn special_values() {
    both_ways(Date::from_millis(1e12), r#"["date",1000000000000]"#);
    assert_eq!(text(&Date::INVALID), r#"["date",null]"#);
    assert!(!read::<Date>(r#"["date",null]"#).is_valid());
    both_ways(BigInt::from(u128::MAX), r#"["bigint","340282366920938463463374607431768211455"]"#);
    both_ways(Blob(vec![1, 2]), r#"["bytes","AQI"]"#);
    both_ways(Bytes::from(vec![1, 2]), r#"["bytes","AQI"]"#);
    both_ways(
        Bytes::of_kind(vec![1, 2], BytesKind::Int16Array).unwrap(),
        r#"["bytes","AQI","Int16Array"]"#,
    );
    assert_eq!(read::<Bytes>(r#"["bytes","AQI=","Uint8Array"]"#), Bytes::from(vec![1, 2]));
    for text in [r#"["bytes","AQI"]"#, r#"["bytes","AQI","DataView"]"#, "[[1,2]]"] {
        assert_eq!(read::<Vec<u8>>(text), [1, 2]);
    }
    assert_eq!(read::<Blob>(r#"["bytes","AQI","DataView"]"#), Blob(vec![1, 2]));

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Link(#[serde(with = "crate::value::as_url")] url::Url);
    both_ways(Link("https://a.b/c".parse().unwrap()), r#"["url","https://a.b/c"]"#);
}

#[test]
fn errors_as_values() {
    both_ways(Exception::new("TypeError", "no"), r#"["error","TypeError","no"]"#);
    both_ways(
        Exception::new("Error", "no").with_property("code", 5).with_cause(Date::from_millis(0.0)),
        r#"["error","Error","no",null,{"code":5,"cause":["date",0]}]"#,
    );
    let read: Exception = read(r#"["error","E","m","at x",{"name":1,"$capnweb::date":2,"a":3}]"#);
    assert_eq!(read.stack.as_deref(), Some("at x"));
    assert_eq!(read.properties, Object::from_iter([("a", 3)]));
    assert!(text(&read).contains("null"), "stacks are not sent");
    let aggregate = Exception::new("AggregateError", "two")
        .with_property("errors", vec![Exception::new("Error", "1"), Exception::new("Error", "2")]);
    assert_eq!(aggregate.errors().len(), 2);
}

#[test]
fn a_property_that_cannot_be_sent_is_left_out_of_an_error() {
    let mut deep = Value::Null;
    for _ in 0..300 {
        deep = Value::Array(vec![deep]);
    }
    let error = Exception::new("Error", "no").with_property("deep", deep.clone());
    assert_eq!(text(&error), r#"["error","Error","no"]"#);
    let error = error.with_property("code", 1).with_property("stub", stub(1));
    let encoded = encode(&error).unwrap();
    assert_eq!(encoded.text, r##"["error","Error","no",null,{"code":1,"stub":["#",0]}]"##);
    let mut thrown = String::from("x");
    encode_thrown_into(&mut thrown, &error).unwrap();
    assert_eq!(thrown, r#"x["error","Error","no",null,{"code":1}]"#);
    let error = Exception::new("Error", "no")
        .with_property("mixed", Value::Array(vec![stub(1).into(), deep]))
        .with_property("stub", stub(2));
    let encoded = encode(&error).unwrap();
    assert_eq!(encoded.text, r##"["error","Error","no",null,{"stub":["#",0]}]"##);
    let Cap::Stub(hook) = &encoded.slots[0].cap else { panic!("no stub") };
    assert_eq!(number_of(hook), 2);
}

#[test]
fn capabilities_become_holes_and_come_back() {
    let (one, two) = (stub(1), stub(2));
    let promise = Promise::<Value>::of(Remote::new(hook(3), vec!["a".into(), 0.into()]));
    let encoded = encode(&(&one, "x", &promise, [&two])).unwrap();
    assert_eq!(encoded.text, r##"[[["#",0],"x",["#",1],[[["#",2]]]]]"##);
    let at: Vec<_> = encoded.slots.iter().map(|slot| slot.at as usize).collect();
    let holes: Vec<_> = encoded.text.match_indices("[\"#").map(|(at, _)| at).collect();
    assert_eq!(at, holes);
    assert!(matches!(&encoded.slots[1].cap, Cap::Promise(_, path) if path.len() == 2));
    assert_eq!((handles(&one), handles(&two)), (2, 2));
    drop(encoded);

    let encoded = encode(&(&one, [&two])).unwrap();
    let (a, [b]): (Stub, [Stub; 1]) = decode(&encoded).unwrap();
    assert_eq!((number(&a), number(&b)), (1, 2));
    assert_eq!(handles(&a), 3);
    // What isn't taken is let go.
    let ((), _): ((), serde::de::IgnoredAny) =
        decode(&payload(r##"[[null,["#",0]]]"##, [Cap::Stub(one.hook().clone())])).unwrap();
    let _: Value = decode(&encoded).unwrap();
    assert_eq!(handles(&a), 3);
}

#[test]
fn slots_count_from_the_start_of_the_buffer() {
    let (mut text, mut slots) = (String::from("[\"push\","), Vec::new());
    encode_into(&mut text, &mut slots, &stub(1)).unwrap();
    text.push(',');
    encode_into(&mut text, &mut slots, &[stub(2)]).unwrap();
    assert_eq!(text, r##"["push",["#",0],[[["#",1]]]"##);
    assert_eq!(slots.iter().map(|slot| slot.at).collect::<Vec<_>>(), [8, 18]);
    let before = (text.clone(), slots.len());
    let kept = stub(3);
    encode_into(&mut text, &mut slots, &(&kept, u64::MAX)).unwrap_err();
    assert_eq!((text, slots.len()), before);
    assert_eq!(handles(&kept), 1);
}

#[test]
fn settled_promises_are_read_in_place() {
    let date = payload(r#"["date",5]"#, []);
    let nested = payload(r##"["#",0]"##, [Cap::Settled(date)]);
    let object = payload(
        r##"{"a":["#",0],"b":["#",1]}"##,
        [Cap::Stub(hook(7)), Cap::Settled(payload("[[1,2]]", []))],
    );
    let outer = payload(
        r##"[[["#",0],["#",1],["#",2],3]]"##,
        [Cap::Settled(nested), Cap::Settled(object), Cap::Settled(payload(r#"["undefined"]"#, []))],
    );
    #[derive(Deserialize)]
    struct Inner {
        a: Stub,
        b: Vec<u8>,
    }
    let (date, inner, none, three): (Date, Inner, Option<u8>, u8) = decode(&outer).unwrap();
    assert_eq!((date, none, three), (Date::from_millis(5.0), None, 3));
    assert_eq!((number(&inner.a), inner.b), (7, vec![1, 2]));
    let value: Value = decode(&outer).unwrap();
    assert_eq!(value.index(0), Some(&Value::Date(date)));
}

#[test]
fn arguments_are_a_bare_array() {
    for (encoded, expected) in [
        (encode_args(&()), "[]"),
        (encode_args(&(1,)), "[1]"),
        (encode_args(&(1, [2, 3])), "[1,[[2,3]]]"),
        (encode_args(&vec!["a", "b"]), r#"["a","b"]"#),
        (encode_args(&Value::from([1, 2])), "[1,2]"),
    ] {
        assert_eq!(encoded.unwrap().text, expected);
    }
    let args = payload(r#"[1,"x",3]"#, []);
    assert_eq!(decode_args::<(u8, String)>(&args).unwrap(), (1, "x".to_owned()));
    decode_args::<()>(&args).unwrap();
    let all: (u8, String, u8, Option<u8>, Value) = decode_args(&args).unwrap();
    assert_eq!(all, (1, "x".to_owned(), 3, None, Value::Undefined));
    assert_eq!(decode_args::<Vec<Value>>(&args).unwrap().len(), 3);
    assert_eq!(decode_args::<(Option<u8>,)>(&payload("[]", [])).unwrap(), (None,));

    #[derive(Deserialize)]
    struct Named {
        id: u8,
        name: Option<String>,
    }
    let named: Named = decode_args(&payload("[1]", [])).unwrap();
    assert_eq!((named.id, named.name), (1, None));
}

#[test]
fn values_convert_through_the_codec() {
    let value = Value::encode(&(1, "x", Some(Date::from_millis(3.0)))).unwrap();
    assert_eq!(value, vec![Value::from(1), "x".into(), Date::from_millis(3.0).into()].into());
    let back: (u8, String, Date) = value.decode().unwrap();
    assert_eq!(back.2.millis(), 3.0);
    let stub: Stub = Value::from(stub(4)).decode().unwrap();
    assert_eq!(number(&stub), 4);
}
