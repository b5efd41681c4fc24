//! Tests of `minting`.

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
