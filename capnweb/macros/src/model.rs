//! An interface as it was written.
//!
//! Owns what a trait must be like to be an interface, and the sentences that say so. What is in a
//! [`Model`] can be rendered; nothing after it reports errors.

use std::collections::HashMap;

use proc_macro2::{Span, TokenStream};
use quote::format_ident;
use syn::{
    Attribute, Block, FnArg, GenericArgument, Ident, ItemTrait, LitStr, Pat, Path, PathArguments,
    Receiver, ReceiverKind, ReturnType, Safety, TraitItem, TraitItemFn, Type, TypeParamBound,
    Visibility, parse_quote, spanned::Spanned, visit::Visit,
};

use crate::names::Rule;

/// How many parameters serde reads into a tuple.
const MAX_PARAMETERS: usize = 16;

/// The bounds of a trait that are not interfaces.
const MARKERS: [&str; 4] = ["Send", "Sync", "MaybeSend", "MaybeSync"];

pub(crate) struct Model {
    /// Where the library is.
    pub(crate) library: Path,
    pub(crate) typescript: Option<TypeScript>,
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    /// The name of the generated client.
    pub(crate) client: Ident,
    /// The interfaces that this one extends.
    pub(crate) bases: Vec<Path>,
    pub(crate) methods: Vec<Method>,
}

/// That an interface is declared in TypeScript.
pub(crate) struct TypeScript {
    /// Its name there, unless it is the trait's.
    pub(crate) name: Option<LitStr>,
}

pub(crate) struct Method {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) ident: Ident,
    /// Its name on the wire.
    pub(crate) name: String,
    pub(crate) is_async: bool,
    pub(crate) is_getter: bool,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) output: Output,
    pub(crate) body: Option<Block>,
}

pub(crate) struct Parameter {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// Given by the library, and not by the caller.
    pub(crate) is_caller: bool,
}

pub(crate) struct Output {
    /// As it was written.
    pub(crate) ty: Type,
    /// What is in it if it is a `Result`; it cannot fail otherwise.
    pub(crate) result: Option<Fallible>,
}

pub(crate) struct Fallible {
    pub(crate) value: Type,
    /// Unless the type is an alias that does not show it.
    pub(crate) failure: Option<Type>,
}

impl Model {
    /// Reads an interface.
    ///
    /// # Errors
    /// All that keeps the trait from being one.
    pub(crate) fn read(options: TokenStream, item: ItemTrait) -> syn::Result<Self> {
        let mut errors = Errors::default();
        let options = Options::read(options)?;
        if let Some(generic) = item.generics.params.first() {
            errors.add(
                generic,
                "an interface cannot be generic, because its methods have one name each on the \
                 wire: write an interface for each type, or use `capnweb::Value` for what varies",
            );
        }
        if let Some(token) = &item.unsafety {
            errors.add(token, "an interface cannot be `unsafe`: its callers are on the other side");
        }
        let bases = read_bases(&item, &mut errors);
        let mut methods = Vec::new();
        for member in item.items {
            match member {
                TraitItem::Fn(method) => {
                    if let Some(method) = Method::read(method, options.rule, &mut errors) {
                        methods.push(method);
                    }
                }
                other => errors.add(
                    &other,
                    "an interface has methods only: what else belongs to an object belongs to the \
                     type that implements it",
                ),
            }
        }
        check_names(&methods, &mut errors);
        errors.finish()?;
        let client = format_ident!("{}Client", item.ident);
        Ok(Self {
            library: options.library,
            typescript: options.typescript,
            attrs: item.attrs,
            vis: item.vis,
            ident: item.ident,
            client,
            bases,
            methods,
        })
    }
}

