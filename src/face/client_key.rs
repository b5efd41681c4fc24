//! What a client must know to log in at a listener with a client secret, and to open what is behind it.
//!
//! 1. Secrets are compared as digests in constant time, so that neither content nor length shows in the time it takes.
//! 2. A local token opens every listener that has the secret it was given for, and no other: `localhost` is two
//!    listeners, and a client's next connection may go to either.
//! 3. A token is as good as the secret for another login, but what comes of it ends when that token does, as with
//!    Keystone (`keystone/auth/plugins/token.py`): nobody stays for ever who saw a token once.
//! 4. Whoever has such a token has proved to know the secret, so the token's own scope does not matter: an unscoped one
//!    opens as much.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::clock::Moment;
use crate::secret::Secret;

/// A client secret, as far as is needed to know it again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientKey([u8; SHA256_OUTPUT_LEN]);

impl ClientKey {
    pub(crate) fn new(secret: &Secret) -> Self {
        Self(hash(secret.expose().as_bytes()))
    }

    /// Rule 1. As in our own file of it, one newline at the end does not count: that is what `kubectl create secret` makes of
    /// a file, and a variable of a pod then has.
    pub(crate) fn is(&self, offered: &[u8]) -> bool {
        let offered = offered.strip_suffix(b"\n").unwrap_or(offered);
        let offered = offered.strip_suffix(b"\r").unwrap_or(offered);
        verify_slices_are_equal(&self.0, &hash(offered)).is_ok()
    }
}

/// How a login was let in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Admission {
    /// What it had to know.
    pub(super) key: Option<ClientKey>,
    /// When its token ends at the latest, if a token let it in (rule 3).
    pub(super) until: Option<Moment>,
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientKey([redacted])")
    }
}

fn hash(text: &[u8]) -> [u8; SHA256_OUTPUT_LEN] {
    let mut bytes = [0; SHA256_OUTPUT_LEN];
    bytes.copy_from_slice(digest(&SHA256, text).as_ref());
    bytes
}

/// The token that a request carries: as `keystonemiddleware` reads it (`auth_token/__init__.py`, `process_request`), else
/// as clients of everything but OpenStack send one (RFC 6750 section 2.1).
pub(super) fn token(headers: &HeaderMap) -> Option<&[u8]> {
    let token = headers.get(AUTH_TOKEN).or_else(|| headers.get(STORAGE_TOKEN)).map(HeaderValue::as_bytes);
    token.or_else(|| {
        let value = headers.get(AUTHORIZATION)?.as_bytes();
        let (scheme, token) = value.split_at_checked("Bearer ".len())?;
        scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
    })
}

const AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
const STORAGE_TOKEN: HeaderName = HeaderName::from_static("x-storage-token");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_secret_itself_is_the_key() {
        let key = ClientKey::new(&Secret::new("correct horse battery"));
        assert!(key.is(b"correct horse battery"));
        assert!(key.is(b"correct horse battery\n") && key.is(b"correct horse battery\r\n"));
        for wrong in [
            "",
            "correct horse batter",
            "correct horse battery ",
            "correct horse battery\n\n",
            "Correct horse battery",
        ] {
            assert!(!key.is(wrong.as_bytes()), "{wrong}");
        }
        assert_eq!(key, ClientKey::new(&Secret::new("correct horse battery")));
        assert_ne!(key, ClientKey::new(&Secret::new("another secret of mine")));
        assert_eq!(format!("{key:?}"), "ClientKey([redacted])");
    }

    #[test]
    fn a_token_may_stand_in_three_fields() {
        for (lines, expected) in [
            (&[][..], None),
            (&[("x-auth-token", "a"), ("x-storage-token", "b")], Some("a")),
            (&[("x-storage-token", "b"), ("authorization", "Bearer c")], Some("b")),
            (&[("authorization", "bearer  c ")], Some("c")),
            (&[("authorization", "Basic c")], None),
            (&[("authorization", "Bearer")], None),
            (&[("x-subject-token", "a")], None),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            assert_eq!(token(&headers), expected.map(str::as_bytes), "{lines:?}");
        }
    }
}
