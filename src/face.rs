//! The local face: what is answered here in Keystone's stead (design 6), so that a stock client needs no credentials.
//!
//! ```text
//! head, route ─► keystone_v3, keystone_v2::recognise ─► Asked, or none of ours: the request goes its way
//! head ─► swift_v1::SwiftLogin, or none: the same for Swift, which has no route
//! Asked ─► Face::answer
//!    request ......... what a login asks for; any user and secret will do, another scope than the held one will not
//!    local_tokens .... random, worth nothing elsewhere, known here for 24 h
//!    client_key ...... what a login must know, where a listener has a client secret
//!    catalog ......... the held services, at addresses of this listener
//!    documents ....... everything else that is said in JSON
//! ```
//!
//! 1. What is said is the holder's own: its user, scope and roles, as Keystone gave them with the real token.
//! 2. The real token is in no answer, and no request may name it: whoever does is told that there is none such.
//! 3. Where a listener has no client secret, nothing here decides who may use it, and a local token opens nothing:
//!    requests need none. Where it has one, a login must know it, and its token opens the listener (`client_key`).
//! 4. Where the token held has no scope, the lists of scopes are Keystone's: a person looks there for the project to start
//!    the proxy with.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, VARY};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

mod catalog;
mod client_key;
mod documents;
mod keystone_v2;
mod keystone_v3;
mod local_tokens;
mod request;
mod swift_v1;

pub(crate) use client_key::{Admission, ClientKey};
pub(crate) use swift_v1::SwiftLogin;

use self::keystone_v3::SUBJECT_TOKEN;
use self::local_tokens::{LocalToken, LocalTokens};
use self::request::{Granted, Login};
use crate::body::{ReadError, read_limited};
use crate::client::Upload;
use crate::clock::Clock;
use crate::failure::{Failure, Reason};
use crate::identity::{HeldScope, Snapshot};
use crate::reply::ReplyBody;
use crate::routing::{Target, split_region};
use crate::secret::Secret;

/// What is asked of Keystone and answered here.
#[derive(Debug)]
pub(crate) enum Asked {
    /// In the Identity API v2.0.
    V2(keystone_v2::Asked),
    /// In the Identity API v3, or of any version.
    V3(keystone_v3::Asked),
}

impl Asked {
    /// Whether it is asked before a login, or is one; where a client secret is wanted, the rest is for those who have
    /// logged in.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::V2(asked) => asked.is_open(),
            Self::V3(asked) => asked.is_open(),
        }
    }
}

/// What answers for Keystone and Swift; one for all workers, since a client's next connection may be another's.
#[derive(Debug)]
pub(crate) struct Face {
    tokens: LocalTokens,
    clock: Clock,
}

/// What an answer is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    /// What is held.
    pub(crate) snapshot: &'a Snapshot,
    /// Our address as the client wrote it: `http://127.0.0.1:5050`.
    pub(crate) base: &'a str,
    /// The first segment by which the client reached Keystone; empty where it stands at the root.
    pub(crate) prefix: &'a str,
    /// What a login must know.
    pub(crate) key: Option<&'a ClientKey>,
}

/// Keystone's list of versions, for the page at `/`: clients that were given this listener's address without `/v3` look
/// there.
pub(crate) fn versions(base: &str) -> Value {
    documents::versions(&format!("{base}/v3"))
}

