//! What we add to a request: where it goes and by whose right.
//!
//! 1. Both fields replace all lines of that name.
//! 2. The token is marked sensitive, so that its `Debug` says so and no compression table keeps it.
//! 3. To be called last, after [`super::hop_by_hop::strip_request`]: nothing then removes what is set here.

use http::header::{self, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue};

use crate::secret::Secret;

/// The field by which OpenStack services know a token.
pub const AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

/// The value to give to [`token`], made once for each token.
pub fn token_value(token: &Secret) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(token.expose())?;
    value.set_sensitive(true);
    Ok(value)
}

/// Sets `X-Auth-Token`.
pub fn token(headers: &mut HeaderMap, token: HeaderValue) {
    debug_assert!(token.is_sensitive(), "made by token_value");
    headers.insert(AUTH_TOKEN, token);
}

/// Sets `Host`, which is made once for each endpoint.
pub fn host(headers: &mut HeaderMap, host: HeaderValue) {
    headers.insert(header::HOST, host);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_replace_all_lines_and_are_set_when_absent() {
        for lines in 0..3 {
            let mut headers = HeaderMap::new();
            for _ in 0..lines {
                headers.append(header::HOST, HeaderValue::from_static("localhost:5050"));
                headers.append(AUTH_TOKEN, HeaderValue::from_static("local"));
            }
            token(&mut headers, token_value(&Secret::new("real")).unwrap());
            host(&mut headers, HeaderValue::from_static("cloud.example"));
            assert_eq!(headers.get_all(AUTH_TOKEN).iter().collect::<Vec<_>>(), ["real"]);
            assert_eq!(headers.get_all(header::HOST).iter().collect::<Vec<_>>(), ["cloud.example"]);
        }
    }

    #[test]
    fn debug_does_not_show_the_token() {
        let mut headers = HeaderMap::new();
        token(&mut headers, token_value(&Secret::new("gAAAA-real")).unwrap());
        assert!(!format!("{headers:?}").contains("real"));
    }

    #[test]
    fn a_token_that_is_no_field_value_is_an_error() {
        assert!(token_value(&Secret::new("a\r\nb")).is_err());
    }
}
