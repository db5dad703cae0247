//! What an interface tells of itself to be declared in TypeScript.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Attribute, Expr, Meta, spanned::Spanned};

use crate::{
    model::{Method, Model},
    names::Rule,
};

/// What a stub of the JavaScript package has itself, and JavaScript's objects: it is never sent.
const KEPT: [&str; 18] = [
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "__proto__",
    "catch",
    "constructor",
    "dup",
    "finally",
    "hasOwnProperty",
    "isPrototypeOf",
    "map",
    "onRpcBroken",
    "propertyIsEnumerable",
    "then",
    "toLocaleString",
    "toString",
    "valueOf",
];

/// Whether callers in TypeScript would get something else than the member of this name.
pub(crate) fn is_kept(name: &str) -> bool {
    KEPT.contains(&name)
}

/// Nothing, unless the interface has the option.
pub(crate) fn render(model: &Model) -> Option<TokenStream> {
    let Model { library, ident, bases, methods, .. } = model;
    let options = model.typescript.as_ref()?;
    let name = options.name.as_ref().map(|name| {
        quote! {
            fn name() -> ::std::string::String {
                ::std::string::String::from(#name)
            }
        }
    });
    let docs = docs(&model.attrs);
    let methods = methods.iter().map(render_method);
    Some(quote! {
        impl #library::typescript::Declare for dyn #ident + '_ {
            #name

            fn describe(to: &mut impl #library::typescript::Describe) {
                to.docs(&[#(#docs),*]);
                #(to.base::<dyn #bases>();)*
                #(#methods)*
            }
        }
    })
}

fn render_method(method: &Method) -> TokenStream {
    let Method { name, is_getter, output, .. } = method;
    let cfg = method.attrs_of(&["cfg"]);
    let docs = docs(&method.attrs);
    let begin = if *is_getter { quote!(getter) } else { quote!(method) };
    let count = method.arguments().count();
    let optional = method.optional();
    let parameters = method.arguments().enumerate().map(|(index, parameter)| {
        let ty = &parameter.ty;
        let name = Rule::Camel.apply(&parameter.ident);
        let is_optional = index >= count - optional;
        quote_spanned!(ty.span()=> to.parameter::<#ty>(#name, #is_optional);)
    });
    let result = output.result.as_ref().map_or(&output.ty, |result| &result.value);
    let result = quote_spanned!(result.span()=> to.result::<#result>(););
    quote! {
        #(#cfg)*
        {
            to.#begin(#name, &[#(#docs),*]);
            #(#parameters)*
            #result
        }
    }
}

/// What the doc comments say, which may be computed.
fn docs(attrs: &[Attribute]) -> impl Iterator<Item = &Expr> {
    attrs.iter().filter(|attr| attr.path().is_ident("doc")).filter_map(|attr| match &attr.meta {
        Meta::NameValue(docs) => Some(&docs.value),
        _ => None,
    })
}
