//! Cap'n Web for Rust: object-capability RPC over WebSockets or any other channel of text messages,
//! wire-compatible with the JavaScript package `capnweb`.
//!
//! Objects and functions are passed by reference and can be called from the other side, in both
//! directions. A call returns a promise that can be used at once: as the target of further calls,
//! for its properties, as an argument. None of that waits, so that a whole chain of calls costs
//! one round trip. What is dropped on one side is released on the other.
//!
//! # An example
//!
//! ```
//! use capnweb::{Connection, Options, Result, Stub, transport::memory};
//!
//! #[capnweb::interface]
//! trait Greeter {
//!     async fn hello(&self, name: String) -> Result<String>;
//!     async fn ask(&self, question: String, ask: Stub<fn(String) -> Result<String>>) -> Result<String>;
//! }
//!
//! struct World;
//!
//! impl Greeter for World {
//!     async fn hello(&self, name: String) -> Result<String> {
//!         Ok(format!("Hello, {name}!"))
//!     }
//!
//!     // Answers with what the caller's function makes of it.
//!     async fn ask(&self, question: String, ask: Stub<fn(String) -> Result<String>>) -> Result<String> {
//!         ask.call(question).await
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! // Two sides in one process; over a network the connections come from `connect` and from an
//! // endpoint of the module `server`.
//! let (here, there) = memory::pair(16);
//! let main = Stub::<dyn Greeter>::new(World);
//! let _server = Connection::start(there, Some(main.untyped()), Options::new());
//! let greeter = Connection::start(here, None, Options::new()).main().typed::<dyn Greeter>();
//!
//! // The name is not known here before it is used; nothing is awaited in between.
//! let name = greeter.ask("Who are you?", Stub::new(async |_question: String| Ok("Alice".to_owned())));
//! assert_eq!(greeter.hello(name).await?, "Hello, Alice!");
//! # Ok(())
//! # }
//! ```
//!
//! The [guide] goes on from here: stubs and who owns them, pipelining, callbacks, streams, errors.
//!
//! # Where to find what
//!
//! | | |
//! |---|---|
//! | [`Connection`], [`Options`], [`Limits`], [`Stats`] | a session with a peer, and what it may cost |
//! | [`interface`](macro@interface), [`typed`] | what both sides agree on, as a trait |
//! | [`Stub`], [`Promise`] | what is held of the other side: calling it, reading it, passing it on |
//! | [`Remote`], [`Target`], [`Call`], [`Reply`] | the same without types: calling by name, and being called so |
//! | [`value`], [`Value`] | JavaScript's values, those included that Rust and serde have no word for |
//! | [`stream`] | values that follow one another |
//! | [`fetch`] | blobs, and the HTTP types of `fetch` |
//! | [`Error`], [`ErrorKind`] | why a call failed |
//! | `connect`, `client` | connecting to a `ws://` or `wss://` URL |
//! | `server` | an endpoint for hyper, axum and other tower-based servers, and for Workers: who may connect, and as what |
//! | `typescript` | declarations of interfaces for TypeScript |
//! | `workers` | Cloudflare Workers |
//! | [`transport`] | channels that come with the crate, and the trait for others |
//! | [`Session`] | a session without a channel, for tests that decide what arrives when |
//! | [`Spawn`] | the executor, where it isn't tokio |
//!
//! Arguments and results are whatever serde reads and writes. Arguments are tuples: `(1, "x")`,
//! `(one,)`, `()` for none. `()` as a value is `undefined`, [`None`] is `null`; a member or argument
//! of type [`Option`] accepts both.
//!
//! # Features
//!
//! | feature | on by default | what it adds |
//! |---|---|---|
//! | `client` | yes | `connect`, for `ws://` URLs |
//! | `macros` | yes | interfaces as traits |
//! | `server` | yes | the module `server` |
//! | `tls` | | `wss://` URLs for `connect`: rustls on ring, with the system's roots |
//! | `websocket` | by `client`, `server`, `tls` | the WebSocket transport |
//! | `tokio` | by `websocket` | connections run on the tokio runtime that they are made in |
//! | `typescript` | | the module `typescript`: declarations of interfaces for TypeScript; switches `macros` on |
//! | `worker` | | `connect` and `server` on Cloudflare Workers, instead of all of the above |
//!
//! The core needs none of them: no I/O, no runtime, and it builds for `wasm32-unknown-unknown`.
//!
#![warn(missing_docs)]
#![cfg_attr(
    target_arch = "wasm32",
    allow(clippy::arc_with_non_send_sync, reason = "the same code holds what is `Send` elsewhere")
)]

#[doc(hidden)]
pub mod __private;
#[cfg(any(feature = "client", all(feature = "worker", target_arch = "wasm32")))]
pub mod client;
mod codec;
mod connection;
mod driver;
mod error;
mod evaluate;
pub mod fetch;
#[cfg(all(doc, feature = "client", feature = "macros", feature = "server"))]
#[doc = include_str!("guide.md")]
pub mod guide {}
mod hook;
mod map;
mod maybe_send;
mod path;
mod payload;
mod promise;
mod remote;
#[cfg(any(feature = "server", all(feature = "worker", target_arch = "wasm32")))]
pub mod server;
mod session;
mod spawn;
pub mod stream;
mod stub;
mod target;
#[cfg(feature = "tokio")]
mod tokio_spawn;
pub mod transport;
mod turn;
pub mod typed;
#[cfg(feature = "typescript")]
pub mod typescript;
pub mod value;
mod wakers;
mod wire;
#[cfg(all(feature = "worker", target_arch = "wasm32"))]
pub mod workers;

