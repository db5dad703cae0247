//! What this side asks of the peer: calls, pulls, releases.

use std::{sync::Arc, task::Waker};

use super::{
    Shared,
    core::{After, Core, Entry},
};
use crate::{
    error::{Error, ErrorKind},
    hook::{Hook, Import},
    path::Path,
    payload::Payload,
    turn,
    wire::write,
};

impl Shared {
    /// Calls the method at the path of an import, or reads the property there.
    pub(crate) fn send_call(
        self: &Arc<Self>,
        on: &Import,
        path: Path,
        args: Option<Payload>,
    ) -> Hook {
        let mut frame = String::with_capacity(48 + args.as_ref().map_or(0, |a| a.text.len()));
        write::call_head(&mut frame, on.id, &path);
        match args {
            None => self.push_frame(on, frame + write::CALL_TAIL, path, None),
            Some(args) if args.slots.is_empty() => {
                frame.push(',');
                frame.push_str(&args.text);
                frame.push_str(write::CALL_TAIL);
                self.push_frame(on, frame, path, Some(args))
            }
            Some(args) => self.push_with_capabilities(on, frame, path, args),
        }
    }

    /// Sends a complete message.
    fn push_frame(
        self: &Arc<Self>,
        on: &Import,
        frame: String,
        path: Path,
        args: Option<Payload>,
    ) -> Hook {
        let sent = self.with(|core, after| {
            if let Err(hook) = self.may_call(core, on) {
                return Err(hook);
            }
            Ok(self.push(core, on, frame, after))
        });
        self.or_elsewhere(sent, path, args)
    }

    fn push_with_capabilities(
        self: &Arc<Self>,
        on: &Import,
        mut frame: String,
        path: Path,
        args: Payload,
    ) -> Hook {
        let sent = self.with(|core, after| {
            if let Err(hook) = self.may_call(core, on) {
                return Err(hook);
            }
            frame.push(',');
            self.write_exporting(core, after, &args, &mut frame);
            frame.push_str(write::CALL_TAIL);
            Ok(self.push(core, on, frame, after))
        });
        if sent.is_ok() {
            turn::bury(args);
            return self.or_elsewhere(sent, path, None);
        }
        self.or_elsewhere(sent, path, Some(args))
    }

    /// The result of a call that was sent; or makes it on what the import has turned into.
    fn or_elsewhere(&self, sent: Result<Hook, Hook>, path: Path, args: Option<Payload>) -> Hook {
        match (sent, args) {
            (Ok(hook), _) => hook,
            (Err(Hook::Broken(error)), _) => Hook::Broken(error),
            (Err(hook), Some(payload)) => hook.call(path, payload.into()),
            (Err(hook), None) => hook.get(path),
        }
    }

    /// Whether a call can be sent on this import now. If not, what it is to be made on instead.
    fn may_call(&self, core: &Core, on: &Import) -> Result<(), Hook> {
        if let Some(hook) = on.resolution() {
            return Err(hook.clone());
        }
        if let Some(ended) = &core.ended {
            return Err(Hook::Broken(ended.error.clone()));
        }
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
    fn push(&self, core: &mut Core, on: &Import, frame: String, after: &mut After) -> Hook {
        let id = core.pushed_imports.next_id().cast_signed();
        let import = Arc::new(Import::new(Arc::clone(&on.session), id, true));
        core.pushed_imports.push(Entry::new(Arc::downgrade(&import)));
        core.send(frame, after);
        Hook::Import(import)
    }

    /// Registers interest in what an import resolves to.
    pub(crate) fn poll_import(&self, import: &Import, waker: &Waker, pull: bool) -> Option<Hook> {
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
            let Some(entry) = core.entry_mut(import.id) else {
                return Some(Hook::Broken(super::shut_down()));
            };
            if !entry.wakers.iter().any(|known| known.will_wake(waker)) {
                entry.wakers.push(waker.clone());
            }
            if pull && !std::mem::replace(&mut entry.pulled, true) {
                core.send(write::pull(import.id), after);
            }
            None
        })
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
