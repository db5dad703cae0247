//! Special values keep their meaning in every kind of container that serde can make of a type,
//! those included whose content it buffers.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::*;
use crate::{
    Value,
    value::{BigInt, Bytes, BytesKind, Date, Exception},
};

/// One of each kind.
#[derive(Serialize, Deserialize, Clone, Debug)]
struct Kinds {
    date: Date,
    bytes: Bytes,
    words: Bytes,
    nothing: Value,
    null: Value,
    big: BigInt,
    error: Exception,
    stub: Stub,
    double: f64,
}

const KINDS: &str = r##""date":["date",1],"bytes":["bytes","AQI"],"words":["bytes","AQI","Uint16Array"],"nothing":["undefined"],"null":null,"big":["bigint","5"],"error":["error","E","m",null,{"at":["date",2]}],"stub":["#",0],"double":["inf"]"##;

fn kinds() -> Kinds {
    Kinds {
        date: Date::from_millis(1.0),
        bytes: vec![1, 2].into(),
        words: Bytes::of_kind(vec![1, 2], BytesKind::Uint16Array).unwrap(),
        nothing: Value::Undefined,
        null: Value::Null,
        big: 5.into(),
        error: Exception::new("E", "m").with_property("at", Date::from_millis(2.0)),
        stub: stub(9),
        double: f64::INFINITY,
    }
}

#[track_caller]
fn check(read: &Kinds) {
    let Kinds { date, bytes, words, nothing, null, big, error, stub, double } = read;
    let expected = kinds();
    assert_eq!((date, bytes, words), (&expected.date, &expected.bytes, &expected.words));
    assert_eq!((nothing, null), (&Value::Undefined, &Value::Null));
    assert_eq!((big, error, *double), (&expected.big, &expected.error, f64::INFINITY));
    assert_eq!(number(stub), 9);
}

/// Writes a container, checks its text, and reads it again.
#[track_caller]
fn round<T: Serialize + DeserializeOwned>(value: &T, expected: &str) -> T {
    let encoded = encode(value).unwrap();
    assert_eq!(encoded.text, expected);
    assert_eq!(encoded.slots.len(), 1);
    decode(&encoded).unwrap()
}

#[test]
fn plain_struct() {
    check(&round(&kinds(), &format!("{{{KINDS}}}")));
}

