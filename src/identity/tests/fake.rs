//! An identity service in memory, a world with clocks that sleep and step, and the refresher in it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::catalog::{Catalog, Interface};
use crate::client::Client;
use crate::clock::{Clock, Moment};
use crate::identity::credentials::{Credentials, Domain, Method, Project, Scope, User};
use crate::identity::issuer::{Issuer, Login};
use crate::identity::protocol::NamedProject;
use crate::identity::snapshot::{Snapshot, Token};
use crate::identity::{AuthError, IdentityMetrics, OnRefused, Refresher, Settings, SnapshotCell};
use crate::routing::Preferences;
use crate::secret::Secret;

/// How the service behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Works,
    Down,
    Hangs,
    Slow(Duration),
    Fails(u16),
    TooMany(Option<Duration>),
    Refuses,
    Garbage,
    AlreadyExpired,
    EmptyCatalog,
}

/// A token as the service knows it.
#[derive(Clone, Debug)]
struct Issued {
    /// By the world's time.
    end: Duration,
    is_revoked: bool,
}

/// What happened to a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) at: Instant,
    pub(super) succeeded: bool,
    pub(super) was_refused: bool,
    /// Logins for refused tokens by then, this one included.
    pub(super) healings: u64,
}

#[derive(Debug)]
struct State {
    mode: Mode,
    lifetime: Duration,
    issued: Vec<Issued>,
    attempts: Vec<Attempt>,
    checks: Vec<Instant>,
    catalogs: usize,
    slept: Duration,
    stepped: i64,
    last_answer: Option<(Mode, Duration, Bytes)>,
}

/// The world: the service, and a machine that sleeps and whose wall clock is set.
#[derive(Clone, Debug)]
pub(super) struct World {
    start: Instant,
    state: Arc<Mutex<State>>,
    metrics: Arc<IdentityMetrics>,
}

impl World {
    /// Call it within a runtime whose clock is stopped.
    pub(super) fn new(lifetime: Duration) -> Self {
        let state = State {
            mode: Mode::Works,
            lifetime,
            issued: Vec::new(),
            attempts: Vec::new(),
            checks: Vec::new(),
            catalogs: 0,
            slept: Duration::ZERO,
            stepped: 0,
            last_answer: None,
        };
        Self { start: Instant::now(), state: Arc::new(Mutex::new(state)), metrics: Arc::default() }
    }

    pub(super) fn set(&self, mode: Mode) {
        self.state.lock().unwrap().mode = mode;
    }

    pub(super) fn lifetime(&self, lifetime: Duration) {
        self.state.lock().unwrap().lifetime = lifetime;
    }

    /// The machine sleeps: the world and the wall clock go on, the monotonic clock does not.
    pub(super) fn sleep(&self, time: Duration) {
        self.state.lock().unwrap().slept += time;
    }

    /// Somebody sets the wall clock.
    pub(super) fn step(&self, seconds: i64) {
        self.state.lock().unwrap().stepped += seconds;
    }

    /// Revokes every token there is.
    pub(super) fn revoke_all(&self) {
        self.state.lock().unwrap().issued.iter_mut().for_each(|token| token.is_revoked = true);
    }

    /// Whether a service would take this token.
    pub(super) fn takes(&self, snapshot: &Snapshot) -> bool {
        self.is_good(&snapshot.token)
    }

    /// Whether the token's time is over.
    pub(super) fn has_expired(&self, snapshot: &Snapshot) -> bool {
        let end = self.state.lock().unwrap().issued[number(&snapshot.token)].end;
        self.time() >= end
    }

    pub(super) fn attempts(&self) -> Vec<Attempt> {
        self.state.lock().unwrap().attempts.clone()
    }

    pub(super) fn checks(&self) -> Vec<Instant> {
        self.state.lock().unwrap().checks.clone()
    }

    pub(super) fn catalogs(&self) -> usize {
        self.state.lock().unwrap().catalogs
    }

    /// Time since the start, by which tokens really end.
    fn time(&self) -> Duration {
        self.start.elapsed() + self.state.lock().unwrap().slept
    }

