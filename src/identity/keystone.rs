//! `Keystone`: the identity service over HTTP.
//!
//! One request a call, nothing retried here. Answers are read bounded; what
//! Keystone says in an error is kept for the user, cut short and cleaned, since it
//! may come from anything that answers at that address.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use http::request::Builder;
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method as HttpMethod, Request, StatusCode};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;

use super::credentials::{Credentials, Method};
use super::error::{AuthError, LOGIN_TIMEOUT};
use super::federation::{Session, may_need_a_person};
use super::issuer::{Issuer, Login, time};
use super::protocol::{
    CatalogAnswer, CredentialAnswer, ErrorAnswer, NamedProject, ProjectsAnswer, ReceiptAnswer, login_body,
};
use super::snapshot::Token;
use super::standalone;
use crate::body::read_limited;
use crate::catalog::{Catalog, EndpointUrl};
use crate::client::{Client, RequestBody};
use crate::clock::{Clock, Moment};

/// Keystone, as seen by one set of credentials.
#[derive(Debug)]
pub struct Keystone {
    client: Client,
    clock: Clock,
    credentials: Credentials,
    /// Path of the v3 API.
    v3: String,
    /// What an identity provider has given us to go on with.
    session: Session,
}

impl Keystone {
    pub(super) fn new(client: Client, clock: Clock, credentials: Credentials) -> Self {
        let path = credentials.auth_url.as_ref().map_or("", |url| url.path.as_str());
        let v3 = format!("{}/v3", path.trim_end_matches("/v3"));
        Self { client, clock, credentials, v3, session: Session::default() }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    async fn login(&self) -> Result<Login, AuthError> {
        match &self.credentials.method {
            Method::Federated(federation) => self.log_in_by_federation(federation).await,
            Method::OAuth2(client) => self.log_in_with_bearer(client).await,
            Method::Standalone(standalone) => standalone::log_in(standalone, self.now()),
            _ => self.log_in_by_proofs().await,
        }
    }

    /// The login, and once more with what else we can prove, if Keystone gives a receipt for the first.
    async fn log_in_by_proofs(&self) -> Result<Login, AuthError> {
        let factors: Vec<&Method> = self.credentials.method.factors().iter().collect();
        let (sent, head, body) = self.send_login(&factors, None).await?;
        if head.status == StatusCode::UNAUTHORIZED
            && let Some(receipt) = head.headers.get(RECEIPT)
        {
            let more = self.wanted(&body)?;
            let (sent, head, body) = self.send_login(&more, Some(receipt)).await?;
            return self.outcome(sent, &head, body);
        }
        self.outcome(sent, &head, body)
    }

    pub(super) async fn send_login(
        &self,
        factors: &[&Method],
        receipt: Option<&HeaderValue>,
    ) -> Result<(Moment, Parts, Bytes), AuthError> {
        let sent = self.clock.now();
        let body = RequestBody::Full(Some(login_body(factors, &self.credentials.scope, sent.unix_seconds())));
        let mut request = self.request(HttpMethod::POST, LOGIN).header(CONTENT_TYPE, "application/json");
        if let Some(receipt) = receipt {
            request = request.header(RECEIPT, receipt.clone());
        }
        let (head, body) = self.exchange(request, body, LOGIN).await?;
        Ok((sent, head, body))
    }

    /// Those of our spare factors that make up one of the sets that Keystone wants.
    fn wanted(&self, body: &Bytes) -> Result<Vec<&Method>, AuthError> {
        let ReceiptAnswer { receipt, required_auth_methods } =
            serde_json::from_slice(body).unwrap_or_default();
        let spare = |name: &str| self.credentials.spare.iter().find(|factor| factor.name() == name);
        let of_set = |set: &Vec<String>| -> Option<Vec<&Method>> {
            set.iter().filter(|name| !receipt.methods.contains(name)).map(|name| spare(name)).collect()
        };
        let found = required_auth_methods.iter().find_map(of_set).filter(|factors| !factors.is_empty());
        found.ok_or_else(|| AuthError::MoreFactors {
            url: self.url(),
            who: self.credentials.method.to_string(),
            given: clean(&receipt.methods.join(" and ")),
            wanted: required_auth_methods
                .iter()
                .map(|set| clean(&set.join(" and ")))
                .take(MOST_SETS_SHOWN)
                .collect::<Vec<_>>()
                .join(", or "),
        })
    }

    pub(super) fn outcome(&self, sent: Moment, head: &Parts, body: Bytes) -> Result<Login, AuthError> {
        match head.status {
            StatusCode::CREATED | StatusCode::OK => self.accept(sent, &head.headers, body),
            status if is_refusal(status, &self.credentials.method, &body) => Err(AuthError::Refused {
                url: self.url(),
                who: self.credentials.method.to_string(),
                status: head.status,
                message: keystone_message(&body),
            }),
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

    fn accept(&self, sent: Moment, headers: &HeaderMap, body: Bytes) -> Result<Login, AuthError> {
        let garbage = |why: String| AuthError::Garbage { url: self.url(), why };
        let token: HeaderValue = headers
            .get(SUBJECT_TOKEN)
            .filter(|token| !token.is_empty())
            .ok_or_else(|| garbage("it has no X-Subject-Token".to_owned()))?
            .clone();
        let login = Login::read(Token::new(token), sent, body).map_err(garbage)?;
        if login.lifetime.is_zero() {
            return Err(AuthError::AlreadyExpired { url: self.url() });
        }
        Ok(login)
    }

    /// Asks something with `token`, within [`ASK_TIMEOUT`].
    async fn ask(&self, request: Builder, token: &Token, path: &str) -> Result<(Parts, Bytes), AuthError> {
        let request = request.header(AUTH_TOKEN, token.header().clone());
        match tokio::time::timeout(ASK_TIMEOUT, self.exchange(request, RequestBody::Empty, path)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(AuthError::NotTold {
                url: self.address(path),
                what: "did not answer in time",
                why: format!("nothing came within {} s", ASK_TIMEOUT.as_secs()),
            }),
        }
    }

    /// Asks for a JSON document with `token`.
    async fn document<T: DeserializeOwned>(&self, path: &str, token: &Token) -> Result<T, AuthError> {
        let (head, body) = self.ask(self.request(HttpMethod::GET, path), token, path).await?;
        let not_told = |what, why| AuthError::NotTold { url: self.address(path), what, why };
        if head.status != StatusCode::OK {
            return Err(not_told("gave no answer that can be used", head.status.to_string()));
        }
        serde_json::from_slice(&body).map_err(|error| {
            not_told(
                "answered with something unexpected",
                format!("line {}, column {}", error.line(), error.column()),
            )
        })
    }

    /// A request for a path below `/v3`.
    pub(super) fn request(&self, method: HttpMethod, path: &str) -> Builder {
        Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.v3))
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("gatestone/", env!("CARGO_PKG_VERSION")))
    }

