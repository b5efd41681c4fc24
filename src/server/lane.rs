//! `Lane`: bytes for the client that hyper's server has no way to write.
//!
//! 1. Interim responses (RFC 9110 §15.2). hyper makes its own `100 Continue` and sends no other. They are put in here as
//!    they come, and [`Tap`](super::tap::Tap) writes them where hyper's own buffer is empty, so never into a message.
//!    Who then returns the final response awaits [`Lane::emptied`] first.
//! 2. Field lines whose names hyper cannot hold. They are put at the end of the next head that hyper writes, which is
//!    that of the response if [`Lane::emptied`] was awaited before.
//!
//! A connection that needs neither pays for one look at a flag.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::AsyncWrite;

/// The lane beside one connection.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    is_used: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    written: usize,
    /// Whether nothing of hyper's may come before them.
    goes_first: bool,
    /// Interim responses to the request in flight.
    messages: usize,
    lines: Option<Vec<u8>>,
    /// Of the connection, to have it write.
    connection: Option<Waker>,
    /// Of who waits for the end of the lane.
    waiting: Option<Waker>,
}

/// Interim responses to one request that are passed on; an upstream may send thousands.
const MOST_MESSAGES: usize = 64;
/// Bytes of them that may wait for a slow reader.
const MOST_BYTES: usize = 64 * 1024;

impl Lane {
    /// A new request: what is counted by request starts again.
    pub(super) fn begin(&self) {
        if self.is_used() {
            self.lock().messages = 0;
        }
    }

    /// Adds an interim response. Returns whether there was room for it.
    pub(crate) fn push(&self, head: &[u8]) -> bool {
        let mut state = self.lock();
        if state.messages >= MOST_MESSAGES || state.bytes.len() + head.len() > MOST_BYTES {
            return false;
        }
        state.messages += 1;
        state.bytes.extend_from_slice(head);
        self.is_used.store(true, Ordering::Relaxed);
        let waker = state.connection.clone();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// Returns when hyper's buffer and the lane are both written, if the lane is used at all.
    pub(crate) async fn emptied(&self) {
        if self.is_used() {
            self.written().await;
        }
    }

    /// Returns when hyper's buffer and the lane are both written.
    pub(super) async fn flushed(&self) {
        self.is_used.store(true, Ordering::Relaxed);
        self.written().await;
    }

    /// Puts `lines`, each with its end, into the head that is written next.
    pub(crate) async fn add_to_next_head(&self, lines: Vec<u8>) {
        self.flushed().await;
        self.lock().lines = Some(lines);
        self.is_used.store(true, Ordering::Relaxed);
    }

    async fn written(&self) {
        let mut has_asked = false;
        poll_fn(|cx| {
            let mut state = self.lock();
            // Whoever took the waker has found nothing left to write.
            if has_asked && state.waiting.is_none() {
                return Poll::Ready(());
            }
            has_asked = true;
            state.waiting = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    // What the tap does.

    pub(super) fn is_used(&self) -> bool {
        self.is_used.load(Ordering::Relaxed)
    }

    /// Tells whom to wake when there is something to write.
    pub(super) fn serve_by(&self, connection: &Waker) {
        self.lock().connection = Some(connection.clone());
    }

    /// Replaces the next head by itself with the lines in it, if there are any. Returns whether it did.
    pub(super) fn take_head(&self, head: &[u8]) -> bool {
        let mut state = self.lock();
        let Some(lines) = state.lines.take() else { return false };
        state.bytes.extend_from_slice(head);
        state.bytes.extend_from_slice(&lines);
        state.bytes.extend_from_slice(b"\r\n");
        state.goes_first = true;
        true
    }

    /// Whether the next head gets lines.
    pub(super) fn wants_head(&self) -> bool {
        self.lock().lines.is_some()
    }

    /// Puts bytes in that go out before anything else.
    pub(super) fn put(&self, bytes: &[u8]) {
        let mut state = self.lock();
        state.bytes.extend_from_slice(bytes);
        state.goes_first = true;
        self.is_used.store(true, Ordering::Relaxed);
    }

    /// Writes what has begun or may begin.
    pub(super) fn poll_write(
        &self,
        cx: &mut Context<'_>,
        socket: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<io::Result<()>> {
        let mut state = self.lock();
        while state.written < state.bytes.len() {
            let n = ready!(Pin::new(&mut *socket).poll_write(cx, &state.bytes[state.written..]))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            state.written += n;
        }
        state.bytes.clear();
        state.written = 0;
        state.goes_first = false;
        Poll::Ready(Ok(()))
    }

    /// Whether hyper's bytes have to wait: a message has been written in part, or comes before them.
    pub(super) fn goes_first(&self) -> bool {
        let state = self.lock();
        state.written > 0 || state.goes_first
    }

    /// Everything has been written: lets go who waits for it.
    pub(super) fn note_empty(&self) {
        let mut state = self.lock();
        let waiting = state.waiting.take();
        if state.lines.is_none() && waiting.is_none() {
            self.is_used.store(false, Ordering::Relaxed);
        }
        drop(state);
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
