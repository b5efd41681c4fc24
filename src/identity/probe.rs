//! Questions that explain a login that failed. Nothing here is needed to serve.

use std::time::{Duration, SystemTime};

use http::header::{ACCEPT, DATE, HOST, LOCATION, USER_AGENT};
use http::{Method, Request, StatusCode};
use serde_json::Value;

use super::credentials::{Credentials, Scope};
use super::error::AuthError;
use super::issuer::Issuer as _;
use super::keystone::{Keystone, clean};
use super::protocol::NamedProject;
use crate::body::read_limited;
use crate::catalog::EndpointUrl;
use crate::client::{Client, RequestBody};
use crate::clock::Clock;

/// What is at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Where it sends us.
    pub location: Option<String>,
    /// Whether it says that it is a Keystone with the Identity API v3.
    pub is_keystone: bool,
    /// How far its clock and ours are apart, and whether it is ours that is ahead.
    pub skew: Option<(Duration, bool)>,
}

/// Asks for the version document at `url` (Identity API, "Versions"); nothing if nobody answers soon.
pub async fn look(client: &Client, clock: &Clock, url: &EndpointUrl) -> Option<Answer> {
    tokio::time::timeout(LOOK_TIMEOUT, ask(client, clock, url)).await.ok().flatten()
}

async fn ask(client: &Client, clock: &Clock, url: &EndpointUrl) -> Option<Answer> {
    let request = Request::builder()
        .method(Method::GET)
        .uri(if url.path.is_empty() { "/" } else { &url.path })
        .header(HOST, url.authority.as_str())
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!("gatestone/", env!("CARGO_PKG_VERSION")))
        .body(RequestBody::Empty)
        .ok()?;
    let response = client.send(url, request).await.ok()?;
    let now = clock.now().wall;
    let (head, body) = response.into_parts();
    let text = |name| head.headers.get(name)?.to_str().ok();
    let date = text(DATE).and_then(|date| httpdate::parse_http_date(date).ok());
    let location = text(LOCATION).map(clean);
    let body = read_limited(body, LARGEST_ANSWER_BYTES).await.unwrap_or_default();
    let is_keystone = serde_json::from_slice(&body).is_ok_and(|body| names_identity(&body));
    Some(Answer { status: head.status, location, is_keystone, skew: date.and_then(|date| apart(date, now)) })
}

/// A second may pass on the way, and `Date` has none of its parts.
fn apart(theirs: SystemTime, ours: SystemTime) -> Option<(Duration, bool)> {
    let (apart, ours_is_ahead) = match ours.duration_since(theirs) {
        Ok(ahead) => (ahead, true),
        Err(behind) => (behind.duration(), false),
    };
    (apart > USUAL_SKEW).then_some((apart, ours_is_ahead))
}

/// Keystone's two version documents.
fn names_identity(body: &Value) -> bool {
    let is_v3 = |version: &Value| version["id"].as_str().is_some_and(|id| id.starts_with("v3"));
    is_v3(&body["version"]) || body["versions"]["values"].as_array().is_some_and(|all| all.iter().any(is_v3))
}

/// The projects that the user may have a token for, by a login without scope; none if Keystone does not tell. Whoever gets
/// an answer has the right password.
///
/// # Errors
///
/// Of the login.
pub async fn projects(
    client: &Client,
    clock: &Clock,
    credentials: &Credentials,
) -> Result<Option<Vec<NamedProject>>, AuthError> {
    let credentials = Credentials { scope: Scope::Unspecified, ..credentials.clone() };
    let keystone = Keystone::new(client.clone(), clock.clone(), credentials);
    let login = keystone.log_in().await?;
    Ok(keystone.projects(&login.token).await.ok())
}

/// Somebody waits for the explanation.
const LOOK_TIMEOUT: Duration = Duration::from_secs(4);
/// A version document has a few hundred bytes.
const LARGEST_ANSWER_BYTES: usize = 64 * 1024;
/// Less than this harms nobody: passcodes are good for half a minute, and the one before is.
const USUAL_SKEW: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_keystone_is_known_by_its_version_documents() {
        assert!(names_identity(&json!({ "version": { "id": "v3.14" } })));
        assert!(names_identity(&json!({ "versions": { "values": [{ "id": "v2.0" }, { "id": "v3.14" }] } })));
        for other in
            [json!({ "versions": [{ "id": "v2.15" }] }), json!([]), json!({ "version": { "id": "v2.1" } })]
        {
            assert!(!names_identity(&other), "{other}");
        }
    }

    #[test]
    fn clocks_that_are_apart_are_told_which_is_ahead() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000);
        assert_eq!(apart(now, now + Duration::from_secs(20)), None);
        assert_eq!(apart(now, now + Duration::from_secs(90)), Some((Duration::from_secs(90), true)));
        assert_eq!(apart(now + Duration::from_secs(90), now), Some((Duration::from_secs(90), false)));
    }
}
