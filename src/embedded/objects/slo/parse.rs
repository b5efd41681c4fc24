//! A manifest as a client sends it: an array of objects, each with `path` (and `etag`, `size_bytes`, `range`) or
//! `data`. Everything that is wrong with it is told at once, in Swift's words.

use std::fmt::Write as _;

use http::StatusCode;
use serde_json::{Map, Value};

use super::super::json;
use super::super::range::Ranges;
use super::super::refusal::Refusal;
use super::base64;

/// A segment that is well-formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// Bytes.
    Inline(Vec<u8>),
    /// An object.
    Object(GivenObject),
}

/// What a client says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GivenObject {
    /// As it came.
    pub(super) path: String,
    pub(super) etag: Option<String>,
    pub(super) size: Option<i128>,
    pub(super) range: Option<Ranges>,
}

impl GivenObject {
    /// Container and name.
    pub(super) fn place(&self) -> (&str, &str) {
        self.path.trim_start_matches('/').split_once('/').unwrap_or_default()
    }
}

/// Reads a manifest that is to be the object `own`, in its container.
pub(super) fn parse(body: &[u8], own: (&str, &str)) -> Result<Vec<Given>, Refusal> {
    let wrong = |text: &'static str| Refusal::html(StatusCode::BAD_REQUEST, text);
    let value = serde_json::from_slice(body).map_err(|_| wrong("Manifest must be valid JSON.\n"))?;
    let Value::Array(items) = value else { return Err(wrong("Manifest must be a list.\n")) };
    let (mut segments, mut errors) = (Vec::with_capacity(items.len()), String::new());
    for (index, item) in items.iter().enumerate() {
        match segment(item, index + 1 == items.len(), own) {
            Ok(segment) => segments.push(segment),
            Err(why) => {
                let _ = writeln!(errors, "Index {index}: {why}");
            }
        }
    }
    if !items.is_empty() && items.iter().all(|item| item.get("data").is_some()) {
        errors.push_str("Inline data segments require at least one object-backed segment.\n");
    }
    if errors.is_empty() { Ok(segments) } else { Err(Refusal::plain(StatusCode::BAD_REQUEST, errors)) }
}

const TOO_SMALL: &str = "too small; each segment must be at least 1 byte.";

fn segment(item: &Value, is_last: bool, own: (&str, &str)) -> Result<Given, String> {
    let Value::Object(item) = item else { return Err("not a JSON object".to_owned()) };
    let known: &[&str] = match (item.contains_key("data"), item.contains_key("path")) {
        (true, _) => &["data"],
        (false, true) => &["path", "range", "etag", "size_bytes"],
        (false, false) => return Err("expected keys to include one of 'data' or 'path'".to_owned()),
    };
    // The map is in order.
    let extra: Vec<String> =
        item.keys().filter(|key| !known.contains(&key.as_str())).map(|key| json::string(key)).collect();
    if !extra.is_empty() {
        return Err(format!("extraneous keys {}", extra.join(", ")));
    }
    match item.get("data") {
        Some(data) => inline(data),
        None => object(item, is_last, own),
    }
}

fn inline(data: &Value) -> Result<Given, String> {
    let bytes = data.as_str().and_then(base64::decode);
    let bytes = bytes.ok_or_else(|| "data must be valid base64".to_owned())?;
    if bytes.is_empty() { Err(TOO_SMALL.to_owned()) } else { Ok(Given::Inline(bytes)) }
}

fn object(item: &Map<String, Value>, is_last: bool, own: (&str, &str)) -> Result<Given, String> {
    let wrong = |text: &str| Err(text.to_owned());
    let Some(Value::String(path)) = item.get("path") else { return wrong("\"path\" must be a string") };
    let etag = match item.get("etag") {
        None | Some(Value::Null) => None,
        Some(Value::String(etag)) => Some(etag.clone()),
        Some(_) => return wrong("\"etag\" must be a string or null (if provided)"),
    };
    if !path.trim_matches('/').contains('/') {
        return wrong("path does not refer to an object. Path must be of the form /container/object.");
    }
    let size = match item.get("size_bytes") {
        None | Some(Value::Null) => None,
        Some(size) => match integer(size) {
            Some(size) if size < 1 && !is_last => return wrong(TOO_SMALL),
            Some(size) => Some(size),
            None => return wrong("invalid size_bytes"),
        },
    };
    let mut given = GivenObject { path: path.clone(), etag, size, range: None };
    if given.place() == own {
        return wrong("manifest must not include itself as a segment");
    }
    if let Some(text) = range_text(item.get("range")) {
        let Some(range) = Ranges::parse(&format!("bytes={text}")) else { return wrong("invalid range") };
        if range.0.len() > 1 {
            return wrong("multiple ranges (only one allowed)");
        }
        let size = size.map(|size| u64::try_from(size).unwrap_or(0));
        if size.is_some_and(|size| range.parts(size).is_empty()) {
            return wrong("unsatisfiable range");
        }
        given.range = Some(range);
    }
    Ok(Given::Object(given))
}

