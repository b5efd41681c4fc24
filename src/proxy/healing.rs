//! Which responses say that the token may be dead (design 4), and what such a response leads to.
//!
//! 1. A 401 does, unless the request has a signature of its own (`temp_url_sig`), or the response has
//!    `WWW-Authenticate` without a `Keystone` challenge: somebody else than the token's verifier refuses
//!    then. Where a verifier refuses, it says so (`keystonemiddleware/auth_token/__init__.py`,
//!    `_reject_auth_headers`); Swift's temporary URLs get the same challenge, hence their own rule.
//! 2. A 401 of Keystone's does too, unless what it refuses is a credential in the request: `/v3/auth/*`,
//!    `/v2.0/tokens`, signatures, and a change of password.
//! 3. A 403 does where the service's `retry_on_403` says so (RGW says 403 for a token that it cannot
//!    validate); it is asked about before anything else.

use std::sync::Arc;

use http::header::{HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use percent_encoding::percent_decode_str;

use super::Proxy;
use crate::client::Upload;
use crate::failure::Failure;
use crate::identity::{Healed, Refusal, Snapshot};
use crate::metrics::Replay;
use crate::routing::Target;
use crate::routing::lenient::{decode, fold};

/// Says of a refusal why the request was not sent again: too much of its body had passed.
pub(super) fn mark<B>(mut response: Response<B>) -> Response<B> {
    response.headers_mut().insert(RETRY, HeaderValue::from_static("not-replayable"));
    response
}

const RETRY: HeaderName = HeaderName::from_static("x-gatestone-retry");

/// How `response` refuses the token, if it does.
pub(super) fn refusal<B>(response: &Response<B>, target: &Target<'_>) -> Option<Refusal> {
    let refusal = match response.status() {
        StatusCode::UNAUTHORIZED if is_about_a_token(response.headers()) => Refusal::Unauthorized,
        StatusCode::FORBIDDEN if target.route.retry_on_403 => Refusal::Forbidden,
        _ => return None,
    };
    let is_own_business = is_signed(target.path_and_query.query())
        || target.route.is_identity && brings_a_credential(target.path_and_query.path());
    (!is_own_business).then_some(refusal)
}

/// What a refused request was made with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used<'a> {
    /// The token's.
    pub(super) generation: u64,
    /// Its body, if it has one.
    pub(super) upload: Option<&'a Upload>,
    /// Whether it has been sent before, with another token.
    pub(super) is_replay: bool,
}

impl Used<'_> {
    fn can_go_again(&self) -> bool {
        self.upload.is_none_or(Upload::can_begin_again)
    }
}

/// What becomes of a refused request.
#[derive(Debug)]
pub(super) enum Healing {
    /// It is sent once more, with this.
    Replay(Arc<Snapshot>),
    /// The client gets the refusal.
    Pass,
    /// The same, since it cannot be sent once more; whether another token had helped is open.
    NotReplayable,
}

impl Proxy {
    /// What a refusal leads to: a token to try again with, the refusal itself, or that there is no token.
    pub(super) async fn heal(&self, refusal: Refusal, used: Used<'_>) -> Result<Healing, Failure> {
        let count = |outcome| self.metrics.replayed(outcome);
        if !self.retry_on_401 {
            return Ok(Healing::Pass);
        }
        if used.is_replay {
            if refusal == Refusal::Unauthorized {
                self.cell.absolve(used.generation);
            }
            count(Replay::RefusedAgain);
            return Ok(Healing::Pass);
        }
        if !used.can_go_again() {
            return Ok(self.complain(refusal, used));
        }
        match self.cell.heal(used.generation, refusal, self.token_wait).await {
            // Meanwhile the service may have taken more of the body than is kept.
            Healed::Renewed(_) if !used.can_go_again() => Ok(self.complain(refusal, used)),
            Healed::Renewed(newer) => {
                count(Replay::Sent);
                Ok(Healing::Replay(newer))
            }
            Healed::TokenIsGood => {
                count(Replay::TokenIsGood);
                Ok(Healing::Pass)
            }
            Healed::NoToken(why) => {
                count(Replay::NoToken);
                Err(why.into())
            }
        }
    }

