//! `Candidate`: changed credentials that no login has succeeded with yet.

use std::sync::Arc;
use std::time::Duration;

use super::credentials::Credentials;
use super::error::AuthError;
use super::issuer::Issuer;
use super::reload::Waiting;
use crate::backoff::Backoff;
use crate::client::Client;
use crate::clock::Moment;
use crate::routing::Preferences;

/// Credentials to be tried beside those in use.
#[derive(Debug)]
pub(super) struct Candidate<I> {
    pub(super) issuer: Arc<I>,
    /// What the settings that they came with say of endpoints.
    pub(super) preferences: Preferences,
    /// Who is to be told before they are used.
    pub(super) waiting: Option<Waiting>,
    /// `None` once they have been refused.
    try_at: Option<Moment>,
    backoff: Backoff,
    problem: Option<String>,
}

impl<I: Issuer> Candidate<I> {
    pub(super) fn new(issuer: I, preferences: Preferences, waiting: Option<Waiting>, now: Moment) -> Self {
        let backoff = Backoff::new(FIRST_RETRY, LAST_RETRY);
        Self { issuer: Arc::new(issuer), preferences, waiting, try_at: Some(now), backoff, problem: None }
    }

    /// The same by another way, and with what else has changed meanwhile.
    pub(super) fn by(self, client: Client, preferences: Preferences, waiting: Option<Waiting>) -> Self {
        Self { issuer: Arc::new(self.issuer.through(client)), preferences, waiting, ..self }
    }

    /// Time left until the next try; `None` if there is to be none.
    pub(super) fn left(&self, now: Moment) -> Option<Duration> {
        Some(self.try_at?.remaining(now))
    }

    pub(super) fn is_due(&self, now: Moment) -> bool {
        self.left(now) == Some(Duration::ZERO)
    }

    /// Whether it is about these very credentials.
    pub(super) fn is_for(&self, credentials: &Credentials) -> bool {
        self.issuer.credentials() == credentials
    }

    /// Whether they have been refused, and wait for others or for a person who asks.
    pub(super) fn was_refused(&self) -> bool {
        self.try_at.is_none()
    }

    /// Why they are not in use, if they have been tried.
    pub(super) fn problem(&self) -> Option<String> {
        self.problem.clone()
    }

    /// Something that cannot wait came between.
    pub(super) fn interrupted(&mut self, now: Moment) {
        self.try_at = Some(now.plus(self.backoff.next(fastrand::f64())));
    }

    /// Plans the next try; refused credentials get none, since each try counts towards a lockout.
    pub(super) fn failed(&mut self, failure: &AuthError, problem: &str, now: Moment) {
        self.problem = Some(problem.to_owned());
        let wait = self.backoff.next(fastrand::f64()).max(failure.retry_after().unwrap_or_default());
        self.try_at = (!failure.is_refusal()).then(|| now.plus(wait));
    }
}

/// The first wait after a failure.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest; nothing is urgent while the old credentials serve.
const LAST_RETRY: Duration = Duration::from_secs(60);
