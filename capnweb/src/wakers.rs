//! Tasks that wait for the same thing.

use std::task::Waker;

/// Wakers of any number of tasks, each under a key of its own: polling again takes no more room,
/// and who stops waiting is forgotten, without looking at the others.
#[derive(Default)]
pub(crate) struct WakerSet {
    slots: Vec<Option<Waker>>,
    free: Vec<usize>,
    /// How often everybody has been woken. Keys from before mean nothing any more.
    generation: usize,
}

/// Where a task is registered. Belongs to the one set that it was used with.
#[derive(Clone, Copy, Default)]
pub(crate) struct WakerKey(Option<Place>);

#[derive(Clone, Copy)]
struct Place {
    slot: usize,
    generation: usize,
}

impl WakerSet {
    /// Registers a task, or what it is to be woken by from now on.
    pub(crate) fn register(&mut self, key: &mut WakerKey, waker: &Waker) {
        if let Some(known) = self.find(*key) {
            return known.clone_from(waker);
        }
        let slot = self.free.pop().unwrap_or(self.slots.len());
        match self.slots.get_mut(slot) {
            Some(empty) => *empty = Some(waker.clone()),
            None => self.slots.push(Some(waker.clone())),
        }
        *key = WakerKey(Some(Place { slot, generation: self.generation }));
    }

    /// Forgets a task.
    pub(crate) fn forget(&mut self, key: WakerKey) -> Option<Waker> {
        let place = key.0.filter(|place| place.generation == self.generation)?;
        let waker = self.slots.get_mut(place.slot)?.take()?;
        self.free.push(place.slot);
        Some(waker)
    }

    /// Takes all wakers, to be woken.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Waker> + use<> {
        self.free.clear();
        self.generation = self.generation.wrapping_add(1);
        std::mem::take(&mut self.slots).into_iter().flatten()
    }

    fn find(&mut self, key: WakerKey) -> Option<&mut Waker> {
        let place = key.0.filter(|place| place.generation == self.generation)?;
        self.slots.get_mut(place.slot)?.as_mut()
    }
}

impl WakerKey {
    /// Whether it has been used.
    pub(crate) fn is_registered(self) -> bool {
        self.0.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        task::Wake,
    };

    use super::*;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn each_task_is_woken_once_and_forgotten_ones_never() {
        let counters: Vec<Arc<Counter>> = (0..3).map(|_| Arc::default()).collect();
        let mut keys = [WakerKey::default(); 3];
        let mut set = WakerSet::default();
        for _ in 0..10 {
            for (counter, key) in counters.iter().zip(&mut keys) {
                set.register(key, &Waker::from(Arc::clone(counter)));
            }
        }
        assert_eq!(set.slots.len(), 3);
        set.forget(keys[1]);
        set.take().for_each(Waker::wake);
        let woken: Vec<_> = counters.iter().map(|c| c.0.load(Ordering::Relaxed)).collect();
        assert_eq!(woken, [1, 0, 1]);
        // A key from before means nothing: nobody takes another one's place.
        set.register(&mut keys[2], &Waker::from(Arc::clone(&counters[2])));
        set.register(&mut keys[0], &Waker::from(Arc::clone(&counters[0])));
        set.take().for_each(Waker::wake);
        let woken: Vec<_> = counters.iter().map(|c| c.0.load(Ordering::Relaxed)).collect();
        assert_eq!(woken, [2, 0, 2]);
    }
}
