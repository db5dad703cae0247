//! The service as an object that can be called over Cap'n Web.
//!
//! Owns: the methods' names, how their arguments are read, and what a failure looks like to a client. Refuses to
//! know: who may connect, which [`http`](crate::http) decides before a request gets here, and what the methods do.

use std::fmt::Display;
use std::sync::Arc;

#[cfg(feature = "native")]
use capnweb::server::{self, Rpc};
use capnweb::value::{Bytes, Date};
use capnweb::{Call, Error, Reply, Stub, Target, Value};
use serde::Deserialize;

use crate::core::probe::probe;
use crate::json;
#[cfg(feature = "native")]
use crate::service::ShareService;
#[cfg(not(feature = "native"))]
use crate::worker::ShareService;

/// Serves the service to every WebSocket and every batch that gets this far.
///
/// Web pages are let in only from the server's own host; programs other than browsers send no origin and are not
/// concerned.
#[cfg(feature = "native")]
pub fn endpoint(service: ShareService) -> Rpc {
    let main = main_object(service);
    // The routes are behind the key already; what is not an upgrade has to pass it, too.
    server::rpc().allow_unauthenticated().main(move |_| main.clone())
}

/// A stub of the service.
pub fn main_object(service: ShareService) -> Stub {
    Stub::target(ShareTarget { service })
}

/// The main object of every connection.
///
/// What a connection may do to a share depends on the share's secret, which every call carries, so all connections
/// can have the same object.
#[derive(Debug)]
pub struct ShareTarget {
    service: ShareService,
}

/// The argument of `probeValue`.
#[derive(Deserialize)]
struct ProbeArgument {
    when: Date,
    bytes: Bytes,
    #[serde(default)]
    nested: Value,
}

impl Target for ShareTarget {
    fn call(self: Arc<Self>, call: Call) -> Reply {
        match call.method() {
            "createShare" => {
                call.reply_async(|(session_id, data): (String, Option<Vec<Value>>)| async move {
                    let data = data.map(json::items).transpose().map_err(Error::type_error)?;
                    self.service.create_share(session_id, data).await.map_err(failure)
                })
            }
            "syncShare" => call.reply_async(
                |(share_id, secret, data): (String, String, Vec<Value>)| async move {
                    let data = json::items(data).map_err(Error::type_error)?;
                    self.service.sync_share(share_id, secret, data).await.map_err(failure)
                },
            ),
            "deleteShare" => call.reply_async(|(share_id, secret): (String, String)| async move {
                self.service.delete_share(share_id, secret).await.map_err(failure)
            }),
            "probeValue" => call.reply(|(argument,): (ProbeArgument,)| {
                let ProbeArgument { when, bytes, nested } = argument;
                probe(when.millis(), bytes.to_vec(), nested)
                    // As `toISOString` throws it.
                    .map_err(|error| Error::named("RangeError", error))
            }),
            "probeCallback" => call.reply_async(|(callback,): (Stub,)| async move {
                callback.invoke(("server-called",)).await
            }),
            _ => call.no_such_method(),
        }
    }
}

/// An `Error` whose message clients compare.
fn failure(error: impl Display) -> Error {
    Error::msg(error)
}
