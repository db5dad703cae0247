//! The data directory: what lies where, and how it gets there in one piece.
//!
//! `share/` and `index/` hold one file per share, `tmp/` files that are not complete yet, and `lock` is held by the
//! process that owns the directory. Secrets are in here, so everything is made for its owner only.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::StoreError;
use super::name::file_name;
use crate::core::{IndexEntry, ShareDocument, ShareId};

/// Why a data directory could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process owns it.
    #[error("data directory {} is in use by another process", .0.display())]
    Locked(PathBuf),
    /// It cannot be made, or not be written to.
    #[error("cannot use {} as data directory: {source}", path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// An open data directory. Every method blocks.
#[derive(Debug)]
pub(super) struct Files {
    root: PathBuf,
    shares: PathBuf,
    indexes: PathBuf,
    unfinished: PathBuf,
    /// Numbers the files in `unfinished`; no two are written under the same name.
    next_unfinished: AtomicU64,
    /// Open as long as the directory is owned: closing it is what releases the lock.
    _lock: File,
}

impl Files {
    pub(super) fn open(root: PathBuf) -> Result<Self, OpenError> {
        match Self::try_open(&root) {
            Ok(Some(files)) => Ok(files),
            Ok(None) => Err(OpenError::Locked(root)),
            Err(source) => Err(OpenError::Unusable { path: root, source }),
        }
    }

    /// `None` if another process owns the directory.
    fn try_open(root: &Path) -> io::Result<Option<Self>> {
        make_directory(root)?;
        let lock = private_file().create(true).truncate(false).open(root.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let files = Self {
            root: root.to_owned(),
            shares: root.join("share"),
            indexes: root.join("index"),
            unfinished: root.join("tmp"),
            next_unfinished: AtomicU64::new(0),
            _lock: lock,
        };
        for directory in [&files.shares, &files.indexes, &files.unfinished] {
            make_directory(directory)?;
        }
        for leftover in fs::read_dir(&files.unfinished)? {
            fs::remove_file(leftover?.path())?;
        }
        sync_directory(root)?;
        Ok(Some(files))
    }

    pub(super) fn read_share(&self, id: &ShareId) -> Result<Option<ShareDocument>, StoreError> {
        read_as(self.shares.join(file_name(id)), ShareDocument::decode)
    }

    pub(super) fn write_share(&self, id: &ShareId, json: &[u8]) -> Result<(), StoreError> {
        self.write(&self.shares, &file_name(id), json).map(drop)
    }

    pub(super) fn remove_share(&self, id: &ShareId) -> Result<(), StoreError> {
        remove(&self.shares, &file_name(id))
    }

    pub(super) fn read_index(&self, id: &ShareId) -> Result<Option<IndexEntry>, StoreError> {
        read_as(self.indexes.join(file_name(id)), IndexEntry::decode)
    }

    pub(super) fn write_index(&self, id: &ShareId, index: &IndexEntry) -> Result<(), StoreError> {
        self.write(&self.indexes, &file_name(id), &index.encode()).map(drop)
    }

    pub(super) fn remove_index(&self, id: &ShareId) -> Result<(), StoreError> {
        remove(&self.indexes, &file_name(id))
    }

    pub(super) fn write_private(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, StoreError> {
        self.write(&self.root, name, bytes)
    }

    pub(super) fn read_private(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        read(&self.root.join(name))
    }

    /// Puts a file into a directory, all of it or nothing, and returns once it would survive a loss of power.
    fn write(&self, directory: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, StoreError> {
        let number = self.next_unfinished.fetch_add(1, Ordering::Relaxed);
        let unfinished = self.unfinished.join(number.to_string());
        let target = directory.join(name);
        let written = write_synced(&unfinished, bytes).and_then(|()| {
            fs::rename(&unfinished, &target)?;
            sync_directory(directory)
        });
        written.map_err(|source| {
            // Already renamed, or of no use to anybody; what cannot be removed now is removed at the next start.
            let _ = fs::remove_file(&unfinished);
            StoreError::Io { doing: "write", path: target.clone(), source }
        })?;
        Ok(target)
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = private_file().create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn read_as<T>(
    path: PathBuf,
    decode: fn(&[u8]) -> Result<T, serde_json::Error>,
) -> Result<Option<T>, StoreError> {
    let Some(bytes) = read(&path)? else { return Ok(None) };
    decode(&bytes).map(Some).map_err(|source| StoreError::Damaged { path, source })
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::Io { doing: "read", path: path.to_owned(), source }),
    }
}

/// Removes a file for good. That it is already gone is no failure.
fn remove(directory: &Path, name: &str) -> Result<(), StoreError> {
    let path = directory.join(name);
    let removed = match fs::remove_file(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        removed => removed.and_then(|()| sync_directory(directory)),
    };
    removed.map_err(|source| StoreError::Io { doing: "remove", path, source })
}

/// Makes a directory, and those it lies in, so that they survive a loss of power.
fn make_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let path = std::path::absolute(path)?;
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match path.parent() {
        Some(parent) => {
            make_directory(parent)?;
            builder.create(&path)?;
            sync_directory(parent)
        }
        None => builder.create(&path),
    }
}

/// Options for a file that only its owner can read.
fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the names in a directory durable. Where directories cannot be opened as files, the system sees to that.
fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}
