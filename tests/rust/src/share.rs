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
use share_service::{
    api::{Probe, Probed, ShareApi, ShareInfo, SyncResult},
    core::Secret,
};

use crate::limited;

/// What the service derives its shares' secrets from.
pub const NAMESPACE: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

/// Where the service says that its shares are.
pub const DOMAIN: &str = "share.example.com";

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
        let service = service(&connection);
        let share = create(&service, "session-abc123").await;
        let expected = ShareInfo {
            id: "n-abc123".to_owned(),
            secret: Secret::new("3bd6334d-9d1a-5e35-b332-aaf934f6f45c"),
            url: format!("https://{DOMAIN}/share/n-abc123"),
        };
        assert_eq!(share, expected);
        for sync_count in 1..=3 {
            let session = item("session", object([("id", "session-abc123".into())]));
            let synced = sync(&service, &share, vec![session, part(1), part(2)]).await;
            assert_eq!(synced.unwrap(), SyncResult { success: true, sync_count });
        }
        let delete = || service.delete_share(&share.id, &share.secret);
        assert!(delete().await.unwrap().success);
        let missing = error("Share not found");
        assert_eq!(refused(sync(&service, &share, vec![part(3)]).await), missing);
        assert_eq!(refused(delete().await), missing);
        assert_clean(&connection).await;
    }

    /// Creating a share again adds to it; a session that would have the same id gets none. Returns
    /// a share with the parts 1 and 2.
    pub async fn a_share_is_created_once(&self) -> ShareInfo {
        let connection = self.connect().await;
        let service = service(&connection);
        let session = new_session();
        let share = service.create_share(&session, [part(1)]).await.unwrap();
        assert_eq!(service.create_share(&session, [part(2)]).await.unwrap(), share);
        assert_eq!(create(&service, &session).await, share);
        let other = service.create_share(format!("other-{session}"), [part(3)]).await;
        assert_eq!(refused(other).0, "Error");
        let synced = sync(&service, &share, Vec::new()).await.unwrap();
        assert_eq!(synced.sync_count, 3);
        assert_clean(&connection).await;
        share
    }

    /// What a call results in can be an argument at once.
    pub async fn creating_and_syncing_takes_one_round_trip(&self) {
        let connection = self.connect().await;
        let service = service(&connection);
        let share = service.create_share(new_session(), None);
        let synced = service.sync_share(share.id(), share.secret(), [part(1)]).await.unwrap();
        assert_eq!(synced, SyncResult { success: true, sync_count: 1 });
        drop(share);
        assert_clean(&connection).await;
    }

    /// Calls on one connection are carried out one after the other. Returns a share with the diffs
    /// 0 to 49.
    pub async fn syncs_keep_the_order_of_the_calls(&self) -> ShareInfo {
        let connection = self.connect().await;
        let service = service(&connection);
        let share = create(&service, &new_session()).await;
        let syncs: Vec<_> = (0..50)
            .map(|n| {
                let diff = item("session_diff", vec![n]);
                service.sync_share(&share.id, &share.secret, [diff])
            })
            .collect();
        for (n, sync) in syncs.into_iter().enumerate() {
            assert_eq!(sync.await.unwrap().sync_count, n as u64 + 1);
        }
        assert_clean(&connection).await;
        share
    }

    /// Nothing is lost between ten connections. Returns a share with a hundred parts.
    pub async fn a_hundred_syncs_at_once_are_counted(&self) -> ShareInfo {
        let connection = self.connect().await;
        let share = create(&service(&connection), &new_session()).await;
        let connections = future::join_all((0..10).map(|_| self.connect())).await;
        let syncs = connections.iter().enumerate().flat_map(|(connection, each)| {
            let (service, share) = (service(each), &share);
            (0..10).map(move |n| {
                let part = part(format!("{connection}-{n}"));
                service.sync_share(&share.id, &share.secret, [part]).into_future()
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
        let service = service(&connection);
        let share = create(&service, &new_session()).await;
        for (id, secret, says) in [
            (share.id.as_str(), &Secret::new("guess"), "Invalid secret"),
            ("nowhere!", &share.secret, "Share not found"),
        ] {
            let synced = service.sync_share(id, secret, [part(1)]);
            assert_eq!(refused(synced.await), error(says));
            assert_eq!(refused(service.delete_share(id, secret).await), error(says));
        }
        let synced = sync(&service, &share, vec![part(1)]).await.unwrap();
        assert_eq!(synced.sync_count, 1, "the others changed nothing");
        assert_clean(&connection).await;
    }

    /// Dates and bytes arrive as such.
    pub async fn values_arrive_as_what_they_are(&self) {
        let connection = self.connect().await;
        let service = service(&connection);
        let nested = object([("x", 1.5.into()), ("null", Value::Null)]);
        let probe = |when| Probe {
            when: Date::from_millis(when),
            bytes: Bytes::new(vec![0, 127, 255]),
            nested: nested.clone(),
        };
        let probed = service.probe_value(probe(1_700_000_000_123.0)).await.unwrap();
        let expected = Probed {
            when: "2023-11-14T22:13:20.123Z".to_owned(),
            bytes: vec![0, 127, 255],
            size: 3,
            nested: nested.clone(),
        };
        assert_eq!(probed, expected);
        let range_error = ("RangeError".to_owned(), "Invalid time value".to_owned());
        assert_eq!(refused(service.probe_value(probe(f64::NAN)).await), range_error);
        assert_clean(&connection).await;
    }

    /// What a callback returns or throws comes back.
    pub async fn callbacks_are_called(&self) {
        let connection = self.connect().await;
        let service = service(&connection);
        let shout = Stub::new(async |text: String| Ok(text.to_uppercase()));
        assert_eq!(service.probe_callback(shout).await.unwrap(), "SERVER-CALLED");
        let fail = Stub::new(async |_: String| Err(Error::named("RangeError", "too far")));
        let range_error = ("RangeError".to_owned(), "too far".to_owned());
        assert_eq!(refused(service.probe_callback(fail).await), range_error);
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
    pub async fn what_cannot_be_stored_is_refused_by_name(&self) -> ShareInfo {
        let connection = self.connect().await;
        let service = service(&connection);
        let share = create(&service, &new_session()).await;
        let refusal = async |data| refused(sync(&service, &share, data).await);

        let type_error = |message: &str| ("TypeError".to_owned(), message.to_owned());
        let bigint = vec![part(1), item("part", object([("id", "p".into()), ("n", 1i128.into())]))];
        let message = "data[1].data.n: a bigint cannot be stored as JSON";
        assert_eq!(refusal(bigint).await, type_error(message));
        let function = Stub::function(|(): ()| async { Ok(()) });
        let message = "data[0].data: a function or an RpcTarget cannot be stored as JSON";
        assert_eq!(refusal(vec![item("part", function)]).await, type_error(message));
        let no_id = vec![part(1), item("part", Object::new())];
        let message = "Invalid data[1]: a part must have a string id";
        assert_eq!(refusal(no_id).await, error(message));

        // What the interface would not let through.
        let untyped = connection.main();
        let text = untyped.call("syncShare", (&share.id, &share.secret, "text"));
        let (name, message) = refused(text.await);
        assert_eq!(name, "TypeError");
        assert!(message.contains("syncShare") && message.contains("args[2]"), "{message}");
        let unknown = refused(untyped.call("readShare", ()).await);
        assert_eq!(unknown, type_error("'readShare' is not a function."));
        let synced = sync(&service, &share, Vec::new()).await.unwrap();
        assert_eq!(synced.sync_count, 1, "the others were not stored");
        assert_clean(&connection).await;
        share
    }

    /// The client of a batch is told that it cannot be called.
    pub async fn batches_have_no_callbacks(&self) {
        let batch = capnweb::batch(http(&self.url)).bearer(&self.key).begin();
        let called_back = batch.main().typed::<dyn ShareApi>().probe_callback(echo());
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
            let connection = right.await.unwrap();
            create(&service(&connection), &new_session()).await;
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
        let service = batch.main().typed::<dyn ShareApi>();
        let session = new_session();
        let share = service.create_share(&session, None);
        let synced = service.sync_share(share.id(), share.secret(), [part(1)]);
        batch.send().await.unwrap();
        assert!(session.ends_with(&share.await.unwrap().id));
        assert_eq!(synced.await.unwrap(), SyncResult { success: true, sync_count: 1 });

        let batch = capnweb::batch(http(url)).bearer("wrong").begin();
        let share = batch.main().typed::<dyn ShareApi>().create_share(new_session(), None);
        assert_unauthorized(batch.send().await.map(drop));
        let refused = share.await.unwrap_err();
        assert_eq!(refused.message(), "RPC request failed: 401 Unauthorized");
    }
}

/// Creates a share.
///
/// # Panics
/// If it is refused.
pub async fn create(service: &Stub<dyn ShareApi>, session: &str) -> ShareInfo {
    service.create_share(session, None).await.unwrap()
}

/// Syncs into a share.
///
/// # Errors
/// What the service refuses it with.
pub async fn sync(
    service: &Stub<dyn ShareApi>,
    share: &ShareInfo,
    data: Vec<Value>,
) -> Result<SyncResult, Error> {
    service.sync_share(&share.id, &share.secret, data).await
}

/// The service at the other end.
pub fn service(connection: &Connection) -> Stub<dyn ShareApi> {
    connection.main().typed()
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
    for _ in 0..50 {
        service(connection).probe_callback(echo()).await.unwrap();
        if connection.stats() == clean {
            return;
        }
    }
    assert_eq!(connection.stats(), clean, "left over");
}

fn echo() -> Stub<fn(String) -> Result<String, Error>> {
    Stub::new(async |text: String| Ok(text))
}

fn http(url: &str) -> String {
    url.replacen("ws", "http", 1)
}
