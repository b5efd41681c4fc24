//! Idle upstream connections, kept per thread.
//!
//! Each worker is one thread with one runtime, and a connection stays on the
//! worker that opened it. So the shelves are thread-local: taking and returning a
//! connection needs no lock, and the futures that hold one stay `Send`. A client
//! that is used on several threads simply has a pool on each.
//!
//! 1. The connection that was used last is taken first.
//! 2. One that is older than [`MOST_AGE`] does not come back: it would never notice
//!    that the name leads elsewhere by now.
//! 3. When a connection breaks, or its request gets no answer in time, the idle ones
//!    to the same origin are dropped ([`distrust`]). Those that went to other
//!    addresses go too: often all of a service goes at once, a new connection costs
//!    a handshake, and trusting a dead one costs a POST that must not be repeated.
//!    Connections in use stay, and come back once their response has come.

use std::cell::RefCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::uri::{Authority, Scheme};
use hyper::client::conn::http1::SendRequest;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::body::RequestBody;
use super::progress::Timer;
use super::tap::Heads;
use crate::catalog::EndpointUrl;

/// Most idle connections kept for one origin on one thread.
const MOST_IDLE: usize = 256;

/// How long a connection is used for, from when it was opened: a name that leads
/// elsewhere is followed within five minutes, which is also how long DNS answers
/// commonly live, and a handshake in five minutes costs nothing.
pub(super) const MOST_AGE: Duration = Duration::from_secs(300);

thread_local! {
    static SHELVES: RefCell<Vec<Shelf>> = const { RefCell::new(Vec::new()) };
}

/// Tells the connections of one client from those of another on the same thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PoolId(u64);

impl PoolId {
    pub(super) fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// What connections are shared by: scheme and authority of the upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
}

impl Origin {
    pub(super) fn of(upstream: &EndpointUrl) -> Self {
        Self { scheme: upstream.scheme.clone(), authority: upstream.authority.clone() }
    }
}

/// The idle connections of one client to one origin, longest idle first.
struct Shelf {
    pool: PoolId,
    origin: Origin,
    idle: Vec<Idle>,
}

/// An open connection. Boxed, so that it goes from hand to hand as a pointer.
pub(super) struct Link(Box<Open>);

/// What there is to a connection.
pub(super) struct Open {
    pub(super) sender: SendRequest<RequestBody>,
    /// What its socket looks for.
    pub(super) heads: Arc<Heads>,
    /// Of requests on it, one after the other.
    pub(super) timer: Option<Timer>,
    hold: Hold,
    opened: Instant,
    pool: PoolId,
    origin: Origin,
    /// How long it may be idle.
    keep_for: Duration,
}

/// Keeps a connection. Once it is dropped, what is on its way still goes, as long as it goes.
pub(super) type Hold = oneshot::Sender<()>;

impl Link {
    /// One to `origin` that has just been opened.
    pub(super) fn new(
        pool: PoolId,
        origin: &Origin,
        sender: SendRequest<RequestBody>,
        heads: Arc<Heads>,
        hold: Hold,
        keep_for: Duration,
    ) -> Self {
        let (origin, opened) = (origin.clone(), Instant::now());
        Self(Box::new(Open { sender, heads, timer: None, hold, opened, pool, origin, keep_for }))
    }

    fn is_usable(&self, now: Instant) -> bool {
        !self.sender.is_closed() && now.duration_since(self.opened) < MOST_AGE
    }

    /// Puts it back for the next request.
    pub(super) fn release(self) {
        let now = Instant::now();
        if !self.is_usable(now) {
            return;
        }
        SHELVES.with_borrow_mut(|shelves| {
            let is_own = |shelf: &Shelf| shelf.pool == self.pool && shelf.origin == self.origin;
            let at = shelves.iter().position(is_own).unwrap_or_else(|| {
                shelves.push(Shelf { pool: self.pool, origin: self.origin.clone(), idle: Vec::new() });
                shelves.len() - 1
            });
            let idle = &mut shelves[at].idle;
            if idle.len() < MOST_IDLE {
                idle.push(Idle { link: self, since: now });
            }
        });
    }

    /// What keeps it, where it serves no other request.
    pub(super) fn into_hold(self) -> Hold {
        self.0.hold
    }

    /// It broke in the middle of a response.
    pub(super) fn distrust(self) {
        distrust(self.pool, &self.origin);
    }
}

impl Deref for Link {
    type Target = Open;

    fn deref(&self) -> &Open {
        &self.0
    }
}

impl DerefMut for Link {
    fn deref_mut(&mut self) -> &mut Open {
        &mut self.0
    }
}

struct Idle {
    link: Link,
    since: Instant,
}

impl Idle {
    fn is_usable(&self, now: Instant) -> bool {
        self.link.is_usable(now) && now.duration_since(self.since) < self.link.keep_for
    }
}

/// Takes the connection to `origin` that was used last, if there is one that is ready.
///
/// One whose request body is still under way is neither ready nor closed; it
/// stays on the shelf until it is one of the two.
pub(super) fn take(pool: PoolId, origin: &Origin, now: Instant) -> Option<Link> {
    SHELVES.with_borrow_mut(|shelves| {
        let shelf = shelves.iter_mut().find(|shelf| shelf.pool == pool && shelf.origin == *origin)?;
        for at in (0..shelf.idle.len()).rev() {
            let idle = &shelf.idle[at];
            if !idle.is_usable(now) {
                shelf.idle.remove(at);
            } else if idle.link.sender.is_ready() {
                return Some(shelf.idle.remove(at).link);
            }
        }
        None
    })
}

/// Drops the idle connections to `origin` on this thread, since another one to it has failed.
pub(super) fn distrust(pool: PoolId, origin: &Origin) {
    SHELVES.with_borrow_mut(|shelves| {
        shelves.retain(|shelf| shelf.pool != pool || shelf.origin != *origin);
    });
}

/// Drops what is too old, has been idle for too long or was closed by the upstream, on this thread.
pub(super) fn sweep() {
    let now = Instant::now();
    SHELVES.with_borrow_mut(|shelves| {
        for shelf in shelves.iter_mut() {
            shelf.idle.retain(|idle| idle.is_usable(now));
        }
        shelves.retain(|shelf| !shelf.idle.is_empty());
    });
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("origin", &self.origin).finish_non_exhaustive()
    }
}
