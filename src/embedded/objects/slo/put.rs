//! PUT of a manifest: every segment is looked up and compared with what the client says of it.

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};

use super::super::super::reply::{Reply, full, streamed};
use super::super::conditional::unquoted;
use super::super::data::{Data, md5_hex};
use super::super::download::set;
use super::super::object::Place;
use super::super::refusal::{Refusal, explanation, reason, status_line};
use super::super::report::{self, FORMATS, Value};
use super::super::state::{Large, OVERHEAD, Object};
use super::super::upload::{self, Head, is_chunked, judge, keep, length};
use super::super::{Ask, Inbox, accept, json, quoted};
use super::parse::{Given, GivenObject, parse};
use super::walk::Reader;
use super::{MOST_BYTES, MOST_SEGMENTS, Manifest, Part, Segment, What, base64};

/// Takes a manifest in.
pub(in super::super) async fn put(ask: &Ask, place: Place<'_>, inbox: &mut Inbox) -> Result<Reply, Refusal> {
    if length(&ask.headers).is_none() && !is_chunked(&ask.headers) {
        return Err(Refusal::of(StatusCode::LENGTH_REQUIRED));
    }
    let too_long = || {
        let text = format!("Manifest File > {MOST_BYTES} bytes");
        Refusal::html(StatusCode::PAYLOAD_TOO_LARGE, text)
    };
    if length(&ask.headers).is_some_and(|length| length > MOST_BYTES) {
        return Err(too_long());
    }
    let head = judge(ask, place)?;
    let mut share = ask.inner.room.share();
    let mut body = Vec::new();
    while let Some(bytes) = inbox.next().await? {
        share.grow(bytes.len() as u64)?;
        body.extend_from_slice(&bytes);
        if body.len() as u64 > MOST_BYTES {
            return Err(too_long());
        }
    }
    make(ask, place, head, &body)
}

/// Makes a large object of a manifest as clients send it.
pub(in super::super) fn make(ask: &Ask, place: Place<'_>, head: Head, body: &[u8]) -> Result<Reply, Refusal> {
    let given = parse(body, (place.container, place.name))?;
    let objects = given.iter().filter(|given| matches!(given, Given::Object(_))).count();
    if objects > MOST_SEGMENTS {
        let text = format!("Number of object-backed segments must be <= {MOST_SEGMENTS}");
        return Err(Refusal::html(StatusCode::PAYLOAD_TOO_LARGE, text));
    }
    let accept = ask.field("accept");
    let format = accept::best(accept.as_deref(), FORMATS).ok().flatten().unwrap_or("text/plain").to_owned();
    let outcome =
        check(ask, place.account, &given).and_then(|checked| keep_manifest(ask, place, head, checked));
    if ask.query.is_true("heartbeat") {
        return Ok(told_late(outcome, &format));
    }
    match outcome {
        Ok(reply) => Ok(reply),
        Err(Wrong::Refused(refusal)) => Err(refusal),
        Err(Wrong::Segments(problems)) => {
            let mut reply = Response::new(full(report::body(Some(&format), "upload", &[], &problems)));
            *reply.status_mut() = StatusCode::BAD_REQUEST;
            set(reply.headers_mut(), CONTENT_TYPE, &format);
            Ok(reply)
        }
    }
}

enum Wrong {
    /// Of the request.
    Refused(Refusal),
    /// Of segments: their paths and what is wrong.
    Segments(Vec<(String, String)>),
}

