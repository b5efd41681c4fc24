//! `Refresher`: the only one who logs in, and the only writer of the snapshot.
//!
//! 1. Logs in; publishes; waits until the snapshot's `refresh_at`; begins again.
//! 2. Keystone down, slow, wrong: tries again with backoff and jitter, and honours
//!    `Retry-After`. The old snapshot stays, and serves while it is valid.
//! 3. Credentials refused: trying again locks accounts, so there are at most three
//!    tries in a row, far apart, below any lockout limit that is in use. At
//!    start, with `on_refused = exit`, there is one. Other credentials, or a person who
//!    asks, begin the count anew.
//! 4. Credentials that cannot be renewed: one login, then a warning, then the end.
//! 5. A service refuses the token: see [`super::heal`].
//! 6. Changed credentials: those before them go on until a login with the new ones has succeeded. If
//!    they are refused, that is told, and they are not tried again before they change once more.
//! 7. A token that was kept over a restart serves at once, and is asked about meanwhile.
//! 8. Every hour, and once at start: what there is to know beside tokens ([`super::survey`]).
//!
//! It sleeps in short pieces and looks at both clocks after each, since a timer
//! stands still while a laptop sleeps. A request that finds no valid token makes it look at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tracing::{debug, error, info, warn};

use super::candidate::Candidate;
use super::cell::{Check, Phase, SnapshotCell, Standing};
use super::error::AuthError;
use super::heal::Heard;
use super::issuer::{Issuer, Login};
use super::jitter::Jitter;
use super::keeper::{Keeper, Origin, Trust};
use super::keystone::Keystone;
use super::notices::Teller;
use super::plan::Plan;
use super::snapshot::{Account, HeldScope, Holder, Life, Snapshot};
use super::survey;
use super::{IdentityMetrics, OnRefused, ReloadOutcome, Settings};
use crate::backoff::Backoff;
use crate::catalog::Catalog;
use crate::client::Client;
use crate::clock::{Clock, Moment};
use crate::routing::{Build, Preferences, RouteTable};

mod change;

use self::change::Problems;

/// Keeps the snapshot fresh until it is dropped.
#[derive(Debug)]
pub struct Refresher<I = Keystone> {
    issuer: Arc<I>,
    candidate: Option<Candidate<I>>,
    keeper: Keeper<I>,
    reloads: mpsc::UnboundedReceiver<ReloadOutcome>,
    settings: Settings,
    preferences: Preferences,
    cell: Arc<SnapshotCell>,
    metrics: Arc<IdentityMetrics>,
    clock: Clock,
    plan: Plan,
    backoff: Backoff,
    jitter: Jitter,
    refusals: u32,
    /// Whether a person has asked for the next login.
    is_asked_for: bool,
    generation: u64,
    survey_at: Option<Moment>,
    teller: Teller,
    problems: Problems,
}

impl Refresher {
    /// Prepares; nothing is sent before [`Refresher::run`].
    pub fn new(
        client: Client,
        mut settings: Settings,
        preferences: Preferences,
        cell: Arc<SnapshotCell>,
        metrics: Arc<IdentityMetrics>,
        reloads: mpsc::UnboundedReceiver<ReloadOutcome>,
    ) -> Self {
        let rest = settings.credentials.without_secret();
        let credentials = std::mem::replace(&mut settings.credentials, rest);
        let issuer = Keystone::new(client, cell.clock().clone(), credentials);
        Self::with(issuer, settings, preferences, cell, metrics, reloads)
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
        let (settings, preferences) = (settings.clone(), preferences.clone());
        let (_, reloads) = mpsc::unbounded_channel();
        let mut refresher = Self::new(client.clone(), settings, preferences, cell, metrics, reloads);
        let login = refresher.issuer.log_in().await?;
        let snapshot = refresher.snapshot(login);
        let found = survey::take(&*refresher.issuer, &snapshot, false).await;
        Ok(refresher.with_findings(snapshot, found))
    }
}

impl<I: Issuer> Refresher<I> {
    pub(super) fn with(
        issuer: I,
        settings: Settings,
        preferences: Preferences,
        cell: Arc<SnapshotCell>,
        metrics: Arc<IdentityMetrics>,
        reloads: mpsc::UnboundedReceiver<ReloadOutcome>,
    ) -> Self {
        let clock = cell.clock().clone();
        Self {
            issuer: Arc::new(issuer),
            candidate: None,
            keeper: Keeper::new(&settings, clock.clone()),
            reloads,
            settings,
            preferences,
            cell,
            metrics,
            plan: Plan::new(clock.now()),
            clock,
            backoff: Backoff::new(FIRST_RETRY, LAST_RETRY),
            jitter: Jitter::default(),
            refusals: 0,
            is_asked_for: false,
            generation: 0,
            survey_at: None,
            teller: Teller::default(),
            problems: Problems::default(),
        }
    }

