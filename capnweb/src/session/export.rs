//! Turning capabilities into references, and results into answers.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::{Context, Poll, Waker},
};

use futures::FutureExt;

use super::{
    Shared, UnderWay,
    core::{After, Core, Entry, Export, Work},
};
use crate::{
    codec::{self, hold_back},
    error::{Error, ErrorKind},
    hook::{Hook, Import, Queued, Settle},
    path::Path,
    payload::{Cap, Payload},
    spawn,
    stream::Readable,
    turn,
    value::{Exception, Value},
    wire::{lex::Cursor, write, write_string},
};

impl Shared {
    /// Writes a payload's text with references in its holes, exporting what has to be.
    pub(super) fn write_exporting(
        self: &Arc<Self>,
        core: &mut Core,
        after: &mut After,
        payload: &Payload,
        out: &mut String,
    ) {
        write::fill_holes(out, &payload.text, &payload.slots, |out, index| {
            match &payload.slots[index].cap {
                Cap::Stub(hook) => self.write_stub(core, hook, out),
                Cap::Promise(hook, path) => self.write_promise(core, after, hook, path, out),
                Cap::Settled(payload) => self.write_exporting(core, after, payload, out),
                Cap::Blob(blob) => {
                    let (of, readable) = (blob.content_type(), blob.to_readable());
                    self.write_blob(core, after, of, readable, out);
                }
                Cap::Incoming(blob) => {
                    let (of, readable) = (blob.content_type(), blob.to_readable());
                    self.write_blob(core, after, of, readable, out);
                }
                Cap::Readable(readable) => self.write_readable(core, after, readable.clone(), out),
                Cap::Writable(hook) => {
                    let export = Export { is_writable: true, ..Export::new(hook.resolved()) };
                    let id = core.introduce(export);
                    write::reference(out, "writable", id, &[]);
                }
            }
        });
    }

    /// Ends the session if what has been written makes the peer hold too much: promises of the same
    /// value can be put into each other until there are more of them than can be counted.
    fn check_introduced(self: &Arc<Self>, core: &Core, after: &mut After) {
        let limit = self.options.limits.max_exports;
        if core.exports() > limit {
            let error = Error::of_kind(
                ErrorKind::Protocol,
                "Error",
                format_args!("More than {limit} results are held."),
            );
            after.work.push(Work::Abort { session: Arc::clone(self), error });
        }
    }

    pub(super) fn write_stub(&self, core: &mut Core, hook: &Hook, out: &mut String) {
        match self.own_import(&hook.destination()) {
            Some(id) => write::reference(out, "import", id, &[]),
            None => {
                // A new id each time: the JavaScript package gives one that it receives twice back
                // only once.
                let id = core.introduce(Export::new(hook.resolved()));
                write::reference(out, "export", id, &[]);
            }
        }
    }

    /// Sends a blob's bytes as a stream.
    fn write_blob(
        &self,
        core: &mut Core,
        after: &mut After,
        content_type: &str,
        readable: Readable,
        out: &mut String,
    ) {
        out.push_str("[\"blob\",");
        write_string(out, content_type);
        out.push(',');
        self.write_readable(core, after, readable, out);
        out.push(']');
    }

    /// Opens a pipe for a stream that is sent, into which it is written from now on.
    fn write_readable(
        &self,
        core: &mut Core,
        after: &mut After,
        readable: Readable,
        out: &mut String,
    ) {
        let Some(handle) = core.handle.upgrade() else {
            // The session is shutting down: nobody will read what is written here.
            return out.push_str("null");
        };
        core.send(write::PIPE.to_owned(), after);
        let id = core.pushed_imports.next_id().cast_signed();
        let under_way = UnderWay::new(core, Arc::clone(&handle.shared));
        let import = Arc::new(Import::new(handle, id, false));
        core.pushed_imports.push(Entry::new(Arc::downgrade(&import)));
        after.work.push(Work::Pump { readable, to: Hook::Import(import), under_way });
        write::reference(out, "readable", id, &[]);
    }

    fn write_promise(
        self: &Arc<Self>,
        core: &mut Core,
        after: &mut After,
        hook: &Hook,
        path: &Path,
        out: &mut String,
    ) {
        let known = hook.destination();
        if let Some(id) = self.own_import(&known) {
            // What a promise has turned out to be can be named: only a result is promised.
            let is_stub = matches!(&known, Hook::Import(import) if !import.is_promise);
            let tag = if is_stub && path.is_empty() { "import" } else { "pipeline" };
            return write::reference(out, tag, id, path);
        }
        let mut hook = hook.resolved();
        if !path.is_empty() {
            // Reading a property can run user code, so somebody who has no lock does it.
            let result = Queued::new();
            let of = std::mem::replace(&mut hook, Hook::Queued(Arc::clone(&result)));
            after.work.push(Work::Get { hook: of, path: path.clone(), result });
        }
        let id = core.introduce(Export { pulled: true, ..Export::new(hook.clone()) });
        core.unanswered += 1;
        after.work.push(Work::Answer { session: Arc::clone(self), id, hook });
        write::reference(out, "promise", id, &[]);
    }

