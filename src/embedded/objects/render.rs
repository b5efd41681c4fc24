//! Listings as text, JSON and XML (`swift/common/middleware/listing_formats.py`).

use std::fmt::Write as _;

use http::header::{CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::super::reply::{self, Reply};
use super::accept;
use super::json;
use super::query::Query;
use super::refusal::Refusal;

/// A line of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A name, and its members by name; the second of each says whether it is a number.
    Item(String, Vec<(&'static str, Member)>),
    /// Names that begin so.
    Subdir(String),
}

/// What is told of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Text(String),
    Number(u64),
    /// Told in JSON alone.
    JsonText(String),
}

/// How a listing is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format {
    media_type: &'static str,
    can_vary: bool,
}

const OFFERS: &[&str] = &["text/plain", "application/json", "application/xml", "text/xml"];

impl Format {
    /// What a request wants.
    pub(super) fn wanted(query: &Query, headers: &HeaderMap) -> Result<Self, Refusal> {
        let asked = query.text("format")?.filter(|format| !format.is_empty());
        let accept = match asked.map(str::to_ascii_lowercase).as_deref() {
            Some("json") => Some("application/json"),
            Some("xml") => Some("application/xml"),
            Some(_) => Some("text/plain"),
            None => headers.get("accept").and_then(|value| value.to_str().ok()),
        };
        let best = accept::best(accept, OFFERS);
        let best = best.map_err(|_| Refusal::html(StatusCode::BAD_REQUEST, "Invalid Accept header"))?;
        let best = best.ok_or_else(|| Refusal::of(StatusCode::NOT_ACCEPTABLE))?;
        let media_type = OFFERS.iter().find(|offer| **offer == best).copied().unwrap_or("text/plain");
        Ok(Self { media_type, can_vary: !query.has("format") })
    }

    /// The reply: `kind` is the root of XML, `name` what is listed.
    pub(super) fn reply(self, kind: Kind, name: &str, lines: &[Line]) -> Reply {
        let body = match self.media_type {
            "text/plain" => text(lines),
            "application/json" => in_json(lines),
            _ => in_xml(kind, name, lines),
        };
        let status = if body.is_empty() { StatusCode::NO_CONTENT } else { StatusCode::OK };
        let mut reply = reply::empty(status);
        *reply.body_mut() = reply::full(body);
        self.describe(reply.headers_mut());
        reply
    }

    /// Says in which format a listing is, or would be.
    pub(super) fn describe(self, headers: &mut HeaderMap) {
        let media_type = format!("{}; charset=utf-8", self.media_type);
        super::download::set(headers, CONTENT_TYPE, &media_type);
        if self.can_vary {
            headers.insert(VARY, HeaderValue::from_static("Accept"));
        }
    }
}

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Containers of an account.
    Account,
    /// Objects of a container.
    Container,
}

fn text(lines: &[Line]) -> String {
    let mut text = String::new();
    for Line::Item(name, _) | Line::Subdir(name) in lines {
        text.push_str(name);
        text.push('\n');
    }
    text
}

fn in_json(lines: &[Line]) -> String {
    json::array(lines.iter().map(|line| match line {
        Line::Subdir(name) => json::object([("subdir", json::string(name))]),
        Line::Item(_, members) => json::object(members.iter().map(|(name, member)| {
            let value = match member {
                Member::Text(text) | Member::JsonText(text) => json::string(text),
                Member::Number(number) => number.to_string(),
            };
            (*name, value)
        })),
    }))
}

fn in_xml(kind: Kind, name: &str, lines: &[Line]) -> String {
    let (root, item, order) = match kind {
        Kind::Account => {
            ("account", "container", &["name", "count", "bytes", "last_modified", "storage_policy"])
        }
        Kind::Container => {
            ("container", "object", &["name", "hash", "bytes", "content_type", "last_modified"])
        }
    };
    let mut xml = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} name=\"{}\"", escaped(name));
    let is_account = kind == Kind::Account;
    if lines.is_empty() && !is_account {
        xml.push_str(" />");
        return xml;
    }
    xml.push_str(if is_account { ">\n" } else { ">" });
    for line in lines {
        match line {
            Line::Subdir(name) if is_account => {
                let _ = write!(xml, "<subdir name=\"{}\" />", escaped(name));
            }
            Line::Subdir(name) => {
                let name = escaped(name);
                let text = name.replace("&quot;", "\"");
                let _ = write!(xml, "<subdir name=\"{name}\"><name>{text}</name></subdir>");
            }
            Line::Item(_, members) => {
                let _ = write!(xml, "<{item}>");
                for field in order {
                    let member = members.iter().find(|(name, _)| name == field);
                    let text = match member {
                        Some((_, Member::Text(text))) => escaped(text).replace("&quot;", "\""),
                        Some((_, Member::Number(number))) => number.to_string(),
                        Some((_, Member::JsonText(_))) | None => continue,
                    };
                    let _ = write!(xml, "<{field}>{text}</{field}>");
                }
                let _ = write!(xml, "</{item}>");
            }
        }
        if is_account {
            xml.push('\n');
        }
    }
    let _ = write!(xml, "</{root}>");
    xml
}

/// As in an attribute.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_has_three_forms() {
        let object = |name: &str| {
            let members = vec![
                ("bytes", Member::Number(1)),
                ("hash", Member::Text("h".into())),
                ("name", Member::Text(name.into())),
                ("content_type", Member::Text("a/b".into())),
                ("last_modified", Member::Text("t".into())),
                ("slo_etag", Member::JsonText("\"e\"".into())),
            ];
            Line::Item(name.to_owned(), members)
        };
        let lines = [object("a<\"é"), Line::Subdir("b\"/".into())];
        assert_eq!(text(&lines), "a<\"é\nb\"/\n");
        assert_eq!(
            in_json(&lines),
            r#"[{"bytes": 1, "hash": "h", "name": "a<\"\u00e9", "content_type": "a/b", "last_modified": "t", "slo_etag": "\"e\""}, {"subdir": "b\"/"}]"#
        );
        assert_eq!(
            in_xml(Kind::Container, "c&", &lines),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<container name=\"c&amp;\"><object><name>a&lt;\"é</name>\
             <hash>h</hash><bytes>1</bytes><content_type>a/b</content_type><last_modified>t</last_modified>\
             </object><subdir name=\"b&quot;/\"><name>b\"/</name></subdir></container>"
        );
        assert!(in_xml(Kind::Container, "c", &[]).ends_with("\n<container name=\"c\" />"));
        assert!(in_xml(Kind::Account, "a", &[]).ends_with("\n<account name=\"a\">\n</account>"));
    }
}
