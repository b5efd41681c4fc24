//! Which requests to Keystone create or return a credential, so that nobody behind the port walks away with one.
//!
//! 1. A path is judged by the segments in it, wherever they stand and in whatever letter case. Keystone's routes are
//!    exact (`keystone/api/*.py`), but the root it is mounted at, its version prefix and a gateway in front are not ours
//!    to know. No route can be reached without its name, so no choice of base, `..`, `//` or `.` hides it.
//! 2. A path is read as the most lenient server would: percent-decoded until nothing is left to decode, `\` as `/`, a
//!    segment ended by `;`, `?` or `#`, blanks and control bytes left out.
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

use std::borrow::Cow;

use http::Method;

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

/// Decodes until there is nothing left to decode, in one pass: a decoded byte may complete an escape that
/// began before it, so the end of what is written is looked at after each byte.
fn decode(path: &str) -> Cow<'_, [u8]> {
    if !path.contains('%') {
        return Cow::Borrowed(path.as_bytes());
    }
    let mut decoded = Vec::with_capacity(path.len());
    for byte in path.bytes() {
        decoded.push(byte);
        while let [.., b'%', high, low] = decoded[..]
            && let (Some(high), Some(low)) = (hex(high), hex(low))
        {
            decoded.truncate(decoded.len() - 3);
            decoded.push(high << 4 | low);
        }
    }
    Cow::Owned(decoded)
}

