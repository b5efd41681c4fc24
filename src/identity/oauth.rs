//! OAuth 2.0, as a client: tokens from a provider's token endpoint (RFC 6749 sections 4 to 6), and the beginning of a
//! login on another device (RFC 8628).
//!
//! 1. The client says who it is by `Basic` where it has a secret, else by `client_id` in the body; as it is written, not
//!    encoded first, like keystoneauth.
//! 2. What is sent and what comes back is wiped from memory.
//! 3. A refusal names an error as RFC 6749 5.2 and RFC 8628 3.5 have it, or is a bare 401 or 403. What else is not a
//!    success is an accident.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderValue, Method as HttpMethod, Request, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tokio::time::timeout;
use zeroize::{Zeroize as _, Zeroizing};

use super::credentials::{Method, ProviderUrl, TokenKind};
use super::error::{AuthError, LOGIN_TIMEOUT};
use super::keystone::{clean, retry_after};
use crate::body::read_limited;
use crate::client::{Client, RequestBody};
use crate::secret::Secret;

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking<'a> {
    pub(super) client: &'a Client,
    pub(super) client_id: &'a str,
    pub(super) client_secret: Option<&'a Secret>,
    /// The login, in words.
    pub(super) who: &'a Method,
}

/// What the token endpoint gives.
#[derive(Debug, Deserialize)]
pub(super) struct Granted {
    pub(super) access_token: Option<Secret>,
    pub(super) id_token: Option<Secret>,
    pub(super) refresh_token: Option<Secret>,
    /// Of the access token.
    #[serde(default, deserialize_with = "seconds")]
    pub(super) expires_in: Option<Duration>,
    /// Of the refresh token, where a provider tells.
    #[serde(default, deserialize_with = "seconds")]
    pub(super) refresh_expires_in: Option<Duration>,
}

impl Granted {
    /// The token that is meant, if it is there.
    pub(super) fn token(&self, kind: TokenKind) -> Option<&Secret> {
        let token = match kind {
            TokenKind::Access => &self.access_token,
            TokenKind::Id => &self.id_token,
        };
        token.as_ref().filter(|token| !token.is_empty())
    }
}

/// What the device authorization endpoint gives (RFC 8628 section 3.2).
#[derive(Debug, Deserialize)]
pub(super) struct DeviceCode {
    pub(super) device_code: Secret,
    pub(super) user_code: String,
    verification_uri: Option<String>,
    /// As some write it, beside or in place of the other.
    verification_url: Option<String>,
    pub(super) verification_uri_complete: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    pub(super) expires_in: Option<Duration>,
    #[serde(default, deserialize_with = "seconds")]
    pub(super) interval: Option<Duration>,
}

impl DeviceCode {
    /// Where the code is entered.
    pub(super) fn address(&self) -> Option<&str> {
        self.verification_uri.as_deref().or(self.verification_url.as_deref())
    }
}

/// What a provider says of itself (OpenID Connect Discovery 1.0 section 3).
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Description {
    pub(super) token_endpoint: Option<String>,
    pub(super) device_authorization_endpoint: Option<String>,
    pub(super) grant_types_supported: Option<Vec<String>>,
}

/// An answer that is a success, or an error that the RFCs name.
#[derive(Debug)]
pub(super) enum Said<T> {
    Yes(T),
    /// The error's code, and its description.
    No(String, String),
}

#[derive(Debug, Deserialize)]
struct ErrorAnswer {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

impl Asking<'_> {
    /// Asks for a token; no refusal is left over.
    pub(super) async fn token(
        &self,
        endpoint: &ProviderUrl,
        form: &[(&str, &str)],
    ) -> Result<Granted, AuthError> {
        match self.post(endpoint, form).await? {
            Said::Yes(granted) => Ok(granted),
            Said::No(error, description) => Err(self.refused(endpoint, &error, &description)),
        }
    }