#[test]
fn flattened_struct() {
    #[derive(Serialize, Deserialize)]
    struct Outer {
        id: u8,
        #[serde(flatten)]
        kinds: Kinds,
    }
    let outer = Outer { id: 1, kinds: kinds() };
    check(&round(&outer, &format!(r#"{{"id":1,{KINDS}}}"#)).kinds);
}

#[test]
fn flattened_map() {
    #[derive(Serialize, Deserialize)]
    struct Outer {
        id: u8,
        #[serde(flatten)]
        rest: HashMap<String, Value>,
    }
    let rest = HashMap::from([("stub".to_owned(), stub(9).into())]);
    let read = round(&Outer { id: 1, rest }, r##"{"id":1,"stub":["#",0]}"##);
    assert!(matches!(&read.rest["stub"], Value::Stub(stub) if number(stub) == 9));
}

#[test]
fn untagged_enum() {
    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Either {
        // Takes the same stub as the next variant, then fails.
        More { stub: Stub, more: u8 },
        Kinds(Box<Kinds>),
        Numbers(HashMap<String, f64>),
        Text(HashMap<String, String>),
        Date(Date),
        Stub(Stub),
    }
    let Either::Kinds(read) = round(&Either::Kinds(Box::new(kinds())), &format!("{{{KINDS}}}"))
    else {
        panic!("another variant")
    };
    check(&read);
    let Either::Stub(read) = round(&Either::Stub(stub(3)), r##"["#",0]"##) else {
        panic!("another variant")
    };
    assert_eq!(number(&read), 3);
    // A special value is none of the maps that it passes through serde as.
    assert!(matches!(super::read(r#"["date",1]"#), Either::Date(_)));
    let more = round(&Either::More { stub: stub(1), more: 2 }, r##"{"stub":["#",0],"more":2}"##);
    assert!(matches!(more, Either::More { stub, more: 2 } if number(&stub) == 1));
    let _unused = (Either::Numbers(HashMap::new()), Either::Text(HashMap::new()));
}

#[test]
fn internally_tagged_enum() {
    #[derive(Serialize, Deserialize)]
    #[serde(tag = "type")]
    enum Message {
        Kinds(Kinds),
        Fields { date: Date, stub: Stub },
        Nested(Inner),
    }
    #[derive(Serialize, Deserialize)]
    #[serde(tag = "inner")]
    enum Inner {
        Deep { kinds: Kinds },
    }
    let message = Message::Kinds(kinds());
    let Message::Kinds(read) = round(&message, &format!(r#"{{"type":"Kinds",{KINDS}}}"#)) else {
        panic!("another variant")
    };
    check(&read);
    let fields = Message::Fields { date: Date::from_millis(1.0), stub: stub(2) };
    let text = r##"{"type":"Fields","date":["date",1],"stub":["#",0]}"##;
    assert!(matches!(round(&fields, text), Message::Fields { stub, .. } if number(&stub) == 2));
    let nested = Message::Nested(Inner::Deep { kinds: kinds() });
    let text = format!(r#"{{"type":"Nested","inner":"Deep","kinds":{{{KINDS}}}}}"#);
    let Message::Nested(Inner::Deep { kinds: read }) = round(&nested, &text) else {
        panic!("another variant")
    };
    check(&read);
}

#[test]
fn adjacently_tagged_enum() {
    #[derive(Serialize, Deserialize)]
    #[serde(tag = "t", content = "c")]
    enum Message {
        Kinds(Box<Kinds>),
        Date(Date),
    }
    let Message::Kinds(read) =
        round(&Message::Kinds(Box::new(kinds())), &format!(r#"{{"t":"Kinds","c":{{{KINDS}}}}}"#))
    else {
        panic!("another variant")
    };
    check(&read);
    // With the content first, serde has to buffer it.
    assert!(matches!(super::read(r#"{"c":["date",1],"t":"Date"}"#), Message::Date(_)));
}

#[test]
fn externally_tagged_enum_and_newtypes() {
    #[derive(Serialize, Deserialize)]
    enum Message {
        Kinds(Box<Kinds>),
        Pair(Date, Stub),
    }
    #[derive(Serialize, Deserialize)]
    struct Newtype(Message);
    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Transparent {
        inner: Option<Newtype>,
    }
    let value = Transparent { inner: Some(Newtype(Message::Kinds(Box::new(kinds())))) };
    let read = round(&value, &format!(r#"{{"Kinds":{{{KINDS}}}}}"#));
    let Some(Newtype(Message::Kinds(read))) = read.inner else { panic!("another variant") };
    check(&read);
    let pair = Message::Pair(Date::from_millis(1.0), stub(5));
    let read = round(&pair, r##"{"Pair":[[["date",1],["#",0]]]}"##);
    assert!(matches!(read, Message::Pair(_, stub) if number(&stub) == 5));
}

#[test]
fn map_values_and_sequences() {
    let map = HashMap::from([("k".to_owned(), vec![kinds()])]);
    check(&round(&map, &format!(r#"{{"k":[[{{{KINDS}}}]]}}"#))["k"][0]);
}

#[test]
fn skipped_and_defaulted_fields() {
    #[derive(Serialize, Deserialize)]
    struct Outer {
        #[serde(skip)]
        hidden: Option<Stub>,
        #[serde(skip_serializing_if = "Option::is_none")]
        absent: Option<Date>,
        #[serde(default)]
        date: Option<Date>,
        stub: Stub,
    }
    let hidden = stub(1);
    let outer = Outer { hidden: Some(hidden.clone()), absent: None, date: None, stub: stub(2) };
    let read = round(&outer, r##"{"date":null,"stub":["#",0]}"##);
    assert_eq!(number(&read.stub), 2);
    assert!(read.hidden.is_none() && read.absent.is_none() && read.date.is_none());
    drop(outer);
    assert_eq!(handles(&hidden), 1);
}

#[test]
fn a_value_in_a_value() {
    let value: Value = round(&Value::encode(&kinds()).unwrap(), &format!("{{{KINDS}}}"));
    check(&value.decode().unwrap());
}

#[test]
fn a_settled_promise_in_buffered_content_keeps_to_its_own_capabilities() {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stubs {
        Two { a: Stub, b: Stub },
    }
    let inner = payload(r##"["#",0]"##, [Cap::Stub(hook(2))]);
    let outer =
        payload(r##"{"a":["#",0],"b":["#",1]}"##, [Cap::Stub(hook(1)), Cap::Settled(inner)]);
    let Stubs::Two { a, b } = decode(&outer).unwrap();
    assert_eq!((number(&a), number(&b)), (1, 2));
}
