//! The JavaScript share service, used from Rust with types of one's own.

use capnweb::{
    Connection, ErrorKind, Stats, Stub, Value,
    client::ConnectError,
    value::{Bytes, Date},
};
use capnweb_tests::{JsServer, limited};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

const KEY: &str = "a key for tests";

#[derive(Debug, PartialEq, Deserialize)]
struct Share {
    id: String,
    secret: String,
    url: String,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Synced {
    success: bool,
    sync_count: u32,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Deleted {
    success: bool,
}

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

struct Client {
    server: JsServer,
    connection: Connection,
    main: Stub,
}

impl Client {
    async fn start() -> Self {
        let server = JsServer::start("share-server.mjs", &["--key", KEY]).await;
        let url = server.url();
        let connection = capnweb::connect(url).header("x-opencode-share-key", KEY).await.unwrap();
        let main = connection.main();
        Self { server, connection, main }
    }

    /// Creates the share of a session whose secret is known.
    async fn create(&self, data: &[Json]) -> Share {
        let args = ("session-abc123", data);
        self.main.call("createShare", args).decode().await.unwrap()
    }

    async fn sync(&self, share: &Share, data: &[Json]) -> Synced {
        let args = (&share.id, &share.secret, data);
        self.main.call("syncShare", args).decode().await.unwrap()
    }

    /// Checks that nothing is left on either side.
    async fn stop(mut self) {
        let clean = Stats { imports: 1, exports: 1 };
        let call = Stub::function(|(text,): (String,)| async move { Ok(text) });
        self.main.call("probeCallback", (call,)).await.unwrap();
        assert_eq!(self.connection.stats(), clean);
        assert_eq!(self.server.stats().await, [clean]);
        drop((self.connection, self.main));
        self.server.deserted().await;
        self.server.stop().await;
    }
}

fn message(id: &str) -> Json {
    json!({"type": "message", "data": {"id": id, "role": "user", "extra": {"kept": [1, [2]]}}})
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
        let share = client.create(&[message("a")]).await;
        let expected = Share {
            id: "n-abc123".to_owned(),
            secret: "3bd6334d-9d1a-5e35-b332-aaf934f6f45c".to_owned(),
            url: "https://share.example.com/share/n-abc123".to_owned(),
        };
        assert_eq!(share, expected);

        let session = json!({"type": "session", "data": {"id": "session-abc123", "title": "t"}});
        let synced = client.sync(&share, &[session, message("a"), message("b")]).await;
        assert_eq!(synced, Synced { success: true, sync_count: 2 });
        assert_eq!(client.sync(&share, &[]).await.sync_count, 3);

        let args = (&share.id, &share.secret);
        let deleted: Deleted = client.main.call("deleteShare", args).decode().await.unwrap();
        assert!(deleted.success);
        client.stop().await;
    })
    .await;
}

#[tokio::test]
async fn creating_and_syncing_takes_one_round_trip() {
    limited(async {
        let client = Client::start().await;
        let share = client.main.call("createShare", ("session-abc123",));
        let args = (share.get("id"), share.get("secret"), [message("a")]);
        let synced: Synced = client.main.call("syncShare", args).decode().await.unwrap();
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
        let share = client.create(&[]).await;
        for (id, secret, says) in [
            (share.id.as_str(), "guess", "Invalid secret"),
            ("nowhere", share.secret.as_str(), "Share not found"),
        ] {
            for call in [
                client.main.call("syncShare", (id, secret, [message("a")])),
                client.main.call("deleteShare", (id, secret)),
            ] {
                let error = call.await.unwrap_err();
                assert_eq!((error.kind(), error.name()), (ErrorKind::Thrown, "Error"));
                assert_eq!(error.message(), says);
            }
        }
        client.stop().await;
    })
    .await;
}

#[tokio::test]
async fn values_arrive_as_what_they_are() {
    limited(async {
        let client = Client::start().await;
        let nested = Nested { x: -1.5 };
        let probe = Probe {
            when: Date::from_millis(1_700_000_000_123.0),
            bytes: Bytes::from(vec![0, 127, 255]),
            nested,
        };
        let probed: Probed = client.main.call("probeValue", (probe,)).decode().await.unwrap();
        let when = "2023-11-14T22:13:20.123Z".to_owned();
        assert_eq!(probed, Probed { when, bytes: vec![0, 127, 255], size: 3, nested });
        client.stop().await;
    })
    .await;
}

#[tokio::test]
async fn callbacks_are_called_and_their_results_and_errors_come_back() {
    limited(async {
        let client = Client::start().await;
        let shout = Stub::function(|(text,): (String,)| async move { Ok(text.to_uppercase()) });
        let answer = client.main.call("probeCallback", (shout,)).await.unwrap();
        assert_eq!(answer, Value::from("SERVER-CALLED"));

        let fail = Stub::function(|(_,): (String,)| async move {
            Err::<(), _>(capnweb::Error::named("RangeError", "too far"))
        });
        let error = client.main.call("probeCallback", (fail,)).await.unwrap_err();
        assert_eq!((error.name(), error.message()), ("RangeError", "too far"));
        client.stop().await;
    })
    .await;
}
