//! Which release of the JavaScript package the other side runs.

use std::fmt;

/// A release of the JavaScript package `capnweb`, which says what a peer can read.
///
/// Peers do not negotiate: what one does not know ends its session. So where a peer is known to run
/// an old release, [`Options::peer_release`](super::Options::peer_release) holds back what that
/// release cannot read:
///
/// | sent | since |
/// |---|---|
/// | numbers that are not finite | 0.2.0 |
/// | streams, headers, requests, responses | 0.5.0 |
/// | blobs, invalid dates | 0.8.0 |
/// | URLs; bytes as anything but `Uint8Array` | 0.11.1 |
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerRelease {
    major: u16,
    minor: u16,
    patch: u16,
}

impl PeerRelease {
    /// The newest release that this library knows of. It can read everything that is sent.
    pub const NEWEST: Self = Self::new(0, 12, 0);

    /// The release of this version.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }
}

impl Default for PeerRelease {
    /// The newest.
    fn default() -> Self {
        Self::NEWEST
    }
}

impl fmt::Display for PeerRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}
