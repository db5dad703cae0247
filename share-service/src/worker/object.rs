//! The one writer of a share.
//!
//! Owns: the order of a share's changes, their durability, and the viewers. Everything that changes a share runs in
//! its object, one change after the other.
//!
//! # Written behind
//!
//! A change is acknowledged when it is in the object's own SQLite, and gets to R2 by an alarm a second later, with all
//! that have come meanwhile. R2 takes about one write per second and key, so the other way, to acknowledge all changes
//! of a second after one write to R2, would make each of them wait that long; a client that syncs after each change
//! would get one answer per second. What an eviction or a restart interrupts is in the journal and is caught up with by
//! the alarm, which the runtime keeps. Only reads that go to R2 directly are up to a second old.

use std::time::Duration;

use futures::lock::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use worker::{
    Bucket, Conditional, DurableObject, Env, Error, Method, Request, Response, Result, State, Stub,
    WebSocket, WebSocketIncomingMessage, WebSocketPair, durable_object, wasm_bindgen,
};

use super::journal::{Entry, Journal};
use super::{LIMITS, VIEWERS, share_id, unknown_share};
use crate::api::{DeleteResult, ShareInfo, SyncResult};
use crate::core::{Secret, SessionId, ShareDocument, ShareError, ShareId, rules};

/// The binding of the class.
pub(super) const BINDING: &str = "SESSIONS_BROADCAST";

/// The binding of the bucket.
const BUCKET: &str = "SESSIONS_STORE";

/// How long a change may wait for others before all of them are written to R2: a little more than the second that R2
/// wants between two writes.
const WRITE_BEHIND: Duration = Duration::from_millis(1_100);

/// The pause after a write that R2 refused.
const RETRY: Duration = Duration::from_secs(2);

/// The name under which a share's metadata in R2 hold the journal's mark.
const MARK: &str = "journal";

/// How viewers of a share are told that it was deleted.
const DELETED: (u16, &str) = (4404, "Share deleted");

/// What is asked of a share's object.
#[derive(Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) command: Command,
}

#[derive(Serialize, Deserialize)]
pub(super) enum Command {
    Create { session_id: String, secret: Secret, url: String, initial_data: Option<Vec<Value>> },
    Sync { secret: Secret, data: Vec<Value> },
    Delete { secret: Secret },
}

/// What the object answers.
#[derive(Serialize, Deserialize)]
pub(super) enum Answer<T> {
    Done(T),
    Refused(String),
}

/// The object of a share.
pub(super) fn stub(env: &Env, id: &ShareId) -> Result<Stub> {
    env.durable_object(BINDING)?.get_by_name(id.as_str())
}

/// The Durable Object of one share.
#[durable_object]
pub struct SessionBroadcast {
    state: State,
    env: Env,
    /// The share as it is with all changes, unless it has to be read first. The lock is held for a whole change and
    /// for a whole write to R2.
    share: Mutex<Option<Loaded>>,
}

/// A share in memory.
struct Loaded {
    document: Option<ShareDocument>,
    /// What R2 calls the version that it has.
    etag: Option<String>,
}

/// Why a command was not carried out.
enum Failure {
    Refused(ShareError),
    Runtime(Error),
}

impl DurableObject for SessionBroadcast {
    fn new(state: State, env: Env) -> Self {
        Self { state, env, share: Mutex::new(None) }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        if request.method() == Method::Get {
            return self.watch(&request).await;
        }
        let Order { id, command } = serde_json::from_str(&request.text().await?)?;
        let answer = match self.carry_out(&id, command).await {
            Ok(answer) => Answer::Done(answer),
            Err(Failure::Refused(error)) => Answer::Refused(error.to_string()),
            Err(Failure::Runtime(error)) => return Err(error),
        };
        Response::from_json(&answer)
    }

