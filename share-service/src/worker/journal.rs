//! What a share's object has acknowledged and R2 does not have yet, in the object's own SQLite.
//!
//! Writes are synchronous, and the runtime holds back every answer until they are durable. Statements without an
//! `await` between them take effect together or not at all.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use worker::{Result, SqlStorage};

use crate::core::{Limits, Secret, SessionId, ShareDocument, sync};

/// The size that an entry is cut to, in bytes: a row holds 2 MB at most.
const PART: usize = 1 << 20;

/// Nothing is refused again that was accepted once.
const UNLIMITED: Limits =
    Limits { items_per_sync: usize::MAX, item_bytes: usize::MAX, share_bytes: usize::MAX };

/// One change of a share.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Entry {
    Create { session_id: String, secret: Secret, now: u64 },
    Sync { data: Vec<Value>, now: u64 },
    Delete,
}

pub(super) struct Journal {
    sql: SqlStorage,
}

#[derive(Deserialize)]
struct Row {
    seq: f64,
    count: Option<f64>,
    text: String,
}

#[derive(Deserialize)]
struct Cell<T> {
    value: T,
}

impl Journal {
    pub(super) fn open(sql: SqlStorage) -> Result<Self> {
        sql.exec(
            "CREATE TABLE IF NOT EXISTS journal \
             (seq INTEGER, part INTEGER, count INTEGER, text TEXT, PRIMARY KEY (seq, part))",
            None,
        )?;
        sql.exec("CREATE TABLE IF NOT EXISTS share (id TEXT PRIMARY KEY)", None)?;
        Ok(Self { sql })
    }

    /// The id of the share, once it has been told. An alarm has no other way to find out.
    pub(super) fn id(&self) -> Result<Option<String>> {
        let ids = self.sql.exec("SELECT id AS value FROM share", None)?;
        Ok(ids.to_array::<Cell<String>>()?.pop().map(|cell| cell.value))
    }

    pub(super) fn set_id(&self, id: &str) -> Result<()> {
        self.sql.exec("INSERT OR IGNORE INTO share VALUES (?)", vec![id.to_owned().into()])?;
        Ok(())
    }

    /// Adds a change. `count` is what the share's syncs come to by it.
    pub(super) fn append(&self, entry: &Entry, count: u64) -> Result<()> {
        let last = self.sql.exec("SELECT COALESCE(MAX(seq), 0) AS value FROM journal", None)?;
        let seq = last.one::<Cell<f64>>()?.value as i64 + 1;
        let text = serde_json::to_string(entry)?;
        let mut rest = text.as_str();
        let mut part = 0;
        while part == 0 || !rest.is_empty() {
            let (first, more) = rest.split_at(rest.floor_char_boundary(PART));
            let values =
                vec![seq.into(), part.into(), (count as i64).into(), first.to_owned().into()];
            self.sql.exec("INSERT INTO journal VALUES (?, ?, ?, ?)", values)?;
            rest = more;
            part += 1;
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> Result<bool> {
        let count = self.sql.exec("SELECT COUNT(*) AS value FROM journal", None)?;
        Ok(count.one::<Cell<f64>>()?.value == 0.0)
    }

    /// Forgets everything, which R2 has by now.
    pub(super) fn clear(&self) -> Result<()> {
        self.sql.exec("DELETE FROM journal", None).map(drop)
    }

    /// Makes all changes count as new, whatever R2 holds: somebody else has written there.
    pub(super) fn rebase(&self) -> Result<()> {
        self.sql.exec("UPDATE journal SET count = NULL", None).map(drop)
    }

    /// What R2 holds, with the changes that it lacks. A change that was written to R2 just before the object was
    /// stopped is known by its count and not made twice.
    pub(super) fn replay(&self, mut share: Option<ShareDocument>) -> Result<Option<ShareDocument>> {
        for (entry, count) in self.entries()? {
            match (entry, &mut share) {
                (Entry::Delete, _) => share = None,
                (Entry::Create { session_id, secret, now }, None) => {
                    let session = SessionId::parse(session_id).map_err(unreadable)?;
                    share = Some(ShareDocument::new(&session, secret, now));
                }
                (Entry::Sync { data, now }, Some(share))
                    if count.is_none_or(|count| count > share.metadata.sync_count) =>
                {
                    share.merge(sync::parse(data, &UNLIMITED).map_err(unreadable)?, now);
                }
                (Entry::Create { .. } | Entry::Sync { .. }, _) => {}
            }
        }
        Ok(share)
    }

    fn entries(&self) -> Result<Vec<(Entry, Option<u64>)>> {
        let rows =
            self.sql.exec("SELECT seq, count, text FROM journal ORDER BY seq, part", None)?;
        let mut texts: Vec<Row> = Vec::new();
        for row in rows.to_array::<Row>()? {
            match texts.last_mut() {
                Some(last) if last.seq == row.seq => last.text.push_str(&row.text),
                _ => texts.push(row),
            }
        }
        let entry =
            |row: Row| Ok((serde_json::from_str(&row.text)?, row.count.map(|count| count as u64)));
        texts.into_iter().map(entry).collect()
    }
}

fn unreadable(error: impl std::fmt::Display) -> worker::Error {
    worker::Error::RustError(format!("the journal cannot be read: {error}"))
}
