//! How far a request's body has come, and for how long nothing has happened.
//!
//! 1. Until the head of the response: `response_timeout` since the request went, or
//!    since its body last moved; but `body_timeout` while it is the client that sends
//!    nothing of a body that the upstream would take.
//! 2. Within the response's body: `body_timeout` since we began to wait for the next
//!    piece, or since the request's body last moved. As long as nobody takes the
//!    pieces that are there, we do not wait: backpressure is not silence.
//!
//! Neither body has a deadline as a whole.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::Settings;

/// How far a client's body has come, and whose turn it is.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Passed>);

#[derive(Debug)]
struct Passed {
    bytes: AtomicU64,
    client_is_silent: AtomicBool,
    began: Instant,
    /// When bytes came or the turn changed, after `began`.
    moved_millis: AtomicU64,
}

impl Default for Passed {
    fn default() -> Self {
        Self {
            bytes: AtomicU64::new(0),
            client_is_silent: AtomicBool::new(false),
            began: Instant::now(),
            moved_millis: AtomicU64::new(0),
        }
    }
}

impl Progress {
    /// Bytes that the client has sent so far; what is played again counts once.
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Whether the upstream would take more, but the client sends nothing.
    fn client_is_silent(&self) -> bool {
        self.0.client_is_silent.load(Ordering::Relaxed)
    }

    /// When bytes last came, or it became the other side's turn.
    fn moved(&self) -> Instant {
        self.0.began + Duration::from_millis(self.0.moved_millis.load(Ordering::Relaxed))
    }

    pub(super) fn add(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.note_move();
    }

    pub(super) fn note_silence(&self, is_silent: bool) {
        if self.0.client_is_silent.swap(is_silent, Ordering::Relaxed) != is_silent {
            self.note_move();
        }
    }

    fn note_move(&self) {
        let millis = u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.moved_millis.store(millis, Ordering::Relaxed);
    }
}

/// Who has been silent for too long, and how long that is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Silent {
    Client(Duration),
    Upstream(Duration),
}

/// A timer that is set again only when it fires, whatever happens meanwhile. It belongs to a connection, and goes
/// from one request on it to the next.
pub(super) type Timer = Pin<Box<Sleep>>;

/// Ends a wait in which nothing happens; what happens is noted by writing a time.
#[derive(Debug)]
pub(super) struct Silence {
    /// Fires before anything can be overdue: it was set for no more than the shorter limit.
    timer: Option<Timer>,
    response_timeout: Duration,
    body_timeout: Duration,
    /// Of the request's body, if it streams.
    progress: Option<Progress>,
    has_head: bool,
    waiting_since: Option<Instant>,
}

impl Silence {
    /// A wait that begins `now`. `timer` is that of an earlier request.
    pub(super) fn new(
        settings: &Settings,
        progress: Option<Progress>,
        timer: Option<Timer>,
        now: Instant,
    ) -> Self {
        let (response_timeout, body_timeout) = (settings.response_timeout, settings.body_timeout);
        let waiting_since = Some(now);
        Self { timer, response_timeout, body_timeout, progress, has_head: false, waiting_since }
    }

    /// The timer, for the next request; nothing is waited for any more.
    pub(super) fn take_timer(&mut self) -> Option<Timer> {
        self.timer.take()
    }

    /// The head has come, and the body follows.
    pub(super) fn head_came(&mut self) {
        self.has_head = true;
        self.waiting_since = None;
    }

    /// What was waited for has come; the next wait begins when [`poll`](Self::poll) is called.
    pub(super) fn note_progress(&mut self) {
        self.waiting_since = None;
    }

    /// Ready once nothing has happened for too long.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Silent> {
        let waiting_since = *self.waiting_since.get_or_insert_with(Instant::now);
        let shortest = self.response_timeout.min(self.body_timeout);
        let timer = self.timer.take();
        let mut timer = timer.unwrap_or_else(|| Box::pin(sleep_until(waiting_since + shortest)));
        let overdue = loop {
            if timer.as_mut().poll(cx).is_pending() {
                break Poll::Pending;
            }
            let (since, silent) = self.since_when_and_who(waiting_since);
            let (Silent::Client(limit) | Silent::Upstream(limit)) = silent;
            let now = Instant::now();
            if since + limit <= now {
                break Poll::Ready(silent);
            }
            // Whose turn it is may change at any time, and nobody tells us.
            timer.as_mut().reset((since + limit).min(now + shortest));
        };
        self.timer = Some(timer);
        overdue
    }

    fn since_when_and_who(&self, waiting_since: Instant) -> (Instant, Silent) {
        let moved = self.progress.as_ref().map(Progress::moved);
        let since = moved.map_or(waiting_since, |moved| moved.max(waiting_since));
        let silent = if self.has_head {
            Silent::Upstream(self.body_timeout)
        } else if self.progress.as_ref().is_some_and(Progress::client_is_silent) {
            Silent::Client(self.body_timeout)
        } else {
            Silent::Upstream(self.response_timeout)
        };
        (since, silent)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::sleep;

    use super::*;
    use crate::client::{ProxySettings, TlsSettings};

    fn silence(response_timeout: u64, body_timeout: u64, progress: &Progress) -> Silence {
        let settings = Settings {
            preserve_header_case: true,
            connect_timeout: Duration::MAX,
            response_timeout: Duration::from_secs(response_timeout),
            body_timeout: Duration::from_secs(body_timeout),
            idle_timeout: Duration::MAX,
            tls: TlsSettings::default(),
            proxy: ProxySettings::default(),
            resolve: Vec::new(),
        };
        Silence::new(&settings, Some(progress.clone()), None, Instant::now())
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_is_exact_whenever_the_turn_changes() {
        // (response_timeout, body_timeout, when it becomes the client's turn and the upstream's again, end)
        let table = [
            (600, 300, None, None, 600, "upstream"),
            (600, 300, Some(0), None, 300, "client"),
            (600, 300, Some(599), None, 899, "client"),
            (600, 300, Some(450), Some(460), 1060, "upstream"),
            (300, 600, None, None, 300, "upstream"),
            (300, 600, Some(250), None, 850, "client"),
            (300, 600, Some(250), Some(310), 610, "upstream"),
            (300, 600, Some(250), Some(849), 1149, "upstream"),
        ];
        for (response_timeout, body_timeout, clients, upstreams, end, who) in table {
            let (start, progress) = (Instant::now(), Progress::default());
            let mut silence = silence(response_timeout, body_timeout, &progress);
            tokio::spawn(async move {
                for (when, is_silent) in [(clients, true), (upstreams, false)] {
                    let Some(when) = when else { continue };
                    sleep_until(start + Duration::from_secs(when)).await;
                    progress.note_silence(is_silent);
                }
            });
            // Nobody polls it when the turn changes.
            let silent = match poll_fn(|cx| silence.poll(cx)).await {
                Silent::Client(_) => "client",
                Silent::Upstream(_) => "upstream",
            };
            assert_eq!((start.elapsed().as_secs(), silent), (end, who), "{clients:?}, {upstreams:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_begins_when_it_is_waited() {
        let mut silence = silence(600, 300, &Progress::default());
        silence.head_came();
        sleep(Duration::from_secs(1000)).await;
        let start = Instant::now();
        poll_fn(|cx| silence.poll(cx)).await;
        assert_eq!(start.elapsed().as_secs(), 300);
    }
}
