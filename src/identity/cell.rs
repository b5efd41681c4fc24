//! `SnapshotCell`: the current snapshot, one writer, any number of readers.
//!
//! Readers load a pointer and never wait while the token is good. Only where
//! there is none do they wait, bounded, for the writer to publish the next. A
//! reader whose token was refused says so here; see [`super::heal`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::error::AuthError;
use super::snapshot::Snapshot;
use crate::clock::Clock;

/// What the writer is doing, for those who wait and for status.
#[derive(Clone, Debug)]
pub enum Phase {
    /// The first login is under way.
    Starting,
    /// The last login succeeded.
    Fresh,
    /// The last login failed and another will follow; the cause.
    Failing(Arc<AuthError>),
    /// Keystone refuses the credentials; the cause. Tried again rarely or not at all.
    Refused(Arc<AuthError>),
    /// The credentials cannot be renewed and their time is over.
    SpentToken,
}

/// What Keystone said about a token of ours.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    /// It is good.
    Good,
    /// It is not: revoked, or its user, project or role is gone.
    Dead,
    /// Keystone gave no answer that says either.
    Unknown(Arc<AuthError>),
}

/// When Keystone was asked about the token of which generation, and what it said.
#[derive(Clone, Debug)]
pub(super) struct Check {
    pub(super) generation: u64,
    pub(super) at: Instant,
    pub(super) standing: Standing,
}

impl Check {
    /// Whether the answer still stands: Keystone is asked about one token every 10 s at most.
    pub(super) fn is_fresh(&self) -> bool {
        self.at.elapsed() < BETWEEN_CHECKS
    }
}

/// Least time between two questions about the same token.
const BETWEEN_CHECKS: Duration = Duration::from_secs(10);

/// Why a request gets no token.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NoToken {
    /// The first login has not ended yet.
    #[error("no token yet: the first login is still under way; try again in a moment")]
    Starting,
    /// The login that is under way takes its time.
    #[error(
        "there is no valid token, and the identity service has not answered the next login yet; try again in a moment"
    )]
    Slow,
    /// The token was revoked, and the next login has to wait, since the last one is not long ago.
    #[error(
        "the token was revoked, as was the one before it less than 30 s ago; another login follows soon, try again in a moment"
    )]
    Revoked,
    /// Keystone cannot be reached or does not work.
    #[error("no valid token, and the identity service gives no new one: {0}")]
    Unreachable(Arc<AuthError>),
    /// A service refused the token, and Keystone cannot be asked whether it is still good.
    #[error("a service refused the token, and whether it is still good cannot be asked: {0}")]
    Unchecked(Arc<AuthError>),
    /// Keystone refuses the credentials.
    #[error("the identity service refuses the credentials; correct them where they are kept: {0}")]
    Refused(Arc<AuthError>),
    /// A token given to us has run out.
    #[error(
        "the token that this proxy was given is not valid any more and cannot be renewed; give it a new one, or a password or application credential"
    )]
    SpentToken,
}

/// What the writer tells those who wait.
#[derive(Clone, Debug)]
pub struct State {
    /// What it is doing.
    pub phase: Phase,
    /// The last answer about a token.
    pub(super) check: Option<Check>,
    /// Why changed settings are not in use.
    pub reload_problem: Option<Arc<str>>,
}

/// The current snapshot and the state of the one who writes it.
#[derive(Debug)]
pub struct SnapshotCell {
    current: ArcSwapOption<Snapshot>,
    /// Tokens up to this generation are dead, whatever their times say.
    dead: AtomicU64,
    pub(super) state: watch::Sender<State>,
    pub(super) complaints: super::heal::Complaints,
    look_again: Notify,
    clock: Clock,
}

impl SnapshotCell {
    /// An empty cell.
    pub fn new(clock: Clock) -> Self {
        let state = State { phase: Phase::Starting, check: None, reload_problem: None };
        Self {
            current: ArcSwapOption::empty(),
            dead: AtomicU64::new(0),
            state: watch::Sender::new(state),
            complaints: super::heal::Complaints::default(),
            look_again: Notify::new(),
            clock,
        }
    }

