//! PUT of an object: the head is judged, then the body is taken in, then the object appears, whole or not at all.

use std::sync::Arc;

use http::header::{CONTENT_LENGTH, ETAG, IF_NONE_MATCH, LAST_MODIFIED, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::super::reply::Reply;
use super::auth::Act;
use super::conditional::{has_star, unquoted};
use super::data::{Collector, Data};
use super::object::{Place, created, store};
use super::query::is_true;
use super::refusal::Refusal;
use super::state::{Fields, Large, Object, share};
use super::{Ask, Inbox, dlo, metadata, types};

/// The longest name of an object.
pub(super) const MOST_NAME: usize = 1024;

/// The largest object.
pub(super) const MOST_BYTES: u64 = 5_368_709_122;

/// What a request says of the object that it makes.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) content_type: HeaderValue,
    pub(super) fields: Fields,
    pub(super) delete_at: Option<i64>,
    /// Whether nothing may be there yet.
    pub(super) is_first: bool,
    /// Its length, if it is told.
    pub(super) length: Option<u64>,
    /// The entity tag that the client expects.
    pub(super) etag: Option<String>,
}

/// Takes an object in.
pub(super) async fn put(ask: &Ask, place: Place<'_>, inbox: &mut Inbox) -> Result<Reply, Refusal> {
    reserved(ask)?;
    dlo::check(&ask.headers)?;
    let head = judge(ask, place)?;
    let mut collector = Collector::new(&ask.inner.room, head.length);
    while let Some(bytes) = inbox.next().await? {
        collector.add(&bytes)?;
        if collector.length() > MOST_BYTES {
            return Err(too_large());
        }
    }
    let data = collector.finish();
    if head.etag.as_deref().is_some_and(|etag| etag != data.md5()) {
        let date = ask.inner.now().http_date();
        return Err(Refusal::of(StatusCode::UNPROCESSABLE_ENTITY).with_field(LAST_MODIFIED, date));
    }
    let large = dlo::pointer(&head.fields);
    let etag = data.md5().to_owned();
    keep(ask, place, head, Arc::new(data), large, &etag)
}

/// Makes an object of what has come.
pub(super) fn keep(
    ask: &Ask,
    place: Place<'_>,
    head: Head,
    data: Arc<Data>,
    large: Large,
    etag: &str,
) -> Result<Reply, Refusal> {
    let share = share(&ask.inner.room, place.name, &head.fields)?;
    let Head { content_type, fields, delete_at, is_first, .. } = head;
    let modified = ask.inner.now();
    let object = Object { data, content_type, fields, modified, delete_at, large, _share: share };
    let reply = created(&object, etag);
    store(ask, place, object, is_first)?;
    Ok(reply)
}

/// Looks at the head of a request that is to make an object.
pub(super) fn judge(ask: &Ask, place: Place<'_>) -> Result<Head, Refusal> {
    let headers = &ask.headers;
    let wrong = |text: String| Refusal::plain(StatusCode::BAD_REQUEST, text);
    let is_first = has_star(headers, &IF_NONE_MATCH);
    if headers.contains_key(IF_NONE_MATCH) && !is_first {
        return Err(wrong("If-None-Match only supports *".to_owned()));
    }
    {
        let store = ask.inner.store();
        ask.enter(&store, place.account, place.container, Act::Write)?;
        let container = store.container(place.account, place.container);
        let container = container.ok_or_else(|| Refusal::of(StatusCode::NOT_FOUND))?;
        if is_first && container.objects.contains_key(place.name) {
            return Err(Refusal::of(StatusCode::PRECONDITION_FAILED));
        }
    }
    let length = length(headers);
    if length.is_some_and(|length| length > MOST_BYTES) {
        return Err(too_large());
    }
    if length.is_none() && !is_chunked(headers) && ask.method == http::Method::PUT {
        return Err(Refusal::plain(StatusCode::LENGTH_REQUIRED, "Missing Content-Length header."));
    }
    if place.name.len() > MOST_NAME {
        return Err(wrong(format!("Object name length of {} longer than {MOST_NAME}", place.name.len())));
    }
    let delete_at = metadata::delete_at(headers, ask.inner.now())?;
    let content_type = content_type(headers, place.name)?;
    metadata::check(headers, "object")?;
    let etag = ask.field(ETAG.as_str()).map(|etag| unquoted(&etag).to_owned());
    let etag = etag.filter(|etag| !etag.is_empty());
    Ok(Head { content_type, fields: metadata::of_object(headers), delete_at, is_first, length, etag })
}

fn content_type(headers: &HeaderMap, name: &str) -> Result<HeaderValue, Refusal> {
    let given = metadata::joined(headers, "content-type").filter(|value| !value.is_empty());
    let detects = headers.get("x-detect-content-type").and_then(|value| value.to_str().ok());
    let Some(given) = given.filter(|_| !detects.is_some_and(is_true)) else {
        return Ok(HeaderValue::from_static(types::guess(name)));
    };
    let Ok(text) = str::from_utf8(given.as_bytes()) else {
        return Err(Refusal::plain(StatusCode::BAD_REQUEST, "Invalid Content-Type"));
    };
    if text.split(';').skip(1).any(|parameter| parameter.trim_start().starts_with("swift_")) {
        let text = "Invalid Content-Type, swift_* is not a valid parameter name.";
        return Err(Refusal::html(StatusCode::BAD_REQUEST, text));
    }
    Ok(given)
}

/// Large objects are made by a parameter.
fn reserved(ask: &Ask) -> Result<(), Refusal> {
    if ask.headers.contains_key("x-static-large-object") {
        let text = "X-Static-Large-Object is a reserved header. To create a static large object add query param \
                    multipart-manifest=put.";
        return Err(Refusal::html(StatusCode::BAD_REQUEST, text));
    }
    Ok(())
}

/// The length that a request tells.
pub(super) fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether it tells none, and comes in chunks.
pub(super) fn is_chunked(headers: &HeaderMap) -> bool {
    let coding = headers.get(TRANSFER_ENCODING).and_then(|value| value.to_str().ok());
    coding.is_some_and(|coding| coding.trim().eq_ignore_ascii_case("chunked"))
}

/// It is larger than an object may be.
pub(super) fn too_large() -> Refusal {
    Refusal::plain(StatusCode::PAYLOAD_TOO_LARGE, "Your request is too large.")
}
