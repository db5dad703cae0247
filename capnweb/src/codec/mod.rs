//! Users' types to and from payloads.
//!
//! Owns serde's two sides over the wire's text, with no tree of values in between: the encoder
//! writes text and slots in one pass, the decoder reads a user's type from them. Knows how values
//! are written, and that capabilities are holes; knows nothing of sessions, messages and ids.
//!
//! Every failure names the member at fault, as in `args[0].items[3].id`.

mod base64;
mod de;
mod error;
pub(crate) mod frame;
pub(crate) mod hold_back;
pub(crate) mod navigate;
mod number;
mod ser;
pub(crate) mod token;

#[cfg(test)]
pub(crate) mod tests;

use serde::{Serialize, de::DeserializeOwned};

use self::{
    error::CodecError,
    frame::{DecodeScope, EncodeScope},
    ser::{ArgsEncoder, Encoder},
};
use crate::{
    Error, ErrorKind,
    payload::{Payload, Slot},
    value::Exception,
    wire::MAX_DEPTH,
};

/// How many newtypes and options can stand around a value, summed up over all its containers.
/// They leave no trace on the wire, so only this bounds a type that holds itself in one.
const MAX_LAYERS: usize = 4 * MAX_DEPTH;

/// Encodes a value.
///
/// # Errors
/// Of kind [`ErrorKind::Encode`] if it cannot be sent.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Payload, Error> {
    payload(|text, slots| encode_into(text, slots, value))
}

/// Encodes a call's arguments as a bare array: one per element of a tuple, array or `Vec`, none
/// for unit.
///
/// # Errors
/// Of kind [`ErrorKind::Encode`] if they cannot be sent, or are no such sequence.
pub(crate) fn encode_args<T: Serialize + ?Sized>(args: &T) -> Result<Payload, Error> {
    encode_optional_args(args, 0)
}

/// Like [`encode_args`], without the nulls at the end, as far as they are among the last
/// `optional` arguments.
///
/// # Errors
/// As [`encode_args`].
pub(crate) fn encode_optional_args<T: Serialize + ?Sized>(
    args: &T,
    optional: usize,
) -> Result<Payload, Error> {
    payload(|text, slots| {
        encode_args_into(text, slots, args)?;
        for _ in 0..optional {
            // Only a null of the outermost array stands before its bracket: what other arrays and
            // strings end with is their own bracket or quote.
            let Some(rest) = text.strip_suffix(",null]").or(text.strip_suffix("null]")) else {
                break;
            };
            text.truncate(rest.len());
            text.push(']');
        }
        Ok(())
    })
}

/// Like [`encode`], behind what the buffer holds. Slots count from the start of the buffer, and
/// their holes from the slots that there are.
///
/// # Errors
/// As [`encode`]; text and slots are then as they were.
pub(crate) fn encode_into<T: Serialize + ?Sized>(
    text: &mut String,
    slots: &mut Vec<Slot>,
    value: &T,
) -> Result<(), Error> {
    let scope = EncodeScope::enter();
    encode_with(scope, text, slots, "value", |mut encoder| value.serialize(&mut encoder))
}

/// Like [`encode_args`], behind what the buffer holds.
///
/// # Errors
/// As [`encode_args`]; text and slots are then as they were.
pub(crate) fn encode_args_into<T: Serialize + ?Sized>(
    text: &mut String,
    slots: &mut Vec<Slot>,
    args: &T,
) -> Result<(), Error> {
    let scope = EncodeScope::enter();
    encode_with(scope, text, slots, "args", |mut encoder| args.serialize(ArgsEncoder(&mut encoder)))
}

/// Encodes an error that is thrown behind what the buffer holds. Capabilities don't travel in a
/// thrown error: properties that hold any are left out.
///
/// # Errors
/// None that a user could cause; text is then as it was.
pub(crate) fn encode_thrown_into(text: &mut String, thrown: &Exception) -> Result<(), Error> {
    let scope = EncodeScope::without_caps();
    let mut slots = Vec::new();
    encode_with(scope, text, &mut slots, "value", |mut encoder| thrown.serialize(&mut encoder))
}

/// Decodes a value.
///
/// # Errors
/// Of kind [`ErrorKind::Decode`] if the payload is not of that type.
pub(crate) fn decode<T: DeserializeOwned>(payload: &Payload) -> Result<T, Error> {
    let _scope = DecodeScope::enter();
    de::value(payload).map_err(|error| error.into_error(ErrorKind::Decode, "value"))
}

/// Decodes a call's arguments, which are a bare array: into a tuple (missing ones are undefined,
/// further ones ignored), or all of them into a sequence.
///
/// # Errors
/// Of kind [`ErrorKind::Decode`] if the payload is not of that type.
pub(crate) fn decode_args<T: DeserializeOwned>(payload: &Payload) -> Result<T, Error> {
    let _scope = DecodeScope::enter();
    de::args(payload).map_err(|error| error.into_error(ErrorKind::Decode, "args"))
}

fn payload(
    encode: impl FnOnce(&mut String, &mut Vec<Slot>) -> Result<(), Error>,
) -> Result<Payload, Error> {
    let (mut text, mut slots) = (String::new(), Vec::new());
    encode(&mut text, &mut slots)?;
    Ok(Payload { text: text.into(), slots })
}

/// Runs an encoder, and takes back what it has written if it fails. The scope outlives the work.
fn encode_with(
    scope: EncodeScope,
    text: &mut String,
    slots: &mut Vec<Slot>,
    root: &str,
    work: impl FnOnce(Encoder<'_>) -> Result<(), CodecError>,
) -> Result<(), Error> {
    let (text_len, slots_len) = (text.len(), slots.len());
    let result = work(Encoder::new(text, slots));
    drop(scope);
    result.map_err(|error| {
        text.truncate(text_len);
        slots.truncate(slots_len);
        error.into_error(ErrorKind::Encode, root)
    })
}