    /// Sends a request and reads the whole answer.
    pub(super) async fn exchange(
        &self,
        request: Builder,
        body: RequestBody,
        path: &str,
    ) -> Result<(Parts, Bytes), AuthError> {
        let url = || self.address(path);
        let Some(auth_url) = &self.credentials.auth_url else {
            return Err(AuthError::Garbage {
                url: url(),
                why: "there is no Keystone in the settings".to_owned(),
            });
        };
        let request = request.header(HOST, auth_url.authority.as_str());
        let request =
            request.body(body).map_err(|error| AuthError::Garbage { url: url(), why: error.to_string() })?;
        let response = self.client.send(auth_url, request).await;
        let response = response.map_err(|source| AuthError::Unreachable { url: url(), source })?;
        let (head, body) = response.into_parts();
        let body = read_limited(body, LARGEST_ANSWER_BYTES).await;
        Ok((head, body.map_err(|source| AuthError::Cut { url: url(), source })?))
    }

    pub(super) fn address(&self, path: &str) -> String {
        match &self.credentials.auth_url {
            Some(EndpointUrl { scheme, authority, .. }) => format!("{scheme}://{authority}{}{path}", self.v3),
            None => "no Keystone".to_owned(),
        }
    }
}

impl Issuer for Keystone {
    fn url(&self) -> String {
        self.address(LOGIN)
    }

    fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    fn with(&self, credentials: Credentials) -> Self {
        Self::new(self.client.clone(), self.clock.clone(), credentials)
    }

    fn through(&self, client: Client) -> Self {
        Self { client, session: self.session.clone(), ..self.with(self.credentials.clone()) }
    }

    /// `POST /v3/auth/tokens`, and what else there is to do for it.
    async fn log_in(&self) -> Result<Login, AuthError> {
        if may_need_a_person(&self.credentials.method) {
            // Each question has this bound, and the person has one of their own.
            return self.login().await;
        }
        match tokio::time::timeout(LOGIN_TIMEOUT, self.login()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(AuthError::TimedOut { url: self.url() }),
        }
    }

