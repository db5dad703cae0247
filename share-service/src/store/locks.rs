//! Taking turns: one change per share at a time, in the order of the calls, and no trace of a share when nobody
//! changes it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::core::ShareId;

type Queue = Arc<AsyncMutex<()>>;

/// The shares that are being changed, and who waits for each.
#[derive(Debug, Clone, Default)]
pub(super) struct Locks {
    queues: Arc<Mutex<HashMap<ShareId, Queue>>>,
}

/// The right to change a share, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    // The order matters: the guard holds the queue too, and the place counts the holders when it is dropped.
    _guard: OwnedMutexGuard<()>,
    _place: Place,
}

impl Locks {
    /// Waits for the right to change a share. Those who wait are served in order.
    pub(super) async fn turn(&self, id: &ShareId) -> Turn {
        let place = self.enter(id);
        let guard = Arc::clone(&place.queue).lock_owned().await;
        Turn { _guard: guard, _place: place }
    }

    fn enter(&self, id: &ShareId) -> Place {
        let queue = Arc::clone(self.queues().entry(id.clone()).or_default());
        Place { locks: self.clone(), id: id.clone(), queue }
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<ShareId, Queue>> {
        // No code that could panic runs under this lock, and the map is consistent between any two statements.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue of a share. Whoever leaves last removes the queue, also when giving up while waiting.
#[derive(Debug)]
struct Place {
    locks: Locks,
    id: ShareId,
    queue: Queue,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut queues = self.locks.queues();
        // Queues are only handed out under this lock: two holders are the map and this place, so nobody else is in.
        if Arc::strong_count(&self.queue) == 2 {
            queues.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::poll;
    use std::pin::pin;

    use super::*;

    #[tokio::test]
    async fn turns_are_served_in_order_and_leave_nothing_behind() {
        let locks = Locks::default();
        let id = ShareId::parse("a").unwrap();
        let first = locks.turn(&id).await;
        let mut second = pin!(locks.turn(&id));
        let mut third = pin!(locks.turn(&id));
        assert!(poll!(&mut second).is_pending());
        assert!(poll!(&mut third).is_pending());
        let other = locks.turn(&ShareId::parse("b").unwrap()).await;
        drop(first);
        assert!(poll!(&mut third).is_pending(), "the third is not before the second");
        drop(second.await);
        drop(third.await);
        drop(other);
        assert!(locks.queues().is_empty());
    }

    #[tokio::test]
    async fn giving_up_while_waiting_leaves_nothing_behind() {
        let locks = Locks::default();
        let id = ShareId::parse("a").unwrap();
        let first = locks.turn(&id).await;
        {
            let mut second = pin!(locks.turn(&id));
            assert!(poll!(&mut second).is_pending());
        }
        drop(first);
        assert!(locks.queues().is_empty());
    }
}
