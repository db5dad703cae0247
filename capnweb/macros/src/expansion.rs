//! What becomes of an interface, for whoever changes how: `EXPANSION.md` shows it.

use std::{fs, path::Path};

use crate::{model::Model, render};
use quote::quote;

const INTRODUCTION: &str = "\
# What an interface expands to

This is the work of `#[capnweb::interface]`, formatted. A test compares it with what the macro
writes; with `CAPNWEB_UPDATE=1` in its environment it writes this file instead.
";

/// The interface, as it is written.
const SOURCE: &str = "\
/// A counter that starts at zero.
#[capnweb::interface]
pub trait Counter: Resource {
    /// Adds to the counter, and says what it is then.
    async fn add(&self, amount: u32, caller: Caller) -> Result<u32, Overflow>;
    /// Calls back at each change.
    fn watch(&self, on_change: Stub<fn(u32) -> Result<()>>, label: Option<String>);
    #[rpc(get)]
    fn value(&self) -> u32;
}
";

#[test]
fn the_expansion_is_as_it_is_shown() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("EXPANSION.md");
    let expansion = expand(SOURCE);
    let text =
        format!("{INTRODUCTION}\n```rust\n{SOURCE}```\n\nbecomes\n\n```rust\n{expansion}```\n");
    if std::env::var_os("CAPNWEB_UPDATE").is_some() {
        fs::write(file, text).unwrap();
        return;
    }
    let shown = fs::read_to_string(file).unwrap();
    assert!(
        shown == text,
        "the macro writes something else than EXPANSION.md shows: run this test with CAPNWEB_UPDATE=1, \
         and read what changes.\n\n{text}"
    );
}

fn expand(source: &str) -> String {
    let mut item: syn::ItemTrait = syn::parse_str(source).unwrap();
    item.attrs.retain(|attr| attr.path().is_ident("doc"));
    let (model, error) = Model::read(quote!(), item);
    assert!(error.is_none(), "{error:?}");
    prettyplease::unparse(&syn::parse2(render(&model)).unwrap())
}
