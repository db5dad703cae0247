//! The called side of an interface: from a method's name to the method.

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::{Method, Model};

pub(crate) fn render(model: &Model) -> TokenStream {
    let Model { library, ident, bases, methods, .. } = model;
    let calls = methods.iter().filter(|m| !m.is_getter).map(|m| render_call(model, m));
    let names = methods.iter().filter(|m| !m.is_getter).map(|method| {
        let (cfg, name) = (method.attrs_of(&["cfg"]), &method.name);
        quote!(#(#cfg)* #name => true,)
    });
    let gets = methods.iter().filter(|m| m.is_getter).map(|m| render_get(model, m));
    let base = |base| quote!(<dyn #base as #library::typed::Serves<T>>);
    // What is none of its own methods is one of a base, or none at all.
    let (otherwise_call, otherwise_get) = match bases.split_last() {
        None => (quote!(_ => call.no_such_method()), quote!(_ => #library::Reply::undefined())),
        Some((last, others)) => {
            let (last, others) = (base(last), others.iter().map(base).collect::<Vec<_>>());
            (
                quote! {
                    #(name if #others::has_method(name) => #others::call(target, call),)*
                    _ => #last::call(target, call)
                },
                quote! {
                    #(name if #others::has_property(name) => #others::get(target, name),)*
                    name => #last::get(target, name)
                },
            )
        }
    };
    let properties = methods.iter().filter(|m| m.is_getter).map(|method| {
        let (cfg, name) = (method.attrs_of(&["cfg"]), &method.name);
        quote!(#(#cfg)* #name => true,)
    });
    let bases: Vec<_> = bases.iter().map(base).collect();
    quote! {
        impl<T: #ident> #library::typed::Serves<T> for dyn #ident + '_ {
            fn call(target: &::std::sync::Arc<T>, call: #library::Call) -> #library::Reply {
                match call.method() {
                    #(#calls)*
                    #otherwise_call
                }
            }

            fn get(target: &::std::sync::Arc<T>, property: &str) -> #library::Reply {
                let _ = target;
                match property {
                    #(#gets)*
                    #otherwise_get
                }
            }

            fn has_method(name: &str) -> bool {
                match name {
                    #(#names)*
                    _ => false #(|| #bases::has_method(name))*
                }
            }

            fn has_property(name: &str) -> bool {
                match name {
                    #(#properties)*
                    _ => false #(|| #bases::has_property(name))*
                }
            }
        }
    }
}

fn render_call(model: &Model, method: &Method) -> TokenStream {
    let Method { name, ident, is_async, parameters, .. } = method;
    let cfg = method.attrs_of(&["cfg"]);
    let (idents, types): (Vec<_>, Vec<_>) =
        method.arguments().map(|argument| (&argument.ident, &argument.ty)).unzip();
    let callers = parameters.iter().filter(|p| p.is_caller).map(|parameter| {
        let ident = &parameter.ident;
        quote!(let #ident = call.caller().clone();)
    });
    let all = parameters.iter().map(|parameter| &parameter.ident);
    let interface = &model.ident;
    let invoked = quote!(<T as #interface>::#ident(&target #(, #all)*));
    let answer = if *is_async {
        let result = outcome(model, method, quote!(#invoked.await));
        quote! {
            call.reply_async(move |(#(#idents,)*): (#(#types,)*)| async move { #result })
        }
    } else {
        let result = outcome(model, method, invoked);
        quote!(call.reply(move |(#(#idents,)*): (#(#types,)*)| #result))
    };
    quote! {
        #(#cfg)*
        #name => {
            let target = ::std::sync::Arc::clone(target);
            #(#callers)*
            #answer
        }
    }
}

fn render_get(model: &Model, method: &Method) -> TokenStream {
    let Model { library, ident: interface, .. } = model;
    let Method { name, ident, is_async, .. } = method;
    let cfg = method.attrs_of(&["cfg"]);
    let invoked = quote!(<T as #interface>::#ident(&target));
    let answer = if *is_async {
        let result = outcome(model, method, quote!(#invoked.await));
        quote!(#library::Reply::future(async move { #result }))
    } else {
        let result = outcome(model, method, invoked);
        quote!(#library::Reply::from_result(#result))
    };
    quote! {
        #(#cfg)*
        #name => {
            let target = ::std::sync::Arc::clone(target);
            #answer
        }
    }
}

/// The result of a method, with the error that is thrown.
fn outcome(model: &Model, method: &Method, value: TokenStream) -> TokenStream {
    let library = &model.library;
    match &method.output.result {
        None => quote!(::core::result::Result::<_, #library::Error>::Ok(#value)),
        Some(_) => quote!(#library::typed::Outcome::into_result(#value)),
    }
}
