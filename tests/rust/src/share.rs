//! Share services as a client in Rust meets them: one suite, whatever the service is made of.
//!
//! The service derives its secrets from [`NAMESPACE`] and is known to the world as [`DOMAIN`]. Nearly
//! all sessions have names that nobody used before, so the service need not be empty.

use std::hash::{BuildHasher, RandomState};

use capnweb::{
    Connection, Error, ErrorKind, Stats, Stub, Value,
    client::{Connect, ConnectError},
    value::{Bytes, Date, Object},
};
use futures::future;
use serde::Deserialize;

use crate::limited;

/// What the service derives its shares' secrets from.
pub const NAMESPACE: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

/// Where the service says that its shares are.
pub const DOMAIN: &str = "share.example.com";

/// A share, as it is answered to whoever creates it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Share {
    /// Its id.
    pub id: String,
    /// What has to be known to change it.
    pub secret: String,
    /// Its address.
    pub url: String,
}

/// The answer to a sync.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Synced {
    /// Always true.
    pub success: bool,
    /// How many syncs the share has had.
    pub sync_count: u64,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Deleted {
    success: bool,
}

/// Where a share service is, and the key to it.
pub struct ShareService {
    url: String,
    key: String,
}

impl ShareService {
    /// The service at the WebSocket address of its RPC endpoint.
    pub fn new(url: impl Into<String>, key: impl Into<String>) -> Self {
        Self { url: url.into(), key: key.into() }
    }

    /// Runs the suite, with those parts that only the services of this project have to pass.
    ///
    /// # Panics
    /// If the service does not pass.
    pub async fn check(&self) {
        macro_rules! scenarios {
            ($($name:ident),+ $(,)?) => {
                $(
                    limited(self.$name()).await;
                    println!("ok {}", stringify!($name));
                )+
            };
        }
        scenarios!(
            only_the_key_opens_the_door,
            a_share_lives_from_creation_to_deletion,
            a_share_is_created_once,
            creating_and_syncing_takes_one_round_trip,
            syncs_keep_the_order_of_the_calls,
            a_hundred_syncs_at_once_are_counted,
            refusals_say_why,
            values_arrive_as_what_they_are,
            callbacks_are_called,
            batches_are_answered_behind_the_key,
            both_addresses_are_behind_the_key,
            what_cannot_be_stored_is_refused_by_name,
            batches_have_no_callbacks,
        );
    }

    /// The key is taken in either of two headers, and nothing else is.
    pub async fn only_the_key_opens_the_door(&self) {
        self.check_door(&self.url).await;
    }

    /// What the share of a session is called follows from the session; a deleted one is gone.
    pub async fn a_share_lives_from_creation_to_deletion(&self) {
        let connection = self.connect().await;
        let main = connection.main();
        let share = create(&main, "session-abc123").await;
        let expected = Share {
            id: "n-abc123".to_owned(),
            secret: "3bd6334d-9d1a-5e35-b332-aaf934f6f45c".to_owned(),
            url: format!("https://{DOMAIN}/share/n-abc123"),
        };
        assert_eq!(share, expected);
        for sync_count in 1..=3 {
            let session = item("session", object([("id", "session-abc123".into())]));
            let synced = sync(&main, &share, vec![session, part(1), part(2)].into()).await;
            assert_eq!(synced.unwrap(), Synced { success: true, sync_count });
        }
        let arguments = (&share.id, &share.secret);
        let deleted: Deleted = main.call("deleteShare", arguments).decode().await.unwrap();
        assert!(deleted.success);
        let missing = error("Share not found");
        assert_eq!(refused(sync(&main, &share, vec![part(3)].into()).await), missing);
        assert_eq!(refused(main.call("deleteShare", arguments).await), missing);
        assert_clean(&connection).await;
    }

