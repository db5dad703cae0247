//! The macros of the crate `capnweb`, which re-exports and documents them.
//!
//! An interface is first read into a model, which refuses what cannot be one; then the
//! trait itself, its client, its server and its TypeScript are written from that, each by a module
//! of its own that knows nothing of the others.

mod client;
mod declared;
#[cfg(test)]
mod expansion;
mod failure;
mod model;
mod names;
mod record;
mod server;
mod typescript;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as TokenStream2;
use quote::quote;
use syn::{DeriveInput, Item, parse_macro_input};

use crate::model::Model;

/// See `capnweb::interface`.
#[proc_macro_attribute]
pub fn interface(options: TokenStream, item: TokenStream) -> TokenStream {
    let item = match parse_macro_input!(item as Item) {
        Item::Trait(item) => item,
        other => {
            let text = "an interface is a trait, whose methods are called: `trait Api { .. }`";
            let error = syn::Error::new_spanned(&other, text).into_compile_error();
            return quote! { #error #other }.into();
        }
    };
    let (model, error) = Model::read(options.into(), item);
    let error = error.map(syn::Error::into_compile_error);
    let interface = render(&model);
    quote! { #error #interface }.into()
}

fn render(model: &Model) -> TokenStream2 {
    let declared = declared::render(model);
    if !model.refused.generics.params.is_empty() {
        let interface = client::render_unknown(model);
        return quote! { #declared #interface };
    }
    let client = client::render(model);
    let server = server::render(model);
    let typescript = typescript::render(model);
    quote! { #declared #client #server #typescript }
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
