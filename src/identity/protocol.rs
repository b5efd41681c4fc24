//! The Identity API v3 on the wire: what is sent to `POST /v3/auth/tokens` and
//! what comes back, names as in the API, no behaviour.
//!
//! Source: Keystone's `api-ref/source/v3/authenticate-v3.inc` and its samples.

use std::io;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::credentials::{ApplicationCredential, Domain, Method, Passcode, Project, Scope, User};
use crate::catalog::WireService;
use crate::totp;

/// The body of a login by these factors, none twice, wiped from memory when the last reference to it is gone. Secrets
/// are written into it and nowhere else: no value in between has a copy, but for a passcode's, which is wiped, too.
pub(super) fn login_body(factors: &[&Method], asked: &Scope, unix_seconds: u64) -> Bytes {
    let mut identity = Identity::default();
    for factor in factors {
        identity.add(factor, unix_seconds);
    }
    let login = Login { auth: Auth { identity, scope: scope(asked) } };
    // Of its final length at once, since growing would leave a copy behind. Neither can fail: all keys are texts, and
    // there is room.
    let mut length = Length(0);
    let _ = serde_json::to_writer(&mut length, &login);
    let mut text = Zeroizing::new(Vec::with_capacity(length.0));
    let _ = serde_json::to_writer(&mut *text, &login);
    Bytes::from_owner(text)
}

/// Counts what is written.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Serialize)]
struct Login<'a> {
    auth: Auth<'a>,
}

#[derive(Serialize)]
struct Auth<'a> {
    identity: Identity<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Value>,
}

#[derive(Default, Serialize)]
struct Identity<'a> {
    methods: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<PasswordLogin<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    application_credential: Option<Owned<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<TokenLogin<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    totp: Option<TotpLogin<'a>>,
}

#[derive(Serialize)]
struct PasswordLogin<'a> {
    user: Owned<'a>,
}

/// Whose a secret is, and the secret under the name that it has there.
#[derive(Serialize)]
struct Owned<'a> {
    #[serde(flatten)]
    owner: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

#[derive(Serialize)]
struct TokenLogin<'a> {
    id: &'a str,
}

#[derive(Serialize)]
struct TotpLogin<'a> {
    user: CodeOf<'a>,
}

#[derive(Serialize)]
struct CodeOf<'a> {
    #[serde(flatten)]
    owner: Value,
    passcode: Code<'a>,
}

/// A passcode as it is sent.
enum Code<'a> {
    Given(&'a str),
    Made(Zeroizing<String>),
}

impl Serialize for Code<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Given(code) => code,
            Self::Made(code) => code,
        })
    }
}

impl<'a> Identity<'a> {
    fn add(&mut self, method: &'a Method, unix_seconds: u64) {
        match method {
            Method::Password { user: owner, password } => {
                let user = Owned { owner: user(owner), password: Some(password.expose()), secret: None };
                self.password = Some(PasswordLogin { user });
            }
            Method::ApplicationCredential { credential, secret } => {
                let owner = match credential {
                    ApplicationCredential::Id(id) => json!({ "id": id }),
                    ApplicationCredential::Name { name, user: owner } => {
                        json!({ "name": name, "user": user(owner) })
                    }
                };
                self.application_credential =
                    Some(Owned { owner, password: None, secret: Some(secret.expose()) });
            }
            Method::OAuth2(client) => {
                let owner = json!({ "id": client.client_id });
                let secret = Some(client.client_secret.expose());
                self.application_credential = Some(Owned { owner, password: None, secret });
            }
            // The body of such a login is empty.
            Method::Federated(_) | Method::Standalone(_) => return,
            Method::Token(token) => self.token = Some(TokenLogin { id: token.expose() }),
            Method::Totp { user: owner, passcode } => {
                let passcode = match passcode {
                    Passcode::Given(code) => Code::Given(code.expose()),
                    Passcode::Seed(seed) => {
                        Code::Made(totp::code(seed.expose(), totp::step(unix_seconds)).unwrap_or_default())
                    }
                };
                self.totp = Some(TotpLogin { user: CodeOf { owner: user(owner), passcode } });
            }
            Method::Multifactor(factors) => {
                return factors.iter().for_each(|factor| self.add(factor, unix_seconds));
            }
        }
        self.methods.push(method.name());
    }
}

