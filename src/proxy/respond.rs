//! A failure as an HTTP response; the only file that picks a status.
//!
//! 1. The body has Keystone's shape (`keystone/server/flask/application.py`, `_handle_keystone_exception`), which
//!    OpenStack clients know how to show, and `reason` in addition.
//! 2. `X-Gatestone-Error` has the reason, so that no one takes the answer for the cloud's.
//! 3. `Retry-After` is in whole seconds, rounded up and at least 1 (RFC 9110 §10.2.3).
//! 4. A 401 carries a challenge (RFC 9110 §11.6.1). There is none for an outage: clients would log in again in a loop.
//! 5. Nothing of it may be stored.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use serde_json::json;

use super::failures;
use crate::failure::{Failure, Reason};
use crate::metrics::Metrics;
use crate::server::Refuse;

/// The field that marks answers of ours.
pub(super) const ERROR: HeaderName = HeaderName::from_static("x-gatestone-error");

/// The status of a reason.
pub(super) fn status(reason: Reason) -> StatusCode {
    match reason {
        Reason::BadRequest => StatusCode::BAD_REQUEST,
        Reason::WrongScope | Reason::ClientRefused => StatusCode::UNAUTHORIZED,
        Reason::PeerRefused
        | Reason::PeerUnknown
        | Reason::HostRefused
        | Reason::CrossSite
        | Reason::FieldRequired
        | Reason::RuleDenied
        | Reason::MintsCredential => StatusCode::FORBIDDEN,
        Reason::NoSuchService | Reason::NoSuchRegion => StatusCode::NOT_FOUND,
        Reason::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        Reason::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Reason::ExpectationFailed => StatusCode::EXPECTATION_FAILED,
        Reason::CodingUnknown => StatusCode::NOT_IMPLEMENTED,
        Reason::TargetTooLong => StatusCode::URI_TOO_LONG,
        Reason::HeaderTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Reason::UpstreamRefused
        | Reason::UpstreamUnreachable
        | Reason::UpstreamClosed
        | Reason::UpstreamTls
        | Reason::InsecureEndpoint
        | Reason::UpstreamRedirectsToHttps => StatusCode::BAD_GATEWAY,
        Reason::NoToken | Reason::IdentityUnreachable | Reason::CredentialsRefused | Reason::Overloaded => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Reason::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
    }
}

/// The response to send for a failure. The server adds the length, and leaves the body out for `HEAD`.
pub(super) fn respond(failure: &Failure) -> Response<Bytes> {
    let status = status(failure.reason);
    let reason = failure.reason.as_str();
    let body = json!({
        "error": {
            "code": status.as_u16(),
            "title": status.canonical_reason().unwrap_or_default(),
            "message": failure.message,
            "reason": reason,
        }
    });
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(ERROR, HeaderValue::from_static(reason));
    if let Some(delay) = failure.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(delay)));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, challenge(failure.log_in_at.as_deref()));
    }
    response
}

/// Answers, counts and logs a head that hyper could not read, by the status that hyper chose.
pub(super) fn refusing_heads(metrics: Arc<Metrics>) -> Refuse {
    Refuse::new(move |status| {
        let failure = match status {
            StatusCode::URI_TOO_LONG => Failure::new(
                Reason::TargetTooLong,
                "the request target is longer than 64 KiB; send what it holds in a body",
            ),
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Failure::new(
                Reason::HeaderTooLarge,
                "the head of the request is larger than 64 KiB or has more than 512 fields; send fewer or shorter fields",
            ),
            _ => Failure::new(
                Reason::BadRequest,
                "the head of the request is not valid HTTP/1.1 (RFC 9112), so nothing of it was forwarded; see what the client sends",
            ),
        };
        metrics.failed(failure.reason);
        failures::log(&failure);
        on_the_wire(&respond(&failure))
    })
}

/// A response as bytes, for where there is no server to write it; the last on its connection.
pub(super) fn on_the_wire(response: &Response<Bytes>) -> Bytes {
    let date = httpdate::fmt_http_date(SystemTime::now());
    let mut head = format!("HTTP/1.1 {}\r\n", response.status()).into_bytes();
    put_fields(&mut head, response.headers());
    let length = response.body().len();
    head.extend_from_slice(
        format!("content-length: {length}\r\nconnection: close\r\ndate: {date}\r\n\r\n").as_bytes(),
    );
    head.extend_from_slice(response.body());
    head.into()
}

/// Writes the lines of fields.
pub(super) fn put_fields(head: &mut Vec<u8>, headers: &HeaderMap) {
    for (name, value) in headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            head.extend_from_slice(part);
        }
    }
}

/// Rule 4, as `keystonemiddleware` writes it (`auth_token/__init__.py`, `_reject_auth_headers`).
fn challenge(log_in_at: Option<&str>) -> HeaderValue {
    let with_uri = log_in_at.map(|url| HeaderValue::try_from(format!("Keystone uri=\"{url}\"")));
    with_uri.and_then(Result::ok).unwrap_or(HeaderValue::from_static("Keystone"))
}

