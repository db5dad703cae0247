//! A capability of the peer, or the result of a call made on one.

use std::{
    sync::{Arc, OnceLock},
    task::Waker,
};

use super::{Hook, Request};
use crate::{path::Path, session::Handle, turn, wakers::WakerKey};

/// One entry of a session's import table, as the holders of the capability share it. Dropping
/// the last reference releases it.
pub(crate) struct Import {
    /// Keeps the connection alive.
    pub(crate) session: Arc<Handle>,
    pub(crate) id: i64,
    /// Whether this stands for a value to come, which can be pulled.
    pub(crate) is_promise: bool,
    /// What the peer resolved it to. Set under the session's lock and before the import is
    /// released, so that whoever finds it unset under that lock may still use the id.
    pub(crate) resolution: OnceLock<Hook>,
}

impl Import {
    pub(crate) fn new(session: Arc<Handle>, id: i64, is_promise: bool) -> Self {
        Self { session, id, is_promise, resolution: OnceLock::new() }
    }

    pub(crate) fn resolution(&self) -> Option<&Hook> {
        self.resolution.get()
    }

    pub(super) fn request(&self, path: Path, request: Request) -> Hook {
        self.session.shared.send_request(self, path, request)
    }

    /// The resolution, or `None` after keeping the waker to be woken at it. With `pull`, asks the
    /// peer for it.
    pub(crate) fn poll_resolution(
        &self,
        key: &mut WakerKey,
        waker: &Waker,
        pull: bool,
    ) -> Option<Hook> {
        if let Some(hook) = self.resolution.get() {
            return Some(hook.clone());
        }
        self.session.shared.poll_import(self, key, waker, pull)
    }

    /// Whoever polled with this key does not wait any more.
    pub(super) fn forget(&self, key: WakerKey) {
        if key.is_registered() && self.resolution.get().is_none() {
            self.session.shared.forget_waker(self, key);
        }
    }
}

impl Drop for Import {
    fn drop(&mut self) {
        match self.resolution.take() {
            Some(hook) => turn::bury(hook),
            None => self.session.shared.release_import(self),
        }
    }
}
