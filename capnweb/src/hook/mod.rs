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

use crate::{
    error::Error,
    path::{Key, Path},
    payload::{Args, Payload},
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
    pub(crate) fn call(&self, path: Path, args: Args) -> Hook {
        match self.resolved() {
            Hook::Local(local) => local.call(path, args),
            Hook::Queued(queued) => queued.call(path, Some(args)),
            Hook::Import(import) => import.call(path, args),
            Hook::Value(payload) => value::call(&payload, path, 0, args),
            Hook::Broken(error) => Hook::Broken(error),
        }
    }

    /// Reads the property at the path. The hook that comes back is a promise for it.
    pub(crate) fn get(&self, path: Path) -> Hook {
        match self.resolved() {
            Hook::Local(local) => local.get(path),
            Hook::Queued(queued) => queued.call(path, None),
            Hook::Import(import) => import.get(path),
            Hook::Value(payload) => value::get(&payload, &path),
            Hook::Broken(error) => Hook::Broken(error),
        }
    }
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
