//! What a peer may make this side hold or do, each bound with its reason.

/// The deepest nesting of values in one message, sent or received. The JavaScript package stops
/// at the same depth in both directions.
pub(crate) const MAX_DEPTH: usize = 256;

/// Bounds on what a peer may send. All are enforced by the receiver alone; there is no
/// negotiation. The first three end the session when exceeded, as in the JavaScript package.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest accepted message in UTF-16 code units, which is how the JavaScript package
    /// counts. Default: 32 Mi.
    pub max_message_size: usize,
    /// The deepest accepted nesting of values. Default (and the most that is supported): 256.
    pub max_depth: usize,
    /// The longest accepted text of a bigint, in characters: parsing takes quadratic time.
    /// Default: 16384.
    pub max_bigint_digits: usize,
    /// The most capabilities of ours that the peer may hold at once, results of its calls
    /// included. Exceeding it ends the session. Default: 1 Mi.
    pub max_exports: usize,
    /// The most capabilities of the peer that it may make this side hold at once. Exceeding it
    /// ends the session. Default: 1 Mi.
    pub max_imports: usize,
    /// The most calls of the peer that may be under way at once, those included that wait for a
    /// promise, and the most answers that it may wait for. What is beyond fails with an error, and
    /// its method is not run. Default: 65536.
    pub max_calls_in_flight: usize,
    /// The most steps of one map: its instructions times the elements they are applied to. A map
    /// beyond it fails. Default: 1 Mi.
    pub max_map_steps: usize,
    /// The most bytes of one stream of the peer that may wait to be read here. A write beyond it
    /// fails and ends the stream. Default: 64 MiB.
    pub max_stream_bytes: usize,
    /// The most bytes of the peer that may wait here in all: what is unread in its streams, blobs
    /// that have not been delivered, and calls, maps and property reads that wait for promises, with
    /// their paths, arguments and instructions. Reading and dropping them makes room. What comes
    /// beyond fails, a write together with its stream; the session goes on. Default: 256 MiB, which
    /// is four streams or blobs at the limits of their own.
    ///
    /// What nothing waits for is not counted: values that the peer has sent and not released, and
    /// results. Only their number is bounded, by `max_exports`, and the size of each by
    /// `max_message_size`; where peers are not trusted with that much memory, lower these.
    pub max_waiting_bytes: usize,
    /// The most bytes of one [`Blob`](crate::fetch::Blob). It is complete before it is delivered;
    /// the call that brought a longer one fails. Default: 64 MiB.
    pub max_blob_bytes: usize,
    /// The most bytes of one stream of ours that may be on their way, in messages. Default: 16 MiB.
    pub max_stream_window: usize,
    /// The most bytes that may wait to be sent. Above it, a new call on this side fails at once
    /// with [`ErrorKind::Overloaded`](crate::ErrorKind::Overloaded), and messages from the peer
    /// are not read until room is made. Default: 64 MiB.
    pub max_outgoing_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_size: 32 * 1024 * 1024,
            max_depth: MAX_DEPTH,
            max_bigint_digits: 16384,
            max_exports: 1 << 20,
            max_imports: 1 << 20,
            max_calls_in_flight: 65536,
            max_map_steps: 1 << 20,
            max_stream_bytes: 64 * 1024 * 1024,
            max_waiting_bytes: 256 * 1024 * 1024,
            max_blob_bytes: 64 * 1024 * 1024,
            max_stream_window: 16 * 1024 * 1024,
            max_outgoing_bytes: 64 * 1024 * 1024,
        }
    }
}
