//! What a scan comes to: messages, and expressions with what they refer to.

use bytestring::ByteString;

use crate::path::Path;

/// A message of the peer.
#[derive(Debug)]
pub(crate) enum Message {
    Push(Expr),
    Stream(Expr),
    Pipe,
    Pull(Id),
    Resolve(Id, Expr),
    /// With an expression that is only evaluated if the import is known.
    Reject(Id, ByteString),
    Release(Id, f64),
    Abort(Expr),
}

/// An expression: normalised text with a hole for every reference that a value was made of.
#[derive(Debug, Default)]
pub(crate) struct Expr {
    pub(crate) text: ByteString,
    /// In the order in which they must be carried out.
    pub(crate) refs: Vec<Ref>,
}

impl Expr {
    /// Whether all of it is an `import`. In a push that is as good as `pipeline`: what is pushed
    /// is always a promise.
    pub(crate) fn is_import(&self) -> bool {
        matches!(
            self.refs.as_slice(),
            [Ref {
                at: Some(0),
                kind: RefKind::Own { promise: false, .. } | RefKind::Call { promise: false, .. },
            }]
        )
    }
}

/// A reference to a table.
#[derive(Debug)]
pub(crate) struct Ref {
    /// Where the hole is in the text. `None` where the value is dropped after evaluation.
    pub(crate) at: Option<u32>,
    pub(crate) kind: RefKind,
}

#[derive(Debug)]
pub(crate) enum RefKind {
    /// `["export", id]`: a capability that the peer introduces.
    Export(Id),
    /// `["promise", id]`: the same, to be replaced by what it resolves to.
    Promise(Id),
    /// `["readable", id]`: the readable end of a pipe that the peer has opened.
    Readable(Id),
    /// `["writable", id]`: a stream that the peer introduces for this side to write.
    Writable(Id),
    /// `["blob", type, ["readable", id]]`: what comes through the pipe, when all of it has come.
    Blob { content_type: String, id: Id },
    /// `["import", id, path?]` and `["pipeline", id, path?]`: one of ours, or a property of it.
    Own { id: Id, path: Option<Path>, promise: bool },
    /// The same with arguments: a call.
    Call { id: Id, path: Path, args: Expr, promise: bool },
    /// `["remap", id, path, captures, instructions]`.
    Map { id: Id, path: Path, captures: Vec<Capture>, instructions: ByteString },
}

/// What a mapper brings along.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Capture {
    /// One of ours.
    Import(Id),
    /// One that the peer introduces.
    Export(Id),
}

/// A table index as the peer wrote it. JavaScript would look any number up, so one that is no
/// integer is simply never found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Id(pub(crate) f64);

impl Id {
    /// The index, if it can be one at all.
    pub(crate) fn get(self) -> Option<i64> {
        let id = self.0 as i64;
        (id as f64 == self.0 && self.0.abs() < 9_007_199_254_740_992.0).then_some(id)
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
