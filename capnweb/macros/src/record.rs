//! `derive(Record)`: the fields of a struct that is promised.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{
    Attribute, Data, DeriveInput, Field, Fields, LitStr, Path, parse_quote, spanned::Spanned,
};

use crate::names::Rule;

pub(crate) fn render(item: &DeriveInput) -> syn::Result<TokenStream> {
    let Data::Struct(data) = &item.data else {
        let text = "only a struct has fields that can be promised: which ones an enum has is not \
                    known before it is there";
        return Err(syn::Error::new_spanned(&item.ident, text));
    };
    let Fields::Named(fields) = &data.fields else {
        let text = "only a struct with named fields has names for them on the wire";
        return Err(syn::Error::new_spanned(&item.ident, text));
    };
    let Options { library, .. } = Options::read(&item.attrs)?;
    let container = Serde::read(&item.attrs)?;
    if let Some((span, name)) = container.replaced {
        let text = format!(
            "by `{name}` this is sent as something else, without these fields: a promise of it has \
             none"
        );
        return Err(syn::Error::new(span, text));
    }
    let rule = container.rename_all.unwrap_or(Rule::Unchanged);
    let (vis, ident) = (&item.vis, &item.ident);
    let client = format_ident!("Promised{ident}");
    let mut methods = Vec::new();
    for field in &fields.named {
        methods.extend(render_field(&library, field, rule)?);
    }
    let mut generics = item.generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(parse_quote!('static));
        parameter.default = None;
    }
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let types: Vec<_> = generics.type_params().map(|parameter| &parameter.ident).collect();
    let docs = format!("The fields of a [`{ident}`] that is promised.");
    Ok(quote! {
        #[doc = #docs]
        #vis struct #client #impl_generics (
            #library::Remote,
            ::core::marker::PhantomData<fn() -> (#(#types,)*)>,
        ) #where_clause;

        impl #impl_generics #client #type_generics #where_clause {
            #(#methods)*
        }

        impl #impl_generics ::core::clone::Clone for #client #type_generics #where_clause {
            fn clone(&self) -> Self {
                Self(::core::clone::Clone::clone(&self.0), ::core::marker::PhantomData)
            }
        }

        impl #impl_generics #library::typed::Client for #client #type_generics #where_clause {
            fn new(remote: #library::Remote) -> Self {
                Self(remote, ::core::marker::PhantomData)
            }

            fn remote(&self) -> &#library::Remote {
                &self.0
            }
        }

        impl #impl_generics #library::typed::Promised for #ident #type_generics #where_clause {
            type Client = #client #type_generics;
        }
    })
}

fn render_field(library: &Path, field: &Field, rule: Rule) -> syn::Result<Option<TokenStream>> {
    let Some(ident) = &field.ident else { return Ok(None) };
    let serde = Serde::read(&field.attrs)?;
    if serde.skip || serde.flatten {
        return Ok(None);
    }
    let name = serde.rename.unwrap_or_else(|| rule.apply(ident));
    let docs = field.attrs.iter().filter(|attr| attr.path().is_ident("doc"));
    let (vis, ty) = (&field.vis, &field.ty);
    Ok(Some(quote! {
        #(#docs)*
        #vis fn #ident(&self) -> #library::Promise<#ty> {
            #library::__private::field(&self.0, #name)
        }
    }))
}

/// What the attribute `capnweb` says.
pub(crate) struct Options {
    pub(crate) library: Path,
    pub(crate) name: Option<String>,
}

impl Options {
    pub(crate) fn read(attrs: &[Attribute]) -> syn::Result<Self> {
        let mut read = Self { library: parse_quote!(::capnweb), name: None };
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("capnweb")) {
            attr.parse_nested_meta(|meta| {
                let value: LitStr = meta.value()?.parse()?;
                if meta.path.is_ident("crate") {
                    read.library = value.parse()?;
                } else if meta.path.is_ident("name") {
                    read.name = Some(value.value());
                } else {
                    return Err(meta.error("no such option: there are `crate` and `name`"));
                }
                Ok(())
            })?;
        }
        Ok(read)
    }
}

/// What serde is told of a struct that is not sent with its own fields.
const REPLACING: [&str; 4] = ["transparent", "into", "from", "try_from"];

/// What serde is told about the names of fields.
#[derive(Default)]
struct Serde {
    rename: Option<String>,
    rename_all: Option<Rule>,
    skip: bool,
    flatten: bool,
    /// What makes a struct something else on the wire, and where that is said.
    replaced: Option<(Span, String)>,
}

impl Serde {
    fn read(attrs: &[Attribute]) -> syn::Result<Self> {
        let mut read = Self::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
            attr.parse_nested_meta(|meta| {
                if let Some(name) = REPLACING.iter().find(|name| meta.path.is_ident(name)) {
                    read.replaced = Some((meta.path.span(), (*name).to_owned()));
                }
                if meta.path.is_ident("rename") && !meta.input.peek(syn::token::Paren) {
                    read.rename = Some(meta.value()?.parse::<LitStr>()?.value());
                } else if meta.path.is_ident("rename_all") && !meta.input.peek(syn::token::Paren) {
                    read.rename_all = Some(Rule::read(&meta.value()?.parse()?)?);
                } else if meta.path.is_ident("rename") || meta.path.is_ident("rename_all") {
                    // The callers' side reads what the other has serialized.
                    meta.parse_nested_meta(|nested| {
                        let name: LitStr = nested.value()?.parse()?;
                        match (nested.path.is_ident("serialize"), meta.path.is_ident("rename")) {
                            (true, true) => read.rename = Some(name.value()),
                            (true, false) => read.rename_all = Some(Rule::read(&name)?),
                            (false, _) => {}
                        }
                        Ok(())
                    })?;
                } else if meta.path.is_ident("skip") || meta.path.is_ident("skip_serializing") {
                    read.skip = true;
                } else if meta.path.is_ident("flatten") {
                    read.flatten = true;
                } else if meta.input.peek(syn::Token![=]) {
                    meta.value()?.parse::<syn::Expr>()?;
                } else if meta.input.peek(syn::token::Paren) {
                    let content;
                    syn::parenthesized!(content in meta.input);
                    content.parse::<TokenStream>()?;
                }
                Ok(())
            })?;
        }
        Ok(read)
    }
}
