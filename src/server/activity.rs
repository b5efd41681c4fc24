//! What goes on on a connection: shared by the connection, its socket's [`Tap`](super::tap::Tap) and the request on it.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use http_body::Body;
use tokio::time::Instant;

use super::connection::Limits;
use super::lane::Lane;
use super::presence::Presence;
use crate::raw_names::Names;
use crate::spelling::{Letters, Spelling};

/// One connection's. HTTP/1 answers one request at a time.
pub(crate) struct Activity {
    opened: Instant,
    busy: AtomicBool,
    /// Whether the response in flight goes on for as long as somebody looks.
    watched: AtomicBool,
    /// Requests that have begun.
    begun: AtomicU64,
    /// The same, when hyper's buffer was last empty.
    flushed: AtomicU64,
    /// The same, when no request was in flight besides.
    settled: AtomicU64,
    idle_since: Moment,
    head_since: Moment,
    unsent_since: Moment,
    /// Length of the last request's body.
    body_bytes: AtomicU64,
    /// Whether all of the request's body has been read; shared with who reads it.
    body_is_over: Arc<AtomicBool>,
    /// Bytes that have come while a request was in flight, its body above all.
    body_came: AtomicU64,
    uploader: OnceLock<Presence>,
    has_left: AtomicBool,
    presence: Mutex<Option<Presence>>,
    lane: Lane,
    has_names: AtomicBool,
    names: Mutex<Option<Names>>,
    /// Whether names are to keep the letters they came in.
    keeps_letters: bool,
    spelling: Mutex<Option<Spelling>>,
    has_letters: AtomicBool,
    letters: Mutex<Option<Letters>>,
    after: Mutex<Option<After>>,
}

/// In place of a length.
const UNKNOWN: u64 = u64::MAX;

/// What goes on on a connection once HTTP has ended there.
type After = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Milliseconds since a connection was opened, and 1; 0 is never.
#[derive(Debug, Default)]
struct Moment(AtomicU64);

impl Moment {
    fn set(&self, opened: Instant) {
        self.set_at(Instant::now(), opened);
    }

    fn set_at(&self, now: Instant, opened: Instant) {
        let millis = u64::try_from(now.duration_since(opened).as_millis()).unwrap_or(u64::MAX);
        self.0.store(millis.saturating_add(1), Ordering::Relaxed);
    }

    fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    fn get(&self, opened: Instant) -> Option<Instant> {
        let millis = self.0.load(Ordering::Relaxed).checked_sub(1)?;
        Some(opened + Duration::from_millis(millis))
    }
}

/// Why a connection has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// No request for too long, or half a head of one.
    Request,
    /// The client has taken nothing of its response for too long.
    Reader,
}

impl Activity {
    /// One where nothing has happened. With `keeps_letters`, names keep the letters they come in.
    pub(crate) fn new(keeps_letters: bool) -> Self {
        let activity = Self {
            opened: Instant::now(),
            busy: AtomicBool::new(false),
            watched: AtomicBool::new(false),
            begun: AtomicU64::new(0),
            flushed: AtomicU64::new(0),
            settled: AtomicU64::new(0),
            idle_since: Moment::default(),
            head_since: Moment::default(),
            unsent_since: Moment::default(),
            body_bytes: AtomicU64::new(0),
            names: Mutex::new(None),
            has_names: AtomicBool::new(false),
            keeps_letters,
            spelling: Mutex::new(None),
            has_letters: AtomicBool::new(false),
            letters: Mutex::new(None),
            body_is_over: Arc::new(AtomicBool::new(true)),
            body_came: AtomicU64::new(0),
            uploader: OnceLock::new(),
            has_left: AtomicBool::new(false),
            presence: Mutex::new(None),
            lane: Lane::default(),
            after: Mutex::new(None),
        };
        activity.idle_since.set(activity.opened);
        activity
    }

    /// A request has come, with this body.
    pub(crate) fn request_began(&self, body: &impl Body) {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.head_since.clear();
        self.body_bytes.store(body.size_hint().exact().unwrap_or(UNKNOWN), Ordering::Relaxed);
        self.body_is_over.store(body.is_end_stream(), Ordering::Relaxed);
        self.lane.begin();
        self.busy.store(true, Ordering::Relaxed);
    }