impl Face {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { tokens: LocalTokens::default(), clock }
    }

    /// Whether a request carries a token that was given for `key`.
    pub(crate) fn knows(&self, headers: &HeaderMap, key: &ClientKey) -> bool {
        client_key::token(headers)
            .is_some_and(|token| self.tokens.opens(token, key, self.clock.now()).is_some())
    }

    /// What a request asks of us; `None` if it is for whoever it is addressed to.
    pub(crate) fn recognise(&self, head: &Parts, target: &Target<'_>, snapshot: &Snapshot) -> Option<Asked> {
        let find = |subject: &HeaderValue| self.tokens.find(subject, self.clock.now());
        let Some(asked) = keystone_v3::recognise(head, target, snapshot.token.secret(), find) else {
            return keystone_v2::recognise(head, target, find).map(Asked::V2);
        };
        // Rule 4.
        let is_for_keystone = asked.is_about_scopes() && matches!(snapshot.holder.scope, HeldScope::Unscoped);
        (!is_for_keystone).then_some(Asked::V3(asked))
    }

    /// The answer. Only a login's body is looked at.
    pub(crate) async fn answer(
        &self,
        asked: Asked,
        view: View<'_>,
        upload: Option<&Upload>,
    ) -> Result<Response<ReplyBody>, Failure> {
        match asked {
            Asked::V2(asked) => self.answer_v2(asked, view, upload).await,
            Asked::V3(asked) => self.answer_v3(asked, view, upload).await,
        }
    }

    async fn answer_v3(
        &self,
        asked: keystone_v3::Asked,
        view: View<'_>,
        upload: Option<&Upload>,
    ) -> Result<Response<ReplyBody>, Failure> {
        use keystone_v3::Asked;
        match asked {
            Asked::Versions => {
                let mut response = reply(
                    StatusCode::MULTIPLE_CHOICES,
                    &json!({ "versions": documents::versions(&view.v3_url()) }),
                );
                if let Ok(location) = HeaderValue::from_str(&format!("{}/", view.v3_url())) {
                    response.headers_mut().insert(LOCATION, location);
                }
                Ok(response)
            }
            Asked::Version => {
                Ok(reply(StatusCode::OK, &json!({ "version": documents::version(&view.v3_url()) })))
            }
            Asked::LogIn { with_catalog } => {
                let login = Login::parse(&read_login(upload).await?)?;
                let admission = self.check(&login.offered, view.key, || Some(view.v3_url())).await?;
                let scope = login.scope.grant(&view.snapshot.holder.scope)?;
                let (subject, token) = self.issue(login.methods, scope, admission)?;
                Ok(token_reply(StatusCode::CREATED, &subject, &token, view, with_catalog))
            }
            Asked::ShowToken { subject, token, with_catalog } => {
                Ok(token_reply(StatusCode::OK, &subject, &token, view, with_catalog))
            }
            Asked::Revoke { subject } => {
                self.tokens.revoke(&subject);
                Ok(bare(StatusCode::NO_CONTENT, Bytes::new()))
            }
            Asked::HeldToken => Ok(reply(StatusCode::NOT_FOUND, &documents::unknown_token())),
            Asked::Catalog => Ok(reply(
                StatusCode::OK,
                &json!({
                    "catalog": catalog::of(view),
                    "links": { "self": format!("{}/auth/catalog", view.v3_url()) },
                }),
            )),
            Asked::Projects => Ok(reply(StatusCode::OK, &documents::projects(view))),
            Asked::Domains => Ok(reply(StatusCode::OK, &documents::domains(view))),
            Asked::System => Ok(reply(StatusCode::OK, &documents::system(view))),
        }
    }

    /// Makes a local token.
    fn issue(
        &self,
        methods: Vec<String>,
        scope: Granted,
        admission: Admission,
    ) -> Result<(HeaderValue, Arc<LocalToken>), Failure> {
        self.tokens.issue(methods, scope, admission, self.clock.now()).map_err(|error| {
            Failure::new(Reason::Overloaded, format!("{error}; try again")).retry_after(TRY_AGAIN)
        })
    }
}

