//! What does not travel on: connection fields, and fields that claim who someone is.
//!
//! 1. Fields that a `Connection` line names end here (RFC 9110 §7.6.1): every line is read, as bytes,
//!    and a member that is no field name does not end the reading. `Host` and `Content-Length` cannot be
//!    named away, since they say where a message goes and where it ends.
//! 2. So do `Connection`, `Keep-Alive`, `Proxy-Connection`, `TE`, `Transfer-Encoding`, `Upgrade`,
//!    `HTTP2-Settings`, `Proxy-Authorization`, `Proxy-Authenticate` and `Proxy-Authentication-Info`. An accepted
//!    upgrade sets its fields anew. `Trailer` stays: hyper sends announced trailers only.
//! 3. `TE` is among them, and set anew where the client wants trailers (see [`super::passage`]).
//! 4. A request loses its own credentials, those of a login by Swift's v1 authentication among them, and what `keystonemiddleware` sets for the service behind it
//!    (`auth_token/_request.py`, `_all_auth_headers`, and the system scope, which that list forgets).
//! 5. A request loses every name with an underscore: WSGI turns `-` and `_` into the same variable, so
//!    `X_Auth_Token` would be read as the token.
//! 6. A request loses `Forwarded` and `X-Forwarded-*`, which change the links that OpenStack builds, and
//!    fields with which some gateways replace method or path after we have judged them.
//! 7. A request loses `Origin` and `Sec-Fetch-*`. The guard has done with them; upstream they would name a local
//!    address, at which Swift's CORS code and origin checks of console proxies take offence. So it loses a `Referer` that
//!    names this machine or the host asked for, as a browser's does, or no host at all. Another travels: by it Swift
//!    decides who may read a container (`X-Container-Read: .r:*.example.com`).
//! 8. A response loses tokens, and what is true of the upstream's origin but not of ours: `Strict-Transport-Security`
//!    and `Alt-Svc`. `X-Subject-Token` goes if it is our own token, and stays if it is another. `X-Gatestone-*` goes, so
//!    that it is always we who said it.
//! 9. Trailers lose all of the above and what RFC 9110 §6.5.1 wants at the head.
//!
//! To be applied before anything of ours is added, so that nobody can name it away.

use std::net::IpAddr;

use http::Uri;
use http::header::{self, Entry, HeaderMap, HeaderName, HeaderValue};
use http::uri::Authority;

use super::rewrite;

/// Rules 1 to 7.
pub(super) fn strip_request(headers: &mut HeaderMap) {
    remove_nominated(headers);
    let mut has_referer = false;
    remove_all(headers, |name| {
        has_referer |= name == header::REFERER.as_str();
        is_hop_by_hop(name) || ends_here_in_request(name)
    });
    if !has_referer {
        return;
    }
    let host = headers.get(header::HOST);
    if headers.get_all(header::REFERER).iter().any(|referer| names_us(referer, host)) {
        headers.remove(header::REFERER);
    }
}

/// Rules 1, 2 and 8. `token` is the token we sent, or would have sent. Returns whether fields are left that may have
/// links, since all names have been looked at.
pub(super) fn strip_response(headers: &mut HeaderMap, token: &HeaderValue) -> bool {
    remove_nominated(headers);
    let (mut has_links, mut has_token) = (false, false);
    remove_all(headers, |name| {
        has_links |= rewrite::has_links(name);
        has_token |= name == SUBJECT_TOKEN.as_str();
        is_hop_by_hop(name) || ends_here_in_response(name)
    });
    if has_token
        && let Entry::Occupied(entry) = headers.entry(SUBJECT_TOKEN)
        && entry.iter().any(|value| value.as_bytes() == token.as_bytes())
    {
        entry.remove_entry_mult();
    }
    has_links
}

/// Takes the keys of temporary URLs out of a response (`X-Account-Meta-Temp-URL-Key`, `-Key-2`, and the same of
/// containers; `swift/common/middleware/tempurl.py`).
pub(super) fn hide_url_keys(headers: &mut HeaderMap) {
    remove_all(headers, |name| {
        let key = name.strip_prefix("x-account-meta-").or_else(|| name.strip_prefix("x-container-meta-"));
        key.is_some_and(|key| key.starts_with("temp-url-key"))
    });
}

/// Rules 1, 2 and 8 for an interim response, which has no framing and is never about a token of the client's. Names with
/// a `~` may stand for raw ones (see [`crate::raw_names`]), which are not kept here.
pub(super) fn strip_interim(headers: &mut HeaderMap) {
    remove_nominated(headers);
    remove_all(headers, |name| {
        is_hop_by_hop(name)
            || ends_here_in_response(name)
            || matches!(name, "content-length" | "trailer")
            || name == SUBJECT_TOKEN.as_str()
            || name.contains('~')
    });
}

/// Rule 9, both ways.
pub(super) fn filter_trailers(trailers: &mut HeaderMap) {
    remove_nominated(trailers);
    remove_all(trailers, |name| {
        is_hop_by_hop(name)
            || ends_here_in_request(name)
            || ends_here_in_response(name)
            || belongs_at_head(name)
            || name == SUBJECT_TOKEN.as_str()
    });
}

