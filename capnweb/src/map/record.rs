//! Recording a function: running it once on placeholders and writing down what it asks of them.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{Budget, Mapper};
use crate::{
    error::Error,
    hook::{Hook, Request},
    path::Path,
    payload::{Args, Cap, Payload},
    session::Caller,
    turn,
    wire::{write, write::fill_holes},
};

thread_local! {
    /// The functions being recorded on this thread, the innermost last.
    static RECORDERS: RefCell<Vec<Recorder>> = const { RefCell::new(Vec::new()) };
}

/// A function being recorded.
struct Recorder {
    id: usize,
    /// What it uses from outside: in the outermost function capabilities, in a nested one
    /// variables of the function around it.
    captures: Vec<Capture>,
    instructions: Vec<String>,
    /// What cannot be recorded has been tried.
    error: Option<Error>,
}

enum Capture {
    Outer(Hook),
    Variable(i64),
}

/// What a recorded function works with: its input, or the result of an instruction.
pub(crate) struct Variable {
    recorder: usize,
    index: i64,
}

impl Variable {
    /// Asks something of the variable: an instruction of the function that is being recorded.
    pub(crate) fn request(self: &Arc<Self>, path: Path, request: Request) -> Hook {
        match request {
            // Needed where it is serialized: reading nothing of it is no instruction.
            Request::Get(_) if path.is_empty() => Hook::Placeholder(Arc::clone(self)),
            request => on_recorder(&Hook::Placeholder(Arc::clone(self)), path, request)
                .unwrap_or_else(|_| Hook::Broken(misused())),
        }
    }
}

/// Whether a function is being recorded on this thread.
pub(crate) fn is_recording() -> bool {
    RECORDERS.with_borrow(|recorders| !recorders.is_empty())
}

/// Refuses to make something that cannot be made inside of a function that is being recorded.
pub(crate) fn refuse(what: &str) -> Option<Error> {
    RECORDERS.with_borrow_mut(|recorders| {
        let recorder = recorders.last_mut()?;
        let error = Error::msg(format_args!(
            "{what} cannot be made inside of a map's function: it is not run where the data is. \
             Make it outside, and use it inside."
        ));
        recorder.error.get_or_insert_with(|| error.clone());
        Some(error)
    })
}

/// While a function is recorded, what is asked of any hook becomes an instruction of it.
pub(crate) fn intercept(
    hook: &Hook,
    path: Path,
    request: Request,
) -> Result<Hook, (Path, Request)> {
    if is_recording() { on_recorder(hook, path, request) } else { Err((path, request)) }
}

/// Runs `f` on a placeholder and applies what was recorded to what is at the path.
pub(crate) fn record(
    hook: &Hook,
    path: Path,
    f: impl FnOnce(Hook) -> Result<Payload, Error>,
) -> Hook {
    // Unique in the process: a placeholder may get to another thread.
    static NEXT_ID: AtomicUsize = AtomicUsize::new(0);
    let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
    // A nested function is applied to something that the one around it knows.
    let subject = RECORDERS
        .with_borrow_mut(|recorders| (!recorders.is_empty()).then(|| capture(recorders, hook)));
    struct Recording(usize);
    impl Drop for Recording {
        fn drop(&mut self) {
            // Also if the function panics.
            let left = RECORDERS.with_borrow_mut(|recorders| {
                recorders.iter().position(|r| r.id == self.0).map(|at| recorders.split_off(at))
            });
            drop(left);
        }
    }
    let recorder = Recorder { id, captures: Vec::new(), instructions: Vec::new(), error: None };
    RECORDERS.with_borrow_mut(|recorders| recorders.push(recorder));
    let recording = Recording(id);
    let result = f(Hook::Placeholder(Arc::new(Variable { recorder: id, index: 0 })));
    let written = result.map(|payload| {
        let instruction = RECORDERS.with_borrow_mut(|recorders| text(recorders, &payload));
        turn::bury(payload);
        instruction
    });
    let recorder = RECORDERS.with_borrow_mut(Vec::pop);
    drop(recording);
    let Some(mut recorder) = recorder else { return Hook::Broken(misused()) };
    let error = recorder.error.take();
    match (error, written) {
        (Some(error), _) | (None, Err(error) | Ok(Err(error))) => {
            turn::bury(recorder.captures);
            Hook::Broken(error)
        }
        (None, Ok(Ok(instruction))) => {
            recorder.instructions.push(instruction);
            finish(hook, subject, path, recorder)
        }
    }
}

