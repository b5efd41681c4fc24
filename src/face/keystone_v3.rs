//! Which requests to Keystone are ours to answer.
//!
//! 1. Only what is routed to Keystone is, by whichever of its prefixes. The path is read as it will be sent, below
//!    Keystone's root and as the most lenient server would read it ([`crate::routing::lenient`]), so that no spelling
//!    leads around us.
//! 2. `POST /v3/auth/tokens` is always ours, whatever `allow_minting` says of other ways to a credential.
//! 3. `GET`, `HEAD` and `DELETE` of a token are ours if it is a local one. If it is the real one, nobody is to know or
//!    to end it, so Keystone's answer to an unknown token is given; this holds for every service, since any host may have
//!    a Keystone behind it. Any other token is for Keystone to judge, with our token.
//! 4. `GET` and `HEAD` of version documents, `/v3/auth/catalog`, `projects`, `domains` and `system` are ours. JSON-Home is
//!    Keystone's own: it lists what the real one offers, with paths that lead here as they stand.
//! 5. All other methods and paths go to Keystone, which says itself what it does not do; `proxy::minting` has looked at
//!    them before.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::header::ACCEPT;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::local_tokens::LocalToken;
use crate::routing::Target;
use crate::routing::lenient;

/// The field that names the token a request is about, and the one that a login made.
pub(super) const SUBJECT_TOKEN: HeaderName = HeaderName::from_static("x-subject-token");

/// What is asked of us.
#[derive(Debug)]
pub(crate) enum Asked {
    /// The list of versions.
    Versions,
    /// The description of v3.
    Version,
    /// A token.
    LogIn {
        /// Whether the catalog is wanted.
        with_catalog: bool,
    },
    /// What a local token is good for.
    ShowToken {
        /// The token, as sent.
        subject: HeaderValue,
        /// What is known of it.
        token: Arc<LocalToken>,
        /// Whether the catalog is wanted.
        with_catalog: bool,
    },
    /// The end of a local token.
    Revoke {
        /// The token, as sent.
        subject: HeaderValue,
    },
    /// Something about the real token.
    HeldToken,
    /// The services there are.
    Catalog,
    /// The projects that a login here may be for.
    Projects,
    /// The domains that a login here may be for.
    Domains,
    /// Whether a login here may be for the system.
    System,
}

impl Asked {
    /// Whether it is asked before a login, or is one.
    pub(super) fn is_open(&self) -> bool {
        match self {
            Self::Versions | Self::Version | Self::LogIn { .. } => true,
            Self::ShowToken { .. }
            | Self::Revoke { .. }
            | Self::HeldToken
            | Self::Catalog
            | Self::Projects
            | Self::Domains
            | Self::System => false,
        }
    }

    /// Whether it is one of the lists below `/v3/auth`, which depend on the scope held.
    pub(super) fn is_about_scopes(&self) -> bool {
        match self {
            Self::Catalog | Self::Projects | Self::Domains | Self::System => true,
            Self::Versions
            | Self::Version
            | Self::LogIn { .. }
            | Self::ShowToken { .. }
            | Self::Revoke { .. }
            | Self::HeldToken => false,
        }
    }
}

/// What a request asks of us; `real` is the token held, `find` knows the local ones.
pub(super) fn recognise(
    head: &Parts,
    target: &Target<'_>,
    real: Option<&HeaderValue>,
    find: impl Fn(&HeaderValue) -> Option<Arc<LocalToken>>,
) -> Option<Asked> {
    if let Some(real) = real
        && (names_in_field(&head.headers, real)
            || target.may_lead_to_keystone() && names_in_path(target, real))
    {
        return Some(Asked::HeldToken);
    }
    if !target.route.is_identity {
        return None;
    }
    let is_read = matches!(head.method, Method::GET | Method::HEAD);
    let names = lenient::names(target.below_root());
    let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    let with_catalog = || !has_parameter(head.uri.query(), "nocatalog");
    match names[..] {
        [] if is_read && !wants_json_home(&head.headers) => Some(Asked::Versions),
        [b"v3"] if is_read && !wants_json_home(&head.headers) => Some(Asked::Version),
        [b"v3", b"auth", b"tokens"] if head.method == Method::POST => {
            Some(Asked::LogIn { with_catalog: with_catalog() })
        }
        [b"v3", b"auth", b"tokens"] if is_read || head.method == Method::DELETE => {
            let mut subject = head.headers.get(&SUBJECT_TOKEN)?.clone();
            subject.set_sensitive(true);
            let token = find(&subject)?;
            Some(if is_read {
                Asked::ShowToken { subject, token, with_catalog: with_catalog() }
            } else {
                Asked::Revoke { subject }
            })
        }
        [b"v3", b"auth", b"catalog"] if is_read => Some(Asked::Catalog),
        [b"v3", b"auth", b"projects"] if is_read => Some(Asked::Projects),
        [b"v3", b"auth", b"domains"] if is_read => Some(Asked::Domains),
        [b"v3", b"auth", b"system"] if is_read => Some(Asked::System),
        _ => None,
    }
}

/// Whether `X-Subject-Token` names the real token: in any of its lines, or as a part of one that a gateway has joined.
fn names_in_field(headers: &HeaderMap, real: &HeaderValue) -> bool {
    let lines = headers.get_all(&SUBJECT_TOKEN).iter();
    let mut subjects = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    subjects.any(|subject| verify_slices_are_equal(subject.trim_ascii(), real.as_bytes()).is_ok())
}

/// Whether a segment of the path is the real token, as in `/v2.0/tokens/{id}`.
fn names_in_path(target: &Target<'_>, real: &HeaderValue) -> bool {
    let path = target.path_and_query.path();
    path.len() > real.len()
        && lenient::decode(path)
            .split(|byte| matches!(byte, b'/' | b'\\'))
            .any(|segment| verify_slices_are_equal(&lenient::fold(segment), real.as_bytes()).is_ok())
}

fn has_parameter(query: Option<&str>, name: &str) -> bool {
    query.is_some_and(|query| query.split('&').any(|pair| pair.split('=').next() == Some(name)))
}

/// Whether `Accept` prefers JSON-Home to JSON (RFC 9110 12.5.1); where it likes both alike, Keystone gives JSON.
fn wants_json_home(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let (mut home, mut json) = (0.0, None);
    for range in lines.flat_map(|line| line.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
        if media_type.eq_ignore_ascii_case("application/json-home") {
            home = quality;
        } else if media_type.eq_ignore_ascii_case("application/json") {
            json = Some(quality);
        } else if matches!(media_type, "*/*" | "application/*") {
            json = json.or(Some(quality));
        }
    }
    home > json.unwrap_or(0.0)
}

#[cfg(test)]
mod tests;