    /// Runs for as long as the proxy does. Returns only a refusal of the credentials, or a
    /// certificate that is not trusted, at start, where the settings say that this ends the program.
    ///
    /// May be dropped at any point and called again, to go on.
    pub async fn run(&mut self) -> Arc<AuthError> {
        if self.generation == 0
            && let Some(login) = self.keeper.kept(&*self.issuer).await
        {
            // The clock that says it has not expired may be wrong, and it may have been revoked.
            let check = tokio::time::timeout(KEPT_CHECK_WAIT, self.issuer.check(&login.token)).await;
            if matches!(check, Ok(Ok(false))) {
                info!("the kept token is not good any more");
            } else {
                self.metrics.kept();
                self.accept(login).await;
            }
        }
        loop {
            let now = self.clock.now();
            if self.candidate.as_ref().is_some_and(|candidate| candidate.is_due(now)) {
                self.try_candidate().await;
                continue;
            }
            if self.plan.is_due(now) {
                if let Err(refusal) = self.log_in().await {
                    return refusal;
                }
                continue;
            }
            if self.has_spent_its_token(now) {
                error!("the token given to this proxy has expired and cannot be renewed");
                self.cell.report(Phase::SpentToken);
            }
            if self.survey_at.is_some_and(|at| at.is_over(now)) {
                self.survey(now).await;
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(self.pause(now)) => {}
                () = self.cell.missed() => {}
                () = self.cell.complaints.heard() => self.hear().await,
                Some(outcome) = self.reloads.recv() => self.reload(outcome),
            }
        }
    }

    /// The end: nobody needs the tokens any more.
    pub async fn end(&mut self) {
        self.keeper.end().await;
    }

    /// One login. The error ends the program.
    async fn log_in(&mut self) -> Result<(), Arc<AuthError>> {
        let is_healing = self.plan.begin();
        let is_asked_for = std::mem::take(&mut self.is_asked_for);
        if is_healing {
            self.metrics.healing();
        }
        let current = self.cell.current();
        let token = current.as_ref().map(|snapshot| &snapshot.token);
        // What revoked ours may have revoked the one that another process has kept.
        let must_be_good = is_healing || is_asked_for || self.cell.is_dead(self.generation);
        let trust = if must_be_good { Trust::IfGood } else { Trust::AsItIs };
        match self.keeper.obtain(&self.issuer, token, trust).await {
            Ok((login, origin)) => {
                if origin == Origin::Cache {
                    self.plan.spared();
                }
                self.obtained(login, origin).await;
            }
            Err(refusal) if self.ends_the_program(&refusal) => {
                let refusal = Arc::new(refusal);
                // Requests that wait for a token need not wait any longer.
                self.cell.report(Phase::Refused(Arc::clone(&refusal)));
                return Err(refusal);
            }
            Err(failure) => {
                let is_refused = failure.is_refusal();
                self.reject(failure);
                // Those who complain want to know whether the old one is good.
                if is_refused && self.cell.valid().is_some() {
                    self.check().await;
                }
            }
        }
        Ok(())
    }

    async fn obtained(&mut self, login: Login, origin: Origin) {
        match origin {
            Origin::Keystone => self.metrics.succeeded(),
            Origin::Cache => self.metrics.kept(),
        }
        self.accept(login).await;
    }

    /// Publishes what a login brought, and plans the next.
    async fn accept(&mut self, login: Login) {
        let now = self.clock.now();
        if login.sent.plus(login.lifetime).is_over(now) {
            return self.reject(AuthError::AlreadyExpired { url: self.issuer.url() });
        }
        self.backoff.reset();
        self.refusals = 0;
        let snapshot = self.snapshot(login);
        info!(
            generation = snapshot.generation,
            lifetime_s = snapshot.life.lifetime.as_secs(),
            user = %snapshot.holder.user.name,
            scope = %snapshot.holder.scope,
            "token obtained"
        );
        let token = snapshot.token.clone();
        self.publish(snapshot);
        // Requests have it already; whoever waits for the word that we are ready finds the file, too.
        self.keeper.write(&token).await;
        self.cell.report(Phase::Fresh);
    }

    /// Makes a snapshot with another token the current one.
    fn publish(&mut self, snapshot: Snapshot) {
        let now = self.clock.now();
        let first = snapshot.generation == 1;
        for warning in snapshot.routes.warnings().iter().filter(|_| first) {
            warn!("{warning}");
        }
        if snapshot.account.is_renewable {
            self.plan.rest(snapshot.life.refresh_at, now);
        } else {
            self.plan.retry(None, now);
        }
        self.teller.tell(&snapshot, now);
        // The catalog is as fresh as the token; the account has not been looked at yet.
        self.survey_at = Some(if first { now } else { self.survey_at.unwrap_or(now) });
        self.cell.publish(snapshot);
        self.cell.nudge();
    }

