//! What a client can ask of this server, whatever way the request came in.
//!
//! Owns: the flow of a request, which is a rule of [`core`](crate::core) applied through the [`Store`]. Refuses to
//! know: RPC, HTTP, and who the caller is; a caller who gets here may create shares, and changes one by its secret.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::api::{DeleteResult, ShareInfo, SyncResult};
use crate::core::{
    Limits, Namespace, PublicUrl, Secret, SessionId, ShareDocument, ShareError, ShareId, rules,
};
use crate::store::{Change, Store, StoreError};

/// The service. Cheap to clone; all clones are the same one.
#[derive(Debug, Clone)]
pub struct ShareService {
    store: Store,
    settings: Settings,
}

/// How shares are named and bounded.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the secrets of shares come from.
    pub namespace: Namespace,
    /// Where shares are reached from outside.
    pub public_url: PublicUrl,
    /// How much a client may store.
    pub limits: Limits,
}

/// Why a request failed. The `Display` text is meant for the client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The rules refuse it.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// The server could not do it. Why is in the source, and none of the client's business.
    #[error("The server cannot use its storage")]
    Store(#[from] StoreError),
}

impl ShareService {
    /// A service on a store.
    pub fn new(store: Store, settings: Settings) -> Self {
        Self { store, settings }
    }

    /// Creates the share of a session, or finds the one that it has. Data is merged as by a sync, in either case.
    ///
    /// # Errors
    /// [`ServiceError::Share`] for an unusable session id, an id that belongs to another session, and data that the
    /// rules refuse; [`ServiceError::Store`] if the disk does.
    pub async fn create_share(
        &self,
        session_id: String,
        initial_data: Option<Vec<Value>>,
    ) -> Result<ShareInfo, ServiceError> {
        let session = SessionId::parse(session_id)?;
        let id = session.share_id();
        let secret = self.settings.namespace.secret(&session);
        let limits = self.settings.limits;
        let url = self.settings.public_url.share(&id);
        let (info, is_new) = self
            .change(id, move |id, stored| {
                let is_new = stored.is_none();
                let (share, changed) =
                    rules::create(stored, &session, secret, initial_data, &limits, now())?;
                let change = if changed { put(id, &share, &limits)? } else { Change::Keep };
                let secret = share.metadata.secret;
                Ok((change, (ShareInfo { id: id.as_str().to_owned(), secret, url }, is_new)))
            })
            .await?;
        if is_new {
            tracing::info!(share = ?info.id, "share created");
        }
        Ok(info)
    }

    /// Merges data into a share. Once this returns the data is durable.
    ///
    /// # Errors
    /// [`ServiceError::Share`] if there is no such share, the secret is wrong, or the rules refuse the data;
    /// [`ServiceError::Store`] if the disk does. In all cases the share stays as it was.
    pub async fn sync_share(
        &self,
        share_id: String,
        secret: Secret,
        data: Vec<Value>,
    ) -> Result<SyncResult, ServiceError> {
        let id = ShareId::parse(share_id).ok_or(ShareError::NotFound)?;
        let limits = self.settings.limits;
        self.change(id, move |id, stored| {
            let share = rules::sync(stored, secret.reveal(), data, &limits, now())?;
            let sync_count = share.metadata.sync_count;
            Ok((put(id, &share, &limits)?, SyncResult { success: true, sync_count }))
        })
        .await
    }

    /// Deletes a share.
    ///
    /// # Errors
    /// [`ServiceError::Share`] if there is no such share or the secret is wrong; [`ServiceError::Store`].
    pub async fn delete_share(
        &self,
        share_id: String,
        secret: Secret,
    ) -> Result<DeleteResult, ServiceError> {
        let id = ShareId::parse(share_id).ok_or(ShareError::NotFound)?;
        let deleted = self
            .change(id.clone(), move |_, stored| {
                rules::delete(stored, secret.reveal())?;
                Ok((Change::Delete, DeleteResult { success: true }))
            })
            .await?;
        tracing::info!(share = ?id.as_str(), "share deleted");
        Ok(deleted)
    }

    async fn change<T, F>(&self, id: ShareId, decide: F) -> Result<T, ServiceError>
    where
        F: FnOnce(&ShareId, Option<ShareDocument>) -> Result<(Change, T), ServiceError>,
        F: Send + 'static,
        T: Send + 'static,
    {
        let named = id.clone();
        let changed = self.store.change(id.clone(), move |stored| decide(&named, stored)).await;
        if let Err(ServiceError::Store(error)) = &changed {
            tracing::error!(share = ?id.as_str(), %error, "request failed");
        }
        changed
    }
}

fn put(id: &ShareId, share: &ShareDocument, limits: &Limits) -> Result<Change, ServiceError> {
    Ok(Change::Put { json: share.encode(limits)?, index: share.index(id) })
}

/// Milliseconds since the Unix epoch.
fn now() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}
