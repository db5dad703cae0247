//! What can go wrong with a share because of what a client sent.

use super::limits;

/// A request that the rules refuse.
///
/// The `Display` text is what a client sees as the message of its `Error`; clients compare the texts of
/// [`NotFound`](Self::NotFound) and [`InvalidSecret`](Self::InvalidSecret), so these never change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShareError {
    /// There is no share under this id.
    #[error("Share not found")]
    NotFound,
    /// The secret is not the one that creating the share returned.
    #[error("Invalid secret")]
    InvalidSecret,
    /// The id, which is the end of the session's id, already belongs to the share of another session.
    #[error("Share id already belongs to another session")]
    IdTaken,
    /// A session id that no share can be derived from.
    #[error("Invalid sessionID: it must have 1 to {} bytes", limits::MAX_SESSION_ID_BYTES)]
    InvalidSessionId,
    /// An item of a sync lacks what merging it needs.
    #[error("Invalid data[{index}]: {problem}")]
    InvalidItem {
        /// The item's position in the sync.
        index: usize,
        /// What is missing, as a half-sentence.
        problem: &'static str,
    },
    /// A sync with more items than the service takes at once.
    #[error("Too many items: a sync may carry {max}, not {count}")]
    TooManyItems {
        /// How many came.
        count: usize,
        /// How many may come.
        max: usize,
    },
    /// An item that is too large on its own.
    #[error("data[{index}] is too large: {size} bytes of JSON where {max} are allowed")]
    ItemTooLarge {
        /// The item's position in the sync.
        index: usize,
        /// Its size as JSON, in bytes.
        size: usize,
        /// The limit, in bytes.
        max: usize,
    },
    /// An item nested more deeply than a stored document can be read back with.
    #[error("data[{index}] is nested too deeply: {max} levels are allowed")]
    ItemTooDeep {
        /// The item's position in the sync.
        index: usize,
        /// The limit, in levels of arrays and objects.
        max: usize,
    },
    /// The share would outgrow the limit with this sync; it stays as it was.
    #[error("Share is too large: {size} bytes of JSON where {max} are allowed")]
    ShareTooLarge {
        /// The size that the share would have, in bytes.
        size: usize,
        /// The limit, in bytes.
        max: usize,
    },
}
