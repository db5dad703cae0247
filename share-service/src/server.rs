//! The life of the server: take the data directory and the port, serve, drain, leave.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::routing::any_service;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::access::Access;
use crate::config::{Config, KEY_VARIABLE};
use crate::core::{PublicUrl, Secret};
use crate::credentials::{Credentials, CredentialsError};
use crate::service::{Settings, ShareService};
use crate::store::{OpenError, Store};
use crate::{http, rpc};

/// How long requests that have begun, and the goodbyes of sessions, may take once the server was told to stop.
const DRAIN_DEADLINE: Duration = Duration::from_secs(10);

/// Why the server did not start, in one line that says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The data directory cannot be taken.
    #[error("{0}; choose another with --data-dir")]
    DataDirectory(#[from] OpenError),
    /// The port is taken.
    #[error(
        "cannot listen on {0}: the port is in use; stop the program that uses it or choose another with --listen"
    )]
    PortInUse(SocketAddr),
    /// The address cannot be listened on for another reason.
    #[error("cannot listen on {address}: {source}; choose another address with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// There are no secrets to work with.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The system refuses something that no setting changes.
    #[error("cannot start: {0}")]
    System(#[from] io::Error),
}

/// Runs the server until it is told to stop by SIGINT or SIGTERM.
///
/// # Errors
/// [`StartError`] if it cannot start.
pub async fn run(config: Config) -> Result<(), StartError> {
    let stop = stop_signal()?;
    let store = Store::open(&config.data_dir)?;
    let listener = listen(config.listen).await?;
    let address = listener.local_addr()?;
    // After the port: a start that fails must not make a key and never show it.
    let credentials = Credentials::resolve(config.namespace, config.connections, &store)?;
    if let Some((key, path)) = &credentials.new_key {
        let text = first_start(key, &path.display().to_string(), address);
        if writeln!(io::stdout(), "{text}").is_err() {
            tracing::warn!(file = %path.display(), "cannot print the new key; read it in the file");
        }
    }
    let public_url = match config.public_url {
        Some(url) => url,
        None => PublicUrl::of(address),
    };
    announce(address, &public_url, &credentials.access);
    let settings = Settings { namespace: credentials.namespace, public_url, limits: config.limits };
    let rpc = rpc::endpoint(ShareService::new(store, settings));
    let router = http::router(credentials.access, any_service(rpc.clone()));

    // Without no-delay, a small message waits for the acknowledgement of the one before it. A socket that refuses it
    // has gone already, which shows soon.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let (stop_http, http_stopped) = oneshot::channel::<()>();
    let serve = axum::serve(listener, router).with_graceful_shutdown(async {
        // Nothing is sent: that the other end is dropped is the signal.
        let _ = http_stopped.await;
    });
    let mut serve = pin!(serve.into_future());
    tokio::select! {
        served = &mut serve => return Ok(served?),
        () = stop => tracing::info!("stopping"),
    }
    drop(stop_http);
    // Connections that have become WebSockets are no longer the HTTP server's.
    let (sessions, requests) =
        tokio::join!(rpc.shutdown(DRAIN_DEADLINE), timeout(DRAIN_DEADLINE, serve));
    if !sessions || requests.is_err() {
        tracing::warn!("some requests took too long to finish and were cut off");
    }
    tracing::info!("stopped");
    Ok(())
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::PortInUse(address),
        _ => StartError::Listen { address, source },
    })
}

fn announce(address: SocketAddr, public_url: &PublicUrl, access: &Access) {
    match access {
        Access::Key(_) => {}
        Access::Closed => tracing::warn!(
            "nobody can connect: set {KEY_VARIABLE}, or pass --allow-unauthenticated to let anybody in"
        ),
        Access::Unauthenticated => tracing::warn!("anybody who reaches this server can connect"),
    }
    tracing::info!(%address, %public_url, "listening");
}

/// What the user who starts the server for the first time needs to know.
fn first_start(key: &Secret, path: &str, address: SocketAddr) -> String {
    let key = key.reveal();
    format!(
        "
  This server has made its own secrets and keeps them in
    {path}

  Clients connect to
    ws://{address}/rpc/share
  with this key, which is shown only now:
    {key}

  They send it in a header, as either of
    x-opencode-share-key: {key}
    Authorization: Bearer {key}
"
    )
}

/// A future that ends when the process is told to stop. From this call on, no signal is missed.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// A future that ends when the process is told to stop.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
