//! The called side of an interface: from a method's name to the method.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Ident, Path, spanned::Spanned};

use crate::model::{Fallible, Method, Model};

/// Names that no parameter of a method can be taken for.
struct Hidden {
    target: Ident,
    call: Ident,
}

impl Hidden {
    fn new() -> Self {
        let hidden = |name| Ident::new(name, Span::mixed_site());
        Self { target: hidden("target"), call: hidden("call") }
    }
}

pub(crate) fn render(model: &Model) -> TokenStream {
    let Model { library, ident, bases, methods, .. } = model;
    let Hidden { target, call } = &Hidden::new();
    let calls = methods.iter().filter(|m| !m.is_getter).map(|m| render_call(model, m));
    let names = methods.iter().filter(|m| !m.is_getter).map(|method| {
        let (cfg, name) = (method.attrs_of(&["cfg"]), &method.name);
        quote!(#(#cfg)* #name => true,)
    });
    let gets = methods.iter().filter(|m| m.is_getter).map(|m| render_get(model, m));
    let base = |base: &Path| {
        let library = model.library_at(base.span());
        quote_spanned!(base.span()=> <dyn #base as #library::typed::Serves<__T>>)
    };
    // What is none of its own methods is one of a base, or none at all.
    let (otherwise_call, otherwise_get) = match bases.split_last() {
        None => (quote!(_ => #call.no_such_method()), quote!(_ => #library::Reply::undefined())),
        Some((last, others)) => {
            let (last, others) = (base(last), others.iter().map(base).collect::<Vec<_>>());
            (
                quote! {
                    #(name if #others::has_method(name) => #others::call(#target, #call),)*
                    _ => #last::call(#target, #call)
                },
                quote! {
                    #(name if #others::has_property(name) => #others::get(#target, name),)*
                    name => #last::get(#target, name)
                },
            )
        }
    };
    let properties = methods.iter().filter(|m| m.is_getter).map(|method| {
        let (cfg, name) = (method.attrs_of(&["cfg"]), &method.name);
        quote!(#(#cfg)* #name => true,)
    });
    let unused = (bases.is_empty() && !methods.iter().any(|method| method.is_getter))
        .then(|| quote!(let _ = #target;));
    let bases: Vec<_> = bases.iter().map(base).collect();
    let in_base = |function: TokenStream| match &*bases {
        [] => quote!(false),
        bases => quote!(#(#bases::#function(name))||*),
    };
    let (method_in_base, property_in_base) =
        (in_base(quote!(has_method)), in_base(quote!(has_property)));
    let allow = model.allow_deprecated();
    quote! {
        #allow
        impl<__T: #ident> #library::typed::Serves<__T> for dyn #ident + '_ {
            fn call(#target: &::std::sync::Arc<__T>, #call: #library::Call) -> #library::Reply {
                match #call.method() {
                    #(#calls)*
                    #otherwise_call
                }
            }

            fn get(#target: &::std::sync::Arc<__T>, property: &str) -> #library::Reply {
                #unused
                match property {
                    #(#gets)*
                    #otherwise_get
                }
            }

            fn has_method(name: &str) -> bool {
                match name {
                    #(#names)*
                    _ => #method_in_base
                }
            }

            fn has_property(name: &str) -> bool {
                match name {
                    #(#properties)*
                    _ => #property_in_base
                }
            }
        }
    }
}

fn render_call(model: &Model, method: &Method) -> TokenStream {
    let Method { name, ident, is_async, parameters, .. } = method;
    let Hidden { target, call } = &Hidden::new();
    let attrs = arm_attrs(method);
    let (idents, types): (Vec<_>, Vec<_>) =
        method.arguments().map(|argument| (&argument.ident, &argument.ty)).unzip();
    let callers = parameters.iter().filter(|p| p.is_caller).map(|parameter| {
        let ident = &parameter.ident;
        quote!(let #ident = #call.caller().clone();)
    });
    let all = parameters.iter().map(|parameter| &parameter.ident);
    let interface = &model.ident;
    let (own, object) = object(method, target);
    let invoked = quote!(<__T as #interface>::#ident(#object #(, #all)*));
    let result = outcome(model, method, invoked);
    let (function, closure) =
        if *is_async { ("reply_async", quote!(async move { #result })) } else { ("reply", result) };
    let span = method.arguments_span();
    let (library, function) = (model.library_at(span), Ident::new(function, span));
    let answer = quote_spanned! {span=>
        #library::__private::#function::<(#(#types,)*), _>(
            #call,
            move |(#(#idents,)*)| #closure,
        )
    };
    quote! {
        #attrs
        #name => {
            #own
            #(#callers)*
            #answer
        }
    }
}

fn render_get(model: &Model, method: &Method) -> TokenStream {
    let Model { library, ident: interface, .. } = model;
    let Method { name, ident, is_async, .. } = method;
    let Hidden { target, .. } = &Hidden::new();
    let attrs = arm_attrs(method);
    let (own, object) = object(method, target);
    let invoked = quote!(<__T as #interface>::#ident(#object));
    let result = outcome(model, method, invoked);
    let answer = if *is_async {
        quote!(#library::__private::property_async(async move { #result }))
    } else {
        quote!(#library::__private::property(#result))
    };
    quote! {
        #attrs
        #name => {
            #own
            #answer
        }
    }
}

/// A future holds the object that it works on: a share of it, and how it is given.
fn object(method: &Method, target: &Ident) -> (Option<TokenStream>, TokenStream) {
    if method.is_async {
        (Some(quote!(let #target = ::std::sync::Arc::clone(#target);)), quote!(&#target))
    } else {
        (None, quote!(#target))
    }
}

/// A call of a deprecated method is the caller's to avoid.
fn arm_attrs(method: &Method) -> TokenStream {
    let cfg = method.attrs_of(&["cfg"]);
    let deprecated = method.attrs_of(&["deprecated"]).next().map(|_| quote!(#[allow(deprecated)]));
    quote!(#(#cfg)* #deprecated)
}

/// The result of a method, encoded, or the error that is thrown.
fn outcome(model: &Model, method: &Method, invoked: TokenStream) -> TokenStream {
    let waited = method.is_async.then(|| quote!(.await));
    let value = method.output.value();
    let library = model.library_at(value.span());
    let function = match &method.output.result {
        None => quote_spanned!(value.span()=> value::<#value>),
        Some(Fallible { failure: Some(failure), .. }) => {
            quote_spanned!(value.span()=> outcome::<#value, #failure>)
        }
        Some(Fallible { failure: None, .. }) => {
            quote_spanned!(value.span()=> outcome::<#value, _>)
        }
    };
    quote_spanned!(value.span()=> #library::__private::#function(#invoked #waited))
}
