//! Cloudflare Workers: sessions over the runtime's WebSockets, with the cargo feature `worker`.
//!
//! Owns what is particular to that runtime: its sockets as a [`Transport`](crate::transport), its
//! event loop as an executor, and how an endpoint answers `fetch`. Endpoints are described as
//! everywhere else, by [`server::rpc`](crate::server::rpc), and connections are made as everywhere
//! else, by [`connect`](crate::connect()).
//!
//! ```toml
//! capnweb = { version = "0.1", default-features = false, features = ["worker"] }
//! ```
//!
//! ```ignore
//! use capnweb::server::{self, Refusal, UpgradeRequest};
//! use worker::{Context, Env, Request, Response, Result, event};
//!
//! #[event(fetch)]
//! async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
//!     let key = env.secret("RPC_KEY")?.to_string();
//!     server::rpc()
//!         .authenticate(move |request: UpgradeRequest| {
//!             let known = request.bearer().is_ok_and(|it| server::constant_time_eq(it, &key));
//!             async move { known.then_some(()).ok_or_else(|| Refusal::unauthorized("unknown key")) }
//!         })
//!         .main(|_| capnweb::Stub::target(Api))
//!         .fetch(&request, context)
//!         .await
//! }
//! ```
//!
//! # Life and death
//!
//! A connection is driven by the events of its socket, in the request that accepted it, and ends
//! with it; nothing is left behind. A method that is still running when its caller goes is carried
//! on by the request's `waitUntil`, for which the runtime grants 30 seconds.
//!
//! Objects of one request cannot be used in another: that is a rule of the runtime, which ends calls
//! that break it with an error. So a target that brings several connections together (a chat room)
//! belongs into a Durable Object, where all requests share one context: see
//! [`Rpc::fetch_in_object`].
//!
//! # What the runtime does not have
//!
//! It sends no pings, so a client that has silently gone is noticed only when the network reports
//! it. It does not tell how much of what was sent has left, so output to a slow client is not held
//! back.

mod endpoint;
mod event_loop;
mod socket;

pub(crate) use self::event_loop::timeout;
pub use self::{endpoint::Rpc, event_loop::EventLoop, socket::WebSocketTransport};
