//! Swift's v1 authentication, `GET /auth/v1.0`, as Swift's own tempauth answers it
//! (`swift/common/middleware/tempauth.py`, `handle_get_token`).
//!
//! 1. All below `/auth` is ours, and below `/auth@{region}` for the object store there. The paths are tempauth's, `/v1.0`,
//!    `/auth` and `/v1/{account}/auth`, and also `/v1` and none at all, which Ceph's object gateway takes.
//! 2. Only `GET`, as there: `HEAD` would make a token that nobody is told.
//! 3. User and key may be any, in whichever of their fields, of any form, and may be missing. tempauth answers a user
//!    without a colon with 401; here that would send people after a name that does not matter.
//!    Where the listener has a client secret, the key must be it.
//! 4. `X-Storage-Url` is where the object store's own endpoint is published: whatever follows it leads to the same below
//!    that. With an account in it, as in Swift's own, `/info` is found from it by every client; without one, as Ceph's
//!    may be, by those that put it below.
//! 5. Every login has a token of its own. tempauth gives a user the same one until it ends, which then is in the middle of
//!    what the second client does.

use http::header::{ALLOW, CONNECTION};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use serde_json::json;

use super::request::Granted;
use super::{Admission, Face, bare, reply};
use crate::failure::{Failure, Reason};
use crate::identity::Snapshot;
use crate::reply::ReplyBody;
use crate::routing::{Route, split_region};
use crate::secret::Secret;

/// What is asked below `/auth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SwiftLogin {
    /// The region as written.
    region: Option<String>,
    form: Form,
    /// The keys, in whichever field.
    offered: Vec<Secret>,
}

/// Whether it is a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    LogIn,
    OtherMethod,
    OtherPath,
}

impl SwiftLogin {
    /// What a request asks of us; `None` if it is not below `/auth`.
    pub(crate) fn recognise(head: &Parts) -> Option<Self> {
        let below = head.uri.path().strip_prefix('/').filter(|below| below.starts_with("auth"))?;
        let (prefix, rest) = below.split_at(below.find('/').unwrap_or(below.len()));
        let (name, region) = split_region(prefix);
        if name != "auth" {
            return None;
        }
        let segments: Vec<&str> = rest.split('/').filter(|segment| !segment.is_empty()).collect();
        let form = match segments[..] {
            [] | ["v1.0" | "v1" | "auth"] | ["v1", _, "auth"] if head.method == Method::GET => Form::LogIn,
            [] | ["v1.0" | "v1" | "auth"] | ["v1", _, "auth"] => Form::OtherMethod,
            _ => Form::OtherPath,
        };
        let keys = [AUTH_KEY, STORAGE_PASS].into_iter().flat_map(|name| head.headers.get_all(name));
        let offered = keys.filter_map(|key| key.to_str().ok()).map(Secret::new).collect();
        Some(Self { region: region.map(str::to_owned), form, offered })
    }

    /// What it says to know.
    pub(crate) fn offered(&self) -> &[Secret] {
        &self.offered
    }

    /// The object store that it is for.
    pub(crate) fn route<'a>(&self, snapshot: &'a Snapshot) -> Result<&'a Route, Failure> {
        Ok(snapshot.routes.of_type("object-store", self.region.as_deref())?)
    }
}

impl Face {
    /// The answer; `storage_url` is where the object store asked for is reached here, `admission` how the login was let in.
    pub(crate) fn answer_for_swift(
        &self,
        asked: &SwiftLogin,
        storage_url: &str,
        admission: Admission,
    ) -> Result<Response<ReplyBody>, Failure> {
        match asked.form {
            Form::LogIn => {}
            Form::OtherMethod => return Ok(only_get()),
            Form::OtherPath => {
                let message = "nothing answers there; clients of Swift's v1 authentication log in at /auth/v1.0, or \
                               at /auth@REGION/v1.0";
                return Err(Failure::new(Reason::NoSuchService, message));
            }
        }
        let unsendable =
            |_| Failure::new(Reason::BadRequest, "the Host field cannot be part of a URL; correct it");
        let storage_url = HeaderValue::from_str(storage_url).map_err(unsendable)?;
        let (text, token) = self.issue(vec!["password".to_owned()], Granted::Held, admission)?;
        let left = token.expires.remaining(token.issued).as_secs();
        let mut response = bare(StatusCode::OK, "".into());
        let headers = response.headers_mut();
        headers.insert(STORAGE_URL, storage_url);
        headers.insert(AUTH_TOKEN, text.clone());
        headers.insert(STORAGE_TOKEN, text);
        headers.insert(AUTH_TOKEN_EXPIRES, left.into());
        Ok(response)
    }
}

/// Rule 2.
fn only_get() -> Response<ReplyBody> {
    let message = "a login by Swift's v1 authentication is a GET; send it as one";
    let body = json!({ "error": { "code": 405, "title": "Method Not Allowed", "message": message } });
    let mut response = reply(StatusCode::METHOD_NOT_ALLOWED, &body);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
    // It may have a body, which nobody reads (RFC 9112 9.6).
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

const AUTH_KEY: HeaderName = HeaderName::from_static("x-auth-key");
const STORAGE_PASS: HeaderName = HeaderName::from_static("x-storage-pass");
const STORAGE_URL: HeaderName = HeaderName::from_static("x-storage-url");
const AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
const STORAGE_TOKEN: HeaderName = HeaderName::from_static("x-storage-token");
const AUTH_TOKEN_EXPIRES: HeaderName = HeaderName::from_static("x-auth-token-expires");

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn asked(method: &str, path: &str) -> Option<SwiftLogin> {
        let (head, ()) = Request::builder().method(method).uri(path).body(()).unwrap().into_parts();
        SwiftLogin::recognise(&head)
    }

    #[test]
    fn every_form_of_tempauth_and_of_ceph_is_a_login() {
        for (path, region) in [
            ("/auth/v1.0", None),
            ("/auth/v1.0/", None),
            ("/auth/v1.0?x=y", None),
            ("/auth/v1", None),
            ("/auth", None),
            ("/auth/", None),
            ("/auth/auth", None),
            ("/auth/v1/acme/auth", None),
            ("/auth@GRA/v1.0", Some("GRA")),
            ("/auth%40GRA/v1.0", Some("GRA")),
            ("/auth@Region%20One/auth", Some("Region%20One")),
            ("/auth@GRA", Some("GRA")),
        ] {
            let expected =
                SwiftLogin { region: region.map(str::to_owned), form: Form::LogIn, offered: Vec::new() };
            assert_eq!(asked("GET", path), Some(expected), "{path}");
            for method in ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
                assert_eq!(asked(method, path).unwrap().form, Form::OtherMethod, "{method} {path}");
            }
        }
    }

    #[test]
    fn what_is_below_auth_and_no_login_is_told_so_and_the_rest_is_not_ours() {
        for path in [
            "/auth/v2.0/tokens",
            "/auth/v1.0/x",
            "/auth/v1/a",
            "/auth/v1/a/b",
            "/auth/v1/a/auth/b",
            "/auth/V1.0",
        ] {
            assert_eq!(asked("GET", path).unwrap().form, Form::OtherPath, "{path}");
        }
        for path in
            ["/", "/authx", "/Auth/v1.0", "/%61uth/v1.0", "//auth/v1.0", "/object-store/auth/v1.0", "/v1.0"]
        {
            assert_eq!(asked("GET", path), None, "{path}");
        }
    }
}