    fn is_good(&self, token: &Token) -> bool {
        let issued = self.state.lock().unwrap().issued[number(token)].clone();
        !issued.is_revoked && self.time() < issued.end
    }

    fn clock(&self) -> Clock {
        let world = self.clone();
        Clock::with_wall(move || {
            let stepped = world.state.lock().unwrap().stepped;
            let wall: SystemTime = UNIX_EPOCH + Duration::from_secs(2_000_000_000) + world.time();
            let step = Duration::from_secs(stepped.unsigned_abs());
            if stepped < 0 { wall - step } else { wall + step }
        })
    }

    /// Starts a refresher in this world.
    pub(super) fn refresh(&self) -> (Arc<SnapshotCell>, JoinHandle<Arc<AuthError>>) {
        self.refresh_with(password())
    }

    pub(super) fn refresh_with(&self, method: Method) -> (Arc<SnapshotCell>, JoinHandle<Arc<AuthError>>) {
        let credentials = Credentials {
            auth_url: Some("http://keystone/v3".parse().unwrap()),
            method,
            spare: Vec::new(),
            scope: Scope::Project(Project::Id("p".to_owned())),
        };
        let settings = Settings {
            credentials: credentials.clone(),
            token_wait: Duration::from_secs(10),
            on_refused: OnRefused::Wait,
            token_cache: None,
            token_file: None,
            revoke_on_exit: false,
        };
        let preferences = Preferences { interfaces: vec![Interface::Public], ..Preferences::default() };
        let cell = Arc::new(SnapshotCell::new(self.clock()));
        let issuer = Fake { world: self.clone(), clock: self.clock(), credentials };
        let metrics = Arc::clone(&self.metrics);
        let (_, reloads) = mpsc::unbounded_channel();
        let mut refresher =
            Refresher::with(issuer, settings, preferences, Arc::clone(&cell), metrics, reloads);
        (cell, tokio::spawn(async move { refresher.run().await }))
    }
}

pub(super) fn password() -> Method {
    let user = User::Name { name: "demo".to_owned(), domain: Domain::Id("default".to_owned()) };
    Method::Password { user, password: Secret::new("correct horse") }
}

/// The position of a token among those issued; its text is that.
fn number(token: &Token) -> usize {
    token.header().to_str().unwrap().parse().unwrap()
}

struct Fake {
    world: World,
    clock: Clock,
    credentials: Credentials,
}

impl Fake {
    fn not_told(&self) -> AuthError {
        AuthError::NotTold { url: self.url(), what: "is not well", why: "503".to_owned() }
    }

    /// A question of the kind that needs no login.
    async fn ask<T>(&self, answer: impl FnOnce() -> T) -> Result<T, AuthError> {
        let mode = self.world.state.lock().unwrap().mode;
        match mode {
            Mode::Down | Mode::Fails(_) | Mode::TooMany(_) | Mode::Garbage => Err(self.not_told()),
            Mode::Hangs => {
                tokio::time::sleep(Duration::from_secs(10)).await;
                Err(self.not_told())
            }
            Mode::Slow(time) => {
                tokio::time::sleep(time).await;
                Ok(answer())
            }
            Mode::Works | Mode::Refuses | Mode::AlreadyExpired | Mode::EmptyCatalog => Ok(answer()),
        }
    }

    fn issue(&self, sent: Moment, mode: Mode) -> Result<Login, AuthError> {
        let time = self.world.time();
        let mut state = self.world.state.lock().unwrap();
        let lifetime = state.lifetime;
        let token = HeaderValue::from(state.issued.len());
        state.issued.push(Issued { end: time + lifetime, is_revoked: false });
        let lived = if mode == Mode::AlreadyExpired { Duration::ZERO } else { lifetime };
        // Months have many logins that are all alike.
        let raw = state.last_answer.take().filter(|last| (last.0, last.1) == (mode, lived));
        let raw = raw.unwrap_or_else(|| (mode, lived, answer(mode, lived)));
        state.last_answer = Some(raw.clone());
        drop(state);
        let login = Login::read(Token::new(token), sent, raw.2);
        let login = login.map_err(|why| AuthError::Garbage { url: self.url(), why })?;
        if login.lifetime.is_zero() {
            return Err(AuthError::AlreadyExpired { url: self.url() });
        }
        Ok(login)
    }

