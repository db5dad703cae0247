//! This crate's values, as they are called in TypeScript.

use ts_rs::{Config, TS, TypeVisitor};

use crate::{
    fetch::{Blob, Headers, Request, Response},
    promise::Promise,
    stream::{ReadableStream, WritableStream},
    typed::Arg,
    value::{BigInt, Bytes, Date, Exception, Object, Value},
};

macro_rules! values {
    ($($type:ty => $name:literal)*) => {$(
        impl TS for $type {
            type WithoutGenerics = Self;
            type OptionInnerType = Self;

            fn name(_: &Config) -> String {
                $name.to_owned()
            }

            fn inline(config: &Config) -> String {
                Self::name(config)
            }

            fn inline_flattened(config: &Config) -> String {
                Self::name(config)
            }
        }
    )*};
}

values! {
    BigInt => "bigint"
    Blob => "Blob"
    Bytes => "Uint8Array"
    Date => "Date"
    Exception => "Error"
    Headers => "Headers"
    Object => "{ [key in string]: unknown }"
    Request => "Request"
    Response => "Response"
    Value => "unknown"
}

/// What a generic type was given is mentioned with it.
macro_rules! mentions_parameter {
    () => {
        fn visit_generics(visitor: &mut impl TypeVisitor)
        where
            Self: 'static,
        {
            visitor.visit::<T>();
            T::visit_generics(visitor);
        }
    };
}

macro_rules! streams {
    ($($type:ident)*) => {$(
        impl<T: TS> TS for $type<T> {
            type WithoutGenerics = $type<ts_rs::Dummy>;
            type OptionInnerType = Self;

            fn name(config: &Config) -> String {
                format!(concat!(stringify!($type), "<{}>"), T::name(config))
            }

            fn inline(config: &Config) -> String {
                Self::name(config)
            }

            mentions_parameter!();
        }
    )*};
}

streams! { ReadableStream WritableStream }

macro_rules! transparent {
    ($($type:ident<T $(, $other:ident)*>)*) => {$(
        impl<T: TS $(, $other)*> TS for $type<T $(, $other)*> {
            type WithoutGenerics = T::WithoutGenerics;
            type OptionInnerType = T::OptionInnerType;

            const IS_OPTION: bool = T::IS_OPTION;
            const IS_ENUM: bool = T::IS_ENUM;

            fn name(config: &Config) -> String {
                T::name(config)
            }

            fn inline(config: &Config) -> String {
                T::inline(config)
            }

            mentions_parameter!();
        }
    )*};
}

// The JavaScript package accepts promises everywhere, and answers with nothing else.
transparent! { Arg<T> Promise<T, E> }
