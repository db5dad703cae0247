//! What the peer asks of this side, and answers.

use std::sync::Arc;

use bytestring::ByteString;

use super::{
    Caller, Shared, Waiting,
    core::{After, Core, Entry, Export},
};
use crate::{
    codec,
    error::{Error, ErrorKind},
    evaluate::{Found, Step, carry_out},
    fetch::Incoming,
    hook::{Hook, Import, circular, deliverable},
    map::{Budget, Mapper},
    path::Path,
    payload::{Cap, Payload},
    stream::{Readable, pipe},
    turn,
    value::Value,
    wire::{self, Capture, Expr, Id, Message, Ref, RefKind},
};

impl Shared {
    /// Takes in a message. Handlers that it calls run up to their first suspension in here. An
    /// error ends the session; the peer has been told (as far as messages are still sent).
    pub(crate) fn receive(self: &Arc<Self>, text: &ByteString) {
        if self.is_closed() {
            return;
        }
        turn::enter(|| {
            let handled =
                wire::message(text, &self.options.limits).and_then(|message| self.handle(message));
            if let Err(error) = handled {
                self.abort(error);
            }
        });
    }

    fn handle(self: &Arc<Self>, message: Message) -> Result<(), Error> {
        match message {
            Message::Push(expr) => self.handle_push(expr, false),
            Message::Stream(expr) => self.handle_push(expr, true),
            Message::Pipe => self.handle_pipe(),
            Message::Pull(id) => self.handle_pull(id),
            Message::Resolve(id, expr) => self.handle_resolve(id, expr),
            Message::Reject(id, expr) => self.handle_reject(id, &expr),
            Message::Release(id, count) => self.handle_release(id, count),
            Message::Abort(expr) => self.handle_abort(expr),
        }
    }

    fn handle_push(self: &Arc<Self>, expr: Expr, stream: bool) -> Result<(), Error> {
        let is_import = expr.is_import();
        let payload = self.evaluate(expr)?;
        let hook = if is_import { payload.into_capability() } else { payload.into_hook() };
        let limit = self.options.limits.max_calls_in_flight;
        let (id, hook) = self.with(|core, after| {
            if let Err(error) = self.check_exports(core) {
                after.dropped.push(hook);
                return Err(error);
            }
            // The answer waits in a task, which a release does not end.
            let hook = if stream && core.unanswered >= limit {
                after.dropped.push(hook);
                Hook::Broken(too_many_calls(limit))
            } else {
                hook
            };
            let export =
                Export { pulled: stream, released_by_answer: stream, ..Export::new(hook.clone()) };
            core.unanswered += usize::from(stream);
            Ok((core.pushed_exports.push(export).cast_signed(), hook))
        })?;
        if stream {
            self.answer(id, hook);
        }
        Ok(())
    }

    fn handle_pipe(&self) -> Result<(), Error> {
        let (writer, reader) = pipe();
        self.with(|core, _| {
            self.check_exports(core)?;
            core.pushed_exports.push(Export {
                is_writable: true,
                pipe: Some(reader.input()),
                readable: Some(reader),
                ..Export::new(writer)
            });
            Ok(())
        })
    }

    fn handle_pull(self: &Arc<Self>, id: Id) -> Result<(), Error> {
        let limit = self.options.limits.max_calls_in_flight;
        let pulled = self.with(|core, _| {
            let export = id.get().and_then(|id| core.export_mut(id));
            let Some(export) = export else { return Err(no_such_export(id)) };
            if std::mem::replace(&mut export.pulled, true) {
                return Ok(None);
            }
            let hook = if export.is_writable {
                Hook::Broken(Error::msg("Cannot pull a WritableStream stub"))
            } else {
                export.hook.clone()
            };
            let waiting = core.unanswered;
            core.unanswered += 1;
            // Each one waits in a task, which a release does not end.
            Ok(Some(if waiting < limit { hook } else { Hook::Broken(too_many_calls(limit)) }))
        })?;
        if let (Some(hook), Some(id)) = (pulled, id.get()) {
            self.answer(id, if id == 0 { main_as_value(hook) } else { hook });
        }
        Ok(())
    }

    fn handle_resolve(self: &Arc<Self>, id: Id, expr: Expr) -> Result<(), Error> {
        // Evaluated in any case: stubs in it have to be released.
        let hook = self.evaluate(expr)?.into_hook();
        self.resolve_import(id, hook);
        Ok(())
    }

    fn handle_reject(self: &Arc<Self>, id: Id, expr: &ByteString) -> Result<(), Error> {
        // Unlike a resolution, a rejection of what is not known (any more) is not looked at.
        if !self.with(|core, _| id.get().is_some_and(|id| core.entry_mut(id).is_some())) {
            return Ok(());
        }
        let error = self.evaluate_thrown(wire::expression(expr, &self.options.limits)?)?;
        self.resolve_import(id, Hook::Broken(error));
        Ok(())
    }

