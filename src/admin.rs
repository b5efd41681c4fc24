//! What we answer ourselves: `/` and everything below `/-/`.
//!
//! `livez`: the process answers. `readyz`: a usable token and at least one route,
//! and not about to stop. `status`: the same for people and programs, with
//! everything but secrets. `metrics`: Prometheus' text format. `/`: where to go, also for
//! clients that look for Keystone's versions there.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::clock::Moment;
use crate::face;
use crate::failure::{Failure, Reason};
use crate::identity::{HeldScope, IdentityMetrics, Phase, Snapshot, SnapshotCell};
use crate::metrics::{Format, Labels, Metrics, Shown, TokenFigures, exposition};
use crate::proxy::ListenerSettings;
use crate::reply::ReplyBody;
use crate::routing::Pin;
use crate::server::BoundAddr;

/// An address that is listened on, and what is special there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    /// The address.
    pub addr: BoundAddr,
    /// The service that stands at its root.
    pub service: Option<Pin>,
    /// Whether clients must log in with a client secret.
    pub wants_secret: bool,
}

impl Listening {
    /// What `own` says of `addr`.
    pub(crate) fn new(addr: BoundAddr, own: &ListenerSettings) -> Self {
        Self { addr, service: own.service.clone(), wants_secret: own.client_secret.is_some() }
    }

    /// For programs.
    pub fn to_json(&self) -> Value {
        json!({
            "address": self.addr.to_string(),
            "service": self.service.as_ref().map(Pin::service),
            "region": self.service.as_ref().and_then(Pin::region).map(|region| region.0),
            "client_secret": self.wants_secret,
        })
    }
}

impl fmt::Display for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.addr)?;
        match (&self.service, self.wants_secret) {
            (None, false) => Ok(()),
            (None, true) => f.write_str(" (with a client secret)"),
            (Some(service), false) => write!(f, " ({service})"),
            (Some(service), true) => write!(f, " ({service}, with a client secret)"),
        }
    }
}

/// What there is to tell.
#[derive(Debug)]
pub struct Admin {
    cell: Arc<SnapshotCell>,
    logins: Arc<IdentityMetrics>,
    workers: Vec<Arc<Metrics>>,
    told: ArcSwap<Told>,
    reloads: Reloads,
    quit: Option<Arc<Notify>>,
    started: Moment,
    stopping: AtomicBool,
}

/// What the settings in force say of themselves.
#[derive(Debug)]
struct Told {
    listeners: Vec<Listening>,
    warnings: Vec<String>,
}

/// How often settings were read again, and what came of it.
#[derive(Debug, Default)]
struct Reloads {
    taken: AtomicU64,
    rejected: AtomicU64,
}

impl Admin {
    pub(crate) fn new(
        cell: Arc<SnapshotCell>,
        logins: Arc<IdentityMetrics>,
        workers: Vec<Arc<Metrics>>,
        listeners: Vec<Listening>,
        warnings: Vec<String>,
        quit: Option<Arc<Notify>>,
    ) -> Self {
        let started = cell.clock().now();
        let told = ArcSwap::from_pointee(Told { listeners, warnings });
        let (reloads, stopping) = (Reloads::default(), AtomicBool::new(false));
        Self { cell, logins, workers, told, reloads, quit, started, stopping }
    }

