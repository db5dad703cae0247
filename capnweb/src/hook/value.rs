//! Calls and property reads on a value that is known.

use super::{Hook, not_a_function};
use crate::{
    codec::navigate::{Found, navigate},
    path::{Key, Path},
    payload::{Args, Cap, Payload},
};

/// Calls what is at the path behind its first `skip` steps, which have been taken already.
pub(super) fn call(payload: &Payload, path: Path, skip: usize, args: Args) -> Hook {
    match navigate(payload, &path[skip..]) {
        Ok(Found::Cap { cap, rest }) => {
            let rest = path[skip + rest..].to_vec();
            match cap {
                Cap::Stub(hook) => hook.call(rest, args),
                Cap::Promise(hook, mut inner) => {
                    inner.extend(rest);
                    hook.call(inner, args)
                }
                Cap::Settled(payload) => call(&payload, rest, 0, args),
            }
        }
        Ok(Found::Value(_)) => Hook::Broken(not_a_function(&path)),
        Err(error) => Hook::Broken(error),
    }
}

pub(super) fn get(payload: &Payload, path: &[Key]) -> Hook {
    match navigate(payload, path) {
        Ok(Found::Cap { cap, rest }) => {
            let rest = path[rest..].to_vec();
            match cap {
                // The property is a stub: its value is that stub.
                Cap::Stub(hook) if rest.is_empty() => Hook::value(Payload::of(Cap::Stub(hook))),
                Cap::Stub(hook) => hook.get(rest),
                Cap::Promise(hook, mut inner) => {
                    inner.extend(rest);
                    if inner.is_empty() { hook } else { hook.get(inner) }
                }
                Cap::Settled(payload) => get(&payload, &rest),
            }
        }
        Ok(Found::Value(value)) => Hook::value(value),
        Err(error) => Hook::Broken(error),
    }
}
