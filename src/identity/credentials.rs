//! Who we are to Keystone and what we ask a token for.
//!
//! Complete and checked: the configuration turns what a user wrote into these
//! types, and nothing after it has to validate. The JSON that they become is in
//! `protocol.rs`.

use std::fmt;

use crate::catalog::EndpointUrl;
use crate::secret::Secret;

mod openid;

pub use openid::{Challenge, Federation, Flow, Grant, OAuth2Client, OpenId, ProviderUrl, TokenKind};

/// Everything a login needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Keystone's root as the user gave it, without trailing slashes; may or may not end in `/v3`. None where there is no
    /// Keystone ([`Method::Standalone`]).
    pub auth_url: Option<EndpointUrl>,
    /// How we prove who we are.
    pub method: Method,
    /// What else we can prove, if Keystone wants more than that and says so (`Openstack-Auth-Receipt`).
    pub spare: Vec<Method>,
    /// What the token shall be valid for.
    pub scope: Scope,
}

/// One way of authenticating (Identity API v3, `auth.identity.methods`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// User and password.
    Password {
        /// Whose password.
        user: User,
        /// The password.
        password: Secret,
    },
    /// An application credential; bound to one project, so it takes no scope.
    ApplicationCredential {
        /// Which one.
        credential: ApplicationCredential,
        /// Its secret.
        secret: Secret,
    },
    /// A token obtained elsewhere. A token made from it keeps its expiry
    /// (`keystone/auth/plugins/token.py`), so it cannot be renewed.
    Token(Secret),
    /// User and one-time passcode (RFC 6238).
    Totp {
        /// Whose passcode.
        user: User,
        /// The code, or what it is made from.
        passcode: Passcode,
    },
    /// Several of the above in one request; at least one, and none twice.
    Multifactor(Vec<Self>),
    /// What an identity provider says of us.
    Federated(Box<Federation>),
    /// An application credential, and a bearer token beside Keystone's.
    OAuth2(Box<OAuth2Client>),
    /// Services that have no Keystone.
    Standalone(Box<Standalone>),
}

/// Services without a Keystone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standalone {
    /// That of every service without an override.
    pub endpoint: Option<EndpointUrl>,
    /// What they are shown.
    pub proof: FixedProof,
}

/// What is shown to services that have no Keystone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FixedProof {
    /// Nothing of worth (`none`).
    None,
    /// User and password (`http_basic`, RFC 7617).
    Basic {
        /// The name, without `:`.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A token that is always good (`admin_token`).
    Token(Secret),
}

/// A one-time passcode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passcode {
    /// As an authenticator showed it; good for a minute at most, so there is one login with it.
    Given(Secret),
    /// The seed that each is made from, in base32, checked.
    Seed(Secret),
}

impl Credentials {
    /// The same for those who only speak of them: a secret that has been replaced is to be nowhere.
    #[must_use]
    pub fn without_secret(&self) -> Self {
        let mut credentials = self.clone();
        for method in std::iter::once(&mut credentials.method).chain(&mut credentials.spare) {
            method.forget();
        }
        credentials
    }

    /// What nobody else may know.
    pub fn secrets(&self) -> Vec<&Secret> {
        let mut secrets = Vec::new();
        for method in std::iter::once(&self.method).chain(&self.spare) {
            method.add_secrets(&mut secrets);
        }
        secrets
    }
}

impl Method {
    /// The parts of it that are proofs of their own.
    pub fn factors(&self) -> &[Self] {
        match self {
            Self::Multifactor(factors) => factors,
            one => std::slice::from_ref(one),
        }
    }