    /// The id of a capability that is this peer's own. Under the lock, what is not resolved is
    /// not released either.
    pub(super) fn own_import(&self, hook: &Hook) -> Option<i64> {
        match hook {
            Hook::Import(import)
                if std::ptr::eq(Arc::as_ptr(&import.session.shared), self)
                    && import.resolution().is_none() =>
            {
                Some(import.id)
            }
            _ => None,
        }
    }

    /// Sends the resolution of an export as soon as it is known.
    pub(super) fn answer(self: &Arc<Self>, id: i64, hook: Hook) {
        let mut settle = Settle::new(hook);
        match settle.poll_unpin(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => self.send_answer(id, result),
            Poll::Pending => {
                let this = Arc::clone(self);
                let closed = self.closed.wait();
                // A call with a promise in it may be made where there is no executor.
                spawn::spawn_on(self.options.spawn.as_ref(), async move {
                    // Nobody is left to be told when the session has ended.
                    if let futures::future::Either::Left((result, _)) =
                        futures::future::select(settle, closed).await
                    {
                        this.send_answer(id, result);
                    }
                });
            }
        }
    }

    fn send_answer(self: &Arc<Self>, id: i64, result: Result<Arc<Payload>, Error>) {
        let result = result.and_then(|payload| {
            hold_back::check_value(&payload, self.options.peer_release).map(|()| payload)
        });
        let rejection = result.as_ref().err().map(|error| self.error_text(error));
        self.with(|core, after| {
            if core.ended.is_some() {
                return;
            }
            let mut frame = String::new();
            match (&result, &rejection) {
                (Ok(payload), _) => {
                    frame.reserve(payload.text.len() + 32);
                    write::settle_head(&mut frame, "resolve", id);
                    self.write_exporting(core, after, payload, &mut frame);
                    self.check_introduced(core, after);
                }
                (Err(_), rejection) => {
                    write::settle_head(&mut frame, "reject", id);
                    frame.push_str(rejection.as_deref().unwrap_or("[\"undefined\"]"));
                }
            }
            frame.push(']');
            core.send(frame, after);
            core.answered(after);
            if core.export(id).is_some_and(|export| export.released_by_answer) {
                after.exports.extend(core.remove_export(id));
            }
        });
    }

    /// The expression that an error is sent as, after the application's hook has seen it, without
    /// what the peer cannot read.
    pub(super) fn error_text(&self, error: &Error) -> String {
        let text = self.whole_error_text(error);
        match hold_back::check_text(&text, self.options.peer_release) {
            Ok(()) => text,
            Err(_) if text.starts_with("[\"error\",") => without_properties(&text),
            Err(error) => exception_text(&Exception::new("TypeError", error.message()), None),
        }
    }

    fn whole_error_text(&self, error: &Error) -> String {
        let rewritten = self.options.on_send_error.as_ref().and_then(|hook| {
            let rewrite = AssertUnwindSafe(|| turn::user_code(|| hook.rewrite(error)));
            // Nothing of the error may leak if the hook that hides it fails.
            catch_unwind(rewrite).unwrap_or_else(|_| {
                tracing::error!("the hook for errors to be sent panicked");
                Some(Exception::new("Error", "Internal error."))
            })
        });
        match (&rewritten, error.thrown()) {
            (Some(exception), _) => exception_text(exception, exception.stack.as_deref()),
            (None, Value::Error(exception)) => exception_text(exception, None),
            (None, value) => match codec::encode(value) {
                Ok(payload) if payload.slots.is_empty() => payload.text.to_string(),
                Ok(_) => exception_text(
                    &Exception::new("Error", "Can't serialize RPC stubs in this context."),
                    None,
                ),
                Err(error) => exception_text(&Exception::new("Error", error.message()), None),
            },
        }
    }
}

/// The expression of an error, cut off behind its message.
fn without_properties(error: &str) -> String {
    let mut lex = Cursor::new(error);
    for mark in *b"[,," {
        lex.eat(mark);
        // The text is this side's own.
        let _ = lex.skip_string();
    }
    format!("{}]", lex.since(0))
}

/// The expression of an error that is thrown. Properties that cannot be sent, such as stubs, are
/// left out.
fn exception_text(exception: &Exception, stack: Option<&str>) -> String {
    let mut text = String::new();
    if let Err(error) = codec::encode_thrown_into(&mut text, exception) {
        tracing::error!(%error, "an error could not be sent");
        text.push_str("[\"error\",\"Error\",\"Internal error.\"]");
    }
    let Some(stack) = stack else { return text };
    // Behind name and message there is the end, or `null` in the stack's place and properties.
    let mut with_stack = String::from("[\"error\",");
    write_string(&mut with_stack, &exception.name);
    with_stack.push(',');
    write_string(&mut with_stack, &exception.message);
    let rest = text.get(with_stack.len()..).unwrap_or("]");
    let rest = rest.strip_prefix(",null").unwrap_or(rest);
    with_stack.push(',');
    write_string(&mut with_stack, stack);
    with_stack.push_str(rest);
    with_stack
}