    /// Settings were read again, and are in force or not.
    pub(crate) fn reloaded(&self, are_taken: bool) {
        let counter = if are_taken { &self.reloads.taken } else { &self.reloads.rejected };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// What those in force say.
    pub(crate) fn told(&self, listeners: Vec<Listening>, warnings: Vec<String>) {
        self.told.store(Arc::new(Told { listeners, warnings }));
    }

    /// From now on `readyz` fails.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether even those may ask who do not know a listener's client secret: probes do not, and clients look for
    /// Keystone's versions before they log in.
    pub(crate) fn is_open(head: &Parts) -> bool {
        matches!(head.uri.path(), "/" | "/-/livez" | "/-/readyz")
    }

    /// The reply to a request that is for us; `base` is our own address as the client wrote it. A stranger sees of `/`
    /// no more than how to log in. `may_end_us` is of the listener.
    pub(crate) fn answer(
        &self,
        head: &Parts,
        base: &str,
        is_stranger: bool,
        may_end_us: bool,
    ) -> Result<Response<ReplyBody>, Failure> {
        if head.uri.path() == "/-/quit" {
            return self.quit(head, may_end_us);
        }
        if head.method != Method::GET && head.method != Method::HEAD {
            let message = format!("{} only takes GET and HEAD", head.uri.path());
            return Err(Failure::new(Reason::BadRequest, message));
        }
        match head.uri.path() {
            "/" if is_stranger => Ok(json_reply(StatusCode::OK, &self.front(base, is_stranger))),
            "/" => Ok(json_reply(StatusCode::OK, &self.overview(base))),
            "/-/livez" => Ok(text(StatusCode::OK, "text/plain; charset=utf-8", "ok\n".to_owned())),
            "/-/readyz" => Ok(self.readyz(is_stranger)),
            "/-/status" => Ok(json_reply(StatusCode::OK, &self.status())),
            "/-/metrics" => {
                let format = Format::asked_for(&head.headers);
                Ok(text(StatusCode::OK, format.content_type(), self.metrics(format)))
            }
            path => Err(Failure::new(
                Reason::NoSuchService,
                format!(
                    "there is no {path}; there are /-/livez, /-/readyz, /-/status, /-/metrics and, where it is allowed, /-/quit",
                    path = path.escape_default()
                ),
            )),
        }
    }

    /// Ends the program as SIGTERM does, for a job whose work is done.
    fn quit(&self, head: &Parts, may_end_us: bool) -> Result<Response<ReplyBody>, Failure> {
        let Some(quit) = &self.quit else {
            let message = "POST /-/quit is not allowed; set allow_quit = true (GATESTONE_ALLOW_QUIT=true) if whoever uses \
                           the proxy may end it, or send it SIGTERM";
            return Err(Failure::new(Reason::RuleDenied, message.to_owned()));
        };
        if !may_end_us {
            let message = "a listener with rules, or one that only reads, does not end the program; ask at another, or send it SIGTERM";
            return Err(Failure::new(Reason::RuleDenied, message.to_owned()));
        }
        if head.method != Method::POST {
            return Err(Failure::new(Reason::BadRequest, "/-/quit only takes POST".to_owned()));
        }
        quit.notify_one();
        Ok(text(StatusCode::OK, "text/plain; charset=utf-8", "stopping\n".to_owned()))
    }

    /// Why requests cannot be served now; `None` if they can.
    fn not_ready(&self) -> Option<String> {
        if self.stopping.load(Ordering::Relaxed) {
            return Some("the proxy is about to stop".to_owned());
        }
        match self.cell.valid() {
            Some(snapshot) if lacks_services(&snapshot) => {
                Some("the project's catalog has no endpoint that can be used".to_owned())
            }
            Some(_) => None,
            None => Some(self.cell.reason().to_string()),
        }
    }

    /// The same for a stranger, who does not learn why.
    fn not_ready_for(&self, is_stranger: bool) -> Option<String> {
        self.not_ready().map(|why| if is_stranger { NOT_READY.to_owned() } else { why })
    }

    fn readyz(&self, is_stranger: bool) -> Response<ReplyBody> {
        match self.not_ready_for(is_stranger) {
            None => text(StatusCode::OK, "text/plain; charset=utf-8", "ok\n".to_owned()),
            Some(why) => {
                text(StatusCode::SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", format!("{why}\n"))
            }
        }
    }

    /// `/-/metrics`.
    fn metrics(&self, format: Format) -> String {
        let snapshot = self.cell.current();
        let labels = snapshot.map_or_else(Labels::default, |snapshot| snapshot.routes.labels().clone());
        let shown = Shown {
            workers: &self.workers,
            labels: labels.all(),
            token: &self.token_figures(),
            started: self.started.wall,
            reloads: [
                ("taken", self.reloads.taken.load(Ordering::Relaxed)),
                ("rejected", self.reloads.rejected.load(Ordering::Relaxed)),
            ],
            settings_are_valid: self.cell.reload_problem().is_none(),
        };
        exposition(&shown, format)
    }

    fn token_figures(&self) -> TokenFigures {
        let ready = self.not_ready().is_none();
        let figures = TokenFigures {
            ready,
            refreshes: self.logins.counts(),
            healings: self.logins.healings(),
            checks: self.logins.checks(),
            ..TokenFigures::default()
        };
        let Some(snapshot) = self.cell.current() else { return figures };
        let now = self.cell.clock().now();
        let left = |end: Option<Moment>| Some(end?.remaining(now).as_secs_f64());
        TokenFigures {
            generation: snapshot.generation,
            age_seconds: age(&snapshot, now).as_secs_f64(),
            lifetime_seconds: snapshot.life.lifetime.as_secs_f64(),
            left_seconds: snapshot.life.expires.remaining(now).as_secs_f64(),
            password_left_seconds: left(snapshot.account.password_end),
            credential_left_seconds: left(snapshot.account.credential_end),
            ..figures
        }
    }

    /// `/`: the prefixes there are, and lines to try.
    fn overview(&self, base: &str) -> Value {
        let Some(snapshot) = self.cell.current() else { return self.front(base, false) };
        let services = services(&snapshot, Some(base));
        let try_it: Vec<String> = snapshot
            .routes
            .prefixes()
            .iter()
            .filter_map(|service| service.names.first())
            .map(|prefix| format!("curl {base}/{prefix}"))
            .collect();
        json!({
            "gatestone": env!("CARGO_PKG_VERSION"),
            "ready": self.not_ready().is_none(),
            "reason": self.not_ready(),
            "token": self.token(&snapshot),
            "holder": holder(&snapshot),
            "projects": projects(&snapshot),
            "services": services,
            "try": try_it,
            "versions": face::versions(base),
            "status": format!("{base}/-/status"),
            "metrics": format!("{base}/-/metrics"),
        })
    }

    /// `/`, as far as it says nothing of the cloud.
    fn front(&self, base: &str, is_stranger: bool) -> Value {
        json!({
            "gatestone": env!("CARGO_PKG_VERSION"),
            "ready": self.not_ready().is_none(),
            "reason": self.not_ready_for(is_stranger),
            "versions": face::versions(base),
            "status": format!("{base}/-/status"),
        })
    }

    /// `/-/status`.
    fn status(&self) -> Value {
        let now = self.cell.clock().now();
        let (phase, told) = (self.cell.phase(), self.told.load());
        let mut status = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "ready": self.not_ready().is_none(),
            "reason": self.not_ready(),
            "uptime_seconds": now.monotonic.duration_since(self.started.monotonic).as_secs(),
            "listen": told.listeners.iter().map(|it| it.addr.to_string()).collect::<Vec<_>>(),
            "listeners": told.listeners.iter().map(Listening::to_json).collect::<Vec<_>>(),
            "login": phase_text(&phase),
        });
        let mut warnings = told.warnings.clone();
        if let Some(snapshot) = self.cell.current() {
            warnings.extend_from_slice(snapshot.routes.warnings());
            status["token"] = self.token(&snapshot);
            warnings.extend(snapshot.notices(now).iter().map(ToString::to_string));
            status["holder"] = holder(&snapshot);
            status["projects"] = projects(&snapshot);
            status["region"] = snapshot.routes.region().map(|region| region.0.as_str()).into();
            status["regions"] = snapshot.routes.regions().iter().map(|region| region.0.clone()).collect();
            status["services"] = services(&snapshot, None);
        }
        warnings.extend(self.cell.reload_problem().map(|problem| problem.to_string()));
        status["warnings"] = warnings.into();
        status
    }

