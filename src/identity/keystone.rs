//! `Keystone::authenticate`: from credentials to a login.
//!
//! One `POST /v3/auth/tokens` a call, nothing retried here. The answer is read
//! bounded; what Keystone says in an error is kept for the user, cut short and
//! cleaned, since it may come from anything that answers at that address.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method as HttpMethod, Request, StatusCode};
use jiff::{SignedDuration, Timestamp};

use super::credentials::Credentials;
use super::protocol::{ErrorAnswer, LoginAnswer, TokenBody, login_body};
use super::snapshot::Token;
use crate::body::{ReadError, read_limited};
use crate::catalog::EndpointUrl;
use crate::client::{Client, ConnectError, RequestBody, SendError};
use crate::clock::{Clock, Moment};

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Keystone could not be reached, or closed without an answer.
    #[error("{url} does not answer: {}", causes(.source))]
    Unreachable {
        /// Where we asked.
        url: String,
        /// What happened.
        source: SendError,
    },
    /// Nothing came within [`LOGIN_TIMEOUT`].
    #[error("{url} did not answer the login within {} s", LOGIN_TIMEOUT.as_secs())]
    TimedOut {
        /// Where we asked.
        url: String,
    },
    /// Keystone said no: 400, 401 or 403.
    #[error("{url} refused the login of {who} with {status}: {message}")]
    Refused {
        /// Where we asked.
        url: String,
        /// Method, user and domain.
        who: String,
        /// Its status.
        status: StatusCode,
        /// Its own words.
        message: String,
    },
    /// Too many logins: 429.
    #[error("{url} says that there were too many logins (429)")]
    TooMany {
        /// Where we asked.
        url: String,
        /// How long Keystone wants us to wait.
        retry_after: Option<Duration>,
    },
    /// Any other status: a broken Keystone, or something else at that address.
    #[error(
        "{url} answered the login with {status}; if this lasts, check that OS_AUTH_URL is Keystone's own address"
    )]
    Unexpected {
        /// Where we asked.
        url: String,
        /// Its status.
        status: StatusCode,
        /// How long it wants us to wait.
        retry_after: Option<Duration>,
    },
    /// The answer is not one of Identity v3.
    #[error("{url} answered the login with something that is not an Identity v3 token: {why}")]
    Garbage {
        /// Where we asked.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The answer did not arrive whole.
    #[error("{url} answered the login with a body that cannot be read")]
    Cut {
        /// Where we asked.
        url: String,
        /// What happened.
        source: ReadError,
    },
    /// The token's life was over before it began.
    #[error("{url} issued a token that has already expired")]
    AlreadyExpired {
        /// Where we asked.
        url: String,
    },
}

impl AuthError {
    /// Whether trying the same credentials again can only do harm.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// Whether Keystone's certificate is not trusted: at start a mistake, later perhaps a change under way.
    pub fn is_distrust(&self) -> bool {
        matches!(self, Self::Unreachable { source: SendError::Connect(ConnectError::Untrusted(_)), .. })
    }

    /// How long Keystone wants us to wait, if it says.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooMany { retry_after, .. } | Self::Unexpected { retry_after, .. } => *retry_after,
            Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Refused { .. }
            | Self::Garbage { .. }
            | Self::Cut { .. }
            | Self::AlreadyExpired { .. } => None,
        }
    }
}

/// An error and what lies below it in one line, with what helps where we know it.
fn causes(error: &SendError) -> String {
    let mut line = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = error.source();
    }
    if let SendError::Connect(ConnectError::Untrusted(_)) = error {
        line.push_str(
            "; if its certificate comes from a private authority, set OS_CACERT to that authority's PEM file",
        );
    }
    line
}

/// What a login brings.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) token: Token,
    pub(super) sent: Moment,
    pub(super) lifetime: Duration,
    pub(super) body: TokenBody,
}

/// Keystone, as seen by one set of credentials.
#[derive(Debug)]
pub(super) struct Keystone {
    client: Client,
    clock: Clock,
    credentials: Credentials,
    login_path: String,
}

impl Keystone {
    pub(super) fn new(client: Client, clock: Clock, credentials: Credentials) -> Self {
        let root = credentials.auth_url.path.trim_end_matches("/v3");
        let login_path = format!("{root}/v3/auth/tokens");
        Self { client, clock, credentials, login_path }
    }

    /// Where logins go, for messages.
    pub(super) fn url(&self) -> String {
        let EndpointUrl { scheme, authority, .. } = &self.credentials.auth_url;
        format!("{scheme}://{authority}{}", self.login_path)
    }

    pub(super) fn is_renewable(&self) -> bool {
        self.credentials.method.is_renewable()
    }

    /// Logs in once.
    pub(super) async fn authenticate(&self) -> Result<Login, AuthError> {
        match tokio::time::timeout(LOGIN_TIMEOUT, self.login()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(AuthError::TimedOut { url: self.url() }),
        }
    }