    fn resolve_import(&self, id: Id, hook: Hook) {
        let import = self.with(|core, _| {
            let entry = id.get().and_then(|id| core.entry_mut(id));
            entry.and_then(|entry| entry.import.upgrade())
        });
        // Unknown, or just being dropped, which releases it.
        let Some(import) = import else { return turn::bury(hook) };
        let is_self =
            |hook: &Hook| matches!(hook, Hook::Import(known) if Arc::ptr_eq(known, &import));
        let (hook, circle) =
            if hook.leads_to(is_self) { (circular(), Some(hook)) } else { (hook, None) };
        let unused = self.with(|core, after| {
            let hook = self.embargoed(core, after, &import, hook);
            let unused = import.resolution.set(hook).err();
            core.release(import.id, after);
            unused
        });
        turn::bury((circle, unused, import));
    }

    fn handle_release(&self, id: Id, count: f64) -> Result<(), Error> {
        self.with(|core, after| {
            let export = id.get().and_then(|id| core.export_mut(id));
            let Some(export) = export else { return Err(no_such_export(id)) };
            if count > export.refs as f64 {
                return Err(protocol(format_args!(
                    "refcount would go negative: {} < {count}",
                    export.refs
                )));
            }
            if count < 1.0 || count.fract() != 0.0 {
                return Err(protocol(format_args!("bad refcount in a release: {count}")));
            }
            // At most `refs`, so it fits.
            export.refs -= count as u64;
            if export.refs == 0
                && let Some(id) = id.get()
            {
                after.exports.extend(core.remove_export(id));
            }
            Ok(())
        })
    }

    fn handle_abort(self: &Arc<Self>, expr: Expr) -> Result<(), Error> {
        let error = self.evaluate_thrown(expr)?;
        let close = super::closing(&error);
        self.end(error, close, None);
        Ok(())
    }

    /// Evaluates what was thrown. Nothing waits in it: promises there are never resolved.
    fn evaluate_thrown(self: &Arc<Self>, expr: Expr) -> Result<Error, Error> {
        let payload = self.evaluate(expr)?;
        let settled = futures::FutureExt::now_or_never(deliverable(payload));
        let thrown = match settled {
            Some(Ok(payload)) => codec::decode::<Value>(&payload),
            Some(Err(error)) => return Ok(error),
            None => Ok(Value::Undefined),
        };
        Ok(match thrown {
            Ok(value) => Error::throw(value),
            Err(error) => error,
        })
    }

    /// Looks up what an expression refers to and makes the calls in it.
    fn evaluate(self: &Arc<Self>, expr: Expr) -> Result<Payload, Error> {
        if expr.refs.is_empty() {
            return Ok(Payload { text: expr.text, slots: Vec::new() });
        }
        let found = self.with(|core, after| self.look_up(core, after, expr.refs))?;
        Ok(carry_out(expr.text, found, &Caller::new(self)))
    }

    fn look_up(
        self: &Arc<Self>,
        core: &mut Core,
        after: &mut After,
        refs: Vec<Ref>,
    ) -> Result<Vec<Found>, Error> {
        let mut all = Vec::with_capacity(refs.len());
        for Ref { at, kind } in refs {
            let found = self.look_up_one(core, after, kind);
            match found {
                Ok(step) => all.push(Found { at, step }),
                Err(error) => {
                    // What has been found so far may be the last references to it.
                    after.found.append(&mut all);
                    return Err(error);
                }
            }
        }
        Ok(all)
    }

    fn look_up_one(
        self: &Arc<Self>,
        core: &mut Core,
        after: &mut After,
        kind: RefKind,
    ) -> Result<Step, Error> {
        match kind {
            RefKind::Export(id) => Ok(Step::Cap(Cap::Stub(self.import(core, id)?))),
            RefKind::Promise(id) => {
                Ok(Step::Cap(Cap::Promise(self.import_promise(core, id)?, Path::new())))
            }
            RefKind::Writable(id) => Ok(Step::Cap(Cap::Writable(self.import(core, id)?))),
            RefKind::Readable(id) => Ok(Step::Cap(Cap::Readable(pipe_readable(core, id)?))),
            RefKind::Blob { content_type, id } => {
                let readable = pipe_readable(core, id)?;
                let max_bytes = self.options.limits.max_blob_bytes;
                let waiting = Waiting::new(Some(Arc::clone(&self.allowance)));
                let blob = Incoming::new(content_type, readable, max_bytes, waiting);
                Ok(Step::Cap(Cap::Incoming(blob)))
            }
            RefKind::Own { id, path: None, promise: false } => {
                Ok(Step::Cap(Cap::Stub(own_export(core, id)?)))
            }
            RefKind::Own { id, path, promise } => {
                let mut hook = own_export(core, id)?;
                if id.get() == Some(0) && path.as_ref().is_none_or(Vec::is_empty) {
                    hook = main_as_value(hook);
                }
                Ok(Step::Get { hook, path: path.unwrap_or_default(), promise })
            }
            RefKind::Call { id, path, args, promise } => {
                let hook = own_export(core, id)?;
                let found = self.look_up(core, after, args.refs)?;
                Ok(Step::Call { hook, path, text: args.text, args: found, promise })
            }
            RefKind::Map { id, path, captures, instructions } => {
                let hook = own_export(core, id)?;
                let mut mapper = Mapper {
                    captures: Vec::with_capacity(captures.len()),
                    instructions,
                    caller: Caller::new(self),
                    budget: Budget::new(&Caller::new(self)),
                };
                for capture in captures {
                    let captured = match capture {
                        Capture::Import(id) => own_export(core, id),
                        Capture::Export(id) => self.import(core, id),
                    };
                    match captured {
                        Ok(hook) => mapper.captures.push(hook),
                        Err(error) => {
                            after.dropped.append(&mut mapper.captures);
                            return Err(error);
                        }
                    }
                }
                Ok(Step::Map { hook, path, mapper })
            }
        }
    }

