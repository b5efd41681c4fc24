//! Who we are to Keystone and what we ask a token for.
//!
//! Complete and checked: the configuration turns what a user wrote into these
//! types, and nothing after it has to validate. The JSON that they become is in
//! `protocol.rs`.

use std::fmt;

use crate::catalog::EndpointUrl;
use crate::secret::Secret;

/// Everything a login needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Keystone's root as the user gave it, without trailing slashes; may or may not end in `/v3`.
    pub auth_url: EndpointUrl,
    /// How we prove who we are.
    pub method: Method,
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
}

impl Credentials {
    /// The same for those who only speak of them: a secret that has been replaced is to be nowhere.
    #[must_use]
    pub fn without_secret(&self) -> Self {
        let mut credentials = self.clone();
        match &mut credentials.method {
            Method::Password { password: secret, .. }
            | Method::ApplicationCredential { secret, .. }
            | Method::Token(secret) => *secret = Secret::new(""),
        }
        credentials
    }
}

impl Method {
    /// What nobody else may know.
    pub fn secret(&self) -> &Secret {
        match self {
            Self::Password { password: secret, .. }
            | Self::ApplicationCredential { secret, .. }
            | Self::Token(secret) => secret,
        }
    }

    /// Whether a new login gives a new lifetime.
    pub fn is_renewable(&self) -> bool {
        match self {
            Self::Password { .. } | Self::ApplicationCredential { .. } => true,
            Self::Token(_) => false,
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
        }
    }
}
