//! The tokio runtime as an executor.

use std::time::Duration;

use crate::{maybe_send::BoxFuture, spawn::Spawn};

/// Runs futures on a tokio runtime.
#[derive(Clone, Debug)]
pub struct Tokio {
    handle: tokio::runtime::Handle,
}

impl Tokio {
    /// Uses the runtime of this handle.
    pub fn new(handle: tokio::runtime::Handle) -> Self {
        Self { handle }
    }
}

impl Spawn for Tokio {
    fn spawn(&self, future: BoxFuture<()>) {
        self.handle.spawn(future);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<()> {
        let _entered = self.handle.enter();
        Box::pin(tokio::time::sleep(duration))
    }
}
