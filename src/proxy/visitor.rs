//! `Visitor`: who is at the other end of a connection and what was decided about them, once for all their requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::guard::Unwelcome;
use crate::server::Peer;

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Where, and which user.
    pub(crate) peer: Peer,
    /// The user's name, where something is going to show it.
    pub(crate) name: Option<Arc<str>>,
    /// Where they are, in words, likewise.
    pub(super) address: Option<Arc<str>>,
    /// Why no request of theirs is answered.
    pub(super) refusal: Option<Unwelcome>,
}

impl Visitor {
    /// Where they are, in words.
    pub(crate) fn shown_address(&self) -> Arc<str> {
        self.address.clone().unwrap_or_else(|| self.peer.address.to_string().into())
    }

    /// Whether no request of theirs is answered.
    pub(crate) fn is_refused(&self) -> bool {
        self.refusal.is_some()
    }
}

/// Tells the log who was refused, without letting them fill it: each user, or those that nobody knows, at most once in
/// [`QUIET`], and then how often meanwhile.
#[derive(Debug, Default)]
pub(super) struct RefusalLog {
    told: Mutex<HashMap<Option<u32>, Told>>,
}

#[derive(Debug)]
struct Told {
    at: Instant,
    since: u64,
}

impl RefusalLog {
    /// One more.
    pub(super) fn refused(&self, peer: &Peer, why: &Unwelcome) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let user = peer.user.id();
        let more = match told.get_mut(&user) {
            Some(told) if told.at.elapsed() < QUIET => {
                told.since += 1;
                return;
            }
            Some(told) => told.since,
            None => 0,
        };
        if told.len() >= MOST_USERS {
            told.clear();
        }
        told.insert(user, Told { at: Instant::now(), since: 0 });
        warn!(peer = %peer.address, user, more, detail = %why, "a connection is refused");
    }
}

const QUIET: Duration = Duration::from_secs(60);
/// Of which the log remembers that they were told.
const MOST_USERS: usize = 256;
