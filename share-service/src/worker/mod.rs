//! The service as a Cloudflare Worker.
//!
//! Owns: which path leads where, and how the bindings are read. Refuses to know: what the methods do to a share, which
//! is decided in the share's own Durable Object ([`object`]) by the rules of [`core`](crate::core).
//!
//! | binding | what it is |
//! |---|---|
//! | `SESSIONS_STORE` | the R2 bucket with the shares |
//! | `SESSIONS_BROADCAST` | the Durable Object class [`object::SessionBroadcast`], one object per share |
//! | `SESSIONS_SHARED_SECRET` | the UUID that the shares' secrets are derived from |
//! | `SESSIONS_RPC_SHARED_KEY` | what clients must present; unset, nobody gets in |
//! | `ALLOW_UNAUTHENTICATED` | `true` lets everybody in where no key is set |
//! | `API_DOMAIN` | where shares are reached from outside |

mod journal;
pub mod object;
mod service;

use capnweb::server::{self, Refusal, UpgradeRequest};
use percent_encoding::percent_decode_str;
use serde_json::json;
use worker::{Context, Env, Request, Response, Result, event};

use crate::access::Access;
use crate::core::{Limits, Namespace, PublicUrl, Secret, ShareId};
use crate::rpc;

pub use service::{ServiceError, ShareService};

/// What a client may store. A Worker has 128 MB of memory, and a share that is being changed is in it as values and as
/// text at the same time.
const LIMITS: Limits = Limits { items_per_sync: 5_000, item_bytes: 4 << 20, share_bytes: 16 << 20 };

/// Where viewers of a share connect: this, and its id.
const VIEWERS: &str = "/ws/";

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    let path = request.path();
    match path.as_str() {
        "/rpc" | "/rpc/share" => serve(&request, &env, context).await,
        "/healthz" => Response::ok("ok"),
        _ => match path.strip_prefix(VIEWERS) {
            Some(id) => watch(id, request, &env).await,
            None => error("Not Found", 404),
        },
    }
}

/// Starts a session for whoever has the key.
async fn serve(request: &Request, env: &Env, context: Context) -> Result<Response> {
    let access = access(env);
    let service = ShareService::new(env)?;
    server::rpc()
        .authenticate(move |request: UpgradeRequest| {
            let checked = access.check(request.headers());
            std::future::ready(checked.map_err(|refusal| match refusal.status() {
                http::StatusCode::UNAUTHORIZED => Refusal::unauthorized(refusal.to_string()),
                status => Refusal::new(status, refusal.to_string()),
            }))
        })
        .main(move |_| rpc::main_object(service.clone()))
        .fetch(request, context)
        .await
}

/// Hands a viewer over to the share's object, which knows whether there is the share.
async fn watch(id: &str, request: Request, env: &Env) -> Result<Response> {
    let upgrade = request.headers().get("upgrade")?;
    if !upgrade.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket")) {
        return error("Expected WebSocket upgrade", 426);
    }
    let Some(id) = share_id(id) else { return unknown_share() };
    object::stub(env, &id)?.fetch_with_request(request).await
}

/// The id that a segment of a path names.
fn share_id(segment: &str) -> Option<ShareId> {
    ShareId::parse(percent_decode_str(segment).decode_utf8_lossy())
}

fn unknown_share() -> Result<Response> {
    error("Share not found", 404)
}

fn access(env: &Env) -> Access {
    let key = env.secret("SESSIONS_RPC_SHARED_KEY").map(|key| key.to_string()).unwrap_or_default();
    let open = env.var("ALLOW_UNAUTHENTICATED").is_ok_and(|allow| allow.to_string() == "true");
    match (key.is_empty(), open) {
        (false, _) => Access::Key(Secret::new(key)),
        (true, true) => Access::Unauthenticated,
        (true, false) => Access::Closed,
    }
}

fn namespace(env: &Env) -> Result<Namespace> {
    let namespace = env.secret("SESSIONS_SHARED_SECRET")?.to_string();
    Namespace::parse(&namespace)
        .map_err(|error| worker::Error::RustError(format!("SESSIONS_SHARED_SECRET is {error}")))
}

fn public_url(env: &Env) -> Result<PublicUrl> {
    let domain = env.var("API_DOMAIN")?.to_string();
    PublicUrl::parse(&domain)
        .map_err(|error| worker::Error::RustError(format!("API_DOMAIN is {error}")))
}

/// An error as every route reports it.
fn error(message: &str, status: u16) -> Result<Response> {
    Ok(Response::from_json(&json!({"error": message}))?.with_status(status))
}
