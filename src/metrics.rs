//! Counters.
//!
//! Each worker counts on its own, so that two cores never write to one cache
//! line; a scrape adds them up ([`exposition()`]).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};

use crate::failure::Reason;

mod exposition;
mod histogram;
pub(crate) mod history;
mod labels;
mod process;
pub(crate) mod recent;
mod text;

pub use exposition::{Shown, TokenFigures, exposition};
pub use labels::{Label, Labels, MOST_LABELS};
pub use text::Format;

use histogram::Histogram;
use recent::Recent;

/// Counters of one worker.
#[derive(Debug)]
pub struct Metrics {
    /// By the numbers of labels ([`Label`]), made when first counted in.
    series: Box<[OnceLock<Box<Series>>]>,
    in_flight: AtomicU64,
    connections: AtomicU64,
    connections_open: AtomicU64,
    failures: [AtomicU64; Reason::ALL.len()],
    replays: [AtomicU64; Replay::ALL.len()],
    fields_dropped: AtomicU64,
    paced: AtomicU64,
    /// How often the worker has got round to its timers.
    beats: AtomicU64,
    /// Answers to who looks at us or probes us, by class of status: they are no traffic.
    pages: [AtomicU64; CLASSES.len()],
    recent: Recent,
}

/// What is counted of one service in one region.
#[derive(Debug, Default)]
struct Series {
    /// By method and class of status, 1xx to 5xx.
    requests: [[AtomicU64; CLASSES.len()]; CountedMethod::ALL.len()],
    durations: Histogram,
    heads: Histogram,
    cut: AtomicU64,
    /// Clients that left before the response began.
    left: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
    /// Why we last answered 5xx in the service's stead: a reason's place in [`Reason::ALL`], and 1; 0 once that was told.
    trouble: AtomicU8,
}

/// Classes of status.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Methods as they are counted: a client can make up any number of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountedMethod {
    /// As is.
    Get,
    /// As is.
    Head,
    /// As is.
    Put,
    /// As is.
    Post,
    /// As is.
    Patch,
    /// As is.
    Delete,
    /// As is.
    Options,
    /// Swift's.
    Copy,
    /// Any other.
    Other,
}

impl CountedMethod {
    /// All, in the order of their declaration.
    pub const ALL: [Self; 9] = [
        Self::Get,
        Self::Head,
        Self::Put,
        Self::Post,
        Self::Patch,
        Self::Delete,
        Self::Options,
        Self::Copy,
        Self::Other,
    ];

    /// Of a request.
    pub fn of(method: &Method) -> Self {
        match method.as_str() {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "PUT" => Self::Put,
            "POST" => Self::Post,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            "COPY" => Self::Copy,
            _ => Self::Other,
        }
    }

    /// The word, as in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Copy => "COPY",
            Self::Other => "other",
        }
    }
}

/// A request that is over.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// The number of its service's label.
    pub label: usize,
    /// How it asked.
    pub method: CountedMethod,
    /// How it was answered.
    pub status: StatusCode,
    /// Why the answer is one of our errors, if it is.
    pub reason: Option<Reason>,
    /// Whether it asked for one of our pages.
    pub is_page: bool,
    /// From its head to that of the response; `None` if its client left before.
    pub to_head: Option<Duration>,
    /// From its head to the end of the response's body.
    pub elapsed: Duration,
    /// Bytes of its body.
    pub received: u64,
    /// Bytes of the response's body.
    pub sent: u64,
    /// Whether that reached its end.
    pub is_whole: bool,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            series: (0..MOST_LABELS).map(|_| OnceLock::new()).collect(),
            in_flight: AtomicU64::default(),
            connections: AtomicU64::default(),
            connections_open: AtomicU64::default(),
            failures: Default::default(),
            replays: Default::default(),
            fields_dropped: AtomicU64::default(),
            paced: AtomicU64::default(),
            beats: AtomicU64::default(),
            pages: Default::default(),
            recent: Recent::default(),
        }
    }
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

    pub(crate) fn request_ended(&self, ended: &Ended) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let Some(series) = self.series.get(ended.label) else { return };
        let series = series.get_or_init(Box::default);
        let class = class(ended.status);
        add(&series.requests[ended.method as usize][class], 1);
        if ended.is_page {
            add(&self.pages[class], 1);
        }
        if let Some(reason) = ended.reason
            && ended.status.is_server_error()
        {
            series.trouble.store(reason as u8 + 1, Ordering::Relaxed);
        }
        match ended.to_head {
            Some(to_head) => series.heads.observe(to_head),
            None => add(&series.left, 1),
        }
        series.durations.observe(ended.elapsed);
        add(&series.received, ended.received);
        add(&series.sent, ended.sent);
        if !ended.is_whole {
            add(&series.cut, 1);
        }
    }

    /// A request is answered for as long as somebody looks. It is counted now, and its time tells nothing.
    pub(crate) fn watch_began(&self, method: CountedMethod, status: StatusCode) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let class = class(status);
        if let Some(series) = self.series.first() {
            add(&series.get_or_init(Box::default).requests[method as usize][class], 1);
        }
        add(&self.pages[class], 1);
    }

    /// The last requests.
    pub(crate) fn recent(&self) -> &Recent {
        &self.recent
    }

    /// Requests not over yet.
    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
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

    /// Requests that went to a service and are over.
    pub(crate) fn forwarded(&self) -> u64 {
        let of_services = self.series.iter().skip(1).filter_map(OnceLock::get);
        of_services
            .flat_map(|series| series.requests.iter().flatten())
            .map(|it| it.load(Ordering::Relaxed))
            .sum()
    }

    /// The worker gets round to its timers.
    pub(crate) fn beat(&self) {
        add(&self.beats, 1);
    }

    /// How often it has.
    pub(crate) fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    /// Connections open now; what new ones are shared out by.
    pub(crate) fn open_connections(&self) -> u64 {
        self.connections_open.load(Ordering::Relaxed)
    }
}

/// The place of a status' class.
fn class(status: StatusCode) -> usize {
    usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1
}

fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}
