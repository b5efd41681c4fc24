//! What a login asks for: its methods and its scope (`keystone/auth/schema.py`, `keystone/auth/core.py`).
//!
//! 1. User, password, secret, passcode and receipt do not matter: who may use the proxy is decided elsewhere. Where a
//!    listener has a client secret, what the named methods offer is kept for whoever compares it: one of them will do,
//!    since clients that were taught several methods can still know one secret.
//! 2. No scope, or an application credential, which has its own: the held scope.
//! 3. `"unscoped"`, or the object of that name which old versions of keystoneauth send: a token that shows no scope.
//! 4. A scope that names the held one: that. Ids are compared exactly, names in any letter case; a project's domain
//!    counts if it is named. Another one is refused, since a client would work on what it did not mean.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::failure::{Failure, Reason};
use crate::identity::{HeldScope, Named};
use crate::secret::Secret;

/// A login.
#[derive(Debug)]
pub(super) struct Login {
    /// As named, to be named in the token.
    pub(super) methods: Vec<String>,
    pub(super) scope: AskedScope,
    /// The passwords, secrets, passcodes and tokens of those methods.
    pub(super) offered: Vec<Secret>,
}

/// The scope that a login asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AskedScope {
    /// Whatever is held.
    Held,
    /// None.
    Unscoped,
    Project {
        project: Selection,
        domain: Option<Selection>,
    },
    Domain(Selection),
    System,
    /// What a trust gives, which is never held.
    Trust,
}

/// Something named by its id, or else by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Selection {
    Id(String),
    Name(String),
}

/// What a local token says it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Granted {
    /// The held scope.
    Held,
    /// Nothing.
    Unscoped,
}

impl Granted {
    /// Whether such a token has a scope to show.
    pub(super) fn is_held(self, held: &HeldScope) -> bool {
        self == Self::Held && !matches!(held, HeldScope::Unscoped)
    }
}

/// Why a body is no login; the first two in Keystone's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("Expecting to find valid JSON in request body. Send a login as in the Identity API")]
    Json,
    #[error("Expecting to find {0} in request body. Send a login as in the Identity API")]
    Missing(&'static str),
    #[error("Invalid input for field '{0}'. Send a login as in the Identity API")]
    Invalid(&'static str),
    #[error(
        "Expecting to find one of system, project, domain, OS-TRUST:trust or unscoped in scope. Send just one \
         of them, or no scope"
    )]
    Scope,
}

impl From<Malformed> for Failure {
    fn from(malformed: Malformed) -> Self {
        Self::new(Reason::BadRequest, malformed.to_string())
    }
}

#[derive(Deserialize)]
struct Wire {
    auth: Option<Value>,
}

impl Login {
    /// Reads the body of `POST /v3/auth/tokens`.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let Wire { auth } = serde_json::from_slice(body).map_err(|_| Malformed::Json)?;
        let auth = auth.ok_or(Malformed::Missing("auth"))?;
        let auth = auth.as_object().ok_or(Malformed::Invalid("auth"))?;
        let identity = auth.get("identity").ok_or(Malformed::Missing("identity"))?;
        let methods = identity.get("methods").ok_or(Malformed::Missing("methods"))?;
        let methods = methods.as_array().ok_or(Malformed::Invalid("methods"))?;
        let names = methods.iter().map(|method| method.as_str().map(str::to_owned));
        let methods: Vec<String> = names.collect::<Option<_>>().ok_or(Malformed::Invalid("methods"))?;
        let is_sane = methods.len() <= MOST_METHODS && methods.iter().all(|it| it.len() <= LONGEST_METHOD);
        if methods.is_empty() || !is_sane {
            return Err(Malformed::Invalid("methods"));
        }
        let has_own_scope = methods.iter().any(|method| method == "application_credential");
        let scope = match auth.get("scope") {
            Some(_) if has_own_scope => AskedScope::Held,
            None => AskedScope::Held,
            Some(scope) => AskedScope::parse(scope)?,
        };
        let offered = methods.iter().filter_map(|method| offered(method, identity.get(method)?)).collect();
        Ok(Self { methods, scope, offered })
    }
}

