//! Which requests to Keystone create or return a credential, so that nobody behind the port walks away with one.
//!
//! 1. A path is judged by the segments in it, wherever they stand and in whatever letter case. Keystone's routes are
//!    exact (`keystone/api/*.py`), but the root it is mounted at, its version prefix and a gateway in front are not ours
//!    to know. No route can be reached without its name, so no choice of base, `..`, `//` or `.` hides it.
//! 2. A path is read as the most lenient server would ([`crate::routing::lenient`]).
//! 3. **Only read or deleted**: `tokens` (`/v3/auth/tokens`, `/v2.0/tokens`), `application_credentials`, `OS-TRUST`.
//!    Reading these returns no secret the client does not have.
//! 4. **Only deleted**: `credentials` (`/v3/credentials`, `/v3/users/{id}/credentials/OS-EC2`: reading returns the
//!    secret), `ec2tokens`, `s3tokens`, `OS-OAUTH1`, `OS-OAUTH2`, `websso`, and `OS-FEDERATION` together with `auth`
//!    (`/v3/auth/OS-FEDERATION/saml2`, `/v3/OS-FEDERATION/identity_providers/{id}/protocols/{id}/auth`), whose logins
//!    are by `GET` too.
//! 5. Deleting is always let through: taking a credential back is what a careful user does.
//!
//! The price of rule 1: what a user named like one of these (a project's tag `credentials`, an identity provider `auth`) is
//! refused as well. Changing a password makes no credential: whoever does it knows the new one.
//!
//! A path rewritten after this check is not covered by it; the query does not matter to Keystone's routes.

use http::Method;

use crate::routing::lenient::{decode, fold};

/// A request that would create or return a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this request can hand out {0}, which would outlive the proxy; do it with the cloud's own credentials, or set \
     allow_minting = true"
)]
pub struct Minting(pub Credential);

/// Kinds of credential that Keystone hands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A token, of Identity v3 or v2.0.
    Token,
    /// An application credential.
    ApplicationCredential,
    /// A trust.
    Trust,
    /// An EC2 key, a TOTP seed or another entry of `/v3/credentials`.
    Stored,
    /// A token for an EC2 or S3 signature.
    SignatureToken,
    /// An OAuth consumer or token.
    OAuth,
    /// A token or an assertion of a federated login.
    Federated,
}

impl Credential {
    /// Its name in messages.
    fn as_str(self) -> &'static str {
        match self {
            Self::Token => "a token",
            Self::ApplicationCredential => "an application credential",
            Self::Trust => "a trust",
            Self::Stored => "a stored credential such as an EC2 key",
            Self::SignatureToken => "a token for an EC2 or S3 signature",
            Self::OAuth => "an OAuth credential",
            Self::Federated => "a federated login",
        }
    }
}

impl std::fmt::Display for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Judges a request to Keystone by its method and its path as it will be sent, without the query.
#[inline(never)] // so that benches/guard can tell what it costs
pub(super) fn check(method: &Method, path: &str) -> Result<(), Minting> {
    if method == Method::DELETE {
        return Ok(());
    }
    let only_reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    let path = decode(path);
    let (mut is_federation, mut is_auth) = (false, false);
    for segment in path.split(|byte| matches!(byte, b'/' | b'\\')) {
        let segment = fold(segment);
        let is = |name: &str| segment.eq_ignore_ascii_case(name.as_bytes());
        is_federation |= is("OS-FEDERATION");
        is_auth |= is("auth");
        for (names, returned_by_reading, credential) in ROUTES {
            if names.iter().any(|name| is(name)) && (*returned_by_reading || !only_reads) {
                return Err(Minting(*credential));
            }
        }
    }
    if is_federation && is_auth { Err(Minting(Credential::Federated)) } else { Ok(()) }
}

/// Rules 3 and 4: names of segments, whether reading returns the secret, and of what.
const ROUTES: &[(&[&str], bool, Credential)] = &[
    (&["tokens"], false, Credential::Token),
    (&["application_credentials"], false, Credential::ApplicationCredential),
    (&["OS-TRUST", "trusts"], false, Credential::Trust),
    (&["credentials", "OS-EC2"], true, Credential::Stored),
    (&["ec2tokens", "s3tokens"], true, Credential::SignatureToken),
    (&["OS-OAUTH1", "OS-OAUTH2"], true, Credential::OAuth),
    (&["websso"], true, Credential::Federated),
];

#[cfg(test)]
mod tests;
