//! Waiting for what a promise becomes.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
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
    session::{Caller, Waiting},
    wakers::WakerKey,
    wire::MAX_DEPTH,
};

/// A hook that is followed to where it leads, and where to wait on the way.
struct Follow {
    hook: Hook,
    key: WakerKey,
}

impl Follow {
    fn new(hook: Hook) -> Self {
        Self { hook, key: WakerKey::default() }
    }

    /// Goes on to what the hook stands for; pending while it is neither known, local nor broken.
    fn poll(&mut self, cx: &mut Context<'_>, pull: bool) -> Poll<Hook> {
        loop {
            let hook = self.hook.resolved();
            let resolution = match &hook {
                Hook::Queued(queued) => queued.poll_resolution(self.key_for(&hook), cx.waker()),
                Hook::Import(import) => {
                    import.poll_resolution(self.key_for(&hook), cx.waker(), pull)
                }
                _ => return Poll::Ready(hook),
            };
            match resolution {
                Some(next) => self.hook = next,
                None => return Poll::Pending,
            }
        }
    }

    /// The key is of one set, the one of what the hook has been followed to.
    fn key_for(&mut self, hook: &Hook) -> &mut WakerKey {
        let same = match (&self.hook, hook) {
            (Hook::Queued(a), Hook::Queued(b)) => Arc::ptr_eq(a, b),
            (Hook::Import(a), Hook::Import(b)) => Arc::ptr_eq(a, b),
            _ => false,
        };
        if !same {
            self.forget();
            self.hook = hook.clone();
        }
        &mut self.key
    }

    fn forget(&mut self) {
        let key = std::mem::take(&mut self.key);
        match &self.hook {
            Hook::Queued(queued) => queued.forget(key),
            Hook::Import(import) => import.forget(key),
            _ => {}
        }
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        self.forget();
    }
}

/// A future of the value that a hook comes to stand for. Pulls it if it is remote.
pub(crate) struct Settle(Follow);

impl Settle {
    pub(crate) fn new(hook: Hook) -> Self {
        Self(Follow::new(hook))
    }

    /// Waits for a property of what the hook stands for.
    pub(crate) fn at(hook: Hook, path: Path) -> Self {
        Self::new(if path.is_empty() { hook } else { hook.get(path) })
    }
}

impl Future for Settle {
    type Output = Result<Arc<Payload>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx, true).map(|hook| match hook {
            Hook::Value(payload) => Ok(payload),
            Hook::Broken(error) => Err(error),
            Hook::Placeholder(_) => Err(misused()),
            _ => Err(Error::msg("Tried to resolve a non-promise stub.")),
        })
    }
}

/// The payload with every promise in it replaced by what it settled to, and every blob complete,
/// as it must be before it reaches an application.
///
/// # Errors
/// What the first promise to fail was rejected with, or the first blob's stream.
pub(crate) fn deliverable(payload: Payload) -> BoxFuture<Result<Payload, Error>> {
    deliverable_growing(payload).0
}

/// The same, and what says of a call whose arguments these are that it waits.
pub(super) fn deliverable_growing(
    payload: Payload,
) -> (BoxFuture<Result<Payload, Error>>, Arc<Growth>) {
    let growth = Arc::<Growth>::default();
    (deliverable_at(payload, 0, Arc::clone(&growth)), growth)
}

/// What values may grow to when the promises in them are replaced, which may be the same ones over
/// and over: so many promises, and so many bytes.
const MAX_PROMISES: usize = 1 << 18;
const MAX_BYTES: usize = 256 << 20;

/// What a value has grown by.
#[derive(Default)]
pub(super) struct Growth {
    promises: AtomicUsize,
    bytes: AtomicUsize,
    /// Of all that is there already, if it has to wait for the rest.
    waiting: Mutex<Option<Waiting>>,
    /// Of the blobs that have come, until all of the value has.
    blobs: Mutex<Vec<Arc<Waiting>>>,
}

impl Growth {
    /// Says that the value waits, which was of this size. From now on it does so with all that it
    /// grows by.
    pub(super) fn waits(&self, caller: &Caller, size: usize) -> Result<(), Error> {
        let grown = self.bytes.load(Ordering::Relaxed);
        let waiting = caller.waits(size.saturating_add(grown))?;
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(waiting);
        Ok(())
    }

    fn add(&self, payload: &Payload) -> Result<(), Error> {
        let promises = self.promises.fetch_add(1, Ordering::Relaxed);
        let size = payload.text.len();
        let bytes = self.bytes.fetch_add(size, Ordering::Relaxed);
        if promises >= MAX_PROMISES || bytes >= MAX_BYTES {
            return Err(Error::named(
                "RangeError",
                "The value grows too large when its promises are resolved.",
            ));
        }
        match &mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(waiting) => waiting.add(size),
            None => Ok(()),
        }
    }

    fn keep(&self, blob: Arc<Waiting>) {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner).push(blob);
    }
}

fn deliverable_at(
    mut payload: Payload,
    depth: usize,
    growth: Arc<Growth>,
) -> BoxFuture<Result<Payload, Error>> {
    Box::pin(async move {
        if depth >= MAX_DEPTH {
            return Err(Error::type_error(
                "Promises are nested too deeply in each other's values.",
            ));
        }
        let settled = payload.slots.iter_mut().filter(|slot| slot.cap.is_unsettled()).map(|slot| {
            let cap = std::mem::replace(&mut slot.cap, Cap::Settled(Payload::default()));
            let growth = Arc::clone(&growth);
            async move {
                if let Cap::Incoming(blob) = cap {
                    let (blob, waiting) = blob.complete().await?;
                    growth.keep(waiting);
                    slot.cap = Cap::Blob(blob);
                    return Ok(());
                }
                let payload = match cap {
                    Cap::Promise(hook, path) => {
                        let payload = Settle::at(hook, path).await?;
                        growth.add(&payload)?;
                        Arc::unwrap_or_clone(payload)
                    }
                    Cap::Settled(payload) => payload,
                    cap => Payload::of(cap),
                };
                let payload = if payload.is_settled() {
                    payload
                } else {
                    deliverable_at(payload, depth + 1, growth).await?
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
pub(crate) async fn broken(hook: Hook) -> Error {
    let mut follow = Follow::new(hook);
    loop {
        match std::future::poll_fn(|cx| follow.poll(cx, false)).await {
            Hook::Broken(error) => return error,
            Hook::Placeholder(_) => return misused(),
            Hook::Value(payload) => match payload.slots.as_slice() {
                // A promise of a stub breaks when the stub does.
                [Slot { at: 0, cap: Cap::Stub(stub) }] => follow = Follow::new(stub.clone()),
                _ => return std::future::pending().await,
            },
            _ => return std::future::pending().await,
        }
    }
}
