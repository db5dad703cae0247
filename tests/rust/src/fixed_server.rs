//! The fixed target behind a WebSocket, as `tests/interop/server.mjs` serves it.

use std::time::Duration;

use capnweb::{
    Options,
    server::{self, Refusal, Rpc, UpgradeRequest},
};
use tokio::net::TcpListener;

use crate::FixedTarget;

/// A server in this process, with a new target for each connection.
pub struct FixedServer {
    rpc: Rpc,
    url: String,
}

impl FixedServer {
    /// Serves whoever sends this key in the header `x-test-key`.
    ///
    /// # Panics
    /// If there is no port to listen on.
    pub async fn start(key: &'static str) -> Self {
        Self::with(key, Options::new()).await
    }

    /// The same, with these settings for every connection.
    ///
    /// # Panics
    /// If there is no port to listen on.
    pub async fn with(key: &'static str, options: Options) -> Self {
        let rpc = server::rpc()
            .options(options)
            .authenticate(move |request: UpgradeRequest| async move {
                match request.headers().get("x-test-key") {
                    Some(presented) if server::constant_time_eq(presented, key) => Ok(()),
                    _ => Err(Refusal::unauthorized("the header x-test-key is missing or wrong")),
                }
            })
            .main(|_| FixedTarget::stub());
        Self::serve(rpc).await
    }

    /// Serves whoever comes: web pages cannot send a key. They have to be of the server's own
    /// origin.
    ///
    /// # Panics
    /// If there is no port to listen on.
    pub async fn start_open() -> Self {
        Self::serve(server::rpc().allow_unauthenticated().main(|_| FixedTarget::stub())).await
    }

    async fn serve(rpc: Rpc) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        tokio::spawn(server::serve(listener, rpc.clone()));
        Self { rpc, url: format!("ws://{address}/rpc") }
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends all sessions, and checks that they can be ended.
    pub async fn stop(self) {
        assert!(self.rpc.shutdown(Duration::from_secs(30)).await, "a session does not end");
    }
}
