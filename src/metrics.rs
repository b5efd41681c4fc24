//! Counters, and how they look to Prometheus.
//!
//! Each worker counts on its own, so that two cores never write to one cache
//! line; a scrape adds them up. Names and units follow Prometheus' conventions
//! (base units, `_total` for counters).

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;

use crate::failure::Reason;

/// Upper bounds of the buckets of the duration histogram, in seconds: from an
/// object in the next rack to an upload of minutes.
const BUCKETS_SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 300.0];

/// Counters of one worker.
#[derive(Debug, Default)]
pub struct Metrics {
    /// By class of status, 1xx to 5xx.
    requests: [AtomicU64; 5],
    in_flight: AtomicU64,
    durations: [AtomicU64; BUCKETS_SECONDS.len() + 1],
    duration_micros: AtomicU64,
    cut: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    connections: AtomicU64,
    connections_open: AtomicU64,
    failures: [AtomicU64; Reason::ALL.len()],
    replays: [AtomicU64; Replay::ALL.len()],
    fields_dropped: AtomicU64,
    paced: AtomicU64,
}

/// What became of a request whose token a service refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// It was sent again with another token.
    Sent,
    /// That was refused again.
    RefusedAgain,
    /// The token is good, so the refusal is the service's own business.
    TokenIsGood,
    /// There was no other token to be had.
    NoToken,
    /// It could not be sent again, since too much of its body had passed.
    NotReplayable,
}

impl Replay {
    /// Every outcome, in the order of their declaration.
    pub const ALL: [Self; 5] =
        [Self::Sent, Self::RefusedAgain, Self::TokenIsGood, Self::NoToken, Self::NotReplayable];

    /// The word, as in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::RefusedAgain => "refused_again",
            Self::TokenIsGood => "token_is_good",
            Self::NoToken => "no_token",
            Self::NotReplayable => "not_replayable",
        }
    }
}

impl Metrics {
    pub(crate) fn request_began(&self) {
        add(&self.in_flight, 1);
    }

    /// `whole` says whether the response's body reached its end.
    pub(crate) fn request_ended(
        &self,
        status: StatusCode,
        elapsed: Duration,
        bytes_in: u64,
        bytes_out: u64,
        whole: bool,
    ) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        add(&self.requests[class], 1);
        let seconds = elapsed.as_secs_f64();
        let bucket = BUCKETS_SECONDS.iter().position(|bound| seconds <= *bound);
        add(&self.durations[bucket.unwrap_or(BUCKETS_SECONDS.len())], 1);
        add(&self.duration_micros, u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX));
        add(&self.bytes_in, bytes_in);
        add(&self.bytes_out, bytes_out);
        if !whole {
            add(&self.cut, 1);
        }
    }

    pub(crate) fn failed(&self, reason: Reason) {
        add(&self.failures[reason as usize], 1);
    }

    /// Fields of responses that could not be passed on.
    pub(crate) fn fields_dropped(&self, count: usize) {
        if count > 0 {
            add(&self.fields_dropped, count as u64);
        }
    }

    /// A request waits for its turn.
    pub(crate) fn paced(&self) {
        add(&self.paced, 1);
    }

    pub(crate) fn replayed(&self, outcome: Replay) {
        add(&self.replays[outcome as usize], 1);
    }

    pub(crate) fn connection_opened(&self) {
        add(&self.connections, 1);
        add(&self.connections_open, 1);
    }

    pub(crate) fn connection_closed(&self) {
        self.connections_open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Connections open now; what new ones are shared out by.
    pub(crate) fn open_connections(&self) -> u64 {
        self.connections_open.load(Ordering::Relaxed)
    }
}

fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

