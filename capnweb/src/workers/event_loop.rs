//! JavaScript's event loop as an executor.

use std::{fmt, pin::pin, rc::Rc, time::Duration};

use futures::future::{Either, select};
use worker::{
    Context, Delay, js_sys, wasm_bindgen::JsCast, wasm_bindgen_futures::spawn_local,
    web_sys::WorkerGlobalScope,
};

use crate::{BoxFuture, Spawn};

/// The longest time that the runtime's timer takes; it would end longer ones at once.
const MAX_DELAY: Duration = Duration::from_millis(i32::MAX as u64);

/// Runs futures on the event loop. The default of every connection that is made on wasm32.
#[derive(Clone, Default)]
pub struct EventLoop {
    context: Option<Rc<Context>>,
}

impl EventLoop {
    /// Runs futures for as long as the request lives in which they are started.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the runtime to keep a request alive for the futures that are started in it. It does so
    /// for 30 seconds from the request's end.
    pub fn waiting(context: Context) -> Self {
        Self { context: Some(Rc::new(context)) }
    }
}

impl Spawn for EventLoop {
    fn spawn(&self, future: BoxFuture<()>) {
        match &self.context {
            Some(context) => context.wait_until(future),
            None => spawn_local(future),
        }
    }

    fn now(&self) -> Duration {
        let global: WorkerGlobalScope = js_sys::global().unchecked_into();
        let millis = global.performance().map_or(0.0, |performance| performance.now());
        Duration::try_from_secs_f64(millis / 1e3).unwrap_or_default()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<()> {
        Box::pin(Delay::from(duration.min(MAX_DELAY)))
    }
}

impl fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLoop").field("waits", &self.context.is_some()).finish()
    }
}

/// What the future comes to, or `None` if that takes longer.
pub(crate) async fn timeout<T>(duration: Duration, future: impl Future<Output = T>) -> Option<T> {
    match select(pin!(future), Delay::from(duration.min(MAX_DELAY))).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(_) => None,
    }
}
