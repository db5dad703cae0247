//! What failures say.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::*;
use crate::{
    Error, ErrorKind, Value,
    value::{BigInt, Bytes, Date},
};

#[derive(Serialize, Deserialize, Debug)]
struct Order {
    items: Vec<Item>,
}

#[derive(Serialize, Deserialize, Debug)]
struct Item {
    id: u64,
    when: Option<Date>,
}

#[track_caller]
fn refused<T: DeserializeOwned>(text: &str, expected: &str) {
    let error = decode::<T>(&payload(text, [])).err().expect("must not be read");
    assert_eq!((error.kind(), error.message()), (ErrorKind::Decode, expected));
}

#[track_caller]
fn unsendable(result: Result<Payload, Error>, expected: &str) {
    let error = result.err().expect("must not be sent");
    assert_eq!((error.kind(), error.message()), (ErrorKind::Encode, expected));
}

#[test]
fn failures_name_the_member() {
    let order = |text: &str| decode_args::<(Order,)>(&payload(text, [])).unwrap_err();
    assert_eq!(
        order(r#"[{"items":[[{"id":1,"when":null},{"id":2,"when":"today"}]]}]"#).message(),
        "args[0].items[1].when: expected a date, found a string"
    );
    assert_eq!(
        order(r#"[{"items":[[{"when":null}]]}]"#).message(),
        "args[0].items[0]: missing field `id`"
    );
    assert_eq!(order("[]").message(), "args[0]: expected struct Order, found undefined");
    let item = Item { id: 9_007_199_254_740_993, when: None };
    unsendable(
        encode_args(&(Order { items: vec![item] },)),
        "args[0].items[0].id: 9007199254740993 is beyond the integers a JavaScript number holds; \
         use i128, u128 or BigInt",
    );
    unsendable(
        encode(&BTreeMap::from([("a", ()), ("b c", ())].map(|(k, ())| (k, u64::MAX)))),
        r#"value.a: 18446744073709551615 is beyond the integers a JavaScript number holds; use i128, u128 or BigInt"#,
    );
    refused::<HashMap<String, u8>>(
        r#"{"b c":true}"#,
        r#"value["b c"]: expected an integer from 0 to 255, found a boolean"#,
    );
}

#[test]
fn failures_say_what_was_expected_and_found() {
    refused::<f64>(r#""x""#, "expected a number, found a string");
    refused::<u8>("256", "expected an integer from 0 to 255, found 256");
    refused::<u8>("1.5", "expected an integer from 0 to 255, found 1.5");
    refused::<i64>("1e30", "expected an integer, found 1e30");
    refused::<u64>(r#"["bigint","-1"]"#, "expected an integer of 0 or more, found -1");
    refused::<u64>(r#"["nan"]"#, "expected an integer of 0 or more, found NaN");
    refused::<bool>("null", "expected a boolean, found null");
    refused::<String>(r#"["date",1]"#, "expected a string, found a date");
    refused::<String>("[[]]", "expected a string, found an array");
    refused::<Vec<u8>>("{}", "expected an array, found an object");
    refused::<HashMap<String, u8>>(r#"["error","E","m"]"#, "expected an object, found an error");
    refused::<Date>("1", "expected a date, found a number");
    refused::<BigInt>(r#"["date",1]"#, "expected a bigint, found a date");
    refused::<Bytes>(r#"["date",1]"#, "expected bytes, found a date");
    refused::<Bytes>("{}", "expected bytes, found an object");
    refused::<Stub>(r#"["undefined"]"#, "expected a stub, found undefined");
    refused::<(u8, u8)>("[[1,2,3]]", "the array is longer than expected");
    refused::<f64>(r#"["bigint","1"]"#, "expected a number, found a bigint");
    let stub = payload(r##"["#",0]"##, [Cap::Stub(hook(1))]);
    let error = decode::<String>(&stub).unwrap_err();
    assert_eq!(error.message(), "expected a string, found a stub");
    let promise = payload(r##"["#",0]"##, [Cap::Promise(hook(1), vec![])]);
    assert!(decode::<Value>(&promise).is_err());
}

#[test]
fn what_cannot_be_sent() {
    unsendable(
        encode(&HashMap::from([([1], 1)])),
        "a map's keys must be strings, integers, booleans, characters or plain enum variants",
    );
    let message = "arguments must be a tuple, an array or a Vec; one alone is `(x,)`";
    unsendable(encode_args(&5), message);
    unsendable(encode_args("x"), message);
    unsendable(encode_args(&Some((1,))), message);
    unsendable(encode_args(&HashMap::from([(1, 2)])), message);
    unsendable(encode_args(&Date::now()), message);
    let elsewhere = serde_json::to_string(&stub(1)).unwrap_err();
    assert_eq!(elsewhere.to_string(), "a stub can only be sent in a Cap'n Web message");
}

#[test]
fn special_values_cannot_be_forged_nor_merged() {
    for name in [
        "$capnweb::date",
        "$capnweb::capability",
        "$capnweb::bytes.Int8Array",
        r"\u0024capnweb::date",
    ] {
        let text = format!(r#"{{"{name}":1}}"#);
        assert_eq!(read::<Value>(&text), Value::Object(Default::default()));
        assert!(decode::<Date>(&payload(&text, [])).is_err());
        assert!(decode::<Stub>(&payload(&text, [])).is_err());
    }
    let forged = BTreeMap::from([("$capnweb::capability", 1_u64)]);
    assert!(encode(&(stub(1), forged)).is_err());
    assert!(encode(&BTreeMap::from([("$", 1), ("$capnweb::date", 1)])).is_err());

    #[derive(Serialize)]
    #[serde(tag = "type")]
    enum Tagged {
        Date(Date),
    }
    #[derive(Serialize)]
    struct Flattened {
        id: u8,
        #[serde(flatten)]
        date: Date,
    }
    for result in
        [encode(&Tagged::Date(Date::now())), encode(&Flattened { id: 1, date: Date::now() })]
    {
        let error = result.err().expect("must not be sent");
        assert!(error.message().contains("no object that other members could be merged into"));
    }
}

#[test]
fn no_text_causes_a_panic() {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only read into")]
    enum Any {
        A(Value),
        B { b: Option<Bytes> },
    }
    let whole = r##"{"a":[[1,-2.5e3,"x\n",["date",1],["bytes","AQI","Int16Array"],["#",0],["error","E","m",null,{"b":["bigint","1"]}],["undefined"],["nan"],["url","x:y"]]]}"##;
    for end in 0..=whole.len() {
        for insert in ["", "[", "]", "\"", "{", ",", "0", "[\"#\",5]", "é"] {
            let text = format!("{}{insert}{}", &whole[..end], &whole[end..]);
            for text in [text.as_str(), &text[..end + insert.len()]] {
                let payload = payload(text, [Cap::Stub(hook(1))]);
                let _ = decode::<Value>(&payload);
                let _ = decode::<HashMap<String, Vec<Any>>>(&payload);
                let _ = decode_args::<(Any, Vec<u8>)>(&payload);
                let _ = super::super::navigate::navigate(&payload, &["a".into(), 6.into()]);
            }
        }
    }
}

#[test]
fn encoding_and_decoding_can_be_nested() {
    /// Encodes and decodes another message while it is being written itself.
    struct Nested(Stub, Stub);
    impl Serialize for Nested {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let inner = encode(&self.1).unwrap();
            assert_eq!(number(&decode(&inner).unwrap()), number(&self.1));
            self.0.serialize(serializer)
        }
    }
    let encoded = encode(&(stub(1), Nested(stub(2), stub(3)), stub(4))).unwrap();
    let read: [Stub; 3] = decode(&encoded).unwrap();
    assert_eq!(read.each_ref().map(number), [1, 2, 4]);
}