    async fn alarm(&self) -> Result<Response> {
        let mut share = self.share.lock().await;
        if let Err(error) = self.write(&mut share).await {
            // Not passed on: the runtime gives up after a few attempts of its own.
            worker::console_error!("a share could not be written to R2: {error}");
            self.state.storage().set_alarm(RETRY).await?;
        }
        Response::empty()
    }

    async fn websocket_message(&self, _: WebSocket, _: WebSocketIncomingMessage) -> Result<()> {
        // Viewers have nothing to say.
        Ok(())
    }

    async fn websocket_close(&self, socket: WebSocket, _: usize, _: String, _: bool) -> Result<()> {
        // Fails where the runtime has answered by itself.
        let _ = socket.close(Some(1000), Some(""));
        Ok(())
    }

    async fn websocket_error(&self, _: WebSocket, _: Error) -> Result<()> {
        Ok(())
    }
}

impl SessionBroadcast {
    /// Adds a viewer. The object need not stay in memory for it.
    async fn watch(&self, request: &Request) -> Result<Response> {
        let path = request.path();
        let id = path.strip_prefix(VIEWERS).and_then(share_id);
        let known = match id {
            Some(id) => self.is_known(&id).await?,
            None => false,
        };
        if !known {
            return unknown_share();
        }
        let WebSocketPair { client, server } = WebSocketPair::new()?;
        self.state.accept_web_socket(&server);
        Response::from_websocket(client)
    }

    /// Whether there is this share. Leaves nothing behind if not: whoever watches has no key, and may name any share.
    async fn is_known(&self, id: &ShareId) -> Result<bool> {
        let mut share = self.share.lock().await;
        if share.is_none() {
            match Journal::find(self.state.storage().sql())? {
                Some(journal) if journal.has_changes()? => {
                    *share = Some(self.load(&mut share, &journal, id.as_str()).await?);
                }
                _ => return Ok(self.bucket()?.head(format!("share/{id}")).await?.is_some()),
            }
        }
        Ok(share.as_ref().is_some_and(|share| share.document.is_some()))
    }

    async fn carry_out(&self, id: &str, command: Command) -> std::result::Result<Value, Failure> {
        let mut share = self.share.lock().await;
        let journal = self.journal()?;
        journal.set_id(id)?;
        // A change that fails leaves nothing in memory, and the next one reads again what is durable.
        let Loaded { document, etag } = self.load(&mut share, &journal, id).await?;
        let now = worker::Date::now().as_millis();
        let (document, answer) = match command {
            Command::Create { session_id, secret, url, initial_data } => {
                let session = SessionId::parse(session_id)?;
                let is_new = document.is_none();
                let data = initial_data.clone();
                let (document, _) =
                    rules::create(document, &session, secret, initial_data, &LIMITS, now)?;
                document.encode(&LIMITS)?;
                let secret = document.metadata.secret.clone();
                if is_new {
                    let session_id = session.as_str().to_owned();
                    journal.append(&Entry::Create { session_id, secret: secret.clone(), now })?;
                }
                if let Some(data) = data {
                    self.publish(&journal, data, now)?;
                }
                let info = ShareInfo { id: id.to_owned(), secret, url };
                (Some(document), serde_json::to_value(info)?)
            }
            Command::Sync { secret, data } => {
                let document = rules::sync(document, secret.reveal(), data.clone(), &LIMITS, now)?;
                document.encode(&LIMITS)?;
                let sync_count = document.metadata.sync_count;
                self.publish(&journal, data, now)?;
                (Some(document), serde_json::to_value(SyncResult { success: true, sync_count })?)
            }
            Command::Delete { secret } => {
                rules::delete(document, secret.reveal())?;
                journal.append(&Entry::Delete)?;
                for viewer in self.state.get_websockets() {
                    // Fails where the viewer has gone.
                    let _ = viewer.close(Some(DELETED.0), Some(DELETED.1));
                }
                (None, serde_json::to_value(DeleteResult { success: true })?)
            }
        };
        *share = Some(Loaded { document, etag });
        let storage = self.state.storage();
        if journal.has_changes()? && storage.get_alarm().await?.is_none() {
            storage.set_alarm(WRITE_BEHIND).await?;
        }
        Ok(answer)
    }

