//! `Expect: 100-continue` towards upstreams (RFC 9110 10.1.1).
//!
//! Nothing of a body travels before the upstream asks for it, or has had
//! [`CONTINUE_WAIT`] to do so: until then the gate of the body's reader is closed.
//! An upstream that answers otherwise gets nothing, the client is never asked, and
//! the body can begin again.
//!
//! 1. A client's own `Expect` is passed on, always.
//! 2. We add ours where a body may come to more than can be kept.
//! 3. An upstream that took a body without ever having asked for it does not know
//!    the field, so our own is left out for [`MEMORY`]. So does one that answers
//!    ours with 417, and the request is sent again without it.
//! 4. Slowness is no ignorance: a 100 that comes after the wait is one, and an
//!    error that comes instead of it says nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;

use super::pool::Origin;
use super::upload::{Gate, Turn};

/// How long to wait for the upstream's 100 before the body goes without it; the same as curl's.
pub(super) const CONTINUE_WAIT: Duration = Duration::from_secs(1);

/// For how long an upstream that knows no `Expect` gets none; it may be upgraded one day.
const MEMORY: Duration = Duration::from_secs(600);

/// Whose expectation a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expectation {
    /// Nobody's.
    None,
    /// The client's own.
    Clients,
    /// Ours.
    Ours,
}

/// Upstreams that do not know `Expect`, and since when we know. Shared by all clones of a client.
#[derive(Clone, Debug, Default)]
pub(super) struct Ignorant(Arc<Mutex<Vec<(Origin, Instant)>>>);

impl Ignorant {
    /// Whether our `Expect` is to be left out.
    pub(super) fn has(&self, origin: &Origin) -> bool {
        self.current().iter().any(|(known, _)| known == origin)
    }

    /// Remembers `origin`, from now on.
    pub(super) fn note(&self, origin: &Origin) {
        let mut known = self.current();
        match known.iter_mut().find(|(known, _)| known == origin) {
            Some((_, since)) => *since = Instant::now(),
            None => known.push((origin.clone(), Instant::now())),
        }
    }

    /// Rule 3 and 4, when a final answer of `status` has come.
    pub(super) fn learn(&self, origin: &Origin, turn: &Turn, status: StatusCode) {
        let is_error = status.is_client_error() || status.is_server_error();
        if turn.gate() == Gate::Overdue && !is_error {
            self.note(origin);
        }
    }

    /// What is known and not yet forgotten.
    fn current(&self) -> MutexGuard<'_, Vec<(Origin, Instant)>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(_, since)| since.elapsed() < MEMORY);
        known
    }
}