/// The figures of the token at the time of a scrape.
#[derive(Clone, Debug, Default)]
pub struct TokenFigures {
    /// Whether requests can be served.
    pub ready: bool,
    /// Snapshots published so far.
    pub generation: u64,
    /// Seconds since the login was sent.
    pub age_seconds: f64,
    /// Seconds that Keystone gave it.
    pub lifetime_seconds: f64,
    /// Seconds until it expires.
    pub left_seconds: f64,
    /// Logins by outcome.
    pub refreshes: [(&'static str, u64); 4],
    /// Logins because a service refused the token.
    pub healings: u64,
    /// Questions to Keystone about refused tokens, by answer.
    pub checks: [(&'static str, u64); 3],
    /// Seconds until the user's password ends, if it ever does.
    pub password_left_seconds: Option<f64>,
    /// Seconds until the application credential ends, if it ever does.
    pub credential_left_seconds: Option<f64>,
}

/// Everything in Prometheus' text format, version 0.0.4.
pub fn exposition(workers: &[Arc<Metrics>], token: &TokenFigures) -> String {
    let mut page = Page::default();
    let sum = |counter: &dyn Fn(&Metrics) -> &AtomicU64| -> u64 {
        workers.iter().map(|worker| counter(worker).load(Ordering::Relaxed)).sum()
    };
    page.header("gatestone_build_info", "gauge", "The version that runs.");
    page.line("gatestone_build_info", &[("version", env!("CARGO_PKG_VERSION"))], "1");

    page.header("gatestone_requests_total", "counter", "Requests answered, by class of status.");
    for (i, class) in ["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter().enumerate() {
        let count = sum(&|m| &m.requests[i]);
        page.line("gatestone_requests_total", &[("status", class)], &count.to_string());
    }
    page.header(
        "gatestone_request_duration_seconds",
        "histogram",
        "From a request's head to the last byte of its response.",
    );
    let mut below = 0;
    for (i, bound) in BUCKETS_SECONDS.iter().map(f64::to_string).chain(["+Inf".to_owned()]).enumerate() {
        below += sum(&|m| &m.durations[i]);
        page.line("gatestone_request_duration_seconds_bucket", &[("le", &bound)], &below.to_string());
    }
    let seconds = Duration::from_micros(sum(&|m| &m.duration_micros)).as_secs_f64();
    page.line("gatestone_request_duration_seconds_sum", &[], &seconds.to_string());
    page.line("gatestone_request_duration_seconds_count", &[], &below.to_string());

    page.header("gatestone_failures_total", "counter", "Errors that are ours, by reason.");
    for reason in Reason::ALL {
        let count = sum(&|m| &m.failures[reason as usize]);
        page.line("gatestone_failures_total", &[("reason", reason.as_str())], &count.to_string());
    }
    page.header(
        "gatestone_replays_total",
        "counter",
        "Requests whose token a service refused, by what became of them.",
    );
    for outcome in Replay::ALL {
        let count = sum(&|m| &m.replays[outcome as usize]);
        page.line("gatestone_replays_total", &[("outcome", outcome.as_str())], &count.to_string());
    }
    let singles: [(&str, &str, &str, u64); 8] = [
        (
            "gatestone_fields_dropped_total",
            "counter",
            "Fields of responses whose names could not be passed on.",
            sum(&|m| &m.fields_dropped),
        ),
        (
            "gatestone_requests_paced_total",
            "counter",
            "Requests that waited for their turn by a service's rate_limit.",
            sum(&|m| &m.paced),
        ),
        (
            "gatestone_responses_cut_total",
            "counter",
            "Responses whose body did not reach its end.",
            sum(&|m| &m.cut),
        ),
        ("gatestone_received_bytes_total", "counter", "Body bytes of requests.", sum(&|m| &m.bytes_in)),
        ("gatestone_sent_bytes_total", "counter", "Body bytes of responses.", sum(&|m| &m.bytes_out)),
        ("gatestone_requests_in_flight", "gauge", "Requests not over yet.", sum(&|m| &m.in_flight)),
        ("gatestone_connections_total", "counter", "Connections accepted.", sum(&|m| &m.connections)),
        ("gatestone_connections_open", "gauge", "Connections open now.", sum(&|m| &m.connections_open)),
    ];
    for (name, kind, help, value) in singles {
        page.header(name, kind, help);
        page.line(name, &[], &value.to_string());
    }
    token_figures(&mut page, token);
    page.0
}

fn token_figures(page: &mut Page, token: &TokenFigures) {
    page.header(
        "gatestone_token_refreshes_total",
        "counter",
        "Logins by outcome, and tokens taken from the cache.",
    );
    for (outcome, count) in token.refreshes {
        page.line("gatestone_token_refreshes_total", &[("outcome", outcome)], &count.to_string());
    }
    page.header("gatestone_token_healings_total", "counter", "Logins because a service refused the token.");
    page.line("gatestone_token_healings_total", &[], &token.healings.to_string());
    page.header("gatestone_token_checks_total", "counter", "Questions about refused tokens, by answer.");
    for (answer, count) in token.checks {
        page.line("gatestone_token_checks_total", &[("answer", answer)], &count.to_string());
    }
    let ends = [
        (
            "gatestone_password_expires_in_seconds",
            "Time until the user's password ends.",
            token.password_left_seconds,
        ),
        (
            "gatestone_application_credential_expires_in_seconds",
            "Time until the application credential ends.",
            token.credential_left_seconds,
        ),
    ];
    for (name, help, left) in ends {
        if let Some(left) = left {
            page.header(name, "gauge", help);
            page.line(name, &[], &left.to_string());
        }
    }
    let singles = [
        ("gatestone_ready", "Whether a usable token is held.", f64::from(u8::from(token.ready))),
        ("gatestone_token_generation", "Tokens obtained so far.", token.generation as f64),
        ("gatestone_token_age_seconds", "Time since the current token's login.", token.age_seconds),
        ("gatestone_token_lifetime_seconds", "Life that Keystone gave it.", token.lifetime_seconds),
        ("gatestone_token_expires_in_seconds", "Life it has left.", token.left_seconds),
    ];
    for (name, help, value) in singles {
        page.header(name, "gauge", help);
        page.line(name, &[], &value.to_string());
    }
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn header(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: &str) {
        self.0.push_str(name);
        for (i, (label, text)) in labels.iter().enumerate() {
            let _ = write!(self.0, "{}{label}=\"{text}\"", if i == 0 { '{' } else { ',' });
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_added_up_and_buckets_are_cumulative() {
        let workers = [Arc::new(Metrics::default()), Arc::new(Metrics::default())];
        for (worker, millis) in [(0, 2), (1, 2), (1, 700)] {
            workers[worker].request_began();
            workers[worker].request_ended(StatusCode::OK, Duration::from_millis(millis), 5, 10, true);
        }
        workers[0].failed(Reason::NoSuchService);
        let page = exposition(&workers, &TokenFigures::default());
        for line in [
            "gatestone_requests_total{status=\"2xx\"} 3",
            "gatestone_request_duration_seconds_bucket{le=\"0.0025\"} 2",
            "gatestone_request_duration_seconds_bucket{le=\"1\"} 3",
            "gatestone_request_duration_seconds_bucket{le=\"+Inf\"} 3",
            "gatestone_request_duration_seconds_count 3",
            "gatestone_received_bytes_total 15",
            "gatestone_sent_bytes_total 30",
            "gatestone_requests_in_flight 0",
            "gatestone_failures_total{reason=\"no_such_service\"} 1",
        ] {
            assert!(page.lines().any(|l| l == line), "{line} is missing in\n{page}");
        }
    }
}
