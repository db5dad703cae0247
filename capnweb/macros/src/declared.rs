//! The trait itself, as users implement it.

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::{Method, Model};

pub(crate) fn render(model: &Model) -> TokenStream {
    let Model { library, attrs, vis, ident, bases, methods, .. } = model;
    let methods = methods.iter().map(|method| render_method(model, method));
    quote! {
        #(#attrs)*
        #vis trait #ident:
            #(#bases +)* #library::MaybeSend + #library::MaybeSync + 'static
        {
            #(#methods)*
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
        quote!(#ident: #ty)
    });
    let ty = &output.ty;
    let (output, body) = if *is_async {
        (
            quote!(impl ::core::future::Future<Output = #ty> + #library::MaybeSend),
            body.as_ref().map(|body| quote!({ async move #body })),
        )
    } else {
        (quote!(#ty), body.as_ref().map(|body| quote!(#body)))
    };
    let body = body.unwrap_or_else(|| quote!(;));
    quote! {
        #(#attrs)*
        fn #ident(&self #(, #parameters)*) -> #output
        where
            Self: ::core::marker::Sized
        #body
    }
}
