//! What can be asked of the service over Cap'n Web, as an interface: a client in Rust calls it, and
//! [`rpc`](crate::rpc) answers.
//!
//! Owns: the methods, and what goes in and out of them. Refuses to know: what the methods do, and who may connect. For
//! TypeScript all of it is declared in `share.d.ts`, which a test keeps current.
//!
//! ```no_run
//! use capnweb::Value;
//! use share_service::api::ShareApi;
//!
//! # async fn example(connection: capnweb::Connection, item: Value) -> capnweb::Result<()> {
//! let service = connection.main().typed::<dyn ShareApi>();
//! // Nothing is awaited in between: both calls go out at once.
//! let share = service.create_share("session-abc123", None);
//! let synced = service.sync_share(share.id(), share.secret(), vec![item]).await?;
//! assert_eq!(synced.sync_count, 1);
//! # Ok(())
//! # }
//! ```

#[cfg(test)]
use capnweb::typescript::TS;
use capnweb::value::{Bytes, Date};
use capnweb::{Record, Result, Stub, Value};
use serde::{Deserialize, Serialize};

use crate::core::Secret;

/// The main object of a service that shares sessions.
///
/// What a client may do to a share depends on the share's secret, which every call carries.
///
/// The items of `data` are objects with a `type`: `session` (whose `data` is the session), `message` and `part` (an
/// object with an `id`), `session_diff` (an array of anything), or `model` (an array of objects with an `id`). Those of
/// other types are skipped. A session replaces the one that there is, diffs are appended, everything else replaces what
/// has the same `id` or is added behind it. What is in them is kept as `JSON.stringify` would write it; a bigint, a
/// function or an object with methods fails the call with a `TypeError` that says where it was.
#[cfg_attr(not(test), capnweb::interface)]
#[cfg_attr(test, capnweb::interface(typescript))]
pub trait ShareApi {
    /// Creates the share of a session, or finds the one that it has. Data is merged as by a sync, in either case, and
    /// counts as one.
    ///
    /// # Errors
    /// `Error`, if the session's id is empty or too long, if the share's id already belongs to another session, and for
    /// data that a sync would refuse.
    async fn create_share(
        &self,
        session_id: String,
        initial_data: Option<Vec<Value>>,
    ) -> Result<ShareInfo>;

    /// Merges changes into a share, all or none. They are durable when this returns.
    ///
    /// # Errors
    /// `Error`, with the message `Share not found` or `Invalid secret`, or one that says which item lacks what or is
    /// beyond which limit.
    async fn sync_share(
        &self,
        share_id: String,
        secret: Secret,
        data: Vec<Value>,
    ) -> Result<SyncResult>;

    /// Deletes a share.
    ///
    /// # Errors
    /// `Error`, with the message `Share not found` or `Invalid secret`.
    async fn delete_share(&self, share_id: String, secret: Secret) -> Result<DeleteResult>;

    /// Shows what values arrive as.
    ///
    /// # Errors
    /// `RangeError`, for an invalid date.
    fn probe_value(&self, probe: Probe) -> Result<Probed>;

    /// Calls a function with `server-called`, and returns what it returns.
    ///
    /// # Errors
    /// What the function throws.
    async fn probe_callback(&self, callback: Stub<fn(String) -> Result<String>>) -> Result<String>;
}

/// The answer to creating a share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Record)]
#[cfg_attr(test, derive(TS), ts(crate = "capnweb::typescript::ts_rs"))]
pub struct ShareInfo {
    /// The id of the share.
    pub id: String,
    /// What the client must present to change it.
    pub secret: Secret,
    /// Where it can be seen.
    pub url: String,
}

/// The answer to a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Record)]
#[cfg_attr(test, derive(TS), ts(crate = "capnweb::typescript::ts_rs"))]
#[serde(rename_all = "camelCase")]
pub struct SyncResult {
    /// Always true: a failure is an error.
    pub success: bool,
    /// How many syncs the share holds by now, this one included. A client that lost the answer to a sync finds out by
    /// this number whether it was stored.
    pub sync_count: u64,
}

/// The answer to deleting a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Record)]
#[cfg_attr(test, derive(TS), ts(crate = "capnweb::typescript::ts_rs"))]
pub struct DeleteResult {
    /// Always true: a failure is an error.
    pub success: bool,
}

/// Values to be shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS), ts(crate = "capnweb::typescript::ts_rs"))]
pub struct Probe {
    /// A date.
    pub when: Date,
    /// Binary data.
    pub bytes: Bytes,
    /// Anything.
    #[serde(default)]
    pub nested: Value,
}

/// What has arrived of a [`Probe`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Record)]
#[cfg_attr(test, derive(TS), ts(crate = "capnweb::typescript::ts_rs"))]
pub struct Probed {
    /// The date as text: ISO 8601, with milliseconds and `Z`.
    pub when: String,
    /// The bytes, as an array of numbers.
    pub bytes: Vec<u8>,
    /// How many bytes there are.
    pub size: usize,
    /// What was nested, as it came.
    #[serde(default)]
    pub nested: Value,
}

#[cfg(test)]
mod tests {
    use capnweb::typescript::{Declarations, DeclareError};

    use super::ShareApi;

    #[test]
    fn declarations_are_current() -> Result<(), DeclareError> {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/share.d.ts");
        Declarations::new().interface::<dyn ShareApi>().check(file)
    }
}
