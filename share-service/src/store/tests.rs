use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::core::{Limits, Secret, SessionId};

fn session() -> SessionId {
    SessionId::parse("session-abc123").unwrap()
}

fn id() -> ShareId {
    session().share_id()
}

fn put(share: &ShareDocument) -> Change {
    Change::Put { json: share.encode(&Limits::default()).unwrap(), index: share.index(&id()) }
}

/// Adds one to the count of syncs, and makes the share if there is none.
async fn count_up(store: &Store) -> u64 {
    let counted = |stored: Option<ShareDocument>| {
        let mut share =
            stored.unwrap_or_else(|| ShareDocument::new(&session(), Secret::new("s"), 1));
        share.merge(vec![], 2);
        Ok::<_, StoreError>((put(&share), share.metadata.sync_count))
    };
    store.change(id(), counted).await.unwrap()
}

async fn touch(store: &Store) {
    let kept: Result<(), StoreError> = store.change(id(), |_| Ok((Change::Keep, ()))).await;
    kept.unwrap();
}

async fn agree(store: &Store) -> bool {
    let share = store.share(id()).await.unwrap().unwrap();
    store.index(id()).await.unwrap() == Some(share.index(&id()))
}

fn entries(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_was_stored_is_there_after_reopening() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    assert_eq!(count_up(&store).await, 1);
    drop(store);
    let store = Store::open(directory.path()).unwrap();
    assert_eq!(count_up(&store).await, 2);
    assert!(agree(&store).await);
    assert_eq!(entries(directory.path()), ["index", "lock", "share", "tmp"]);
    assert_eq!(entries(&directory.path().join("share")), ["n-abc123.json"]);
    assert!(entries(&directory.path().join("tmp")).is_empty());
}

#[tokio::test]
async fn an_index_left_old_by_a_crash_is_put_right_by_the_next_change() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    count_up(&store).await;
    let index = directory.path().join("index/n-abc123.json");
    let old = fs::read(&index).unwrap();
    count_up(&store).await;
    drop(store);

    // Between the two writes: the share is new, its entry is old; or missing, where the share was being created; or
    // in shreds, where the file system lost it.
    for left_behind in [Some(old.as_slice()), None, Some(b"{".as_slice())] {
        for change_it in [true, false] {
            match left_behind {
                Some(bytes) => fs::write(&index, bytes).unwrap(),
                None => fs::remove_file(&index).unwrap(),
            }
            let store = Store::open(directory.path()).unwrap();
            if change_it {
                count_up(&store).await;
            } else {
                touch(&store).await;
            }
            assert!(agree(&store).await, "{left_behind:?}, {change_it}");
        }
    }
}

#[tokio::test]
async fn unfinished_files_are_cleared_away_at_the_start() {
    let directory = TempDir::new().unwrap();
    drop(Store::open(directory.path()).unwrap());
    fs::write(directory.path().join("tmp/0"), b"half a doc").unwrap();
    let store = Store::open(directory.path()).unwrap();
    assert!(entries(&directory.path().join("tmp")).is_empty());
    assert_eq!(count_up(&store).await, 1);
}

#[tokio::test]
async fn a_directory_has_one_owner_at_a_time() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    assert!(matches!(Store::open(directory.path()), Err(OpenError::Locked(_))));
    drop(store);
    assert!(Store::open(directory.path()).is_ok());
}

#[tokio::test]
async fn a_deleted_share_is_gone_with_its_entry() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    count_up(&store).await;
    let deleted: Result<(), StoreError> = store.change(id(), |_| Ok((Change::Delete, ()))).await;
    deleted.unwrap();
    assert_eq!(store.share(id()).await.unwrap(), None);
    assert_eq!(store.index(id()).await.unwrap(), None);
}

#[tokio::test]
async fn a_refused_change_leaves_everything_as_it_was() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    count_up(&store).await;
    let refused: Result<(), StoreError> =
        store.change(id(), |_| Err(StoreError::Interrupted)).await;
    assert!(refused.is_err());
    assert_eq!(store.share(id()).await.unwrap().unwrap().metadata.sync_count, 1);
}

#[tokio::test]
async fn a_damaged_share_is_reported_and_not_overwritten() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let path = directory.path().join("share/n-abc123.json");
    fs::write(&path, b"{\"session\":").unwrap();
    let changed: Result<(), StoreError> =
        store.change(id(), |_| panic!("there is nothing to decide")).await;
    assert!(matches!(changed, Err(StoreError::Damaged { .. })), "{changed:?}");
    assert_eq!(fs::read(&path).unwrap(), b"{\"session\":");
}

#[tokio::test]
async fn a_change_whose_caller_left_is_finished_before_the_next() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let (started, has_started) = tokio::sync::oneshot::channel();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let abandoned = tokio::spawn({
        let store = store.clone();
        async move {
            let changed: Result<(), StoreError> = store
                .change(id(), move |_| {
                    started.send(()).unwrap();
                    wait.recv().unwrap();
                    let mut share = ShareDocument::new(&session(), Secret::new("s"), 1);
                    share.merge(vec![], 1);
                    Ok((put(&share), ()))
                })
                .await;
            changed
        }
    });
    has_started.await.unwrap();
    abandoned.abort();
    assert!(abandoned.await.unwrap_err().is_cancelled());
    let next = tokio::spawn({
        let store = store.clone();
        async move { count_up(&store).await }
    });
    go_on.send(()).unwrap();
    assert_eq!(next.await.unwrap(), 2, "the abandoned change counts, and came first");
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let directory = TempDir::new().unwrap();
    let root = directory.path().join("data");
    let store = Store::open(&root).unwrap();
    count_up(&store).await;
    let private = store.write_private("secrets", b"x").unwrap();
    for (path, mode) in [
        (root.clone(), 0o700),
        (root.join("share/n-abc123.json"), 0o600),
        (root.join("index/n-abc123.json"), 0o600),
        (private, 0o600),
    ] {
        let found = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{}: {found:o}", path.display());
    }
}