    async fn login(&self) -> Result<Login, AuthError> {
        let request = self.request()?;
        let sent = self.clock.now();
        let response = self
            .client
            .send(&self.credentials.auth_url, request)
            .await
            .map_err(|source| AuthError::Unreachable { url: self.url(), source })?;
        let (head, body) = response.into_parts();
        let body = read_limited(body, LARGEST_ANSWER_BYTES)
            .await
            .map_err(|source| AuthError::Cut { url: self.url(), source })?;
        match head.status {
            StatusCode::CREATED | StatusCode::OK => self.accept(sent, &head.headers, &body),
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(AuthError::Refused {
                    url: self.url(),
                    who: self.credentials.method.to_string(),
                    status: head.status,
                    message: keystone_message(&body),
                })
            }
            StatusCode::TOO_MANY_REQUESTS => {
                Err(AuthError::TooMany { url: self.url(), retry_after: retry_after(&head.headers) })
            }
            status => Err(AuthError::Unexpected {
                url: self.url(),
                status,
                retry_after: retry_after(&head.headers),
            }),
        }
    }

    fn request(&self) -> Result<Request<RequestBody>, AuthError> {
        let body = login_body(&self.credentials);
        Request::builder()
            .method(HttpMethod::POST)
            .uri(&self.login_path)
            .header(HOST, self.credentials.auth_url.authority.as_str())
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("gatestone/", env!("CARGO_PKG_VERSION")))
            .body(RequestBody::Full(Some(body)))
            .map_err(|error| AuthError::Garbage { url: self.url(), why: error.to_string() })
    }

    fn accept(&self, sent: Moment, headers: &HeaderMap, body: &Bytes) -> Result<Login, AuthError> {
        let garbage = |why: String| AuthError::Garbage { url: self.url(), why };
        let token: HeaderValue = headers
            .get("x-subject-token")
            .filter(|token| !token.is_empty())
            .ok_or_else(|| garbage("it has no X-Subject-Token".to_owned()))?
            .clone();
        // serde_json's message may quote the text around a fault; only its place is told.
        let answer: LoginAnswer = serde_json::from_slice(body).map_err(|error| {
            garbage(format!("not the expected JSON at line {}, column {}", error.line(), error.column()))
        })?;
        let lifetime = lifetime(&answer.token).map_err(garbage)?;
        if lifetime.is_zero() {
            return Err(AuthError::AlreadyExpired { url: self.url() });
        }
        Ok(Login { token: Token::new(token), sent, lifetime, body: answer.token })
    }
}

/// Longest wait for a login as a whole. Keystone hashes passwords with bcrypt and
/// may ask an LDAP server; beyond this a new try is the better bet.
pub const LOGIN_TIMEOUT: Duration = Duration::from_secs(60);
/// A catalog of a large cloud with many regions is some 100 KiB.
const LARGEST_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// As much of Keystone's own words as a person wants to read.
const LONGEST_MESSAGE_CHARS: usize = 300;
/// Longest `Retry-After` that is taken at its word.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(900);
/// Assumed where Keystone states no times: its own default (`keystone/conf/token.py`).
const DEFAULT_LIFETIME: Duration = Duration::from_secs(3600);

/// `expires_at` - `issued_at`; zero if that is negative.
fn lifetime(token: &TokenBody) -> Result<Duration, String> {
    let (Some(issued), Some(expires)) = (&token.issued_at, &token.expires_at) else {
        return Ok(DEFAULT_LIFETIME);
    };
    let parse = |field: &str, text: &str| {
        match text.parse::<Timestamp>() {
            Ok(time) => Ok(time),
            // "Never", as some write it, is beyond what can be counted.
            Err(_) if text.starts_with("9999-") => Ok(Timestamp::MAX),
            Err(_) => Err(format!("{field} is not a time of RFC 3339")),
        }
    };
    let lifetime: SignedDuration = parse("expires_at", expires)?.duration_since(parse("issued_at", issued)?);
    Ok(Duration::try_from(lifetime).unwrap_or(Duration::ZERO))
}

/// `Retry-After` in seconds or as a date (RFC 9110 10.2.3); a date is compared with
/// the answer's own `Date`, not with our clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = headers.get(http::header::DATE)?.to_str().ok()?;
            let at = |text| jiff::fmt::rfc2822::parse(text).ok();
            Duration::try_from(at(text)?.timestamp().duration_since(at(date)?.timestamp())).ok()?
        }
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

fn keystone_message(body: &Bytes) -> String {
    let answer: ErrorAnswer = serde_json::from_slice(body).unwrap_or_default();
    let clean: String = answer
        .error
        .message
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST_MESSAGE_CHARS)
        .collect();
    if clean.is_empty() { "it gave no reason".to_owned() } else { clean }
}
