//! TypeScript declarations of interfaces, for callers that use the JavaScript package.
//!
//! An interface with the option `typescript` can be declared, if the types in its signatures
//! implement [`TS`], of the crate `ts-rs`: this crate's own do, and data derive it beside serde's
//! traits. It follows the most usual of their attributes; what to write beside
//! [the others](#serdes-attributes) is below.
//!
//! ```
//! use capnweb::{Result, Stub, typescript::{Declarations, TS}};
//! use serde::{Deserialize, Serialize};
//!
//! #[capnweb::interface(typescript)]
//! pub trait Counters {
//!     /// A counter of this name, which begins at 0.
//!     async fn open(&self, name: String, step: Option<u32>) -> Result<Stub<dyn Counter>>;
//! }
//!
//! #[capnweb::interface(typescript)]
//! pub trait Counter {
//!     async fn read(&self) -> Result<Reading>;
//!     async fn watch(&self, on_change: Stub<fn(u32) -> Result<()>>) -> Result<()>;
//! }
//!
//! #[derive(Serialize, Deserialize, TS)]
//! #[serde(rename_all = "camelCase")]
//! #[ts(crate = "capnweb::typescript::ts_rs")]
//! pub struct Reading {
//!     current_value: u32,
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = Declarations::new().interface::<dyn Counters>().render()?;
//! # let (_, text) = text.split_once('\n').unwrap();
//! assert_eq!(text, r#"import type { RpcTarget } from "capnweb";
//!
//! export interface Counter extends RpcTarget {
//!   read(): Reading | Promise<Reading>;
//!   watch(onChange: (a: number) => void | Promise<void>): void | Promise<void>;
//! }
//!
//! export interface Counters extends RpcTarget {
//!   /** A counter of this name, which begins at 0. */
//!   open(name: string, step?: number | null): Counter | Promise<Counter>;
//! }
//!
//! export type Reading = { currentValue: number };
//! "#);
//! # Ok(())
//! # }
//! ```
//!
//! In TypeScript this is used as `newWebSocketRpcSession<Counters>(url)`, whose result is an
//! `RpcStub<Counters>`; that type makes promises of the results, and lets promises and stubs be
//! given as arguments. A class that `extends RpcTarget implements Counter` can be given where a
//! `Counter` is asked for.
//!
//! # Getting the file
//!
//! Only Rust knows its types, so it takes a program of a few lines to write them down. A test keeps
//! the file from falling behind:
//!
//! ```no_run
//! # use capnweb::typescript::{Declarations, DeclareError};
//! # #[capnweb::interface(typescript)]
//! # trait Api {}
//! #[test]
//! # fn test() {}
//! fn declarations_are_current() -> Result<(), DeclareError> {
//!     Declarations::new().interface::<dyn Api>().check("api.d.ts")
//! }
//! # declarations_are_current().unwrap();
//! ```
//!
//! It fails where the file is not what the interfaces say, and with `CAPNWEB_UPDATE=1` in the
//! environment it writes the file. A program whose `main` is [`command`](Declarations::command)
//! writes it too, wherever its argument says, and the build script of a crate that depends on the
//! one with the interfaces calls [`write_to`](Declarations::write_to).
//!
//! Where nothing but tests need this, name the feature under `[dev-dependencies]` and write
//! `#[cfg_attr(test, capnweb::interface(typescript))]` and
//! `#[cfg_attr(not(test), capnweb::interface)]`.
//!
//! # Types
//!
//! | Rust | TypeScript |
//! |---|---|
//! | integers of up to 64 bits, floats | `number` |
//! | `i128`, `u128`, [`BigInt`](crate::value::BigInt) | `bigint` |
//! | [`Date`](crate::value::Date), [`Exception`](crate::value::Exception) | `Date`, `Error` |
//! | [`Bytes`](crate::value::Bytes) | `Uint8Array`, although other typed arrays can be received, too |
//! | `Vec<T>`, also of bytes | `Array<T>` |
//! | maps | `{ [key in string]: T }`: plain objects |
//! | [`Value`](crate::Value) | `unknown` |
//! | [`Option<T>`] | `T \| null`; as one of the last parameters `name?: T \| null` |
//! | `()` as a result | `void` |
//! | [`ReadableStream<T>`](crate::stream::ReadableStream), [`WritableStream<T>`](crate::stream::WritableStream) | the same |
//! | the types of [`fetch`](crate::fetch) | the same |
//! | `Stub<dyn Api>` | `Api`, as an argument of a callback `RpcStub<Api>` |
//! | `Stub<fn(A) -> Result<R>>` | `(a: A) => R \| Promise<R>` |
//! | [`Stub`](crate::Stub) | `RpcStub<any>`, to be cast to what it is |
//! | [`Arg<T>`](crate::typed::Arg) | `T`: the JavaScript package takes promises everywhere |
//!
//! What cannot be known from a type is told by `ts-rs`'s attributes: `#[ts(optional = nullable)]`
//! for a field that may be left out, `#[ts(type = "URL")]` for one with
//! [`as_url`](crate::value::as_url), `#[ts(type = "bigint")]` in a type that has integers of both 64
//! and 128 bits, which is refused without it.
//!
//! # Serde's attributes
//!
//! The derived declarations follow `rename`, `rename_all`, `rename_all_fields`, `skip`, `flatten` of
//! structs and enums, `tag`, `content` and `untagged`. The others they do not know, which the
//! compiler's output says of some, and what they declare is then not what is sent:
//!
//! | not followed | what to write beside it |
//! |---|---|
//! | `skip_serializing_if`, unless the field has `default`, too | `#[ts(optional = nullable)]` |
//! | `skip_serializing` | `#[ts(skip)]` |
//! | `skip_deserializing` | `#[ts(optional = nullable)]`: received, and need not be given |
//! | `serialize_with`, `deserialize_with` | `#[ts(type = "..")]` or `#[ts(as = "..")]`, which `with` does not compile without |
//! | `rename(serialize = .., deserialize = ..)`, and what stands in one attribute with it | `#[ts(rename = "..")]` |
//! | `into`, `from`, `try_from` | `#[ts(as = "..")]` on the type |
//! | `transparent` on a struct whose field has a name | `#[ts(as = "..")]` on the type |
//! | `other` | `#[ts(untagged, type = "{ kind: string }")]` on the variant |
//! | `flatten` of a map: what is declared can be received, but no object literal is one | `#[ts(type = "{ name: string, [key: string]: unknown }")]` on the type |
//! | `flatten` of an [`Option`], which is refused | `#[ts(type = "{ a: A } \| { a: A, b: B }")]` on the type |
//! | a unit struct, which is sent as `undefined`; refused | `#[ts(type = "undefined")]` on the type |
//! | a variant without data in an untagged enum, which is said to be `null` and sent as `undefined` | `#[ts(type = "undefined")]` on the variant |
//! | [`PhantomData`](std::marker::PhantomData), the same, said to be its parameter | `#[serde(skip)]`, or `#[ts(type = "undefined")]` |
//!
//! `#[ts(type = "..")]` and `#[ts(as = "..")]` on a type replace all that is declared of it, and do
//! not compile with serde's `rename_all`. A type that is nothing but an integer of 128 bits is
//! `#[ts(type = "bigint")]`, because one by `as` would be a number. What is named in a `type` is not
//! found by itself: [`data`](Declarations::data) adds it.
//!
//! `#[ts(crate = "..")]` is only needed by crates that do not depend on `ts-rs` themselves; those
//! that do also choose which other crates' types it knows.

mod collect;
mod comment;
mod declarations;
mod declare;
mod error;
mod integers;
mod layout;
#[cfg(test)]
mod tests;
mod text;
mod values;

pub use ts_rs::{self, TS};

pub use self::{
    declarations::{Declarations, UPDATE},
    declare::{Declare, Describe},
    error::DeclareError,
};
