//! What we answer ourselves: `/` and everything below `/-/`.
//!
//! `livez`: the process answers. `readyz`: a usable token and at least one route,
//! and not about to stop. `status`: the same for people and programs, with
//! everything but secrets. `metrics`: Prometheus' text format. `/`: where to go, also for
//! clients that look for Keystone's versions there; for browsers the page, which is at `/-/`
//! too where a service stands at `/`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::Value;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{Instant, sleep, timeout};

mod figures;
mod holder;
mod listening;
mod news;
mod services;
mod status;
mod traffic;
mod viewer;

pub use listening::Listening;
pub(crate) use viewer::Viewer;

use self::news::{MOST_WATCHERS, News};
use crate::clock::Moment;
use crate::failure::{Failure, Reason};
use crate::identity::{IdentityMetrics, Snapshot, SnapshotCell};
use crate::metrics::history::{History, QUIET_TICK, TICK};
use crate::metrics::{Format, Metrics};
use crate::page;
use crate::reply::ReplyBody;

/// What there is to tell.
#[derive(Debug)]
pub struct Admin {
    cell: Arc<SnapshotCell>,
    logins: Arc<IdentityMetrics>,
    workers: Vec<Arc<Metrics>>,
    told: ArcSwap<Told>,
    reloads: Reloads,
    /// Those of clients that may be open.
    most_connections: u64,
    quit: Option<Arc<Notify>>,
    started: Moment,
    history: Mutex<History>,
    beat: watch::Sender<Beat>,
    watchers: Arc<Semaphore>,
    /// Somebody begins to watch.
    watched: Notify,
}

/// What those who watch wait for.
#[derive(Clone, Copy, Debug, Default)]
struct Beat {
    ticks: u64,
    is_stopping: bool,
}

/// What the settings in force say of themselves.
#[derive(Debug, Default)]
struct Told {
    listeners: Vec<Listening>,
    /// By their numbers.
    doors: Vec<usize>,
    warnings: Vec<String>,
}

/// How often settings were read again, and what came of it.
#[derive(Debug, Default)]
struct Reloads {
    taken: AtomicU64,
    rejected: AtomicU64,
}

impl Admin {
    /// Without anything that settings say; [`Admin::told`] follows.
    pub(crate) fn new(
        cell: Arc<SnapshotCell>,
        logins: Arc<IdentityMetrics>,
        workers: Vec<Arc<Metrics>>,
        most_connections: usize,
        quit: Option<Arc<Notify>>,
    ) -> Self {
        let started = cell.clock().now();
        Self {
            cell,
            logins,
            workers,
            told: ArcSwap::default(),
            reloads: Reloads::default(),
            most_connections: most_connections as u64,
            quit,
            started,
            history: Mutex::default(),
            beat: watch::Sender::default(),
            watchers: Arc::new(Semaphore::new(MOST_WATCHERS)),
            watched: Notify::new(),
        }
    }

