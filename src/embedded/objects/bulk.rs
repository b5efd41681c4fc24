//! Deletion of many objects at once: names in the body, a line each (`swift/common/middleware/bulk.py`).
//!
//! The reply is 200 whatever happened, with a report.

use http::header::{CONTENT_TYPE, TRANSFER_ENCODING};
use http::{Method, Response, StatusCode};
use percent_encoding::percent_decode_str;

use super::super::reply::{Reply, streamed};
use super::download::set;
use super::object::{self, Place};
use super::refusal::{Refusal, status_line};
use super::report::{self, FORMATS, Value};
use super::{Ask, Inbox, accept, container, upload};

/// The most names.
pub(super) const MOST_NAMES: usize = 10_000;

/// The most that may go wrong before it stops.
pub(super) const MOST_FAILURES: usize = 1000;

/// Twice the longest path, as Swift has it.
const MOST_LINE: usize = 2 * (upload::MOST_NAME + container::MOST_NAME + 2);

/// Whether a request is one of these.
pub(super) fn is_bulk_delete(ask: &Ask) -> bool {
    (ask.method == Method::POST || ask.method == Method::DELETE)
        && ask.query.has("bulk-delete")
        && ask.target.account().is_some()
}

/// Something to delete, `container/object` or `container`, or why it is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Doomed {
    pub(super) name: Vec<u8>,
    pub(super) error: Option<(StatusCode, String)>,
}

/// Deletes what the body names.
pub(super) async fn delete(ask: &Ask, inbox: &mut Inbox) -> Result<Reply, Refusal> {
    let format = format(ask);
    let names = match acceptable(ask, format) {
        Ok(()) => names(ask, inbox).await,
        Err(refusal) => Err(refusal),
    };
    Ok(report(ask, format, names))
}

/// Deletes these and reports on it.
pub(super) fn report(ask: &Ask, format: Option<&str>, names: Result<Vec<Doomed>, Refusal>) -> Reply {
    let mut tally = Tally::default();
    let outcome = names.and_then(|names| tally.delete_all(ask, &names));
    let (status, text) = match outcome {
        Err(refusal) => (refusal.status, own_text(&refusal)),
        Ok(()) if !tally.failed.is_empty() => (StatusCode::BAD_REQUEST, String::new()),
        Ok(()) if tally.deleted + tally.missing == 0 => {
            (StatusCode::BAD_REQUEST, "Invalid bulk delete.".to_owned())
        }
        Ok(()) => (StatusCode::OK, String::new()),
    };
    let members = [
        ("Response Status", Value::Text(status_line(status))),
        ("Response Body", Value::Text(text)),
        ("Number Deleted", Value::Number(tally.deleted)),
        ("Number Not Found", Value::Number(tally.missing)),
    ];
    let body = report::body(format, "delete", &members, &tally.failed);
    let mut reply = Response::new(streamed(body));
    let media_type = format.unwrap_or("text/html; charset=UTF-8");
    set(reply.headers_mut(), CONTENT_TYPE, media_type);
    reply
}

/// The format that the client asks for, if it can be had.
pub(super) fn format(ask: &Ask) -> Option<&'static str> {
    let accept = ask.field("accept");
    let best = accept::best(accept.as_deref(), FORMATS).ok().flatten()?;
    FORMATS.iter().find(|format| **format == best).copied()
}

fn acceptable(ask: &Ask, format: Option<&str>) -> Result<(), Refusal> {
    let is_text =
        ask.field("content-type").is_none_or(|kind| kind.is_empty() || kind.starts_with("text/plain"));
    if format.is_none() || !is_text {
        return Err(Refusal::of(StatusCode::NOT_ACCEPTABLE));
    }
    if upload::length(&ask.headers).is_none() && !ask.headers.contains_key(TRANSFER_ENCODING) {
        return Err(Refusal::of(StatusCode::LENGTH_REQUIRED));
    }
    Ok(())
}

