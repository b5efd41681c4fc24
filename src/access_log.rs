//! One record a request, written when its response's body ends, however it ends.
//!
//! Never a header value but the upstream's request id, never a query, nor a token that is a part of the path, as in
//! Keystone's v2.0.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use tokio::time::Instant;

mod line;

pub(crate) use line::Gathering;
pub use line::{Out, Shape};

use line::name;

use crate::client::Progress;
use crate::failure::Reason;
use crate::metrics::recent::{End, Note};
use crate::metrics::{CountedMethod, Ended, Label, Metrics};
use crate::proxy::{Place, Visitor};
use crate::routing::lenient;
use crate::server::Activity;

/// How records are written, and where to.
#[derive(Clone, Debug)]
pub(crate) struct AccessLog {
    pub(crate) shape: Shape,
    pub(crate) out: Out,
}

/// A request in flight: counts it, keeps its connection busy, and tells the log
/// and the metrics when it is over. Dropping it early says that it was cut.
#[derive(Debug)]
pub struct Record {
    metrics: Arc<Metrics>,
    activity: Arc<Activity>,
    start: Instant,
    method: CountedMethod,
    /// Which service it was for, by its label's number.
    label: usize,
    /// Until the head of the response went out.
    to_head: Option<Duration>,
    /// `None` until then.
    status: Option<StatusCode>,
    bytes: u64,
    whole: bool,
    received: Option<Progress>,
    tunnel_received: u64,
    place: Option<Place>,
    kind: Kind,
    reason: Option<Reason>,
    /// Its number among the last requests, if it was noted there.
    noted: Option<NonZeroU64>,
    fields: Option<Box<Fields>>,
}

/// What a request is to those who count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Traffic.
    Client,
    /// Somebody looks at us, or probes us.
    Page,
    /// Somebody goes on looking; counted when it began.
    Watch,
}

/// What only the access log needs; absent when that is off.
#[derive(Debug)]
struct Fields {
    method: Method,
    path: String,
    peer: Arc<str>,
    user: Option<Arc<str>>,
    label: Option<Arc<Label>>,
    request_id: Option<HeaderValue>,
    retries: u32,
    log: Arc<AccessLog>,
}

impl Record {
    /// A request has come.
    #[inline(never)] // so that benches/watching can tell what it costs
    pub(crate) fn begin(metrics: Arc<Metrics>, activity: Arc<Activity>, method: &Method) -> Self {
        metrics.request_began();
        Self {
            metrics,
            activity,
            start: Instant::now(),
            method: CountedMethod::of(method),
            label: 0,
            to_head: None,
            status: None,
            bytes: 0,
            whole: false,
            received: None,
            tunnel_received: 0,
            place: None,
            kind: Kind::Client,
            reason: None,
            noted: None,
            fields: None,
        }
    }

    /// Turns the access log on for this request.
    pub(crate) fn describe(&mut self, log: &Arc<AccessLog>, method: &Method, uri: &Uri, visitor: &Visitor) {
        self.fields = Some(Box::new(Fields {
            method: method.clone(),
            path: shown(uri.path()),
            peer: visitor.shown_address(),
            user: visitor.name.clone(),
            label: None,
            request_id: None,
            retries: 0,
            log: Arc::clone(log),
        }));
    }

    /// Where it goes.
    pub(crate) fn routed(&mut self, label: &Arc<Label>) {
        self.label = label.id;
        if let Some(fields) = &mut self.fields {
            fields.label = Some(Arc::clone(label));
        }
    }

    /// The request's body, if it streams.
    pub(crate) fn receiving(&mut self, progress: Option<Progress>) {
        self.received = progress;
    }

    /// Its place among those that may be in flight, until it is over.
    pub(crate) fn holds(&mut self, place: Place) {
        self.place = Some(place);
    }

    /// The request is sent once more, with another token.
    pub(crate) fn retried(&mut self) {
        if let Some(fields) = &mut self.fields {
            fields.retries += 1;
        }
    }

    pub(crate) fn failed(&mut self, reason: Reason) {
        self.reason = Some(reason);
    }

    /// It is for one of our own pages.
    pub(crate) fn is_for_a_page(&mut self) {
        self.kind = Kind::Page;
    }

    /// Its response goes on for as long as somebody looks, which is no measure of anything and keeps nothing from ending.
    pub(crate) fn watches(&mut self, status: StatusCode) {
        self.kind = Kind::Watch;
        self.metrics.watch_began(self.method, status);
        self.activity.watched(true);
    }

    /// Notes it among the last requests, if it is one to be noted. To be called once it is answered.
    pub(crate) fn note(&mut self, head: &Parts, visitor: &Visitor, door: usize) {
        let status = self.status();
        let has_failed = self.reason.is_some() || status.is_server_error();
        if self.kind != Kind::Client || !self.metrics.recent().wants(has_failed) {
            return;
        }
        let note = Note {
            at: self.start,
            method: &head.method,
            status,
            reason: self.reason,
            label: self.label,
            door,
            user: visitor.peer.user,
            name: visitor.name.as_ref(),
            to_head: self.to_head.unwrap_or_default(),
        };
        self.noted = self.metrics.recent().note(&note, |path| show(head.uri.path(), path));
    }

    #[inline(never)] // as above
    pub(crate) fn answered(&mut self, status: StatusCode, headers: &HeaderMap) {
        self.status = Some(status);
        self.to_head = Some(self.start.elapsed());
        if let Some(fields) = &mut self.fields {
            let ids = ["x-openstack-request-id", "x-compute-request-id", "x-trans-id"];
            let id = ids.iter().find_map(|name| headers.get(*name));
            // A copy: it would keep the whole block that the head was read into, as long as the body.
            fields.request_id = id.and_then(|id| HeaderValue::from_bytes(id.as_bytes()).ok());
        }
    }

