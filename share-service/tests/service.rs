//! The service on a real data directory, as a caller sees it.

use std::fs;

use serde_json::{Value, json};
use share_service::core::{Limits, Namespace, PublicUrl, Secret, ShareError, ShareId};
use share_service::service::{ServiceError, Settings, ShareService};
use share_service::store::Store;
use tempfile::TempDir;

struct Fixture {
    directory: TempDir,
    store: Store,
    service: ShareService,
}

fn fixture(limits: Limits) -> Fixture {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let settings = Settings {
        namespace: Namespace::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8").unwrap(),
        public_url: PublicUrl::parse("share.example.com").unwrap(),
        limits,
    };
    Fixture { directory, service: ShareService::new(store.clone(), settings), store }
}

impl Fixture {
    async fn stored(&self, id: &str) -> Value {
        let share = self.store.share(ShareId::parse(id).unwrap()).await.unwrap().unwrap();
        serde_json::to_value(share).unwrap()
    }

    async fn created(&self, session: &str) -> (String, Secret) {
        let info = self.service.create_share(session.into(), None).await.unwrap();
        (info.id, info.secret)
    }
}

fn part(id: impl ToString) -> Value {
    json!({"type": "part", "data": {"id": id.to_string()}})
}

fn refused<T: std::fmt::Debug>(answer: Result<T, ServiceError>) -> ShareError {
    match answer {
        Err(ServiceError::Share(error)) => error,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn a_share_lives_from_creation_to_deletion() {
    let f = fixture(Limits::default());
    let info = f.service.create_share("session-abc123".into(), None).await.unwrap();
    assert_eq!(
        serde_json::to_value(&info).unwrap(),
        json!({
            "id": "n-abc123",
            "secret": "3bd6334d-9d1a-5e35-b332-aaf934f6f45c",
            "url": "https://share.example.com/share/n-abc123",
        })
    );
    let secret = info.secret;
    let synced =
        f.service.sync_share(info.id.clone(), secret.clone(), vec![part(1)]).await.unwrap();
    assert_eq!(serde_json::to_value(synced).unwrap(), json!({"success": true, "syncCount": 1}));
    assert_eq!(f.stored("n-abc123").await["parts"], json!([{"id": "1"}]));
    let deleted = f.service.delete_share(info.id.clone(), secret.clone()).await.unwrap();
    assert_eq!(serde_json::to_value(deleted).unwrap(), json!({"success": true}));
    let gone = f.service.sync_share(info.id, secret, vec![]).await;
    assert_eq!(gone.unwrap_err().to_string(), "Share not found");
}

#[tokio::test]
async fn refusals_have_the_messages_that_clients_know() {
    let f = fixture(Limits::default());
    let (id, secret) = f.created("session-abc123").await;
    for wrong in ["", "wrong", &secret.reveal()[1..]] {
        let sync = f.service.sync_share(id.clone(), Secret::new(wrong), vec![part(1)]).await;
        assert_eq!(sync.unwrap_err().to_string(), "Invalid secret");
        let delete = f.service.delete_share(id.clone(), Secret::new(wrong)).await;
        assert_eq!(delete.unwrap_err().to_string(), "Invalid secret");
    }
    for missing in ["", "other", "../../etc/passwd", &"x".repeat(10_000)] {
        let sync = f.service.sync_share(missing.into(), secret.clone(), vec![]).await;
        assert_eq!(sync.unwrap_err().to_string(), "Share not found");
        let delete = f.service.delete_share(missing.into(), secret.clone()).await;
        assert_eq!(delete.unwrap_err().to_string(), "Share not found");
    }
    assert_eq!(f.stored(&id).await["metadata"]["syncCount"], 0);
}

#[tokio::test]
async fn creating_twice_is_harmless_and_colliding_is_refused() {
    let f = fixture(Limits::default());
    let first = f.service.create_share("one-12345678".into(), Some(vec![part(1)])).await.unwrap();
    let again = f.service.create_share("one-12345678".into(), None).await.unwrap();
    assert_eq!(first, again);
    let before = f.stored("12345678").await;
    assert_eq!(before["metadata"]["syncCount"], 1);

    let other = f.service.create_share("two-12345678".into(), Some(vec![part(2)])).await;
    assert_eq!(refused(other), ShareError::IdTaken);
    assert_eq!(f.stored("12345678").await, before, "nothing was touched");

    let more = f.service.create_share("one-12345678".into(), Some(vec![part(2)])).await.unwrap();
    assert_eq!(more, first);
    assert_eq!(f.stored("12345678").await["parts"], json!([{"id": "1"}, {"id": "2"}]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_syncs_at_once_all_arrive_and_are_counted() {
    let f = fixture(Limits::default());
    let (id, secret) = f.created("session-abc123").await;
    let syncs = (0..100).map(|n| {
        let (service, id, secret) = (f.service.clone(), id.clone(), secret.clone());
        let diff = json!({"type": "session_diff", "data": [n]});
        tokio::spawn(async move { service.sync_share(id, secret, vec![part(n), diff]).await })
    });
    let answers = futures::future::join_all(syncs).await;
    let mut counts: Vec<_> =
        answers.into_iter().map(|answer| answer.unwrap().unwrap().sync_count).collect();
    counts.sort_unstable();
    assert!(counts.iter().copied().eq(1..=100), "{counts:?}");

    let stored = f.stored(&id).await;
    assert_eq!(stored["metadata"]["syncCount"], 100);
    for field in ["parts", "diffs"] {
        assert_eq!(stored[field].as_array().unwrap().len(), 100, "{field}");
    }
    let index = f.store.index(ShareId::parse(id).unwrap()).await.unwrap().unwrap();
    assert_eq!((index.sync_count, index.part_count, index.diff_count), (100, 100, 100));
}

#[tokio::test]
async fn a_sync_beyond_the_limits_changes_nothing() {
    let f = fixture(Limits { items_per_sync: 2, item_bytes: 50, share_bytes: 600 });
    let (id, secret) = f.created("session-abc123").await;
    let sync = |data| f.service.sync_share(id.clone(), secret.clone(), data);
    sync(vec![part(0)]).await.unwrap();
    let before = f.stored(&id).await;

    let many = refused(sync(vec![part(1), part(2), part(3)]).await);
    assert_eq!(many, ShareError::TooManyItems { count: 3, max: 2 });
    let big = refused(sync(vec![part(1), part("x".repeat(50))]).await);
    assert_eq!(big, ShareError::ItemTooLarge { index: 1, size: 59, max: 50 });
    let invalid = refused(sync(vec![part(1), json!({"type": "part", "data": {}})]).await);
    assert_eq!(invalid.to_string(), "Invalid data[1]: a part must have a string id");
    assert_eq!(f.stored(&id).await, before);

    let mut synced = 1;
    let full = loop {
        match sync(vec![part(synced)]).await {
            Ok(_) => synced += 1,
            Err(error) => break refused(Err::<(), _>(error)),
        }
    };
    assert!(matches!(full, ShareError::ShareTooLarge { max: 600, .. }), "{full:?}");
    let stored = f.stored(&id).await;
    assert_eq!(stored["parts"].as_array().unwrap().len(), synced);
    assert_eq!(stored["metadata"]["syncCount"], synced);
}

#[tokio::test]
async fn ids_that_peers_choose_stay_inside_the_directory_and_apart() {
    let f = fixture(Limits::default());
    let sessions = ["../../..", "/etc/pwd", "SAMENAME", "samename", "a\0b", "..", "😀😀😀😀"];
    for session in sessions {
        let (id, secret) = f.created(session).await;
        let synced = f.service.sync_share(id, secret, vec![part(session)]).await.unwrap();
        assert_eq!(synced.sync_count, 1, "{session:?} has a share of its own");
    }
    let files = fs::read_dir(f.directory.path().join("share")).unwrap().count();
    assert_eq!(files, sessions.len());
}

#[tokio::test]
async fn a_disk_that_fails_is_told_apart_and_tells_no_paths() {
    let f = fixture(Limits::default());
    let (id, secret) = f.created("session-abc123").await;
    fs::write(f.directory.path().join("share/n-abc123.json"), "damaged").unwrap();
    let error = f.service.sync_share(id, secret, vec![]).await.unwrap_err();
    assert!(matches!(error, ServiceError::Store(_)));
    assert_eq!(error.to_string(), "The server cannot use its storage");
}