    /// Its name at Keystone, where it is one proof.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Password { .. } => "password",
            Self::ApplicationCredential { .. } => "application_credential",
            Self::Token(_) => "token",
            Self::Totp { .. } => "totp",
            Self::OAuth2(_) => "application_credential",
            Self::Federated(_) => "federation",
            Self::Standalone(_) => "no Keystone",
            Self::Multifactor(_) => "several methods",
        }
    }

    /// Whether a new login gives a new lifetime.
    pub fn is_renewable(&self) -> bool {
        match self {
            Self::Password { .. }
            | Self::ApplicationCredential { .. }
            | Self::OAuth2(_)
            | Self::Standalone(_)
            | Self::Totp { passcode: Passcode::Seed(_), .. } => true,
            Self::Federated(federation) => federation.is_renewable(),
            Self::Token(_) | Self::Totp { passcode: Passcode::Given(_), .. } => false,
            Self::Multifactor(factors) => factors.iter().all(Self::is_renewable),
        }
    }

    fn add_secrets<'a>(&'a self, secrets: &mut Vec<&'a Secret>) {
        match self {
            Self::Password { password: secret, .. }
            | Self::ApplicationCredential { secret, .. }
            | Self::Token(secret)
            | Self::Totp { passcode: Passcode::Given(secret) | Passcode::Seed(secret), .. } => {
                secrets.push(secret);
            }
            Self::Multifactor(factors) => factors.iter().for_each(|factor| factor.add_secrets(secrets)),
            Self::OAuth2(client) => secrets.push(&client.client_secret),
            Self::Standalone(standalone) => match &standalone.proof {
                FixedProof::None => {}
                FixedProof::Basic { password: secret, .. } | FixedProof::Token(secret) => {
                    secrets.push(secret)
                }
            },
            Self::Federated(federation) => federation.each_secret(&mut |secret| secrets.push(secret)),
        }
    }

    fn forget(&mut self) {
        match self {
            Self::Password { password: secret, .. }
            | Self::ApplicationCredential { secret, .. }
            | Self::Token(secret)
            | Self::Totp { passcode: Passcode::Given(secret) | Passcode::Seed(secret), .. } => {
                *secret = Secret::new("");
            }
            Self::Multifactor(factors) => factors.iter_mut().for_each(Self::forget),
            Self::OAuth2(client) => client.client_secret = Secret::new(""),
            Self::Standalone(standalone) => match &mut standalone.proof {
                FixedProof::None => {}
                FixedProof::Basic { password: secret, .. } | FixedProof::Token(secret) => {
                    *secret = Secret::new("");
                }
            },
            Self::Federated(federation) => federation.forget(),
        }
    }
}

/// A user, by id or by name within a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    /// By id, unique in the cloud.
    Id(String),
    /// By name, unique in its domain.
    Name {
        /// The user's name.
        name: String,
        /// The domain it belongs to.
        domain: Domain,
    },
}

/// A domain, by id or by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Domain {
    /// By id; ids are compared exactly.
    Id(String),
    /// By name.
    Name(String),
}

/// A project, by id or by name within a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Project {
    /// By id, unique in the cloud.
    Id(String),
    /// By name, unique in its domain.
    Name {
        /// The project's name.
        name: String,
        /// The domain it belongs to.
        domain: Domain,
    },
}

/// An application credential, by id or by name and its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApplicationCredential {
    /// By id, unique in the cloud.
    Id(String),
    /// By name, unique for its user.
    Name {
        /// The credential's name.
        name: String,
        /// Its owner.
        user: User,
    },
}

/// What the token shall be valid for (Identity API v3, `auth.scope`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A project; the usual case.
    Project(Project),
    /// A domain, for identity administration.
    Domain(Domain),
    /// The whole deployment (`{"system": {"all": true}}`).
    System,
    /// What a trust passes on: the project and roles of its trustor (OS-TRUST), by the trust's id.
    Trust(String),
    /// Nothing is asked for: Keystone picks the user's default project if there
    /// is one, or the project of an application credential.
    Unspecified,
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "domain id {id}"),
            Self::Name(name) => write!(f, "domain {name}"),
        }
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "user id {id}"),
            Self::Name { name, domain } => write!(f, "user {name} of {domain}"),
        }
    }
}

impl fmt::Display for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "project id {id}"),
            Self::Name { name, domain } => write!(f, "project {name} of {domain}"),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Project(project) => project.fmt(f),
            Self::Domain(domain) => domain.fmt(f),
            Self::System => f.write_str("the whole system"),
            Self::Trust(id) => write!(f, "trust {id}"),
            Self::Unspecified => f.write_str("no scope"),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { user, .. } => user.fmt(f),
            Self::ApplicationCredential { credential: ApplicationCredential::Id(id), .. } => {
                write!(f, "application credential {id}")
            }
            Self::ApplicationCredential {
                credential: ApplicationCredential::Name { name, user }, ..
            } => write!(f, "application credential {name} of {user}"),
            Self::Token(_) => f.write_str("a token given to us"),
            Self::Totp { user, .. } => user.fmt(f),
            Self::OAuth2(client) => write!(f, "application credential {}", client.client_id),
            Self::Federated(federation) => federation.fmt(f),
            Self::Standalone(standalone) => match &standalone.proof {
                FixedProof::None => f.write_str("nobody"),
                FixedProof::Basic { username, .. } => write!(f, "user {username}"),
                FixedProof::Token(_) => f.write_str("a token given to us"),
            },
            Self::Multifactor(factors) => {
                let names: Vec<&str> = factors.iter().map(Self::name).collect();
                match factors.first() {
                    Some(first) => write!(f, "{first} by {}", names.join(" and ")),
                    None => Ok(()),
                }
            }
        }
    }
}
