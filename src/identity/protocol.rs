//! The Identity API v3 on the wire: what is sent to `POST /v3/auth/tokens` and
//! what comes back, names as in the API, no behaviour.
//!
//! Source: Keystone's `api-ref/source/v3/authenticate-v3.inc` and its samples.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::credentials::{ApplicationCredential, Credentials, Domain, Method, Project, Scope, User};
use crate::catalog::WireService;

/// The body of a login, wiped from memory when the last reference to it is gone.
pub(super) fn login_body(credentials: &Credentials) -> Bytes {
    let mut auth = json!({ "identity": identity(&credentials.method) });
    if let Some(scope) = scope(&credentials.scope) {
        auth["scope"] = scope;
    }
    let text = Zeroizing::new(json!({ "auth": auth }).to_string().into_bytes());
    Bytes::from_owner(text)
}

fn identity(method: &Method) -> Value {
    match method {
        Method::Password { user: owner, password } => {
            let mut user = user(owner);
            user["password"] = password.expose().into();
            json!({ "methods": ["password"], "password": { "user": user } })
        }
        Method::ApplicationCredential { credential, secret } => {
            let mut credential = match credential {
                ApplicationCredential::Id(id) => json!({ "id": id }),
                ApplicationCredential::Name { name, user: owner } => {
                    json!({ "name": name, "user": user(owner) })
                }
            };
            credential["secret"] = secret.expose().into();
            json!({ "methods": ["application_credential"], "application_credential": credential })
        }
        Method::Token(token) => {
            json!({ "methods": ["token"], "token": { "id": token.expose() } })
        }
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

    fn body(method: Method, scope: Scope) -> Value {
        let auth_url = "http://keystone/v3".parse().unwrap();
        serde_json::from_slice(&login_body(&Credentials { auth_url, method, scope })).unwrap()
    }

    fn demo() -> User {
        User::Name { name: "demo".to_owned(), domain: Domain::Name("Default".to_owned()) }
    }

    #[test]
    fn a_password_login_names_user_domain_and_project() {
        let project = Project::Name { name: "p".to_owned(), domain: Domain::Id("default".to_owned()) };
        assert_eq!(
            body(Method::Password { user: demo(), password: Secret::new("pw") }, Scope::Project(project)),
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
            body(method, Scope::Unspecified),
            json!({ "auth": { "identity": {
                "methods": ["application_credential"],
                "application_credential": { "name": "ci", "secret": "s",
                    "user": { "name": "demo", "domain": { "name": "Default" } } } } } })
        );
    }

    #[test]
    fn each_scope_has_its_form() {
        let scoped = |scope| body(Method::Token(Secret::new("t")), scope)["auth"]["scope"].clone();
        assert_eq!(scoped(Scope::System), json!({ "system": { "all": true } }));
        assert_eq!(scoped(Scope::Domain(Domain::Id("d".to_owned()))), json!({ "domain": { "id": "d" } }));
        let by_id = Scope::Project(Project::Id("p".to_owned()));
        assert_eq!(scoped(by_id), json!({ "project": { "id": "p" } }));
        assert_eq!(scoped(Scope::Unspecified), Value::Null);
    }
}
