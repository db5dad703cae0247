//! Interfaces, as they tell of themselves.

use std::{any::TypeId, marker::PhantomData, path::PathBuf};

use ts_rs::{Config, TS, TypeVisitor};

use super::text::{self, Interface as Text};
use crate::{
    stub::Stub,
    target::Target,
    typed::{Failure, Interface},
};

/// An interface that can be declared in TypeScript.
///
/// Implemented for `dyn Api` by `#[capnweb::interface(typescript)]` on the trait `Api`, and for
/// functions, which are written where they are used.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be declared in TypeScript",
    label = "no interface with the option `typescript`",
    note = "write `#[capnweb::interface(typescript)]` in front of its trait"
)]
pub trait Declare: Interface {
    /// Whether it has a declaration of its own, which others refer to by its name.
    #[doc(hidden)]
    const IS_NAMED: bool = true;

    /// What stands for an object of this interface: the interface's name, or a function's type.
    fn name() -> String {
        Self::NAME.to_owned()
    }

    /// Tells what is in it.
    fn describe(to: &mut impl Describe);
}

/// What an interface describes itself to: its comments, its bases, then its members one by one,
/// each with its parameters in front of its result.
pub trait Describe {
    /// The lines of the comment on the interface.
    fn docs(&mut self, lines: &[&str]);

    /// An interface that it extends.
    fn base<I: Declare + ?Sized + 'static>(&mut self);

    /// Begins a method, of this name on the wire and with these lines of comment.
    fn method(&mut self, name: &str, docs: &[&str]);

    /// Begins a property.
    fn getter(&mut self, name: &str, docs: &[&str]);

    /// The next parameter of the method.
    fn parameter<T: TS + 'static>(&mut self, name: &str, is_optional: bool);

    /// The result of the method, or the type of the property.
    fn result<T: TS + 'static>(&mut self);
}

/// Stands for the interface itself: what is given is an object, and what comes is a stub of it.
impl<I: Declare + ?Sized> TS for Stub<I> {
    type WithoutGenerics = Self;
    type OptionInnerType = Self;

    fn name(_: &Config) -> String {
        I::name()
    }

    fn inline(_: &Config) -> String {
        I::name()
    }

    fn decl(_: &Config) -> String {
        let mut text = Text::default();
        I::describe(&mut text);
        text.declaration(&I::name())
    }

    fn decl_concrete(config: &Config) -> String {
        Self::decl(config)
    }

    fn docs() -> Option<String> {
        let mut text = Text::default();
        I::describe(&mut text);
        text.comment()
    }

    fn visit_dependencies(visitor: &mut impl TypeVisitor)
    where
        Self: 'static,
    {
        if I::IS_NAMED {
            I::describe(&mut Mentioned(visitor));
        }
    }

    fn visit_generics(visitor: &mut impl TypeVisitor)
    where
        Self: 'static,
    {
        if !I::IS_NAMED {
            I::describe(&mut Mentioned(visitor));
        }
    }

    fn output_path() -> Option<PathBuf> {
        I::IS_NAMED.then(|| interface_path(&I::name()))
    }
}

/// Shows a visitor all types that an interface mentions.
struct Mentioned<'a, V>(&'a mut V);

impl<V: TypeVisitor> Describe for Mentioned<'_, V> {
    fn docs(&mut self, _: &[&str]) {}

    fn base<I: Declare + ?Sized + 'static>(&mut self) {
        self.0.visit::<Stub<I>>();
    }

    fn method(&mut self, _: &str, _: &[&str]) {}

    fn getter(&mut self, _: &str, _: &[&str]) {}

    fn parameter<T: TS + 'static>(&mut self, _: &str, _: bool) {
        self.0.visit::<Mention<T>>();
    }

    fn result<T: TS + 'static>(&mut self) {
        if !is_unit::<T>() {
            self.0.visit::<Mention<T>>();
        }
    }
}

/// A type that is written by itself, and not as a part of what mentions it: which integers are
/// bigints is decided for each.
struct Mention<T>(PhantomData<T>);

impl<T: TS> TS for Mention<T> {
    type WithoutGenerics = T::WithoutGenerics;
    type OptionInnerType = Self;

    fn name(config: &Config) -> String {
        T::name(config)
    }

    fn inline(config: &Config) -> String {
        T::inline(config)
    }

    fn visit_dependencies(visitor: &mut impl TypeVisitor)
    where
        Self: 'static,
    {
        visitor.visit::<T>();
        T::visit_generics(visitor);
    }
}

/// Whether nothing comes of it. Where this is the whole of a result it is `void`.
pub(super) fn is_unit<T: 'static>() -> bool {
    TypeId::of::<T>() == TypeId::of::<()>()
}

/// Nothing is known of such an object.
impl Declare for dyn Target + '_ {
    const IS_NAMED: bool = false;

    fn name() -> String {
        "RpcStub<any>".to_owned()
    }

    fn describe(_: &mut impl Describe) {}
}

macro_rules! functions {
    ($(($($name:ident $text:literal)*))*) => {$(
        impl<$($name,)* R, X> Declare for fn($($name),*) -> Result<R, X>
        where
            $($name: TS + 'static,)*
            R: TS + 'static,
            X: Failure,
        {
            const IS_NAMED: bool = false;

            fn name() -> String {
                let parameters: &[String] =
                    &[$(format!("{}: {}", $text, text::bare(&text::received::<$name>()))),*];
                // In parentheses, because it may become a part of a union.
                format!("(({}) => {})", parameters.join(", "), text::returned::<R>())
            }

            fn describe(to: &mut impl Describe) {
                $(to.parameter::<$name>($text, false);)*
                to.result::<R>();
            }
        }
    )*};
}

functions! {
    ()
    (A "a")
    (A "a" B "b")
    (A "a" B "b" C "c")
    (A "a" B "b" C "c" D "d")
    (A "a" B "b" C "c" D "d" E "e")
    (A "a" B "b" C "c" D "d" E "e" G "f")
}

/// The name of the interface, if this is the stub of one that has a name.
pub(super) fn interface_name<T: TS + ?Sized>() -> Option<String> {
    let path = T::output_path()?;
    let name = T::ident(&Config::new());
    (path == interface_path(&name)).then_some(name)
}

/// What [`TS`] asks for of what is declared. No file is ever written there: it tells interfaces
/// from data, whose paths do not end like this.
fn interface_path(name: &str) -> PathBuf {
    format!("{name}.interface.d.ts").into()
}
