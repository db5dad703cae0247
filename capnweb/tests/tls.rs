//! Secure connections, with a certificate made for the occasion.
#![cfg(feature = "tls")]

use std::sync::Arc;

use capnweb::client::ConnectError;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    sync::oneshot,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

/// A TLS server on localhost that refuses its first request with 418. Its URL, its certificate, and
/// the line of the request that it saw.
async fn teapot() -> (String, CertificateDer<'static>, oneshot::Receiver<String>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://localhost:{}/pot", listener.local_addr().unwrap().port());
    let (seen, request) = oneshot::channel();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let Ok(stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await else { return };
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        seen.send(line).unwrap();
        let answer = b"HTTP/1.1 418 I'm a teapot\r\nContent-Length: 5\r\n\r\nshort";
        stream.write_all(answer).await.unwrap();
        stream.shutdown().await.unwrap();
    });
    (url, certificate, request)
}

/// Settings that trust this certificate and no other.
fn trusting(certificate: CertificateDer<'static>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

#[tokio::test]
async fn requests_go_through_tls_to_a_trusted_server() {
    let (url, certificate, request) = teapot().await;
    let config = trusting(certificate);
    let error = capnweb::connect(url).tls_config(config).await.map(drop).unwrap_err();
    let ConnectError::Refused { status, body } = error else { panic!("{error}") };
    assert_eq!((status.as_u16(), body.as_str()), (418, "short"));
    assert_eq!(request.await.unwrap(), "GET /pot HTTP/1.1\r\n");
}

#[tokio::test]
async fn batches_go_through_tls_too() {
    let (url, certificate, request) = teapot().await;
    let url = url.replace("wss://", "https://");
    let batch = capnweb::batch(url).tls_config(trusting(certificate)).begin();
    let call = batch.main().call("brew", ());
    let error = batch.send().await.unwrap_err();
    assert!(matches!(error, ConnectError::Refused { status, .. } if status == 418), "{error}");
    let error = call.await.unwrap_err();
    assert_eq!(error.message(), "RPC request failed: 418 I'm a teapot");
    assert_eq!(request.await.unwrap(), "POST /pot HTTP/1.1\r\n");
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_refused() {
    let (url, _, request) = teapot().await;
    let error = capnweb::connect(url).await.map(drop).unwrap_err();
    assert!(matches!(error, ConnectError::Tls { .. }), "{error}");
    assert!(error.to_string().starts_with("no secure connection to localhost:"), "{error}");
    assert!(request.await.is_err(), "the request was sent to a server that was not trusted");
}

#[tokio::test]
async fn a_server_without_tls_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        // Reading to the end keeps the socket from being reset under the answer.
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    });
    let error = capnweb::connect(url).await.map(drop).unwrap_err();
    assert!(matches!(error, ConnectError::Tls { .. }), "{error}");
}
