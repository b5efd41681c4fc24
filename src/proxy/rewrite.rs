//! Links in a response's fields, turned back to where the client came from.
//!
//! `Location`, `Content-Location`, `X-Storage-Url` and the targets of `Link`
//! (RFC 8288 3). Which links can be turned, and to what, is `routing`'s to say;
//! here they are found and replaced. Those in JSON bodies are found by `links`.

use http::header::{CONTENT_LOCATION, LINK, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Where Swift v1 authentication says the account is.
const STORAGE_URL: HeaderName = HeaderName::from_static("x-storage-url");

/// Replaces each link for which `turn` has another.
pub(super) fn links(headers: &mut HeaderMap, turn: impl Fn(&str) -> Option<String>) {
    for name in [LOCATION, CONTENT_LOCATION, STORAGE_URL] {
        let turned = headers.get(&name).and_then(|value| turned(value, &turn));
        if let Some(value) = turned {
            headers.insert(name, value);
        }
    }
    if headers.contains_key(LINK) {
        let lines: Vec<HeaderValue> = headers.get_all(LINK).iter().cloned().collect();
        headers.remove(LINK);
        for line in lines {
            let new = line.to_str().ok().and_then(|text| turned_targets(text, &turn));
            headers.append(LINK, new.unwrap_or(line));
        }
    }
}

fn turned(value: &HeaderValue, turn: &impl Fn(&str) -> Option<String>) -> Option<HeaderValue> {
    HeaderValue::from_maybe_shared(turn(value.to_str().ok()?)?).ok()
}

/// A `Link` field value with the targets between `<` and `>` turned; `None` if none was.
fn turned_targets(line: &str, turn: &impl Fn(&str) -> Option<String>) -> Option<HeaderValue> {
    let mut result = String::with_capacity(line.len());
    let mut rest = line;
    let mut any = false;
    while let Some((before, from_target)) = rest.split_once('<') {
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
    if any { HeaderValue::from_maybe_shared(result).ok() } else { None }
}

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
        links(&mut headers, turn);
        assert_eq!(headers[LOCATION], "http://here/s/a?x=%2F");
        assert_eq!(headers[CONTENT_LOCATION], "http://elsewhere/a");
        let lines: Vec<_> = headers.get_all(LINK).iter().collect();
        assert_eq!(
            lines,
            [
                "<http://here/s/2>; rel=\"next\", <http://x/>; rel=up, <http://here/s/0>; rel=first",
                "<http://x/>; rel=a, <broken",
            ]
        );
    }
}
