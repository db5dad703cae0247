//! Bounds on what one client can make the service hold and do.

/// The longest session id that is accepted, in bytes. Real ones have about 30.
pub const MAX_SESSION_ID_BYTES: usize = 256;

/// How deeply the data of one item may be nested, in levels of arrays and objects.
///
/// The JSON parser that reads stored documents back gives up at 128 levels, so a deeper item would make its share
/// unreadable for good. The document, and the list of sync items that a reader may ask for instead, put at most three
/// levels around an item's data; the rest is margin.
pub const MAX_ITEM_DEPTH: usize = 100;

/// The limits that an operator can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Items in one sync. Clients batch the changes of one second, which is tens.
    pub items_per_sync: usize,
    /// The JSON of one item's data, in bytes. The largest real ones are parts with files inlined as data URLs.
    pub item_bytes: usize,
    /// The JSON of a whole share, in bytes. A sync rewrites it, so this also bounds what one sync costs.
    pub share_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { items_per_sync: 5_000, item_bytes: 8 << 20, share_bytes: 64 << 20 }
    }
}
