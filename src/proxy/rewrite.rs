//! Links in a response's fields, turned back to where the client came from.
//!
//! `Location`, `Content-Location`, `X-Storage-Url` and the targets of `Link`
//! (RFC 8288 3). Which links can be turned, and to what, is `routing`'s to say;
//! here they are found and replaced. Those in JSON bodies are found by `links`.

use http::header::{CONTENT_LOCATION, Entry, LINK, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Where Swift v1 authentication says the account is.
const STORAGE_URL: HeaderName = HeaderName::from_static("x-storage-url");

/// Whether a field, by its name in lower case, may have links.
pub(super) fn has_links(name: &str) -> bool {
    matches!(name, "location" | "content-location" | "x-storage-url" | "link")
}

/// Replaces each link for which `turn` has another.
pub(super) fn links(headers: &mut HeaderMap, turn: impl Fn(&str) -> Option<String>) {
    for name in [LOCATION, CONTENT_LOCATION, STORAGE_URL] {
        each_line(headers, name, |link| turn(link));
    }
    each_line(headers, LINK, |line| turned_targets(line, &turn));
}

/// Replaces each line of a field for which `turn` has another.
fn each_line(headers: &mut HeaderMap, name: HeaderName, turn: impl Fn(&str) -> Option<String>) {
    if let Entry::Occupied(mut lines) = headers.entry(name) {
        for line in lines.iter_mut() {
            let turned = line.to_str().ok().and_then(&turn);
            if let Some(turned) = turned.and_then(|turned| HeaderValue::from_maybe_shared(turned).ok()) {
                *line = turned;
            }
        }
    }
}

/// A `Link` field value with the targets between `<` and `>` turned; `None` if none was.
fn turned_targets(line: &str, turn: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut result = String::with_capacity(line.len());
    let mut rest = line;
    let mut any = false;
    while let Some((before, from_target)) = split_at_target(rest) {
        let Some((target, after)) = from_target.split_once('>') else { break };
        let new = turn(target);
        any |= new.is_some();
        result.push_str(before);
        result.push('<');
        result.push_str(new.as_deref().unwrap_or(target));
        result.push('>');
        rest = after;
    }
    result.push_str(rest);
    any.then_some(result)
}

/// What stands before and after the next `<` that is not within a quoted parameter (RFC 9110 5.6.4).
fn split_at_target(line: &str) -> Option<(&str, &str)> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let at = line.bytes().position(|byte| {
        let is_plain = !std::mem::take(&mut is_escaped);
        match byte {
            b'\\' if is_quoted => is_escaped = is_plain,
            b'"' if is_plain => is_quoted = !is_quoted,
            _ => {}
        }
        byte == b'<' && !is_quoted
    })?;
    Some((&line[..at], &line[at + 1..]))
}

#[cfg(any(test, fuzzing))]
pub(crate) mod oracle;

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(link: &str) -> Option<String> {
        link.strip_prefix("http://up/").map(|rest| format!("http://here/s/{rest}"))
    }

    #[test]
    fn links_in_fields_are_turned_and_others_stay() {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::from_static("http://up/a?x=%2F"));
        headers.insert(CONTENT_LOCATION, HeaderValue::from_static("http://elsewhere/a"));
        headers.append(
            LINK,
            HeaderValue::from_static(
                "<http://up/2>; rel=\"next\", <http://x/>; rel=up, <http://up/0>; rel=first",
            ),
        );
        headers.append(LINK, HeaderValue::from_static("<http://x/>; rel=a, <broken"));
        headers.append(LOCATION, HeaderValue::from_static("http://up/second"));
        headers.append(LINK, HeaderValue::from_static("<http://up/1>; title=\"\\\"<http://up/x>\"; rel=b"));
        links(&mut headers, turn);
        assert_eq!(headers[LOCATION], "http://here/s/a?x=%2F");
        let second = headers.get_all(LOCATION).iter().nth(1);
        assert_eq!(second.unwrap(), "http://here/s/second");
        assert_eq!(headers[CONTENT_LOCATION], "http://elsewhere/a");
        let lines: Vec<_> = headers.get_all(LINK).iter().collect();
        assert_eq!(
            lines,
            [
                "<http://here/s/2>; rel=\"next\", <http://x/>; rel=up, <http://here/s/0>; rel=first",
                "<http://x/>; rel=a, <broken",
                "<http://here/s/1>; title=\"\\\"<http://up/x>\"; rel=b",
            ]
        );
    }
}
