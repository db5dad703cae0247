//! Two sessions on one thread, with the link between them in the test's hands.

use std::future::Future;

use capnweb::{Connection, Options, Session, Stats, Stub};

use crate::{TestExecutor, executor::Outcome};

/// A client and a server session. Nothing moves unless it is told to.
pub struct Pair {
    /// Runs the tasks of both.
    pub executor: TestExecutor,
    /// One side.
    pub client: Side,
    /// The other.
    pub server: Side,
}

/// One side of a pair.
pub struct Side {
    /// Where messages go in and out.
    pub session: Session,
    /// The application's handle. `None` when the test has dropped it.
    pub connection: Option<Connection>,
    /// All messages that have left this side.
    pub log: Vec<String>,
}

impl Side {
    fn new(main: Option<Stub>, options: Options) -> Self {
        let (session, connection) = Session::new(main, options);
        Self { session, connection: Some(connection), log: Vec::new() }
    }

    /// The other side's main object.
    pub fn main(&self) -> Stub {
        self.connection.as_ref().expect("the test dropped the connection").main()
    }

    /// What the session holds.
    pub fn stats(&self) -> Stats {
        self.connection.as_ref().expect("the test dropped the connection").stats()
    }
}

impl Pair {
    /// A server with this main object, and a client without.
    pub fn new(main: Stub) -> Self {
        Self::with(None, Some(main), Options::new(), Options::new())
    }

    /// Any pair.
    pub fn with(
        client_main: Option<Stub>,
        server_main: Option<Stub>,
        client: Options,
        server: Options,
    ) -> Self {
        let executor = TestExecutor::new();
        let spawn = executor.handle();
        Self {
            client: Side::new(client_main, client.spawn(spawn.clone())),
            server: Side::new(server_main, server.spawn(spawn)),
            executor,
        }
    }

    /// Delivers what one side has sent. Returns whether there was anything.
    pub fn deliver_to_server(&mut self) -> bool {
        Self::deliver(&self.executor, &mut self.client, &self.server)
    }

    /// Delivers what the other side has sent.
    pub fn deliver_to_client(&mut self) -> bool {
        Self::deliver(&self.executor, &mut self.server, &self.client)
    }

    fn deliver(executor: &TestExecutor, from: &mut Side, to: &Side) -> bool {
        let messages = from.session.outgoing();
        let any = !messages.is_empty();
        for message in messages {
            executor.enter(|| to.session.receive(message.clone()));
            from.log.push(message);
        }
        any
    }

    /// Runs tasks and moves messages until nothing happens any more.
    pub fn settle(&mut self) {
        while self.step() {}
    }

    /// Runs what is ready and moves what was sent, once. Returns whether there was anything.
    pub fn step(&mut self) -> bool {
        let ran = self.executor.run();
        let up = self.deliver_to_server();
        let down = self.deliver_to_client();
        ran || up || down
    }

    /// Starts a future, settles, and returns what it came to.
    ///
    /// # Panics
    /// If it has not ended by then.
    pub fn run<F>(&mut self, future: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let outcome = self.start(future);
        self.settle();
        outcome.take().expect("the future is still waiting when nothing happens any more")
    }

    /// Starts a future.
    pub fn start<F>(&self, future: F) -> Outcome<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.executor.start(future)
    }

    /// Panics unless both sides are back to their main objects.
    pub fn assert_clean(&mut self) {
        self.settle();
        let clean = Stats { imports: 1, exports: 1 };
        assert_eq!(self.client.stats(), clean, "client");
        assert_eq!(self.server.stats(), clean, "server");
    }
}