/// Reads the body; it takes room while it is worked on.
async fn names(ask: &Ask, inbox: &mut Inbox) -> Result<Vec<Doomed>, Refusal> {
    let mut names = Vec::new();
    let mut share = ask.inner.room.share();
    let mut line = Vec::new();
    while let Some(bytes) = inbox.next().await? {
        share.grow(bytes.len() as u64)?;
        let mut parts = bytes.split(|byte| *byte == b'\n');
        line.extend_from_slice(parts.next().unwrap_or_default());
        for part in parts {
            names.push(doomed(&std::mem::replace(&mut line, part.to_vec())));
            if names.len() > MOST_NAMES {
                let text = format!("Maximum Bulk Deletes: {MOST_NAMES} per request");
                return Err(Refusal::html(StatusCode::PAYLOAD_TOO_LARGE, text));
            }
        }
        if line.len() > MOST_LINE {
            return Err(Refusal::html(StatusCode::BAD_REQUEST, "Invalid File Name"));
        }
    }
    names.push(doomed(&line));
    Ok(names)
}

fn doomed(line: &[u8]) -> Doomed {
    let line = String::from_utf8_lossy(line.trim_ascii()).into_owned();
    Doomed { name: percent_decode_str(&line).collect(), error: None }
}

#[derive(Debug, Default)]
struct Tally {
    deleted: u64,
    missing: u64,
    failed: Vec<(String, String)>,
}

impl Tally {
    /// Objects first, so that their containers may follow.
    fn delete_all(&mut self, ask: &Ask, all: &[Doomed]) -> Result<(), Refusal> {
        for is_object in [true, false] {
            for doomed in all.iter().filter(|doomed| !doomed.name.is_empty()) {
                let name = doomed.name.trim_ascii();
                let inner = name.iter().position(|byte| *byte != b'/').map_or(&[][..], |at| &name[at..]);
                let end = inner.iter().rposition(|byte| *byte != b'/').map_or(0, |at| at + 1);
                if inner[..end].contains(&b'/') == is_object {
                    self.delete(ask, doomed);
                }
                if self.failed.len() >= MOST_FAILURES {
                    return Err(Refusal::html(StatusCode::BAD_REQUEST, "Max delete failures exceeded"));
                }
            }
        }
        Ok(())
    }

    fn delete(&mut self, ask: &Ask, doomed: &Doomed) {
        let (status, why) = match &doomed.error {
            Some((status, why)) => (*status, why.clone()),
            None => match one(ask, &doomed.name) {
                Ok(()) => {
                    self.deleted += 1;
                    return;
                }
                Err(status) => (status, status_line(status)),
            },
        };
        if status == StatusCode::NOT_FOUND {
            self.missing += 1;
        } else {
            let shown = percent_encoding::percent_encode(&doomed.name, SHOWN).to_string();
            self.failed.push((shown, why));
        }
    }
}

const SHOWN: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'/').remove(b'_').remove(b'.').remove(b'-').remove(b'~');

fn one(ask: &Ask, path: &[u8]) -> Result<(), StatusCode> {
    let path = str::from_utf8(path).map_err(|_| StatusCode::PRECONDITION_FAILED)?;
    if path.contains('\0') {
        return Err(StatusCode::PRECONDITION_FAILED);
    }
    let account = ask.target.account().unwrap_or_default();
    let path = path.trim_start_matches('/');
    let (container, name) = path.split_once('/').unwrap_or((path, ""));
    let outcome = if name.is_empty() {
        container::delete(ask, account, container)
    } else {
        object::delete(ask, Place { account, container, name })
    };
    outcome.map_err(|refusal| refusal.status)
}

/// A text of its own; explanations of a status are not quoted.
fn own_text(refusal: &Refusal) -> String {
    let text = refusal.text();
    if text.starts_with("<html>") { String::new() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded_and_shown_encoded() {
        assert_eq!(doomed(b" c/a%20b%ff\r").name, b"c/a b\xff");
        assert_eq!(percent_encoding::percent_encode(b"c/a b\xff", SHOWN).to_string(), "c/a%20b%FF");
        assert_eq!(super::super::quoted("c/a b~é"), "c/a%20b~%C3%A9");
    }
}
