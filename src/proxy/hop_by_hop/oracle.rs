//! What must be gone, and that nothing else is, whatever `Connection` says.

use http::{HeaderMap, HeaderValue};

use super::{filter_trailers, strip_request, strip_response};
use crate::oracles;

/// Reads fields, a line each, and strips them as a request's, a response's and a trailer's.
pub(crate) fn hop_by_hop(data: &[u8]) {
    holds(&oracles::headers(data));
}

/// What is left is what the lists here do not name, value for value.
pub(super) fn holds(came: &HeaderMap) {
    let nominated = nominated(came);
    let ends_here = |name: &str| {
        HOP_BY_HOP.contains(&name)
            || (nominated.iter().any(|it| it == name) && !matches!(name, "host" | "content-length"))
    };
    let mut went = came.clone();
    strip_request(&mut went);
    left(came, &went, |name| !ends_here(name) && !is_claim(name));
    let mut went = came.clone();
    strip_response(&mut went, &HeaderValue::from_static(TOKEN));
    let is_our_subject = came.get_all("x-subject-token").iter().any(|value| value == TOKEN);
    left(came, &went, |name| {
        !(ends_here(name) || is_of_origin(name) || name == "x-subject-token" && is_our_subject)
    });
    let mut went = came.clone();
    filter_trailers(&mut went);
    left(came, &went, |name| {
        !ends_here(name) && !is_claim(name) && !is_of_origin(name) && !AT_HEAD.contains(&name)
    });
}

fn left(came: &HeaderMap, went: &HeaderMap, stays: impl Fn(&str) -> bool) {
    for name in went.keys() {
        assert!(came.contains_key(name), "{name} was not there");
    }
    // `close` is a word of `Connection` and no field's name (RFC 9110 16.3.1).
    for name in came.keys().filter(|name| *name != "close") {
        if stays(name.as_str()) {
            assert!(went.get_all(name).iter().eq(came.get_all(name)), "{name} is changed: {came:?}");
        } else {
            assert!(!went.contains_key(name), "{name} is left: {came:?}");
        }
    }
}

/// Every name in a `Connection` line (RFC 9110 7.6.1), by whatever it is surrounded that is no part of a list.
fn nominated(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all("connection").iter();
    let members = lines.flat_map(|line| line.as_bytes().split(|byte| b", \t".contains(byte)));
    members.filter_map(|it| std::str::from_utf8(it).ok()).map(str::to_ascii_lowercase).collect()
}

/// Rules 4 to 7.
fn is_claim(name: &str) -> bool {
    let of_users = ["x-service-", "x-"].iter().filter_map(|start| name.strip_prefix(start));
    name.contains('_')
        || CLAIMS.contains(&name)
        || of_users.into_iter().any(|rest| OF_USERS.contains(&rest))
        || ["x-forwarded-", "sec-fetch-"].iter().any(|start| name.starts_with(start))
}

/// Rule 8.
fn is_of_origin(name: &str) -> bool {
    let names =
        ["alt-svc", "strict-transport-security", "x-auth-token", "x-service-token", "x-storage-token"];
    names.contains(&name) || name.starts_with("x-gatestone-")
}

const TOKEN: &str = "our-token";

const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// What keystonemiddleware says of a user, and of a service with `x-service-`.
const OF_USERS: [&str; 12] = [
    "domain-id",
    "domain-name",
    "identity-status",
    "project-domain-id",
    "project-domain-name",
    "project-id",
    "project-name",
    "roles",
    "user-domain-id",
    "user-domain-name",
    "user-id",
    "user-name",
];

const CLAIMS: [&str; 25] = [
    // Credentials.
    "authorization",
    "x-auth-key",
    "x-auth-token",
    "x-auth-user",
    "x-service-token",
    "x-storage-pass",
    "x-storage-token",
    "x-storage-user",
    // keystonemiddleware, auth_token/_request.py.
    "openstack-system-scope",
    "x-is-admin-project",
    "x-role",
    "x-service-catalog",
    "x-tenant",
    "x-tenant-id",
    "x-tenant-name",
    "x-user",
    // What changes links, methods and paths.
    "forwarded",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
    // Browsers.
    "origin",
    "referer",
];

/// RFC 9110 6.5.1.
const AT_HEAD: [&str; 12] = [
    "cache-control",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "expect",
    "host",
    "location",
    "set-cookie",
    "trailer",
    "x-subject-token",
];
