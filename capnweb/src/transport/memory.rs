//! Two transports connected to each other inside one process.
//!
//! Owns a pair of bounded queues and the wakers at their ends. For tests, and for giving two parts
//! of a program the same interface that they would have over a network.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytestring::ByteString;

use super::{CloseReason, Transport, TransportError};

/// Two connected transports; each direction holds at most `limit` messages (at least one) before
/// its sender has to wait.
pub fn pair(limit: usize) -> (MemoryTransport, MemoryTransport) {
    let limit = limit.max(1);
    let (a, b) = (Lane::new(limit), Lane::new(limit));
    (
        MemoryTransport { incoming: a.clone(), outgoing: b.clone() },
        MemoryTransport { incoming: b, outgoing: a },
    )
}

/// One end of a [`pair`]. Dropping it closes both directions.
#[derive(Debug)]
pub struct MemoryTransport {
    incoming: Lane,
    outgoing: Lane,
}

impl Transport for MemoryTransport {
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<ByteString, TransportError>> {
        let mut lane = self.incoming.lock();
        if let Some(message) = lane.queue.pop_front() {
            let writer = lane.writer.take();
            drop(lane);
            wake(writer);
            return Poll::Ready(Ok(message));
        }
        if let Some(reason) = &lane.closed {
            return Poll::Ready(Err(TransportError::closed(reason.as_str())));
        }
        lane.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        let mut lane = self.outgoing.lock();
        if let Some(reason) = &lane.closed {
            return Poll::Ready(Err(TransportError::closed(reason.as_str())));
        }
        if lane.queue.len() < lane.limit {
            return Poll::Ready(Ok(()));
        }
        lane.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    fn start_send(&mut self, message: String) -> Result<(), TransportError> {
        let mut lane = self.outgoing.lock();
        if let Some(reason) = &lane.closed {
            return Err(TransportError::closed(reason.as_str()));
        }
        if lane.queue.len() >= lane.limit {
            return Err(TransportError::other("a message was sent before there was room for it"));
        }
        lane.queue.push_back(message.into());
        let reader = lane.reader.take();
        drop(lane);
        wake(reader);
        Ok(())
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Context<'_>, reason: &CloseReason) -> Poll<()> {
        match reason {
            CloseReason::Done => self.outgoing.close(""),
            CloseReason::Abort(text) => self.outgoing.close(text),
        }
        Poll::Ready(())
    }
}

impl Drop for MemoryTransport {
    fn drop(&mut self) {
        self.outgoing.close("it was dropped");
        self.incoming.close("it was dropped");
    }
}

/// One direction.
#[derive(Clone, Debug)]
struct Lane(Arc<Mutex<LaneState>>);

#[derive(Debug)]
struct LaneState {
    queue: VecDeque<ByteString>,
    limit: usize,
    /// Set once, by whichever end goes first; what is queued can still be read.
    closed: Option<String>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Lane {
    fn new(limit: usize) -> Self {
        Self(Arc::new(Mutex::new(LaneState {
            queue: VecDeque::new(),
            limit,
            closed: None,
            reader: None,
            writer: None,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, LaneState> {
        // Nothing in this file panics while it holds the lock, so the state is never half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self, reason: &str) {
        let mut lane = self.lock();
        if lane.closed.is_none() {
            lane.closed = Some(reason.to_owned());
        }
        let wakers = (lane.reader.take(), lane.writer.take());
        drop(lane);
        wake(wakers.0);
        wake(wakers.1);
    }
}

/// A waker is somebody else's code: only call this with the lane unlocked.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures::{executor::block_on, future::join};

    use super::*;

    async fn send(transport: &mut MemoryTransport, text: &str) -> Result<(), TransportError> {
        poll_fn(|cx| transport.poll_ready(cx)).await?;
        transport.start_send(text.to_owned())
    }

    async fn recv(transport: &mut MemoryTransport) -> Result<ByteString, TransportError> {
        poll_fn(|cx| transport.poll_recv(cx)).await
    }

    #[test]
    fn messages_arrive_in_order_and_a_full_lane_waits() {
        let (mut a, mut b) = pair(2);
        block_on(join(
            async {
                for i in 0..100 {
                    send(&mut a, &i.to_string()).await.unwrap();
                }
            },
            async {
                for i in 0..100 {
                    assert_eq!(recv(&mut b).await.unwrap(), i.to_string());
                }
            },
        ));
    }

    #[test]
    fn a_message_without_room_is_refused() {
        let (mut a, _b) = pair(1);
        a.start_send("1".into()).unwrap();
        assert!(a.start_send("2".into()).is_err());
    }

    #[test]
    fn an_abort_is_read_after_the_last_message() {
        let (mut a, mut b) = pair(2);
        block_on(async {
            send(&mut a, "last").await.unwrap();
            poll_fn(|cx| a.poll_close(cx, &CloseReason::Abort("bad".into()))).await;
            assert_eq!(recv(&mut b).await.unwrap(), "last");
            let error = recv(&mut b).await.unwrap_err();
            assert_eq!(error.to_string(), "Peer closed the connection: bad");
        });
    }

    #[test]
    fn dropping_one_end_wakes_both_ways_of_the_other() {
        let (a, mut b) = pair(1);
        block_on(async {
            send(&mut b, "fills the lane").await.unwrap();
            let (sent, ()) = join(send(&mut b, "waits"), async { drop(a) }).await;
            assert!(matches!(sent, Err(TransportError::Closed { .. })));
            assert!(matches!(recv(&mut b).await, Err(TransportError::Closed { .. })));
        });
    }
}