/// Rule 3.
fn whole_seconds(delay: Duration) -> u64 {
    delay.as_secs().saturating_add(u64::from(delay.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::proxy::excerpt::Excerpt;
    use crate::proxy::guard::Rejection;

    #[test]
    fn the_body_has_the_shape_of_keystone() {
        let response = respond(&Failure::new(Reason::IdentityUnreachable, "a \"quoted\"\nline"));
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(
            body,
            json!({"error": {
                "code": 503,
                "title": "Service Unavailable",
                "message": "a \"quoted\"\nline",
                "reason": "identity_unreachable",
            }})
        );
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[ERROR], "identity_unreachable");
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert!(!response.headers().contains_key("retry-after"));
        assert!(!response.headers().contains_key("www-authenticate"));
        assert!(!response.headers().contains_key("content-length"));
    }

    #[test]
    fn every_reason_has_the_status_of_design_8() {
        for (reason, code, word) in [
            (Reason::BadRequest, 400, "bad_request"),
            (Reason::WrongScope, 401, "wrong_scope"),
            (Reason::ClientRefused, 401, "client_refused"),
            (Reason::PeerRefused, 403, "peer_refused"),
            (Reason::PeerUnknown, 403, "peer_unknown"),
            (Reason::HostRefused, 403, "host_refused"),
            (Reason::CrossSite, 403, "cross_site"),
            (Reason::FieldRequired, 403, "field_required"),
            (Reason::RuleDenied, 403, "rule_denied"),
            (Reason::MintsCredential, 403, "mints_credential"),
            (Reason::NoSuchService, 404, "no_such_service"),
            (Reason::NoSuchRegion, 404, "no_such_region"),
            (Reason::RequestTimeout, 408, "request_timeout"),
            (Reason::BodyTooLarge, 413, "body_too_large"),
            (Reason::ExpectationFailed, 417, "expectation_failed"),
            (Reason::CodingUnknown, 501, "coding_unknown"),
            (Reason::TargetTooLong, 414, "target_too_long"),
            (Reason::HeaderTooLarge, 431, "header_too_large"),
            (Reason::UpstreamRefused, 502, "upstream_refused"),
            (Reason::UpstreamUnreachable, 502, "upstream_unreachable"),
            (Reason::UpstreamClosed, 502, "upstream_closed"),
            (Reason::UpstreamTls, 502, "upstream_tls"),
            (Reason::InsecureEndpoint, 502, "insecure_endpoint"),
            (Reason::UpstreamRedirectsToHttps, 502, "upstream_redirects_to_https"),
            (Reason::NoToken, 503, "no_token"),
            (Reason::IdentityUnreachable, 503, "identity_unreachable"),
            (Reason::CredentialsRefused, 503, "credentials_refused"),
            (Reason::Overloaded, 503, "overloaded"),
            (Reason::UpstreamTimeout, 504, "upstream_timeout"),
        ] {
            let response = respond(&Failure::new(reason, "x"));
            assert_eq!((response.status().as_u16(), reason.as_str()), (code, word));
            assert_eq!(response.headers()[ERROR], word);
        }
    }

    #[test]
    fn retry_after_is_rounded_up_and_at_least_one_second() {
        for (delay, shown) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (30_000, "30")] {
            let failure = Failure::new(Reason::NoToken, "x").retry_after(Duration::from_millis(delay));
            assert_eq!(respond(&failure).headers()["retry-after"], shown, "{delay}");
        }
        let longest = Failure::new(Reason::NoToken, "x").retry_after(Duration::MAX);
        assert_eq!(respond(&longest).headers()["retry-after"], u64::MAX.to_string().as_str());
    }

    #[test]
    fn a_401_carries_a_challenge() {
        let failure = Failure::new(Reason::WrongScope, "x");
        assert_eq!(respond(&failure).headers()["www-authenticate"], "Keystone");
        for (url, challenge) in [
            (Some("http://here/v3"), "Keystone uri=\"http://here/v3\""),
            (Some("\n"), "Keystone"),
            (None, "Keystone"),
        ] {
            let log_in_at = url.map(str::to_owned);
            let failure = Failure { log_in_at, ..Failure::new(Reason::ClientRefused, "x") };
            assert_eq!(respond(&failure).headers()["www-authenticate"], challenge);
        }
    }

    #[test]
    fn what_a_stranger_sent_cannot_break_the_body() {
        let rejection = Rejection::MalformedHost(Excerpt::new(b"\"}\r\n\x00<script>\xff"));
        let response = respond(&rejection.into());
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert!(response.body().is_ascii() && !response.body().iter().any(u8::is_ascii_control));
        serde_json::from_slice::<Value>(response.body()).unwrap();
    }
}
