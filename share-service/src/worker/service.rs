//! What a client can ask of the Worker: each request goes to the object of the share that it is about.

use serde::de::DeserializeOwned;
use serde_json::Value;
use worker::{Env, Method, ObjectNamespace, Request, RequestInit};

use super::object::{Answer, Command, Order};
use super::{namespace, public_url};
use crate::api::{DeleteResult, ShareInfo, SyncResult};
use crate::core::{Namespace, PublicUrl, Secret, SessionId, ShareError, ShareId};

/// The service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ShareService {
    objects: std::rc::Rc<ObjectNamespace>,
    namespace: Namespace,
    public_url: PublicUrl,
}

/// Why a request failed. The `Display` text is meant for the client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The rules refuse it.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// The share's object refuses it, by the rules.
    #[error("{0}")]
    Refused(String),
    /// The runtime could not do it. Why is in the log, and none of the client's business.
    #[error("The server cannot use its storage")]
    Runtime(worker::Error),
}

impl ShareService {
    /// The service of a Worker with these bindings.
    ///
    /// # Errors
    /// Which binding is missing or unusable.
    pub fn new(env: &Env) -> worker::Result<Self> {
        Ok(Self {
            objects: env.durable_object(super::object::BINDING)?.into(),
            namespace: namespace(env)?,
            public_url: public_url(env)?,
        })
    }

    /// Creates the share of a session, or finds the one that it has. Data is merged as by a sync, in either case.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn create_share(
        &self,
        session_id: String,
        initial_data: Option<Vec<Value>>,
    ) -> Result<ShareInfo, ServiceError> {
        let session = SessionId::parse(session_id)?;
        let id = session.share_id();
        let secret = self.namespace.secret(&session);
        let url = self.public_url.share(&id);
        let session_id = session.as_str().to_owned();
        self.send(id, Command::Create { session_id, secret, url, initial_data }).await
    }

    /// Merges data into a share. Once this returns the data is durable.
    ///
    /// # Errors
    /// [`ServiceError`]; the share then stays as it was.
    pub async fn sync_share(
        &self,
        share_id: String,
        secret: Secret,
        data: Vec<Value>,
    ) -> Result<SyncResult, ServiceError> {
        let id = ShareId::parse(share_id).ok_or(ShareError::NotFound)?;
        self.send(id, Command::Sync { secret, data }).await
    }

    /// Deletes a share.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn delete_share(
        &self,
        share_id: String,
        secret: Secret,
    ) -> Result<DeleteResult, ServiceError> {
        let id = ShareId::parse(share_id).ok_or(ShareError::NotFound)?;
        self.send(id, Command::Delete { secret }).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        id: ShareId,
        command: Command,
    ) -> Result<T, ServiceError> {
        match self.order(&id, command).await {
            Ok(Answer::Done(answer)) => Ok(answer),
            Ok(Answer::Refused(reason)) => Err(ServiceError::Refused(reason)),
            Err(error) => {
                worker::console_error!("share {id}: {error}");
                Err(ServiceError::Runtime(error))
            }
        }
    }

    async fn order<T: DeserializeOwned>(
        &self,
        id: &ShareId,
        command: Command,
    ) -> worker::Result<Answer<T>> {
        let body = serde_json::to_string(&Order { id: id.as_str().to_owned(), command })?;
        let mut init = RequestInit::new();
        init.with_method(Method::Post).with_body(Some(body.into()));
        // The address is of no importance: the stub decides where the request goes.
        let request = Request::new_with_init("https://share/", &init)?;
        let mut response =
            self.objects.get_by_name(id.as_str())?.fetch_with_request(request).await?;
        Ok(serde_json::from_str(&response.text().await?)?)
    }
}
