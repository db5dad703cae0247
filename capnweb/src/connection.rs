//! A connection as an application holds it.

use std::{fmt, future::poll_fn, sync::Arc};

use bytestring::ByteString;

use crate::{
    driver::Driver,
    error::{Error, ErrorKind},
    session::{Handle, Options, Shared, Stats},
    spawn,
    stub::Stub,
    transport::{CloseReason, Transport},
};

/// One connection with a peer.
///
/// It lives as long as anything that came from it: this handle and its clones, stubs, promises.
/// When the last of them is dropped it is closed. So a function may return a stub and forget the
/// connection that it came over.
#[derive(Clone)]
pub struct Connection {
    handle: Arc<Handle>,
}

impl Connection {
    /// Starts a session on a transport. The peer gets `main` as its main object.
    ///
    /// The connection is driven by a task on the options' executor or the current one (see
    /// [`Spawn`](crate::Spawn)).
    pub fn start(transport: impl Transport, main: Option<Stub>, options: Options) -> Self {
        let shared = Shared::new(main.map(Stub::into_hook), options);
        let handle = Handle::new(Arc::clone(&shared));
        let spawn = shared.spawn().cloned();
        let driver = Driver::new(shared, transport, spawn.clone());
        spawn::spawn_on(spawn.as_ref(), driver);
        Self { handle }
    }

    /// The peer's main object. Known at once: calls on it can be made before anything has been
    /// received.
    pub fn main(&self) -> Stub {
        Stub::from_hook(self.handle.main())
    }

    /// How many capabilities are held in each direction. 1 and 1 when nothing but the two main
    /// objects is left.
    pub fn stats(&self) -> Stats {
        self.handle.shared.stats()
    }

    /// Waits until there is room for another call, when calls fail with
    /// [`Overloaded`](ErrorKind::Overloaded).
    ///
    /// # Errors
    /// Why the session ended, if it has.
    pub async fn ready(&self) -> Result<(), Error> {
        poll_fn(|cx| self.handle.shared.poll_ready(cx)).await
    }

    /// Waits until everything that the peer has asked for has been answered.
    ///
    /// # Errors
    /// Why the session ended, if it has.
    pub async fn drain(&self) -> Result<(), Error> {
        poll_fn(|cx| self.handle.shared.poll_drained(cx)).await
    }

    /// Waits until the session has ended and its transport is closed, and says why. Does not keep the connection alive.
    pub fn closed(&self) -> impl Future<Output = Error> + use<> {
        Arc::clone(&self.handle.shared).closed()
    }

    /// Closes the connection, whoever else holds something of it. Calls without an answer fail.
    pub fn close(&self) {
        let error = Error::of_kind(ErrorKind::Disposed, "Error", "The connection was closed.");
        self.handle.shared.end(error, CloseReason::Done, None);
    }

    /// Ends the session because of an error, and tells the peer.
    pub fn abort(&self, error: Error) {
        self.handle.shared.abort(error);
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// A session without a transport: whoever has it moves the messages.
///
/// For tests that decide what arrives when, and for channels that no [`Transport`] fits. The
/// usual way is [`Connection::start`].
pub struct Session {
    shared: Arc<Shared>,
}

impl Session {
    /// A session and its connection handle. The session keeps nothing alive.
    pub fn new(main: Option<Stub>, options: Options) -> (Self, Connection) {
        let shared = Shared::new(main.map(Stub::into_hook), options);
        let handle = Handle::new(Arc::clone(&shared));
        (Self { shared }, Connection { handle })
    }

    /// Takes in a message of the peer. Methods that it calls are begun in here, on the options'
    /// executor or the current one.
    pub fn receive(&self, message: impl Into<ByteString>) {
        let message = message.into();
        match &self.shared.options().spawn {
            Some(spawn) => spawn::with_spawn(spawn, || self.shared.receive(&message)),
            None => self.shared.receive(&message),
        }
    }

    /// The messages for the peer since the last time.
    pub fn outgoing(&self) -> Vec<String> {
        let mut messages = Vec::new();
        self.shared.take_outgoing(&mut messages);
        self.shared.sent(messages.iter().map(String::len).sum());
        messages
    }

    /// How the channel is to be closed, once the session has ended. Take and send the messages that
    /// are left first: the last one may say why.
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.shared.close_reason()
    }

    /// Asks the peer for every result whose promise is still held, as awaiting it would. For
    /// channels on which that has to be said before a certain point.
    pub fn pull_promises(&self) {
        self.shared.pull_held();
    }

    /// Says that the peer will say nothing more, though it still reads: whatever waits for it to
    /// answer, now or later, fails with this reason. Calls on its objects can still be made, and
    /// their results be passed on to it.
    pub fn input_ended(&self, reason: impl fmt::Display) {
        self.shared.end_input(Error::of_kind(ErrorKind::Disconnected, "Error", reason));
    }

    /// Waits until no stream that is being sent could go on without an answer from the peer: all of
    /// it has been said, or as much as may be on its way. For channels on which everything has to
    /// be said before a certain point.
    pub fn streams_sent(&self) -> impl Future<Output = ()> + use<> {
        let shared = Arc::clone(&self.shared);
        poll_fn(move |cx| shared.poll_streams_sent(cx))
    }

    /// Whether more waits to be sent than [`Limits`](crate::Limits) allow.
    pub fn is_overloaded(&self) -> bool {
        self.shared.is_overloaded()
    }

    /// How many bytes wait to be sent.
    #[cfg(any(feature = "server", all(feature = "worker", target_arch = "wasm32")))]
    pub(crate) fn outgoing_bytes(&self) -> usize {
        self.shared.outgoing_bytes()
    }

    /// Says that the channel broke.
    pub fn disconnected(&self, reason: impl fmt::Display) {
        let error = Error::of_kind(ErrorKind::Disconnected, "Error", reason);
        self.shared.end(error, CloseReason::Done, None);
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("stats", &self.shared.stats()).finish_non_exhaustive()
    }
}
