//! `derive(Failure)`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

pub(crate) fn render(item: &DeriveInput) -> syn::Result<TokenStream> {
    let ident = &item.ident;
    if let Some(generic) = item.generics.params.first() {
        let text = "what a method fails with cannot be generic: name the types that it holds";
        return Err(syn::Error::new_spanned(generic, text));
    }
    let options = crate::record::Options::read(&item.attrs)?;
    let library = options.library;
    let name = options.name.unwrap_or_else(|| ident.to_string());
    Ok(quote! {
        impl #library::typed::Failure for #ident {
            type Seen = #library::typed::CallError<Self>;

            fn into_error(self) -> #library::Error {
                #library::__private::throw(#name, &self)
            }

            fn seen(error: #library::Error) -> Self::Seen {
                #library::__private::caught(#name, error)
            }
        }
    })
}