/// What a method proves itself by (`keystone/auth/plugins`).
fn offered(method: &str, what: &Value) -> Option<Secret> {
    let at = match method {
        "password" => what.get("user")?.get("password"),
        "totp" => what.get("user")?.get("passcode"),
        "application_credential" => what.get("secret"),
        "token" => what.get("id"),
        _ => None,
    };
    at.and_then(Value::as_str).map(Secret::new)
}

impl AskedScope {
    fn parse(scope: &Value) -> Result<Self, Malformed> {
        let fields = match scope {
            Value::String(word) if word == "unscoped" => return Ok(Self::Unscoped),
            Value::Object(fields) => fields,
            _ => return Err(Malformed::Scope),
        };
        let mut known = SCOPES.iter().filter_map(|name| Some((*name, fields.get(*name)?)));
        let (Some((name, what)), None) = (known.next(), known.next()) else {
            return Err(Malformed::Scope);
        };
        if name == "unscoped" {
            return Ok(Self::Unscoped);
        }
        let what = what.as_object().ok_or(Malformed::Invalid("scope"))?;
        match name {
            "project" => Ok(Self::Project {
                project: Selection::parse(what).ok_or(Malformed::Invalid("scope/project"))?,
                domain: what.get("domain").and_then(Value::as_object).and_then(Selection::parse),
            }),
            "domain" => Ok(Self::Domain(Selection::parse(what).ok_or(Malformed::Invalid("scope/domain"))?)),
            "system" => Ok(Self::System),
            _ => Ok(Self::Trust),
        }
    }

    /// What a token for this may say, where `held` is held.
    pub(super) fn grant(&self, held: &HeldScope) -> Result<Granted, Failure> {
        let is_held = match (self, held) {
            (Self::Unscoped, _) => return Ok(Granted::Unscoped),
            (Self::Held, _) | (Self::System, HeldScope::System) => true,
            (Self::Domain(asked), HeldScope::Domain(domain)) => asked.is(domain),
            (Self::Project { project, domain }, HeldScope::Project(held)) => {
                let is_in = |domain: &Selection| match (&held.domain, &held.domain_id, domain) {
                    (Some(held), _, domain) => domain.is(held),
                    (None, Some(held), Selection::Id(id)) => held == id,
                    // Keystone has not said where it is.
                    (None, Some(_), Selection::Name(_)) | (None, None, _) => true,
                };
                match project {
                    Selection::Id(id) => *id == held.id,
                    Selection::Name(name) => is_alike(name, &held.name) && domain.as_ref().is_none_or(is_in),
                }
            }
            (Self::Project { .. } | Self::Domain(_) | Self::System | Self::Trust, _) => false,
        };
        if is_held { Ok(Granted::Held) } else { Err(wrong_scope(held)) }
    }
}

impl Selection {
    /// As Keystone reads it: an id, or else a name.
    fn parse(fields: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
        text("id").map(Self::Id).or_else(|| text("name").map(Self::Name))
    }

    fn is(&self, held: &Named) -> bool {
        match self {
            Self::Id(id) => *id == held.id,
            Self::Name(name) => is_alike(name, &held.name),
        }
    }
}

fn is_alike(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn wrong_scope(held: &HeldScope) -> Failure {
    let held = match held {
        HeldScope::Project(project) => format!("project {} (id {})", project.name, project.id),
        HeldScope::Domain(domain) => format!("domain {} (id {})", domain.name, domain.id),
        HeldScope::System | HeldScope::Standalone => held.to_string(),
        HeldScope::Unscoped => {
            let message = "this proxy's own token has no scope; leave the scope out (OS_PROJECT_ID, OS_PROJECT_NAME \
                           and the like), or start the proxy with the project to use";
            return Failure::new(Reason::WrongScope, message);
        }
    };
    let message = format!(
        "this proxy holds {held} and no other scope; ask for that or leave the scope out (OS_PROJECT_ID, \
         OS_PROJECT_NAME and the like), or ask a proxy that runs for the scope you want"
    );
    Failure::new(Reason::WrongScope, message)
}

/// In a login's `scope`, just one of these.
const SCOPES: [&str; 5] = ["system", "project", "domain", "OS-TRUST:trust", "unscoped"];
/// Keystone has some ten methods in all.
const MOST_METHODS: usize = 8;
/// The longest of Keystone's own, `application_credential`, has 22 letters.
const LONGEST_METHOD: usize = 48;

#[cfg(test)]
mod tests;
