//! `Issuer`: what the refresher asks of the identity service. [`super::keystone`] asks
//! over HTTP; the tests of months bring one of their own, which needs no socket.

use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::credentials::Credentials;
use super::error::AuthError;
use super::protocol::{LoginAnswer, NamedProject, TokenBody};
use super::snapshot::{Anchor, Token};
use crate::catalog::Catalog;
use crate::client::Client;
use crate::clock::Moment;

/// The identity service, as seen by one set of credentials. Nothing is retried here.
pub trait Issuer: Send + Sync + Sized + 'static {
    /// Where logins go, for messages.
    fn url(&self) -> String;

    /// Who we are there.
    fn credentials(&self) -> &Credentials;

    /// The same for other credentials.
    fn with(&self, credentials: Credentials) -> Self;

    /// The same by another way.
    fn through(&self, client: Client) -> Self;

    /// Logs in once.
    fn log_in(&self) -> impl Future<Output = Result<Login, AuthError>> + Send;

    /// Whether `token` is good; an error says neither.
    fn check(&self, token: &Token) -> impl Future<Output = Result<bool, AuthError>> + Send;

    /// The catalog of the token's scope.
    fn catalog(&self, token: &Token) -> impl Future<Output = Result<Catalog, AuthError>> + Send;

    /// The projects that the token's user may ask a token for.
    fn projects(&self, token: &Token) -> impl Future<Output = Result<Vec<NamedProject>, AuthError>> + Send;

    /// When an application credential ends, if it ever does.
    fn credential_end(
        &self,
        token: &Token,
        user_id: &str,
        credential_id: &str,
    ) -> impl Future<Output = Result<Option<Timestamp>, AuthError>> + Send;

    /// Makes `token` worthless.
    fn revoke(&self, token: &Token) -> impl Future<Output = Result<(), AuthError>> + Send;
}

/// What a login brings.
#[derive(Debug)]
pub struct Login {
    pub(super) token: Token,
    /// When it was sent, by our clocks.
    pub(super) sent: Moment,
    /// `expires_at` - `issued_at`.
    pub(super) lifetime: Duration,
    /// After which time another is to have followed, although the token lives longer.
    pub(super) refresh_within: Option<Duration>,
    pub(super) body: TokenBody,
    /// The body as it came.
    pub(super) raw: Bytes,
}

impl Login {
    /// Reads the body of a login's answer; an error says what is wrong with it.
    pub(super) fn read(token: Token, sent: Moment, raw: Bytes) -> Result<Self, String> {
        // serde_json's message may quote the text around a fault; only its place is told.
        let LoginAnswer { token: body } = serde_json::from_slice(&raw).map_err(|error| {
            format!("not the expected JSON at line {}, column {}", error.line(), error.column())
        })?;
        let lifetime = match (issued(&body)?, &body.expires_at) {
            (Some(issued), Some(expires)) => between(issued, time("expires_at", expires)?),
            _ => DEFAULT_LIFETIME,
        };
        Ok(Self { token, sent, lifetime, refresh_within: None, body, raw })
    }

    /// The login on Keystone's clock and on ours.
    pub(super) fn anchor(&self) -> Anchor {
        Anchor { sent: self.sent, issued: issued(&self.body).ok().flatten() }
    }

    /// When the user's password ends, if it ever does.
    pub(super) fn password_end(&self) -> Option<Moment> {
        let end = time("password_expires_at", self.body.user.password_expires_at.as_deref()?).ok()?;
        self.anchor().ours(end)
    }
}

/// Assumed where Keystone states no times: its own default (`keystone/conf/token.py`).
const DEFAULT_LIFETIME: Duration = Duration::from_secs(3600);

fn issued(body: &TokenBody) -> Result<Option<Timestamp>, String> {
    body.issued_at.as_deref().map(|text| time("issued_at", text)).transpose()
}

/// Zero if `later` is the earlier one.
fn between(earlier: Timestamp, later: Timestamp) -> Duration {
    let time: SignedDuration = later.duration_since(earlier);
    Duration::try_from(time).unwrap_or(Duration::ZERO)
}

/// A time as Keystone writes it: RFC 3339, with `Z`; a few of its fields come without the `Z`
/// (`keystone/common/utils.py`, `isotime`, and the columns that are shown as they are).
pub(super) fn time(field: &str, text: &str) -> Result<Timestamp, String> {
    match text.parse::<Timestamp>().or_else(|_| format!("{text}Z").parse::<Timestamp>()) {
        Ok(time) => Ok(time),
        // "Never", as some write it, is beyond what can be counted.
        Err(_) if text.starts_with("9999-") => Ok(Timestamp::MAX),
        Err(_) => Err(format!("{field} is not a time of RFC 3339")),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;
    use crate::clock::Clock;

    fn read(token: &serde_json::Value) -> Result<Login, String> {
        let raw = Bytes::from(json!({ "token": token }).to_string());
        Login::read(Token::new(HeaderValue::from_static("t")), Clock::system().now(), raw)
    }

    #[tokio::test(start_paused = true)]
    async fn times_of_keystone_count_from_the_login() {
        let login = read(&json!({
            "user": { "id": "u", "password_expires_at": "2016-11-06T15:32:17.000000" },
            "issued_at": "2016-11-06T14:32:17.000000Z",
            "expires_at": "2016-11-06T14:42:17.000000Z",
        }))
        .unwrap();
        assert_eq!(login.lifetime, Duration::from_secs(600));
        assert_eq!(login.password_end(), Some(login.sent.plus(Duration::from_secs(3600))));
        let past = "2010-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(login.anchor().ours(past), Some(login.sent));
        assert!(login.anchor().ours(Timestamp::MAX).is_some());
    }

    #[test]
    fn bodies_that_cannot_be_used_are_told_by_their_fault() {
        let user = json!({ "id": "u" });
        for (token, part) in [
            (json!({}), "not the expected JSON"),
            (
                json!({ "user": user, "issued_at": "yesterday", "expires_at": "2016-11-06T14:42:17Z" }),
                "issued_at",
            ),
            (json!({ "user": user, "issued_at": "2016-11-06T14:42:17Z", "expires_at": "" }), "expires_at"),
        ] {
            let error = read(&token).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
        let never = json!({ "user": user, "issued_at": "2016-11-06T14:42:17Z", "expires_at": "9999-12-31T23:59:59Z" });
        assert!(read(&never).is_ok());
        assert_eq!(read(&json!({ "user": user })).unwrap().lifetime, DEFAULT_LIFETIME);
    }
}