    /// `HEAD /v3/auth/tokens`: 200 for a good token; 401 or 404 for a dead one, by which of its two
    /// roles Keystone looks at first. A 403 forbids the question to a user whose token was taken, and a
    /// 405 comes from something that knows no such question: neither calls the token dead.
    async fn check(&self, token: &Token) -> Result<bool, AuthError> {
        if self.credentials.auth_url.is_none() {
            // There is no other.
            return Ok(true);
        }
        let request = self.request(HttpMethod::HEAD, LOGIN).header(SUBJECT_TOKEN, token.header().clone());
        let (head, _) = self.ask(request, token, LOGIN).await?;
        match head.status {
            StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND => Ok(false),
            StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED => Ok(true),
            status if status.is_success() => Ok(true),
            status => Err(AuthError::NotTold {
                url: self.url(),
                what: "did not say whether the token is good",
                why: status.to_string(),
            }),
        }
    }

    /// `GET /v3/auth/catalog`.
    async fn catalog(&self, token: &Token) -> Result<Catalog, AuthError> {
        let CatalogAnswer { catalog } = self.document("/auth/catalog", token).await?;
        Ok(Catalog::from_wire(catalog))
    }

    /// `GET /v3/auth/projects`.
    async fn projects(&self, token: &Token) -> Result<Vec<NamedProject>, AuthError> {
        let ProjectsAnswer { projects } = self.document("/auth/projects", token).await?;
        Ok(projects)
    }

    /// `GET /v3/users/{user_id}/application_credentials/{id}`, which a credential may read of itself.
    async fn credential_end(
        &self,
        token: &Token,
        user_id: &str,
        credential_id: &str,
    ) -> Result<Option<Timestamp>, AuthError> {
        let segment = |id| utf8_percent_encode(id, NON_ALPHANUMERIC);
        let path = format!("/users/{}/application_credentials/{}", segment(user_id), segment(credential_id));
        let CredentialAnswer { application_credential } = self.document(&path, token).await?;
        let end = application_credential.expires_at.map(|text| time("expires_at", &text)).transpose();
        end.map_err(|why| AuthError::NotTold {
            url: self.address(&path),
            what: "wrote a time of its own",
            why,
        })
    }

    /// `DELETE /v3/auth/tokens`; a token may take itself back.
    async fn revoke(&self, token: &Token) -> Result<(), AuthError> {
        if self.credentials.auth_url.is_none() {
            return Ok(());
        }
        let request = self.request(HttpMethod::DELETE, LOGIN).header(SUBJECT_TOKEN, token.header().clone());
        let (head, _) = self.ask(request, token, LOGIN).await?;
        match head.status {
            // One that is dead already is what was wanted.
            StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND => Ok(()),
            status if status.is_success() => Ok(()),
            status => Err(AuthError::NotTold {
                url: self.url(),
                what: "did not revoke the token",
                why: status.to_string(),
            }),
        }
    }
}

/// Where tokens are made, checked and revoked, below `/v3`.
const LOGIN: &str = "/auth/tokens";
/// The field that has a login's token in answers, and the token that is meant in requests.
const SUBJECT_TOKEN: HeaderName = HeaderName::from_static("x-subject-token");
/// The field that has the token a request is made with.
const AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
/// The field that has a receipt for a part of a login, both ways.
const RECEIPT: HeaderName = HeaderName::from_static("openstack-auth-receipt");
/// Sets of methods that a message names.
const MOST_SETS_SHOWN: usize = 4;
/// A catalog of a large cloud with many regions is some 100 KiB.
const LARGEST_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// As much of Keystone's own words as a person wants to read.
const LONGEST_MESSAGE_CHARS: usize = 300;
/// Longest `Retry-After` that is taken at its word.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(900);
/// Longest wait for an answer about a token, the catalog or the account: all of them are quick, and
/// someone may be waiting.
const ASK_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether an answer to a login is a "no". Of an application credential or a token that is gone Keystone says 404, as
/// others do of a path that is not theirs; so its words are looked at (`keystone/exception.py`).
fn is_refusal(status: StatusCode, method: &Method, body: &Bytes) -> bool {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => true,
        StatusCode::NOT_FOUND => match method {
            Method::ApplicationCredential { .. } | Method::OAuth2(_) => {
                keystone_message(body).starts_with("Could not find Application Credential")
            }
            Method::Token(_) => {
                let message = keystone_message(body);
                ["Could not recognize", "Failed to validate token", "Could not find token"]
                    .iter()
                    .any(|known| message.starts_with(known))
            }
            _ => false,
        },
        _ => false,
    }
}

/// `Retry-After` in seconds or as a date (RFC 9110 10.2.3); a date is compared with
/// the answer's own `Date`, not with our clock.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
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

pub(super) fn keystone_message(body: &Bytes) -> String {
    let answer: ErrorAnswer = serde_json::from_slice(body).unwrap_or_default();
    let message = clean(&answer.error.message);
    if message.is_empty() { "it gave no reason".to_owned() } else { message }
}

/// Words of Keystone's, or of whatever answers in its stead, as they may be shown.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_MESSAGE_CHARS).collect()
}