    /// Creating a share again adds to it; a session that would have the same id gets none. Returns
    /// a share with the parts 1 and 2.
    pub async fn a_share_is_created_once(&self) -> Share {
        let connection = self.connect().await;
        let main = connection.main();
        let session = new_session();
        let share: Share = main.call("createShare", (&session, [part(1)])).decode().await.unwrap();
        let again: Share = main.call("createShare", (&session, [part(2)])).decode().await.unwrap();
        assert_eq!(again, share);
        assert_eq!(create(&main, &session).await, share);
        let other = main.call("createShare", (format!("other-{session}"), [part(3)])).await;
        assert_eq!(refused(other).0, "Error");
        let synced = sync(&main, &share, Vec::<Value>::new().into()).await.unwrap();
        assert_eq!(synced.sync_count, 3);
        assert_clean(&connection).await;
        share
    }

    /// What a call results in can be an argument at once.
    pub async fn creating_and_syncing_takes_one_round_trip(&self) {
        let connection = self.connect().await;
        let main = connection.main();
        let share = main.call("createShare", (new_session(),));
        let arguments = (share.get("id"), share.get("secret"), [part(1)]);
        let synced: Synced = main.call("syncShare", arguments).decode().await.unwrap();
        assert_eq!(synced, Synced { success: true, sync_count: 1 });
        drop(share);
        assert_clean(&connection).await;
    }

    /// Calls on one connection are carried out one after the other. Returns a share with the diffs
    /// 0 to 49.
    pub async fn syncs_keep_the_order_of_the_calls(&self) -> Share {
        let connection = self.connect().await;
        let main = connection.main();
        let share = create(&main, &new_session()).await;
        let syncs: Vec<_> = (0..50)
            .map(|n| {
                let diff = item("session_diff", vec![n]);
                main.call("syncShare", (&share.id, &share.secret, [diff])).decode::<Synced>()
            })
            .collect();
        for (n, sync) in syncs.into_iter().enumerate() {
            assert_eq!(sync.await.unwrap().sync_count, n as u64 + 1);
        }
        assert_clean(&connection).await;
        share
    }

    /// Nothing is lost between ten connections. Returns a share with a hundred parts.
    pub async fn a_hundred_syncs_at_once_are_counted(&self) -> Share {
        let connection = self.connect().await;
        let share = create(&connection.main(), &new_session()).await;
        let connections = future::join_all((0..10).map(|_| self.connect())).await;
        let syncs = connections.iter().enumerate().flat_map(|(connection, each)| {
            let (main, share) = (each.main(), &share);
            (0..10).map(move |n| {
                let arguments = (&share.id, &share.secret, [part(format!("{connection}-{n}"))]);
                main.call("syncShare", arguments).decode::<Synced>().into_future()
            })
        });
        let answers = future::try_join_all(syncs).await.unwrap();
        let mut counts: Vec<_> = answers.iter().map(|synced| synced.sync_count).collect();
        counts.sort_unstable();
        assert!(counts.iter().copied().eq(1..=100), "{counts:?}");
        share
    }

    /// A share is changed by whoever knows its secret, and by nobody else.
    pub async fn refusals_say_why(&self) {
        let connection = self.connect().await;
        let main = connection.main();
        let share = create(&main, &new_session()).await;
        for (id, secret, says) in [
            (share.id.as_str(), "guess", "Invalid secret"),
            ("nowhere!", share.secret.as_str(), "Share not found"),
        ] {
            let wrong = Share { id: id.into(), secret: secret.into(), url: String::new() };
            assert_eq!(refused(sync(&main, &wrong, vec![part(1)].into()).await), error(says));
            assert_eq!(refused(main.call("deleteShare", (id, secret)).await), error(says));
        }
        let synced = sync(&main, &share, vec![part(1)].into()).await.unwrap();
        assert_eq!(synced.sync_count, 1, "the others changed nothing");
        assert_clean(&connection).await;
    }

