//! How the end of a session looks on a WebSocket.

use super::CloseReason;

/// What a close frame without a code counts as.
#[cfg(feature = "websocket")]
pub(super) const NO_STATUS: u16 = 1005;
/// What an end without a close frame counts as.
pub(crate) const ABNORMAL: u16 = 1006;

/// The application let go of the connection.
const NORMAL: u16 = 1000;
/// The session broke.
const ABORTED: u16 = 3000;

/// What a close frame has room for beside its code.
const MAX_CLOSE_REASON: usize = 123;

/// The code and the text of a close frame.
pub(crate) fn frame(reason: &CloseReason) -> (u16, &str) {
    match reason {
        CloseReason::Done => (NORMAL, ""),
        CloseReason::Abort(text) => (ABORTED, &text[..text.floor_char_boundary(MAX_CLOSE_REASON)]),
    }
}
