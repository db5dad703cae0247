//! Carrying out what an expression asks for, once its references have been looked up.
//!
//! Knows no tables: the session looks references up in its own, a map in its variables.

use bytestring::ByteString;

use crate::{
    hook::{Hook, Request},
    map::Mapper,
    path::Path,
    payload::{Args, Cap, Payload, Slot},
    session::Caller,
    turn,
};

/// A reference that has been looked up.
pub(crate) struct Found {
    /// Where its hole is in the text; `None` if the value is dropped after evaluation.
    pub(crate) at: Option<u32>,
    pub(crate) step: Step,
}

/// What is to be done for a reference.
pub(crate) enum Step {
    /// Nothing more.
    Cap(Cap),
    Get {
        hook: Hook,
        path: Path,
        promise: bool,
    },
    Call {
        hook: Hook,
        path: Path,
        text: ByteString,
        args: Vec<Found>,
        promise: bool,
    },
    Map {
        hook: Hook,
        path: Path,
        mapper: Mapper,
    },
}

/// Fills an expression's holes, making calls and reading properties in their order.
pub(crate) fn carry_out(text: ByteString, found: Vec<Found>, caller: &Caller) -> Payload {
    let mut slots = Vec::with_capacity(found.len());
    for Found { at, step } in found {
        let cap = match step {
            Step::Cap(cap) => cap,
            Step::Get { hook, path, promise } => {
                // A promise that is kept here is held once more. The peer is asked for another of
                // one that it keeps.
                let is_itself = path.is_empty() && hook.is_own_promise();
                let get = Request::Get(caller.clone());
                let hook = if is_itself { hook } else { hook.request(path, get) };
                cap(hook, promise)
            }
            Step::Call { hook, path, text, args, promise } => {
                let payload = carry_out(text, args, caller);
                cap(caller.call(&hook, path, Args { payload, caller: caller.clone() }), promise)
            }
            Step::Map { hook, path, mapper } => cap(hook.request(path, Request::Map(mapper)), true),
        };
        match at {
            Some(at) => slots.push(Slot { at, cap }),
            None => turn::bury(cap),
        }
    }
    Payload { text, slots }
}

fn cap(hook: Hook, promise: bool) -> Cap {
    if promise { Cap::Promise(hook, Path::new()) } else { Cap::Stub(hook) }
}