    /// Sends a form; how it is encoded is in the WHATWG's URL standard, section 5.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        endpoint: &ProviderUrl,
        form: &[(&str, &str)],
    ) -> Result<Said<T>, AuthError> {
        let own = [("client_id", self.client_id)];
        // Rule 1; some providers want the id of a client with a secret, too, where they are asked for a device's code.
        let needs_own = self.client_secret.is_none() && form.iter().all(|(name, _)| *name != "client_id");
        let pairs = form.iter().chain(own.iter().filter(|_| needs_own));
        // Three bytes for one at most, so that it never grows.
        let most = pairs.clone().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
        let mut body = Zeroizing::new(String::with_capacity(most));
        for (name, value) in pairs {
            if !body.is_empty() {
                body.push('&');
            }
            body.extend(utf8_percent_encode(name, NON_ALPHANUMERIC));
            body.push('=');
            body.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
        }
        let body = RequestBody::Full(Some(Bytes::from_owner(Zeroizing::new(
            std::mem::take(&mut *body).into_bytes(),
        ))));
        let mut request = Request::builder()
            .method(HttpMethod::POST)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(secret) = self.client_secret {
            request = request.header(AUTHORIZATION, basic(self.client_id, secret));
        }
        let (status, headers, answer) = exchange(self.client, endpoint, request, body).await?;
        if status.is_success() {
            return read(endpoint, &answer).map(Said::Yes);
        }
        if status.is_client_error()
            && status != StatusCode::TOO_MANY_REQUESTS
            && let Ok(ErrorAnswer { error, error_description }) = serde_json::from_slice(&answer)
            && !ACCIDENTS.contains(&error.as_str())
        {
            return Ok(Said::No(clean(&error), clean(&error_description.unwrap_or_default())));
        }
        let (url, retry_after) = (endpoint.to_string(), retry_after(&headers));
        Err(match status {
            StatusCode::TOO_MANY_REQUESTS => AuthError::TooMany { url, retry_after },
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                self.refused(endpoint, status.as_str(), "it gave no reason")
            }
            status => AuthError::ProviderUnwell { url, status, retry_after },
        })
    }

    pub(super) fn refused(&self, endpoint: &ProviderUrl, error: &str, description: &str) -> AuthError {
        AuthError::ProviderRefused {
            url: endpoint.to_string(),
            who: self.who.to_string(),
            error: error.to_owned(),
            description: if description.is_empty() { "no reason given" } else { description }.to_owned(),
        }
    }
}

/// What a provider says of itself at `endpoint`.
pub(super) async fn describe(client: &Client, endpoint: &ProviderUrl) -> Result<Description, AuthError> {
    let request = Request::builder().method(HttpMethod::GET);
    let (status, headers, answer) = exchange(client, endpoint, request, RequestBody::Empty).await?;
    if status != StatusCode::OK {
        let (url, retry_after) = (endpoint.to_string(), retry_after(&headers));
        return Err(AuthError::ProviderUnwell { url, status, retry_after });
    }
    read(endpoint, &answer)
}

/// `Basic`, wiped from memory.
pub(super) fn basic(user: &str, password: &Secret) -> HeaderValue {
    let plain = Zeroizing::new(format!("{user}:{}", password.expose()));
    let encoded = Zeroizing::new(STANDARD.encode(plain.as_bytes()));
    sensitive(&["Basic ", encoded.as_str()])
}

/// `Bearer`, wiped from memory; nothing if the token is no text that a field can have.
pub(super) fn bearer(token: &Secret) -> Option<HeaderValue> {
    let is_text = token.expose().bytes().all(|byte| byte.is_ascii_graphic());
    is_text.then(|| sensitive(&["Bearer ", token.expose()]))
}

