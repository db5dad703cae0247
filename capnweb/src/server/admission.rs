//! Who gets which main object: the hooks of an endpoint, and the order in which they are asked.

use std::{sync::Arc, time::Duration};

use http::HeaderValue;

use super::{Accepted, Refusal, UpgradeRequest, origin::Origins};
#[cfg(feature = "server")]
use crate::transport::websocket::KeepAlive;
use crate::{BoxFuture, Connection, MaybeSend, MaybeSync, Options, Stub};

/// What can be set on an endpoint beside its hooks.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) origins: Origins,
    pub(crate) options: Options,
    pub(crate) max_message_size: usize,
    #[cfg(feature = "server")]
    pub(crate) keep_alive: Option<KeepAlive>,
    pub(crate) handshake_timeout: Duration,
    pub(crate) max_connections: usize,
    pub(crate) max_batch_messages: usize,
    pub(crate) batch_timeout: Duration,
    pub(crate) subprotocol: Option<HeaderValue>,
}

/// Decides about requests.
pub(crate) trait Admit: MaybeSend + MaybeSync {
    /// Lets a request in, or refuses it. Nothing else has been done about it yet.
    fn admit(
        self: Arc<Self>,
        request: UpgradeRequest,
    ) -> BoxFuture<Result<Box<dyn Entry>, Refusal>>;
}

/// Who was let in.
pub(crate) trait Entry: MaybeSend {
    /// Makes the connection's main object.
    fn main(&self) -> Stub;

    /// Shows the connection to whoever wants to see it.
    fn begun(&self, connection: &Connection);
}

/// The hooks of an endpoint whose connections have the identity `I`.
pub(crate) struct Hooks<I> {
    pub(crate) authenticate: Box<dyn Authenticate<I>>,
    pub(crate) on_connect: Option<Box<dyn OnConnect<I>>>,
    pub(crate) main: Box<dyn MakeMain<I>>,
}

impl<I: MaybeSend + 'static> Admit for Hooks<I> {
    fn admit(
        self: Arc<Self>,
        request: UpgradeRequest,
    ) -> BoxFuture<Result<Box<dyn Entry>, Refusal>> {
        let identity = self.authenticate.identify(request.clone());
        Box::pin(async move {
            let accepted = Accepted::new(identity.await?, request);
            Ok(Box::new(LetIn { hooks: self, accepted }) as _)
        })
    }
}

struct LetIn<I> {
    hooks: Arc<Hooks<I>>,
    accepted: Accepted<I>,
}

impl<I: MaybeSend + 'static> Entry for LetIn<I> {
    fn main(&self) -> Stub {
        self.hooks.main.make(&self.accepted)
    }

    fn begun(&self, connection: &Connection) {
        if let Some(hook) = &self.hooks.on_connect {
            hook.connected(&self.accepted, connection.clone());
        }
    }
}

/// A closure that finds out the identity of whoever asks.
pub(crate) trait Authenticate<I>: MaybeSend + MaybeSync {
    fn identify(&self, request: UpgradeRequest) -> BoxFuture<Result<I, Refusal>>;
}

impl<I, F, Fut> Authenticate<I> for F
where
    F: Fn(UpgradeRequest) -> Fut + MaybeSend + MaybeSync,
    Fut: Future<Output = Result<I, Refusal>> + MaybeSend + 'static,
{
    fn identify(&self, request: UpgradeRequest) -> BoxFuture<Result<I, Refusal>> {
        Box::pin(self(request))
    }
}

/// A closure that is given each connection.
pub(crate) trait OnConnect<I>: MaybeSend + MaybeSync {
    fn connected(&self, accepted: &Accepted<I>, connection: Connection);
}

impl<I, F> OnConnect<I> for F
where
    F: Fn(&Accepted<I>, Connection) + MaybeSend + MaybeSync,
{
    fn connected(&self, accepted: &Accepted<I>, connection: Connection) {
        self(accepted, connection);
    }
}

/// A closure that makes the main object of a connection.
pub(crate) trait MakeMain<I>: MaybeSend + MaybeSync {
    fn make(&self, accepted: &Accepted<I>) -> Stub;
}

impl<I, F> MakeMain<I> for F
where
    F: Fn(&Accepted<I>) -> Stub + MaybeSend + MaybeSync,
{
    fn make(&self, accepted: &Accepted<I>) -> Stub {
        self(accepted)
    }
}