    fn snapshot(&mut self, login: Login) -> Snapshot {
        let (anchor, password_end) = (login.anchor(), login.password_end());
        let Login { token, sent, lifetime, refresh_within, body, .. } = login;
        self.generation += 1;
        let scope = match (body.project, body.domain, body.system) {
            (Some(project), _, _) => HeldScope::Project(project),
            (None, Some(domain), _) => HeldScope::Domain(domain),
            (None, None, Some(_)) => HeldScope::System,
            (None, None, None) if body.standalone => HeldScope::Standalone,
            (None, None, None) => HeldScope::Unscoped,
        };
        let previous = self.cell.current().filter(|previous| previous.holder.is_same(&body.user, &scope));
        let account = Account {
            password_end,
            is_renewable: self.issuer.credentials().method.is_renewable(),
            ..previous.as_ref().map(|previous| previous.account.clone()).unwrap_or_default()
        };
        let holder = Holder {
            user: body.user,
            scope,
            roles: body.roles,
            credential_id: body.application_credential.map(|credential| credential.id),
        };
        let catalog = Catalog::from_wire(body.catalog.unwrap_or_default());
        let (catalog, catalog_is_kept) = keep_if_empty(catalog, previous.as_deref());
        let routes = self.routes(&catalog, &holder);
        let jitter = self.jitter.next();
        let life = Life::new(sent, lifetime, jitter).refreshed_within(refresh_within, jitter);
        let generation = self.generation;
        Snapshot { generation, token, life, holder, catalog, routes, account, catalog_is_kept, anchor }
    }

    fn routes(&self, catalog: &Catalog, holder: &Holder) -> RouteTable {
        RouteTable::build(Build {
            catalog,
            auth_url: self.issuer.credentials().auth_url.as_ref(),
            preferences: &self.preferences,
            project_id: holder.scope.project_id(),
            user_id: Some(&holder.user.id),
            project_scoped: !matches!(holder.scope, HeldScope::Unscoped),
            previous: self.cell.current().as_deref().map(|snapshot| &snapshot.routes),
        })
    }

    fn ends_the_program(&self, error: &AuthError) -> bool {
        let is_mistake = error.is_refusal() || error.is_distrust();
        is_mistake && self.generation == 0 && self.settings.on_refused == OnRefused::Exit
    }

    /// Notes a failure, and plans the next try.
    fn reject(&mut self, failure: AuthError) {
        let now = self.clock.now();
        let failure = Arc::new(failure);
        if failure.is_refusal() {
            self.metrics.refused();
            self.refusals += 1;
            let tries_left = MOST_REFUSALS.saturating_sub(self.refusals);
            error!(error = %failure, tries_left, "the identity service refuses the credentials");
            self.plan.retry((tries_left > 0).then(|| now.plus(REFUSED_RETRY * self.refusals)), now);
            return self.cell.report(Phase::Refused(failure));
        }
        self.metrics.failed();
        let asked = failure.retry_after().unwrap_or_default();
        let wait = self.backoff.next(fastrand::f64()).max(asked);
        warn!(error = %failure, retry_in_ms = wait.as_millis(), "no new token");
        self.plan.retry(Some(now.plus(wait)), now);
        self.cell.report(Phase::Failing(failure));
    }

    /// Services have refused the token: logs in soon, or asks Keystone whether it is good.
    async fn hear(&mut self) {
        let Heard { refused, doubted } = self.cell.complaints.take();
        let current = self.generation;
        let is_about_this = current > 0 && (refused == current || doubted == current);
        if !is_about_this || self.cell.is_dead(current) {
            return self.cell.nudge();
        }
        if refused == current && self.plan.hurry(self.clock.now()) {
            return info!(generation = current, "a service refused the token; logging in");
        }
        let check = self.cell.last_check();
        match check.filter(|check| check.generation == current && check.is_fresh()) {
            Some(_) => self.cell.nudge(),
            None => self.check().await,
        }
    }