/// What Python's `int` makes of it.
fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::Bool(yes) => Some(i128::from(*yes)),
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => {
            let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
            // A cast of a float saturates, which is far beyond any size too.
            #[expect(clippy::cast_possible_truncation, reason = "Python's int() cuts fractions off too")]
            whole.or_else(|| number.as_f64().map(|float| float as i128))
        }
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The text of a range that is not empty.
fn range_text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null | Value::Bool(false) => None,
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        other => Some(other.to_string()).filter(|text| !matches!(text.as_str(), "0" | "[]" | "{}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As a real Swift put it.
    #[test]
    fn what_is_wrong_with_a_manifest_is_told_in_swifts_words() {
        let inline = "Inline data segments require at least one object-backed segment.\n";
        for (manifest, expected) in [
            ("not json", "Manifest must be valid JSON.\n".to_owned()),
            ("{}", "Manifest must be a list.\n".to_owned()),
            (r#"["x"]"#, "Index 0: not a JSON object\n".to_owned()),
            (r#"[{}]"#, "Index 0: expected keys to include one of 'data' or 'path'\n".to_owned()),
            (r#"[{"path":"/s/1","x":1,"a":2}]"#, "Index 0: extraneous keys \"a\", \"x\"\n".to_owned()),
            (r#"[{"path":1}]"#, "Index 0: \"path\" must be a string\n".to_owned()),
            (
                r#"[{"path":"/s"}]"#,
                "Index 0: path does not refer to an object. Path must be of the form /container/object.\n"
                    .to_owned(),
            ),
            (
                r#"[{"path":"/s/1","etag":5}]"#,
                "Index 0: \"etag\" must be a string or null (if provided)\n".to_owned(),
            ),
            (r#"[{"path":"/s/1","size_bytes":"x"}]"#, "Index 0: invalid size_bytes\n".to_owned()),
            (
                r#"[{"path":"/s/1","size_bytes":0},{"path":"/s/2"}]"#,
                "Index 0: too small; each segment must be at least 1 byte.\n".to_owned(),
            ),
            (r#"[{"path":"c/slo"}]"#, "Index 0: manifest must not include itself as a segment\n".to_owned()),
            (r#"[{"path":"/s/1","range":"x"}]"#, "Index 0: invalid range\n".to_owned()),
            (
                r#"[{"path":"/s/1","range":"0-1,2-3"}]"#,
                "Index 0: multiple ranges (only one allowed)\n".to_owned(),
            ),
            (
                r#"[{"path":"/s/1","size_bytes":5,"range":"9-"},1]"#,
                "Index 0: unsatisfiable range\nIndex 1: not a JSON object\n".to_owned(),
            ),
            (r#"[{"data":"!!"}]"#, format!("Index 0: data must be valid base64\n{inline}")),
            (
                r#"[{"data":""}]"#,
                format!("Index 0: too small; each segment must be at least 1 byte.\n{inline}"),
            ),
            (r#"[{"data":"YWJj"}]"#, inline.to_owned()),
        ] {
            let refusal = parse(manifest.as_bytes(), ("c", "slo")).unwrap_err();
            assert_eq!((refusal.status.as_u16(), refusal.text()), (400, expected), "{manifest}");
        }
    }

    #[test]
    fn a_manifest_is_read() {
        let manifest = r#"[{"path":"/s/1/2","size_bytes":"5","range":"1-2","etag":null},{"data":"YWJj"},
                           {"path":"s/e","size_bytes":0}]"#;
        let read = parse(manifest.as_bytes(), ("c", "slo")).unwrap();
        let [Given::Object(first), Given::Inline(second), Given::Object(third)] = &read[..] else {
            panic!("{read:?}")
        };
        assert_eq!((first.place(), first.size), (("s", "1/2"), Some(5)));
        assert_eq!(first.range.as_ref().unwrap().parts(5), [(1, 3)]);
        assert_eq!(second, b"abc");
        assert_eq!((third.place(), third.size), (("s", "e"), Some(0)));
        assert_eq!(parse(b"[]", ("c", "slo")), Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn no_manifest_is_too_odd(
            path in "\"[/a]{0,5}\"|1|null", size in "-?[0-9]{1,40}|\"[0-9x]{0,30}\"|1e400|true|null|[0-9]\\.5|\\[\\]",
            range in "\"[0-9,-]{0,25}\"|5|null|\\{\\}", data in "(,\"data\":\"[A/=]{0,5}\")?", bytes: Vec<u8>,
        ) {
            let text = format!("[{{\"path\":{path},\"size_bytes\":{size},\"range\":{range}{data}}}]");
            let _ = parse(text.as_bytes(), ("a", "a"));
            let _ = parse(&bytes, ("a", "a"));
        }
    }
}
