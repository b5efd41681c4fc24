//! What must hold of a response's fields, whichever there are.

use http::{HeaderMap, HeaderValue};

use super::links;
use crate::oracles;

/// Reads fields, a line each, and turns their links.
pub(crate) fn fields(data: &[u8]) {
    holds(&oracles::headers(data));
}

/// Each field is what it was but for its links, line by line.
fn holds(came: &HeaderMap) {
    let mut went = came.clone();
    links(&mut went, turn);
    assert_eq!(went.keys_len(), came.keys_len());
    for name in came.keys() {
        let expected: Vec<HeaderValue> = came
            .get_all(name)
            .iter()
            .map(|value| {
                let text = value.to_str();
                let turned = text.ok().and_then(|text| match name.as_str() {
                    "location" | "content-location" | "x-storage-url" => turn(text),
                    "link" => Some(targets(text)),
                    _ => None,
                });
                turned.and_then(|turned| turned.parse().ok()).unwrap_or_else(|| value.clone())
            })
            .collect();
        let seen: Vec<&HeaderValue> = went.get_all(name).iter().collect();
        assert_eq!(seen, expected.iter().collect::<Vec<_>>(), "{name} of {came:?}");
    }
    let mut still = came.clone();
    links(&mut still, |_| None);
    assert_eq!(&still, came, "nothing turns, and yet it is changed");
}

/// The upstream is `http://up`, and we are `http://here/s`.
fn turn(link: &str) -> Option<String> {
    link.strip_prefix("http://up").map(|rest| format!("http://here/s{rest}"))
}

/// RFC 8288 3: a target stands between `<` and `>`; what is quoted is a parameter's (RFC 9110 5.6.4).
fn targets(line: &str) -> String {
    let (mut out, mut rest) = (String::new(), line);
    loop {
        let (mut is_quoted, mut is_escaped) = (false, false);
        let start = rest.find(|c: char| {
            let is_start = c == '<' && !is_quoted;
            match c {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = is_quoted,
                '"' => is_quoted = !is_quoted,
                _ => {}
            }
            is_start
        });
        let target = start.and_then(|start| Some((start, start + rest[start..].find('>')?)));
        let Some((start, end)) = target else { return out + rest };
        let link = &rest[start + 1..end];
        out += &rest[..=start];
        out += &turn(link).unwrap_or_else(|| link.to_owned());
        out.push('>');
        rest = &rest[end + 1..];
    }
}
