//! `Refresher`: the only one who logs in, and the only writer of the snapshot.
//!
//! 1. Logs in; publishes; sleeps until the snapshot's `refresh_at`; begins again.
//! 2. Keystone down, slow, wrong: tries again with backoff and jitter, and honours
//!    `Retry-After`. The old snapshot stays, and serves while it is valid.
//! 3. Credentials refused: trying again locks accounts, so there are at most three
//!    tries in a row, far apart, below any lockout limit that is in use. At
//!    start, with `on_refused = exit`, there is one.
//! 4. Credentials that cannot be renewed: one login, then a warning, then the end.
//!
//! It sleeps in short pieces and looks at both clocks after each, since a timer
//! stands still while a laptop sleeps. A request that finds no valid token makes it look at once.

use std::sync::Arc;
use std::time::Duration;

use tracing::{debug, error, info, warn};

use super::cell::{Phase, SnapshotCell};
use super::keystone::{AuthError, Keystone, Login};
use super::snapshot::{HeldScope, Holder, Life, Snapshot};
use super::{IdentityMetrics, OnRefused, Settings};
use crate::backoff::Backoff;
use crate::catalog::Catalog;
use crate::client::Client;
use crate::clock::{Clock, Moment};
use crate::routing::{Build, Preferences, RouteTable};

/// Keeps the snapshot fresh until it is dropped.
#[derive(Debug)]
pub struct Refresher {
    keystone: Keystone,
    settings: Settings,
    preferences: Preferences,
    cell: Arc<SnapshotCell>,
    metrics: Arc<IdentityMetrics>,
    clock: Clock,
    backoff: Backoff,
    refusals: u32,
    generation: u64,
}

impl Refresher {
    /// Prepares; nothing is sent before [`Refresher::run`].
    pub fn new(
        client: Client,
        settings: Settings,
        preferences: Preferences,
        cell: Arc<SnapshotCell>,
        metrics: Arc<IdentityMetrics>,
    ) -> Self {
        let clock = cell.clock().clone();
        let keystone = Keystone::new(client, clock.clone(), settings.credentials.clone());
        let backoff = Backoff::new(FIRST_RETRY, LAST_RETRY);
        Self { keystone, settings, preferences, cell, metrics, clock, backoff, refusals: 0, generation: 0 }
    }

    /// Runs for as long as the proxy does. Returns only a refusal of the credentials, or a
    /// certificate that is not trusted, at start, where the settings say that this ends the program.
    pub async fn run(mut self) -> Arc<AuthError> {
        debug!(credentials = ?self.settings.credentials, "logging in");
        loop {
            let wake_at = match self.keystone.authenticate().await {
                Ok(login) => self.accept(login),
                Err(refusal) if self.ends_the_program(&refusal) => {
                    let refusal = Arc::new(refusal);
                    // Requests that wait for a token need not wait any longer.
                    self.cell.report(Phase::Refused(Arc::clone(&refusal)));
                    return refusal;
                }
                Err(failure) => self.reject(failure),
            };
            match wake_at {
                Some(moment) => self.sleep_until(moment).await,
                None => std::future::pending().await,
            }
            if self.generation > 0 && !self.keystone.is_renewable() {
                error!("the token given to this proxy has expired and cannot be renewed");
                self.cell.report(Phase::SpentToken);
                std::future::pending::<()>().await;
            }
        }
    }

    /// Logs in once and builds a snapshot, for `check`; nothing is published.
    pub async fn once(
        client: &Client,
        settings: &Settings,
        preferences: &Preferences,
        clock: &Clock,
    ) -> Result<Snapshot, AuthError> {
        let cell = Arc::new(SnapshotCell::new(clock.clone()));
        let metrics = Arc::default();
        let mut refresher = Self::new(client.clone(), settings.clone(), preferences.clone(), cell, metrics);
        let login = refresher.keystone.authenticate().await?;
        Ok(refresher.snapshot(login))
    }

