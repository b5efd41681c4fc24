//! Healing: what a service's refusal of the token leads to (design 4).
//!
//! 1. A newer snapshot is there already: the request goes again with it, at once.
//! 2. The refused token is the current one: one refresh for all who complain, and
//!    the request goes again with what it brings.
//! 3. The request that went again is refused as well: the token was not the cause.
//!    From then on Keystone is asked about that token first (`HEAD /v3/auth/tokens`,
//!    every 10 s at most), and only a token that it calls dead is refreshed. The same
//!    where a refresh is not possible now: less than 30 s after the last one of this
//!    kind, while Keystone is down or refuses the credentials, or with a token that
//!    cannot be renewed.
//! 4. A 403, where a service's setting says that it may mean a dead token, only asks.
//!
//! Who complains only leaves a mark and waits; the refresher does the rest. So a client
//! that hangs up takes nothing with it that others wait for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::cell::{NoToken, Phase, SnapshotCell, Standing, State};
use super::snapshot::Snapshot;

/// How a service refused a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 401: most likely the token is dead.
    Unauthorized,
    /// 403 of a service that says so for dead tokens too: most likely the user lacks a role.
    Forbidden,
}

/// What became of a complaint.
#[derive(Clone, Debug)]
pub enum Healed {
    /// There is another token; send the request again with it.
    Renewed(Arc<Snapshot>),
    /// The token is good: the refusal is the service's own business.
    TokenIsGood,
    /// There is no good token.
    NoToken(NoToken),
}

/// What has been complained of; each field is the highest generation.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    /// Refused with 401.
    unauthorized: AtomicU64,
    /// To be asked about.
    doubted: AtomicU64,
    /// Refused right after a refresh: to be asked about from then on, whatever the refusal.
    absolved: AtomicU64,
    new: Notify,
}

/// Generations that were complained of since the last look; 0 for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// To be refreshed.
    pub(super) refused: u64,
    /// To be asked about.
    pub(super) doubted: u64,
}

impl Complaints {
    /// Takes what has come in.
    pub(super) fn take(&self) -> Heard {
        let take = |field: &AtomicU64| field.swap(0, Ordering::AcqRel);
        let (refused, doubted) = (take(&self.unauthorized), take(&self.doubted));
        let absolved = self.absolved.load(Ordering::Acquire);
        if refused > absolved {
            Heard { refused, doubted }
        } else {
            Heard { refused: 0, doubted: doubted.max(refused) }
        }
    }

    /// Ends when something has come in.
    pub(super) async fn heard(&self) {
        self.new.notified().await;
    }
}

impl SnapshotCell {
    /// Says that a service refused the token of `generation`, and waits for nothing.
    pub fn complain(&self, generation: u64, refusal: Refusal) {
        let field = match refusal {
            Refusal::Unauthorized => &self.complaints.unauthorized,
            Refusal::Forbidden => &self.complaints.doubted,
        };
        field.fetch_max(generation, Ordering::AcqRel);
        self.complaints.new.notify_one();
    }

    /// Says that a request was refused with `generation` although that is newer than the token it was
    /// refused with before: the token was not the cause.
    pub fn absolve(&self, generation: u64) {
        self.complaints.absolved.fetch_max(generation, Ordering::AcqRel);
    }

    /// Whether a refusal of the token of `generation` is known to be the service's own business.
    pub fn is_known_good(&self, generation: u64, refusal: Refusal) -> bool {
        self.must_ask(generation, refusal) && is_known_good(&self.state.borrow(), generation)
    }

    fn must_ask(&self, generation: u64, refusal: Refusal) -> bool {
        refusal == Refusal::Forbidden || generation <= self.complaints.absolved.load(Ordering::Acquire)
    }

    /// Complains and waits, `wait` at most, for what comes of it.
    pub async fn heal(&self, generation: u64, refusal: Refusal, wait: Duration) -> Healed {
        // In this order: what is published after the look at it shows as a change.
        let mut state = self.state.subscribe();
        if let Some(newer) = self.newer_than(generation) {
            return Healed::Renewed(newer);
        }
        if self.must_ask(generation, refusal) && is_known_good(&state.borrow_and_update(), generation) {
            return Healed::TokenIsGood;
        }
        self.complain(generation, refusal);
        let settled = async {
            while state.changed().await.is_ok() {
                let settled = self.settle(&state.borrow_and_update(), generation);
                if let Some(healed) = settled {
                    return healed;
                }
            }
            Healed::NoToken(self.reason())
        };
        match tokio::time::timeout(wait, settled).await {
            Ok(healed) => healed,
            Err(_) => {
                self.newer_than(generation).map_or_else(|| Healed::NoToken(self.reason()), Healed::Renewed)
            }
        }
    }

    fn newer_than(&self, generation: u64) -> Option<Arc<Snapshot>> {
        self.valid().filter(|snapshot| snapshot.generation > generation)
    }

    /// What the state says about a complaint of `generation`; `None` while there is something to wait for.
    fn settle(&self, state: &State, generation: u64) -> Option<Healed> {
        if let Some(newer) = self.newer_than(generation) {
            return Some(Healed::Renewed(newer));
        }
        let check = state.check.as_ref().filter(|check| check.generation == generation)?;
        match (&check.standing, &state.phase) {
            (Standing::Good, _) if check.is_fresh() => Some(Healed::TokenIsGood),
            (Standing::Dead, Phase::Refused(_) | Phase::SpentToken) => Some(Healed::NoToken(self.reason())),
            // The next login follows by itself.
            (Standing::Unknown(_), Phase::Failing(_)) => None,
            (Standing::Unknown(error), _) if check.is_fresh() => {
                Some(Healed::NoToken(NoToken::Unchecked(Arc::clone(error))))
            }
            _ => None,
        }
    }
}

fn is_known_good(state: &State, generation: u64) -> bool {
    let check = state.check.as_ref().filter(|check| check.generation == generation && check.is_fresh());
    check.is_some_and(|check| matches!(check.standing, Standing::Good))
}
