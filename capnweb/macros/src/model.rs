//! An interface as it was written.
//!
//! Owns what a trait must be like to be an interface, and the sentences that say so. What is in a
//! [`Model`] can be rendered; nothing after it reports errors. A trait that is refused is rendered
//! too, as far as it goes, so that the rest of the program isn't reported along with it.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{
    Attribute, Block, FnArg, GenericArgument, Generics, Ident, ItemTrait, LitStr, Pat, PatIdent,
    Path, PathArguments, PathSegment, Receiver, ReceiverKind, ReturnType, Safety, Signature, Token,
    TraitItem, TraitItemFn, Type, TypeParamBound, Visibility, meta::ParseNestedMeta, parse_quote,
    parse_quote_spanned, spanned::Spanned, visit::Visit,
};

use crate::{names::Rule, typescript};

/// How many parameters serde reads into a tuple.
const MAX_PARAMETERS: usize = 16;

/// The bounds of a trait that are not interfaces.
const MARKERS: [&str; 4] = ["Send", "Sync", "MaybeSend", "MaybeSync"];

/// Bounds that are often written, and are none of an interface's.
const FOREIGN: [&str; 12] = [
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Display",
    "Eq",
    "Hash",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Sized",
    "Unpin",
];

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
    pub(crate) refused: Refused,
}

/// What was refused of a trait: it is declared as it was written, for those who implement and call
/// it, and can't be called from the other side.
#[derive(Default)]
pub(crate) struct Refused {
    pub(crate) unsafety: Option<Token![unsafe]>,
    pub(crate) generics: Generics,
    pub(crate) members: Vec<TraitItem>,
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
    /// For the body that the trait gives the method.
    pub(crate) mutability: Option<Token![mut]>,
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
    /// Reads an interface, and all that keeps the trait from being one.
    pub(crate) fn read(options: TokenStream, item: ItemTrait) -> (Self, Option<syn::Error>) {
        let mut errors = Errors::default();
        let options = Options::read(options, &mut errors);
        if let Some(generic) = item.generics.params.first() {
            errors.add(
                generic,
                "an interface cannot be generic, because its methods have one name each on the \
                 wire: write an interface for each type, or use `capnweb::Value` for what varies",
            );
        }
        if let Some(token) = &item.unsafety {
            errors.add(
                token,
                "an interface cannot be `unsafe`, because its callers are on the other side: \
                 remove this",
            );
        }
        let bases = read_bases(&item, &mut errors);
        let mut refused =
            Refused { unsafety: item.unsafety, generics: item.generics, members: Vec::new() };
        let mut methods = Vec::new();
        for mut member in item.items {
            let before = errors.count();
            match &mut member {
                TraitItem::Fn(written) => {
                    let method = Method::read(written, &options, &mut errors);
                    check_name(&method, &methods, &mut errors);
                    if errors.count() == before {
                        methods.push(method);
                        continue;
                    }
                }
                other => errors.add(
                    other,
                    "an interface has methods only: what else belongs to an object belongs to the \
                     type that implements it",
                ),
            }
            refused.members.push(member);
        }
        let model = Self {
            library: options.library,
            typescript: options.typescript,
            attrs: item.attrs,
            vis: item.vis,
            client: format_ident!("{}Client", item.ident),
            ident: item.ident,
            bases,
            methods,
            refused,
        };
        (model, errors.finish())
    }

