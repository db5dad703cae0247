//! Map: a function that is sent to where the data is, and applied there.
//!
//! The function is not sent as code. It is run once, here, on a [placeholder](record), which
//! records what is done with it; what is sent are those instructions. Applying them is this
//! module's: to each element of an array, to a single value, to nothing for null.

mod record;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytestring::ByteString;

pub(crate) use self::record::{Variable, intercept, misused, record, refuse};
use crate::{
    codec::navigate::elements,
    error::Error,
    evaluate::{Found, Step, carry_out},
    hook::{Hook, Queued, Resolver, Settle},
    maybe_send::BoxFuture,
    payload::{Cap, Payload, Slot},
    session::{Caller, Running},
    spawn, turn,
    wire::{self, Capture, Expr, Id, Limits, Ref, RefKind},
};

/// A function to apply: what it brings along, and its instructions.
pub(crate) struct Mapper {
    /// Under -1, -2, … in the instructions.
    pub(crate) captures: Vec<Hook>,
    /// A JSON array of expressions. In them 0 is the input, n the result of the nth instruction.
    /// The last one is the result.
    pub(crate) instructions: ByteString,
    pub(crate) caller: Caller,
    pub(crate) budget: Budget,
}

/// What a map and those nested in it may do.
#[derive(Clone)]
pub(crate) struct Budget {
    /// How deep this one is nested.
    depth: usize,
    spent: Arc<Spent>,
}

struct Spent {
    steps: AtomicUsize,
    max_steps: usize,
    bytes: AtomicUsize,
    max_bytes: usize,
}

/// How deep maps can be nested. Each level takes stack where it is carried out.
const MAX_DEPTH: usize = 32;

impl Budget {
    /// The budget of a map that came over this connection.
    pub(crate) fn new(caller: &Caller) -> Self {
        let limits = caller.limits();
        let spent = Spent {
            steps: AtomicUsize::new(0),
            max_steps: limits.max_map_steps,
            bytes: AtomicUsize::new(0),
            max_bytes: limits.max_message_size,
        };
        Self { depth: 0, spent: Arc::new(spent) }
    }

    fn nested(&self) -> Result<Self, Error> {
        if self.depth + 1 >= MAX_DEPTH {
            return Err(too_much(format_args!(
                "Maps are nested more than {MAX_DEPTH} levels deep."
            )));
        }
        Ok(Self { depth: self.depth + 1, spent: Arc::clone(&self.spent) })
    }

    fn spend_steps(&self, steps: usize) -> Result<(), Error> {
        let limit = self.spent.max_steps;
        let before = self.spent.steps.fetch_add(steps.min(limit + 1), Ordering::Relaxed);
        if before.saturating_add(steps) > limit {
            return Err(too_much(format_args!("A map took more than the {limit} steps allowed.")));
        }
        Ok(())
    }

    fn spend_bytes(&self, bytes: usize) -> Result<(), Error> {
        let limit = self.spent.max_bytes;
        let before = self.spent.bytes.fetch_add(bytes.min(limit + 1), Ordering::Relaxed);
        if before.saturating_add(bytes) > limit {
            return Err(too_much(format_args!("A map made more than the {limit} bytes allowed.")));
        }
        Ok(())
    }
}

fn too_much(message: impl std::fmt::Display) -> Error {
    Error::named("RangeError", message)
}

impl Drop for Mapper {
    fn drop(&mut self) {
        turn::bury(std::mem::take(&mut self.captures));
    }
}

impl Mapper {
    /// Applies the function to what the hook comes to stand for. Pulls it if it is remote.
    pub(crate) fn apply_to(self, hook: Hook) -> Hook {
        let mut settle = Settle::new(hook);
        let settled = futures::FutureExt::now_or_never(&mut settle);
        match settled {
            Some(Ok(payload)) => self.apply(&payload),
            Some(Err(error)) => Hook::Broken(error),
            None => {
                // Its path has been followed.
                let waiting = match self.caller.waits(self.instructions.len()) {
                    Ok(waiting) => waiting,
                    Err(error) => return Hook::Broken(error),
                };
                let running = Running::new(self.caller.clone());
                let result = Resolver(Some(Queued::new()));
                let hook = result.hook();
                let rest: BoxFuture<()> = Box::pin(async move {
                    let settled = settle.await;
                    drop((running, waiting));
                    turn::enter(move || {
                        result.resolve(match settled {
                            Ok(payload) => self.apply(&payload),
                            Err(error) => Hook::Broken(error),
                        });
                    });
                });
                spawn::spawn(rest);
                hook
            }
        }
    }

    fn apply(self, input: &Arc<Payload>) -> Hook {
        match self.result(input) {
            Ok(payload) => payload.into_hook(),
            Err(error) => Hook::Broken(error),
        }
    }

