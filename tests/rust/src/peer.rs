//! A scripted peer: frames go in, and what comes out is compared.

use capnweb::{Connection, Options, Session, Stub};

use crate::TestExecutor;

/// A session under test, whose peer is the test.
pub struct Peer {
    /// Runs the session's tasks.
    pub executor: TestExecutor,
    /// The session.
    pub session: Session,
    /// Its application's handle.
    pub connection: Connection,
}

impl Peer {
    /// A session that serves this main object.
    pub fn new(main: Option<Stub>, options: Options) -> Self {
        let executor = TestExecutor::new();
        let (session, connection) = Session::new(main, options.spawn(executor.handle()));
        Self { executor, session, connection }
    }

    /// Sends a frame to the session, and returns what it answers.
    pub fn send(&self, frame: &str) -> Vec<String> {
        self.executor.enter(|| self.session.receive(frame));
        self.outgoing()
    }

    /// What the session has sent by now.
    pub fn outgoing(&self) -> Vec<String> {
        self.executor.run();
        self.session.outgoing()
    }

    /// Sends a frame and compares the answer.
    #[track_caller]
    pub fn exchange(&self, frame: &str, expected: &[&str]) {
        assert_eq!(self.send(frame), expected, "in answer to {frame}");
    }

    /// Compares what the session has sent by now.
    #[track_caller]
    pub fn expect(&self, expected: &[&str]) {
        assert_eq!(self.outgoing(), expected);
    }
}
