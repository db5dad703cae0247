//! The runtime's WebSocket as a transport.
//!
//! Owns the listeners on a socket and what they have received. The opening handshake is the
//! business of the endpoint and of the client.

use std::{
    cell::RefCell,
    collections::VecDeque,
    fmt,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use bytestring::ByteString;
use worker::{
    WebSocket,
    js_sys::JsString,
    wasm_bindgen::{JsCast, JsValue, closure::Closure},
    web_sys,
};

use crate::transport::{
    CloseReason, DEFAULT_MAX_MESSAGE_SIZE, Transport, TransportError,
    close::{self, ABNORMAL},
};

/// How much may wait to be read, in bytes. A session normally reads each message before the next
/// one arrives, and the runtime cannot be asked to hold them back.
const MAX_UNREAD: usize = 32 * 1024 * 1024;

/// A [`Transport`] over a WebSocket of the Workers runtime: one end of a `WebSocketPair`, or what
/// an outgoing request was answered with.
pub struct WebSocketTransport {
    socket: web_sys::WebSocket,
    inbox: Rc<RefCell<Inbox>>,
    listeners: Vec<Listener>,
    closed: bool,
}

impl WebSocketTransport {
    /// Accepts the socket and listens to it.
    ///
    /// # Errors
    /// What the runtime has against it; a socket can be accepted only once.
    pub fn accept(socket: WebSocket) -> worker::Result<Self> {
        Self::accept_with_limit(socket, DEFAULT_MAX_MESSAGE_SIZE)
    }

    /// Accepts the socket and listens to it. A message of more bytes than the limit ends the
    /// session.
    ///
    /// # Errors
    /// What the runtime has against it; a socket can be accepted only once.
    pub fn accept_with_limit(socket: WebSocket, max_message_size: usize) -> worker::Result<Self> {
        let inbox = Rc::new(RefCell::new(Inbox::default()));
        let mut transport = Self {
            socket: AsRef::<web_sys::WebSocket>::as_ref(&socket).clone(),
            inbox: inbox.clone(),
            listeners: Vec::with_capacity(3),
            closed: false,
        };
        transport.listen("message", {
            let inbox = inbox.clone();
            move |event| {
                let event: &web_sys::MessageEvent = event.unchecked_ref();
                receive(&inbox, text(&event.data(), max_message_size));
            }
        })?;
        transport.listen("close", {
            let inbox = inbox.clone();
            move |event| {
                let event: &web_sys::CloseEvent = event.unchecked_ref();
                let (code, reason) = (Some(event.code()), event.reason());
                receive(&inbox, Err(TransportError::Closed { code, reason }));
            }
        })?;
        transport.listen("error", move |event| {
            let event: &web_sys::ErrorEvent = event.unchecked_ref();
            let (code, reason) = (Some(ABNORMAL), event.message());
            receive(&inbox, Err(TransportError::Closed { code, reason }));
        })?;
        socket.accept()?;
        Ok(transport)
    }

    fn listen(
        &mut self,
        event: &'static str,
        f: impl FnMut(JsValue) + 'static,
    ) -> worker::Result<()> {
        let closure = Closure::<dyn FnMut(JsValue)>::new(f);
        let function = closure.as_ref().unchecked_ref();
        self.socket.add_event_listener_with_callback(event, function)?;
        self.listeners.push(Listener { event, closure });
        Ok(())
    }

    fn close(&mut self, reason: &CloseReason) {
        if !std::mem::replace(&mut self.closed, true) {
            let (code, reason) = close::frame(reason);
            // Fails if the socket is closed in both directions already.
            let _ = self.socket.close_with_code_and_reason(code, reason);
        }
    }
}

impl Transport for WebSocketTransport {
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<ByteString, TransportError>> {
        self.inbox.borrow_mut().poll(cx)
    }

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(&mut self, message: String) -> Result<(), TransportError> {
        self.socket.send_with_str(&message).map_err(|error| {
            // The runtime throws when the socket has been closed.
            TransportError::Closed { code: Some(ABNORMAL), reason: describe(&error) }
        })
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        // The runtime sends on its own and does not say when.
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Context<'_>, reason: &CloseReason) -> Poll<()> {
        self.close(reason);
        Poll::Ready(())
    }
}

impl Drop for WebSocketTransport {
    fn drop(&mut self) {
        for Listener { event, closure } in self.listeners.drain(..) {
            let function = closure.as_ref().unchecked_ref();
            // Cannot fail for a listener that was added.
            let _ = self.socket.remove_event_listener_with_callback(event, function);
        }
        self.close(&CloseReason::Done);
    }
}

impl fmt::Debug for WebSocketTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketTransport").field("closed", &self.closed).finish_non_exhaustive()
    }
}

struct Listener {
    event: &'static str,
    closure: Closure<dyn FnMut(JsValue)>,
}

/// What has been received and not been read.
#[derive(Default)]
struct Inbox {
    messages: VecDeque<ByteString>,
    bytes: usize,
    /// Comes after the messages; taken by the first who reads it.
    end: Option<TransportError>,
    ended: bool,
    reader: Option<Waker>,
}

impl Inbox {
    fn push(&mut self, received: Result<ByteString, TransportError>) {
        if self.ended {
            return;
        }
        match received {
            Ok(message) if self.bytes.saturating_add(message.len()) <= MAX_UNREAD => {
                self.bytes += message.len();
                self.messages.push_back(message);
            }
            Ok(_) if self.messages.is_empty() => {
                self.end(TransportError::TooLarge { limit: MAX_UNREAD });
            }
            Ok(_) => self.end(TransportError::other("The peer sends faster than can be answered")),
            Err(error) => self.end(error),
        }
    }

    fn end(&mut self, error: TransportError) {
        self.ended = true;
        self.end = Some(error);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<ByteString, TransportError>> {
        if let Some(message) = self.messages.pop_front() {
            self.bytes -= message.len();
            return Poll::Ready(Ok(message));
        }
        if self.ended {
            let error = self.end.take();
            return Poll::Ready(Err(error.unwrap_or_else(|| TransportError::closed(""))));
        }
        self.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Takes in what an event has brought, and wakes whoever reads.
fn receive(inbox: &RefCell<Inbox>, received: Result<ByteString, TransportError>) {
    let reader = {
        let mut inbox = inbox.borrow_mut();
        inbox.push(received);
        inbox.reader.take()
    };
    if let Some(reader) = reader {
        reader.wake();
    }
}

/// A message's text. Surrogates that have lost their partner become U+FFFD.
fn text(data: &JsValue, limit: usize) -> Result<ByteString, TransportError> {
    let data: &JsString = data.dyn_ref().ok_or(TransportError::NotText)?;
    // An UTF-16 unit takes at least one byte: what is far too long is not even copied.
    if data.length() as usize > limit {
        return Err(TransportError::TooLarge { limit });
    }
    let text = String::from(data);
    if text.len() > limit { Err(TransportError::TooLarge { limit }) } else { Ok(text.into()) }
}

fn describe(error: &JsValue) -> String {
    error
        .dyn_ref::<worker::js_sys::Error>()
        .map_or_else(|| "the socket is closed".to_owned(), |error| String::from(error.message()))
}
