//! The JavaScript share service, used from Rust by the interface that it has in common with the one in Rust.

use capnweb::{
    Connection, Error, ErrorKind, Stats, Stub, Value,
    client::ConnectError,
    value::{Bytes, Date},
};
use capnweb_tests::{JsServer, limited};
use serde::{Deserialize, Serialize};
use serde_json::json;
use share_service::{
    api::{ShareApi, ShareInfo, SyncResult},
    core::Secret,
};

const KEY: &str = "a key for tests";

struct Client {
    server: JsServer,
    connection: Connection,
    service: Stub<dyn ShareApi>,
}

impl Client {
    async fn start() -> Self {
        let server = JsServer::start("share-server.mjs", &["--key", KEY]).await;
        let url = server.url();
        let connection = capnweb::connect(url).header("x-opencode-share-key", KEY).await.unwrap();
        let service = connection.main().typed();
        Self { server, connection, service }
    }

    /// Creates the share of a session whose secret is known.
    async fn create(&self, data: Vec<Value>) -> ShareInfo {
        self.service.create_share("session-abc123", data).await.unwrap()
    }

    async fn sync(&self, share: &ShareInfo, data: Vec<Value>) -> SyncResult {
        self.service.sync_share(&share.id, &share.secret, data).await.unwrap()
    }

    /// Checks that nothing is left on either side.
    async fn stop(mut self) {
        let clean = Stats { imports: 1, exports: 1 };
        let echo = Stub::new(async |text: String| Ok(text));
        self.service.probe_callback(echo).await.unwrap();
        assert_eq!(self.connection.stats(), clean);
        assert_eq!(self.server.stats().await, [clean]);
        drop((self.connection, self.service));
        self.server.deserted().await;
        self.server.stop().await;
    }
}

fn message(id: &str) -> Value {
    let data = json!({"id": id, "role": "user", "extra": {"kept": [1, [2]]}});
    Value::encode(&json!({"type": "message", "data": data})).unwrap()
}

#[tokio::test]
async fn the_door_opens_to_the_key_in_either_header_only() {
    limited(async {
        let mut server = JsServer::start("share-server.mjs", &["--key", KEY]).await;
        let connect = || capnweb::connect(server.url());
        for refused in [connect(), connect().bearer("wrong"), connect().header("x-key", KEY)] {
            let error = refused.await.map(drop).unwrap_err();
            let ConnectError::Refused { status, .. } = &error else { panic!("{error}") };
            assert_eq!(status.as_u16(), 401);
        }
        connect().bearer(KEY).await.unwrap();
        connect().header("x-opencode-share-key", KEY).await.unwrap();
        server.deserted().await;
        server.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_share_is_created_synced_and_deleted() {
    limited(async {
        let client = Client::start().await;
        let share = client.create(vec![message("a")]).await;
        let expected = ShareInfo {
            id: "n-abc123".to_owned(),
            secret: Secret::new("3bd6334d-9d1a-5e35-b332-aaf934f6f45c"),
            url: "https://share.example.com/share/n-abc123".to_owned(),
        };
        assert_eq!(share, expected);

        let session = json!({"type": "session", "data": {"id": "session-abc123", "title": "t"}});
        let session = Value::encode(&session).unwrap();
        let synced = client.sync(&share, vec![session, message("a"), message("b")]).await;
        assert_eq!(synced, SyncResult { success: true, sync_count: 2 });
        assert_eq!(client.sync(&share, vec![]).await.sync_count, 3);

        let deleted = client.service.delete_share(&share.id, &share.secret).await.unwrap();
        assert!(deleted.success);
        client.stop().await;
    })
    .await;
}

#[tokio::test]
async fn creating_and_syncing_takes_one_round_trip() {
    limited(async {
        let client = Client::start().await;
        let share = client.service.create_share("session-abc123", None);
        let synced = client.service.sync_share(share.id(), share.secret(), [message("a")]);
        let synced = synced.await.unwrap();
        assert_eq!(synced.sync_count, 1);
        drop(share);
        client.stop().await;
    })
    .await;
}

#[tokio::test]
async fn refusals_say_why() {
    limited(async {
        let client = Client::start().await;
        let share = client.create(vec![]).await;
        let guess = Secret::new("guess");
        for (id, secret, says) in [
            (share.id.as_str(), &guess, "Invalid secret"),
            ("nowhere", &share.secret, "Share not found"),
        ] {
            let service = &client.service;
            for error in [
                service.sync_share(id, secret, [message("a")]).await.unwrap_err(),
                service.delete_share(id, secret).await.unwrap_err(),
            ] {
                assert_eq!((error.kind(), error.name()), (ErrorKind::Thrown, "Error"));
                assert_eq!(error.message(), says);
            }
        }
        client.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_untyped_api_takes_types_of_ones_own() {
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    struct Nested {
        x: f64,
    }
    #[derive(Serialize)]
    struct Probe {
        when: Date,
        bytes: Bytes,
        nested: Nested,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Probed {
        when: String,
        bytes: Vec<u8>,
        size: usize,
        nested: Nested,
    }
    limited(async {
        let client = Client::start().await;
        let nested = Nested { x: -1.5 };
        let probe = Probe {
            when: Date::from_millis(1_700_000_000_123.0),
            bytes: Bytes::from(vec![0, 127, 255]),
            nested,
        };
        let untyped = client.service.clone().untyped();
        let probed: Probed = untyped.call("probeValue", (probe,)).decode().await.unwrap();
        let when = "2023-11-14T22:13:20.123Z".to_owned();
        assert_eq!(probed, Probed { when, bytes: vec![0, 127, 255], size: 3, nested });
        drop(untyped);
        client.stop().await;
    })
    .await;
}

#[tokio::test]
async fn callbacks_are_called_and_their_results_and_errors_come_back() {
    limited(async {
        let client = Client::start().await;
        let shout = Stub::new(async |text: String| Ok(text.to_uppercase()));
        let answer = client.service.probe_callback(shout).await.unwrap();
        assert_eq!(answer, "SERVER-CALLED");

        let fail = Stub::new(async |_: String| Err(Error::named("RangeError", "too far")));
        let error = client.service.probe_callback(fail).await.unwrap_err();
        assert_eq!((error.name(), error.message()), ("RangeError", "too far"));
        client.stop().await;
    })
    .await;
}
