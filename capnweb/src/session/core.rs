//! The state behind a session's lock, and what is to be done when the lock has been released.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Weak},
    task::Waker,
};

use super::{Handle, Shared, Stats, UnderWay, table::Table};
use crate::{
    error::Error,
    evaluate::Found,
    hook::{Hook, Import, Queued, Settle},
    path::Path,
    spawn::{self, SpawnHandle},
    stream::{PipeInput, PipeReader, Readable, pump},
    transport::CloseReason,
    turn,
    wakers::WakerSet,
    wire::write,
};

pub(super) struct Core {
    /// What the peer's pushes made, under ids 0 (the main object), 1, 2, …
    pub(super) pushed_exports: Table<Export>,
    /// What this side introduced, under ids -1, -2, …, at places 0, 1, …
    pub(super) own_exports: Table<Export>,
    /// What this side's pushes made, from 0 (the peer's main object) on.
    pub(super) pushed_imports: Table<Entry>,
    /// What the peer introduced, under ids of its choice below 0.
    pub(super) peer_imports: HashMap<i64, Entry>,
    /// Messages in the order in which they are to be sent.
    pub(super) outgoing: VecDeque<String>,
    /// The size of those, and of those that the driver has taken but not sent.
    pub(super) outgoing_bytes: usize,
    /// How many pulls of the peer, and promises sent to it, have not been answered.
    pub(super) unanswered: usize,
    /// How many streams to the peer could go on without hearing from it.
    pub(super) under_way: usize,
    /// The peer will say nothing more, for this reason, but still reads what it is sent.
    pub(super) input_ended: Option<Error>,
    pub(super) ended: Option<Ended>,
    pub(super) handle: Weak<Handle>,
    /// A driver has a transport for this session.
    pub(super) driven: bool,
    pub(super) driver: Option<Waker>,
    pub(super) waiting_for_room: Vec<Waker>,
    pub(super) waiting_for_drain: Vec<Waker>,
}

/// Why and how a session ended.
pub(super) struct Ended {
    pub(super) error: Error,
    pub(super) close: CloseReason,
}

/// Something of ours that the peer can refer to.
pub(super) struct Export {
    pub(super) hook: Hook,
    /// How many references the peer holds.
    pub(super) refs: u64,
    /// Its resolution has been asked for.
    pub(super) pulled: bool,
    /// A stream to be written: it cannot be pulled.
    pub(super) is_writable: bool,
    /// Made by a `pipe` message: the other end, until it is used.
    pub(super) readable: Option<PipeReader>,
    /// And how to end that without its writer.
    pub(super) pipe: Option<PipeInput>,
    /// Made by a `stream` message: gone as soon as it is answered.
    pub(super) released_by_answer: bool,
}

/// Something of the peer's.
pub(super) struct Entry {
    pub(super) import: Weak<Import>,
    /// How many references the peer counts, all of which the one release gives back.
    pub(super) refs: u64,
    pub(super) pulled: bool,
    /// Something was asked of it, so that what it resolves to may have been asked the same.
    pub(super) pipelined: bool,
    pub(super) wakers: WakerSet,
}