    /// A deprecated interface is its users' to avoid, and not the macro's.
    pub(crate) fn allow_deprecated(&self) -> Option<TokenStream> {
        let is_deprecated = self.attrs.iter().any(|attr| attr.path().is_ident("deprecated"));
        is_deprecated.then(|| quote!(#[allow(deprecated)]))
    }

    /// The library, for code that is to blame on this place if it does not compile.
    pub(crate) fn library_at(&self, span: Span) -> TokenStream {
        let library = self.library.to_token_stream().into_iter();
        library
            .map(|mut token| {
                token.set_span(span);
                token
            })
            .collect()
    }
}

impl Method {
    /// Reads a method, and takes the attributes that are the macro's own from it.
    fn read(item: &mut TraitItemFn, interface: &Options, errors: &mut Errors) -> Self {
        let options = MethodOptions::take(&mut item.attrs, errors);
        let TraitItemFn { attrs, sig, default, .. } = item;
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
                "a method of an interface cannot be `unsafe`, because its callers are on the other \
                 side: remove this",
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
        let output = Output::read(sig, errors);
        let (name, span) = match &options.name {
            Some(name) => (name.value(), name.span()),
            None => (interface.rule.apply(&sig.ident), sig.ident.span()),
        };
        if interface.typescript.is_some() && typescript::is_kept(&name) {
            errors.add_at(
                span,
                &format!(
                    "stubs of the JavaScript package keep {name:?} for themselves, so that it \
                     can't be called in TypeScript: give it another name, with \
                     `#[rpc(name = \"..\")]`"
                ),
            );
        }
        Self {
            attrs: attrs.clone(),
            name,
            is_async: sig.asyncness.is_some(),
            is_getter,
            ident: sig.ident.clone(),
            parameters,
            output,
            body: default.clone(),
        }
    }

    /// What is to blame for a list of all arguments.
    pub(crate) fn arguments_span(&self) -> Span {
        let mut arguments = self.arguments();
        match (arguments.next(), arguments.next()) {
            (Some(only), None) => only.ty.span(),
            _ => self.ident.span(),
        }
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
        let Pat::Ident(PatIdent { by_ref: None, mutability, ident, subpat: None, .. }) =
            &*input.pat
        else {
            errors.add(
                &input.pat,
                "a parameter of an interface's method is a name, which callers see: take the value \
                 apart in the implementation",
            );
            return None;
        };
        if let Some(attr) = input.attrs.first() {
            errors.add(attr, "no attributes are known on parameters");
        }
        check_type(&input.ty, errors);
        let is_caller = is_of_library(&input.ty, "Caller").is_some();
        Some(Self {
            mutability: *mutability,
            ident: ident.clone(),
            ty: (*input.ty).clone(),
            is_caller,
        })
    }
}

impl Output {
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(&self.ty, Type::Tuple(tuple) if tuple.elems.is_empty())
    }

    /// The type of the value if all goes well.
    pub(crate) fn value(&self) -> &Type {
        self.result.as_ref().map_or(&self.ty, |result| &result.value)
    }

    /// What the caller's promise is of: a promise that is returned is followed.
    pub(crate) fn promised(&self, library: &Path) -> Type {
        let value = self.value();
        match is_of_library(value, "Promise") {
            Some(promise) => {
                let untyped = || parse_quote_spanned!(promise.span()=> #library::Value);
                types_of(promise).next().unwrap_or_else(untyped)
            }
            None => value.clone(),
        }
    }

    /// Whether this may be a `Result` by another name.
    pub(crate) fn may_be_alias(&self) -> bool {
        /// Names that hardly anybody gives to something else.
        const PLAIN: [&str; 23] = [
            "bool",
            "char",
            "f32",
            "f64",
            "i8",
            "i16",
            "i32",
            "i64",
            "i128",
            "isize",
            "u8",
            "u16",
            "u32",
            "u64",
            "u128",
            "usize",
            "String",
            "Vec",
            "Option",
            "Stub",
            "Promise",
            "Value",
            "ReadableStream",
        ];
        let Type::Path(path) = &self.ty else { return false };
        self.result.is_none() && !PLAIN.iter().any(|name| is_last(&path.path, name))
    }

    fn read(sig: &Signature, errors: &mut Errors) -> Self {
        let ty = match &sig.output {
            ReturnType::Default => parse_quote_spanned!(sig.ident.span()=> ()),
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
        let mut types = types_of(last);
        Some(Self { value: types.next()?, failure: types.next() })
    }
}

/// The types in the brackets behind a name.
fn types_of(segment: &PathSegment) -> impl Iterator<Item = Type> {
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    arguments.into_iter().flatten().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    })
}

/// What stands in the brackets behind `interface`.
struct Options {
    library: Path,
    rule: Rule,
    typescript: Option<TypeScript>,
}

impl Options {
    fn read(options: TokenStream, errors: &mut Errors) -> Self {
        let mut read =
            Self { library: parse_quote!(::capnweb), rule: Rule::Camel, typescript: None };
        let parser = syn::meta::parser(|meta| {
            if meta.path.is_ident("rename_all") {
                read.rule = Rule::read(&text(&meta, "camelCase")?)?;
            } else if meta.path.is_ident("crate") {
                read.library = text(&meta, "path::to::capnweb")?.parse()?;
            } else if meta.path.is_ident("typescript") {
                let has_name = meta.input.peek(Token![=]);
                let name = has_name.then(|| text(&meta, "Name")).transpose()?;
                read.typescript = Some(TypeScript { name });
            } else {
                return Err(meta.error(
                    "no such option of an interface: there are `rename_all = \"snake_case\"`, \
                     `typescript`, `typescript = \"Name\"` and `crate = \"path::to::capnweb\"`",
                ));
            }
            Ok(())
        });
        if let Err(error) = syn::parse::Parser::parse2(parser, options) {
            errors.0.push(error);
        }
        read
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
    fn take(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        for attr in attrs.extract_if(.., |attr| attr.path().is_ident("rpc")) {
            let read = attr.parse_nested_meta(|meta| {
                if meta.path.is_ident("name") {
                    options.name = Some(text(&meta, "onTheWire")?);
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
        options
    }
}

/// The value of an option, which is written as in the example.
fn text(meta: &ParseNestedMeta<'_>, example: &str) -> syn::Result<LitStr> {
    meta.value().and_then(|value| value.parse()).map_err(|_| {
        let name = meta.path.get_ident().map(Ident::to_string).unwrap_or_default();
        meta.error(format_args!("`{name}` has a text for a value: `{name} = {example:?}`"))
    })
}

/// What has been found wrong.
#[derive(Default)]
struct Errors(Vec<syn::Error>);

impl Errors {
    fn add(&mut self, culprit: &impl ToTokens, text: &str) {
        self.0.push(syn::Error::new_spanned(culprit, text));
    }

    fn add_at(&mut self, span: Span, text: &str) {
        self.0.push(syn::Error::new(span, text));
    }

    fn count(&self) -> usize {
        self.0.len()
    }

    fn finish(self) -> Option<syn::Error> {
        self.0.into_iter().reduce(|mut all, error| {
            all.combine(error);
            all
        })
    }
}

/// The interfaces behind the colon.
fn read_bases(item: &ItemTrait, errors: &mut Errors) -> Vec<Path> {
    let mut bases = Vec::new();
    for bound in &item.supertraits {
        match bound {
            TypeParamBound::Trait(bound) => {
                let marker = MARKERS.iter().any(|name| is_last(&bound.path, name));
                if let Some(name) = FOREIGN.iter().find(|name| is_last(&bound.path, name)) {
                    errors.add(
                        bound,
                        &format!(
                            "an interface extends other interfaces only: ask for `{name}` where \
                             the type that implements it is known"
                        ),
                    );
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
                "what is sent has one type: name it; a function is `Stub<fn(..) -> Result<..>>`, \
                 a stream is a `ReadableStream<..>`",
            );
        }

        fn visit_type_trait_object(&mut self, ty: &'ast syn::TypeTraitObject) {
            // Inside of `Stub<..>`, where it is not looked at, it is the name of an interface.
            self.0.add(ty, "an object is not sent, but a stub of it: write `Stub<dyn ..>`");
        }

        fn visit_path_segment(&mut self, segment: &'ast PathSegment) {
            if segment.ident == "Self" {
                self.0.add(
                    segment,
                    "callers do not know the type that implements the interface: name a type, or \
                     take a stub, `Stub<dyn ..>`",
                );
            } else if segment.ident != "Stub" {
                syn::visit::visit_path_segment(self, segment);
            }
        }
    }
    Borrowed(errors).visit_type(ty);
}

/// Names are given once, by methods that are not there at the same time aside.
fn check_name(method: &Method, others: &[Method], errors: &mut Errors) {
    let is_certain = |method: &Method| method.attrs_of(&["cfg"]).next().is_none();
    let mut same = others.iter().filter(|other| other.name == method.name);
    if let Some(other) = same.find(|other| is_certain(method) && is_certain(other)) {
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

/// The name of a type of the library, which stands alone or behind the library's.
fn is_of_library<'a>(ty: &'a Type, name: &str) -> Option<&'a PathSegment> {
    let Type::Path(path) = ty else { return None };
    let mut segments = path.path.segments.iter().rev();
    let last = segments.next().filter(|last| last.ident == name)?;
    segments.next().is_none_or(|module| module.ident == "capnweb").then_some(last)
}

/// Whether the type has this name, wherever it comes from.
fn is_named(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if is_last(&path.path, name))
}

fn is_last(path: &Path, name: &str) -> bool {
    path.segments.last().is_some_and(|last| last.ident == name)
}
