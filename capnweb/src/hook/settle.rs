//! Waiting for what a promise becomes.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::try_join_all;

use super::Hook;
use crate::{
    error::Error,
    map::misused,
    maybe_send::BoxFuture,
    path::Path,
    payload::{Cap, Payload, Slot},
    wire::MAX_DEPTH,
};

/// A future of the value that a hook comes to stand for. Pulls it if it is remote.
pub(crate) struct Settle(Hook);

impl Settle {
    pub(crate) fn new(hook: Hook) -> Self {
        Self(hook)
    }

    /// Waits for a property of what the hook stands for.
    pub(crate) fn at(hook: Hook, path: Path) -> Self {
        Self(if path.is_empty() { hook } else { hook.get(path) })
    }
}

impl Future for Settle {
    type Output = Result<Arc<Payload>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let resolution = match self.0.resolved() {
                Hook::Value(payload) => return Poll::Ready(Ok(payload)),
                Hook::Broken(error) => return Poll::Ready(Err(error)),
                Hook::Placeholder(_) => return Poll::Ready(Err(misused())),
                Hook::Local(_) => {
                    return Poll::Ready(Err(Error::msg("Tried to resolve a non-promise stub.")));
                }
                Hook::Queued(queued) => queued.poll_resolution(cx.waker()),
                Hook::Import(import) => import.poll_resolution(cx.waker(), true),
            };
            match resolution {
                Some(hook) => self.0 = hook,
                None => return Poll::Pending,
            }
        }
    }
}

/// The payload with every promise in it replaced by what it settled to, and every blob complete,
/// as it must be before it reaches an application.
///
/// # Errors
/// What the first promise to fail was rejected with, or the first blob's stream.
pub(crate) fn deliverable(payload: Payload) -> BoxFuture<Result<Payload, Error>> {
    deliverable_at(payload, 0)
}

fn deliverable_at(mut payload: Payload, depth: usize) -> BoxFuture<Result<Payload, Error>> {
    Box::pin(async move {
        if depth >= MAX_DEPTH {
            return Err(Error::type_error(
                "Promises are nested too deeply in each other's values.",
            ));
        }
        let settled = payload.slots.iter_mut().filter(|slot| slot.cap.is_unsettled()).map(|slot| {
            let cap = std::mem::replace(&mut slot.cap, Cap::Settled(Payload::default()));
            async move {
                if let Cap::Incoming(blob) = cap {
                    slot.cap = Cap::Blob(blob.complete().await?);
                    return Ok(());
                }
                let payload = match cap {
                    Cap::Promise(hook, path) => {
                        let payload = Settle::at(hook, path).await?;
                        Arc::unwrap_or_clone(payload)
                    }
                    Cap::Settled(payload) => payload,
                    cap => Payload::of(cap),
                };
                let payload = if payload.is_settled() {
                    payload
                } else {
                    deliverable_at(payload, depth + 1).await?
                };
                slot.cap = Cap::Settled(payload);
                Ok::<_, Error>(())
            }
        });
        try_join_all(settled).await?;
        Ok(payload)
    })
}

/// Waits until a hook has become unusable, and says why. Does not pull it.
pub(crate) async fn broken(mut hook: Hook) -> Error {
    std::future::poll_fn(move |cx| {
        loop {
            let resolution = match hook.resolved() {
                Hook::Broken(error) => return Poll::Ready(error),
                Hook::Placeholder(_) => return Poll::Ready(misused()),
                Hook::Local(_) => return Poll::Pending,
                Hook::Value(payload) => match payload.slots.as_slice() {
                    // A promise of a stub breaks when the stub does.
                    [Slot { at: 0, cap: Cap::Stub(stub) }] => Some(stub.clone()),
                    _ => return Poll::Pending,
                },
                Hook::Queued(queued) => queued.poll_resolution(cx.waker()),
                Hook::Import(import) => import.poll_resolution(cx.waker(), false),
            };
            match resolution {
                Some(next) => hook = next,
                None => return Poll::Pending,
            }
        }
    })
    .await
}