impl Method {
    fn read(item: TraitItemFn, rule: Rule, errors: &mut Errors) -> Option<Self> {
        let before = errors.count();
        let TraitItemFn { attrs, sig, default, .. } = item;
        let (attrs, options) = MethodOptions::split(attrs, errors);
        if let Some(generic) = sig.generics.params.first() {
            errors.add(
                generic,
                "a method of an interface cannot be generic: its parameters have to be known to \
                 read what arrives; take a `capnweb::Value` or an enum instead",
            );
        }
        if let Safety::Unsafe(token) = &sig.safety {
            errors.add(
                token,
                "a method of an interface cannot be `unsafe`: its callers are on \
                               the other side",
            );
        }
        let mut inputs = sig.inputs.iter();
        match inputs.next() {
            Some(FnArg::Receiver(receiver)) => check_receiver(receiver, errors),
            _ => errors.add(
                &sig.ident,
                "a method of an interface is called on an object: its first parameter is `&self`",
            ),
        }
        let parameters: Vec<_> =
            inputs.filter_map(|input| Parameter::read(input, errors)).collect();
        let wire: Vec<_> = parameters.iter().filter(|p| !p.is_caller).collect();
        if let Some(parameter) = wire.get(MAX_PARAMETERS) {
            errors.add(
                &parameter.ident,
                "a method has up to 16 parameters: make one of several of them, a struct",
            );
        }
        let is_getter = options.get.is_some();
        if let (Some(span), false) = (options.get, wire.is_empty()) {
            errors.add_at(
                span,
                "a property is read without arguments: remove the parameters, or \
                                 `#[rpc(get)]`",
            );
        }
        let output = Output::read(&sig.output, errors);
        if errors.count() > before {
            return None;
        }
        let name = match &options.name {
            Some(name) => name.value(),
            None => rule.apply(&sig.ident),
        };
        Some(Self {
            attrs,
            name,
            is_async: sig.asyncness.is_some(),
            is_getter,
            ident: sig.ident,
            parameters,
            output,
            body: default,
        })
    }

    /// The parameters that travel.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(|parameter| !parameter.is_caller)
    }

    /// How many of the last parameters need not be given.
    pub(crate) fn optional(&self) -> usize {
        let arguments: Vec<_> = self.arguments().collect();
        arguments.iter().rev().take_while(|parameter| is_named(&parameter.ty, "Option")).count()
    }

    /// The attributes of these names.
    pub(crate) fn attrs_of(&self, names: &[&str]) -> impl Iterator<Item = &Attribute> {
        self.attrs.iter().filter(move |attr| names.iter().any(|name| attr.path().is_ident(name)))
    }
}

impl Parameter {
    fn read(input: &FnArg, errors: &mut Errors) -> Option<Self> {
        let FnArg::Typed(input) = input else { return None };
        let Pat::Ident(pattern) = &*input.pat else {
            errors.add(
                &input.pat,
                "a parameter of an interface's method has a name: take the \
                                    value apart in the implementation",
            );
            return None;
        };
        if let Some(attr) = input.attrs.first() {
            errors.add(attr, "no attributes are known on parameters");
        }
        check_type(&input.ty, errors);
        let is_caller = is_named(&input.ty, "Caller");
        Some(Self { ident: pattern.ident.clone(), ty: (*input.ty).clone(), is_caller })
    }
}

impl Output {
    fn read(output: &ReturnType, errors: &mut Errors) -> Self {
        let ty = match output {
            ReturnType::Default => parse_quote!(()),
            ReturnType::Type(_, ty) => (**ty).clone(),
        };
        check_type(&ty, errors);
        let result = Fallible::read(&ty);
        Self { ty, result }
    }
}

impl Fallible {
    fn read(ty: &Type) -> Option<Self> {
        let Type::Path(path) = ty else { return None };
        let last = path.path.segments.last().filter(|last| last.ident == "Result")?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
        let mut types = arguments.args.iter().filter_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty.clone()),
            _ => None,
        });
        Some(Self { value: types.next()?, failure: types.next() })
    }
}

/// What stands in the brackets behind `interface`.
struct Options {
    library: Path,
    rule: Rule,
    typescript: Option<TypeScript>,
}

impl Options {
    fn read(options: TokenStream) -> syn::Result<Self> {
        let mut read =
            Self { library: parse_quote!(::capnweb), rule: Rule::Camel, typescript: None };
        let parser = syn::meta::parser(|meta| {
            if meta.path.is_ident("rename_all") {
                read.rule = Rule::read(&meta.value()?.parse()?)?;
            } else if meta.path.is_ident("crate") {
                let path: LitStr = meta.value()?.parse()?;
                read.library = path.parse()?;
            } else if meta.path.is_ident("typescript") {
                let has_name = meta.input.peek(syn::Token![=]);
                let name = has_name.then(|| meta.value()?.parse()).transpose()?;
                read.typescript = Some(TypeScript { name });
            } else {
                return Err(meta.error(
                    "no such option of an interface: there are `rename_all = \"snake_case\"`, \
                     `typescript`, `typescript = \"Name\"` and `crate = \"path::to::capnweb\"`",
                ));
            }
            Ok(())
        });
        syn::parse::Parser::parse2(parser, options)?;
        Ok(read)
    }
}

/// What the attribute `rpc` says of a method.
#[derive(Default)]
struct MethodOptions {
    name: Option<LitStr>,
    get: Option<Span>,
}

