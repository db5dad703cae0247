//! How much of a stream may be on its way: a window that follows the connection.
//!
//! Pure arithmetic on sizes and times that are passed in. The window is what the JavaScript
//! package uses, so that both behave alike on one link: it doubles per round trip while that
//! brings more throughput, then stays a quarter above bandwidth times round trip.

use std::time::Duration;

/// Before anything is known of the connection.
const INITIAL_WINDOW: f64 = 256.0 * 1024.0;
/// A slow reader is never given less than this.
const MIN_WINDOW: f64 = 64.0 * 1024.0;
/// Growth per round trip while the bandwidth is being found out.
const STARTUP_GROWTH: f64 = 2.0;
/// Growth per round trip afterwards, to notice more bandwidth.
const STEADY_GROWTH: f64 = 1.25;
/// The window shrinks to no less than this in one round trip.
const DECAY: f64 = 0.9;
/// So many round trips without growth end the startup.
const STARTUP_EXIT_ROUNDS: u32 = 3;

/// The sender's side of a stream.
#[derive(Debug)]
pub(crate) struct FlowControl {
    window: f64,
    max_window: f64,
    in_flight: usize,
    delivered: u64,
    /// The time of the last acknowledgement.
    delivered_at: Option<Duration>,
    first_ack: Option<Ack>,
    shortest_round_trip: Duration,
    startup: bool,
    rounds_without_growth: u32,
    round: Round,
}

#[derive(Clone, Copy, Debug)]
struct Ack {
    at: Duration,
    delivered: u64,
}

#[derive(Clone, Copy, Debug)]
struct Round {
    began: Duration,
    window: f64,
}

/// What was known when a write was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    at: Duration,
    size: usize,
    /// What had been delivered by then, if anything had.
    delivered: Option<Ack>,
    window: f64,
    filled_window: bool,
}

impl FlowControl {
    /// A window that never grows beyond `max_window` bytes.
    pub(crate) fn new(max_window: usize) -> Self {
        let max_window = (max_window as f64).max(MIN_WINDOW);
        Self {
            window: INITIAL_WINDOW.min(max_window),
            max_window,
            in_flight: 0,
            delivered: 0,
            delivered_at: None,
            first_ack: None,
            shortest_round_trip: Duration::MAX,
            startup: true,
            rounds_without_growth: 0,
            round: Round { began: Duration::ZERO, window: 0.0 },
        }
    }

    /// Whether another write may be sent. The one that reaches the window may still go.
    pub(crate) fn has_room(&self) -> bool {
        (self.in_flight as f64) < self.window
    }

    #[cfg(test)]
    pub(crate) fn window(&self) -> usize {
        self.window as usize
    }

    /// A write of this size leaves now.
    pub(crate) fn sent(&mut self, size: usize, now: Duration) -> Sent {
        self.in_flight += size;
        Sent {
            at: now,
            size,
            delivered: self.delivered_at.map(|at| Ack { at, delivered: self.delivered }),
            window: self.window,
            filled_window: !self.has_room(),
        }
    }

    /// The write failed; nothing is learned from it.
    pub(crate) fn failed(&mut self, sent: Sent) {
        self.in_flight = self.in_flight.saturating_sub(sent.size);
    }

    /// The write was acknowledged.
    pub(crate) fn acknowledged(&mut self, sent: Sent, now: Duration) {
        self.in_flight = self.in_flight.saturating_sub(sent.size);
        self.delivered += sent.size as u64;
        self.delivered_at = Some(now);
        self.shortest_round_trip = self.shortest_round_trip.min(now.saturating_sub(sent.at));
        let Some(first_ack) = self.first_ack else {
            // Bandwidth is what arrives between two acknowledgements.
            self.first_ack = Some(Ack { at: now, delivered: self.delivered });
            return;
        };
        let since = sent.delivered.unwrap_or(first_ack);
        self.resize(sent, since, now);
        if self.startup && sent.at >= self.round.began {
            self.end_round(now);
        }
    }

