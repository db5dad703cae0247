//! Tables indexed by ids that are given out in sequence.

use std::collections::{HashMap, VecDeque};

/// Entries under ids 0, 1, 2, … of which the young ones are found without hashing.
///
/// Memory is proportional to the entries that are alive, not to the ids that were given out: when
/// a few old entries keep a long stretch of empty places, they move to a map.
pub(super) struct Table<T> {
    /// The id of the first place in `places`.
    base: u64,
    places: VecDeque<Option<T>>,
    old: HashMap<u64, T>,
    live: usize,
}

impl<T> Table<T> {
    pub(super) fn new() -> Self {
        Self { base: 0, places: VecDeque::new(), old: HashMap::new(), live: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.live
    }

    /// The id that [`push`](Self::push) gives out next.
    pub(super) fn next_id(&self) -> u64 {
        self.base + self.places.len() as u64
    }

    pub(super) fn push(&mut self, entry: T) -> u64 {
        let id = self.next_id();
        self.places.push_back(Some(entry));
        self.live += 1;
        id
    }

    pub(super) fn get(&self, id: u64) -> Option<&T> {
        match id.checked_sub(self.base) {
            Some(place) => self.places.get(usize::try_from(place).ok()?)?.as_ref(),
            None => self.old.get(&id),
        }
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut T> {
        match id.checked_sub(self.base) {
            Some(place) => self.places.get_mut(usize::try_from(place).ok()?)?.as_mut(),
            None => self.old.get_mut(&id),
        }
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<T> {
        let entry = match id.checked_sub(self.base) {
            Some(place) => self.places.get_mut(usize::try_from(place).ok()?)?.take(),
            None => self.old.remove(&id),
        }?;
        self.live -= 1;
        self.shrink();
        Some(entry)
    }

    /// All entries, in no order.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.places.iter_mut().flatten().chain(self.old.values_mut())
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = T> + use<T> {
        self.live = 0;
        self.base += self.places.len() as u64;
        let old = std::mem::take(&mut self.old);
        std::mem::take(&mut self.places).into_iter().flatten().chain(old.into_values())
    }

    fn shrink(&mut self) {
        while let Some(None) = self.places.front() {
            self.places.pop_front();
            self.base += 1;
        }
        // Each move is paid for by the removals that emptied the places around it.
        if self.places.len() >= 64 && (self.live - self.old.len()) * 8 < self.places.len() {
            for place in std::mem::take(&mut self.places) {
                if let Some(entry) = place {
                    self.old.insert(self.base, entry);
                }
                self.base += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn ids_are_sequential_and_never_used_twice() {
        let mut table = Table::new();
        for id in 0..1000 {
            assert_eq!(table.push(id), id);
            if id % 3 != 0 {
                assert_eq!(table.remove(id), Some(id));
                assert_eq!(table.remove(id), None);
            }
        }
        assert_eq!(table.len(), 334);
        assert_eq!(table.get(999), Some(&999));
        assert_eq!(table.get(1), None);
        assert_eq!(table.get(1000), None);
    }

    #[test]
    fn old_entries_do_not_keep_memory_for_the_dead_between_them() {
        let mut table = Table::new();
        table.push(0);
        for id in 1..1_000_000 {
            assert_eq!(table.push(id), id);
            if id % 100_000 != 0 {
                table.remove(id);
            }
            assert!(table.places.len() < 128);
        }
        assert_eq!(table.len(), 10);
        assert_eq!(table.get_mut(300_000), Some(&mut 300_000));
        assert_eq!(table.drain().count(), 10);
        assert_eq!(table.len(), 0);
        assert_eq!(table.push(7), 1_000_000);
    }
}
