//! Links in JSON bodies, turned back to where the client came from (design 5).
//!
//! 1. `rules` says which service has links where in its documents; which of them can be turned, and to what, is
//!    `routing`'s to say. All else of a body passes byte for byte, as it comes; a cut body stays a cut body.
//! 2. Only JSON is looked into: `application/json` or `+json`, in UTF-8 (RFC 8259 8.1). Not what is encoded, a part of
//!    something (RFC 9110 14), or marked `no-transform` (RFC 9110 7.7).
//! 3. The length is not known before the end, so none is told, for `HEAD` neither (RFC 9110 8.6).
//! 4. A body that may be turned has another hash and other offsets than the upstream's: digests and `Accept-Ranges` go
//!    (RFC 9530, RFC 3230, RFC 1864), and a strong `ETag` becomes a weak one, which still serves `If-None-Match`
//!    (RFC 9110 8.8.1). A 304 tells what the 200 would have told (RFC 9110 15.4.5).
//! 5. Services whose answers may be turned are asked for them without encoding.
//! 6. `If-Match` compares strongly, so a tag that was made weak here could never match (RFC 9110 13.1.1): asking, the
//!    service's own is put in its place. A tag that it made weak itself matches nothing either way.

use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, Entry, IF_MATCH,
};
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

mod body;
mod directories;
#[cfg(any(test, fuzzing))]
pub(crate) mod oracle;
mod pieces;
mod rules;
mod scanner;
mod shape;

pub(super) use body::{Here, TurnedBody};

use self::rules::Rule;
use crate::client::{ResponseBody, TrailerFilter};
use crate::routing::Target;

/// Rules 5 and 6.
pub(super) fn ask_plain(headers: &mut HeaderMap, target: &Target<'_>) {
    if target.route.is_object_store {
        return;
    }
    let (has_encoding, has_match) = (headers.contains_key(ACCEPT_ENCODING), headers.contains_key(IF_MATCH));
    if !(has_encoding || has_match) || rules::find(target).is_none() {
        return;
    }
    if has_encoding {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    if let Entry::Occupied(mut lines) = headers.entry(IF_MATCH) {
        for line in lines.iter_mut() {
            if let Some(strong) = strengthened(line.as_bytes()) {
                *line = strong;
            }
        }
    }
}

/// A list of entity tags with the weak ones strong; nothing if none is weak. A tag may hold commas, and `W/` too.
fn strengthened(list: &[u8]) -> Option<HeaderValue> {
    let (mut strong, mut is_inside) = (Vec::with_capacity(list.len()), false);
    let mut rest = list;
    while let Some((first, others)) = rest.split_first() {
        if !is_inside && rest.starts_with(b"W/\"") {
            rest = &rest[2..];
            continue;
        }
        is_inside ^= *first == b'"';
        strong.push(*first);
        rest = others;
    }
    if strong.len() == list.len() { None } else { HeaderValue::from_bytes(&strong).ok() }
}

/// That links of a response may be turned, and by which rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turning(&'static Rule);

impl Turning {
    /// Whether they may be in this one, or in what a 304 stands for: rules 1 and 2. A 304 need not tell its type.
    pub(super) fn of(head: &Parts, target: &Target<'_>) -> Option<Self> {
        let rule = rules::find(target)?;
        let may_be_json = match head.status {
            StatusCode::NO_CONTENT | StatusCode::PARTIAL_CONTENT => false,
            StatusCode::NOT_MODIFIED if !head.headers.contains_key(CONTENT_TYPE) => true,
            status => !status.is_informational() && is_json(&head.headers),
        };
        (may_be_json && is_plain(&head.headers)).then_some(Self(rule))
    }

    /// Rules 3 and 4. A `HEAD` is answered as a `GET` would be.
    pub(super) fn loosen(self, headers: &mut HeaderMap) {
        headers.remove(CONTENT_LENGTH);
        headers.remove(ACCEPT_RANGES);
        drop_digests(headers);
        let weak = headers
            .get(ETAG)
            .filter(|tag| tag.as_bytes().starts_with(b"\""))
            .and_then(|tag| HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat()).ok());
        if let Some(weak) = weak {
            headers.insert(ETAG, weak);
        }
    }

    /// The body as it goes back.
    pub(super) fn turn(self, body: ResponseBody, filter: TrailerFilter, here: Here) -> TurnedBody {
        TurnedBody::new(body, filter, self.0, here)
    }
}

fn drop_digests(fields: &mut HeaderMap) {
    for name in DIGESTS {
        fields.remove(name);
    }
}

const DIGESTS: [HeaderName; 4] = [
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("repr-digest"),
];

/// One media type, with `charset` only if it is UTF-8.
fn is_json(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return false };
    let Ok(line) = line.to_str() else { return false };
    let mut parts = line.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    let is_utf8 = |parameter: &str| match parameter.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            ["utf-8", "utf8", "us-ascii"].iter().any(|it| value.trim_matches('"').eq_ignore_ascii_case(it))
        }
        _ => true,
    };
    let ends = |end: &str| {
        let at = media_type.len().checked_sub(end.len());
        at.and_then(|at| media_type.get(at..)).is_some_and(|it| it.eq_ignore_ascii_case(end))
    };
    let is_application = media_type.get(..12).is_some_and(|it| it.eq_ignore_ascii_case("application/"));
    is_application && (ends("/json") || ends("+json")) && parts.all(is_utf8)
}

/// Whether the body is a document as it is meant, whole, and may be changed.
fn is_plain(headers: &HeaderMap) -> bool {
    let is_identity = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    let forbids = |value: &HeaderValue| {
        let mut directives = value.as_bytes().split(|byte| *byte == b',');
        directives.any(|it| it.trim_ascii().eq_ignore_ascii_case(b"no-transform"))
    };
    headers.get_all(CONTENT_ENCODING).iter().all(is_identity)
        && !headers.contains_key(CONTENT_RANGE)
        && !headers.get_all(CACHE_CONTROL).iter().any(forbids)
}

#[cfg(test)]
mod tests;