    /// The current snapshot, even if it has expired.
    pub fn current(&self) -> Option<Arc<Snapshot>> {
        self.current.load_full()
    }

    /// The current snapshot if it may be used now.
    pub fn valid(&self) -> Option<Arc<Snapshot>> {
        let snapshot = self.current.load_full()?;
        let is_good = !self.is_dead(snapshot.generation) && !snapshot.life.expires.is_over(self.clock.now());
        is_good.then_some(snapshot)
    }

    /// Whether Keystone has said that tokens of this generation are dead.
    pub(super) fn is_dead(&self, generation: u64) -> bool {
        generation <= self.dead.load(Ordering::Acquire)
    }

    /// What the writer is doing.
    pub fn phase(&self) -> Phase {
        self.state.borrow().phase.clone()
    }

    /// Follows what the writer is doing.
    pub fn watch(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// The last answer about a token.
    pub(super) fn last_check(&self) -> Option<Check> {
        self.state.borrow().check.clone()
    }

    /// Why changed settings are not in use, if they are not.
    pub fn reload_problem(&self) -> Option<Arc<str>> {
        self.state.borrow().reload_problem.clone()
    }

    /// The clock that deadlines are compared with.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// A snapshot that may be used, at once if there is one, else within `wait`.
    pub async fn ready(&self, wait: Duration) -> Result<Arc<Snapshot>, NoToken> {
        match self.valid() {
            Some(snapshot) => Ok(snapshot),
            None => self.wait_for_valid(wait).await,
        }
    }

    /// Waits out of line: the fast path stays small.
    async fn wait_for_valid(&self, wait: Duration) -> Result<Arc<Snapshot>, NoToken> {
        let mut state = self.state.subscribe();
        // After a laptop's sleep the writer may not have looked at the wall clock yet.
        self.look_again.notify_one();
        let valid = async {
            loop {
                let phase = state.borrow_and_update().phase.clone();
                if let Some(snapshot) = self.valid() {
                    return Ok(snapshot);
                }
                // Waiting is of no use where nothing will come.
                if let Phase::Refused(_) | Phase::SpentToken = phase {
                    return Err(self.reason());
                }
                if state.changed().await.is_err() {
                    return Err(self.reason());
                }
            }
        };
        match tokio::time::timeout(wait, valid).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.reason()),
        }
    }

    /// Why there is no token, if there is none.
    pub fn reason(&self) -> NoToken {
        match self.phase() {
            Phase::Starting => NoToken::Starting,
            Phase::Fresh if self.current().is_some_and(|snapshot| self.is_dead(snapshot.generation)) => {
                NoToken::Revoked
            }
            Phase::Fresh => NoToken::Slow,
            Phase::Failing(error) => NoToken::Unreachable(error),
            Phase::Refused(error) => NoToken::Refused(error),
            Phase::SpentToken => NoToken::SpentToken,
        }
    }

    /// Ends when a request has found no valid token. For the one writer.
    pub(super) async fn missed(&self) {
        self.look_again.notified().await;
    }

    /// Makes `snapshot` the current one. For the one writer, who then reports.
    pub(super) fn publish(&self, snapshot: Snapshot) {
        self.current.store(Some(Arc::new(snapshot)));
    }

    /// Takes the token of `generation` out of use. For the one writer, who then reports.
    pub(super) fn bury(&self, generation: u64) {
        self.dead.fetch_max(generation, Ordering::AcqRel);
    }

    /// Tells those who wait how it stands. For the one writer.
    pub(super) fn report(&self, phase: Phase) {
        self.state.send_modify(|state| state.phase = phase);
    }

    /// Lets those who wait look again, since a complaint changes nothing. For the one writer.
    pub(super) fn nudge(&self) {
        self.state.send_modify(|_| ());
    }

    /// Tells those who wait what Keystone said about a token. For the one writer.
    pub(super) fn report_check(&self, check: Check) {
        self.state.send_modify(|state| state.check = Some(check));
    }

    /// Says, or takes back, that changed settings are not in use. For the one writer.
    pub(super) fn report_reload(&self, problem: Option<String>) {
        self.state.send_modify(|state| state.reload_problem = problem.map(Into::into));
    }
}
