//! The JavaScript share service, used from Rust.

use capnweb_tests::{JsServer, limited, share::ShareService};

const KEY: &str = "a key for tests";

/// Runs a part of the suite for share services, after which the server may hold no session.
async fn check(scenario: impl AsyncFnOnce(&ShareService)) {
    limited(async {
        let mut server = JsServer::start("share-server.mjs", &["--key", KEY]).await;
        scenario(&ShareService::new(server.url(), KEY)).await;
        server.deserted().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_door_opens_to_the_key_in_either_header_only() {
    check(async |service| service.only_the_key_opens_the_door().await).await;
}

#[tokio::test]
async fn a_share_is_created_synced_and_deleted() {
    check(async |service| service.a_share_lives_from_creation_to_deletion().await).await;
}

#[tokio::test]
async fn a_share_is_created_once() {
    check(async |service| drop(service.a_share_is_created_once().await)).await;
}

#[tokio::test]
async fn creating_and_syncing_takes_one_round_trip() {
    check(async |service| service.creating_and_syncing_takes_one_round_trip().await).await;
}

#[tokio::test]
async fn syncs_are_counted_in_the_order_of_the_calls_and_none_is_lost() {
    check(async |service| {
        service.syncs_keep_the_order_of_the_calls().await;
        service.a_hundred_syncs_at_once_are_counted().await;
    })
    .await;
}

#[tokio::test]
async fn refusals_say_why() {
    check(async |service| service.refusals_say_why().await).await;
}

#[tokio::test]
async fn values_arrive_as_what_they_are() {
    check(async |service| service.values_arrive_as_what_they_are().await).await;
}

#[tokio::test]
async fn callbacks_are_called_and_their_results_and_errors_come_back() {
    check(async |service| service.callbacks_are_called().await).await;
}

#[tokio::test]
async fn batches_are_answered_behind_the_key() {
    check(async |service| service.batches_are_answered_behind_the_key().await).await;
}
