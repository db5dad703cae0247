//! Shares as files in a data directory that one process owns.
//!
//! Owns: durability, and one writer per share. Refuses to know: what a change means; it is handed a function from the
//! stored document to the new one.
//!
//! Invariants:
//! - One process per data directory, by a lock on a file in it that ends with the process.
//! - One change per share at a time. A change that has begun runs to its end, even if nobody waits for it any more.
//! - A change is reported as done once it is on the disk: a file is written aside, synced, renamed into place, and the
//!   directory synced. A reader sees the old document or the new one, never a mixture.
//! - A share is written before its index entry and removed after it. So after a crash an entry may be missing or old,
//!   never left over, and the next change of that share puts it right.
//! - Nothing is kept in memory for a share that is not being changed.

mod files;
mod locks;
mod name;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::task;

use crate::core::{IndexEntry, ShareDocument, ShareId};

use files::Files;
pub use files::OpenError;
use locks::Locks;

/// The shares of this server. Cheap to clone; all clones are the same store.
#[derive(Debug, Clone)]
pub struct Store {
    files: Arc<Files>,
    locks: Locks,
}

/// What to do with a share once a change has been decided.
#[derive(Debug)]
pub enum Change {
    /// Leave the share as it is.
    Keep,
    /// Store this document, which was encoded as `json`, and list it as `index`.
    Put {
        /// The new document.
        json: Vec<u8>,
        /// The entry that follows from it.
        index: IndexEntry,
    },
    /// Remove the share.
    Delete,
}

/// A failure of the store. Meant for the operator; a client has no use for paths.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A stored file is not what this service writes.
    #[error("{} is damaged: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The runtime shut down before the change was made.
    #[error("the server is shutting down")]
    Interrupted,
}

impl Store {
    /// Opens a data directory, makes it if need be, and clears away what a crash has left unfinished. Blocks.
    ///
    /// # Errors
    /// [`OpenError`] if another process owns it, or if it cannot be written to.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, OpenError> {
        Ok(Self { files: Arc::new(Files::open(directory.into())?), locks: Locks::default() })
    }

    /// Changes a share: `decide` gets what is stored and returns what shall be, and an answer, which is passed on
    /// once the change is durable. Changes of one share take place one after the other, in the order of the calls.
    ///
    /// # Errors
    /// Those of `decide`, which leave the share as it was, and [`StoreError`].
    pub async fn change<T, E, F>(&self, id: ShareId, decide: F) -> Result<T, E>
    where
        F: FnOnce(Option<ShareDocument>) -> Result<(Change, T), E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let turn = self.locks.turn(&id).await;
        let files = Arc::clone(&self.files);
        let changed = task::spawn_blocking(move || {
            // The turn goes where the work goes: a caller that stops waiting must not let the next change in early.
            let _turn = turn;
            apply(&files, &id, decide)
        });
        changed.await.map_err(|_| E::from(StoreError::Interrupted))?
    }

    /// Reads a share, `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub async fn share(&self, id: ShareId) -> Result<Option<ShareDocument>, StoreError> {
        self.read(move |files| files.read_share(&id)).await
    }

    /// Reads the index entry of a share, `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub async fn index(&self, id: ShareId) -> Result<Option<IndexEntry>, StoreError> {
        self.read(move |files| files.read_index(&id)).await
    }

    /// Stores a file of the server's own beside the shares, readable by its owner only. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn write_private(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, StoreError> {
        self.files.write_private(name, bytes)
    }

    /// Reads a file that [`write_private`](Self::write_private) stored, `None` if there is none. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn read_private(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.files.read_private(name)
    }

    async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Files) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let files = Arc::clone(&self.files);
        task::spawn_blocking(move || read(&files)).await.map_err(|_| StoreError::Interrupted)?
    }
}

fn apply<T, E, F>(files: &Files, id: &ShareId, decide: F) -> Result<T, E>
where
    F: FnOnce(Option<ShareDocument>) -> Result<(Change, T), E>,
    E: From<StoreError>,
{
    let stored = files.read_share(id)?;
    let listed_as = stored.as_ref().map(|share| share.index(id));
    let (change, answer) = decide(stored)?;
    match change {
        Change::Keep => {
            if let Some(index) = listed_as {
                list(files, id, &index, files.read_index(id).ok().flatten().as_ref());
            }
        }
        Change::Put { json, index } => {
            files.write_share(id, &json)?;
            list(files, id, &index, None);
        }
        Change::Delete => {
            files.remove_index(id)?;
            files.remove_share(id)?;
        }
    }
    Ok(answer)
}

/// Brings the index entry in line with the share. The share is durable by now and the entry follows from it, so a
/// failure is none of the change: answering with one would make the client send again what is already stored.
fn list(files: &Files, id: &ShareId, index: &IndexEntry, listed: Option<&IndexEntry>) {
    if listed == Some(index) {
        return;
    }
    if let Err(error) = files.write_index(id, index) {
        tracing::error!(share = ?id.as_str(), %error, "share stored, but not its index entry");
    }
}

#[cfg(test)]
mod tests;
