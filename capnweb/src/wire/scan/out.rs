//! The text that comes out of a scan.

use bytestring::ByteString;

/// Copy-on-write text: a part of the source until something in it is replaced.
pub(super) struct Out<'a> {
    source: &'a str,
    start: usize,
    /// Up to here the source has been copied (if anything has).
    copied: usize,
    buffer: String,
    dirty: bool,
}

pub(super) struct Mark(usize);

impl<'a> Out<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self { source, start: 0, copied: 0, buffer: String::new(), dirty: false }
    }

    pub(super) fn start_at(&mut self, position: usize) {
        self.start = position;
        self.copied = position;
    }

    /// Replaces the source from `from` to `to`, which nothing has been replaced in yet except
    /// inside of it. Returns where in the output it stands now.
    pub(super) fn replace(&mut self, from: usize, to: usize, with: &str) -> u32 {
        self.copy_to(from);
        let at = self.buffer.len();
        self.buffer.push_str(with);
        self.copied = to;
        // Messages are far below 4 GiB: the size limit is checked before scanning.
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    pub(super) fn copy_to(&mut self, position: usize) {
        self.dirty = true;
        if self.copied < position {
            self.buffer.push_str(&self.source[self.copied..position]);
            self.copied = position;
        }
    }

    /// Remembers the output up to the source's `position`.
    pub(super) fn mark(&mut self, position: usize) -> Mark {
        self.copy_to(position);
        Mark(self.buffer.len())
    }

    /// Forgets the output since the mark, and goes on at the source's `position`.
    pub(super) fn rewind(&mut self, mark: Mark, position: usize) {
        self.buffer.truncate(mark.0);
        self.copied = position;
    }

    pub(super) fn finish(&mut self, source: &ByteString, end: usize) -> ByteString {
        if self.dirty {
            self.copy_to(end);
            ByteString::from(std::mem::take(&mut self.buffer))
        } else {
            source.slice_ref(&source[self.start..end])
        }
    }
}
