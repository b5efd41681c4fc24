//! `SnapshotCell`: the current snapshot, one writer, any number of readers.
//!
//! Readers load a pointer and never wait while the token is good. Only where
//! there is none do they wait, bounded, for the writer to publish the next.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::{Notify, watch};

use super::keystone::AuthError;
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

/// Why a request gets no token.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NoToken {
    /// The first login has not ended yet.
    #[error("no token yet: the first login is still under way; try again in a moment")]
    Starting,
    /// The token has expired and the login that is under way takes its time.
    #[error(
        "the token has expired, and the identity service has not answered the next login yet; try again in a moment"
    )]
    Expired,
    /// Keystone cannot be reached or does not work.
    #[error("no valid token, and the identity service gives no new one: {0}")]
    Unreachable(Arc<AuthError>),
    /// Keystone refuses the credentials.
    #[error("the identity service refuses the credentials; correct them and restart: {0}")]
    Refused(Arc<AuthError>),
    /// A token given to us has run out.
    #[error(
        "the token that this proxy was given has expired and cannot be renewed; give it a new one, or a password or application credential"
    )]
    SpentToken,
}

/// The current snapshot and the state of the one who writes it.
#[derive(Debug)]
pub struct SnapshotCell {
    current: ArcSwapOption<Snapshot>,
    phase: watch::Sender<Phase>,
    look_again: Notify,
    clock: Clock,
}

impl SnapshotCell {
    /// An empty cell.
    pub fn new(clock: Clock) -> Self {
        let phase = watch::Sender::new(Phase::Starting);
        Self { current: ArcSwapOption::empty(), phase, look_again: Notify::new(), clock }
    }

    /// The current snapshot, even if it has expired.
    pub fn current(&self) -> Option<Arc<Snapshot>> {
        self.current.load_full()
    }

    /// The current snapshot if it may be used now.
    pub fn valid(&self) -> Option<Arc<Snapshot>> {
        let snapshot = self.current.load_full()?;
        (!snapshot.life.expires.is_over(self.clock.now())).then_some(snapshot)
    }

    /// What the writer is doing.
    pub fn phase(&self) -> Phase {
        self.phase.borrow().clone()
    }

    /// Follows what the writer is doing.
    pub fn watch(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
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
        let mut phase = self.phase.subscribe();
        // After a laptop's sleep the writer may not have looked at the wall clock yet.
        self.look_again.notify_one();
        let valid = async {
            loop {
                let now = phase.borrow_and_update().clone();
                if let Some(snapshot) = self.valid() {
                    return Ok(snapshot);
                }
                // Waiting is of no use where nothing will come.
                if let Phase::Refused(_) | Phase::SpentToken = now {
                    return Err(self.reason());
                }
                if phase.changed().await.is_err() {
                    return Err(self.reason());
                }
            }
        };
        match tokio::time::timeout(wait, valid).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.reason()),
        }
    }

    fn reason(&self) -> NoToken {
        match self.phase() {
            Phase::Starting => NoToken::Starting,
            Phase::Fresh => NoToken::Expired,
            Phase::Failing(error) => NoToken::Unreachable(error),
            Phase::Refused(error) => NoToken::Refused(error),
            Phase::SpentToken => NoToken::SpentToken,
        }
    }

    /// Ends when a request has found no valid token. For the one writer.
    pub(super) async fn missed(&self) {
        self.look_again.notified().await;
    }

    /// Makes `snapshot` the current one and wakes those who wait. For the one writer.
    pub(super) fn publish(&self, snapshot: Snapshot) {
        self.current.store(Some(Arc::new(snapshot)));
        self.phase.send_replace(Phase::Fresh);
    }

    /// Tells those who wait how it stands. For the one writer.
    pub(super) fn report(&self, phase: Phase) {
        self.phase.send_replace(phase);
    }
}
