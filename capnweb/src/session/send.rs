//! What this side asks of the peer: calls, pulls, releases.

use std::{sync::Arc, task::Waker};

use super::{
    Shared,
    core::{After, Core, Entry, Work},
};
use crate::{
    codec::hold_back,
    error::{Error, ErrorKind},
    hook::{Hook, Import, Queued, Request},
    map::Mapper,
    path::Path,
    payload::{Cap, Payload},
    wakers::WakerKey,
    wire::write,
};

impl Shared {
    /// Asks something of what is at the path of an import.
    pub(crate) fn send_request(
        self: &Arc<Self>,
        on: &Import,
        path: Path,
        request: Request,
    ) -> Hook {
        if let Err(error) = self.check_request(&request) {
            return Hook::Broken(error);
        }
        // What needs no lock is written first.
        let mut frame = match &request {
            Request::Get(_) => {
                let mut frame = String::with_capacity(48);
                write::call_head(&mut frame, "push", on.id, &path);
                frame.push_str(write::CALL_TAIL);
                frame
            }
            Request::Call(args) => call_frame("push", on.id, &path, &args.payload),
            Request::Map(mapper) => {
                let mut frame = String::with_capacity(64 + mapper.instructions.len());
                write::map_head(&mut frame, on.id, &path);
                frame
            }
        };
        let sent = self.with(|core, after| {
            self.may_call(core, on)?;
            self.has_room(core)?;
            match &request {
                Request::Get(_) => {}
                Request::Call(args) => self.finish_call(core, after, &args.payload, &mut frame),
                Request::Map(mapper) => self.finish_map(core, mapper, &mut frame),
            }
            Ok(Hook::Import(self.push(core, on, frame, 1, after)))
        });
        match sent {
            Ok(hook) | Err(hook @ Hook::Broken(_)) => hook,
            // The import has turned into something else.
            Err(hook) => hook.request(path, request),
        }
    }

    /// Calls a method whose answer is sent unasked and needs no release. Returns the promise of
    /// the answer, and the size of the message if it was one.
    pub(crate) fn send_stream(
        self: &Arc<Self>,
        on: &Import,
        path: Path,
        args: Payload,
    ) -> (Hook, Option<usize>) {
        if let Err(error) = hold_back::check_args(&args, self.options.peer_release) {
            return (Hook::Broken(error), None);
        }
        let mut frame = call_frame("stream", on.id, &path, &args);
        let sent = self.with(|core, after| {
            self.may_call(core, on)?;
            self.finish_call(core, after, &args, &mut frame);
            // JavaScript counts UTF-16 units; what is not ASCII is nearly as many.
            let size = frame.len();
            let import = self.push(core, on, frame, 0, after);
            if let Some(entry) = core.entry_mut(import.id) {
                entry.pulled = true;
            }
            Ok((Hook::Import(import), size))
        });
        match sent {
            Ok((hook, size)) => (hook, Some(size)),
            Err(hook @ Hook::Broken(_)) => (hook, None),
            Err(hook) => (hook.call(path, args.into()), None),
        }
    }

    /// Writes what [`call_frame`] has left open: arguments that refer to tables.
    fn finish_call(
        self: &Arc<Self>,
        core: &mut Core,
        after: &mut After,
        args: &Payload,
        frame: &mut String,
    ) {
        if !args.slots.is_empty() {
            self.write_exporting(core, after, args, frame);
            frame.push_str(write::CALL_TAIL);
        }
    }

    fn finish_map(&self, core: &mut Core, mapper: &Mapper, frame: &mut String) {
        for (i, capture) in mapper.captures.iter().enumerate() {
            if i > 0 {
                frame.push(',');
            }
            self.write_stub(core, capture, frame);
        }
        frame.push_str("],");
        frame.push_str(&mapper.instructions);
        frame.push_str(write::CALL_TAIL);
    }

    /// Whether the peer can read what is asked of it.
    fn check_request(&self, request: &Request) -> Result<(), Error> {
        let release = self.options.peer_release;
        match request {
            Request::Get(_) => Ok(()),
            Request::Call(args) => hold_back::check_args(&args.payload, release),
            Request::Map(mapper) => hold_back::check_instructions(&mapper.instructions, release),
        }
    }

    /// Whether a call can be sent on this import now. If not, what it is to be made on instead.
    fn may_call(&self, core: &Core, on: &Import) -> Result<(), Hook> {
        if let Some(hook) = on.resolution() {
            return Err(hook.clone());
        }
        match &core.ended {
            Some(ended) => Err(Hook::Broken(ended.error.clone())),
            None => Ok(()),
        }
    }

    /// Whether not too much waits to be sent for one more call. The messages of streams are not
    /// asked: their windows bound them, and none of them can be left out.
    fn has_room(&self, core: &Core) -> Result<(), Hook> {
        let limit = self.options.limits.max_outgoing_bytes;
        if core.outgoing_bytes > limit {
            return Err(Hook::Broken(Error::of_kind(
                ErrorKind::Overloaded,
                "Error",
                format_args!(
                    "The connection is overloaded: more than {limit} bytes wait to be sent."
                ),
            )));
        }
        Ok(())
    }

