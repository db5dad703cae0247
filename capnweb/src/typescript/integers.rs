//! Which integers are numbers, and which are bigints.
//!
//! On the wire those of 64 bits are numbers and those of 128 are bigints. The derived
//! implementations of [`TS`] write both in the same way, but they show a visitor which ones they
//! write, so that the way can be chosen for each declaration, and each type in a signature.

use std::{
    any::TypeId,
    num::{NonZeroI64, NonZeroI128, NonZeroU64, NonZeroU128},
};

use ts_rs::{Config, TS, TypeVisitor};

/// What of a type's own text cannot be left to [`TS`].
#[derive(Clone, Copy, Default)]
pub(super) struct Contents {
    has_64_bits: bool,
    has_128_bits: bool,
    /// Whether there is a `()`, which is `undefined` on the wire and would be written as `null`.
    pub(super) has_unit: bool,
}

impl Contents {
    /// What the name of a type mentions, as in `Page<u128>`.
    pub(super) fn of_name<T: TS + ?Sized + 'static>() -> Self {
        let mut contents = Self::default();
        contents.visit::<T>();
        T::visit_generics(&mut contents);
        contents
    }

    /// What the declaration of a type mentions.
    pub(super) fn of_declaration<T: TS + ?Sized + 'static>() -> Self {
        let mut contents = Self::default();
        // What a generic type was given is not in its declaration.
        T::WithoutGenerics::visit_dependencies(&mut contents);
        contents
    }

    /// Whether there are integers of both kinds, one of which would be written wrongly.
    pub(super) fn is_mixed(self) -> bool {
        self.has_64_bits && self.has_128_bits
    }

    /// How these contents are written.
    pub(super) fn config(self) -> Config {
        Config::new().with_large_int(if self.has_128_bits { "bigint" } else { "number" })
    }
}

impl TypeVisitor for Contents {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        let id = TypeId::of::<T>();
        self.has_64_bits |= [
            TypeId::of::<i64>(),
            TypeId::of::<u64>(),
            TypeId::of::<NonZeroI64>(),
            TypeId::of::<NonZeroU64>(),
        ]
        .contains(&id);
        self.has_128_bits |= [
            TypeId::of::<i128>(),
            TypeId::of::<u128>(),
            TypeId::of::<NonZeroI128>(),
            TypeId::of::<NonZeroU128>(),
        ]
        .contains(&id);
        self.has_unit |= id == TypeId::of::<()>();
    }
}

/// A type as it is written in a signature.
pub(super) fn written<T: TS + 'static>() -> String {
    T::name(&Contents::of_name::<T>().config())
}
