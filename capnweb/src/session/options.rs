//! What a session can be configured with.

use std::{fmt, sync::Arc, time::Duration};

use super::PeerRelease;
use crate::{
    error::Error,
    maybe_send::{MaybeSend, MaybeSync},
    spawn::SpawnHandle,
    value::Exception,
    wire::Limits,
};

/// Settings of a connection. Cheap to clone.
#[derive(Clone)]
pub struct Options {
    pub(crate) limits: Limits,
    pub(crate) on_send_error: Option<Arc<dyn SendErrorHook>>,
    pub(crate) spawn: Option<SpawnHandle>,
    pub(crate) stall_timeout: Duration,
    pub(crate) orphan_timeout: Duration,
    pub(crate) peer_release: PeerRelease,
}

/// A closure that sees each error before it is sent.
pub(crate) trait SendErrorHook: MaybeSend + MaybeSync {
    fn rewrite(&self, error: &Error) -> Option<Exception>;
}

impl<F> SendErrorHook for F
where
    F: Fn(&Error) -> Option<Exception> + MaybeSend + MaybeSync,
{
    fn rewrite(&self, error: &Error) -> Option<Exception> {
        self(error)
    }
}

impl Options {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            limits: Limits::default(),
            on_send_error: None,
            spawn: None,
            stall_timeout: Duration::from_secs(30),
            orphan_timeout: Duration::from_secs(60),
            peer_release: PeerRelease::NEWEST,
        }
    }

    /// What the peer may make this side hold or do.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Calls `hook` with each error that a call of the peer fails with, before it is sent. What it
    /// returns is sent instead, with its stack if it has one; with `None` the error is sent as it
    /// is, without a stack. Use it to log errors or to take details out of them.
    pub fn on_send_error(
        mut self,
        hook: impl Fn(&Error) -> Option<Exception> + MaybeSend + MaybeSync + 'static,
    ) -> Self {
        self.on_send_error = Some(Arc::new(hook));
        self
    }

    /// Runs the connection and its handlers on this executor instead of the current one.
    pub fn spawn(mut self, spawn: SpawnHandle) -> Self {
        self.spawn = Some(spawn);
        self
    }

    /// How long more than [`Limits::max_outgoing_bytes`] may wait for a peer that does not read,
    /// before the session is ended. Default: 30 s.
    pub fn stall_timeout(mut self, timeout: Duration) -> Self {
        self.stall_timeout = timeout;
        self
    }

    /// How long a method that is still running when its caller's connection ends may go without
    /// making progress, before it is dropped. Default: 60 s.
    pub fn orphan_timeout(mut self, timeout: Duration) -> Self {
        self.orphan_timeout = timeout;
        self
    }

    /// Which release of the JavaScript package the peer runs. What it cannot read is not sent: the
    /// call, or its answer, fails with an error of kind
    /// [`Encode`](crate::ErrorKind::Encode) that names the value. Default: the newest.
    pub fn peer_release(mut self, release: PeerRelease) -> Self {
        self.peer_release = release;
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("limits", &self.limits)
            .field("on_send_error", &self.on_send_error.is_some())
            .field("stall_timeout", &self.stall_timeout)
            .field("orphan_timeout", &self.orphan_timeout)
            .field("peer_release", &self.peer_release)
            .finish_non_exhaustive()
    }
}