impl From<Refusal> for Wrong {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A manifest that fits what there is.
struct Checked {
    segments: Vec<Segment>,
    size: u64,
    etag: String,
    /// As it is stored.
    json: String,
}

fn check(ask: &Ask, account: &str, given: &[Given]) -> Result<Checked, Wrong> {
    let reader = Reader::new(ask, account);
    let mut problems = Vec::new();
    let (mut segments, mut size, mut etags, mut items) = (Vec::new(), 0u64, String::new(), Vec::new());
    let last = given.len().saturating_sub(1);
    for (index, given) in given.iter().enumerate() {
        let (segment, etag, item) = match given {
            Given::Inline(bytes) => {
                let data = Data::of(bytes, &ask.inner.room).map_err(Refusal::from)?;
                let item = json::object([("data", json::string(&base64::encode(bytes)))]);
                let etag = data.md5().to_owned();
                (Segment { length: data.length(), what: What::Inline(Arc::new(data)) }, etag, item)
            }
            Given::Object(given) => {
                let (container, name) = given.place();
                match reader.look_up(container, name) {
                    Ok(object) => part(given, &object, index == last, &mut problems),
                    Err(status) => {
                        problems.push((quoted(&given.path), status_line(status)));
                        continue;
                    }
                }
            }
        };
        // Sums of sums may grow beyond all numbers, and so may all the ranges of one that a request asks for.
        let sum = size.checked_add(segment.length).filter(|sum| *sum <= LARGEST);
        size = sum.ok_or_else(upload::too_large)?;
        etags.push_str(&etag);
        items.push(item);
        segments.push(segment);
    }
    if !problems.is_empty() {
        return Err(Wrong::Segments(problems));
    }
    Ok(Checked { segments, size, etag: md5_hex(etags.as_bytes()), json: json::array(items) })
}

/// So large that as many ranges of it as a request may name are still a length (`Content-Length` is an `i64` to some).
const LARGEST: u64 = i64::MAX as u64 / 64;

/// A segment, its share of the entity tag, and its place in the stored manifest.
fn part(
    given: &GivenObject,
    object: &Object,
    is_last: bool,
    problems: &mut Vec<(String, String)>,
) -> (Segment, String, String) {
    let (bytes, hash, is_manifest) = match &object.large {
        Large::Static(manifest) => (manifest.size, manifest.etag.as_str(), true),
        Large::No | Large::Dynamic(..) => (object.data.length(), object.data.md5(), false),
    };
    let mut problem = |what: &str| problems.push((quoted(&given.path), what.to_owned()));
    let wanted = given.range.as_ref().map(|range| range.parts(bytes).first().copied());
    if wanted == Some(None) {
        problem("Unsatisfiable Range");
    }
    let range = wanted.flatten().filter(|range| *range != (0, bytes));
    let (first, end) = range.unwrap_or((0, bytes));
    if first == end && !is_last {
        problem("Too small; each segment must be at least 1 byte.");
    }
    if given.size.is_some_and(|size| size != i128::from(bytes)) {
        problem("Size Mismatch");
    }
    if given.etag.as_deref().is_some_and(|etag| etag != hash) {
        problem("Etag Mismatch");
    }
    let (container, name) = given.place();
    let content_type = String::from_utf8_lossy(object.content_type.as_bytes());
    let mut members = vec![
        ("name", json::string(&format!("/{container}/{name}"))),
        ("bytes", bytes.to_string()),
        ("hash", json::string(hash)),
        ("content_type", json::string(content_type.split(';').next().unwrap_or_default())),
        ("last_modified", json::string(&object.modified.iso_up())),
    ];
    let mut etag = hash.to_owned();
    if range.is_some() {
        let text = format!("{first}-{}", end.saturating_sub(1));
        etag = format!("{hash}:{text};");
        members.push(("range", json::string(&text)));
    }
    if is_manifest {
        members.push(("sub_slo", "true".to_owned()));
    }
    let part = Part {
        container: container.to_owned(),
        name: name.to_owned(),
        etag: hash.to_owned(),
        bytes,
        first,
        is_manifest,
    };
    (Segment { length: end - first, what: What::Object(part) }, etag, json::object(members))
}

fn keep_manifest(ask: &Ask, place: Place<'_>, mut head: Head, checked: Checked) -> Result<Reply, Wrong> {
    let Checked { segments, size, etag, json } = checked;
    if ask.method == http::Method::PUT && head.etag.as_deref().is_some_and(|given| unquoted(given) != etag) {
        return Err(Refusal::of(StatusCode::UNPROCESSABLE_ENTITY).into());
    }
    let data = Data::of(json.as_bytes(), &ask.inner.room).map_err(Refusal::from)?;
    // The manifest is kept twice, as text and as what it means.
    let mut share = ask.inner.room.share();
    share.grow(json.len() as u64 + OVERHEAD / 8 * segments.len() as u64).map_err(Refusal::from)?;
    head.fields.remove("x-object-manifest");
    head.fields.insert("x-static-large-object".to_owned(), HeaderValue::from_static("True"));
    let told = format!("\"{etag}\"");
    let manifest = Manifest { segments, size, etag, _share: share };
    let large = Large::Static(Arc::new(manifest));
    Ok(keep(ask, place, head, Arc::new(data), large, &told)?)
}

/// The reply to a client that asked for signs of life: 202, and what happened at the end of the body.
fn told_late(outcome: Result<Reply, Wrong>, format: &str) -> Reply {
    let text = |status: StatusCode| format!("{}\n{}", reason(status), explanation(status));
    let mut members = Vec::new();
    let mut problems = Vec::new();
    match outcome {
        Ok(reply) => {
            members.push(("Response Status", Value::Text(status_line(reply.status()))));
            for (name, field) in [("Etag", "etag"), ("Last Modified", "last-modified")] {
                let value = reply.headers().get(field).and_then(|value| value.to_str().ok());
                members.push((name, Value::Text(value.unwrap_or_default().to_owned())));
            }
            members.push(("Response Body", Value::Text(String::new())));
        }
        Err(Wrong::Refused(refusal)) => {
            members.push(("Response Status", Value::Text(status_line(refusal.status))));
            members.push(("Response Body", Value::Text(text(refusal.status))));
        }
        Err(Wrong::Segments(found)) => {
            problems = found;
            members.push(("Response Status", Value::Text(status_line(StatusCode::BAD_REQUEST))));
            members.push(("Response Body", Value::Text(text(StatusCode::BAD_REQUEST))));
        }
    }
    let body = format!(" \r\n\r\n{}", report::body(Some(format), "upload", &members, &problems));
    let mut reply = Response::new(streamed(body));
    *reply.status_mut() = StatusCode::ACCEPTED;
    set(reply.headers_mut(), CONTENT_TYPE, format);
    reply
}