    fn resize(&mut self, sent: Sent, since: Ack, now: Duration) {
        let growth = if self.startup { STARTUP_GROWTH } else { STEADY_GROWTH };
        let interval = now.saturating_sub(since.at).as_secs_f64();
        let bytes = (self.delivered - since.delivered) as f64;
        // Without any interval the bandwidth is beyond measure, and the bound below holds.
        let bandwidth = if interval > 0.0 { bytes / interval } else { f64::INFINITY };
        let measured = bandwidth * self.shortest_round_trip.as_secs_f64() * growth;
        let mut window = if measured.is_nan() { sent.window } else { measured };
        window = window.min(sent.window * growth);
        window = if sent.filled_window {
            window.max(sent.window * DECAY)
        } else {
            // The application had no more to send: no reason to shrink.
            window.max(self.window)
        };
        self.window = window.clamp(MIN_WINDOW, self.max_window);
    }

    fn end_round(&mut self, now: Duration) {
        if self.window > self.round.window * STEADY_GROWTH {
            self.rounds_without_growth = 0;
        } else {
            self.rounds_without_growth += 1;
            if self.rounds_without_growth >= STARTUP_EXIT_ROUNDS {
                self.startup = false;
            }
        }
        self.round = Round { began: now, window: self.window };
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// A link with a queue, a rate and a delay; its far end acknowledges what it has read.
    struct Link {
        bytes_per_second: f64,
        round_trip: Duration,
        /// When the link has sent everything that it was given.
        free_at: Duration,
        /// When acknowledgements arrive.
        acks: VecDeque<(Duration, Sent)>,
    }

    impl Link {
        fn send(&mut self, sent: Sent, now: Duration) {
            let start = self.free_at.max(now);
            let took = Duration::from_secs_f64(sent.size as f64 / self.bytes_per_second);
            self.free_at = start + took;
            self.acks.push_back((self.free_at + self.round_trip, sent));
        }
    }

    /// Sends as fast as the window allows until `until`; returns the bytes acknowledged since
    /// `from`, and the most that was in flight.
    fn run(link: &mut Link, from: Duration, until: Duration, max_window: usize) -> (usize, usize) {
        const CHUNK: usize = 16 * 1024;
        let mut flow = FlowControl::new(max_window);
        let mut now = Duration::ZERO;
        let (mut counted, mut most) = (0, 0);
        while now < until {
            while flow.has_room() {
                let sent = flow.sent(CHUNK, now);
                link.send(sent, now);
            }
            most = most.max(flow.in_flight);
            let (at, sent) = link.acks.pop_front().expect("something is in flight");
            now = at;
            flow.acknowledged(sent, now);
            if now > from {
                counted += sent.size;
            }
        }
        (counted, most)
    }

    #[test]
    fn fills_a_long_fat_link_within_three_seconds() {
        let mut link = Link {
            bytes_per_second: 12.5e6,
            round_trip: Duration::from_millis(100),
            free_at: Duration::ZERO,
            acks: VecDeque::new(),
        };
        let from = Duration::from_secs(2);
        let (bytes, _) = run(&mut link, from, Duration::from_secs(3), 16 << 20);
        assert!(bytes as f64 >= 0.9 * 12.5e6, "{bytes} bytes in the third second");
    }

    #[test]
    fn a_slow_reader_bounds_what_is_in_flight() {
        let mut link = Link {
            bytes_per_second: 1e6,
            round_trip: Duration::from_millis(100),
            free_at: Duration::ZERO,
            acks: VecDeque::new(),
        };
        let (bytes, most) = run(&mut link, Duration::ZERO, Duration::from_secs(20), 16 << 20);
        assert!(bytes as f64 > 0.9 * 19.0 * 1e6, "{bytes}");
        // The window, and the one write that reaches it.
        assert!(most < (2 << 20), "{most} bytes were in flight");
    }

    #[test]
    fn never_exceeds_its_maximum() {
        let mut link = Link {
            bytes_per_second: 1e9,
            round_trip: Duration::from_millis(200),
            free_at: Duration::ZERO,
            acks: VecDeque::new(),
        };
        let (_, most) = run(&mut link, Duration::ZERO, Duration::from_secs(10), 1 << 20);
        assert!(most <= (1 << 20) + 16 * 1024, "{most}");
    }

    #[test]
    fn an_idle_application_does_not_shrink_the_window() {
        let mut flow = FlowControl::new(1 << 24);
        let mut now = Duration::ZERO;
        for _ in 0..100 {
            let sent = flow.sent(10, now);
            now += Duration::from_millis(50);
            flow.acknowledged(sent, now);
        }
        assert!(flow.window() >= 256 * 1024);
    }
}