fn sensitive(parts: &[&str]) -> HeaderValue {
    let text = Zeroizing::new(parts.concat().into_bytes());
    let mut value =
        HeaderValue::from_maybe_shared(Bytes::from_owner(text)).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

async fn exchange(
    client: &Client,
    endpoint: &ProviderUrl,
    request: http::request::Builder,
    body: RequestBody,
) -> Result<(StatusCode, http::HeaderMap, Wiped), AuthError> {
    let url = || endpoint.to_string();
    let request = request
        .uri(endpoint.target.as_str())
        .header(HOST, endpoint.origin.authority.as_str())
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!("gatestone/", env!("CARGO_PKG_VERSION")))
        .body(body)
        .map_err(|error| AuthError::ProviderNonsense { url: url(), why: error.to_string() })?;
    let exchange = async {
        let response = client.send(&endpoint.origin, request).await;
        let response = response.map_err(|source| AuthError::Unreachable { url: url(), source })?;
        let (head, body) = response.into_parts();
        let body = read_limited(body, LARGEST_ANSWER_BYTES).await;
        let body = body.map_err(|source| AuthError::Cut { url: url(), source })?;
        Ok((head.status, head.headers, Wiped(body)))
    };
    timeout(LOGIN_TIMEOUT, exchange).await.map_err(|_| AuthError::TimedOut { url: url() })?
}

/// An answer, wiped from memory in the end, since nobody else refers to it.
struct Wiped(Bytes);

impl std::ops::Deref for Wiped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        if let Ok(mut bytes) = std::mem::take(&mut self.0).try_into_mut() {
            bytes.as_mut().zeroize();
        }
    }
}

/// serde_json's message may quote the text around a fault; only its place is told.
fn read<T: DeserializeOwned>(endpoint: &ProviderUrl, answer: &[u8]) -> Result<T, AuthError> {
    serde_json::from_slice(answer).map_err(|error| AuthError::ProviderNonsense {
        url: endpoint.to_string(),
        why: format!("not the expected JSON at line {}, column {}", error.line(), error.column()),
    })
}

/// A number, or a number in quotes, as some write it. Anything else is as if it were not there.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let value = Option::<Value>::deserialize(deserializer)?;
    let seconds = match &value {
        Some(Value::Number(number)) => number.as_u64().or_else(|| number.as_f64().map(|it| it as u64)),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    // Zero, as some write it, means that it does not end.
    Ok(seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs))
}

/// Errors that say that it is the provider (RFC 6749 section 4.1.2.1).
const ACCIDENTS: [&str; 2] = ["server_error", "temporarily_unavailable"];
/// Tokens with many claims are some KiB.
const LARGEST_ANSWER_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_providers_write_them() {
        let granted = |text: &str| serde_json::from_str::<Granted>(text).unwrap();
        let full = granted(
            r#"{"access_token": "a", "expires_in": 30, "refresh_token": "r", "refresh_expires_in": "1800"}"#,
        );
        assert_eq!(full.access_token.unwrap().expose(), "a");
        assert_eq!(full.expires_in, Some(Duration::from_secs(30)));
        assert_eq!(full.refresh_expires_in, Some(Duration::from_secs(1800)));
        let odd = granted(
            r#"{"access_token": "a", "expires_in": null, "refresh_expires_in": 0, "id_token": null}"#,
        );
        assert_eq!((odd.expires_in, odd.refresh_expires_in, odd.id_token), (None, None, None));
        let code = r#"{"device_code": "d", "user_code": "AB-CD", "verification_url": "https://p/device", "expires_in": 600}"#;
        let code: DeviceCode = serde_json::from_str(code).unwrap();
        assert_eq!((code.address(), code.interval), (Some("https://p/device"), None));
        let both =
            r#"{"device_code": "d", "user_code": "c", "verification_uri": "a", "verification_url": "b"}"#;
        assert_eq!(serde_json::from_str::<DeviceCode>(both).unwrap().address(), Some("a"));
        assert!(!format!("{code:?}").contains("\"d\""));
    }

    #[test]
    fn fields_are_made_and_never_shown() {
        let value = basic("Aladdin", &Secret::new("open sesame"));
        assert_eq!(value, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="); // RFC 7617 section 2
        assert!(format!("{value:?}").contains("Sensitive"));
        assert_eq!(bearer(&Secret::new("abc")).unwrap(), "Bearer abc");
        assert_eq!(bearer(&Secret::new("a\r\nb")), None);
    }
}