fn user(user: &User) -> Value {
    match user {
        User::Id(id) => json!({ "id": id }),
        User::Name { name, domain: home } => json!({ "name": name, "domain": domain(home) }),
    }
}

fn domain(domain: &Domain) -> Value {
    match domain {
        Domain::Id(id) => json!({ "id": id }),
        Domain::Name(name) => json!({ "name": name }),
    }
}

fn scope(scope: &Scope) -> Option<Value> {
    match scope {
        Scope::Project(Project::Id(id)) => Some(json!({ "project": { "id": id } })),
        Scope::Project(Project::Name { name, domain: home }) => {
            Some(json!({ "project": { "name": name, "domain": domain(home) } }))
        }
        Scope::Domain(asked) => Some(json!({ "domain": domain(asked) })),
        Scope::System => Some(json!({ "system": { "all": true } })),
        Scope::Trust(id) => Some(json!({ "OS-TRUST:trust": { "id": id } })),
        Scope::Unspecified => None,
    }
}

/// What `POST /v3/auth/tokens` answers.
#[derive(Debug, Deserialize)]
pub(super) struct LoginAnswer {
    pub(super) token: TokenBody,
}

/// The token's description; the token itself is in `X-Subject-Token`.
#[derive(Debug, Deserialize)]
pub(super) struct TokenBody {
    /// Ours alone: it comes from no Keystone.
    #[serde(default)]
    pub(super) standalone: bool,
    pub(super) issued_at: Option<String>,
    pub(super) expires_at: Option<String>,
    pub(super) user: NamedUser,
    pub(super) project: Option<NamedProject>,
    pub(super) domain: Option<Named>,
    pub(super) system: Option<Value>,
    #[serde(default)]
    pub(super) roles: Vec<Named>,
    pub(super) catalog: Option<Vec<WireService>>,
    pub(super) application_credential: Option<Named>,
}

/// What `GET /v3/auth/catalog` answers.
#[derive(Debug, Deserialize)]
pub(super) struct CatalogAnswer {
    pub(super) catalog: Vec<WireService>,
}

/// What `GET /v3/auth/projects` answers; its first page, if there are many.
#[derive(Debug, Deserialize)]
pub(super) struct ProjectsAnswer {
    pub(super) projects: Vec<NamedProject>,
}

/// What `GET /v3/users/{user_id}/application_credentials/{id}` answers.
#[derive(Debug, Deserialize)]
pub(super) struct CredentialAnswer {
    pub(super) application_credential: CredentialBody,
}

/// An application credential's description.
#[derive(Debug, Deserialize)]
pub(super) struct CredentialBody {
    pub(super) expires_at: Option<String>,
}

/// Something with an id and a name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Named {
    /// Unique id.
    pub id: String,
    /// Name as people say it.
    #[serde(default)]
    pub name: String,
}

/// The user a token stands for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NamedUser {
    /// Unique id.
    pub id: String,
    /// Name within its domain.
    #[serde(default)]
    pub name: String,
    /// Its domain.
    pub domain: Option<Named>,
    /// RFC 3339 time at which the password must have been changed, if it ever must.
    pub password_expires_at: Option<String>,
}

/// The project a token is scoped to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NamedProject {
    /// Unique id.
    pub id: String,
    /// Name within its domain.
    #[serde(default)]
    pub name: String,
    /// Its domain.
    pub domain: Option<Named>,
    /// The same by its id alone, as lists of projects have it.
    pub domain_id: Option<String>,
}

