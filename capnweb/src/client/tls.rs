//! TLS for `wss://`: rustls on ring, trusting what the operating system trusts.
//!
//! The system's roots and not a compiled-in list, so that a company's own certificate authority
//! and a revoked public one are both honoured without a new build. ring, because it builds with a
//! C compiler alone.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};

use super::{ConnectError, Target};

/// TLS settings that the application brought.
pub(super) struct Config(pub(super) Arc<ClientConfig>);

/// Runs the TLS handshake.
pub(super) async fn secure(
    stream: TcpStream,
    target: &Target,
    config: Option<Config>,
) -> Result<TlsStream<TcpStream>, ConnectError> {
    let failed = |source| ConnectError::Tls { address: target.address(), source };
    let config = match config {
        Some(Config(config)) => config,
        None => default_config().map_err(failed)?,
    };
    let name = ServerName::try_from(target.host.clone())
        .map_err(|e| failed(io::Error::new(io::ErrorKind::InvalidInput, e)))?;
    TlsConnector::from(config).connect(name, stream).await.map_err(failed)
}

/// Made once, as reading the system's certificates takes milliseconds; and kept, so that
/// connecting again can resume the TLS session. A failure is not kept.
fn default_config() -> io::Result<Arc<ClientConfig>> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(config.clone());
    }
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    if usable == 0 {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "this system has no root certificates; install its package for them (often named \
             ca-certificates), or name a file of them in SSL_CERT_FILE",
        ));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(CONFIG.get_or_init(|| Arc::new(config)).clone())
}