impl Face {
    /// Whether one of the secrets that a login offers is what it must know, or a token that was given for that. A login
    /// without it waits for its answer, and learns nothing else.
    pub(crate) async fn check(
        &self,
        offered: &[Secret],
        key: Option<&ClientKey>,
        v3_url: impl FnOnce() -> Option<String>,
    ) -> Result<Admission, Failure> {
        let Some(key) = key else { return Ok(Admission::default()) };
        if offered.iter().any(|offered| key.is(offered.expose().as_bytes())) {
            return Ok(Admission { key: Some(*key), until: None });
        }
        let end = |offered: &Secret| self.tokens.opens(offered.expose().as_bytes(), key, self.clock.now());
        if let Some(end) = offered.iter().find_map(end) {
            return Ok(Admission { key: Some(*key), until: Some(end) });
        }
        tokio::time::sleep(WRONG_SECRET).await;
        let message = "The request you have made requires authentication, and the client secret of this proxy is not \
                       what was sent as the password or key; take it from whoever runs the proxy";
        Err(Failure { log_in_at: v3_url(), ..Failure::new(Reason::ClientRefused, message) })
    }
}

impl View<'_> {
    /// The v3 API as this client reaches it, without a slash at its end.
    fn v3_url(&self) -> String {
        self.version_url("v3")
    }

    /// The v2.0 API likewise.
    fn v2_url(&self) -> String {
        self.version_url("v2.0")
    }

    fn version_url(&self, version: &str) -> String {
        let Self { base, prefix, .. } = self;
        // `/v3` and `/v2.0` lead to Keystone, and are a part of the path as well.
        if split_region(prefix).0 == version {
            return format!("{base}/{prefix}");
        }
        let slash = if prefix.is_empty() { "" } else { "/" };
        format!("{base}{slash}{prefix}/{version}")
    }
}

/// The body of a login, bounded in size and time.
async fn read_login(upload: Option<&Upload>) -> Result<Bytes, Failure> {
    let too_large = || {
        let limit = LARGEST_LOGIN_BYTES / 1024;
        Failure::new(
            Reason::BodyTooLarge,
            format!("a login is at most {limit} KiB; send no more than it needs"),
        )
    };
    let Some(upload) = upload else { return Ok(Bytes::new()) };
    if upload.length().is_some_and(|length| length > LARGEST_LOGIN_BYTES as u64) {
        return Err(too_large());
    }
    let Some(body) = upload.reader() else { return Ok(Bytes::new()) };
    match tokio::time::timeout(LOGIN_TIMEOUT, read_limited(body, LARGEST_LOGIN_BYTES)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(ReadError::TooLong { .. })) => Err(too_large()),
        Ok(Err(ReadError::Cut(_))) | Err(_) => {
            let message = "the login's body did not come to its end; send it again";
            Err(Failure::new(Reason::BadRequest, message))
        }
    }
}

fn token_reply(
    status: StatusCode,
    subject: &HeaderValue,
    token: &LocalToken,
    view: View<'_>,
    with_catalog: bool,
) -> Response<ReplyBody> {
    let mut body = documents::token(token, &view.snapshot.holder);
    if with_catalog && token.scope.is_held(&view.snapshot.holder.scope) {
        body["catalog"] = catalog::of(view).into();
    }
    let mut response = reply(status, &json!({ "token": body }));
    response.headers_mut().insert(SUBJECT_TOKEN, subject.clone());
    response
}

fn reply(status: StatusCode, body: &Value) -> Response<ReplyBody> {
    let mut response = bare(status, Bytes::from(body.to_string()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// With the fields that all answers have. `Vary` is Keystone's; for us, nothing of it may be stored.
fn bare(status: StatusCode, body: Bytes) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::ours(body));
    *response.status_mut() = status;
    response.headers_mut().insert(VARY, HeaderValue::from_static("X-Auth-Token"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Longest login: one with several methods and an assertion of a federation has some 10 KiB.
const LARGEST_LOGIN_BYTES: usize = 64 * 1024;
/// Longest wait for a login's body, which fits into a few packets.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(30);
/// Wait before a wrong client secret is answered, so that a client in a loop does no harm. It is the secret's length that
/// stops who guesses.
const WRONG_SECRET: Duration = Duration::from_secs(1);
/// When a client may try again after something that passes by itself.
const TRY_AGAIN: Duration = Duration::from_secs(1);