    /// Settings were read again, and are in force or not.
    pub(crate) fn reloaded(&self, are_taken: bool) {
        let counter = if are_taken { &self.reloads.taken } else { &self.reloads.rejected };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// What those in force say. Who watches at a door that is none of these any more has to come anew.
    pub(crate) fn told(&self, listeners: Vec<Listening>, doors: Vec<usize>, warnings: Vec<String>) {
        self.told.store(Arc::new(Told { listeners, doors, warnings }));
    }

    /// Whether they came by a door that is still in force.
    fn is_current(&self, viewer: &Viewer) -> bool {
        self.told.load().doors.contains(&viewer.door)
    }

    /// From now on `readyz` fails, and nobody watches any more.
    pub(crate) fn stop(&self) {
        self.beat.send_modify(|beat| beat.is_stopping = true);
    }

    /// Looks at the counters now and then, for the page; without end.
    pub(crate) async fn follow(self: Arc<Self>) {
        loop {
            self.look();
            let is_quiet = self.history().is_quiet() && self.watchers.available_permits() == MOST_WATCHERS;
            if is_quiet {
                // Who looks in the meantime looks at the counters as well, and who goes on looking ends this.
                _ = timeout(QUIET_TICK, self.watched.notified()).await;
            } else {
                sleep(TICK).await;
            }
        }
    }

    /// Looks at the counters, if that was not done just now.
    fn look(&self) {
        if !self.history().is_due(Instant::now()) {
            return;
        }
        let labels = self.cell.current().map_or(1, |snapshot| snapshot.routes.labels().all().len());
        self.history().tick(&self.workers, labels, Instant::now());
        self.workers.iter().for_each(|worker| worker.recent().refill());
        self.beat.send_modify(|beat| beat.ticks += 1);
    }

    fn history(&self) -> std::sync::MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Moment {
        self.cell.clock().now()
    }

    fn is_stopping(&self) -> bool {
        self.beat.borrow().is_stopping
    }

    /// Whether even those may ask who do not know a listener's client secret: probes do not, and clients look for
    /// Keystone's versions before they log in.
    pub(crate) fn is_open(head: &Parts) -> bool {
        matches!(head.uri.path(), "/" | "/-/" | "/-/icon.svg" | "/-/livez" | "/-/readyz")
    }

    /// The reply to a request that is for us. A stranger sees of `/` no more than how to log in.
    pub(crate) fn answer(
        self: &Arc<Self>,
        head: &Parts,
        viewer: Viewer,
    ) -> Result<Response<ReplyBody>, Failure> {
        if head.uri.path() == "/-/quit" {
            return self.quit(head, viewer.may_end_us);
        }
        if head.method != Method::GET && head.method != Method::HEAD {
            let message = format!("{} only takes GET and HEAD", head.uri.path());
            return Err(Failure::new(Reason::BadRequest, message));
        }
        match head.uri.path() {
            "/" | "/-/" => Ok(self.root(head, &viewer)),
            "/-/icon.svg" => Ok(page::icon()),
            "/-/livez" => Ok(text(StatusCode::OK, "text/plain; charset=utf-8", "ok\n".to_owned())),
            "/-/readyz" => Ok(self.readyz(viewer.is_stranger())),
            "/-/status" if head.uri.query() == Some("page") => {
                Ok(text(StatusCode::OK, "application/json", self.view(&viewer).to_string()))
            }
            "/-/status" => Ok(json_reply(StatusCode::OK, &self.status(&viewer))),
            "/-/events" => self.events(head, viewer),
            "/-/metrics" => {
                let format = Format::asked_for(&head.headers);
                Ok(text(StatusCode::OK, format.content_type(), self.metrics(format)))
            }
            path => Err(Failure::new(
                Reason::NoSuchService,
                format!(
                    "there is no {path}; there are /-/ for browsers, /-/livez, /-/readyz, /-/status, /-/events, /-/metrics \
                     and, where it is allowed, /-/quit",
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

    /// `/`: the page for who prefers that, JSON for all others.
    fn root(&self, head: &Parts, viewer: &Viewer) -> Response<ReplyBody> {
        if page::prefers_html(&head.headers) {
            return match &viewer.way_in {
                Some(way_in) => page::front(&page::view::front(&self.front(viewer), way_in)),
                None => page::page(&self.view(viewer)),
            };
        }
        let document = if viewer.is_stranger() { self.front(viewer) } else { self.overview(viewer) };
        let mut response = json_reply(StatusCode::OK, &document);
        response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
        response
    }

    /// `/-/events`: the page's news, while there is room for one who watches.
    fn events(self: &Arc<Self>, head: &Parts, viewer: Viewer) -> Result<Response<ReplyBody>, Failure> {
        if head.method == Method::HEAD {
            return Ok(text(StatusCode::OK, "text/event-stream", String::new()));
        }
        let room = Arc::clone(&self.watchers).try_acquire_owned().ok().filter(|_| !self.is_stopping());
        let room = room.ok_or_else(|| {
            let message = format!(
                "{MOST_WATCHERS} watch already, or the proxy is about to stop; ask for /-/status now and then"
            );
            Failure::new(Reason::Overloaded, message).retry_after(Duration::from_secs(30))
        })?;
        self.watched.notify_one();
        Ok(page::events::stream(News::new(Arc::clone(self), viewer, room)))
    }

    /// What the page says.
    fn view(&self, viewer: &Viewer) -> Value {
        let (status, requests) = (self.status(viewer), self.last_requests(viewer));
        page::view::of(&status, &self.history().samples(), &requests)
    }

    /// Why requests cannot be served now; `None` if they can.
    fn not_ready(&self) -> Option<String> {
        if self.is_stopping() {
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
}

/// Whether a token for a project, which is to bring services, brought none but Keystone.
fn lacks_services(snapshot: &Snapshot) -> bool {
    snapshot.holder.scope.project_id().is_some()
        && snapshot.routes.prefixes().iter().all(|prefix| prefix.service_type == "identity")
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
