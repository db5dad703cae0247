//! Calls and property reads on a value that is known: where in it a path leads.

use super::{Hook, not_a_function};
use crate::{
    codec::navigate::{Found, navigate},
    error::Error,
    path::{Key, Path},
    payload::{Cap, Payload},
};

/// What a property read on a value leads to.
pub(super) enum Property {
    /// It is this.
    Known(Hook),
    /// To a property of this.
    Of(Hook, Path),
}

/// What is to be called instead of the value, with what is left of the path, of which so many
/// steps have been taken already.
///
/// # Errors
/// A `TypeError` if the path leads to no function.
pub(super) fn callee(
    payload: &Payload,
    mut path: Path,
    taken: usize,
) -> Result<(Hook, Path), Error> {
    match navigate(payload, &path[taken..])? {
        Found::Cap { cap, rest } => {
            path.drain(..taken + rest);
            match cap {
                Cap::Stub(hook) => Ok((hook, path)),
                Cap::Promise(hook, mut inner) => {
                    inner.append(&mut path);
                    Ok((hook, inner))
                }
                Cap::Settled(payload) => callee(&payload, path, 0),
                Cap::Blob(_) | Cap::Incoming(_) | Cap::Readable(_) | Cap::Writable(_) => {
                    Err(not_a_function(&path))
                }
            }
        }
        Found::Value(_) => Err(not_a_function(&path)),
    }
}

/// What is at the path.
///
/// # Errors
/// A `TypeError` if there can be nothing.
pub(super) fn property(payload: &Payload, path: &[Key]) -> Result<Property, Error> {
    Ok(match navigate(payload, path)? {
        Found::Cap { cap, rest } => {
            let rest = path[rest..].to_vec();
            match cap {
                // The property is a stub: its value is that stub.
                Cap::Stub(hook) if rest.is_empty() => {
                    Property::Known(Hook::value(Payload::of(Cap::Stub(hook))))
                }
                Cap::Stub(hook) => Property::Of(hook, rest),
                Cap::Promise(hook, mut inner) => {
                    inner.extend(rest);
                    if inner.is_empty() { Property::Known(hook) } else { Property::Of(hook, inner) }
                }
                Cap::Settled(payload) => property(&payload, &rest)?,
                // Blobs and streams have no properties.
                cap @ (Cap::Blob(_) | Cap::Incoming(_) | Cap::Readable(_) | Cap::Writable(_)) => {
                    let value = Payload::of(cap);
                    let [_, beyond @ ..] = rest.as_slice() else {
                        return Ok(Property::Known(Hook::value(value)));
                    };
                    return property(&Payload::undefined(), beyond);
                }
            }
        }
        Found::Value(value) => Property::Known(Hook::value(value)),
    })
}
