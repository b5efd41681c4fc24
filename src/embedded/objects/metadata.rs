//! Metadata in fields: what may be kept, and how much of it (`swift/common/constraints.py`).

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::refusal::Refusal;
use super::stamp::Stamp;
use super::state::Fields;

pub(super) const MOST_NAME: usize = 128;
pub(super) const MOST_VALUE: usize = 256;
pub(super) const MOST_FIELDS: usize = 90;
pub(super) const MOST_BYTES: usize = 4096;
pub(super) const MOST_HEADER: usize = 8192;

/// Fields of an object that are kept as they come, beside its metadata.
const KEPT_WITH_OBJECTS: &[&str] = &[
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
    "x-object-manifest",
    "x-robots-tag",
];

/// Checks the metadata of a request; `kind` is `object`, `container` or `account`.
pub(super) fn check(headers: &HeaderMap, kind: &'static str) -> Result<(), Refusal> {
    let wrong = |text: String| Err(Refusal::plain(StatusCode::BAD_REQUEST, text));
    let prefix = format!("x-{kind}-meta-");
    let (mut count, mut bytes) = (0, 0);
    for name in headers.keys() {
        let value = joined(headers, name.as_str()).unwrap_or_else(|| HeaderValue::from_static(""));
        if value.len() > MOST_HEADER {
            let name = titled(name.as_str());
            return wrong(format!("Header value too long: {}", name.get(..MOST_NAME).unwrap_or(&name)));
        }
        let Some(key) = name.as_str().strip_prefix(&prefix) else { continue };
        if key.is_empty() {
            return wrong("Metadata name cannot be empty".to_owned());
        }
        if kind != "object" && str::from_utf8(value.as_bytes()).is_err() {
            return wrong("Metadata must be valid UTF-8".to_owned());
        }
        count += 1;
        bytes += key.len() + value.len();
        if key.len() > MOST_NAME {
            return wrong(format!("Metadata name too long: {prefix}{}", titled(key)));
        }
        if value.len() > MOST_VALUE {
            return wrong(format!("Metadata value longer than {MOST_VALUE}: {prefix}{}", titled(key)));
        }
        if count > MOST_FIELDS {
            return wrong(format!("Too many metadata items; max {MOST_FIELDS}"));
        }
        if bytes > MOST_BYTES {
            return wrong(format!("Total metadata too large; max {MOST_BYTES}"));
        }
    }
    Ok(())
}

/// Whether a field belongs to an object.
pub(super) fn is_of_object(name: &HeaderName) -> bool {
    name.as_str().starts_with("x-object-meta-") || KEPT_WITH_OBJECTS.contains(&name.as_str())
}

/// What a request says to keep with an object.
pub(super) fn of_object(headers: &HeaderMap) -> Fields {
    let names = headers.keys().filter(|name| is_of_object(name));
    let kept = names.filter_map(|name| Some((name.as_str().to_owned(), joined(headers, name.as_str())?)));
    // Of the system's fields empty ones are not kept, of metadata they are.
    kept.filter(|(name, value)| !value.is_empty() || name.starts_with("x-object-meta-")).collect()
}

/// Changes the metadata of an account or a container: empty values and `x-remove-` remove.
pub(super) fn change(fields: &mut Fields, headers: &HeaderMap, prefix: &str, others: &[&str]) {
    let is_ours = |name: &str| name.starts_with(prefix) || others.contains(&name);
    for name in headers.keys().map(HeaderName::as_str) {
        if let Some(removed) = name.strip_prefix("x-remove-").map(|rest| format!("x-{rest}")) {
            if is_ours(&removed) {
                fields.remove(&removed);
            }
        } else if is_ours(name) {
            match joined(headers, name).filter(|value| !value.is_empty()) {
                Some(value) => fields.insert(name.to_owned(), value),
                None => fields.remove(name),
            };
        }
    }
}

/// When a request says that an object shall be deleted.
pub(super) fn delete_at(headers: &HeaderMap, now: Stamp) -> Result<Option<i64>, Refusal> {
    let wrong = |text: &'static str| Refusal::plain(StatusCode::BAD_REQUEST, text);
    let number = |name: &str| {
        let value = joined(headers, name)?;
        Some(value.to_str().ok().and_then(|text| text.trim().parse::<i64>().ok()))
    };
    if let Some(after) = number("x-delete-after") {
        let after = after.ok_or_else(|| wrong("Non-integer X-Delete-After"))?;
        let at = now.seconds().saturating_add(after).clamp(0, LAST_DELETION);
        return if after > 0 { Ok(Some(at)) } else { Err(wrong("X-Delete-After in past")) };
    }
    let Some(at) = number("x-delete-at") else { return Ok(None) };
    let at = at.ok_or_else(|| wrong("Non-integer X-Delete-At"))?.clamp(0, LAST_DELETION);
    if at <= now.seconds() { Err(wrong("X-Delete-At in past")) } else { Ok(Some(at)) }
}

/// Swift writes times with ten digits.
const LAST_DELETION: i64 = 9_999_999_999;

