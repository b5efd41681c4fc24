//! Whether a connection has a request in flight, and since when it has none.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Shared by a connection and the request on it. HTTP/1 answers one at a time.
#[derive(Debug)]
pub(crate) struct Activity {
    opened: Instant,
    busy: AtomicBool,
    has_unsent: AtomicBool,
    idle_since_millis: AtomicU64,
}

impl Activity {
    pub(crate) fn new() -> Self {
        Self {
            opened: Instant::now(),
            busy: AtomicBool::new(false),
            has_unsent: AtomicBool::new(false),
            idle_since_millis: AtomicU64::new(0),
        }
    }

    pub(crate) fn request_began(&self) {
        self.busy.store(true, Ordering::Relaxed);
    }

    pub(crate) fn request_ended(&self) {
        let millis = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.idle_since_millis.store(millis, Ordering::Relaxed);
        self.busy.store(false, Ordering::Relaxed);
    }

    /// Notes whether the socket has refused bytes that it has not taken since.
    pub(crate) fn note_unsent(&self, has_unsent: bool) {
        self.has_unsent.store(has_unsent, Ordering::Relaxed);
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed) || self.has_unsent.load(Ordering::Relaxed)
    }

    /// When a connection that stays idle has been so for `limit`; from now on if it is busy.
    pub(crate) fn idle_deadline(&self, limit: Duration) -> Instant {
        if self.is_busy() {
            return Instant::now() + limit;
        }
        self.opened + Duration::from_millis(self.idle_since_millis.load(Ordering::Relaxed)) + limit
    }
}
