//! Nothing that was acknowledged is lost, whatever moment the program is killed at.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use share_service::api::SyncResult;
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::rpc::part;
use crate::server::{Server, keyed, stored};

/// How many connections sync at once.
const CONNECTIONS: usize = 4;

/// The most syncs that are acknowledged between two kills.
const MOST_SYNCS: u64 = 60;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_kill() {
    let kills = if std::env::var_os("CAPNWEB_FULL").is_some() { 50 } else { 5 };
    let data = TempDir::new().unwrap();
    let mut acknowledged = HashSet::new();
    let mut count = 0;
    for kill in 0..kills {
        let server = Server::start(&mut keyed(&data));
        let service = server.service().await;
        let share = service.create_share("session-abc123", None).await.unwrap();
        let stop_after = RandomState::new().hash_one(kill) % MOST_SYNCS + 1;
        let (acknowledge, mut acknowledgements) = mpsc::unbounded_channel();
        for connection in 0..CONNECTIONS {
            let service = server.service().await;
            let (share, acknowledge) = (share.clone(), acknowledge.clone());
            tokio::spawn(async move {
                for n in 0.. {
                    let id = format!("{kill}-{connection}-{n}");
                    // The end of the server ends this as well.
                    let sync = service.sync_share(&share.id, &share.secret, [part(&id)]);
                    let Ok(synced) = sync.await else { break };
                    if acknowledge.send((id, synced)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(acknowledge);
        for _ in 0..stop_after {
            note(acknowledgements.recv().await.unwrap(), &mut acknowledged, &mut count);
        }
        // Killed while the next syncs are under way; what is acknowledged until it is dead counts as well.
        server.kill();
        while let Some(one) = acknowledgements.recv().await {
            note(one, &mut acknowledged, &mut count);
        }

        let stored = stored(&data, &share.id);
        let parts = stored["parts"].as_array().unwrap();
        let kept: HashSet<_> = parts.iter().map(|part| part["id"].as_str().unwrap()).collect();
        let lost: Vec<_> = acknowledged.iter().filter(|id| !kept.contains(id.as_str())).collect();
        assert!(lost.is_empty(), "after kill {kill}: {lost:?}");
        let stored_count = stored["metadata"]["syncCount"].as_u64().unwrap();
        assert!(stored_count >= count, "after kill {kill}: {stored_count} of {count}");
        assert_eq!(stored_count, kept.len() as u64, "each sync is stored whole and once");
    }

    let server = Server::start(&mut keyed(&data));
    let service = server.service().await;
    let share = service.create_share("session-abc123", None).await.unwrap();
    let before = stored(&data, &share.id)["metadata"]["syncCount"].as_u64().unwrap();
    let synced = service.sync_share(&share.id, &share.secret, [part("last")]).await.unwrap();
    assert_eq!(synced.sync_count, before + 1, "the service goes on where it was");
}

fn note((id, synced): (String, SyncResult), acknowledged: &mut HashSet<String>, count: &mut u64) {
    acknowledged.insert(id);
    *count = synced.sync_count.max(*count);
}