    async fn answer(&self, sent: Moment, mode: Mode) -> Result<Login, AuthError> {
        let unexpected = |status: u16, retry_after| AuthError::Unexpected {
            url: self.url(),
            status: StatusCode::from_u16(status).unwrap(),
            retry_after,
        };
        match mode {
            Mode::Works | Mode::EmptyCatalog | Mode::AlreadyExpired => self.issue(sent, mode),
            Mode::Slow(time) => {
                tokio::time::sleep(time).await;
                self.issue(sent, mode)
            }
            Mode::Hangs => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                Err(AuthError::TimedOut { url: self.url() })
            }
            Mode::Down => Err(self.not_told()),
            Mode::Fails(status) => Err(unexpected(status, None)),
            Mode::TooMany(retry_after) => Err(AuthError::TooMany { url: self.url(), retry_after }),
            Mode::Garbage => Err(AuthError::Garbage { url: self.url(), why: "no header".to_owned() }),
            Mode::Refuses => Err(AuthError::Refused {
                url: self.url(),
                who: "user demo".to_owned(),
                status: StatusCode::UNAUTHORIZED,
                message: "no".to_owned(),
            }),
        }
    }
}

/// The body of a login's answer.
fn answer(mode: Mode, lifetime: Duration) -> Bytes {
    // Keystone's own time is nobody's business.
    let issued_at = Timestamp::from_second(1_400_000_000).unwrap();
    let expires_at = issued_at + jiff::SignedDuration::try_from(lifetime).unwrap();
    let answer = json!({ "token": {
        "user": { "id": "u", "name": "demo" },
        "project": { "id": "p", "name": "demo" },
        "issued_at": issued_at.to_string(),
        "expires_at": expires_at.to_string(),
        "catalog": catalog(mode),
    }});
    answer.to_string().into()
}

fn catalog(mode: Mode) -> serde_json::Value {
    if mode == Mode::EmptyCatalog {
        return json!([]);
    }
    json!([{ "type": "object-store", "endpoints": [
        { "interface": "public", "region": "R", "url": "http://swift/v1/AUTH_p" }] }])
}

impl Issuer for Fake {
    fn url(&self) -> String {
        "http://keystone/v3/auth/tokens".to_owned()
    }

    fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    fn with(&self, credentials: Credentials) -> Self {
        Self { world: self.world.clone(), clock: self.clock.clone(), credentials }
    }

    fn through(&self, _client: Client) -> Self {
        self.with(self.credentials.clone())
    }

    async fn log_in(&self) -> Result<Login, AuthError> {
        let sent = self.clock.now();
        let mode = self.world.state.lock().unwrap().mode;
        let at = Instant::now();
        let outcome = self.answer(sent, mode).await;
        self.world.state.lock().unwrap().attempts.push(Attempt {
            at,
            succeeded: outcome.is_ok(),
            was_refused: outcome.as_ref().is_err_and(AuthError::is_refusal),
            healings: self.world.metrics.healings(),
        });
        outcome
    }

    async fn check(&self, token: &Token) -> Result<bool, AuthError> {
        self.world.state.lock().unwrap().checks.push(Instant::now());
        self.ask(|| self.world.is_good(token)).await
    }

    async fn catalog(&self, _token: &Token) -> Result<Catalog, AuthError> {
        let mode = {
            let mut state = self.world.state.lock().unwrap();
            state.catalogs += 1;
            state.mode
        };
        let wire = serde_json::from_value(catalog(mode)).unwrap();
        self.ask(|| Catalog::from_wire(wire)).await
    }

    async fn projects(&self, _token: &Token) -> Result<Vec<NamedProject>, AuthError> {
        self.ask(Vec::new).await
    }

    async fn credential_end(
        &self,
        _token: &Token,
        _user_id: &str,
        _credential_id: &str,
    ) -> Result<Option<Timestamp>, AuthError> {
        self.ask(|| None).await
    }

    async fn revoke(&self, token: &Token) -> Result<(), AuthError> {
        self.ask(|| self.world.state.lock().unwrap().issued[number(token)].is_revoked = true).await
    }
}
