//! What a stub or promise is inside: something that calls can be made on.
//!
//! Four kinds, a file each: [`Local`] targets of this process, [`Queued`] ones that are not known
//! yet, [`Import`]s from a peer, and values that are known already; a broken one is just its
//! error. Cloning a hook duplicates the capability, dropping it disposes of it.
//!
//! A call on a hook is ordered at the moment it is made. Nothing here calls user code on the
//! caller's stack; see [`turn`](crate::turn).

mod import;
mod local;
mod queued;
mod settle;
mod value;

use std::sync::Arc;

pub(crate) use import::Import;
pub(crate) use local::{Local, Resolver, run_future};
pub(crate) use queued::Queued;
pub(crate) use settle::{Settle, broken, deliverable};

use self::value::Property;
use crate::{
    error::Error,
    path::{Key, Path},
    payload::{Args, Cap, Payload, Slot},
};

/// A capability, or the promise of one, or of a value.
#[derive(Clone)]
pub(crate) enum Hook {
    Local(Arc<Local>),
    Queued(Arc<Queued>),
    Import(Arc<Import>),
    /// What a promise settled to. Shared, as a result can be pulled and pipelined on until it is
    /// released.
    Value(Arc<Payload>),
    Broken(Error),
}

impl Hook {
    pub(crate) fn value(payload: Payload) -> Self {
        Hook::Value(Arc::new(payload))
    }

    /// Follows resolutions to what this hook stands for by now.
    pub(crate) fn resolved(&self) -> Hook {
        let mut hook = self.clone();
        loop {
            let next = match &hook {
                Hook::Queued(queued) => queued.resolution(),
                Hook::Import(import) => import.resolution().cloned(),
                _ => None,
            };
            match next {
                Some(next) => hook = next,
                None => return hook,
            }
        }
    }

    /// Calls the method at the path. The hook that comes back is a promise for the result.
    pub(crate) fn call(&self, mut path: Path, args: Args) -> Hook {
        let mut hook = self.resolved();
        // A value can lead to another value, any number of times: no recursion.
        loop {
            match hook {
                Hook::Local(local) => return local.call(path, args),
                Hook::Queued(queued) => return queued.call(path, Some(args)),
                Hook::Import(import) => return import.call(path, args),
                Hook::Broken(error) => return Hook::Broken(error),
                Hook::Value(payload) => match value::callee(&payload, path, 0) {
                    Ok((next, rest)) => {
                        hook = next.resolved();
                        path = rest;
                    }
                    Err(error) => return Hook::Broken(error),
                },
            }
        }
    }

    /// Reads the property at the path. The hook that comes back is a promise for it.
    pub(crate) fn get(&self, mut path: Path) -> Hook {
        let mut hook = self.resolved();
        loop {
            match hook {
                Hook::Local(local) => return local.get(path),
                Hook::Queued(queued) => return queued.call(path, None),
                Hook::Import(import) => return import.get(path),
                Hook::Broken(error) => return Hook::Broken(error),
                Hook::Value(payload) => match value::property(&payload, &path) {
                    Ok(Property::Known(hook)) => return hook,
                    Ok(Property::Of(next, rest)) => {
                        hook = next.resolved();
                        path = rest;
                    }
                    Err(error) => return Hook::Broken(error),
                },
            }
        }
    }

    /// Whether what is asked of this hook ends up, through resolutions and values that are
    /// nothing but a stub, at one that `is` says yes to. What leads back to a promise must not
    /// become its resolution: it would be followed for ever.
    pub(crate) fn leads_to(&self, is: impl Fn(&Hook) -> bool) -> bool {
        let mut hook = self.clone();
        loop {
            if is(&hook) {
                return true;
            }
            let next = match &hook {
                Hook::Queued(queued) => queued.destination(),
                Hook::Import(import) => import.resolution().cloned(),
                Hook::Value(payload) => match payload.slots.as_slice() {
                    [Slot { at: 0, cap: Cap::Stub(stub) }] => Some(stub.clone()),
                    _ => None,
                },
                Hook::Local(_) | Hook::Broken(_) => None,
            };
            match next {
                Some(next) => hook = next,
                None => return false,
            }
        }
    }
}

/// What a promise becomes that was resolved with itself.
pub(crate) fn circular() -> Hook {
    Hook::Broken(Error::type_error("A promise was resolved with itself."))
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Hook::Local(_) => "local",
            Hook::Queued(_) => "queued",
            Hook::Import(_) => "remote",
            Hook::Value(_) => "value",
            Hook::Broken(_) => "broken",
        })
    }
}

/// `'a.b' is not a function.`
pub(crate) fn not_a_function(path: &[Key]) -> Error {
    Error::type_error(format_args!("'{}' is not a function.", crate::path::display(path)))
}