    /// A stub that the peer introduces, or sends once more.
    fn import(self: &Arc<Self>, core: &mut Core, id: Id) -> Result<Hook, Error> {
        let number = peer_id(id)?;
        let new = |core: &Core| {
            core.handle
                .upgrade()
                .map(|handle| Arc::new(Import::new(handle, number, false)))
                .ok_or_else(|| protocol("The session is shutting down."))
        };
        if core.peer_imports.contains_key(&number) {
            let known = core.peer_imports.get(&number).and_then(|e| e.import.upgrade());
            let import = match known {
                Some(import) => import,
                None => new(core)?,
            };
            if let Some(entry) = core.peer_imports.get_mut(&number) {
                entry.refs += 1;
                entry.import = Arc::downgrade(&import);
            }
            return Ok(Hook::Import(import));
        }
        self.check_imports(core)?;
        let import = new(core)?;
        core.peer_imports.insert(number, Entry::new(Arc::downgrade(&import)));
        Ok(Hook::Import(import))
    }

    /// A promise that the peer introduces and will resolve unasked.
    fn import_promise(self: &Arc<Self>, core: &mut Core, id: Id) -> Result<Hook, Error> {
        let number = peer_id(id)?;
        if core.peer_imports.contains_key(&number) {
            return Ok(Hook::Broken(Error::msg(
                "Bug in RPC system: The peer sent a promise reusing an existing export ID.",
            )));
        }
        self.check_imports(core)?;
        let handle =
            core.handle.upgrade().ok_or_else(|| protocol("The session is shutting down."))?;
        let import = Arc::new(Import::new(handle, number, true));
        let entry = Entry { pulled: true, ..Entry::new(Arc::downgrade(&import)) };
        core.peer_imports.insert(number, entry);
        Ok(Hook::Import(import))
    }

    fn check_imports(&self, core: &Core) -> Result<(), Error> {
        let limit = self.options.limits.max_imports;
        if core.peer_imports.len() >= limit {
            return Err(protocol(format_args!("More than {limit} capabilities were sent.")));
        }
        Ok(())
    }

    fn check_exports(&self, core: &Core) -> Result<(), Error> {
        let limit = self.options.limits.max_exports;
        if core.exports() >= limit {
            return Err(protocol(format_args!("More than {limit} results are held.")));
        }
        Ok(())
    }
}

/// The main object is a target; where it is asked for as a value, that value is a stub of it.
fn main_as_value(hook: Hook) -> Hook {
    match hook {
        Hook::Broken(_) => hook,
        hook => Hook::value(Payload::of(Cap::Stub(hook))),
    }
}

fn own_export(core: &Core, id: Id) -> Result<Hook, Error> {
    id.get()
        .and_then(|id| core.export(id))
        .map(|export| export.hook.clone())
        .ok_or_else(|| protocol(format_args!("no such entry on exports table: {id}")))
}

/// The readable end of a pipe, which can be had once.
fn pipe_readable(core: &mut Core, id: Id) -> Result<Readable, Error> {
    let export = id.get().and_then(|id| core.export_mut(id));
    match export.and_then(|export| export.readable.take()) {
        Some(reader) => Ok(Readable::of_pipe(reader)),
        None => Err(protocol(format_args!(
            "Export {id} is not a pipe or its readable end was already consumed."
        ))),
    }
}

/// The id of something that the peer introduces, which counts down from -1.
fn peer_id(id: Id) -> Result<i64, Error> {
    match id.get() {
        Some(number) if number < 0 => Ok(number),
        _ => Err(protocol(format_args!("bad id for an export: {id}"))),
    }
}

pub(super) fn too_many_calls(limit: usize) -> Error {
    Error::of_kind(
        ErrorKind::Overloaded,
        "Error",
        format_args!("More than {limit} calls are in flight."),
    )
}

fn no_such_export(id: Id) -> Error {
    protocol(format_args!("no such export ID: {id}"))
}

fn protocol(message: impl std::fmt::Display) -> Error {
    Error::of_kind(ErrorKind::Protocol, "Error", message)
}
