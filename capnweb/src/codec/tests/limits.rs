//! How deep values can nest, and that this fits the stack of an ordinary thread.

use std::thread;

use serde::Deserialize;

use super::*;
use crate::Value;

/// As in `Builder::spawn`, whose default is the same: with nothing else on it.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
}

fn nested_arrays(levels: usize) -> String {
    "[[".repeat(levels) + &"]]".repeat(levels)
}

#[test]
fn values_nest_256_levels_on_a_small_stack() {
    on_a_small_stack(|| {
        let text = format!("[{}]", nested_arrays(255));
        let args: (Value,) = decode_args(&payload(&text, [])).unwrap();
        let encoded = encode_args(&args).unwrap();
        assert_eq!(encoded.text, text);
        drop(args.clone());

        let objects = "{\"a\":".repeat(255) + "null" + &"}".repeat(255);
        let value: Value = read(&objects);
        assert_eq!(super::text(&value), objects);

        let errors = "[\"error\",\"E\",\"m\",null,{\"a\":".repeat(255) + "null" + &"}]".repeat(255);
        let value: Value = read(&errors);
        assert_eq!(super::text(&value), errors);
    });
}

#[test]
fn deeper_values_are_refused() {
    on_a_small_stack(|| {
        let error = decode::<Value>(&payload(&nested_arrays(257), [])).unwrap_err();
        assert!(error.message().ends_with("nested deeper than 256 levels"), "{error}");
        let error = decode_args::<(Value,)>(&payload(&format!("[{}]", nested_arrays(256)), []));
        assert!(error.unwrap_err().message().starts_with("args[0][0]"));
        let mut value: Value = read(&nested_arrays(256));
        assert_eq!(encode(&value).unwrap().text, nested_arrays(256));
        value = Value::Array(vec![value]);
        let error = encode(&value).err().unwrap();
        assert!(error.message().contains("nested deeper than 256 levels"), "{error}");
    });
}

#[test]
fn a_settled_promise_counts_from_where_it_stands() {
    let inner = payload(&nested_arrays(200), []);
    let outer = |levels| {
        let text = "[[".repeat(levels) + "[\"#\",0]" + &"]]".repeat(levels);
        payload(&text, [Cap::Settled(inner.clone())])
    };
    decode::<Value>(&outer(56)).unwrap();
    decode::<Value>(&outer(57)).unwrap_err();
}

#[test]
fn a_chain_of_settled_promises_needs_no_stack() {
    on_a_small_stack(|| {
        let mut chain = payload("5", []);
        for _ in 0..1000 {
            chain = payload("[\"#\",0]", [Cap::Settled(chain)]);
        }
        assert_eq!(decode::<u8>(&chain).unwrap(), 5);
    });
}

#[test]
fn types_that_nest_without_a_trace_are_refused_too() {
    #[derive(Serialize, Deserialize, Debug)]
    struct Endless(Option<Box<Endless>>);
    on_a_small_stack(|| {
        let error = decode::<Endless>(&payload("5", [])).unwrap_err();
        assert_eq!(error.message(), "nested too deep in newtypes and options");
        let mut endless = Endless(None);
        for _ in 0..2000 {
            endless = Endless(Some(Box::new(endless)));
        }
        assert!(encode(&endless).is_err());
    });
}