/// Makes a type something that methods of an interface can fail with: implements
/// [`typed::Failure`], for a type that has `Serialize`, `Deserialize` and `Display`.
///
/// It is thrown as an `Error` with the type's name, or another one by `#[capnweb(name = "..")]`.
/// JavaScript peers keep only the names of their built-in error classes; the value itself is the
/// error's property `data`.
#[cfg(feature = "macros")]
pub use capnweb_macros::Failure;

/// Gives the promise of a struct its fields, as methods that return promises of them: implements
/// [`typed::Promised`].
///
/// The fields have the names that serde gives them. Those that it skips or flattens are left out.
///
/// ```
/// use capnweb::{Promise, Record};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, Record)]
/// #[serde(rename_all = "camelCase")]
/// struct Profile {
///     first_name: String,
///     home: Address,
/// }
///
/// #[derive(Serialize, Deserialize, Record)]
/// struct Address {
///     city: String,
/// }
///
/// fn city(profile: Promise<Profile>) -> Promise<String> {
///     profile.home().city()
/// }
/// ```
#[cfg(feature = "macros")]
pub use capnweb_macros::Record;

/// Makes an interface of a trait.
///
/// The methods, which may be `async`, take `&self` and any number of parameters up to 16, and
/// return a value, or a [`Result`] with an [`Error`] or another [`Failure`](typed::Failure). What
/// they take and return is what serde reads and writes, owned; stubs, streams and blobs among it.
/// A type implements the trait as any other, with `async fn` where the trait has it; the methods'
/// futures have to be `Send`, except on wasm32.
///
/// ```
/// use capnweb::{Caller, Result, Stub};
///
/// #[capnweb::interface]
/// pub trait Store {
///     /// On the wire this is `readFile`.
///     async fn read_file(&self, name: String) -> Result<Vec<u8>>;
///     /// Called with one argument or two.
///     async fn list(&self, folder: String, limit: Option<u32>) -> Result<Vec<String>>;
///     /// `caller` is not sent: the library fills it in. It says whether the caller is still there.
///     async fn watch(&self, caller: Caller, on_change: Stub<fn(String) -> Result<()>>) -> Result<()>;
///     #[rpc(name = "rm")]
///     async fn remove(&self, name: String) -> Result<()>;
///     /// A property: read, and not called.
///     #[rpc(get)]
///     fn version(&self) -> String;
/// }
///
/// /// Has all methods of `Store`, too.
/// #[capnweb::interface]
/// pub trait Admin: Store {
///     async fn compact(&self) -> Result<()>;
/// }
///
/// fn use_it(admin: Stub<dyn Admin>) {
///     let _files = admin.list("/", None);
///     let _done = admin.compact();
/// }
/// ```
///
/// The macro knows types by their names as they are written: `Result`, whose failure is thrown,
/// `Option`, which need not be given, `Promise`, which is followed, `Caller` and `Stub`. A `Result` by
/// another name is refused. Attributes of methods are taken as they stand; `cfg_attr` is not
/// expanded.
///
/// Where an interface extends several, its client has the methods of itself and the first;
/// [`Stub::upcast`] leads to the others. It can't have a name itself that one of them has.
///
/// Beside the trait this makes its client, `StoreClient` here, which a `Stub<dyn Store>` and the
/// promise of one deref to: it has the same methods, which take an [`Arg`](typed::Arg) for each
/// parameter and return a [`Promise`].
///
/// | option | |
/// |---|---|
/// | `rename_all = "snake_case"` | how names on the wire are made, instead of in camelCase |
/// | `typescript`, `typescript = "Name"` | that it can be declared in TypeScript, by the module `typescript` |
/// | `crate = "path"` | where this library is, instead of in `::capnweb` |
///
/// | on a method | |
/// |---|---|
/// | `#[rpc(name = "..")]` | its name on the wire |
/// | `#[rpc(get)]` | a property that is read |
///
/// Stubs of the JavaScript package keep some names for themselves: `map`, `dup`, `onRpcBroken`,
/// those of promises (`then`, `catch`, `finally`), and those that every object has, such as
/// `constructor` and `toString`. A method of such a name is called by Rust only, and is refused
/// with the option `typescript`; `#[rpc(name = "..")]` gives it another one.
#[cfg(feature = "macros")]
pub use capnweb_macros::interface;

/// What a method returns that fails with an [`Error`], or with another [`Failure`](typed::Failure).
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(feature = "client")]
pub use client::batch;
#[cfg(any(feature = "client", all(feature = "worker", target_arch = "wasm32")))]
pub use client::connect;
pub use connection::{Connection, Session};
pub use error::{Error, ErrorKind};
pub use maybe_send::{BoxFuture, MaybeSend, MaybeSync};
pub use path::{Key, Path};
pub use promise::Promise;
pub use remote::Remote;
pub use session::{Caller, Options, PeerRelease, Stats};
pub use spawn::{Spawn, SpawnHandle, set_default_spawn, with_spawn};
pub use stub::Stub;
pub use target::{Call, Reply, Target};
#[cfg(feature = "tokio")]
pub use tokio_spawn::Tokio;
pub use typed::Interface;
pub use value::Value;
pub use wire::Limits;