/// What a login by some of the methods that a user needs is answered with, beside its receipt
/// (`keystone/auth/core.py`, `api-ref/source/v3/authenticate-v3.inc`, "Multi-Step Authentication").
#[derive(Debug, Default, Deserialize)]
pub(super) struct ReceiptAnswer {
    #[serde(default)]
    pub(super) receipt: ReceiptBody,
    /// Sets of methods, of which one is enough.
    #[serde(default)]
    pub(super) required_auth_methods: Vec<Vec<String>>,
}

/// Inside of it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ReceiptBody {
    /// Those that have been given.
    #[serde(default)]
    pub(super) methods: Vec<String>,
}

/// Keystone's error document.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorAnswer {
    #[serde(default)]
    pub(super) error: ErrorBody,
}

/// Inside of Keystone's error document.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorBody {
    #[serde(default)]
    pub(super) message: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn body(method: &Method, scope: &Scope) -> Value {
        serde_json::from_slice(&login_body(&[method], scope, 59)).unwrap()
    }

    fn demo() -> User {
        User::Name { name: "demo".to_owned(), domain: Domain::Name("Default".to_owned()) }
    }

    #[test]
    fn a_password_login_names_user_domain_and_project() {
        let project = Project::Name { name: "p".to_owned(), domain: Domain::Id("default".to_owned()) };
        assert_eq!(
            body(&Method::Password { user: demo(), password: Secret::new("pw") }, &Scope::Project(project)),
            json!({ "auth": {
                "identity": { "methods": ["password"], "password": { "user": {
                    "name": "demo", "domain": { "name": "Default" }, "password": "pw" } } },
                "scope": { "project": { "name": "p", "domain": { "id": "default" } } } } })
        );
    }

    #[test]
    fn an_application_credential_takes_no_scope() {
        let credential = ApplicationCredential::Name { name: "ci".to_owned(), user: demo() };
        let method = Method::ApplicationCredential { credential, secret: Secret::new("s") };
        assert_eq!(
            body(&method, &Scope::Unspecified),
            json!({ "auth": { "identity": {
                "methods": ["application_credential"],
                "application_credential": { "name": "ci", "secret": "s",
                    "user": { "name": "demo", "domain": { "name": "Default" } } } } } })
        );
    }

    #[test]
    fn several_methods_are_in_one_login_with_a_passcode_of_this_moment() {
        let password = Method::Password { user: demo(), password: Secret::new("pw") };
        let seed = Passcode::Seed(Secret::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"));
        let totp = |passcode| Method::Totp { user: User::Id("u".to_owned()), passcode };
        let both = Method::Multifactor(vec![password, totp(seed)]);
        assert_eq!(
            body(&both, &Scope::Unspecified)["auth"]["identity"],
            json!({ "methods": ["password", "totp"],
                "password": { "user": { "name": "demo", "domain": { "name": "Default" }, "password": "pw" } },
                "totp": { "user": { "id": "u", "passcode": "287082" } } })
        );
        let given = body(&totp(Passcode::Given(Secret::new("012345"))), &Scope::Unspecified);
        assert_eq!(given["auth"]["identity"]["totp"]["user"]["passcode"], "012345");
    }

    #[test]
    fn each_scope_has_its_form() {
        let scoped = |scope| body(&Method::Token(Secret::new("t")), &scope)["auth"]["scope"].clone();
        assert_eq!(scoped(Scope::System), json!({ "system": { "all": true } }));
        assert_eq!(scoped(Scope::Domain(Domain::Id("d".to_owned()))), json!({ "domain": { "id": "d" } }));
        let by_id = Scope::Project(Project::Id("p".to_owned()));
        assert_eq!(scoped(by_id), json!({ "project": { "id": "p" } }));
        assert_eq!(scoped(Scope::Trust("t".to_owned())), json!({ "OS-TRUST:trust": { "id": "t" } }));
        assert_eq!(scoped(Scope::Unspecified), Value::Null);
    }
}