/// Makes the recorded function an instruction of the one around it, or applies it.
fn finish(hook: &Hook, subject: Option<i64>, path: Path, recorder: Recorder) -> Hook {
    let instructions = format!("[{}]", recorder.instructions.join(","));
    let Some(subject) = subject else {
        let captures = recorder.captures.into_iter().map(|capture| match capture {
            Capture::Outer(hook) => hook,
            Capture::Variable(_) => Hook::Broken(misused()),
        });
        let mapper = Mapper {
            captures: captures.collect(),
            instructions: instructions.into(),
            caller: Caller::default(),
            budget: Budget::new(&Caller::default()),
        };
        return hook.request(path, Request::Map(mapper));
    };
    let mut out = format!("[\"remap\",{subject},");
    write::path(&mut out, &path);
    out.push_str(",[");
    for (i, capture) in recorder.captures.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        if let Capture::Variable(index) = capture {
            write::reference(&mut out, "import", *index, &[]);
        }
    }
    out.push_str("],");
    out.push_str(&instructions);
    out.push(']');
    RECORDERS.with_borrow_mut(|recorders| match recorders.last_mut() {
        Some(outer) => outer.push(out),
        None => Hook::Broken(misused()),
    })
}

impl Recorder {
    fn push(&mut self, instruction: String) -> Hook {
        self.instructions.push(instruction);
        let index = i64::try_from(self.instructions.len()).unwrap_or(i64::MAX);
        Hook::Placeholder(Arc::new(Variable { recorder: self.id, index }))
    }
}

/// Writes a request down as an instruction of the innermost function.
fn on_recorder(hook: &Hook, path: Path, request: Request) -> Result<Hook, (Path, Request)> {
    let recorded = RECORDERS.with_borrow_mut(|recorders| {
        if recorders.is_empty() {
            return None;
        }
        let subject = capture(recorders, hook);
        let mut out = String::from("[\"pipeline\",");
        out.push_str(itoa::Buffer::new().format(subject));
        out.push(',');
        write::path(&mut out, &path);
        if let Request::Call(Args { payload, .. }) = &request {
            out.push(',');
            match text(recorders, payload) {
                Ok(args) => out.push_str(&args),
                Err(error) => return Some(Hook::Broken(error)),
            }
        }
        out.push(']');
        recorders.last_mut().map(|recorder| recorder.push(out))
    });
    match recorded {
        Some(hook) => {
            turn::bury(request);
            Ok(hook)
        }
        None => Err((path, request)),
    }
}

/// A payload's text, with references to variables in its holes.
fn text(recorders: &mut [Recorder], payload: &Payload) -> Result<String, Error> {
    let mut out = String::with_capacity(payload.text.len());
    let mut refused = None;
    fill_holes(&mut out, &payload.text, &payload.slots, |out, index| {
        match &payload.slots[index].cap {
            Cap::Stub(hook) => {
                let index = capture(recorders, hook);
                write::reference(out, "import", index, &[]);
            }
            Cap::Promise(hook, path) => {
                let index = capture(recorders, hook);
                write::reference(out, "pipeline", index, path);
            }
            Cap::Blob(_) | Cap::Readable(_) | Cap::Writable(_) => {
                refused = Some(Error::msg("A map's function cannot use streams and blobs."));
            }
            // These are only in what arrives, and not in what is made here.
            Cap::Settled(_) | Cap::Incoming(_) => out.push_str("null"),
        }
    });
    refused.map_or(Ok(out), Err)
}

/// The index by which the innermost function knows a hook, which it may take in for that.
fn capture(recorders: &mut [Recorder], hook: &Hook) -> i64 {
    let Some((recorder, around)) = recorders.split_last_mut() else { return 0 };
    if let Hook::Placeholder(variable) = hook
        && variable.recorder == recorder.id
    {
        return variable.index;
    }
    let captured = if around.is_empty() {
        if let Hook::Placeholder(_) = hook {
            // A variable of a function that is not being recorded any more.
            recorder.error.get_or_insert_with(misused);
        }
        Capture::Outer(hook.clone())
    } else {
        Capture::Variable(capture(around, hook))
    };
    recorder.captures.push(captured);
    -i64::try_from(recorder.captures.len()).unwrap_or(i64::MAX)
}

/// What comes of using a placeholder where no function is recorded.
pub(crate) fn misused() -> Error {
    Error::msg(
        "A map's function was left by one of its placeholders. They stand for values that exist \
         only where the map is carried out, and cannot be used or awaited anywhere else.",
    )
}