/// The value of a hexadecimal digit.
fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// A segment without its parameters (`;x`), blanks and control bytes.
fn fold(segment: &[u8]) -> Cow<'_, [u8]> {
    let name = segment.split(|byte| matches!(byte, b';' | b'?' | b'#')).next().unwrap_or(segment);
    if name.iter().all(u8::is_ascii_graphic) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.iter().copied().filter(|byte| *byte > b' ' && *byte != 0x7f).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Method, path as Keystone documents it, and what it would hand out.
    const DENIED: &[(&str, &str, Credential)] = &[
        ("POST", "/v3/auth/tokens", Credential::Token),
        ("POST", "/v2.0/tokens", Credential::Token),
        ("POST", "/v3/users/u1/application_credentials", Credential::ApplicationCredential),
        ("GET", "/v3/users/u1/credentials/OS-EC2", Credential::Stored),
        ("POST", "/v3/users/u1/credentials/OS-EC2", Credential::Stored),
        ("GET", "/v3/users/u1/credentials/OS-EC2/access1", Credential::Stored),
        ("GET", "/v2.0/users/u1/credentials/OS-EC2", Credential::Stored),
        ("POST", "/v3/credentials", Credential::Stored),
        ("GET", "/v3/credentials", Credential::Stored),
        ("HEAD", "/v3/credentials", Credential::Stored),
        ("GET", "/v3/credentials/c1", Credential::Stored),
        ("PATCH", "/v3/credentials/c1", Credential::Stored),
        ("POST", "/v3/OS-TRUST/trusts", Credential::Trust),
        ("POST", "/v3/OS-OAUTH1/consumers", Credential::OAuth),
        ("POST", "/v3/OS-OAUTH1/request_token", Credential::OAuth),
        ("POST", "/v3/OS-OAUTH1/access_token", Credential::OAuth),
        ("PUT", "/v3/OS-OAUTH1/authorize/r1", Credential::OAuth),
        ("POST", "/v3/OS-OAUTH2/token", Credential::OAuth),
        ("GET", "/v3/auth/OS-FEDERATION/websso/openid", Credential::Federated),
        ("POST", "/v3/auth/OS-FEDERATION/saml2", Credential::Federated),
        ("POST", "/v3/auth/OS-FEDERATION/saml2/ecp", Credential::Federated),
        ("GET", "/v3/auth/OS-FEDERATION/identity_providers/i/protocols/p/websso", Credential::Federated),
        ("GET", "/v3/OS-FEDERATION/identity_providers/i/protocols/p/auth", Credential::Federated),
        ("POST", "/v3/OS-FEDERATION/identity_providers/i/protocols/p/auth", Credential::Federated),
        ("POST", "/v3/ec2tokens", Credential::SignatureToken),
        ("POST", "/v3/s3tokens", Credential::SignatureToken),
        ("POST", "/v2.0/ec2tokens", Credential::SignatureToken),
        ("POST", "/v2.0/s3tokens", Credential::SignatureToken),
    ];

    fn judge(method: &str, path: &str) -> Result<(), Credential> {
        check(&Method::from_bytes(method.as_bytes()).unwrap(), path).map_err(|Minting(credential)| credential)
    }

    #[test]
    fn documented_ways_to_a_credential_are_refused() {
        for &(method, path, credential) in DENIED {
            assert_eq!(judge(method, path), Err(credential), "{method} {path}");
        }
    }

    #[test]
    fn hostile_spellings_are_refused() {
        for path in [
            // other roots and versions
            "/auth/tokens",
            "auth/tokens",
            "/tokens",
            "tokens",
            "/identity/v3/auth/tokens",
            "/identity/v2.0/tokens",
            "/v3/v3/auth/tokens",
            "/v3.14/auth/tokens",
            "/keystone/main/v3/auth/tokens",
            "/v3/../v2.0/tokens",
            // slashes and dots
            "/v3/auth/tokens/",
            "/v3/auth/tokens//",
            "//v3//auth//tokens",
            "/v3/auth//tokens",
            "/v3/./auth/./tokens",
            "/v3/auth/tokens/.",
            "/v3/auth/x/../tokens",
            "/v3/x/../auth/tokens",
            "/v3/auth/tokens/x/..",
            "/v3/auth/../auth/tokens",
            "/v3\\auth\\tokens",
            "/v3/auth\\tokens",
            "/v3/users/..\\../auth/tokens",
            "/v3/auth/..;/auth/tokens",
            // parameters, queries, fragments
            "/v3/auth;x=y/tokens;z",
            "/v3/auth/tokens;jsessionid=1",
            "/v3/auth/tokens;",
            "/v3/auth/tokens?nocatalog",
            "/v3/auth/tokens%3Fnocatalog",
            "/v3/auth/tokens#x",
            "/v3/auth/tokens%23",
            "/v3/auth/tokens%3bx",
            "/v3/x;%2Ftokens",
            "/v3/x%3F/auth/tokens",
            // encodings
            "/v3/auth/%74okens",
            "/v3/auth/%54OKENS",
            "/v3/auth/t%6fkens",
            "/v3/auth/t%6Fkens",
            "/v3/auth/%74%6f%6b%65%6e%73",
            "/v3/auth%2Ftokens",
            "/v3/auth%2ftokens",
            "/v3%2Fauth%2Ftokens",
            "%2Fv3%2Fauth%2Ftokens",
            "/v3/auth%5Ctokens",
            "/v3/auth%5ctokens",
            "/v3/auth/%2e/tokens",
            "/v3/auth/x/%2e%2e/tokens",
            "/v3/auth/x%2f%2e%2e%2ftokens",
            // encoded more than once
            "/v3/auth/%2574okens",
            "/v3/auth/%252574okens",
            "/v3/auth/%25252574okens",
            "/v3/auth%252Ftokens",
            "/v3/auth%25255Ctokens",
            "/v3/auth/%%37%34okens",
            "/v3/auth/%2%35%374okens",
            "/v3/auth/t%256F%6bens",
            // letter case, blanks, control bytes
            "/V3/AUTH/TOKENS",
            "/v3/auth/Tokens",
            "/v3/auth/tokens%20",
            "/v3/auth/%20tokens",
            "/v3/auth/tokens%00",
            "/v3/auth/tokens%09",
            "/v3/auth/to%0Akens",
            "/v3/auth/tokens%0d%0a",
            "/v3/auth/tokens%7f",
            "/v3/auth/tokens%00.json/../tokens",
            // broken escapes elsewhere
            "/v3/%/auth/tokens",
            "/v3/%zz/auth/tokens",
            "/v3/%2/auth/tokens",
            "/v3/%ff/auth/tokens",
        ] {
            assert_eq!(judge("POST", path), Err(Credential::Token), "{path}");
        }
    }

    #[test]
    fn spellings_of_other_routes_are_refused() {
        for (method, path) in [
            ("GET", "/v3/OS-FEDERATION/websso/openid"),
            ("POST", "/v3/users/a%5Cb/application_credentials"),
            ("POST", "/v3/users/%2e%2e/application_credentials"),
            ("POST", "/v3/users/u/Application%5FCredentials"),
            ("POST", "/users/u/application_credentials"),
            ("GET", "/v3/users/u/credentials/os-ec2"),
            ("GET", "/v3/users/u/credentials%2FOS%2DEC2/k"),
            ("GET", "/credentials"),
            ("GET", "/v3/Credentials/"),
            ("GET", "/v3/%63redentials"),
            ("GET", "/v3/x/..%2fcredentials"),
            ("POST", "/v3/os-trust/trusts"),
            ("POST", "/v3/OS%2dTRUST/trusts/"),
            ("POST", "/v3/os-oauth1/request_token"),
            ("GET", "/v3/OS-FEDERATION/identity_providers/i/protocols/p/auth/mellon/login"),
            ("GET", "/v3/os-federation/identity_providers/i/protocols/p/%61uth"),
            ("GET", "/identity/v3/auth%2FOS-FEDERATION/saml2"),
        ] {
            assert!(judge(method, path).is_err(), "{method} {path}");
        }
    }

    #[test]
    fn unknown_methods_do_not_pass_for_reading() {
        for method in ["PUT", "PATCH", "COPY", "post", "get", "X-POST"] {
            assert_eq!(judge(method, "/v3/auth/tokens"), Err(Credential::Token), "{method}");
        }
    }

    #[test]
    fn the_rest_of_keystone_is_let_through() {
        for (method, path) in [
            ("GET", "/"),
            ("GET", ""),
            ("GET", "/v3"),
            ("GET", "/v3/auth/tokens"),
            ("HEAD", "/v3/auth/tokens"),
            ("DELETE", "/v3/auth/tokens"),
            ("GET", "/v3/auth/catalog"),
            ("GET", "/v3/auth/projects"),
            ("GET", "/v3/OS-FEDERATION/projects"),
            ("GET", "/v3/OS-FEDERATION/saml2/metadata"),
            ("GET", "/v3/OS-FEDERATION/identity_providers/i/protocols/saml2"),
            ("PUT", "/v3/OS-FEDERATION/identity_providers/i/protocols/saml2"),
            ("GET", "/v3/users/u/application_credentials"),
            ("GET", "/v3/users/u/application_credentials/a"),
            ("DELETE", "/v3/users/u/application_credentials/a"),
            ("DELETE", "/v3/users/u/credentials/OS-EC2/a"),
            ("DELETE", "/v3/credentials/c"),
            ("GET", "/v3/OS-TRUST/trusts"),
            ("DELETE", "/v3/OS-TRUST/trusts/t"),
            ("DELETE", "/v3/OS-OAUTH1/consumers/c"),
            ("POST", "/v3/users/u/password"),
            ("POST", "/v3/users"),
            ("PATCH", "/v3/users/u"),
            ("POST", "/v3/projects"),
            ("PUT", "/v3/projects/p/users/u/roles/r"),
            ("PUT", "/v3/projects/p/tags/tokenish"),
            ("GET", "/v3/regions/my%20tokens%2dregion"),
        ] {
            assert_eq!(judge(method, path), Ok(()), "{method} {path}");
        }
    }

    #[test]
    fn decoding_takes_one_pass_however_deep() {
        let deep = format!("/v3/auth/%{}74okens", "25".repeat(100_000));
        assert_eq!(judge("POST", &deep), Err(Credential::Token));
    }

    /// Encodes byte `i` of `path` as many times as `depths[i]` says.
    fn encode(path: &str, depths: &[u8], upper: bool) -> String {
        let mut encoded = String::new();
        for (byte, depth) in path.bytes().zip(depths.iter().chain(std::iter::repeat(&0))) {
            match (depth, upper) {
                (0, _) => encoded.push(char::from(byte)),
                (depth, upper) => {
                    encoded.push('%');
                    encoded.push_str(&"25".repeat(usize::from(depth - 1)));
                    encoded.push_str(&if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
                }
            }
        }
        encoded
    }

    proptest! {
        #[test]
        fn an_encoding_of_a_denied_path_is_denied(
            case in 0..DENIED.len(),
            depths in proptest::collection::vec(0..4u8, 0..80),
            upper in any::<bool>(),
            slashes in 1..4usize,
            shout in any::<bool>(),
        ) {
            let (method, path, _) = DENIED[case];
            let path = path.replace('/', &"/".repeat(slashes));
            let path = if shout { path.to_ascii_uppercase() } else { path };
            let encoded = encode(&path, &depths, upper);
            prop_assert!(judge(method, &encoded).is_err(), "{} {}", method, encoded);
        }

        #[test]
        fn what_one_round_of_decoding_denies_is_denied(path in "(/|%2[fF5]|%5c|tokens|%74|okens|x|;|\\.|25|74){0,12}") {
            let once = percent_encoding::percent_decode_str(&path).decode_utf8_lossy().into_owned();
            if once.split('/').any(|segment| segment == "tokens") {
                prop_assert!(judge("POST", &path).is_err(), "{}", path);
            }
        }
    }
}
