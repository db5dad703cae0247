//! What declarations do not follow by themselves, and what is to be written instead: every line of
//! the module's table, with what is really sent.

use std::marker::PhantomData;

use serde_json::json;

use super::*;

/// What is sent for a value, compared with JSON.
#[track_caller]
fn assert_sent(value: impl Serialize, expected: serde_json::Value) {
    assert_eq!(Value::encode(&value).unwrap(), Value::encode(&expected).unwrap());
}

/// The message of the error for a type.
fn refused<T: TS + 'static>() -> String {
    Declarations::new().data::<T>().render().unwrap_err().to_string()
}

#[test]
fn what_may_be_left_out_is_optional() {
    #[derive(Serialize, Deserialize, TS)]
    #[ts(crate = "crate::typescript::ts_rs")]
    struct Note {
        #[serde(skip_serializing_if = "Option::is_none")]
        #[ts(optional = nullable)]
        text: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        author: Option<String>,
        #[serde(skip_serializing)]
        #[ts(skip)]
        secret: u8,
        #[serde(skip_deserializing)]
        #[ts(optional = nullable)]
        id: u8,
    }

    assert_eq!(
        declared::<Note>(),
        "export type Note = { text?: string | null; author?: string | null; id?: number };"
    );
    assert_sent(Note { text: None, author: None, secret: 1, id: 2 }, json!({ "id": 2 }));
    let read: Note = Value::encode(&json!({ "secret": 3 })).unwrap().decode().unwrap();
    assert_eq!((read.text, read.author, read.secret, read.id), (None, None, 3, 0));
}

#[test]
fn what_is_sent_in_another_way_is_told() {
    fn as_text<S: serde::Serializer>(value: &u8, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    #[derive(Serialize, TS)]
    #[ts(crate = "crate::typescript::ts_rs")]
    struct Told {
        #[serde(serialize_with = "as_text")]
        #[ts(type = "string")]
        count: u8,
        #[serde(serialize_with = "as_text")]
        #[ts(as = "String")]
        other: u8,
        #[serde(rename(serialize = "firstName", deserialize = "first_name"))]
        #[ts(rename = "firstName")]
        first: String,
    }

    assert_eq!(
        declared::<Told>(),
        "export type Told = { count: string; other: string; firstName: string };"
    );
    let told = Told { count: 1, other: 2, first: "a".to_owned() };
    assert_sent(told, json!({ "count": "1", "other": "2", "firstName": "a" }));
}

#[test]
fn what_is_sent_as_another_type_is_said_to_be_one() {
    #[derive(Clone, Serialize, Deserialize, TS)]
    #[serde(into = "String", try_from = "String")]
    #[ts(crate = "crate::typescript::ts_rs", as = "String")]
    struct Email {
        user: String,
        host: String,
    }

    impl From<Email> for String {
        fn from(email: Email) -> Self {
            format!("{}@{}", email.user, email.host)
        }
    }

    impl TryFrom<String> for Email {
        type Error = &'static str;

        fn try_from(text: String) -> Result<Self, &'static str> {
            let (user, host) = text.split_once('@').ok_or("no @")?;
            Ok(Self { user: user.to_owned(), host: host.to_owned() })
        }
    }

    #[derive(Serialize, TS)]
    #[serde(transparent)]
    #[ts(crate = "crate::typescript::ts_rs", as = "Vec<Counts>")]
    struct All {
        counts: Vec<Counts>,
    }

    #[derive(Serialize, TS)]
    #[serde(transparent)]
    #[ts(crate = "crate::typescript::ts_rs", type = "bigint")]
    struct Balance {
        cents: i128,
    }

    assert_eq!(declared::<Email>(), "export type Email = string;");
    assert_sent(Email { user: "a".to_owned(), host: "b".to_owned() }, json!("a@b"));
    assert!(declared::<All>().starts_with("export type All = Array<"), "{}", declared::<All>());
    assert_sent(All { counts: vec![Counts { logins: 1 }] }, json!([{ "logins": 1 }]));
    assert_eq!(declared::<Balance>(), "export type Balance = bigint;");
    let sent = Value::encode(&Balance { cents: 1 }).unwrap();
    assert_eq!(sent, Value::BigInt(1.into()));
}

#[test]
fn variants_for_all_others_have_any_tag() {
    #[derive(Serialize, Deserialize, TS, Debug, PartialEq)]
    #[serde(tag = "kind", rename_all = "camelCase")]
    #[ts(crate = "crate::typescript::ts_rs")]
    enum Shape {
        Circle {
            radius: u8,
        },
        #[serde(other)]
        #[ts(untagged, type = "{ kind: string }")]
        Other,
    }

    assert_eq!(
        declared::<Shape>(),
        r#"export type Shape = { "kind": "circle"; radius: number } | { kind: string };"#
    );
    let read: Shape = Value::encode(&json!({ "kind": "square" })).unwrap().decode().unwrap();
    assert_eq!(read, Shape::Other);
}

