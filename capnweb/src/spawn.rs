//! Where futures run that nobody polls: handlers that did not finish at once, calls on local
//! stubs, promises made from futures.
//!
//! Owns the choice of executor. The core itself starts no thread and owns no runtime.

use std::{cell::RefCell, future::Future, sync::Arc, time::Duration};

use crate::maybe_send::{BoxFuture, MaybeSend, MaybeSync};

/// An executor, as this library needs it.
///
/// With the cargo feature `tokio` nothing has to be done: the runtime that a connection is made
/// in is used. Neither with the feature `worker`, which uses JavaScript's event loop. Implement this
/// for other executors and for tests.
pub trait Spawn: MaybeSend + MaybeSync + 'static {
    /// Runs the future to its end, on any thread, starting later: it must not be polled before
    /// this returns.
    fn spawn(&self, future: BoxFuture<()>);

    /// The time since some moment in the past, which never goes back.
    #[cfg(not(target_arch = "wasm32"))]
    fn now(&self) -> Duration {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        START.get_or_init(std::time::Instant::now).elapsed()
    }

    /// The time since some moment in the past, which never goes back.
    #[cfg(target_arch = "wasm32")]
    fn now(&self) -> Duration;

    /// A future that ends after this long.
    fn sleep(&self, duration: Duration) -> BoxFuture<()>;
}

/// A shared handle of an executor.
pub type SpawnHandle = Arc<dyn Spawn>;

/// The executor that was set for the whole process.
#[cfg(not(target_arch = "wasm32"))]
mod default {
    use std::sync::OnceLock;

    use super::SpawnHandle;

    static DEFAULT: OnceLock<SpawnHandle> = OnceLock::new();

    pub(super) fn set(spawn: SpawnHandle) -> bool {
        DEFAULT.set(spawn).is_ok()
    }

    pub(super) fn get() -> Option<SpawnHandle> {
        DEFAULT.get().cloned()
    }
}

/// The executor that was set for the whole process: there is one thread, and executors need not
/// be able to cross to another.
#[cfg(target_arch = "wasm32")]
mod default {
    use std::cell::OnceCell;

    use super::SpawnHandle;

    thread_local! {
        static DEFAULT: OnceCell<SpawnHandle> = const { OnceCell::new() };
    }

    pub(super) fn set(spawn: SpawnHandle) -> bool {
        DEFAULT.with(|default| default.set(spawn).is_ok())
    }

    pub(super) fn get() -> Option<SpawnHandle> {
        DEFAULT.with(|default| default.get().cloned())
    }
}

thread_local! {
    static CURRENT: RefCell<Option<SpawnHandle>> = const { RefCell::new(None) };
}

/// Makes `spawn` the executor of everything that is not part of a connection with one of its own.
/// Only the first call in a process has an effect; returns whether this was it.
pub fn set_default_spawn(spawn: SpawnHandle) -> bool {
    default::set(spawn)
}

/// Makes `spawn` the executor of what is started on this thread while `f` runs.
pub fn with_spawn<R>(spawn: &SpawnHandle, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<SpawnHandle>);
    impl Drop for Restore {
        fn drop(&mut self) {
            let previous = self.0.take();
            CURRENT.with(|current| *current.borrow_mut() = previous);
        }
    }
    let _restore = Restore(CURRENT.with(|current| current.borrow_mut().replace(Arc::clone(spawn))));
    f()
}

/// The executor for what is started here, or `None` if there is none.
pub(crate) fn current() -> Option<SpawnHandle> {
    CURRENT.with(|current| current.borrow().clone()).or_else(default::get).or_else(platform_default)
}

/// Spawns on the current executor. Without any, the future is run on a thread of its own where
/// there are threads, which is slow but right.
pub(crate) fn spawn(future: impl Future<Output = ()> + MaybeSend + 'static) {
    match current() {
        Some(spawn) => spawn.spawn(Box::pin(future)),
        None => without_executor(future),
    }
}

/// Spawns on this executor, or else on the current one.
pub(crate) fn spawn_on(
    executor: Option<&SpawnHandle>,
    future: impl Future<Output = ()> + MaybeSend + 'static,
) {
    match executor {
        Some(executor) => executor.spawn(Box::pin(future)),
        None => spawn(future),
    }
}

#[cfg(feature = "tokio")]
fn platform_default() -> Option<SpawnHandle> {
    tokio::runtime::Handle::try_current()
        .ok()
        .map(|handle| Arc::new(crate::tokio_spawn::Tokio::new(handle)) as SpawnHandle)
}

#[cfg(all(feature = "worker", target_arch = "wasm32", not(feature = "tokio")))]
fn platform_default() -> Option<SpawnHandle> {
    Some(Arc::new(crate::workers::EventLoop::new()))
}

#[cfg(not(any(feature = "tokio", all(feature = "worker", target_arch = "wasm32"))))]
fn platform_default() -> Option<SpawnHandle> {
    None
}

#[cfg(not(target_arch = "wasm32"))]
fn without_executor(future: impl Future<Output = ()> + Send + 'static) {
    tracing::warn!(
        "no executor: using a thread; call capnweb::set_default_spawn or enable a runtime feature"
    );
    let run = std::thread::Builder::new()
        .name("capnweb".into())
        .spawn(move || futures::executor::block_on(future));
    if let Err(error) = run {
        tracing::error!(%error, "cannot start a thread for a future");
    }
}

#[cfg(target_arch = "wasm32")]
fn without_executor(future: impl Future<Output = ()> + 'static) {
    drop(future);
    tracing::error!("no executor: call capnweb::set_default_spawn or enable a runtime feature");
}
