//! The trait itself, as users implement it.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{TraitItem, parse_quote};

use crate::model::{Method, Model, Refused};

pub(crate) fn render(model: &Model) -> TokenStream {
    let Model { library, attrs, vis, ident, bases, methods, refused, .. } = model;
    let methods = methods.iter().map(|method| render_method(model, method));
    let Refused { unsafety, generics, members } = refused;
    let (parameters, where_clause) = (&generics.params, &generics.where_clause);
    let parameters = (!parameters.is_empty()).then(|| quote!(<#parameters>));
    let members = members.iter().map(render_refused);
    quote! {
        #(#attrs)*
        #vis #unsafety trait #ident #parameters:
            #(#bases +)* #library::MaybeSend + #library::MaybeSync + 'static
        #where_clause
        {
            #(#methods)*
            #(#members)*
        }
    }
}

/// An `async fn` promises nothing of its future, and keeps a trait from being `dyn`. What takes its
/// place does neither, and an `async fn` implements it.
fn render_method(model: &Model, method: &Method) -> TokenStream {
    let library = &model.library;
    let Method { attrs, ident, is_async, parameters, output, body, .. } = method;
    let parameters = parameters.iter().map(|parameter| {
        let (ident, ty) = (&parameter.ident, &parameter.ty);
        let mutability = parameter.mutability.filter(|_| body.is_some());
        quote!(#mutability #ident: #ty)
    });
    let ty = &output.ty;
    let (output, body) = if *is_async {
        (
            quote!(-> impl ::core::future::Future<Output = #ty> + #library::MaybeSend),
            body.as_ref().map(|body| quote!({ async move #body })),
        )
    } else if output.is_nothing() {
        (quote!(), body.as_ref().map(|body| quote!(#body)))
    } else {
        (quote!(-> #ty), body.as_ref().map(|body| quote!(#body)))
    };
    let body = body.unwrap_or_else(|| quote!(;));
    quote! {
        #(#attrs)*
        fn #ident(&self #(, #parameters)*) #output
        where
            Self: ::core::marker::Sized
        #body
    }
}

/// As it was written, but not in the way of `dyn` where that can be helped.
fn render_refused(member: &TraitItem) -> TokenStream {
    let TraitItem::Fn(method) = member else { return member.to_token_stream() };
    let mut method = method.clone();
    method.sig.generics.make_where_clause().predicates.push(parse_quote!(Self: Sized));
    quote!(#[allow(async_fn_in_trait)] #method)
}