    /// Publishes what a login brought; tells when to go on.
    fn accept(&mut self, login: Login) -> Option<Moment> {
        let now = self.clock.now();
        if login.sent.plus(login.lifetime).is_over(now) {
            return self.reject(AuthError::AlreadyExpired { url: self.keystone.url() });
        }
        self.backoff.reset();
        self.refusals = 0;
        self.metrics.succeeded();
        let snapshot = self.snapshot(login);
        let life = snapshot.life;
        info!(
            generation = snapshot.generation,
            lifetime_s = life.lifetime.as_secs(),
            user = %snapshot.holder.user.name,
            scope = %snapshot.holder.scope,
            "token obtained"
        );
        let first = self.generation == 1;
        for warning in snapshot.routes.warnings().iter().filter(|_| first) {
            warn!("{warning}");
        }
        self.cell.publish(snapshot);
        if self.keystone.is_renewable() {
            let soonest = now.plus(LEAST_BETWEEN_LOGINS);
            return Some(if life.refresh_at.is_over(soonest) { soonest } else { life.refresh_at });
        }
        warn!(
            left_s = life.expires.remaining(now).as_secs(),
            "this token cannot be renewed; requests fail once it has expired"
        );
        Some(life.expires)
    }

    fn snapshot(&mut self, login: Login) -> Snapshot {
        let Login { token, sent, lifetime, body } = login;
        self.generation += 1;
        let scope = match (body.project, body.domain, body.system) {
            (Some(project), _, _) => HeldScope::Project(project),
            (None, Some(domain), _) => HeldScope::Domain(domain),
            (None, None, Some(_)) => HeldScope::System,
            (None, None, None) => HeldScope::Unscoped,
        };
        let previous = self.cell.current();
        let catalog = Catalog::from_wire(body.catalog.unwrap_or_default());
        let routes = RouteTable::build(Build {
            catalog: &catalog,
            auth_url: &self.settings.credentials.auth_url,
            preferences: &self.preferences,
            project_id: scope.project_id(),
            user_id: Some(&body.user.id),
            project_scoped: !matches!(scope, HeldScope::Unscoped),
            previous: previous.as_deref().map(|snapshot| &snapshot.routes),
        });
        let jitter = fastrand::f64() * 2.0 - 1.0;
        Snapshot {
            generation: self.generation,
            token,
            life: Life::new(sent, lifetime, jitter),
            holder: Holder { user: body.user, scope, roles: body.roles },
            catalog,
            routes,
        }
    }

    fn ends_the_program(&self, error: &AuthError) -> bool {
        let is_mistake = error.is_refusal() || error.is_distrust();
        is_mistake && self.generation == 0 && self.settings.on_refused == OnRefused::Exit
    }

    /// Notes a failure; tells when to try again, or `None` for never.
    fn reject(&mut self, failure: AuthError) -> Option<Moment> {
        let now = self.clock.now();
        let failure = Arc::new(failure);
        if failure.is_refusal() {
            self.metrics.refused();
            self.refusals += 1;
            let tries_left = MOST_REFUSALS.saturating_sub(self.refusals);
            error!(error = %failure, tries_left, "the identity service refuses the credentials");
            self.cell.report(Phase::Refused(failure));
            return (tries_left > 0).then(|| now.plus(REFUSED_RETRY * self.refusals));
        }
        self.metrics.failed();
        let asked = failure.retry_after().unwrap_or_default();
        let wait = self.backoff.next(fastrand::f64()).max(asked);
        warn!(error = %failure, retry_in_ms = wait.as_millis(), "no new token");
        self.cell.report(Phase::Failing(failure));
        Some(now.plus(wait))
    }

    async fn sleep_until(&self, moment: Moment) {
        loop {
            let left = moment.remaining(self.clock.now());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left.min(LONGEST_SLEEP)) => {}
                () = self.cell.missed() => {}
            }
        }
    }
}

/// However short tokens live, providers limit logins (60 a minute at one of the largest).
const LEAST_BETWEEN_LOGINS: Duration = Duration::from_secs(1);
/// The first wait after a failure; with 10 s of `token_wait`, a request sees several tries.
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// The longest wait between tries; short, since Keystone's return should be noticed soon.
const LAST_RETRY: Duration = Duration::from_secs(15);
/// Tries in a row with credentials that are refused. Keystone's own example locks after 5.
const MOST_REFUSALS: u32 = 3;
/// Wait after a refusal, times the refusals so far: lockout periods in use are 15 to 30 minutes.
const REFUSED_RETRY: Duration = Duration::from_secs(600);
/// Longest sleep without a look at the wall clock.
const LONGEST_SLEEP: Duration = Duration::from_secs(15);