impl Core {
    pub(super) fn new(main: Hook) -> Self {
        let mut pushed_exports = Table::new();
        pushed_exports.push(Export::new(main));
        let mut pushed_imports = Table::new();
        pushed_imports.push(Entry::new(Weak::new()));
        Self {
            pushed_exports,
            own_exports: Table::new(),
            pushed_imports,
            peer_imports: HashMap::new(),
            outgoing: VecDeque::new(),
            outgoing_bytes: 0,
            unanswered: 0,
            under_way: 0,
            input_ended: None,
            ended: None,
            handle: Weak::new(),
            driven: false,
            driver: None,
            waiting_for_room: Vec::new(),
            waiting_for_drain: Vec::new(),
        }
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            imports: self.pushed_imports.len() + self.peer_imports.len(),
            exports: self.exports(),
        }
    }

    pub(super) fn exports(&self) -> usize {
        self.pushed_exports.len() + self.own_exports.len()
    }

    pub(super) fn send(&mut self, message: String, after: &mut After) {
        self.outgoing_bytes += message.len();
        self.outgoing.push_back(message);
        after.wakers.extend(self.driver.take());
    }

    pub(super) fn export(&self, id: i64) -> Option<&Export> {
        match u64::try_from(id) {
            Ok(id) => self.pushed_exports.get(id),
            Err(_) => self.own_exports.get(place(id)),
        }
    }

    pub(super) fn export_mut(&mut self, id: i64) -> Option<&mut Export> {
        match u64::try_from(id) {
            Ok(id) => self.pushed_exports.get_mut(id),
            Err(_) => self.own_exports.get_mut(place(id)),
        }
    }

    pub(super) fn remove_export(&mut self, id: i64) -> Option<Export> {
        match u64::try_from(id) {
            Ok(id) => self.pushed_exports.remove(id),
            Err(_) => self.own_exports.remove(place(id)),
        }
    }

    /// Introduces a capability of ours under a new id.
    pub(super) fn introduce(&mut self, export: Export) -> i64 {
        // Ids stay far below 2^53: that many messages cannot be sent.
        -1 - self.own_exports.push(export).cast_signed()
    }

    pub(super) fn entry_mut(&mut self, id: i64) -> Option<&mut Entry> {
        match u64::try_from(id) {
            Ok(id) => self.pushed_imports.get_mut(id),
            Err(_) => self.peer_imports.get_mut(&id),
        }
    }

    pub(super) fn remove_entry(&mut self, id: i64) -> Option<Entry> {
        match u64::try_from(id) {
            Ok(id) => self.pushed_imports.remove(id),
            Err(_) => self.peer_imports.remove(&id),
        }
    }

    pub(super) fn main_import(&self) -> Weak<Import> {
        self.pushed_imports.get(0).map(|entry| entry.import.clone()).unwrap_or_default()
    }

    pub(super) fn set_main_import(&mut self, import: Weak<Import>) {
        if let Some(entry) = self.pushed_imports.get_mut(0) {
            entry.import = import;
        }
    }

    /// Forgets an import and gives its references back.
    pub(super) fn release(&mut self, id: i64, after: &mut After) {
        if let Some(mut entry) = self.remove_entry(id) {
            after.wakers.extend(entry.wakers.take());
            if entry.refs > 0 && self.ended.is_none() {
                self.send(write::release(id, entry.refs), after);
            }
        }
    }

    pub(super) fn answered(&mut self, after: &mut After) {
        self.unanswered = self.unanswered.saturating_sub(1);
        if self.unanswered == 0 {
            after.wakers.append(&mut self.waiting_for_drain);
        }
    }

    /// What this side imports, in no order.
    pub(super) fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.pushed_imports.values_mut().chain(self.peer_imports.values_mut())
    }

    /// Breaks every import, lets go of every export, and wakes everybody.
    pub(super) fn end(&mut self, ended: Ended, after: &mut After) {
        let entries = self.pushed_imports.drain().chain(self.peer_imports.drain().map(|(_, e)| e));
        for mut entry in entries {
            if let Some(import) = entry.import.upgrade() {
                let _ = import.resolution.set(Hook::Broken(ended.error.clone()));
                after.dropped.push(Hook::Import(import));
            }
            after.wakers.extend(entry.wakers.take());
        }
        let exports = self.pushed_exports.drain().chain(self.own_exports.drain());
        after.exports.extend(exports);
        after.wakers.extend(self.driver.take());
        after.wakers.append(&mut self.waiting_for_room);
        after.wakers.append(&mut self.waiting_for_drain);
        self.unanswered = 0;
        self.ended = Some(ended);
    }
}

impl Export {
    pub(super) fn new(hook: Hook) -> Self {
        Self {
            hook,
            refs: 1,
            pulled: false,
            is_writable: false,
            readable: None,
            pipe: None,
            released_by_answer: false,
        }
    }
}

impl Entry {
    pub(super) fn new(import: Weak<Import>) -> Self {
        Self { import, refs: 1, pulled: false, pipelined: false, wakers: WakerSet::default() }
    }
}

/// The place of an id below 0 in the table of what this side introduced.
fn place(id: i64) -> u64 {
    (-1 - id).unsigned_abs()
}

/// What has to wait until the lock has been released.
#[derive(Default)]
pub(super) struct After {
    pub(super) dropped: Vec<Hook>,
    pub(super) exports: Vec<Export>,
    pub(super) found: Vec<Found>,
    pub(super) wakers: Vec<Waker>,
    /// Nobody waits with these any more.
    pub(super) wakers_dropped: Vec<Waker>,
    pub(super) work: Vec<Work>,
}

pub(super) enum Work {
    /// Send this export's resolution when it is known.
    Answer { session: Arc<Shared>, id: i64, hook: Hook },
    /// Resolve this when that has been answered.
    Embargo { until: Arc<Import>, queued: Arc<Queued>, to: Hook },
    /// More was exported than may be: the session cannot go on.
    Abort { session: Arc<Shared>, error: Error },
    /// Send what this stream yields.
    Pump { readable: Readable, to: Hook, under_way: UnderWay },
    /// Read this property for somebody who already holds the result.
    Get { hook: Hook, path: Path, result: Arc<Queued> },
}

impl After {
    /// Carries it out, with `spawn` for what goes on in tasks.
    pub(super) fn run(self, spawn: Option<&SpawnHandle>) {
        self.wakers.into_iter().for_each(Waker::wake);
        if !self.work.is_empty() {
            let work = || Self::work(self.work);
            match spawn {
                Some(spawn) => spawn::with_spawn(spawn, work),
                None => work(),
            }
        }
        if !self.dropped.is_empty() || !self.exports.is_empty() || !self.found.is_empty() {
            turn::bury((self.dropped, self.exports, self.found));
        }
    }

    fn work(work: Vec<Work>) {
        for work in work {
            match work {
                // Behind what is being done: an answer can lead to further ones, any number of times.
                Work::Answer { session, id, hook } => {
                    turn::schedule(Box::new(move || session.answer(id, hook)));
                }
                Work::Embargo { until, queued, to } => {
                    let mut until = Settle::new(Hook::Import(until));
                    spawn::spawn(async move {
                        // Whatever the answer is: it comes behind the calls.
                        let _ = (&mut until).await;
                        turn::enter(move || queued.resolve(to));
                    });
                }
                Work::Abort { session, error } => session.abort(error),
                Work::Pump { readable, to, under_way } => {
                    spawn::spawn(pump(readable, to, under_way));
                }
                Work::Get { hook, path, result } => {
                    turn::schedule(Box::new(move || result.resolve(hook.get(path))));
                }
            }
        }
    }
}
