//! The service as an object that can be called over Cap'n Web.
//!
//! Owns: what of the arguments gets to the service, and what a failure looks like to a client. Refuses to know: who may
//! connect, which [`http`](crate::http) decides before a request gets here, and what the methods do.

use std::fmt::Display;

#[cfg(feature = "native")]
use capnweb::server::{self, Rpc};
use capnweb::{Error, Result, Stub, Value};

use crate::api::{DeleteResult, Probe, Probed, ShareApi, ShareInfo, SyncResult};
use crate::core::Secret;
use crate::core::date::iso_8601;
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
pub fn main_object(service: ShareService) -> Stub<dyn ShareApi> {
    Stub::new(ShareTarget { service })
}

/// The main object of every connection.
///
/// What a connection may do to a share depends on the share's secret, which every call carries, so all connections
/// can have the same object.
#[derive(Debug)]
pub struct ShareTarget {
    service: ShareService,
}

impl ShareApi for ShareTarget {
    async fn create_share(
        &self,
        session_id: String,
        initial_data: Option<Vec<Value>>,
    ) -> Result<ShareInfo> {
        let data = initial_data.map(json::items).transpose().map_err(Error::type_error)?;
        self.service.create_share(session_id, data).await.map_err(failure)
    }

    async fn sync_share(
        &self,
        share_id: String,
        secret: Secret,
        data: Vec<Value>,
    ) -> Result<SyncResult> {
        let data = json::items(data).map_err(Error::type_error)?;
        self.service.sync_share(share_id, secret, data).await.map_err(failure)
    }

    async fn delete_share(&self, share_id: String, secret: Secret) -> Result<DeleteResult> {
        self.service.delete_share(share_id, secret).await.map_err(failure)
    }

    fn probe_value(&self, Probe { when, bytes, nested }: Probe) -> Result<Probed> {
        // As `toISOString` throws it.
        let when = iso_8601(when.millis()).map_err(|error| Error::named("RangeError", error))?;
        Ok(Probed { when, size: bytes.len(), bytes: bytes.to_vec(), nested })
    }

    async fn probe_callback(&self, callback: Stub<fn(String) -> Result<String>>) -> Result<String> {
        callback.call("server-called").await
    }
}

/// An `Error` whose message clients compare.
fn failure(error: impl Display) -> Error {
    Error::msg(error)
}
