//! What is stored: one document per share, and one small index entry per share so that listing never loads sessions.
//!
//! The layout is shared with other implementations of this service, which read and write the same objects. Fields
//! that this one does not know are kept.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::error::ShareError;
use super::ids::{SessionId, ShareId};
use super::limits::Limits;
use super::secret::Secret;
use super::sync::{Entry, SyncItem, entry_id};

/// A share with the whole session, stored as `share/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShareDocument {
    /// The session itself.
    #[serde(default)]
    pub session: Value,
    /// Its messages, in order of first appearance.
    #[serde(default)]
    pub messages: Vec<Value>,
    /// The parts of its messages, in order of first appearance.
    #[serde(default)]
    pub parts: Vec<Value>,
    /// File diffs, in the order in which they came.
    #[serde(default)]
    pub diffs: Vec<Value>,
    /// The models in use, in order of first appearance.
    #[serde(default)]
    pub models: Vec<Value>,
    /// What the service knows about the share.
    pub metadata: Metadata,
    /// Fields that somebody else put there.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What the service knows about a share. Times are in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// When the share was created.
    pub created_at: u64,
    /// When it was last synced.
    pub last_updated: u64,
    /// How many syncs were stored.
    pub sync_count: u64,
    /// What a client must present to change the share. Leaves the service only in the answer to its creation.
    pub secret: Secret,
    /// Whose share it is.
    #[serde(rename = "sessionID")]
    pub session_id: String,
    /// Fields that somebody else put there.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A share in a list, stored as `index/{id}`. Follows from the document entirely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IndexEntry {
    /// The id of the share.
    pub id: String,
    /// Whose share it is.
    #[serde(rename = "sessionID")]
    pub session_id: String,
    /// The session's title, empty if it has none.
    #[serde(default)]
    pub title: String,
    /// The session's directory, empty if it has none.
    #[serde(default)]
    pub directory: String,
    /// How many messages there are.
    pub message_count: usize,
    /// How many parts there are.
    pub part_count: usize,
    /// How many file diffs there are.
    pub diff_count: usize,
    /// How many models there are.
    pub model_count: usize,
    /// When the share was last synced.
    pub last_updated: u64,
    /// How many syncs were stored.
    pub sync_count: u64,
    /// When the share was created.
    pub created_at: u64,
}

impl ShareDocument {
    /// A share that nothing was synced into yet.
    pub fn new(session: &SessionId, secret: Secret, now: u64) -> Self {
        let id = session.as_str();
        Self {
            session: json!({
                "id": id,
                "slug": id,
                "projectID": "",
                "directory": "",
                "title": "",
                "version": "1",
                "time": {"created": now, "updated": now},
            }),
            messages: Vec::new(),
            parts: Vec::new(),
            diffs: Vec::new(),
            models: Vec::new(),
            metadata: Metadata {
                created_at: now,
                last_updated: now,
                sync_count: 0,
                secret,
                session_id: id.to_owned(),
                other: Map::new(),
            },
            other: Map::new(),
        }
    }

    /// Reads a stored document.
    ///
    /// # Errors
    /// What is wrong with it, if it is not the JSON of a share.
    pub fn decode(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// The document as it is stored.
    ///
    /// # Errors
    /// [`ShareError::ShareTooLarge`] beyond the limit.
    pub fn encode(&self, limits: &Limits) -> Result<Vec<u8>, ShareError> {
        let json = to_json(self);
        if json.len() > limits.share_bytes {
            return Err(ShareError::ShareTooLarge { size: json.len(), max: limits.share_bytes });
        }
        Ok(json)
    }

    /// The entry that lists this share.
    pub fn index(&self, id: &ShareId) -> IndexEntry {
        let text = |field| self.session.get(field).and_then(Value::as_str).unwrap_or("").to_owned();
        IndexEntry {
            id: id.as_str().to_owned(),
            session_id: self.metadata.session_id.clone(),
            title: text("title"),
            directory: text("directory"),
            message_count: self.messages.len(),
            part_count: self.parts.len(),
            diff_count: self.diffs.len(),
            model_count: self.models.len(),
            last_updated: self.metadata.last_updated,
            sync_count: self.metadata.sync_count,
            created_at: self.metadata.created_at,
        }
    }

    /// Merges one sync and counts it: a session replaces the session, diffs are appended, everything else replaces
    /// what has the same id where that stands, or comes last.
    pub fn merge(&mut self, items: Vec<SyncItem>, now: u64) {
        let (mut messages, mut parts, mut models) = (Vec::new(), Vec::new(), Vec::new());
        for item in items {
            match item {
                SyncItem::Session(session) => self.session = Value::Object(session),
                SyncItem::SessionDiff(diffs) => self.diffs.extend(diffs),
                SyncItem::Message(message) => messages.push(message),
                SyncItem::Part(part) => parts.push(part),
                SyncItem::Models(entries) => models.extend(entries),
            }
        }
        upsert(&mut self.messages, messages);
        upsert(&mut self.parts, parts);
        upsert(&mut self.models, models);
        self.metadata.sync_count = self.metadata.sync_count.saturating_add(1);
        self.metadata.last_updated = now;
    }
}

impl IndexEntry {
    /// Reads a stored entry.
    ///
    /// # Errors
    /// What is wrong with it, if it is not the JSON of an index entry.
    pub fn decode(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// The entry as it is stored.
    pub fn encode(&self) -> Vec<u8> {
        to_json(self)
    }
}

/// Merges entries by id. The positions are looked up once per sync, so that a sync costs what it and the list weigh
/// together, not their product.
fn upsert(list: &mut Vec<Value>, entries: Vec<Entry>) {
    if entries.is_empty() {
        return;
    }
    let mut positions = HashMap::with_capacity(list.len());
    for (position, value) in list.iter().enumerate() {
        if let Some(id) = entry_id(value) {
            positions.entry(id.to_owned()).or_insert(position);
        }
    }
    for entry in entries {
        let (id, value) = entry.into_parts();
        match positions.get(&id) {
            Some(&position) => list[position] = value,
            None => {
                positions.insert(id, list.len());
                list.push(value);
            }
        }
    }
}

fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("maps with text keys, written to memory, have no way to fail")
}