    fn token(&self, snapshot: &Snapshot) -> Value {
        let now = self.cell.clock().now();
        let (life, renewable) = (snapshot.life, snapshot.account.is_renewable);
        let left = |end: Option<Moment>| Some(end?.remaining(now).as_secs());
        json!({
            "generation": snapshot.generation,
            "age_seconds": age(snapshot, now).as_secs(),
            "lifetime_seconds": life.lifetime.as_secs(),
            "expires_in_seconds": life.expires.remaining(now).as_secs(),
            "refresh_in_seconds": renewable.then(|| life.refresh_at.remaining(now).as_secs()),
            "renewable": renewable,
            "password_expires_in_seconds": left(snapshot.account.password_end),
            "application_credential_expires_in_seconds": left(snapshot.account.credential_end),
        })
    }
}

/// Whether a token for a project, which is to bring services, brought none but Keystone.
fn lacks_services(snapshot: &Snapshot) -> bool {
    snapshot.holder.scope.project_id().is_some()
        && snapshot.routes.prefixes().iter().all(|prefix| prefix.service_type == "identity")
}

fn age(snapshot: &Snapshot, now: Moment) -> Duration {
    now.monotonic.saturating_duration_since(snapshot.life.start.monotonic)
}

fn holder(snapshot: &Snapshot) -> Value {
    let holder = &snapshot.holder;
    let mut value = json!({
        "user": { "id": holder.user.id, "name": holder.user.name },
        "roles": holder.roles.iter().map(|role| role.name.as_str()).collect::<Vec<_>>(),
        "password_expires_at": holder.user.password_expires_at,
    });
    if let Some(domain) = &holder.user.domain {
        value["user"]["domain"] = json!({ "id": domain.id, "name": domain.name });
    }
    value["scope"] = match &holder.scope {
        HeldScope::Project(project) => {
            let domain = project.domain.as_ref().map(|it| json!({ "id": it.id, "name": it.name }));
            json!({ "project": { "id": project.id, "name": project.name, "domain": domain } })
        }
        HeldScope::Domain(domain) => json!({ "domain": { "id": domain.id, "name": domain.name } }),
        HeldScope::System => json!({ "system": { "all": true } }),
        HeldScope::Unscoped | HeldScope::Standalone => Value::Null,
    };
    value
}

