//! Errors as Swift words them: an explanation in HTML, unless a middleware has a text of its own.

use std::borrow::Cow;

use http::header::{ALLOW, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};

use super::super::reply::{self, Reply};

/// Why a request is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Its status.
    pub(super) status: StatusCode,
    text: Text,
    fields: Vec<(HeaderName, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Text {
    /// The status explained.
    Explained,
    /// This, though it is said to be HTML.
    Html(Cow<'static, str>),
    /// This.
    Plain(Cow<'static, str>),
}

impl Refusal {
    /// With the explanation that this status has.
    pub(super) fn of(status: StatusCode) -> Self {
        Self { status, text: Text::Explained, fields: Vec::new() }
    }

    /// With a text that goes out as `text/html`.
    pub(super) fn html(status: StatusCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: Text::Html(text.into()), ..Self::of(status) }
    }

    /// With a text that goes out as `text/plain`.
    pub(super) fn plain(status: StatusCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: Text::Plain(text.into()), ..Self::of(status) }
    }

    /// The method is not for this.
    pub(super) fn method(allow: &'static str) -> Self {
        Self::of(StatusCode::METHOD_NOT_ALLOWED).with_field(ALLOW, allow)
    }

    /// Who is asking is not known; `challenges` are values of `WWW-Authenticate`.
    pub(super) fn unauthorized(challenges: impl IntoIterator<Item = String>) -> Self {
        let fields = challenges.into_iter().map(|challenge| (WWW_AUTHENTICATE, challenge)).collect();
        Self { fields, ..Self::of(StatusCode::UNAUTHORIZED) }
    }

    /// The same, with a field.
    pub(super) fn with_field(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// The same, with a text.
    pub(super) fn with_html(self, text: &'static str) -> Self {
        Self { text: Text::Html(text.into()), ..self }
    }

    /// Its text, as reports quote it.
    pub(super) fn text(&self) -> String {
        match &self.text {
            Text::Explained => explained(self.status),
            Text::Html(text) | Text::Plain(text) => text.clone().into_owned(),
        }
    }

    /// The reply.
    pub(super) fn reply(&self) -> Reply {
        let media_type = match self.text {
            Text::Explained | Text::Html(_) => HTML,
            Text::Plain(_) => "text/plain",
        };
        let mut reply = reply::typed(self.status, media_type, self.text());
        for (name, value) in &self.fields {
            if let Ok(value) = HeaderValue::from_str(value) {
                reply.headers_mut().append(name, value);
            }
        }
        reply
    }
}

/// A reply that explains its status, with `text/html`; most have nothing to say.
pub(super) fn explain(status: StatusCode) -> Reply {
    reply::typed(status, HTML, explained(status))
}

/// What a reply says of itself when nothing else does.
pub(super) fn as_html(reply: &mut Reply) {
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(HTML));
}

const HTML: &str = "text/html; charset=UTF-8";

fn explained(status: StatusCode) -> String {
    match explanation(status) {
        "" => String::new(),
        why => format!("<html><h1>{}</h1><p>{why}</p></html>", reason(status)),
    }
}

/// `404 Not Found`.
pub(super) fn status_line(status: StatusCode) -> String {
    format!("{} {}", status.as_str(), reason(status))
}

/// The reason phrase, as Swift has it.
pub(super) fn reason(status: StatusCode) -> &'static str {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
        StatusCode::RANGE_NOT_SATISFIABLE => "Requested Range Not Satisfiable",
        StatusCode::INTERNAL_SERVER_ERROR => "Internal Error",
        other => other.canonical_reason().unwrap_or("Client Disconnect"),
    }
}

/// The explanation, as Swift has it.
pub(super) fn explanation(status: StatusCode) -> &'static str {
    match status.as_u16() {
        202 => "The request is accepted for processing.",
        400 => {
            "The server could not comply with the request since it is either malformed or otherwise incorrect."
        }
        401 => "This server could not verify that you are authorized to access the document you requested.",
        403 => "Access was denied to this resource.",
        404 => "The resource could not be found.",
        405 => "The method is not allowed for this resource.",
        406 => "The resource is not available in a format acceptable to your browser.",
        409 => "There was a conflict when trying to complete your request.",
        411 => "Content-Length header required.",
        412 => "A precondition for this request was not met.",
        413 => "The body of your request was too large for this server.",
        416 => "The Range requested is not available.",
        422 => "Unable to process the contained instructions",
        499 => "The client was disconnected during request.",
        500 => "The server has either erred or is incapable of performing the requested operation.",
        503 => "The server is currently unavailable. Please try again at a later time.",
        _ => "",
    }
}
