//! Conditions of GET and HEAD, in Swift's order (`swob.Response`): `If-None-Match`, `If-Match`,
//! `If-Modified-Since`, `If-Unmodified-Since`. Dates that are none are ignored.

use std::time::SystemTime;

use http::header::{HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
use http::{HeaderMap, StatusCode};

/// The status that a condition demands in place of 200; `etag` has no quotes.
pub(super) fn status(headers: &HeaderMap, etag: &str, last_modified: i64) -> Option<StatusCode> {
    if matches(headers, &IF_NONE_MATCH, etag) == Some(true) {
        return Some(StatusCode::NOT_MODIFIED);
    }
    if matches(headers, &IF_MATCH, etag) == Some(false) {
        return Some(StatusCode::PRECONDITION_FAILED);
    }
    if date(headers, &IF_MODIFIED_SINCE).is_some_and(|since| last_modified <= since) {
        return Some(StatusCode::NOT_MODIFIED);
    }
    if date(headers, &IF_UNMODIFIED_SINCE).is_some_and(|since| last_modified > since) {
        return Some(StatusCode::PRECONDITION_FAILED);
    }
    None
}

/// Whether the field names anything whatever.
pub(super) fn has_star(headers: &HeaderMap, name: &HeaderName) -> bool {
    tags(headers, name).is_some_and(|mut tags| tags.any(|tag| tag == "*"))
}

/// Whether the field names this tag; nothing if the field is not there.
fn matches(headers: &HeaderMap, name: &HeaderName, etag: &str) -> Option<bool> {
    tags(headers, name).map(|mut tags| tags.any(|tag| tag == "*" || unquoted(tag) == etag))
}

fn tags<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<impl Iterator<Item = &'a str>> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.split(',').map(str::trim).filter(|tag| !tag.is_empty()))
}

/// A tag without its quotes.
pub(super) fn unquoted(tag: &str) -> &str {
    tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag)
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<i64> {
    let date = httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()?;
    i64::try_from(date.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn conditions_are_those_of_swift() {
        let newer = "Fri, 01 Jan 2038 00:00:00 GMT";
        let older = "Mon, 01 Jan 2001 00:00:00 GMT";
        for (fields, expected) in [
            (&[("if-match", "\"e\"")][..], None),
            (&[("if-match", "x, e")], None),
            (&[("if-match", "*")], None),
            (&[("if-match", "x")], Some(412)),
            (&[("if-none-match", "\"e\"")], Some(304)),
            (&[("if-none-match", "*")], Some(304)),
            (&[("if-none-match", "x")], None),
            (&[("if-modified-since", older)], None),
            (&[("if-modified-since", newer)], Some(304)),
            (&[("if-modified-since", "Friday, 01-Jan-38 00:00:00 GMT")], Some(304)),
            (&[("if-modified-since", "rubbish")], None),
            (&[("if-unmodified-since", older)], Some(412)),
            (&[("if-unmodified-since", newer)], None),
            (&[("if-match", "x"), ("if-none-match", "e")], Some(304)),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            let status = status(&headers, "e", 1_700_000_000);
            assert_eq!(status.map(|status| status.as_u16()), expected, "{fields:?}");
        }
    }
}