    fn result(&self, input: &Arc<Payload>) -> Result<Payload, Error> {
        if matches!(&*input.text, "null" | "[\"undefined\"]") {
            return Ok(Payload::clone(input));
        }
        match elements(input)? {
            None => {
                let function = self.function()?;
                self.budget.spend_steps(function.instructions.len())?;
                function.call(Hook::Value(Arc::clone(input)))
            }
            Some(elements) if elements.is_empty() => Ok(Payload::clone(input)),
            Some(elements) => {
                let function = self.function()?;
                let steps = elements.len().saturating_mul(function.instructions.len());
                self.budget.spend_steps(steps)?;
                let mut left = self.budget.spent.max_bytes;
                let results: Result<Vec<_>, _> = elements
                    .into_iter()
                    .map(|input| {
                        let result = function.call(Hook::value(input))?;
                        left = left
                            .checked_sub(result.text.len())
                            .ok_or_else(|| too_much("A map made more bytes than allowed."))?;
                        Ok::<_, Error>(result)
                    })
                    .collect();
                let results = results?;
                let bytes = results.iter().map(|result| result.text.len() + 1).sum();
                self.budget.spend_bytes(bytes)?;
                Ok(array_of(results))
            }
        }
    }

    fn function(&self) -> Result<Function<'_>, Error> {
        // The session's limits held when the message was read; these only bound the reading here.
        let instructions = wire::instructions(&self.instructions, &Limits::default())?;
        if instructions.is_empty() {
            return Err(Error::msg("Invalid empty mapper function."));
        }
        Ok(Function {
            captures: &self.captures,
            instructions,
            caller: &self.caller,
            budget: &self.budget,
        })
    }
}

/// A function whose instructions have been read.
struct Function<'a> {
    captures: &'a [Hook],
    instructions: Vec<Expr>,
    caller: &'a Caller,
    budget: &'a Budget,
}

impl Function<'_> {
    fn call(&self, input: Hook) -> Result<Payload, Error> {
        let mut variables = vec![input];
        let mut result = Payload::undefined();
        for (i, instruction) in self.instructions.iter().enumerate() {
            let found = self.look_up(&instruction.refs, &variables)?;
            result = carry_out(instruction.text.clone(), found, self.caller);
            if i + 1 < self.instructions.len() {
                let hook = if result.is_capability() {
                    result.into_capability()
                } else {
                    Hook::value(result)
                };
                variables.push(hook);
                result = Payload::undefined();
            }
        }
        Ok(result)
    }

    fn look_up(&self, refs: &[Ref], variables: &[Hook]) -> Result<Vec<Found>, Error> {
        refs.iter()
            .map(|Ref { at, kind }| Ok(Found { at: *at, step: self.look_up_one(kind, variables)? }))
            .collect()
    }

    fn look_up_one(&self, kind: &RefKind, variables: &[Hook]) -> Result<Step, Error> {
        let variable = |id: Id| self.variable(id, variables);
        Ok(match kind {
            RefKind::Readable(_) | RefKind::Blob { .. } => {
                return Err(Error::msg("A mapper function cannot use pipe readables."));
            }
            RefKind::Export(_) | RefKind::Promise(_) | RefKind::Writable(_) => {
                return Err(Error::msg("A mapper function cannot refer to exports."));
            }
            RefKind::Own { id, path: None, promise: false } => Step::Cap(Cap::Stub(variable(*id)?)),
            RefKind::Own { id, path, promise } => Step::Get {
                hook: variable(*id)?,
                path: path.clone().unwrap_or_default(),
                promise: *promise,
            },
            RefKind::Call { id, path, args, promise } => Step::Call {
                hook: variable(*id)?,
                path: path.clone(),
                text: args.text.clone(),
                args: self.look_up(&args.refs, variables)?,
                promise: *promise,
            },
            RefKind::Map { id, path, captures, instructions } => {
                let captures = captures.iter().map(|capture| match capture {
                    Capture::Import(id) => variable(*id),
                    Capture::Export(_) => {
                        Err(Error::msg("A mapper function cannot refer to exports."))
                    }
                });
                Step::Map {
                    hook: variable(*id)?,
                    path: path.clone(),
                    mapper: Mapper {
                        captures: captures.collect::<Result<_, _>>()?,
                        instructions: instructions.clone(),
                        caller: self.caller.clone(),
                        budget: self.budget.nested()?,
                    },
                }
            }
        })
    }

    fn variable(&self, id: Id, variables: &[Hook]) -> Result<Hook, Error> {
        let found = id.get().and_then(|index| match usize::try_from(index) {
            Ok(index) => variables.get(index),
            Err(_) => self.captures.get(usize::try_from(-1 - index).ok()?),
        });
        found
            .cloned()
            .ok_or_else(|| Error::msg(format_args!("no such entry on exports table: {id}")))
    }
}

/// One array of several values.
fn array_of(elements: Vec<Payload>) -> Payload {
    let mut text = String::from("[[");
    let mut slots: Vec<Slot> = Vec::new();
    for (i, mut element) in elements.into_iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        let element_slots = std::mem::take(&mut element.slots);
        let mut places = Vec::with_capacity(element_slots.len());
        wire::write::fill_holes(&mut text, &element.text, &element_slots, |out, index| {
            places.push(out.len());
            wire::write_hole(out, slots.len() + index);
        });
        // Far below 4 GiB: the bytes of a map are limited.
        slots.extend(
            element_slots.into_iter().zip(places).map(|(slot, at)| Slot {
                at: u32::try_from(at).unwrap_or(u32::MAX),
                cap: slot.cap,
            }),
        );
    }
    text.push_str("]]");
    Payload { text: text.into(), slots }
}
