//! What a request tells of its way: `Via`, `Max-Forwards` and `TE`.
//!
//! 1. A gateway adds itself to `Via` in each request that it forwards (RFC 9110 §7.6.3), behind those before it, with
//!    the version that the message came in. It may add itself to responses; we do not, since nobody behind a proxy on
//!    his own machine would learn anything by it, and clients see the cloud's fields as they are.
//! 2. `Max-Forwards` counts for OPTIONS (RFC 9110 §7.6.2; TRACE is refused): each stop takes one off, and where it is 0
//!    the request goes no further and is answered as by its last recipient. What is not a number is no limit, and goes.
//!    On other methods it passes as it came.
//! 3. `TE: trailers` says that trailers are welcome (RFC 9110 §10.1.4). It speaks of one connection, so it is dropped with
//!    the rest of these; since we pass trailers on, we say the same to the upstream.

use http::header::{ALLOW, CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderValue, MAX_FORWARDS, TE, VIA};
use http::request::Parts;
use http::{Method, Response, StatusCode, Version};

use crate::reply::ReplyBody;

/// Rule 2: the answer to an OPTIONS request that is to go no further.
pub(super) fn answer_at_the_last_stop(head: &Parts) -> Option<Response<ReplyBody>> {
    let forwards = (head.method == Method::OPTIONS).then(|| forwards_left(&head.headers)).flatten();
    if forwards != Some(0) {
        return None;
    }
    let mut response = Response::new(ReplyBody::ours(""));
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(METHODS));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    Some(response)
}

/// Methods that OpenStack services know; others are passed on all the same.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, COPY, OPTIONS";

/// Rule 3: whether the client wants trailers. To be asked before anything is stripped.
pub(super) fn takes_trailers(headers: &HeaderMap) -> bool {
    let mut members = headers.get_all(TE).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    members.any(|member| member.trim_ascii().eq_ignore_ascii_case(b"trailers"))
}

/// Rules 1 to 3, on a request that has been stripped.
pub(super) fn note(head: &mut Parts, takes_trailers: bool) {
    let by = if head.version == Version::HTTP_10 { BY_10 } else { BY_11 };
    head.headers.append(VIA, by);
    if head.method == Method::OPTIONS && head.headers.contains_key(MAX_FORWARDS) {
        match forwards_left(&head.headers) {
            Some(left) => _ = head.headers.insert(MAX_FORWARDS, HeaderValue::from(left.saturating_sub(1))),
            None => _ = head.headers.remove(MAX_FORWARDS),
        }
    }
    if takes_trailers {
        head.headers.insert(TE, HeaderValue::from_static("trailers"));
        head.headers.insert(CONNECTION, HeaderValue::from_static("te"));
    }
}

const BY_10: HeaderValue = HeaderValue::from_static("1.0 gatestone");
const BY_11: HeaderValue = HeaderValue::from_static("1.1 gatestone");

/// The number in the only `Max-Forwards`; more than fits is as much as fits.
fn forwards_left(headers: &HeaderMap) -> Option<u64> {
    let mut lines = headers.get_all(MAX_FORWARDS).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return None };
    let digits = line.as_bytes();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(std::str::from_utf8(digits).ok()?.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn head(method: &str, fields: &[(&'static str, &str)]) -> Parts {
        let mut request = Request::new(());
        *request.method_mut() = method.parse().unwrap();
        for (name, value) in fields {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        request.into_parts().0
    }

    fn lines(head: &Parts, name: &str) -> Vec<String> {
        head.headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn we_come_last_in_via() {
        let mut request = head("GET", &[("via", "1.1 before")]);
        note(&mut request, false);
        assert_eq!(lines(&request, "via"), ["1.1 before", "1.1 gatestone"]);
        let mut request = head("GET", &[]);
        request.version = Version::HTTP_10;
        note(&mut request, false);
        assert_eq!(lines(&request, "via"), ["1.0 gatestone"]);
    }

    #[test]
    fn max_forwards_counts_down_for_options_alone() {
        for (method, came, leaves) in [
            ("OPTIONS", "7", &["6"][..]),
            ("OPTIONS", "1", &["0"]),
            ("OPTIONS", "007", &["6"]),
            ("OPTIONS", "99999999999999999999999", &["18446744073709551614"]),
            ("OPTIONS", "-1", &[]),
            ("OPTIONS", "x", &[]),
            ("GET", "0", &["0"]),
            ("GET", "x", &["x"]),
        ] {
            let mut request = head(method, &[("max-forwards", came)]);
            assert!(answer_at_the_last_stop(&request).is_none(), "{method} {came}");
            note(&mut request, false);
            assert_eq!(lines(&request, "max-forwards"), leaves, "{method} {came}");
        }
        let mut request = head("OPTIONS", &[("max-forwards", "3"), ("max-forwards", "0")]);
        assert!(answer_at_the_last_stop(&request).is_none());
        note(&mut request, false);
        assert!(lines(&request, "max-forwards").is_empty());
    }

    #[test]
    fn options_with_no_forwards_left_are_answered_here() {
        for came in ["0", "000"] {
            let response = answer_at_the_last_stop(&head("OPTIONS", &[("max-forwards", came)])).unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            assert!(response.headers().contains_key(ALLOW));
        }
    }

    #[test]
    fn trailers_are_asked_for_as_the_client_did() {
        for (te, wanted) in [
            ("trailers", true),
            ("gzip;q=0.5, Trailers", true),
            ("gzip", false),
            ("trailersx", false),
            ("x=trailers", false),
        ] {
            let mut request = head("GET", &[("te", te)]);
            assert_eq!(takes_trailers(&request.headers), wanted, "{te}");
            request.headers.clear();
            note(&mut request, wanted);
            assert_eq!(request.headers.contains_key(TE), wanted);
            assert_eq!(request.headers.contains_key(CONNECTION), wanted);
        }
    }
}
