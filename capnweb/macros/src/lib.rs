//! The macros of the crate `capnweb`, which re-exports and documents them.
//!
//! An interface is first read into a [model](model), which refuses what cannot be one; then the
//! trait itself, its client, its server and its TypeScript are written from that, each by a module
//! of its own that knows nothing of the others.

mod client;
mod declared;
mod failure;
mod model;
mod names;
mod record;
mod server;
mod typescript;

use proc_macro::TokenStream;
use quote::quote;
use syn::{DeriveInput, ItemTrait, parse_macro_input};

use crate::model::Model;

/// See `capnweb::interface`.
#[proc_macro_attribute]
pub fn interface(options: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as ItemTrait);
    match Model::read(options.into(), item) {
        Ok(model) => {
            let declared = declared::render(&model);
            let client = client::render(&model);
            let server = server::render(&model);
            let typescript = typescript::render(&model);
            quote! { #declared #client #server #typescript }.into()
        }
        Err(error) => error.into_compile_error().into(),
    }
}

/// See `capnweb::Record`.
#[proc_macro_derive(Record, attributes(capnweb, serde))]
pub fn record(item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    record::render(&item).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// See `capnweb::Failure`.
#[proc_macro_derive(Failure, attributes(capnweb))]
pub fn failure(item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    failure::render(&item).unwrap_or_else(syn::Error::into_compile_error).into()
}
