//! What serde makes of structs and enums, through an interface: with a capability, a date and bytes
//! inside of each, as an argument and as a result.

use std::collections::BTreeMap;

use capnweb::{
    Result, Stub,
    value::{BigInt, Bytes, Date},
};
use capnweb_tests::Pair;
use serde::{Deserialize, Serialize};

#[capnweb::interface]
trait Named {
    fn name(&self) -> String;
}

struct Name(&'static str);

impl Named for Name {
    fn name(&self) -> String {
        self.0.to_owned()
    }
}

/// What only Cap'n Web can send.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Special {
    who: Stub<dyn Named>,
    at: Date,
    data: Bytes,
}

impl Special {
    fn new(name: &'static str, millis: f64, data: &'static [u8]) -> Self {
        Self { who: Stub::new(Name(name)), at: Date::from_millis(millis), data: data.into() }
    }

    async fn assert_is(&self, name: &str, millis: f64, data: &[u8]) -> Result<()> {
        assert_eq!(self.who.name().await?, name);
        assert_eq!(self.at, Date::from_millis(millis));
        assert_eq!(self.data.as_slice(), data);
        Ok(())
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Flattened {
    title: String,
    #[serde(flatten)]
    special: Special,
    #[serde(flatten)]
    rest: BTreeMap<String, Date>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(f64),
    Many(Vec<Special>),
    One(Special),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Internal {
    Nothing,
    Special(Special),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", content = "content")]
enum Adjacent {
    Nothing,
    Special { special: Special },
    Pair(Special, u8),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum External {
    Nothing,
    Special(Special),
    Pair(u8, Special),
    Named { special: Special },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Transparent {
    special: Special,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Newtype(Special);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Tuple(u8, Special, BigInt);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Skipping {
    #[serde(skip)]
    secret: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    none: Option<Special>,
    #[serde(default)]
    missing: u32,
    special: Special,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "T: Serialize + serde::de::DeserializeOwned")]
struct Generic<T> {
    items: Vec<T>,
    boxed: Box<Option<T>>,
}

/// Gives each back, with other things inside.
#[capnweb::interface]
trait Kinds {
    async fn flattened(&self, given: Flattened) -> Result<Flattened>;
    async fn untagged(&self, given: Untagged) -> Result<Untagged>;
    async fn internal(&self, given: Internal) -> Result<Internal>;
    async fn adjacent(&self, given: Adjacent) -> Result<Adjacent>;
    async fn external(&self, given: External) -> Result<External>;
    async fn transparent(&self, given: Transparent) -> Result<Transparent>;
    async fn newtype(&self, given: Newtype) -> Result<Newtype>;
    async fn tuple(&self, given: Tuple) -> Result<Tuple>;
    async fn map(&self, given: BTreeMap<String, Special>) -> Result<BTreeMap<String, Special>>;
    async fn skipping(&self, given: Skipping) -> Result<Skipping>;
    async fn generic(&self, given: Generic<Special>) -> Result<Generic<Special>>;
    async fn optional(&self, given: Option<Special>) -> Option<Special>;
}

struct Server;

fn given() -> Special {
    Special::new("client", 1000.0, b"to the server")
}

/// Asserts what has arrived, and answers.
async fn taken(special: &Special) -> Result<Special> {
    special.assert_is("client", 1000.0, b"to the server").await?;
    Ok(Special::new("server", 2000.0, b"to the client"))
}

async fn assert_returned(special: &Special) -> Result<()> {
    special.assert_is("server", 2000.0, b"to the client").await
}

impl Kinds for Server {
    async fn flattened(&self, given: Flattened) -> Result<Flattened> {
        assert_eq!(given.title, "title");
        assert_eq!(given.rest["created"], Date::from_millis(5.0));
        Ok(Flattened { special: taken(&given.special).await?, ..given })
    }

    async fn untagged(&self, given: Untagged) -> Result<Untagged> {
        match given {
            Untagged::Number(number) => Ok(Untagged::Number(number)),
            Untagged::One(special) => Ok(Untagged::Many(vec![taken(&special).await?])),
            Untagged::Many(many) => Ok(Untagged::One(taken(&many[0]).await?)),
        }
    }

    async fn internal(&self, given: Internal) -> Result<Internal> {
        match given {
            Internal::Nothing => Ok(Internal::Nothing),
            Internal::Special(special) => Ok(Internal::Special(taken(&special).await?)),
        }
    }

    async fn adjacent(&self, given: Adjacent) -> Result<Adjacent> {
        match given {
            Adjacent::Nothing => Ok(Adjacent::Nothing),
            Adjacent::Special { special } => Ok(Adjacent::Pair(taken(&special).await?, 7)),
            Adjacent::Pair(special, 7) => Ok(Adjacent::Special { special: taken(&special).await? }),
            Adjacent::Pair(..) => Ok(Adjacent::Nothing),
        }
    }

    async fn external(&self, given: External) -> Result<External> {
        match given {
            External::Nothing => Ok(External::Nothing),
            External::Special(special) => Ok(External::Pair(7, taken(&special).await?)),
            External::Pair(_, special) => Ok(External::Named { special: taken(&special).await? }),
            External::Named { special } => Ok(External::Special(taken(&special).await?)),
        }
    }

    async fn transparent(&self, given: Transparent) -> Result<Transparent> {
        Ok(Transparent { special: taken(&given.special).await? })
    }

    async fn newtype(&self, given: Newtype) -> Result<Newtype> {
        Ok(Newtype(taken(&given.0).await?))
    }

    async fn tuple(&self, given: Tuple) -> Result<Tuple> {
        assert_eq!(given.2, BigInt::from(u64::MAX));
        Ok(Tuple(given.0, taken(&given.1).await?, given.2))
    }

    async fn map(&self, given: BTreeMap<String, Special>) -> Result<BTreeMap<String, Special>> {
        let mut returned = BTreeMap::new();
        for (key, special) in given {
            returned.insert(format!("{key}, returned"), taken(&special).await?);
        }
        Ok(returned)
    }

    async fn skipping(&self, given: Skipping) -> Result<Skipping> {
        assert_eq!((given.secret, given.missing), (0, 3), "what is skipped does not arrive");
        assert!(given.none.is_none());
        Ok(Skipping { special: taken(&given.special).await?, secret: 9, ..given })
    }

    async fn generic(&self, given: Generic<Special>) -> Result<Generic<Special>> {
        assert!(given.boxed.is_none());
        let special = taken(&given.items[0]).await?;
        Ok(Generic { items: Vec::new(), boxed: Box::new(Some(special)) })
    }

    async fn optional(&self, given: Option<Special>) -> Option<Special> {
        taken(&given?).await.ok()
    }
}

/// Runs a client, and asserts that nothing of what was sent is left.
fn client<F>(work: impl FnOnce(Stub<dyn Kinds>) -> F)
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let mut pair = Pair::new(Stub::<dyn Kinds>::new(Server).untyped());
    let kinds = pair.client.main().typed();
    pair.run(work(kinds)).unwrap();
    pair.assert_clean();
}

#[test]
fn flattened_fields() {
    client(|kinds| async move {
        let rest = BTreeMap::from([("created".to_owned(), Date::from_millis(5.0))]);
        let given = Flattened { title: "title".to_owned(), special: given(), rest };
        let returned = kinds.flattened(given).await?;
        assert_eq!(returned.rest.len(), 1, "{returned:?}");
        assert_returned(&returned.special).await
    });
}

#[test]
fn untagged_enums() {
    client(|kinds| async move {
        let Untagged::Many(many) = kinds.untagged(Untagged::One(given())).await? else {
            panic!("not the array")
        };
        assert_returned(&many[0]).await?;
        let Untagged::One(one) = kinds.untagged(Untagged::Many(vec![given()])).await? else {
            panic!("not the object")
        };
        assert_returned(&one).await?;
        let number = kinds.untagged(Untagged::Number(1.5)).await?;
        assert!(matches!(number, Untagged::Number(1.5)), "{number:?}");
        Ok(())
    });
}

#[test]
fn internally_tagged_enums() {
    client(|kinds| async move {
        let Internal::Special(special) = kinds.internal(Internal::Special(given())).await? else {
            panic!("another variant")
        };
        assert_returned(&special).await?;
        assert!(matches!(kinds.internal(Internal::Nothing).await?, Internal::Nothing));
        Ok(())
    });
}

#[test]
fn adjacently_tagged_enums() {
    client(|kinds| async move {
        let special = Adjacent::Special { special: given() };
        let Adjacent::Pair(special, 7) = kinds.adjacent(special).await? else {
            panic!("not the pair")
        };
        assert_returned(&special).await?;
        let pair = Adjacent::Pair(given(), 7);
        let Adjacent::Special { special } = kinds.adjacent(pair).await? else {
            panic!("not the struct")
        };
        assert_returned(&special).await?;
        assert!(matches!(kinds.adjacent(Adjacent::Nothing).await?, Adjacent::Nothing));
        Ok(())
    });
}

#[test]
fn externally_tagged_enums() {
    client(|kinds| async move {
        let External::Pair(7, special) = kinds.external(External::Special(given())).await? else {
            panic!("not the pair")
        };
        assert_returned(&special).await?;
        let External::Named { special } = kinds.external(External::Pair(1, given())).await? else {
            panic!("not the struct")
        };
        assert_returned(&special).await?;
        let named = External::Named { special: given() };
        let External::Special(special) = kinds.external(named).await? else {
            panic!("not the newtype")
        };
        assert_returned(&special).await?;
        assert!(matches!(kinds.external(External::Nothing).await?, External::Nothing));
        Ok(())
    });
}

#[test]
fn transparent_structs() {
    client(|kinds| async move {
        let returned = kinds.transparent(Transparent { special: given() }).await?;
        assert_returned(&returned.special).await
    });
}

#[test]
fn newtypes_and_tuples() {
    client(|kinds| async move {
        assert_returned(&kinds.newtype(Newtype(given())).await?.0).await?;
        let tuple = Tuple(3, given(), BigInt::from(u64::MAX));
        let Tuple(3, special, number) = kinds.tuple(tuple).await? else { panic!("not the number") };
        assert_eq!(number, BigInt::from(u64::MAX));
        assert_returned(&special).await
    });
}

#[test]
fn maps() {
    client(|kinds| async move {
        let names = ["", "plain", "\u{1f980} \"quoted\""];
        let given = names.map(|name| (name.to_owned(), given()));
        let returned = kinds.map(BTreeMap::from(given)).await?;
        assert_eq!(returned.len(), names.len());
        for name in names {
            assert_returned(&returned[&format!("{name}, returned")]).await?;
        }
        Ok(())
    });
}

#[test]
fn skipped_fields() {
    client(|kinds| async move {
        let given = Skipping { secret: 5, none: None, missing: 3, special: given() };
        let returned = kinds.skipping(given).await?;
        assert_eq!(returned.secret, 0, "what is skipped does not come back");
        assert_returned(&returned.special).await
    });
}

#[test]
fn generic_structs() {
    client(|kinds| async move {
        let given = Generic { items: vec![given()], boxed: Box::new(None) };
        let returned = kinds.generic(given).await?;
        assert_returned(&returned.boxed.unwrap()).await
    });
}

#[test]
fn options() {
    client(|kinds| async move {
        assert_returned(&kinds.optional(given()).await?.unwrap()).await?;
        assert!(kinds.optional(None).await?.is_none());
        Ok(())
    });
}