/// The value of a field, in bytes of its own: the one that came is a slice of the connection's buffer, and would keep
/// all of that. Several lines are joined, as WSGI does.
pub(super) fn joined(headers: &HeaderMap, name: &str) -> Option<HeaderValue> {
    let mut lines = headers.get_all(name).iter();
    let first = lines.next()?;
    let mut rest = lines.peekable();
    if rest.peek().is_none() {
        return HeaderValue::from_bytes(first.as_bytes()).ok();
    }
    let all: Vec<&[u8]> = std::iter::once(first).chain(rest).map(HeaderValue::as_bytes).collect();
    HeaderValue::from_bytes(&all.join(&b","[..])).ok()
}

/// `X-Object-Meta-Colour`, as Python's `title` makes it.
pub(super) fn titled(name: &str) -> String {
    let mut after_letter = false;
    let title = |c: char| {
        let c = if after_letter { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() };
        after_letter = c.is_ascii_alphabetic();
        c
    };
    name.chars().map(title).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use jiff::Timestamp;

    use super::*;

    fn headers(fields: &[(String, String)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(HeaderName::try_from(name.as_str()).unwrap(), value);
        }
        headers
    }

    #[test]
    fn metadata_has_bounds() {
        let name = |n: usize| format!("x-object-meta-{}", "k".repeat(n));
        let many = |n: usize, value: usize| -> Vec<_> {
            (0..n).map(|n| (format!("x-object-meta-{n:03}"), "v".repeat(value))).collect()
        };
        for (fields, expected) in [
            (vec![(name(128), "v".repeat(256))], None),
            (vec![(name(0), "v".into())], Some("Metadata name cannot be empty")),
            (vec![(name(129), "v".into())], Some("Metadata name too long: x-object-meta-Kkk")),
            (vec![(name(1), "v".repeat(257))], Some("Metadata value longer than 256: x-object-meta-K")),
            (many(90, 1), None),
            (many(91, 1), Some("Too many metadata items; max 90")),
            (many(20, 250), Some("Total metadata too large; max 4096")),
            (vec![("x-foo".into(), "v".repeat(8193))], Some("Header value too long: X-Foo")),
        ] {
            let said = check(&headers(&fields), "object").err().map(|refusal| refusal.text());
            assert_eq!(said.is_some(), expected.is_some(), "{fields:?}");
            assert!(said.unwrap_or_default().starts_with(expected.unwrap_or_default()), "{fields:?}");
        }
    }

    #[test]
    fn metadata_is_changed_and_removed() {
        let mut fields = Fields::from([
            ("x-container-meta-a".to_owned(), HeaderValue::from_static("1")),
            ("x-container-meta-b".to_owned(), HeaderValue::from_static("2")),
            ("x-container-read".to_owned(), HeaderValue::from_static(".r:*")),
        ]);
        let changes = [
            ("x-container-meta-a".to_owned(), String::new()),
            ("x-remove-container-meta-b".to_owned(), "x".to_owned()),
            ("x-remove-container-read".to_owned(), "x".to_owned()),
            ("x-container-meta-c".to_owned(), "3".to_owned()),
            ("x-container-meta-c".to_owned(), "4".to_owned()),
            ("x-container-bytes-used".to_owned(), "5".to_owned()),
        ];
        change(&mut fields, &headers(&changes), "x-container-meta-", &["x-container-read"]);
        let expected = Fields::from([("x-container-meta-c".to_owned(), HeaderValue::from_static("3,4"))]);
        assert_eq!(fields, expected);
    }

    #[test]
    fn what_is_kept_keeps_nothing_of_the_connections_buffer() {
        let buffer = Bytes::from_static(b"blue-and-all-that-came-with-it");
        let mut headers = HeaderMap::new();
        for name in ["x-object-meta-colour", "x-container-meta-colour"] {
            headers.insert(name, HeaderValue::from_maybe_shared(buffer.slice(..4)).unwrap());
        }
        let mut changed = Fields::new();
        change(&mut changed, &headers, "x-container-meta-", &[]);
        for value in of_object(&headers).values().chain(changed.values()) {
            assert_eq!(value, "blue");
            assert_ne!(value.as_bytes().as_ptr(), buffer.as_ptr());
        }
    }

    #[test]
    fn times_of_deletion_lie_ahead() {
        let now = Stamp::from(Timestamp::from_second(1000).unwrap());
        for (name, value, expected) in [
            ("x-delete-after", "5", Ok(Some(1005))),
            ("x-delete-after", "0", Err("X-Delete-After in past")),
            ("x-delete-after", "-5", Err("X-Delete-After in past")),
            ("x-delete-after", "x", Err("Non-integer X-Delete-After")),
            ("x-delete-after", "9223372036854775807", Ok(Some(9_999_999_999))),
            ("x-delete-at", "1001", Ok(Some(1001))),
            ("x-delete-at", "1000", Err("X-Delete-At in past")),
            ("x-delete-at", "x", Err("Non-integer X-Delete-At")),
            ("x-other", "x", Ok(None)),
        ] {
            let fields = headers(&[(name.to_owned(), value.to_owned())]);
            let said = delete_at(&fields, now).map_err(|refusal| refusal.text());
            assert_eq!(said, expected.map_err(str::to_owned), "{name}: {value}");
        }
    }
}
