//! The WebSocket transport against a scripted peer that sees every byte.
#![cfg(feature = "websocket")]

use std::{future::poll_fn, io, time::Duration};

use bytestring::ByteString;
use capnweb::transport::{
    CloseReason, Transport, TransportError,
    websocket::{KeepAlive, WebSocketConfig, WebSocketTransport},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// A client that writes frames by hand.
struct Peer(DuplexStream);

impl Peer {
    /// A frame masked with zeros, so that its payload can be read in a hex dump.
    async fn send(&mut self, opcode: u8, payload: &[u8]) {
        self.send_header(opcode, payload.len()).await;
        self.0.write_all(payload).await.unwrap();
    }

    async fn send_header(&mut self, opcode: u8, len: usize) {
        let mut header = vec![0x80 | opcode, 0x80 | 127];
        header.extend((len as u64).to_be_bytes());
        header.extend([0; 4]);
        self.0.write_all(&header).await.unwrap();
    }

    /// The next frame: whether it is the last of its message, its opcode, its payload.
    async fn frame(&mut self) -> (bool, u8, Vec<u8>) {
        let first = self.0.read_u8().await.unwrap();
        let len = match self.0.read_u8().await.unwrap() {
            126 => self.0.read_u16().await.unwrap().into(),
            127 => self.0.read_u64().await.unwrap(),
            short => short.into(),
        };
        let mut payload = vec![0; len as usize];
        self.0.read_exact(&mut payload).await.unwrap();
        (first & 0x80 != 0, first & 0xf, payload)
    }

    async fn expect(&mut self, opcode: u8, payload: &[u8]) {
        let (fin, got, bytes) = self.frame().await;
        assert_eq!((fin, got, bytes.as_slice()), (true, opcode, payload));
    }

    /// A close frame: its code and reason.
    async fn expect_close(&mut self) -> (u16, String) {
        let (_, opcode, payload) = self.frame().await;
        assert_eq!(opcode, CLOSE);
        let (code, reason) = payload.split_at(2);
        (u16::from_be_bytes([code[0], code[1]]), String::from_utf8(reason.to_vec()).unwrap())
    }
}

async fn server(config: WebSocketConfig) -> (WebSocketTransport<DuplexStream>, Peer) {
    let (io, peer) = duplex(4096);
    (WebSocketTransport::server(io, &config).await, Peer(peer))
}

fn no_keep_alive() -> WebSocketConfig {
    let mut config = WebSocketConfig::default();
    config.keep_alive = None;
    config
}

async fn recv(transport: &mut impl Transport) -> Result<ByteString, TransportError> {
    poll_fn(|cx| transport.poll_recv(cx)).await
}

async fn feed(transport: &mut impl Transport, text: &str) -> Result<(), TransportError> {
    poll_fn(|cx| transport.poll_ready(cx)).await?;
    transport.start_send(text.to_owned())
}

async fn flush(transport: &mut impl Transport) -> Result<(), TransportError> {
    poll_fn(|cx| transport.poll_flush(cx)).await
}

async fn close(transport: &mut impl Transport, reason: CloseReason) {
    poll_fn(|cx| transport.poll_close(cx, &reason)).await
}

#[tokio::test]
async fn messages_go_both_ways_in_order() {
    let (a, b) = duplex(100);
    let mut client = WebSocketTransport::client(a, &no_keep_alive()).await;
    let mut server = WebSocketTransport::server(b, &no_keep_alive()).await;
    let (ask, answer) = tokio::join!(
        async {
            for i in 0..500 {
                feed(&mut client, &format!("[\"question\",{i}]")).await?;
            }
            flush(&mut client).await?;
            recv(&mut client).await
        },
        async {
            for i in 0..500 {
                assert_eq!(recv(&mut server).await?, format!("[\"question\",{i}]"));
            }
            feed(&mut server, "ünï").await?;
            flush(&mut server).await
        }
    );
    assert_eq!(ask.unwrap(), "ünï");
    answer.unwrap();
}

#[tokio::test]
async fn nothing_leaves_before_the_flush() {
    let (mut transport, mut peer) = server(no_keep_alive()).await;
    feed(&mut transport, "[1]").await.unwrap();
    feed(&mut transport, "[2]").await.unwrap();
    let unflushed = tokio::time::timeout(Duration::from_millis(10), peer.0.read_u8()).await;
    assert!(unflushed.is_err(), "a byte left before the flush");
    flush(&mut transport).await.unwrap();
    peer.expect(TEXT, b"[1]").await;
    peer.expect(TEXT, b"[2]").await;
}

#[tokio::test]
async fn a_large_message_goes_out_in_fragments_and_comes_back_whole() {
    let text = "aé".repeat(400_000);
    let (a, b) = duplex(64 * 1024);
    let mut client = WebSocketTransport::client(a, &no_keep_alive()).await;
    let mut server = WebSocketTransport::server(b, &no_keep_alive()).await;
    let (sent, received) = tokio::join!(
        async {
            feed(&mut client, &text).await?;
            feed(&mut client, "small").await?;
            flush(&mut client).await
        },
        async { (recv(&mut server).await.unwrap(), recv(&mut server).await.unwrap()) }
    );
    sent.unwrap();
    assert!(received.0 == text.as_str(), "the large message was changed");
    assert_eq!(received.1, "small");

    let (mut transport, mut peer) = self::server(no_keep_alive()).await;
    let frames = tokio::spawn(async move {
        let mut sizes = Vec::new();
        loop {
            let (fin, _, payload) = peer.frame().await;
            sizes.push(payload.len());
            if fin {
                return sizes;
            }
        }
    });
    feed(&mut transport, &text).await.unwrap();
    flush(&mut transport).await.unwrap();
    let sizes = frames.await.unwrap();
    assert!(sizes.len() > 1 && sizes.iter().all(|&size| size <= 256 * 1024), "{sizes:?}");
}

#[tokio::test]
async fn a_message_above_the_limit_fails_on_its_header() {
    let mut config = no_keep_alive();
    config.max_message_size = 1000;
    let (mut transport, mut peer) = server(config.clone()).await;
    peer.send(TEXT, &[b'x'; 1000]).await;
    assert_eq!(recv(&mut transport).await.unwrap().len(), 1000);
    peer.send_header(TEXT, 1001).await; // and not one byte of the payload
    let error = recv(&mut transport).await.unwrap_err();
    assert!(matches!(error, TransportError::TooLarge { limit: 1000 }), "{error}");
    assert!(error.to_string().contains("max_message_size"));
}

#[tokio::test]
async fn fragments_above_the_limit_fail_before_the_last() {
    let mut config = no_keep_alive();
    config.max_message_size = 1000;
    let (mut transport, mut peer) = server(config).await;
    // Two unfinished fragments (no FIN bit), each within the limit.
    for opcode in [TEXT, 0] {
        peer.0.write_all(&[opcode, 0x80 | 126, 0x02, 0x58, 0, 0, 0, 0]).await.unwrap();
        peer.0.write_all(&[b'x'; 600]).await.unwrap();
    }
    let error = recv(&mut transport).await.unwrap_err();
    assert!(matches!(error, TransportError::TooLarge { limit: 1000 }), "{error}");
}

#[tokio::test]
async fn the_peer_hears_why_its_message_was_refused_while_it_is_still_sending() {
    let mut config = no_keep_alive();
    config.max_message_size = 1000;
    let (mut transport, mut peer) = server(config).await;
    let peer = tokio::spawn(async move {
        peer.send(TEXT, &vec![b'x'; 100_000]).await;
        peer.expect_close().await
    });
    recv(&mut transport).await.unwrap_err();
    close(&mut transport, CloseReason::Abort("too large".into())).await;
    drop(transport);
    assert_eq!(peer.await.unwrap(), (3000, "too large".into()));
}

#[tokio::test]
async fn binary_frames_are_refused() {
    let (mut transport, mut peer) = server(no_keep_alive()).await;
    peer.send(BINARY, b"[]").await;
    assert!(matches!(recv(&mut transport).await, Err(TransportError::NotText)));
}

#[tokio::test]
async fn text_that_is_not_utf8_is_refused() {
    let (mut transport, mut peer) = server(no_keep_alive()).await;
    peer.send(TEXT, b"\xff").await;
    assert!(matches!(recv(&mut transport).await, Err(TransportError::NotText)));
}

#[tokio::test]
async fn pings_are_answered_without_anything_else_to_send() {
    let (mut transport, mut peer) = server(no_keep_alive()).await;
    let reader = tokio::spawn(async move { recv(&mut transport).await });
    peer.send(PING, b"still there?").await;
    peer.expect(PONG, b"still there?").await;
    peer.send(TEXT, b"[]").await;
    assert_eq!(reader.await.unwrap().unwrap(), "[]");
}

#[tokio::test]
async fn a_close_says_code_and_reason_and_is_answered() {
    let (mut transport, mut peer) = server(no_keep_alive()).await;
    peer.send(CLOSE, b"\x03\xe8bye").await;
    let error = recv(&mut transport).await.unwrap_err();
    assert_eq!(error.to_string(), "Peer closed WebSocket: 1000 bye");
    assert_eq!(peer.expect_close().await, (1000, "bye".into()));
    close(&mut transport, CloseReason::Done).await;
    // Closed stays closed.
    let error = recv(&mut transport).await.unwrap_err();
    assert_eq!(error.to_string(), "Peer closed WebSocket: 1000 bye");
    assert!(matches!(feed(&mut transport, "[]").await, Err(TransportError::Closed { .. })));
}

#[tokio::test]
async fn a_close_without_a_code_and_a_lost_connection_have_codes_of_their_own() {
    let (mut transport, mut peer) = server(no_keep_alive()).await;
    peer.send(CLOSE, b"").await;
    let error = recv(&mut transport).await.unwrap_err();
    assert!(matches!(error, TransportError::Closed { code: Some(1005), .. }), "{error}");

    let (mut transport, peer) = server(no_keep_alive()).await;
    drop(peer);
    let error = recv(&mut transport).await.unwrap_err();
    assert!(matches!(error, TransportError::Closed { code: Some(1006), .. }), "{error}");
}

#[tokio::test]
async fn done_closes_with_1000_after_what_was_sent() {
    let (mut transport, mut peer) = server(no_keep_alive()).await;
    feed(&mut transport, "[\"last\"]").await.unwrap();
    let closing = tokio::spawn(async move { close(&mut transport, CloseReason::Done).await });
    peer.expect(TEXT, b"[\"last\"]").await;
    assert_eq!(peer.expect_close().await, (1000, String::new()));
    peer.send(CLOSE, b"\x03\xe8").await;
    closing.await.unwrap();
}

#[tokio::test]
async fn an_abort_closes_with_3000_and_a_reason_cut_between_characters() {
    let (mut transport, mut peer) = server(no_keep_alive()).await;
    let closing = tokio::spawn(async move {
        close(&mut transport, CloseReason::Abort("é".repeat(100))).await;
    });
    assert_eq!(peer.expect_close().await, (3000, "é".repeat(61)));
    drop(peer);
    closing.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_answer_a_close_is_left_after_the_deadline() {
    let (mut transport, _peer) = server(no_keep_alive()).await;
    let start = tokio::time::Instant::now();
    close(&mut transport, CloseReason::Done).await;
    assert_eq!(start.elapsed().as_secs(), WebSocketConfig::default().close_timeout.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_pinged_and_then_given_up() {
    let mut config = WebSocketConfig::default();
    config.keep_alive =
        Some(KeepAlive { after: Duration::from_secs(30), timeout: Duration::from_secs(20) });
    let (mut transport, mut peer) = server(config).await;
    let start = tokio::time::Instant::now();
    let reader = tokio::spawn(async move { recv(&mut transport).await });
    peer.expect(PING, b"").await;
    assert_eq!(start.elapsed().as_secs(), 30);
    peer.send(PONG, b"").await;
    peer.expect(PING, b"").await;
    let error = reader.await.unwrap().unwrap_err();
    assert!(
        matches!(&error, TransportError::Io(e) if e.kind() == io::ErrorKind::TimedOut),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_message_that_takes_long_to_arrive_is_a_sign_of_life() {
    let (mut transport, mut peer) = server(WebSocketConfig::default()).await;
    let reader = tokio::spawn(async move { recv(&mut transport).await });
    peer.send_header(TEXT, 10).await;
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(25)).await;
        peer.0.write_all(b"x").await.unwrap();
    }
    assert_eq!(reader.await.unwrap().unwrap(), "xxxxxxxxxx");
}
