//! Streams that are being sent, as far as a channel has to know of them that says everything at once.

use std::sync::Arc;

use super::{Shared, core::Core};

/// A stream to the peer. Whoever sends it says whether it could go on without hearing from the peer.
pub(crate) struct UnderWay {
    session: Arc<Shared>,
    counted: bool,
}

impl UnderWay {
    /// A stream that is just beginning.
    pub(super) fn new(core: &mut Core, session: Arc<Shared>) -> Self {
        core.under_way += 1;
        Self { session, counted: true }
    }

    /// It goes on, or waits for the peer.
    pub(crate) fn set(&mut self, goes_on: bool) {
        if std::mem::replace(&mut self.counted, goes_on) == goes_on {
            return;
        }
        self.session.with(|core, after| {
            if goes_on {
                core.under_way += 1;
                return;
            }
            core.under_way -= 1;
            if core.under_way == 0 {
                after.wakers.append(&mut core.waiting_for_drain);
            }
        });
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.set(false);
    }
}
