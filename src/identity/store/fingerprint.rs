//! Whose token a file holds, without saying it: a fingerprint of the credentials.
//!
//! Auth URL, method, user and scope enter a salted SHA-256 whole: a token of another user or scope
//! must never be taken for ours. Of the secret (password or the like) only 16 bits of a hash of its
//! own enter, so that a change of the secret shows in all but one of 65,536 cases.
//!
//! It is so little because the file must not give the password away. Any hash of it lets whoever can
//! read the file try passwords without asking Keystone, which would lock the account; a whole hash
//! would tell them when they have found it. With 16 bits, one in 65,536 of all passwords fits, and
//! which of those is the right one only Keystone can tell. The hash is a slow one (PBKDF2), so that
//! even such a sieve costs something, and salted, so that nothing can be worked out in advance.
//!
//! A change that does not show does no lasting harm: the token is still one of the same user for the
//! same scope, Keystone ends it when a password is changed, and the next login is made with the new one.

use std::num::NonZeroU32;

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use aws_lc_rs::pbkdf2::{PBKDF2_HMAC_SHA256, derive};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::identity::credentials::{
    ApplicationCredential, Credentials, Domain, Method, Project, Scope, User,
};

/// Salt and hashes, as they stand in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fingerprint {
    salt: [u8; SALT_BYTES],
    identity: [u8; SHA256_OUTPUT_LEN],
    secret: [u8; SECRET_BYTES],
}

impl Fingerprint {
    /// With a salt of its own; `None` if the system has no randomness to give.
    pub(super) fn new(credentials: &Credentials) -> Option<Self> {
        let mut salt = [0; SALT_BYTES];
        aws_lc_rs::rand::fill(&mut salt).ok()?;
        let identity = identity(&salt, credentials);
        Some(Self { salt, identity, secret: secret(&identity, credentials) })
    }

    /// Whether it was made of these credentials. The slow hash comes last.
    pub(super) fn fits(&self, credentials: &Credentials) -> bool {
        let identity = identity(&self.salt, credentials);
        self.identity == identity && self.secret == secret(&identity, credentials)
    }
}

/// 128 bits never come twice.
const SALT_BYTES: usize = 16;
/// 16 bits: see above.
const SECRET_BYTES: usize = 2;
/// Some tens of milliseconds at a start.
const ROUNDS: NonZeroU32 = NonZeroU32::new(100_000).expect("it is not zero");

/// A hash of everything but the secret, for which it is the salt.
fn identity(salt: &[u8], credentials: &Credentials) -> [u8; SHA256_OUTPUT_LEN] {
    let Credentials { auth_url, method, spare: _, scope } = credentials;
    let mut fields = Fields(Context::new(&SHA256));
    fields.add_bytes(salt);
    if let Some(auth_url) = auth_url {
        fields.add(auth_url.scheme.as_ref()).add(auth_url.authority.as_str()).add(&auth_url.path);
    }
    for factor in method.factors() {
        fields.factor(factor);
    }
    match scope {
        Scope::Project(Project::Id(id)) => fields.add("project id").add(id),
        Scope::Project(Project::Name { name, domain }) => fields.add("project").add(name).domain(domain),
        Scope::Domain(domain) => fields.add("domain").domain(domain),
        Scope::System => fields.add("system"),
        Scope::Trust(id) => fields.add("trust").add(id),
        Scope::Unspecified => fields.add("unspecified"),
    };
    let mut hash = [0; SHA256_OUTPUT_LEN];
    hash.copy_from_slice(fields.0.finish().as_ref());
    hash
}

fn secret(salt: &[u8], credentials: &Credentials) -> [u8; SECRET_BYTES] {
    let mut all = Zeroizing::new(Vec::with_capacity(1024));
    for secret in credentials.secrets() {
        all.extend_from_slice(secret.expose().as_bytes());
        all.push(0);
    }
    let mut hash = [0; SECRET_BYTES];
    derive(PBKDF2_HMAC_SHA256, ROUNDS, salt, &all, &mut hash);
    hash
}

/// Texts one after the other, each with its length, so that none runs into the next.
struct Fields(Context);

impl Fields {
    fn add(&mut self, text: &str) -> &mut Self {
        self.add_bytes(text.as_bytes())
    }

    fn add_bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    /// All of it but its secret.
    fn factor(&mut self, method: &Method) -> &mut Self {
        match method {
            Method::Password { user, password: _ } => self.add("password").user(user),
            Method::ApplicationCredential { credential: ApplicationCredential::Id(id), secret: _ } => {
                self.add("application credential id").add(id)
            }
            Method::ApplicationCredential {
                credential: ApplicationCredential::Name { name, user },
                secret: _,
            } => self.add("application credential").add(name).user(user),
            Method::Token(_) => self.add("token"),
            Method::Totp { user, passcode: _ } => self.add("totp").user(user),
            Method::Multifactor(_) => self.add("several"),
            Method::Standalone(_) => self.add("no keystone").add(&method.to_string()),
            Method::OAuth2(client) => self.add("oauth2").add(&client.client_id),
            Method::Federated(federation) => self
                .add("federation")
                .add(&federation.identity_provider)
                .add(&federation.protocol)
                .add(&federation.to_string()),
        }
    }

    fn user(&mut self, user: &User) -> &mut Self {
        match user {
            User::Id(id) => self.add("user id").add(id),
            User::Name { name, domain } => self.add("user").add(name).domain(domain),
        }
    }

    fn domain(&mut self, domain: &Domain) -> &mut Self {
        match domain {
            Domain::Id(id) => self.add("id").add(id),
            Domain::Name(name) => self.add("name").add(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn with_password(password: &str) -> Credentials {
        Credentials {
            auth_url: Some("https://k/v3".parse().unwrap()),
            method: Method::Password { user: User::Id("u".to_owned()), password: Secret::new(password) },
            spare: Vec::new(),
            scope: Scope::System,
        }
    }

    #[test]
    fn of_the_secret_nothing_but_its_own_bits_enters() {
        let (one, other) = (with_password("hunter2"), with_password("hunter3"));
        assert_eq!(identity(b"salt", &one), identity(b"salt", &other));
        let fingerprint = Fingerprint::new(&one).unwrap();
        assert!(fingerprint.fits(&one));
        assert!(!fingerprint.fits(&other));
        for byte in 0..SECRET_BYTES {
            let mut changed = fingerprint.clone();
            changed.secret[byte] ^= 1;
            assert!(!changed.fits(&one));
        }
    }

    #[test]
    fn no_field_runs_into_the_next() {
        let application = |id: &str, scope| Credentials {
            method: Method::ApplicationCredential {
                credential: ApplicationCredential::Id(id.to_owned()),
                secret: Secret::new("s"),
            },
            scope,
            ..with_password("")
        };
        let one = application("a", Scope::Project(Project::Id("unspecified".to_owned())));
        let other = application("aproject id", Scope::Unspecified);
        assert_ne!(identity(b"salt", &one), identity(b"salt", &other));
    }
}