const SUBJECT_TOKEN: HeaderName = HeaderName::from_static("x-subject-token");

/// Rule 2.
fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "http2-settings"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authentication-info"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Rules 4 to 7.
fn ends_here_in_request(name: &str) -> bool {
    if name.contains('_') {
        return true;
    }
    match name.strip_prefix("x-") {
        Some(rest) => is_claim(rest),
        None => {
            matches!(name, "authorization" | "forwarded" | "openstack-system-scope" | "origin")
                || name.starts_with("sec-fetch-")
        }
    }
}

/// Rule 7, for a `Referer` to a request for `host`.
fn names_us(referer: &HeaderValue, host: Option<&HeaderValue>) -> bool {
    // Without a scheme what is there may be read as a host, `about` of `about:blank`.
    let uri = Uri::try_from(referer.as_bytes()).ok().filter(|uri| uri.scheme().is_some());
    let Some(name) = uri.as_ref().and_then(Uri::host) else { return true };
    let asked = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let is_loopback = match name.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => name.eq_ignore_ascii_case("localhost"),
    };
    is_loopback || asked.is_some_and(|asked| asked.host().eq_ignore_ascii_case(name))
}

/// Rules 4 and 6, for names that start with `X-`, without that.
fn is_claim(name: &str) -> bool {
    let of_user_or_service = name.strip_prefix("service-").unwrap_or(name);
    matches!(
        of_user_or_service,
        "domain-id"
            | "domain-name"
            | "identity-status"
            | "project-domain-id"
            | "project-domain-name"
            | "project-id"
            | "project-name"
            | "roles"
            | "user-domain-id"
            | "user-domain-name"
            | "user-id"
            | "user-name"
    ) || matches!(
        name,
        "auth-key"
            | "auth-token"
            | "auth-user"
            | "http-method"
            | "http-method-override"
            | "is-admin-project"
            | "method-override"
            | "original-uri"
            | "original-url"
            | "rewrite-url"
            | "role"
            | "service-catalog"
            | "service-token"
            | "storage-pass"
            | "storage-token"
            | "storage-user"
            | "tenant"
            | "tenant-id"
            | "tenant-name"
            | "user"
    ) || name.starts_with("forwarded-")
}

/// Rule 8, without `X-Subject-Token`.
fn ends_here_in_response(name: &str) -> bool {
    matches!(
        name,
        "alt-svc" | "strict-transport-security" | "x-auth-token" | "x-service-token" | "x-storage-token"
    ) || name.starts_with("x-gatestone-")
}

/// Rule 9: framing, routing, control and content fields.
fn belongs_at_head(name: &str) -> bool {
    matches!(
        name,
        "cache-control"
            | "content-encoding"
            | "content-length"
            | "content-range"
            | "content-type"
            | "cookie"
            | "expect"
            | "host"
            | "location"
            | "referer"
            | "set-cookie"
            | "trailer"
    )
}

/// Rule 1. Nearly all `Connection` fields are one word that is no field name; those cost one look.
fn remove_nominated(headers: &mut HeaderMap) {
    let mut lines = headers.get_all(header::CONNECTION).iter();
    match (lines.next(), lines.next()) {
        (None, _) => return,
        (Some(line), None) if matches!(line.as_bytes(), b"keep-alive" | b"close" | b"Keep-Alive") => return,
        (Some(_), _) => {}
    }
    let lines: Vec<HeaderValue> = headers.get_all(header::CONNECTION).iter().cloned().collect();
    let is_separator = |byte: &u8| matches!(byte, b',' | b' ' | b'\t');
    for member in lines.iter().flat_map(|line| line.as_bytes().split(is_separator)) {
        // `TE` is looked at, and dropped, after this.
        if let Ok(name) = HeaderName::from_bytes(member)
            && !matches!(name, header::HOST | header::CONTENT_LENGTH | header::TE)
        {
            headers.remove(name);
        }
    }
}

/// Removes all fields whose name, in lower case, `ends_here`.
///
/// A `HeaderMap` cannot be changed while it is read, so one pass notes names and then they are
/// removed; this is cheaper than trying to remove every name there is. A full note means another pass.
fn remove_all(headers: &mut HeaderMap, mut ends_here: impl FnMut(&str) -> bool) {
    loop {
        let mut noted = [const { None }; MOST_NOTED];
        let mut free = noted.iter_mut();
        let mut is_full = false;
        for name in headers.keys().filter(|name| ends_here(name.as_str())) {
            let Some(place) = free.next() else {
                is_full = true;
                break;
            };
            *place = Some(name.clone());
        }
        for name in noted.into_iter().flatten() {
            headers.remove(name);
        }
        if !is_full {
            return;
        }
    }
}

/// Names noted in one pass. A client of ours sends two or three of them; a browser ten.
const MOST_NOTED: usize = 12;

#[cfg(any(test, fuzzing))]
pub(crate) mod oracle;
#[cfg(test)]
mod tests;
