//! Records that are promised: their fields can be used before they are there.

use std::future::IntoFuture;

use capnweb::{Record, Result, Stub};
use capnweb_tests::Pair;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Record)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Account {
    owner_name: String,
    #[serde(rename = "ID", default)]
    id: u32,
    #[serde(rename(serialize = "r#type", deserialize = "r#type"))]
    r#type: Kind,
    parent: Option<Box<Account>>,
    #[serde(skip)]
    _secret: u8,
    latest: Page<Line>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Savings,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Record)]
struct Page<T> {
    items: Vec<T>,
    first: T,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Record)]
struct Line {
    cents: i64,
}

/// A record with a part whose fields are in it: that part has no name to be asked for.
#[derive(Clone, Debug, Serialize, Deserialize, Record)]
struct Summary {
    total: i64,
    #[serde(flatten)]
    line: Line,
}

#[capnweb::interface]
trait Bank {
    fn account(&self) -> Account;
    fn boxed(&self) -> Box<Account>;
    async fn found(&self) -> Result<Option<Box<Account>>>;
    fn missing(&self) -> Option<Account>;
    fn summary(&self) -> Summary;
    fn page(&self) -> Page<Stub<dyn Bank>>;
    fn is(&self, name: String, cents: Option<i64>) -> bool;
}

struct Branch;

fn account(name: &str, parent: Option<Account>) -> Account {
    Account {
        owner_name: name.to_owned(),
        id: 7,
        r#type: Kind::Savings,
        parent: parent.map(Box::new),
        _secret: 1,
        latest: Page {
            items: vec![Line { cents: 1 }, Line { cents: 2 }],
            first: Line { cents: 1 },
        },
    }
}

impl Bank for Branch {
    fn account(&self) -> Account {
        account("child", Some(account("parent", None)))
    }

    fn boxed(&self) -> Box<Account> {
        Box::new(self.account())
    }

    async fn found(&self) -> Result<Option<Box<Account>>> {
        Ok(Some(Box::new(self.account())))
    }

    fn missing(&self) -> Option<Account> {
        None
    }

    fn summary(&self) -> Summary {
        Summary { total: 5, line: Line { cents: 5 } }
    }

    fn page(&self) -> Page<Stub<dyn Bank>> {
        Page { items: Vec::new(), first: Stub::new(Branch) }
    }

    fn is(&self, name: String, cents: Option<i64>) -> bool {
        name == "parent" && cents == Some(1)
    }
}

fn bank() -> (Pair, Stub<dyn Bank>) {
    let pair = Pair::new(Stub::<dyn Bank>::new(Branch).untyped());
    let bank = pair.client.main().typed();
    (pair, bank)
}

#[test]
fn fields_have_the_names_that_serde_gives_them() {
    let (mut pair, bank) = bank();
    let account = bank.account();
    assert_eq!(pair.run(account.owner_name().into_future()).unwrap(), "child");
    assert_eq!(pair.run(account.id().into_future()).unwrap(), 7);
    assert_eq!(pair.run(account.r#type().into_future()).unwrap(), Kind::Savings);
    assert_eq!(pair.run(bank.summary().total().into_future()).unwrap(), 5);
    drop((account, bank));
    pair.assert_clean();
}

#[test]
fn records_are_reached_through_options_and_boxes() {
    let (mut pair, bank) = bank();
    let names = [
        bank.account().parent().owner_name(),
        bank.boxed().parent().owner_name(),
        bank.found().parent().owner_name(),
    ];
    for name in names {
        assert_eq!(pair.run(name.into_future()).unwrap(), "parent");
    }
    assert!(pair.run(bank.missing().owner_name().into_future()).is_err());
    drop(bank);
    pair.assert_clean();
}

#[test]
fn generic_records_have_fields_of_their_types() {
    let (mut pair, bank) = bank();
    let latest = bank.account().latest();
    assert_eq!(pair.run(latest.first().cents().into_future()).unwrap(), 1);
    let cents = latest.items().map(|line| line.cents());
    assert_eq!(pair.run(cents.into_future()).unwrap(), [1, 2]);
    let name = bank.page().first().account().owner_name();
    assert_eq!(pair.run(name.into_future()).unwrap(), "child");
    drop((latest, bank));
    pair.assert_clean();
}

#[test]
fn fields_are_given_as_arguments() {
    let (mut pair, bank) = bank();
    let account = bank.account();
    let is = bank.is(account.parent().owner_name(), account.latest().first().cents());
    assert!(pair.run(is.into_future()).unwrap());
    let pulls = pair.client.log.iter().filter(|text| text.starts_with("[\"pull\"")).count();
    assert_eq!(pulls, 1, "{:?}", pair.client.log);
    drop((account, bank));
    pair.assert_clean();
}
