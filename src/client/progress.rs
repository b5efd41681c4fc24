//! How far a request's body has come, and for how long nothing has happened.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// How far a client's body has come, and whose turn it is.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Passed>);

#[derive(Debug, Default)]
struct Passed {
    bytes: AtomicU64,
    client_is_silent: AtomicBool,
}

impl Progress {
    /// Bytes that the client has sent so far; what is played again counts once.
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Whether the upstream would take more, but the client sends nothing.
    pub(super) fn client_is_silent(&self) -> bool {
        self.0.client_is_silent.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn note_silence(&self, is_silent: bool) {
        self.0.client_is_silent.store(is_silent, Ordering::Relaxed);
    }
}

/// Ends a wait that has seen no progress for a while. Armed once a request;
/// progress is noted by writing a time, and the timer is set again only when it fires.
#[derive(Debug)]
pub(super) struct Silence {
    timer: Pin<Box<Sleep>>,
    limit: Duration,
    last_progress: Instant,
}

impl Silence {
    pub(super) fn new(limit: Duration) -> Self {
        let now = Instant::now();
        Self { timer: Box::pin(tokio::time::sleep_until(now + limit)), limit, last_progress: now }
    }

    pub(super) fn note_progress(&mut self) {
        self.last_progress = Instant::now();
    }

    /// Ready once nothing has happened for the whole limit.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Duration> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let deadline = self.last_progress + self.limit;
            if deadline <= Instant::now() {
                return Poll::Ready(self.limit);
            }
            self.timer.as_mut().reset(deadline);
        }
    }
}
