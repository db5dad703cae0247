//! The calling side of an interface.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::model::{Fallible, Method, Model};

/// What is said of the name of a `Result`.
const ALIAS: &str = "a method that can fail returns a `Result` under this name, by which alone it \
                     is known: write `Result<T, E>`";

pub(crate) fn render(model: &Model) -> TokenStream {
    let Model { library, vis, ident, client, bases, methods, .. } = model;
    let name = ident.to_string();
    let docs = format!(
        "Calls the methods of [`{ident}`]: what a `Stub<dyn {ident}>`, and the promise of one, \
         derefs to."
    );
    // What it extends can be called on it, too.
    let (inner, remote, make, deref) = match bases.first() {
        None => (quote!(#library::Remote), quote!(&self.0), quote!(remote), None),
        Some(base) => {
            let library = model.library_at(base.span());
            let inner = quote_spanned! {base.span()=>
                <dyn #base as #library::typed::Interface>::Client
            };
            let deref = quote! {
                impl ::core::ops::Deref for #client {
                    type Target = #inner;

                    fn deref(&self) -> &Self::Target {
                        &self.0
                    }
                }
            };
            (
                inner,
                quote!(#library::typed::Client::remote(&self.0)),
                quote!(#library::typed::Client::new(remote)),
                Some(deref),
            )
        }
    };
    let allow = model.allow_deprecated();
    let own = methods.iter().map(|method| {
        let (cfg, name) = (method.attrs_of(&["cfg"]), &method.name);
        quote!(#(#cfg)* #name)
    });
    let inherited = bases.iter().map(|base| {
        let library = model.library_at(base.span());
        quote_spanned!(base.span()=> <dyn #base as #library::typed::Interface>::NAMES)
    });
    let distinct = (!bases.is_empty()).then(|| {
        let library = model.library_at(ident.span());
        quote_spanned! {ident.span()=>
            const _: () = #library::typed::Names::assert_distinct(
                <dyn #ident as #library::typed::Interface>::NAMES,
            );
        }
    });
    let methods = methods.iter().map(|method| render_method(model, method));
    let extends = bases.iter().map(|base| {
        let library = model.library_at(base.span());
        quote_spanned! {base.span()=>
            impl #library::typed::Extends<dyn #base> for dyn #ident + '_ {}
        }
    });
    quote! {
        #[doc = #docs]
        #[derive(Clone)]
        #vis struct #client(#inner);

        impl #client {
            #(#methods)*
        }

        #deref

        impl #library::typed::Client for #client {
            fn new(remote: #library::Remote) -> Self {
                Self(#make)
            }

            fn remote(&self) -> &#library::Remote {
                #remote
            }
        }

        #allow
        impl #library::typed::Interface for dyn #ident + '_ {
            const NAME: &'static str = #name;
            const NAMES: #library::typed::Names = #library::typed::Names {
                own: &[#(#own),*],
                bases: &[#(#inherited),*],
            };
            type Client = #client;
        }

        #distinct
        #(#allow #extends)*
    }
}

/// What stands for an interface that is refused altogether.
pub(crate) fn render_unknown(model: &Model) -> TokenStream {
    let Model { library, ident, refused, .. } = model;
    let name = ident.to_string();
    let (parameters, arguments, where_clause) = refused.generics.split_for_impl();
    quote! {
        impl #parameters #library::typed::Interface for dyn #ident #arguments + '_ #where_clause {
            const NAME: &'static str = #name;
            type Client = #library::Remote;
        }
    }
}

fn render_method(model: &Model, method: &Method) -> TokenStream {
    let Model { library, vis, ident: interface, .. } = model;
    let Method { ident, name, is_getter, output, .. } = method;
    let interface = interface.to_string();
    let attrs = method.attrs_of(&["doc", "cfg", "deprecated"]);
    let arguments: Vec<_> = method.arguments().collect();
    let parameters = arguments.iter().map(|argument| {
        let (ident, ty) = (&argument.ident, &argument.ty);
        quote!(#ident: impl #library::typed::IntoArg<#ty>)
    });
    let values = arguments.iter().map(|argument| {
        let (ident, ty) = (&argument.ident, &argument.ty);
        let library = model.library_at(ty.span());
        quote_spanned!(ty.span()=> #library::__private::argument::<#ty>(#ident))
    });
    let value = output.promised(library);
    let promise = match &output.result {
        None => quote!(#library::Promise<#value>),
        Some(Fallible { failure: Some(failure), .. }) => {
            quote!(#library::Promise<#value, #failure>)
        }
        Some(Fallible { failure: None, .. }) => {
            let ty = &output.ty;
            quote!(#library::Promise<#value, <#ty as #library::typed::Outcome>::Failure>)
        }
    };
    let optional = Literal::usize_unsuffixed(method.optional());
    let kind = if *is_getter { quote!(getter) } else { quote!(new) };
    let span = method.arguments_span();
    let at_arguments = model.library_at(span);
    let ask = if *is_getter {
        quote_spanned!(span=> #at_arguments::__private::get::<#value, _>(self, &METHOD))
    } else {
        quote_spanned! {span=>
            #at_arguments::__private::call::<#value, _>(
                self,
                &METHOD,
                (#(#values,)*),
                #optional,
            )
        }
    };
    let checked = output.may_be_alias().then(|| {
        let ty = &output.ty;
        let library = model.library_at(ty.span());
        quote_spanned! {ty.span()=>
            const _: () = {
                #[allow(unused_imports)]
                use #library::__private::NoResult as _;
                ::core::assert!(!<#library::__private::Is<#ty>>::A_RESULT, #ALIAS);
            };
        }
    });
    // Whether those are too many is a question to the trait.
    let many = (arguments.len() > 6).then(|| quote!(#[allow(clippy::too_many_arguments)]));
    quote! {
        #(#attrs)*
        #many
        #vis fn #ident(&self #(, #parameters)*) -> #promise {
            static METHOD: #library::typed::Method =
                #library::typed::Method::#kind(#interface, #name);
            #checked
            #ask
        }
    }
}
