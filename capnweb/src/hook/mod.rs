//! What a stub or promise is inside: something that calls can be made on.
//!
//! Four kinds, a file each: [`Local`] targets of this process, [`Queued`] ones that are not known
//! yet, [`Import`]s from a peer, and values that are known already; a broken one is just its
//! error. (While a map's function is recorded there is also the [placeholder](crate::map).) Cloning
//! a hook duplicates the capability, dropping it disposes of it.
//!
//! A call on a hook is ordered at the moment it is made. Nothing here calls user code on the
//! caller's stack; see [`turn`](crate::turn).

mod import;
mod local;
mod queued;
mod settle;
mod value;

use std::{collections::HashSet, sync::Arc};

pub(crate) use import::Import;
pub(crate) use local::{Local, Resolver, run_future};
pub(crate) use queued::Queued;
pub(crate) use settle::{Settle, broken, deliverable};

use self::value::Property;
use crate::{
    error::Error,
    map::{Mapper, Variable, intercept},
    path::{self, Key, Path},
    payload::{Args, Cap, Payload, Slot},
    session::{Caller, Waiting},
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
    /// A variable of a function that is being recorded.
    Placeholder(Arc<Variable>),
    Broken(Error),
}

/// What can be asked of a hook.
pub(crate) enum Request {
    /// The property at the path, for this caller.
    Get(Caller),
    /// A call of the method at the path.
    Call(Args),
    /// To apply a function to what is at the path.
    Map(Mapper),
}

impl Request {
    /// Whom it is for.
    fn caller(&self) -> &Caller {
        match self {
            Request::Get(caller) => caller,
            Request::Call(args) => &args.caller,
            Request::Map(mapper) => &mapper.caller,
        }
    }

    /// Says that it waits, with what it is asked at.
    fn waits(&self, path: &[Key]) -> Result<Waiting, Error> {
        let size = match self {
            Request::Get(_) => 0,
            Request::Call(args) => args.payload.size_with_promises(),
            Request::Map(mapper) => mapper.instructions.len(),
        };
        self.caller().waits(size.saturating_add(path::size(path)))
    }

    /// Answers with the property at the path, which is known.
    fn answer(self, property: Hook) -> Hook {
        match self {
            Request::Get(_) => property,
            Request::Map(mapper) => mapper.apply_to(property),
            Request::Call(_) => Hook::Broken(not_a_function(&[])),
        }
    }
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

    /// What this hook will stand for when earlier calls have been passed on, as far as that is
    /// known: whose capability it is. A promise of a stub is followed to the stub.
    pub(crate) fn destination(&self) -> Hook {
        let mut hook = self.clone();
        while let Some(next) = hook.next() {
            hook = next;
        }
        hook
    }

    /// One step towards the destination.
    fn next(&self) -> Option<Hook> {
        match self {
            Hook::Queued(queued) => queued.destination(),
            Hook::Import(import) => import.resolution().cloned(),
            Hook::Value(payload) => match payload.slots.as_slice() {
                [Slot { at: 0, cap: Cap::Stub(stub) }] => Some(stub.clone()),
                _ => None,
            },
            Hook::Local(_) | Hook::Placeholder(_) | Hook::Broken(_) => None,
        }
    }

    /// Whether this stands for a value, or one to come, of which no peer keeps account.
    pub(crate) fn is_own_promise(&self) -> bool {
        matches!(self, Hook::Queued(_) | Hook::Value(_) | Hook::Broken(_))
    }

    /// Calls the method at the path. The hook that comes back is a promise for the result.
    pub(crate) fn call(&self, path: Path, args: Args) -> Hook {
        self.request(path, Request::Call(args))
    }

    /// Reads the property at the path. The hook that comes back is a promise for it.
    pub(crate) fn get(&self, path: Path) -> Hook {
        self.request(path, Request::Get(Caller::default()))
    }

    /// Asks something of what is at the path. The hook that comes back is a promise for the answer.
    pub(crate) fn request(&self, path: Path, request: Request) -> Hook {
        let (mut path, request) = match intercept(self, path, request) {
            Ok(recorded) => return recorded,
            Err(unrecorded) => unrecorded,
        };
        let mut hook = self.resolved();
        // A value can lead to another value, any number of times: no recursion.
        loop {
            match hook {
                Hook::Local(local) => return local.request(path, request),
                Hook::Queued(queued) => return queued.request(path, request),
                Hook::Import(import) => return import.request(path, request),
                Hook::Placeholder(variable) => return variable.request(path, request),
                Hook::Broken(error) => return Hook::Broken(error),
                Hook::Value(payload) => {
                    let next = match &request {
                        Request::Call(_) => value::callee(&payload, path, 0),
                        Request::Get(_) | Request::Map(_) => match value::property(&payload, &path)
                        {
                            Ok(Property::Known(known)) => return request.answer(known),
                            Ok(Property::Of(next, rest)) => Ok((next, rest)),
                            Err(error) => Err(error),
                        },
                    };
                    match next {
                        Ok((next, rest)) => {
                            hook = next.resolved();
                            path = rest;
                        }
                        Err(error) => return Hook::Broken(error),
                    }
                }
            }
        }
    }

    /// Whether something in what this hook stands for, through resolutions and values within
    /// values, is one that `is` says yes to. What leads back to a promise must not become its
    /// resolution: it would be followed for ever, and never be freed.
    ///
    /// Values that hold too many others are counted among those that do.
    pub(crate) fn leads_to(&self, is: impl Fn(&Hook) -> bool) -> bool {
        const MAX_VALUES: usize = 1 << 12;
        let mut todo = vec![self.clone()];
        let mut values = HashSet::new();
        while let Some(hook) = todo.pop() {
            if is(&hook) {
                return true;
            }
            match &hook {
                Hook::Queued(queued) => todo.extend(queued.destination()),
                Hook::Import(import) => todo.extend(import.resolution().cloned()),
                Hook::Value(payload) if !payload.slots.is_empty() => {
                    if values.len() == MAX_VALUES {
                        return true;
                    }
                    if values.insert(Arc::as_ptr(payload)) {
                        payload.hooks(&mut todo);
                    }
                }
                Hook::Value(_) | Hook::Local(_) | Hook::Placeholder(_) | Hook::Broken(_) => {}
            }
        }
        false
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
            Hook::Placeholder(_) => "placeholder",
            Hook::Broken(_) => "broken",
        })
    }
}

/// `'a.b' is not a function.`
pub(crate) fn not_a_function(path: &[Key]) -> Error {
    Error::type_error(format_args!("'{}' is not a function.", crate::path::display(path)))
}
