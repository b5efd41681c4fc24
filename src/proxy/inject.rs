//! What we add to a request: where it goes and by whose right.
//!
//! 1. Each field replaces all lines of that name.
//! 2. The token is marked sensitive, so that its `Debug` says so and no compression table keeps it.
//! 3. To be called last, after [`super::hop_by_hop::strip_request`]: nothing then removes what is set here.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::identity::Token;

/// The field by which OpenStack services know a token.
pub(super) const AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

/// Sets `X-Auth-Token`, and `Authorization` where services want that too.
pub(super) fn token(headers: &mut HeaderMap, token: &Token) {
    debug_assert!(token.header().is_sensitive(), "marked where it was received");
    if !token.header().is_empty() {
        headers.insert(AUTH_TOKEN, token.header().clone());
    }
    if let Some(authorization) = token.authorization() {
        headers.insert(header::AUTHORIZATION, authorization.clone());
    }
}

/// Sets `Host`, which is made once for each endpoint.
pub(super) fn host(headers: &mut HeaderMap, host: HeaderValue) {
    headers.insert(header::HOST, host);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn real() -> Token {
        Token::of_test("real")
    }

    #[test]
    fn both_replace_all_lines_and_are_set_when_absent() {
        for lines in 0..3 {
            let mut headers = HeaderMap::new();
            for _ in 0..lines {
                headers.append(header::HOST, HeaderValue::from_static("localhost:5050"));
                headers.append(AUTH_TOKEN, HeaderValue::from_static("local"));
            }
            token(&mut headers, &real());
            host(&mut headers, HeaderValue::from_static("cloud.example"));
            assert_eq!(headers.get_all(AUTH_TOKEN).iter().collect::<Vec<_>>(), ["real"]);
            assert_eq!(headers.get_all(header::HOST).iter().collect::<Vec<_>>(), ["cloud.example"]);
        }
    }

    #[test]
    fn debug_does_not_show_the_token() {
        let mut headers = HeaderMap::new();
        token(&mut headers, &real());
        assert!(!format!("{headers:?}").contains("real"));
    }
}
