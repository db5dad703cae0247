//! Every value of the table goes to JavaScript and comes back as it was.

use std::sync::{Arc, Mutex};

use capnweb::{Options, Stub, Value};
use capnweb_tests::{Peer, clean, wire_table};
use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    name: String,
    text: String,
    canonical: Option<String>,
    #[serde(rename = "wellFormed")]
    well_formed: Option<String>,
}

/// The rows whose values can be sent as an argument.
fn rows() -> Vec<Row> {
    let rows: Vec<Row> = wire_table("values.json");
    // An argument sits one level deeper than JavaScript is willing to answer.
    rows.into_iter().filter(|row| !row.name.contains("as deep as is sent")).collect()
}

/// The value that a text stands for, read as the argument of a call.
fn value(text: &str) -> Value {
    let read = Arc::new(Mutex::new(None));
    let reader = Stub::function({
        let read = Arc::clone(&read);
        move |(value,): (Value,)| {
            *read.lock().unwrap() = Some(value);
            async { Ok(()) }
        }
    });
    let peer = Peer::new(Some(reader), Options::new());
    peer.send(&format!(r#"["push",["pipeline",0,[],[{text}]]]"#));
    read.lock().unwrap().take().unwrap_or_else(|| panic!("{text} was not delivered"))
}

/// Equal, where values that are equal to nothing count as equal to those that look the same.
fn same(a: &Value, b: &Value) -> bool {
    a == b || format!("{a:?}") == format!("{b:?}")
}

#[tokio::test]
async fn values_come_back_as_they_were() {
    let rows = rows();
    assert!(rows.len() > 500);
    clean(async |js| {
        let mut wrong = Vec::new();
        for row in &rows {
            let sent = value(&row.text);
            // What JavaScript cannot name is lost on its way.
            let expected =
                value(row.well_formed.as_ref().or(row.canonical.as_ref()).unwrap_or(&row.text));
            match js.main.call("echo", (&sent,)).await {
                Ok(came) if same(&came, &expected) => {}
                other => wrong.push(format!("{}: sent {sent:?}, got {other:?}", row.name)),
            }
        }
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    })
    .await;
}

#[tokio::test]
async fn values_come_back_all_in_one_message() {
    let rows = rows();
    let plain = |row: &&Row| row.canonical.is_none() && !row.name.contains("100 deep");
    let values: Vec<Value> = rows.iter().filter(plain).map(|row| value(&row.text)).collect();
    clean(async |js| {
        let came: Vec<Value> = js.main.call("echo", (&values,)).decode().await.unwrap();
        assert_eq!(came.len(), values.len());
        for (sent, came) in values.iter().zip(&came) {
            assert!(same(sent, came), "sent {sent:?}, got {came:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn values_may_be_a_megabyte_long() {
    clean(async |js| {
        let text = "0123456789abcdé😀".repeat(65536);
        assert_eq!(js.main.call("echo", (&text,)).decode::<String>().await.unwrap(), text);
        let bytes: Vec<u8> = (0..1_u32 << 20).map(|n| (n * 31) as u8).collect();
        let sent = capnweb::value::Bytes::from(bytes.as_slice());
        let came = js.main.call("echo", (sent,)).await.unwrap();
        assert_eq!(came.as_bytes(), Some(bytes.as_slice()));
    })
    .await;
}