    pub(crate) fn sent(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// What passed after the protocol was switched.
    pub(crate) fn tunnelled(&mut self, received: u64, sent: u64) {
        self.tunnel_received += received;
        self.bytes += sent;
    }

    /// How it was answered. Of who left before, nginx says 499, and so do those who read its logs.
    fn status(&self) -> StatusCode {
        self.status.or_else(|| StatusCode::from_u16(499).ok()).unwrap_or(StatusCode::REQUEST_TIMEOUT)
    }

    /// The body reached its end.
    pub(crate) fn complete(&mut self) {
        self.whole = true;
    }
}

/// The path without the token in it.
fn shown(path: &str) -> String {
    let mut shown = String::new();
    show(path, &mut shown);
    shown
}

/// The same, put into `shown`. What stands below `tokens` of Keystone's v2.0 is a token, in whatever spelling a server
/// may take for that; where there is one, the path is shown as the most lenient would read it.
fn show(path: &str, shown: &mut String) {
    // Most paths can have none.
    if !path.contains("2.0") && !path.contains('%') {
        return shown.push_str(path);
    }
    let decoded = lenient::decode(path);
    let segments = decoded.split(|byte| matches!(byte, b'/' | b'\\')).map(lenient::fold);
    let segments: Vec<_> = segments.filter(|segment| !matches!(&**segment, b"" | b".")).collect();
    let is = |at: usize, word: &[u8]| segments.get(at).is_some_and(|it| it.eq_ignore_ascii_case(word));
    let position = |word| (0..segments.len()).find(|at| is(*at, word));
    let hidden = if position(b"..").is_some() {
        // Wherever the steps lead.
        position(b"v2.0").filter(|_| position(b"tokens").is_some()).map(|at| at + 1..segments.len())
    } else {
        let token = (2..segments.len()).find(|at| is(at - 2, b"v2.0") && is(at - 1, b"tokens"));
        token.map(|at| at..at + 1)
    };
    let Some(hidden) = hidden else { return shown.push_str(path) };
    for (at, segment) in segments.iter().enumerate() {
        shown.push('/');
        shown.push_str(&if hidden.contains(&at) { "..".into() } else { String::from_utf8_lossy(segment) });
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let now = Instant::now();
        let elapsed = now.duration_since(self.start);
        self.activity.request_ended(now);
        let received = self.received.as_ref().map_or(0, Progress::bytes) + self.tunnel_received;
        if self.kind == Kind::Watch {
            self.activity.watched(false);
        } else {
            self.metrics.request_ended(&Ended {
                label: self.label,
                method: self.method,
                status: self.status(),
                reason: self.reason,
                is_page: self.kind == Kind::Page,
                to_head: self.to_head,
                elapsed,
                received,
                sent: self.bytes,
                is_whole: self.whole,
            });
        }
        if let Some(number) = self.noted {
            self.metrics.recent().end(number, End { elapsed, is_whole: self.whole });
        }
        if let Some(fields) = &self.fields {
            let AccessLog { shape, out } = &*fields.log;
            line::write(out, *shape, SystemTime::now(), |line| self.put(fields, received, elapsed, line));
        }
    }
}

impl Record {
    fn put(&self, fields: &Fields, received: u64, elapsed: Duration, line: &mut line::Line<'_>) {
        line.word(name!("method"), fields.method.as_str());
        line.text(name!("path"), &fields.path);
        line.number(name!("status"), self.status().as_u16().into());
        line.text_if_any(name!("service"), fields.label.as_ref().map(|label| label.service.as_str()));
        line.text_if_any(name!("region"), fields.label.as_ref().map(|label| label.region.as_str()));
        line.text_if_any(name!("reason"), self.reason.map(Reason::as_str));
        line.number(name!("received"), received);
        line.number(name!("sent"), self.bytes);
        if let Some(to_head) = self.to_head {
            line.millis(name!("head_ms"), to_head);
        }
        line.millis(name!("elapsed_ms"), elapsed);
        line.number(name!("retries"), fields.retries.into());
        line.flag(name!("cut"), !self.whole);
        line.text(name!("peer"), &fields.peer);
        line.text_if_any(name!("user"), fields.user.as_deref());
        line.text_if_any(name!("request_id"), fields.request_id.as_ref().and_then(|id| id.to_str().ok()));
    }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_token_in_a_path_is_not_shown() {
        for (path, expected) in [
            ("/v2.0/tokens/secret", "/v2.0/tokens/.."),
            ("/identity/v2.0/tokens/secret/endpoints", "/identity/v2.0/tokens/../endpoints"),
            ("/v2.0/tokens", "/v2.0/tokens"),
            ("/v2.0/tokens//secret", "/v2.0/tokens/.."),
            ("/v2.0//tokens/secret", "/v2.0/tokens/.."),
            ("/v2.0/./tokens/./secret/x", "/v2.0/tokens/../x"),
            ("/v2.0/%74okens/secret", "/v2.0/tokens/.."),
            ("/identity/%2576%32.0/TOKENS;x/secret", "/identity/v2.0/TOKENS/.."),
            ("/v2.0%2Ftokens%5csecret", "/v2.0/tokens/.."),
            ("/v2.0/tokens/x/../secret", "/v2.0/../../../.."),
            ("/v2.0/x/%2e%2e/tokens/secret", "/v2.0/../../../.."),
            ("/object-store/c/100%25/v2.0", "/object-store/c/100%25/v2.0"),
            ("", ""),
            ("*", "*"),
            ("//", "//"),
            ("/object-store/c/tokens/o", "/object-store/c/tokens/o"),
        ] {
            assert_eq!(shown(path), expected);
        }
    }
}
