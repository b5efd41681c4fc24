//! GET and HEAD of an object: conditions, ranges, and what is said of it.

use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::BodyExt as _;

use super::super::reply::{Reply, empty};
use super::conditional::{self, unquoted};
use super::content::{Content, Source};
use super::range::{Ranges, Wanted};
use super::refusal::{Refusal, as_html, explain};
use super::state::Object;

/// A representation of an object.
#[derive(Debug)]
pub(super) struct View {
    /// Its fields; the length is not among them.
    pub(super) headers: HeaderMap,
    /// Seconds of its last modification.
    pub(super) last_modified: i64,
    pub(super) length: u64,
    pub(super) source: Source,
    /// Whether a `Range` counts.
    pub(super) has_ranges: bool,
}

impl View {
    /// Of an object as it is stored.
    pub(super) fn of(object: &Object) -> Self {
        let mut headers: HeaderMap = object.headers().map(|(name, value)| (name, value.clone())).collect();
        headers.insert(CONTENT_TYPE, object.content_type.clone());
        set(&mut headers, ETAG, object.data.md5());
        set(&mut headers, LAST_MODIFIED, &object.modified.http_date());
        set(&mut headers, HeaderName::from_static("x-timestamp"), &object.modified.to_string());
        if let Some(at) = object.delete_at {
            set(&mut headers, HeaderName::from_static("x-delete-at"), &at.to_string());
        }
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        Self {
            headers,
            last_modified: object.modified.seconds_up(),
            length: object.data.length(),
            source: Source::Plain(object.data.clone()),
            has_ranges: true,
        }
    }

    /// The reply to a request for it.
    pub(super) fn reply(mut self, asked: &HeaderMap, is_head: bool) -> Result<Reply, Refusal> {
        let etag = self.headers.get(ETAG).and_then(|etag| etag.to_str().ok()).unwrap_or_default();
        if let Some(status) = conditional::status(asked, unquoted(etag), self.last_modified) {
            let mut reply = empty(status);
            *reply.headers_mut() = self.headers;
            if status == StatusCode::PRECONDITION_FAILED {
                as_html(&mut reply);
                reply.headers_mut().remove(ACCEPT_RANGES);
            }
            return Ok(reply);
        }
        if is_head {
            set(&mut self.headers, CONTENT_LENGTH, &self.length.to_string());
            let mut reply = empty(StatusCode::OK);
            *reply.headers_mut() = self.headers;
            return Ok(reply);
        }
        let range = asked.get(RANGE).filter(|_| self.has_ranges).and_then(|range| range.to_str().ok());
        match range.and_then(Ranges::parse).map_or(Wanted::Whole, |ranges| ranges.wanted(self.length)) {
            Wanted::Whole => {
                let mut content = Content::default();
                content.add(&self.source, 0, self.length);
                respond(StatusCode::OK, self.headers, content)
            }
            Wanted::Parts(parts) => self.partial(&parts),
            Wanted::Nothing => Ok(self.nothing()),
        }
    }

    /// These parts, half open, at least one.
    pub(super) fn partial(mut self, parts: &[(u64, u64)]) -> Result<Reply, Refusal> {
        let mut content = Content::default();
        if let [(first, end)] = parts {
            set(&mut self.headers, CONTENT_RANGE, &content_range(*first, *end, self.length));
            content.add(&self.source, *first, *end);
            return respond(StatusCode::PARTIAL_CONTENT, self.headers, content);
        }
        let boundary = format!("{:032x}", fastrand::u128(..));
        let media_type = format!("multipart/byteranges;boundary={boundary}");
        let media_type = HeaderValue::from_str(&media_type).ok();
        let own_type = media_type.and_then(|media_type| self.headers.insert(CONTENT_TYPE, media_type));
        for (first, end) in parts {
            let mut head = format!("--{boundary}\r\nContent-Type: ").into_bytes();
            head.extend_from_slice(own_type.as_ref().map_or(b"", |value| value.as_bytes()));
            let range = content_range(*first, *end, self.length);
            head.extend_from_slice(format!("\r\nContent-Range: {range}\r\n\r\n").as_bytes());
            content.add_text(head);
            content.add(&self.source, *first, *end);
            content.add_text("\r\n");
        }
        content.add_text(format!("--{boundary}--"));
        respond(StatusCode::PARTIAL_CONTENT, self.headers, content)
    }

    /// There is no such part.
    pub(super) fn nothing(self) -> Reply {
        let mut reply = explain(StatusCode::RANGE_NOT_SATISFIABLE);
        *reply.headers_mut() = self.headers;
        set(reply.headers_mut(), CONTENT_RANGE, &format!("bytes */{}", self.length));
        reply
    }
}

/// `bytes 0-4/11` of a half open part.
pub(super) fn content_range(first: u64, end: u64, length: u64) -> String {
    format!("bytes {first}-{}/{length}", end.saturating_sub(1))
}

/// Sets a field to a text that is known to fit.
pub(super) fn set(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
        headers.insert(name, value);
    }
}

fn respond(status: StatusCode, headers: HeaderMap, mut content: Content) -> Result<Reply, Refusal> {
    content.begin().map_err(|_| Refusal::of(StatusCode::CONFLICT))?;
    let length = content.length();
    let mut reply = Response::new(content.boxed_unsync());
    *reply.status_mut() = status;
    *reply.headers_mut() = headers;
    set(reply.headers_mut(), CONTENT_LENGTH, &length.to_string());
    Ok(reply)
}