    /// The token is looked after although this request has nothing of it.
    fn complain(&self, refusal: Refusal, used: Used<'_>) -> Healing {
        if self.cell.is_known_good(used.generation, refusal) {
            self.metrics.replayed(Replay::TokenIsGood);
            return Healing::Pass;
        }
        self.cell.complain(used.generation, refusal);
        self.metrics.replayed(Replay::NotReplayable);
        match refusal {
            Refusal::Unauthorized => Healing::NotReplayable,
            Refusal::Forbidden => Healing::Pass,
        }
    }
}

/// Whether the challenges leave it open that the token is what is refused: there are none, or one of
/// them is Keystone's (RFC 9110 11.6.1: several in one line, or several lines).
fn is_about_a_token(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(WWW_AUTHENTICATE).iter().peekable();
    lines.peek().is_none() || lines.any(names_keystone)
}

fn names_keystone(line: &HeaderValue) -> bool {
    line.as_bytes().split(|byte| *byte == b',').any(|part| {
        let scheme = part.trim_ascii_start().split(u8::is_ascii_whitespace).next();
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"keystone"))
    })
}

/// Whether the query has a signature that Swift judges by itself.
fn is_signed(query: Option<&str>) -> bool {
    let is_signature = |pair: &str| percent_decode_str(pair.split('=').next().unwrap_or(pair)).eq(SIGNATURE);
    query.is_some_and(|query| query.split('&').any(is_signature))
}

/// Whether a request to Keystone for this path has a credential that Keystone judges.
fn brings_a_credential(path: &str) -> bool {
    decode(path).split(|byte| matches!(byte, b'/' | b'\\')).any(|segment| {
        let segment = fold(segment);
        CREDENTIALS.iter().any(|name| segment.eq_ignore_ascii_case(name.as_bytes()))
    })
}

/// The parameter of a temporary URL that has its signature (`swift/common/middleware/tempurl.py`).
const SIGNATURE: [u8; 12] = *b"temp_url_sig";
/// Segments of Keystone's paths below which a request carries a credential.
const CREDENTIALS: [&str; 7] =
    ["auth", "tokens", "ec2tokens", "s3tokens", "OS-OAUTH1", "OS-FEDERATION", "password"];

#[cfg(test)]
mod tests {
    use super::*;

    fn challenges(lines: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(WWW_AUTHENTICATE, line.parse().unwrap());
        }
        is_about_a_token(&headers)
    }

    #[test]
    fn a_401_is_about_a_token_if_keystone_is_named_or_nobody() {
        for (lines, is_about_a_token) in [
            (&[][..], true),
            (&["Keystone uri=\"http://k/v3\""], true),
            (&["keystone"], true),
            (&["Swift realm=\"AUTH_p\"", "Keystone uri=\"http://k\""], true),
            (&["Basic realm=\"a, b\", Keystone uri=\"http://k\""], true),
            (&["Swift realm=\"AUTH_p\""], false),
            (&["Basic realm=\"Keystone\""], false),
            (&["KeystoneX uri=\"http://k\""], false),
            (&[""], false),
        ] {
            assert_eq!(challenges(lines), is_about_a_token, "{lines:?}");
        }
    }

    #[test]
    fn a_temporary_url_has_a_signature_of_its_own() {
        assert!(is_signed(Some("temp_url_sig=da39&temp_url_expires=1")));
        assert!(is_signed(Some("temp_url_expires=1&temp_url_sig=da39")));
        assert!(is_signed(Some("temp%5Furl%5fsig=da39")));
        for query in [None, Some(""), Some("prefix=temp_url_sig"), Some("x_temp_url_sig=1")] {
            assert!(!is_signed(query), "{query:?}");
        }
    }

    #[test]
    fn some_paths_of_keystone_bring_a_credential() {
        for path in [
            "/v3/auth/tokens",
            "/identity/v3/auth/catalog",
            "/v2.0/tokens",
            "/v3/users/u1/password",
            "/v3//users/u1/%70assword/",
            "/v3/ec2tokens",
        ] {
            assert!(brings_a_credential(path), "{path}");
        }
        for path in ["/v3/users/u1", "/v3/projects", "/v3", "/v3/authors", "/v3/users/u1/passwords"] {
            assert!(!brings_a_credential(path), "{path}");
        }
    }
}