    /// Dates and bytes arrive as such.
    pub async fn values_arrive_as_what_they_are(&self) {
        let connection = self.connect().await;
        let main = connection.main();
        let nested = object([("x", 1.5.into()), ("null", Value::Null)]);
        let argument = |when| {
            object([
                ("when", Date::from_millis(when).into()),
                ("bytes", Bytes::new(vec![0, 127, 255]).into()),
                ("nested", nested.clone()),
            ])
        };
        let probed = main.call("probeValue", (argument(1_700_000_000_123.0),)).await.unwrap();
        let expected = object([
            ("when", "2023-11-14T22:13:20.123Z".into()),
            ("bytes", vec![0, 127, 255].into()),
            ("size", 3.into()),
            ("nested", nested.clone()),
        ]);
        assert_eq!(probed, expected);
        let invalid = main.call("probeValue", (argument(f64::NAN),)).await;
        let range_error = ("RangeError".to_owned(), "Invalid time value".to_owned());
        assert_eq!(refused(invalid), range_error);
        assert_clean(&connection).await;
    }

    /// What a callback returns or throws comes back.
    pub async fn callbacks_are_called(&self) {
        let connection = self.connect().await;
        let main = connection.main();
        let shout = Stub::function(|(text,): (String,)| async move { Ok(text.to_uppercase()) });
        let answer: String = main.call("probeCallback", (shout,)).decode().await.unwrap();
        assert_eq!(answer, "SERVER-CALLED");
        let fail = Stub::function(|(_,): (String,)| async move {
            Err::<(), _>(Error::named("RangeError", "too far"))
        });
        let range_error = ("RangeError".to_owned(), "too far".to_owned());
        assert_eq!(refused(main.call("probeCallback", (fail,)).await), range_error);
        assert_clean(&connection).await;
    }

    /// All of a session in one request.
    pub async fn batches_are_answered_behind_the_key(&self) {
        self.check_batches(&self.url).await;
    }

    /// The endpoint has an older address as well, without the end of this one.
    pub async fn both_addresses_are_behind_the_key(&self) {
        let older = self.url.strip_suffix("/share").expect("the newer address");
        self.check_door(older).await;
        self.check_batches(older).await;
    }

    /// A sync that cannot be stored changes nothing, and the client learns what is wrong with it.
    /// Returns a share without any part.
    pub async fn what_cannot_be_stored_is_refused_by_name(&self) -> Share {
        let connection = self.connect().await;
        let main = connection.main();
        let share = create(&main, &new_session()).await;
        let refusal = async |data: Value| refused(sync(&main, &share, data).await);

        let type_error = |message: &str| ("TypeError".to_owned(), message.to_owned());
        let bigint = vec![part(1), item("part", object([("id", "p".into()), ("n", 1i128.into())]))];
        let message = "data[1].data.n: a bigint cannot be stored as JSON";
        assert_eq!(refusal(bigint.into()).await, type_error(message));
        let function = Stub::function(|(): ()| async { Ok(()) });
        let message = "data[0].data: a function or an RpcTarget cannot be stored as JSON";
        assert_eq!(refusal(vec![item("part", function)].into()).await, type_error(message));
        let no_id = vec![part(1), item("part", Object::new())];
        let message = "Invalid data[1]: a part must have a string id";
        assert_eq!(refusal(no_id.into()).await, error(message));
        let (name, message) = refusal("text".into()).await;
        assert_eq!(name, "TypeError");
        assert!(message.contains("syncShare") && message.contains("args[2]"), "{message}");
        let unknown = refused(main.call("readShare", ()).await);
        assert_eq!(unknown, type_error("'readShare' is not a function."));
        let synced = sync(&main, &share, Vec::<Value>::new().into()).await.unwrap();
        assert_eq!(synced.sync_count, 1, "the others were not stored");
        assert_clean(&connection).await;
        share
    }

    /// The client of a batch is told that it cannot be called.
    pub async fn batches_have_no_callbacks(&self) {
        let batch = capnweb::batch(http(&self.url)).bearer(&self.key).begin();
        let callback = Stub::function(|(text,): (String,)| async move { Ok(text) });
        let called_back = batch.main().call("probeCallback", (callback,));
        batch.send().await.unwrap();
        let (name, message) = refused(called_back.await);
        assert_eq!(name, "Error");
        assert!(message.contains("client of an HTTP batch cannot be called back"), "{message}");
    }

