//! What a service's answer may do in a browser that opened it: be looked at.
//!
//! All services, and all that anyone has stored in them, come to a browser from one origin: ours. A page or an SVG in a
//! container could so read and change everything the token may. So a response to a navigation (Fetch Metadata,
//! `Sec-Fetch-Mode` and `Sec-Fetch-Dest`) is put into a sandbox (CSP Level 3, section 6.3.2): its scripts run in an
//! origin of its own, whose requests to us are cross-site and end at the guard. A policy of the service's own stays
//! beside it; the stricter one wins. Other responses are not touched: what a page loads has the page's own origin.

use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderMap, HeaderValue};

/// Whether a field, by its name in lower case, says that a document of its own is asked for.
pub(super) fn tells_navigation(name: &str, value: &HeaderValue) -> bool {
    match name {
        "sec-fetch-mode" => matches!(value.as_bytes(), b"navigate" | b"nested-navigate"),
        "sec-fetch-dest" => matches!(
            value.as_bytes(),
            b"document" | b"embed" | b"fencedframe" | b"frame" | b"iframe" | b"object"
        ),
        _ => false,
    }
}

/// Puts the response to one into a sandbox.
pub(super) fn confine(headers: &mut HeaderMap) {
    headers.append(CONTENT_SECURITY_POLICY, SANDBOX);
}

/// Without `allow-same-origin`, and without taking the window elsewhere.
const SANDBOX: HeaderValue =
    HeaderValue::from_static("sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn navigations_are_told_by_mode_or_destination() {
        for (name, value, expected) in [
            ("sec-fetch-mode", "navigate", true),
            ("sec-fetch-dest", "document", true),
            ("sec-fetch-dest", "iframe", true),
            ("sec-fetch-dest", "object", true),
            ("sec-fetch-mode", "cors", false),
            ("sec-fetch-dest", "empty", false),
            ("sec-fetch-dest", "image", false),
            ("accept", "text/html", false),
        ] {
            assert_eq!(tells_navigation(name, &HeaderValue::from_static(value)), expected, "{name}: {value}");
        }
    }

    #[test]
    fn a_policy_of_the_service_stays() {
        let own = HeaderValue::from_static("default-src 'none'");
        let mut headers: HeaderMap = [(CONTENT_SECURITY_POLICY, own.clone())].into_iter().collect();
        confine(&mut headers);
        let all: Vec<_> = headers.get_all(CONTENT_SECURITY_POLICY).iter().collect();
        assert_eq!(all, [&own, &SANDBOX]);
    }
}