    /// Takes the id and enqueues the message, in one step: the peer counts.
    fn push(
        &self,
        core: &mut Core,
        on: &Import,
        frame: String,
        refs: u64,
        after: &mut After,
    ) -> Arc<Import> {
        let id = core.pushed_imports.next_id().cast_signed();
        let import = Arc::new(Import::new(Arc::clone(&on.session), id, true));
        if let Some(entry) = core.entry_mut(on.id) {
            entry.pipelined = true;
        }
        core.pushed_imports.push(Entry { refs, ..Entry::new(Arc::downgrade(&import)) });
        core.send(frame, after);
        import
    }

    /// What a promise of the peer's becomes: its resolution, or something that becomes it later.
    ///
    /// Calls that were made on the promise have gone to the peer. If it was resolved to something
    /// that is not there, the peer passes them on, to this side or to another one, and a call that
    /// is made from now on goes the direct way. So that it does not overtake them it has to wait:
    /// until the peer has answered a question behind them.
    pub(super) fn embargoed(
        &self,
        core: &mut Core,
        after: &mut After,
        import: &Import,
        resolution: Hook,
    ) -> Hook {
        let pipelined = core.entry_mut(import.id).is_some_and(|entry| entry.pipelined);
        if !pipelined || import.id == 0 || !self.leads_elsewhere(&resolution) {
            return resolution;
        }
        let mut frame = String::new();
        write::call_head(&mut frame, "push", import.id, &[]);
        frame.push_str(write::CALL_TAIL);
        let until = self.push(core, import, frame, 1, after);
        let queued = Queued::new();
        after.work.push(Work::Embargo { until, queued: Arc::clone(&queued), to: resolution });
        Hook::Queued(queued)
    }

    /// Whether calls on this would not go to the peer of this session.
    fn leads_elsewhere(&self, resolution: &Hook) -> bool {
        match resolution {
            Hook::Broken(_) => false,
            Hook::Value(payload) => payload.slots.iter().any(|slot| match &slot.cap {
                Cap::Stub(hook) | Cap::Promise(hook, _) => {
                    self.own_import(&hook.resolved()).is_none()
                }
                Cap::Settled(_)
                | Cap::Blob(_)
                | Cap::Incoming(_)
                | Cap::Readable(_)
                | Cap::Writable(_) => false,
            }),
            hook => self.own_import(&hook.resolved()).is_none(),
        }
    }

    /// Registers interest in what an import resolves to.
    pub(crate) fn poll_import(
        &self,
        import: &Import,
        key: &mut WakerKey,
        waker: &Waker,
        pull: bool,
    ) -> Option<Hook> {
        self.with(|core, after| {
            if let Some(hook) = import.resolution() {
                return Some(hook.clone());
            }
            if pull && !import.is_promise {
                return Some(Hook::Broken(Error::msg("Tried to resolve a non-promise stub.")));
            }
            let ended = core.ended.as_ref().map(|ended| Hook::Broken(ended.error.clone()));
            if ended.is_some() {
                return ended;
            }
            let input_ended = core.input_ended.clone();
            let Some(entry) = core.entry_mut(import.id) else {
                return Some(Hook::Broken(super::shut_down()));
            };
            // The writes of a stream go on as far as they can without being answered.
            if pull
                && entry.refs > 0
                && let Some(error) = input_ended
            {
                return Some(Hook::Broken(error));
            }
            entry.wakers.register(key, waker);
            if pull && !std::mem::replace(&mut entry.pulled, true) {
                core.send(write::pull(import.id), after);
            }
            None
        })
    }

    /// Whoever polled with this key does not wait any more.
    pub(crate) fn forget_waker(&self, import: &Import, key: WakerKey) {
        self.with(|core, after| {
            let entry = core.entry_mut(import.id);
            after.wakers_dropped.extend(entry.and_then(|entry| entry.wakers.forget(key)));
        });
    }

    /// Asks for every result that somebody still holds the promise of.
    pub(crate) fn pull_held(&self) {
        self.with(|core, after| {
            let entries = core.entries_mut().filter(|entry| !entry.pulled);
            let held: Vec<_> = entries.filter_map(|entry| entry.import.upgrade()).collect();
            let promises = held.iter().filter(|import| import.is_promise);
            let mut ids: Vec<_> = promises.map(|import| import.id).collect();
            ids.sort_unstable();
            for id in ids {
                if let Some(entry) = core.entry_mut(id) {
                    entry.pulled = true;
                    core.send(write::pull(id), after);
                }
            }
            after.dropped.extend(held.into_iter().map(Hook::Import));
        });
    }

    /// The last reference to an import that was never resolved is gone.
    pub(crate) fn release_import(&self, import: &Import) {
        self.with(|core, after| {
            // The peer may have sent the same capability again meanwhile, for which there is a
            // new import by now. That one will give all references back.
            let is_current = core
                .entry_mut(import.id)
                .is_some_and(|entry| std::ptr::eq(entry.import.as_ptr(), import));
            // The main object is never released: it goes with the connection.
            if is_current && import.id != 0 {
                core.release(import.id, after);
            }
        });
    }
}

/// A call up to its arguments, and with them if they refer to no table.
fn call_frame(message: &str, id: i64, path: &Path, args: &Payload) -> String {
    let mut frame = String::with_capacity(48 + args.text.len());
    write::call_head(&mut frame, message, id, path);
    frame.push(',');
    if args.slots.is_empty() {
        frame.push_str(&args.text);
        frame.push_str(write::CALL_TAIL);
    }
    frame
}