    async fn connect(&self) -> Connection {
        self.with_key(&self.url).await.unwrap()
    }

    fn with_key(&self, url: &str) -> Connect {
        capnweb::connect(url).header("x-opencode-share-key", &self.key)
    }

    async fn check_door(&self, url: &str) {
        let connect = || capnweb::connect(url);
        for right in [self.with_key(url), connect().bearer(&self.key)] {
            let main = right.await.unwrap().main();
            create(&main, &new_session()).await;
        }
        for wrong in [
            connect(),
            connect().header("x-opencode-share-key", "wrong"),
            connect().header("x-another-key", &self.key),
            connect().bearer("wrong"),
            connect().bearer(format!("{}x", self.key)),
        ] {
            assert_unauthorized(wrong.await.map(drop));
        }
    }

    async fn check_batches(&self, url: &str) {
        let batch = capnweb::batch(http(url)).bearer(&self.key).begin();
        let main = batch.main();
        let session = new_session();
        let share = main.call("createShare", (&session,));
        let arguments = (share.get("id"), share.get("secret"), [part(1)]);
        let synced = main.call("syncShare", arguments).decode::<Synced>();
        batch.send().await.unwrap();
        assert!(session.ends_with(&share.decode::<Share>().await.unwrap().id));
        assert_eq!(synced.await.unwrap(), Synced { success: true, sync_count: 1 });

        let batch = capnweb::batch(http(url)).bearer("wrong").begin();
        let share = batch.main().call("createShare", (new_session(),));
        assert_unauthorized(batch.send().await.map(drop));
        let refused = share.await.unwrap_err();
        assert_eq!(refused.message(), "RPC request failed: 401 Unauthorized");
    }
}

/// Creates a share.
///
/// # Panics
/// If it is refused.
pub async fn create(main: &Stub, session: &str) -> Share {
    main.call("createShare", (session,)).decode().await.unwrap()
}

/// Syncs into a share.
///
/// # Errors
/// What the service refuses it with.
pub async fn sync(main: &Stub, share: &Share, data: Value) -> Result<Synced, Error> {
    main.call("syncShare", (&share.id, &share.secret, data)).decode().await
}

/// An object with these members.
pub fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    members.into_iter().collect::<Object>().into()
}

/// An item of a sync.
pub fn item(kind: &str, data: impl Into<Value>) -> Value {
    object([("type", kind.into()), ("data", data.into())])
}

/// An item with a part that has nothing but an id.
pub fn part(id: impl ToString) -> Value {
    item("part", object([("id", id.to_string().into())]))
}

fn new_session() -> String {
    format!("session-{:016x}", RandomState::new().hash_one(()))
}

/// Name and message of the error that the service answered.
fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> (String, String) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Thrown);
    (error.name().to_owned(), error.message().to_owned())
}

fn error(message: &str) -> (String, String) {
    ("Error".to_owned(), message.to_owned())
}

fn assert_unauthorized(result: Result<(), ConnectError>) {
    let Err(ConnectError::Refused { status, body }) = result else {
        panic!("it should be refused: {result:?}")
    };
    assert_eq!(status.as_u16(), 401);
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert!(body["error"].is_string(), "{body}");
}

/// Nothing may be left but the two main objects. The last releases may be behind an answer.
async fn assert_clean(connection: &Connection) {
    let clean = Stats { imports: 1, exports: 1 };
    for _ in 0..5 {
        let echo = Stub::function(|(text,): (String,)| async move { Ok(text) });
        connection.main().call("probeCallback", (echo,)).await.unwrap();
        if connection.stats() == clean {
            return;
        }
    }
    assert_eq!(connection.stats(), clean, "left over");
}

fn http(url: &str) -> String {
    url.replacen("ws", "http", 1)
}