    /// Makes a sync durable, and shows it to the viewers. The runtime sends nothing out before it is durable.
    fn publish(&self, journal: &Journal, data: Vec<Value>, now: u64) -> Result<()> {
        let frame = serde_json::to_string(&data)?;
        journal.append(&Entry::Sync { data, now })?;
        for viewer in self.state.get_websockets() {
            // Fails where the viewer has gone.
            let _ = viewer.send_with_str(&frame);
        }
        Ok(())
    }

    /// Takes the share out of memory, or out of R2 and the journal.
    async fn load(
        &self,
        share: &mut Option<Loaded>,
        journal: &Journal,
        id: &str,
    ) -> Result<Loaded> {
        if let Some(loaded) = share.take() {
            return Ok(loaded);
        }
        let Some(object) = self.bucket()?.get(format!("share/{id}")).execute().await? else {
            return Ok(Loaded { document: journal.replay(None, None)?, etag: None });
        };
        let body = object.body().ok_or("an object of R2 came without its content")?;
        let stored = ShareDocument::decode(&body.bytes().await?)?;
        let metadata = object.custom_metadata()?;
        let document = journal.replay(Some(stored), metadata.get(MARK).map(String::as_str))?;
        Ok(Loaded { document, etag: Some(object.etag()) })
    }

    /// Brings R2 to the state that the share is in.
    async fn write(&self, share: &mut Option<Loaded>) -> Result<()> {
        let journal = self.journal()?;
        let Some(id) = journal.id()? else { return Ok(()) };
        let has_changes = journal.has_changes()?;
        if !has_changes && !journal.index_is_due()? {
            return Ok(());
        }
        let Loaded { document, mut etag } = self.load(share, &journal, &id).await?;
        let bucket = self.bucket()?;
        let id = ShareId::parse(id).ok_or("the share has an impossible id")?;
        let (content, listing) = (format!("share/{id}"), format!("index/{id}"));
        // A share is written before its index entry and removed after it: an entry may be missing, never left over.
        match &document {
            Some(document) => {
                if has_changes {
                    let json = document.encode(&LIMITS).map_err(|error| error.to_string())?;
                    etag = Some(put(&bucket, content, json, etag, journal.mark()?).await?);
                    // What fails from here on must not bring the changes a second time.
                    journal.share_is_written()?;
                }
                bucket.put(listing, document.index(&id).encode()).execute().await?;
            }
            None => {
                bucket.delete(listing).await?;
                bucket.delete(content).await?;
                etag = None;
            }
        }
        journal.all_is_written()?;
        *share = Some(Loaded { document, etag });
        Ok(())
    }

    fn journal(&self) -> Result<Journal> {
        Journal::open(self.state.storage().sql())
    }

    fn bucket(&self) -> Result<Bucket> {
        self.env.bucket(BUCKET)
    }
}

/// Writes a share over the version that is known, or where there was none. Returns what R2 calls the new version.
async fn put(
    bucket: &Bucket,
    key: String,
    json: Vec<u8>,
    known: Option<String>,
    mark: String,
) -> Result<String> {
    let mut unchanged = Conditional::default();
    match known {
        Some(etag) => unchanged.etag_matches = Some(etag),
        None => unchanged.etag_does_not_match = Some("*".to_owned()),
    }
    let put = bucket
        .put(key, json)
        .custom_metadata([(MARK.to_owned(), mark)])
        .only_if(unchanged)
        .execute();
    // The share is not in memory any more, so that the next attempt reads what is there.
    let object = put.await?.ok_or("somebody else has written there; merging")?;
    Ok(object.etag())
}

impl From<ShareError> for Failure {
    fn from(error: ShareError) -> Self {
        Self::Refused(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Runtime(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Runtime(error.into())
    }
}