/// Projects to choose from, where the token is for none, and how to choose; else nothing.
fn projects(snapshot: &Snapshot) -> Value {
    if !matches!(snapshot.holder.scope, HeldScope::Unscoped) {
        return Value::Null;
    }
    let choices: Vec<Value> = snapshot
        .account
        .projects
        .iter()
        .map(|project| {
            let domain = project.domain.as_ref().map(|domain| domain.id.as_str());
            json!({
                "id": project.id,
                "name": project.name,
                "domain_id": project.domain_id.as_deref().or(domain),
                "set": format!("OS_PROJECT_ID={}", project.id),
            })
        })
        .collect();
    choices.into()
}

/// Every service, its prefixes and its endpoint; with `base`, the URL to ask it at.
fn services(snapshot: &Snapshot, base: Option<&str>) -> Value {
    snapshot
        .routes
        .prefixes()
        .iter()
        .map(|service| {
            let mut value = json!({
                "type": service.service_type,
                "prefixes": service.names,
                "region": service.region.as_ref().map(|region| region.0.as_str()),
                "interface": service.interface.map(|interface| interface.to_string()),
                "endpoint": service.url.to_string(),
            });
            if let (Some(base), Some(prefix)) = (base, service.names.first()) {
                value["url"] = format!("{base}/{prefix}").into();
            }
            value
        })
        .collect()
}

fn phase_text(phase: &Phase) -> String {
    match phase {
        Phase::Starting => "the first login is under way".to_owned(),
        Phase::Fresh => "ok".to_owned(),
        Phase::Failing(error) | Phase::Refused(error) => error.to_string(),
        Phase::SpentToken => "the token that was given has expired and cannot be renewed".to_owned(),
    }
}

fn json_reply(status: StatusCode, value: &Value) -> Response<ReplyBody> {
    text(status, "application/json", format!("{value:#}\n"))
}

fn text(status: StatusCode, content_type: &'static str, body: String) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::ours(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // For browsers: it is what it says, loads nothing, and is shown in no page of others.
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response.headers_mut().insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    response
}
/// What a stranger is told in place of the reason, which names Keystone and the user.
pub(crate) const NOT_READY: &str = "the proxy has no token to use at the moment; try again, or ask whoever runs it for the reason in /-/status";