#[test]
fn maps_and_options_that_are_flattened_are_written_out() {
    #[derive(Serialize, TS)]
    #[ts(crate = "crate::typescript::ts_rs")]
    #[ts(type = "{ name: string, [key: string]: unknown }")]
    struct Open {
        name: String,
        #[serde(flatten)]
        more: HashMap<String, u8>,
    }

    #[derive(Serialize, TS)]
    #[ts(crate = "crate::typescript::ts_rs")]
    #[ts(type = "{ name: string } | { name: string, logins: number }")]
    struct Counted {
        name: String,
        #[serde(flatten)]
        counts: Option<Counts>,
    }

    #[derive(Serialize, TS)]
    #[ts(crate = "crate::typescript::ts_rs")]
    struct Untold {
        #[serde(flatten)]
        counts: Option<Counts>,
    }

    let name = || "a".to_owned();
    assert_eq!(declared::<Open>(), "export type Open = { name: string; [key: string]: unknown };");
    assert_sent(
        Open { name: name(), more: HashMap::from([(String::from("b"), 1)]) },
        json!({ "name": "a", "b": 1 }),
    );
    assert_eq!(
        declared::<Counted>(),
        "export type Counted = { name: string } | { name: string; logins: number };"
    );
    assert_sent(Counted { name: name(), counts: None }, json!({ "name": "a" }));
    let counts = Some(Counts { logins: 1 });
    assert_sent(Counted { name: name(), counts }, json!({ "name": "a", "logins": 1 }));

    let text = refused::<Vec<Untold>>();
    assert!(
        text.contains("::Untold has no declaration, because Counts | null cannot be flattened")
            && text.contains("`#[ts(type = \"..\")]`"),
        "{text}"
    );
    assert_sent(Untold { counts: None }, json!({}));
}

#[test]
fn a_panic_does_not_hide_what_was_wrong_before() {
    #[derive(Serialize, TS)]
    #[ts(crate = "crate::typescript::ts_rs")]
    struct Inlined {
        #[ts(inline)]
        pair: (u8, u8),
    }

    let text = refused::<Inlined>();
    assert!(text.contains("::Inlined has no declaration, because tuple cannot be"), "{text}");
    let both = Declarations::new().data::<Vec<()>>().data::<Inlined>();
    assert!(matches!(both.render(), Err(DeclareError::Unit { .. })));
    assert_sent(Inlined { pair: (1, 2) }, json!({ "pair": [1, 2] }));
}

#[test]
fn what_has_no_data_is_undefined() {
    #[derive(Serialize, TS)]
    #[ts(crate = "crate::typescript::ts_rs")]
    struct Nothing;

    #[derive(Serialize, TS)]
    #[ts(crate = "crate::typescript::ts_rs")]
    struct Holder {
        nothing: Nothing,
    }

    #[derive(Serialize, TS)]
    #[ts(crate = "crate::typescript::ts_rs", type = "undefined")]
    struct Told;

    #[derive(Serialize, TS)]
    #[serde(untagged)]
    #[ts(crate = "crate::typescript::ts_rs")]
    enum Setting {
        Number(u8),
        #[ts(type = "undefined")]
        Unset,
    }

    #[derive(Serialize, TS)]
    #[ts(crate = "crate::typescript::ts_rs")]
    struct Key {
        id: u8,
        #[serde(skip)]
        of: PhantomData<Counts>,
        #[ts(type = "undefined")]
        sent: PhantomData<Counts>,
    }

    let text = refused::<Holder>();
    assert!(
        text.contains("::Nothing has no data, and is sent as undefined: write `#[ts(type = "),
        "{text}"
    );
    let sent = Value::encode(&Holder { nothing: Nothing }).unwrap();
    assert_eq!(sent.get("nothing"), Some(&Value::Undefined));
    assert_eq!(declared::<Told>(), "export type Told = undefined;");
    assert_eq!(Value::encode(&Told).unwrap(), Value::Undefined);
    assert_eq!(declared::<Setting>(), "export type Setting = number | undefined;");
    assert_eq!(Value::encode(&Setting::Unset).unwrap(), Value::Undefined);
    assert_eq!(Value::encode(&Setting::Number(1)).unwrap(), Value::Number(1.0));
    assert_eq!(declared::<Key>(), "export type Key = { id: number; sent: undefined };");
    let key = Key { id: 1, of: PhantomData, sent: PhantomData };
    let sent = Value::encode(&key).unwrap();
    assert_eq!(sent.as_object().unwrap().len(), 2);
    assert_eq!(sent.get("sent"), Some(&Value::Undefined));
}
