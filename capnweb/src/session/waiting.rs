//! What a peer may make wait here: one account for a session.
//!
//! Whoever keeps bytes of the peer's until somebody reads them takes them on as [`Waiting`], and
//! gives them back by dropping that. Knows sums only; atomic, so that it can be used under any lock.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::{
    error::{Error, ErrorKind},
    wire::Limits,
};

/// The account.
pub(crate) struct Allowance {
    max_bytes: usize,
    max_stream_bytes: usize,
    waiting: AtomicUsize,
}

impl Allowance {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            max_bytes: limits.max_waiting_bytes,
            max_stream_bytes: limits.max_stream_bytes,
            waiting: AtomicUsize::new(0),
        })
    }

    /// The most that may wait in one stream.
    pub(crate) fn max_stream_bytes(&self) -> usize {
        self.max_stream_bytes
    }
}

/// Bytes that wait, until this is dropped.
#[derive(Default)]
pub(crate) struct Waiting {
    bytes: usize,
    /// Those of local calls count for nobody.
    allowance: Option<Arc<Allowance>>,
}

impl Waiting {
    /// Nothing yet, on this account.
    pub(crate) fn new(allowance: Option<Arc<Allowance>>) -> Self {
        Self { bytes: 0, allowance }
    }

    /// Takes on more bytes, which may be more than is allowed if nothing else waits: any message
    /// that was accepted can be read.
    ///
    /// # Errors
    /// If more would wait than may. Then nothing has been taken on.
    pub(crate) fn add(&mut self, bytes: usize) -> Result<(), Error> {
        let Some(allowance) = &self.allowance else { return Ok(()) };
        let max = allowance.max_bytes;
        let added =
            allowance.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |waiting| {
                let sum = waiting.saturating_add(bytes);
                (waiting == 0 || sum <= max).then_some(sum)
            });
        if added.is_err() {
            return Err(Error::of_kind(
                ErrorKind::Overloaded,
                "Error",
                format_args!(
                    "More than {max} bytes of this session are unread (max_waiting_bytes)."
                ),
            ));
        }
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(allowance) = &self.allowance {
            allowance.waiting.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}
