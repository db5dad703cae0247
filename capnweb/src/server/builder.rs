//! The description of an endpoint, step by step.

use std::{fmt, sync::Arc, time::Duration};

use http::HeaderValue;

use super::{
    Accepted, Refusal, Rpc, UpgradeRequest,
    admission::{Authenticate, Hooks, OnConnect, Settings},
    origin::Origins,
};
#[cfg(feature = "server")]
use crate::transport::websocket::KeepAlive;
use crate::{
    Connection, MaybeSend, MaybeSync, Options, Stub, transport::DEFAULT_MAX_MESSAGE_SIZE,
    typed::Interface,
};

/// Starts to describe an endpoint; the [module documentation](super) has an example.
pub fn rpc() -> Builder<Undecided> {
    Builder {
        settings: Settings {
            origins: Origins::Same,
            options: Options::default(),
            max_message_size: DEFAULT_MAX_MESSAGE_SIZE,
            #[cfg(feature = "server")]
            keep_alive: Some(KeepAlive::default()),
            handshake_timeout: Duration::from_secs(10),
            max_connections: 10_000,
            max_batch_messages: 100_000,
            batch_timeout: Duration::from_secs(60),
            subprotocol: None,
        },
        access: Undecided(()),
    }
}

/// An endpoint being described. `A` says who may connect: nobody has been named yet while it is
/// [`Undecided`], and such an endpoint cannot be finished.
#[must_use = "an endpoint is finished by `main`"]
pub struct Builder<A> {
    settings: Settings,
    access: A,
}

/// Nothing has been said yet about who may connect.
#[derive(Debug)]
pub struct Undecided(());

/// Decided: what finds out the identity `I` of whoever asks.
pub struct Decided<I> {
    authenticate: Box<dyn Authenticate<I>>,
    on_connect: Option<Box<dyn OnConnect<I>>>,
}

impl Builder<Undecided> {
    /// Lets in whom this hook accepts. It sees the request before there is an answer; what it
    /// returns is the connection's identity, or the answer that refuses it.
    ///
    /// The hook has [`handshake_timeout`](Self::handshake_timeout) to decide in.
    pub fn authenticate<I, F, Fut>(self, hook: F) -> Builder<Decided<I>>
    where
        I: MaybeSend + 'static,
        F: Fn(UpgradeRequest) -> Fut + MaybeSend + MaybeSync + 'static,
        Fut: Future<Output = Result<I, Refusal>> + MaybeSend + 'static,
    {
        let access = Decided { authenticate: Box::new(hook), on_connect: None };
        Builder { settings: self.settings, access }
    }

    /// Lets in everybody who can reach the server and whose web page's origin is allowed.
    pub fn allow_unauthenticated(self) -> Builder<Decided<()>> {
        self.authenticate(|_| std::future::ready(Ok(())))
    }
}

impl<I: MaybeSend + 'static> Builder<Decided<I>> {
    /// Gives this hook each connection when it has begun: to call the client's main object, to
    /// watch or to close the connection. Not for authorization, which has been decided by then. A
    /// batch counts as a connection; its client can be called, but cannot answer.
    pub fn on_connect(
        mut self,
        hook: impl Fn(&Accepted<I>, Connection) + MaybeSend + MaybeSync + 'static,
    ) -> Self {
        self.access.on_connect = Some(Box::new(hook));
        self
    }

    /// Finishes the endpoint with what makes the main object of each connection. What a connection
    /// may do is decided here: by which object it is given.
    pub fn main<F, M>(self, main: F) -> Rpc
    where
        F: Fn(&Accepted<I>) -> Stub<M> + MaybeSend + MaybeSync + 'static,
        M: Interface + ?Sized,
    {
        let Decided { authenticate, on_connect } = self.access;
        let main = Box::new(move |accepted: &Accepted<I>| main(accepted).untyped());
        Rpc::new(self.settings, Arc::new(Hooks { authenticate, on_connect, main }))
    }
}

impl<A> Builder<A> {
    /// Allows web pages of these origins, such as `https://example.com`, and no others. Without
    /// this only pages from the server's own host are allowed. Programs other than browsers send
    /// no origin and are not concerned.
    pub fn allow_origins<O: AsRef<str>>(mut self, origins: impl IntoIterator<Item = O>) -> Self {
        self.settings.origins = Origins::listed(origins);
        self
    }

    /// Allows every web page there is. Only for endpoints that do not rely on cookies, client
    /// certificates or the network to know who connects.
    pub fn allow_any_origin(mut self) -> Self {
        self.settings.origins = Origins::Any;
        self
    }

    /// The sessions' limits and hooks.
    pub fn options(mut self, options: Options) -> Self {
        self.settings.options = options;
        self
    }

    /// The largest message that is accepted from a client, and the largest body of a batch, in
    /// bytes. A larger body is answered 413. The default is
    /// [`DEFAULT_MAX_MESSAGE_SIZE`], which
    /// is as much as the protocol allows; few applications need it.
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.settings.max_message_size = bytes;
        self
    }

    /// How a client that has silently gone is found out; `None` switches pings off. Not on
    /// Workers, where the runtime sends none.
    #[cfg(feature = "server")]
    pub fn keep_alive(mut self, keep_alive: impl Into<Option<KeepAlive>>) -> Self {
        self.settings.keep_alive = keep_alive.into();
        self
    }

    /// How long authentication may take, and then the upgrade; 10 seconds unless set.
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.settings.handshake_timeout = timeout;
        self
    }

    /// How many messages a batch may consist of; one with more is answered 413. 100,000 unless
    /// set. A call that is awaited takes two.
    pub fn max_batch_messages(mut self, count: usize) -> Self {
        self.settings.max_batch_messages = count;
        self
    }

    /// How long a batch may take, from its authentication until everything that it asks for is
    /// known; 60 seconds unless set. After that it is answered 408 if it has not arrived
    /// completely, else 504. Methods that are still running then go on as those of a connection
    /// that has ended do.
    pub fn batch_timeout(mut self, timeout: Duration) -> Self {
        self.settings.batch_timeout = timeout;
        self
    }

    /// How many connections and batches there may be at a time, those being authenticated
    /// included; others are answered 503. 10,000 unless set: with a few tens of kilobytes for each
    /// that is idle, it stays below what one process can hold.
    pub fn max_connections(mut self, count: usize) -> Self {
        self.settings.max_connections = count;
        self
    }

    /// Answers with this `Sec-WebSocket-Protocol` where the client offers it. Without this none is
    /// ever chosen, as the protocol needs none.
    pub fn subprotocol(mut self, subprotocol: HeaderValue) -> Self {
        self.settings.subprotocol = Some(subprotocol);
        self
    }
}

impl<A> fmt::Debug for Builder<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
