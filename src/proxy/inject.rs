//! What we add to a request: where it goes and by whose right.
//!
//! 1. Both fields replace all lines of that name.
//! 2. The token is marked sensitive, so that its `Debug` says so and no compression table keeps it.
//! 3. To be called last, after [`super::hop_by_hop::strip_request`]: nothing then removes what is set here.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// The field by which OpenStack services know a token.
pub(super) const AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

/// Sets `X-Auth-Token`.
pub(super) fn token(headers: &mut HeaderMap, token: HeaderValue) {
    debug_assert!(token.is_sensitive(), "marked where it was received");
    headers.insert(AUTH_TOKEN, token);
}

/// Sets `Host`, which is made once for each endpoint.
pub(super) fn host(headers: &mut HeaderMap, host: HeaderValue) {
    headers.insert(header::HOST, host);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn real() -> HeaderValue {
        let mut value = HeaderValue::from_static("real");
        value.set_sensitive(true);
        value
    }

    #[test]
    fn both_replace_all_lines_and_are_set_when_absent() {
        for lines in 0..3 {
            let mut headers = HeaderMap::new();
            for _ in 0..lines {
                headers.append(header::HOST, HeaderValue::from_static("localhost:5050"));
                headers.append(AUTH_TOKEN, HeaderValue::from_static("local"));
            }
            token(&mut headers, real());
            host(&mut headers, HeaderValue::from_static("cloud.example"));
            assert_eq!(headers.get_all(AUTH_TOKEN).iter().collect::<Vec<_>>(), ["real"]);
            assert_eq!(headers.get_all(header::HOST).iter().collect::<Vec<_>>(), ["cloud.example"]);
        }
    }

    #[test]
    fn debug_does_not_show_the_token() {
        let mut headers = HeaderMap::new();
        token(&mut headers, real());
        assert!(!format!("{headers:?}").contains("real"));
    }
}
