//! Bounds that hold on native targets and vanish on wasm32.
//!
//! Native code runs on multi-threaded executors, so everything that is stored or spawned is
//! `Send`. In a Workers isolate there is one thread, and the runtime's own futures are not `Send`.
//! These names stand for "`Send` where that means something", chosen by target and never by a
//! cargo feature.

use std::{future::Future, pin::Pin};

#[cfg(not(target_arch = "wasm32"))]
mod bounds {
    /// [`Send`] on native targets, no bound on wasm32.
    pub trait MaybeSend: Send {}
    impl<T: Send + ?Sized> MaybeSend for T {}

    /// [`Sync`] on native targets, no bound on wasm32.
    pub trait MaybeSync: Sync {}
    impl<T: Sync + ?Sized> MaybeSync for T {}
}

#[cfg(target_arch = "wasm32")]
mod bounds {
    /// [`Send`] on native targets, no bound on wasm32.
    pub trait MaybeSend {}
    impl<T: ?Sized> MaybeSend for T {}

    /// [`Sync`] on native targets, no bound on wasm32.
    pub trait MaybeSync {}
    impl<T: ?Sized> MaybeSync for T {}
}

pub use bounds::{MaybeSend, MaybeSync};

/// A boxed future that is `Send` on native targets.
#[cfg(not(target_arch = "wasm32"))]
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A boxed future that is `Send` on native targets.
#[cfg(target_arch = "wasm32")]
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// A boxed stream that is `Send` on native targets.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) type BoxStream<T> = futures::stream::BoxStream<'static, T>;

/// A boxed stream that is `Send` on native targets.
#[cfg(target_arch = "wasm32")]
pub(crate) type BoxStream<T> = futures::stream::LocalBoxStream<'static, T>;

/// A boxed callback that is `Send` on native targets.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) type BoxFnOnce = Box<dyn FnOnce() + Send>;

/// A boxed callback that is `Send` on native targets.
#[cfg(target_arch = "wasm32")]
pub(crate) type BoxFnOnce = Box<dyn FnOnce()>;

/// A boxed value of any type that is `Send` and `Sync` on native targets.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) type BoxAny = Box<dyn std::any::Any + Send + Sync>;

/// A boxed value of any type that is `Send` and `Sync` on native targets.
#[cfg(target_arch = "wasm32")]
pub(crate) type BoxAny = Box<dyn std::any::Any>;