    /// Asks whether the current token is good, and takes it out of use if it is not.
    async fn check(&mut self) {
        let Some(snapshot) = self.cell.current() else { return };
        let standing = tokio::select! {
            answer = self.issuer.check(&snapshot.token) => match answer {
                Ok(true) => Standing::Good,
                Ok(false) => Standing::Dead,
                Err(error) => Standing::Unknown(Arc::new(error)),
            },
            // The next token is the better answer.
            () = until_login(&self.plan, &self.clock, &self.cell) => return,
        };
        let generation = snapshot.generation;
        self.metrics.checked(&standing);
        match &standing {
            Standing::Good => debug!(generation, "a service refuses requests, but the token is good"),
            Standing::Unknown(error) => {
                warn!(%error, "a service refused the token; whether it is good is not known")
            }
            Standing::Dead => {
                warn!(generation, "the token has been revoked");
                self.cell.bury(generation);
                if !snapshot.account.is_renewable {
                    self.cell.report(Phase::SpentToken);
                }
                self.plan.replace(self.clock.now());
            }
        }
        self.cell.report_check(Check { generation, at: tokio::time::Instant::now(), standing });
    }

    /// Looks after the catalog and the account, unless a login or a complaint comes between.
    async fn survey(&mut self, now: Moment) {
        let Some(snapshot) = self.cell.valid() else {
            self.survey_at = Some(now.plus(SURVEY_RETRY));
            return;
        };
        let is_new = now.monotonic.duration_since(snapshot.life.start.monotonic) < SURVEY_EVERY;
        let found = tokio::select! {
            found = survey::take(&*self.issuer, &snapshot, !is_new) => found,
            () = self.cell.complaints.heard() => {
                self.survey_at = Some(now.plus(SURVEY_RETRY));
                return self.hear().await;
            }
            () = until_login(&self.plan, &self.clock, &self.cell) => return,
        };
        self.survey_at = Some(now.plus(SURVEY_EVERY));
        if found.is_anything() {
            let renewed = self.with_findings(Snapshot::clone(&snapshot), found);
            self.teller.tell(&renewed, now);
            self.cell.publish(renewed);
            self.cell.nudge();
        }
    }

    /// The same token with what a survey found.
    fn with_findings(&self, mut snapshot: Snapshot, found: survey::Findings) -> Snapshot {
        if let Some(catalog) = found.catalog {
            let (catalog, is_kept) = keep_if_empty(catalog, Some(&snapshot));
            snapshot.routes = self.routes(&catalog, &snapshot.holder);
            (snapshot.catalog, snapshot.catalog_is_kept) = (catalog, is_kept);
        }
        if let Some(projects) = found.projects {
            snapshot.account.projects = projects;
        }
        if let Some(end) = found.credential_end {
            snapshot.account.credential_end = end.and_then(|end| snapshot.anchor.ours(end));
        }
        snapshot
    }

    fn has_spent_its_token(&self, now: Moment) -> bool {
        let Some(snapshot) = self.cell.current() else { return false };
        let is_over = !snapshot.account.is_renewable && snapshot.life.expires.is_over(now);
        is_over && matches!(self.cell.phase(), Phase::Fresh)
    }

    /// How long to sleep when nothing is due.
    fn pause(&self, now: Moment) -> Duration {
        let survey = self.survey_at.map(|at| at.remaining(now));
        let spent = self.cell.current().map(|snapshot| snapshot.life.expires.remaining(now));
        // What is over has been dealt with.
        let spent = spent.filter(|left| !left.is_zero());
        let candidate = self.candidate.as_ref().and_then(|candidate| candidate.left(now));
        [self.plan.left(now), candidate, survey, spent]
            .into_iter()
            .flatten()
            .fold(LONGEST_SLEEP, Duration::min)
    }
}

/// Ends when the next login is due.
async fn until_login(plan: &Plan, clock: &Clock, cell: &SnapshotCell) {
    loop {
        let left = plan.left(clock.now());
        if left == Some(Duration::ZERO) {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(left.map_or(LONGEST_SLEEP, |left| left.min(LONGEST_SLEEP))) => {}
            // After a laptop's sleep the clocks are to be looked at.
            () = cell.missed() => {}
        }
    }
}

/// A catalog that comes empty after one that was not is an accident of Keystone's, or of its operators.
fn keep_if_empty(catalog: Catalog, previous: Option<&Snapshot>) -> (Catalog, bool) {
    // Where there is no Keystone, it is as the settings say.
    match previous.filter(|previous| previous.holder.scope != HeldScope::Standalone) {
        Some(previous) if catalog.is_empty() && !previous.catalog.is_empty() => {
            (previous.catalog.clone(), true)
        }
        _ => (catalog, false),
    }
}

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
/// Longest wait for what Keystone says of a kept token; while it is down, the token serves.
const KEPT_CHECK_WAIT: Duration = Duration::from_secs(2);
/// How often the catalog and the account are looked after.
const SURVEY_EVERY: Duration = Duration::from_secs(3600);
/// When to look again if something came between.
const SURVEY_RETRY: Duration = Duration::from_secs(60);