    /// It has been answered, or dropped.
    pub(crate) fn request_ended(&self, now: Instant) {
        self.idle_since.set_at(now, self.opened);
        self.busy.store(false, Ordering::Relaxed);
    }

    /// Its response goes on for as long as somebody looks, or does so no longer.
    pub(crate) fn watched(&self, is_watched: bool) {
        self.watched.store(is_watched, Ordering::Relaxed);
    }

    /// Whether a stop need not wait for the response in flight.
    pub(super) fn is_watched(&self) -> bool {
        self.watched.load(Ordering::Relaxed)
    }

    /// To be set by who has read the request's body to its end.
    pub(crate) fn body_is_over(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.body_is_over)
    }

    /// What goes to the client beside the response.
    pub(crate) fn lane(&self) -> &Lane {
        &self.lane
    }

    /// What the connection is for once HTTP has ended on it.
    pub(crate) fn then(&self, after: impl Future<Output = ()> + Send + 'static) {
        *self.after.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::pin(after));
    }

    /// That, to be waited for, or dropped.
    pub(crate) fn after(&self) -> Option<After> {
        self.after.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether a request's response is not yet out of its body.
    pub(super) fn has_request(&self) -> bool {
        self.busy.load(Ordering::Relaxed)
    }

    /// How many requests have begun so far.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Whether the body of the last request that came has not been read to its end.
    pub(crate) fn has_unread(&self) -> bool {
        !self.body_is_over.load(Ordering::Relaxed)
    }

    /// Whether the last request ends `count` bytes behind its head, so that the next one's begins there. A body in
    /// chunks that has been read does so if what was read last `ends_as_chunks_do`: were it more, hyper would have seen
    /// another head in it.
    pub(super) fn body_ended_at(&self, count: u64, ends_as_chunks_do: bool) -> bool {
        match self.body_bytes.load(Ordering::Relaxed) {
            UNKNOWN => !self.has_unread() && ends_as_chunks_do,
            bytes => bytes == count,
        }
    }

    /// The body of the last request lies behind.
    pub(super) fn note_rest(&self) {
        self.body_bytes.store(0, Ordering::Relaxed);
    }

    /// Names that hyper cannot hold stand in the head that comes.
    pub(super) fn note_names(&self, names: Names) {
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) = Some(names);
        self.has_names.store(true, Ordering::Relaxed);
    }

    /// Those of the request that has come.
    pub(crate) fn names(&self) -> Option<Names> {
        if !self.has_names.swap(false, Ordering::Relaxed) {
            return None;
        }
        self.names.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Bytes of a body have come, perhaps behind its answer: a client that sends is not idle.
    pub(super) fn note_body(&self, bytes: usize) {
        self.body_came.fetch_add(bytes as u64, Ordering::Relaxed);
        if !self.has_request() {
            self.idle_since.set(self.opened);
        }
    }

    /// How far the upload in flight has come, if there is one.
    pub(super) fn upload(&self) -> Option<(u64, u64)> {
        let is_under_way = self.has_request() && self.has_unread();
        is_under_way.then(|| (self.begun(), self.body_came.load(Ordering::Relaxed)))
    }

    /// Notes how to find out whether a client that uploads is there.
    pub(super) fn note_uploader(&self, presence: impl FnOnce() -> Presence) {
        self.uploader.get_or_init(presence);
    }

    /// That, once there has been an upload.
    pub(super) fn uploader(&self) -> Option<&Presence> {
        self.uploader.get()
    }

    /// Whether the letters of names are wanted.
    pub(super) fn keeps_letters(&self) -> bool {
        self.keeps_letters
    }

    /// The head that comes has its names in these letters.
    pub(super) fn note_spelling(&self, spelling: Spelling) {
        *self.spelling.lock().unwrap_or_else(PoisonError::into_inner) = Some(spelling);
    }

    /// The letters of the request that has come, if they are known. To be taken once.
    pub(crate) fn spelling(&self) -> Option<Spelling> {
        if !self.keeps_letters {
            return None;
        }
        self.spelling.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The head of the response follows; its names came in these letters.
    pub(crate) async fn head_follows(&self, spelling: Option<Spelling>) {
        if !self.keeps_letters {
            return;
        }
        *self.letters.lock().unwrap_or_else(PoisonError::into_inner) = Some(spelling.into());
        self.has_letters.store(true, Ordering::Relaxed);
        if !self.head_is_next() {
            // Behind a response that is not written yet, it would not be found.
            self.lane.flushed().await;
        }
    }

    /// The letters of the head that is written next, if it has any of its own.
    pub(super) fn letters(&self) -> Option<Letters> {
        if !self.has_letters.load(Ordering::Relaxed) || !self.head_is_next() {
            return None;
        }
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn letters_are_used(&self) {
        self.has_letters.store(false, Ordering::Relaxed);
        // Not held while the connection is idle.
        *self.letters.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether nothing of an earlier response is left in hyper's buffer.
    fn head_is_next(&self) -> bool {
        let begun = self.begun();
        self.flushed() == begun || self.settled() + 1 == begun
    }

    /// hyper's buffer is empty.
    pub(super) fn note_flushed(&self) {
        self.flushed.store(self.begun(), Ordering::Relaxed);
        if !self.has_request() {
            self.settled.store(self.begun(), Ordering::Relaxed);
        }
    }

    /// How many requests had begun when hyper's buffer was last empty.
    pub(super) fn flushed(&self) -> u64 {
        self.flushed.load(Ordering::Relaxed)
    }

    /// The same, when no request was in flight besides.
    pub(super) fn settled(&self) -> u64 {
        self.settled.load(Ordering::Relaxed)
    }

    /// Whether somebody reads on in the last request's body, although it has been answered.
    pub(super) fn is_read_on(&self) -> bool {
        self.has_unread() && Arc::strong_count(&self.body_is_over) > 1
    }

    /// Bytes of a head have come, perhaps not all.
    pub(super) fn note_head(&self) {
        if !self.head_since.is_set() {
            self.head_since.set(self.opened);
        }
    }

    /// Notes whether the socket has refused bytes that it has not taken since.
    pub(super) fn note_unsent(&self, has_unsent: bool) {
        match (has_unsent, self.unsent_since.is_set()) {
            (true, false) => self.unsent_since.set(self.opened),
            (false, true) => self.unsent_since.clear(),
            (true, true) | (false, false) => {}
        }
    }

    /// The client will send nothing more, while it has a request here.
    pub(super) fn note_left(&self, presence: Presence) {
        *self.presence.lock().unwrap_or_else(PoisonError::into_inner) = Some(presence);
        self.has_left.store(true, Ordering::Relaxed);
    }

    /// How to find out whether the client is still there, once it has ended its side.
    pub(super) fn left(&self) -> Option<Presence> {
        if !self.has_left.load(Ordering::Relaxed) {
            return None;
        }
        self.presence.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether nothing is under way, be it half a head.
    pub(super) fn is_quiet(&self) -> bool {
        !self.is_busy()
            && !self.has_unread()
            && !self.head_since.is_set()
            && !self.lane.is_used()
            && self.settled() == self.begun()
    }

    /// When it rests, if nothing happens until then.
    pub(super) fn rests_from(&self, quiet: Duration) -> Option<Instant> {
        self.is_quiet().then(|| self.idle_since.get(self.opened).unwrap_or(self.opened) + quiet)
    }

    pub(super) fn is_busy(&self) -> bool {
        self.has_request() || self.unsent_since.is_set()
    }

    /// What is overdue by now, or when to look again.
    pub(super) fn overdue(&self, limits: &Limits) -> Result<Overdue, Instant> {
        let now = Instant::now();
        let (since, limit, what) = if let Some(since) = self.unsent_since.get(self.opened) {
            (since, limits.body, Overdue::Reader)
        } else if self.has_request() {
            return Err(now + limits.soonest());
        } else if let Some(since) = self.head_since.get(self.opened) {
            (since, limits.head, Overdue::Request)
        } else {
            (self.idle_since.get(self.opened).unwrap_or(self.opened), limits.idle, Overdue::Request)
        };
        if since + limit <= now { Ok(what) } else { Err((since + limit).min(now + limits.soonest())) }
    }
}

impl fmt::Debug for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Activity")
            .field("is_busy", &self.is_busy())
            .field("lane", &self.lane)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn letters_are_not_held_once_they_are_used() {
        let activity = Activity::new(true);
        activity.head_follows(Some(Spelling::of(b"HTTP/1.1 200 OK\r\n\r\n"))).await;
        assert!(activity.letters().is_some());
        activity.letters_are_used();
        assert!(activity.letters.lock().unwrap().is_none());
    }
}
