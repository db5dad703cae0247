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
    text: String,
}

#[derive(Deserialize)]
struct Cell<T> {
    value: T,
}

#[derive(Deserialize)]
struct Progress {
    journal: String,
    last: f64,
}

impl Journal {
    /// The journal of a share's object. The object has one from then on.
    pub(super) fn open(sql: SqlStorage) -> Result<Self> {
        sql.exec(
            "CREATE TABLE IF NOT EXISTS changes \
             (seq INTEGER, part INTEGER, text TEXT, PRIMARY KEY (seq, part))",
            None,
        )?;
        // One row: the share, this journal's own name, the number of the last change, and whether the index lacks
        // something that the share in R2 has.
        sql.exec(
            "CREATE TABLE IF NOT EXISTS progress \
             (id TEXT PRIMARY KEY, journal TEXT, last INTEGER, index_due INTEGER)",
            None,
        )?;
        Ok(Self { sql })
    }

    /// The journal, if the object has one. To ask does not make one.
    pub(super) fn find(sql: SqlStorage) -> Result<Option<Self>> {
        let found = sql.exec(
            "SELECT COUNT(*) AS value FROM sqlite_master WHERE name IN ('changes', 'progress')",
            None,
        )?;
        Ok((found.one::<Cell<f64>>()?.value == 2.0).then_some(Self { sql }))
    }

    /// The id of the share, once it has been told. An alarm has no other way to find out.
    pub(super) fn id(&self) -> Result<Option<String>> {
        let ids = self.sql.exec("SELECT id AS value FROM progress", None)?;
        Ok(ids.to_array::<Cell<String>>()?.pop().map(|cell| cell.value))
    }

    pub(super) fn set_id(&self, id: &str) -> Result<()> {
        self.sql.exec(
            "INSERT OR IGNORE INTO progress VALUES (?, hex(randomblob(16)), 0, 0)",
            vec![id.to_owned().into()],
        )?;
        Ok(())
    }

    /// Adds a change. The share's id must have been set.
    pub(super) fn append(&self, entry: &Entry) -> Result<()> {
        let last =
            self.sql.exec("UPDATE progress SET last = last + 1 RETURNING last AS value", None)?;
        let seq = last.one::<Cell<f64>>()?.value as i64;
        let text = serde_json::to_string(entry)?;
        let mut rest = text.as_str();
        let mut part = 0;
        while part == 0 || !rest.is_empty() {
            let (first, more) = rest.split_at(rest.floor_char_boundary(PART));
            let values = vec![seq.into(), part.into(), first.to_owned().into()];
            self.sql.exec("INSERT INTO changes VALUES (?, ?, ?)", values)?;
            rest = more;
            part += 1;
        }
        Ok(())
    }

    /// Whether there are changes that R2 is not known to have.
    pub(super) fn has_changes(&self) -> Result<bool> {
        let count = self.sql.exec("SELECT COUNT(*) AS value FROM changes", None)?;
        Ok(count.one::<Cell<f64>>()?.value > 0.0)
    }

    /// Whether the share's entry in the index is still to be written.
    pub(super) fn index_is_due(&self) -> Result<bool> {
        let due = self.sql.exec("SELECT COUNT(*) AS value FROM progress WHERE index_due", None)?;
        Ok(due.one::<Cell<f64>>()?.value > 0.0)
    }

    /// What is written to R2 beside the share, to tell which changes are in it. It means nothing to the journal of
    /// another object, not even to one that the same share gets later.
    pub(super) fn mark(&self) -> Result<String> {
        let Progress { journal, last } = self.progress()?;
        Ok(format!("{journal}/{last}"))
    }

    /// R2 has the share with all changes. The index is due.
    pub(super) fn share_is_written(&self) -> Result<()> {
        self.sql.exec("UPDATE progress SET index_due = 1", None)?;
        self.sql.exec("DELETE FROM changes", None).map(drop)
    }

    /// R2 has everything.
    pub(super) fn all_is_written(&self) -> Result<()> {
        self.sql.exec("UPDATE progress SET index_due = 0", None)?;
        self.sql.exec("DELETE FROM changes", None).map(drop)
    }

    /// What R2 holds, with the changes that it lacks. Those that were written just before the object was stopped are
    /// known by the [`mark`](Self::mark) and not made twice; without a mark somebody else has written the share, and
    /// all are made.
    pub(super) fn replay(
        &self,
        mut share: Option<ShareDocument>,
        mark: Option<&str>,
    ) -> Result<Option<ShareDocument>> {
        let entries = self.entries()?;
        if entries.is_empty() {
            return Ok(share);
        }
        let own = self.progress()?.journal;
        let contained: i64 = mark
            .and_then(|mark| mark.split_once('/'))
            .filter(|(journal, _)| *journal == own)
            .and_then(|(_, seq)| seq.parse().ok())
            .unwrap_or_default();
        for (seq, entry) in entries {
            match (entry, &mut share) {
                _ if seq <= contained => {}
                (Entry::Delete, _) => share = None,
                (Entry::Create { session_id, secret, now }, None) => {
                    let session = SessionId::parse(session_id).map_err(unreadable)?;
                    share = Some(ShareDocument::new(&session, secret, now));
                }
                (Entry::Sync { data, now }, Some(share)) => {
                    share.merge(sync::parse(data, &UNLIMITED).map_err(unreadable)?, now);
                }
                (Entry::Create { .. }, Some(_)) | (Entry::Sync { .. }, None) => {}
            }
        }
        Ok(share)
    }

    fn progress(&self) -> Result<Progress> {
        self.sql.exec("SELECT journal, last FROM progress", None)?.one()
    }

    fn entries(&self) -> Result<Vec<(i64, Entry)>> {
        let rows = self.sql.exec("SELECT seq, text FROM changes ORDER BY seq, part", None)?;
        let mut texts: Vec<Row> = Vec::new();
        for row in rows.to_array::<Row>()? {
            match texts.last_mut() {
                Some(last) if last.seq == row.seq => last.text.push_str(&row.text),
                _ => texts.push(row),
            }
        }
        let entry = |row: Row| Ok((row.seq as i64, serde_json::from_str(&row.text)?));
        texts.into_iter().map(entry).collect()
    }
}

fn unreadable(error: impl std::fmt::Display) -> worker::Error {
    worker::Error::RustError(format!("the journal cannot be read: {error}"))
}