impl MethodOptions {
    /// Separates them from the other attributes.
    fn split(attrs: Vec<Attribute>, errors: &mut Errors) -> (Vec<Attribute>, Self) {
        let mut options = Self::default();
        let (own, others) = attrs.into_iter().partition::<Vec<_>, _>(|a| a.path().is_ident("rpc"));
        for attr in own {
            let read = attr.parse_nested_meta(|meta| {
                if meta.path.is_ident("name") {
                    options.name = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("get") {
                    options.get = Some(meta.path.span());
                } else {
                    return Err(meta.error(
                        "no such option of a method: there are `name = \"onTheWire\"` and `get`",
                    ));
                }
                Ok(())
            });
            if let Err(error) = read {
                errors.0.push(error);
            }
        }
        (others, options)
    }
}

/// What has been found wrong.
#[derive(Default)]
struct Errors(Vec<syn::Error>);

impl Errors {
    fn add(&mut self, culprit: &impl quote::ToTokens, text: &str) {
        self.0.push(syn::Error::new_spanned(culprit, text));
    }

    fn add_at(&mut self, span: Span, text: &str) {
        self.0.push(syn::Error::new(span, text));
    }

    fn count(&self) -> usize {
        self.0.len()
    }

    fn finish(self) -> syn::Result<()> {
        let all = self.0.into_iter().reduce(|mut all, error| {
            all.combine(error);
            all
        });
        all.map_or(Ok(()), Err)
    }
}

/// The interfaces behind the colon.
fn read_bases(item: &ItemTrait, errors: &mut Errors) -> Vec<Path> {
    let mut bases = Vec::new();
    for bound in &item.supertraits {
        match bound {
            TypeParamBound::Trait(bound) => {
                let marker = MARKERS.iter().any(|name| is_last(&bound.path, name));
                if is_last(&bound.path, "Sized") {
                    errors
                        .add(bound, "an interface cannot be `Sized`: `dyn` of the trait names it");
                } else if !marker {
                    bases.push(bound.path.clone());
                }
            }
            TypeParamBound::Lifetime(_) => {}
            other => errors.add(other, "an interface extends other interfaces only"),
        }
    }
    bases
}

fn check_receiver(receiver: &Receiver, errors: &mut Errors) {
    if !matches!(receiver.kind, ReceiverKind::Reference(_, _, None)) {
        errors.add(
            receiver,
            "an object is called by many at a time: take `&self`, and keep what changes in a \
             `Mutex` or an atomic",
        );
    }
}

/// What arrives is owned: there is nothing that it could be borrowed from.
fn check_type(ty: &Type, errors: &mut Errors) {
    struct Borrowed<'a>(&'a mut Errors);
    impl<'ast> Visit<'ast> for Borrowed<'_> {
        fn visit_type_reference(&mut self, reference: &'ast syn::TypeReference) {
            let instead = match &*reference.elem {
                Type::Path(path) if path.path.is_ident("str") => "`String`",
                Type::Slice(_) => "a `Vec`",
                _ => "the type itself",
            };
            self.0.add(
                reference,
                &format!(
                    "what is sent is owned by who gets it, and cannot be borrowed: write \
                          {instead}"
                ),
            );
        }

        fn visit_type_impl_trait(&mut self, ty: &'ast syn::TypeImplTrait) {
            self.0.add(
                ty,
                "what is sent has one type: name it; a function is `Stub<dyn Fn(..) -> Result<..>>`, \
                 a stream is a `ReadableStream<..>`",
            );
        }

        fn visit_type_trait_object(&mut self, ty: &'ast syn::TypeTraitObject) {
            // Inside of `Stub<..>`, where it is not looked at, it is the name of an interface.
            self.0.add(ty, "an object is not sent, but a stub of it: write `Stub<dyn ..>`");
        }

        fn visit_path_segment(&mut self, segment: &'ast syn::PathSegment) {
            if segment.ident != "Stub" {
                syn::visit::visit_path_segment(self, segment);
            }
        }
    }
    Borrowed(errors).visit_type(ty);
}

fn check_names(methods: &[Method], errors: &mut Errors) {
    let mut known: HashMap<&str, &Method> = HashMap::new();
    for method in methods {
        if let Some(other) = known.insert(&method.name, method) {
            let text = format!(
                "`{}` is called {:?} on the wire, as `{}` is: give one of them another name, with \
                 `#[rpc(name = \"..\")]`",
                method.ident, method.name, other.ident,
            );
            errors.add(&method.ident, &text);
        }
        if method.name.is_empty() {
            errors.add(&method.ident, "a method has a name: `#[rpc(name = \"..\")]` gives it none");
        }
    }
}

/// Whether the type has this name, wherever it comes from.
fn is_named(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if is_last(&path.path, name))
}

fn is_last(path: &Path, name: &str) -> bool {
    path.segments.last().is_some_and(|last| last.ident == name)
}
