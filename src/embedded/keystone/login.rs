//! What a login asks for: the body of `POST /v3/auth/tokens`, read into types (Identity API v3,
//! "Authentication and token management").

use serde_json::{Map, Value};

/// A login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    /// How the user proves who it is; at least one way.
    pub(super) proofs: Vec<Proof>,
    pub(super) scope: Scope,
}

/// One way to prove who one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    Password { user: Who, password: String },
    Totp { user: Who, passcode: String },
    Token(String),
    Credential { credential: Which, secret: String },
}

/// A user, as the login names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Id(String),
    Name { name: String, domain: Named },
}

/// An application credential, as the login names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Id(String),
    Name { name: String, user: Who },
}

/// A domain, by id or by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Id(String),
    Name(String),
}

/// What the token is to be good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Nothing is said.
    Unspecified,
    Unscoped,
    ProjectId(String),
    ProjectName {
        name: String,
        domain: Named,
    },
    Domain(Named),
    System,
}

/// Why a body is no login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoLogin {
    /// 400, with what is missing and where.
    Malformed(String),
    /// 401: a method that there is not.
    UnsupportedMethod,
    /// 401: nothing that proves anything.
    NoProof,
}

impl Login {
    /// Reads a body.
    pub(super) fn parse(body: &Value) -> Result<Self, NoLogin> {
        let auth = child(body, "auth", "request body")?;
        let identity = child(auth, "identity", "auth")?;
        let methods = identity.get("methods").and_then(Value::as_array);
        let methods = methods.ok_or_else(|| missing("methods", "identity"))?;
        if methods.is_empty() {
            return Err(NoLogin::NoProof);
        }
        let proofs = methods.iter().map(|method| Proof::parse(identity, method)).collect::<Result<_, _>>()?;
        Ok(Self { proofs, scope: Scope::parse(auth.get("scope"))? })
    }

    /// The names of the methods, as tokens tell them.
    pub(super) fn methods(&self) -> Vec<&'static str> {
        self.proofs.iter().map(Proof::method).collect()
    }
}

impl Proof {
    fn parse(identity: &Map<String, Value>, method: &Value) -> Result<Self, NoLogin> {
        let method = method.as_str().ok_or_else(|| missing("a text", "methods"))?;
        if !METHODS.contains(&method) {
            return Err(NoLogin::UnsupportedMethod);
        }
        let part =
            identity.get(method).and_then(Value::as_object).ok_or_else(|| missing(method, "identity"))?;
        Ok(match method {
            "password" => {
                let user = object(part, "user", method)?;
                let who = Who::parse(user)?;
                if user.get("password").is_some_and(|password| !password.is_string()) {
                    return Err(missing("a text", "password"));
                }
                Self::Password { user: who, password: optional(user, "password").ok_or(NoLogin::NoProof)? }
            }
            "totp" => {
                let user = object(part, "user", method)?;
                Self::Totp { user: Who::parse(user)?, passcode: text(user, "passcode", "user")? }
            }
            "token" => Self::Token(text(part, "id", method)?),
            _ => {
                let secret = text(part, "secret", method)?;
                let credential = match optional(part, "id") {
                    Some(id) => Which::Id(id),
                    None => Which::Name {
                        name: text(part, "name", method)?,
                        user: Who::parse(object(part, "user", method)?)?,
                    },
                };
                Self::Credential { credential, secret }
            }
        })
    }

    fn method(&self) -> &'static str {
        match self {
            Self::Password { .. } => "password",
            Self::Totp { .. } => "totp",
            Self::Token(_) => "token",
            Self::Credential { .. } => "application_credential",
        }
    }
}

impl Who {
    fn parse(user: &Map<String, Value>) -> Result<Self, NoLogin> {
        if let Some(id) = optional(user, "id") {
            return Ok(Self::Id(id));
        }
        let name = optional(user, "name").ok_or_else(|| missing("id or name", "user"))?;
        Ok(Self::Name { name, domain: Named::parse(object(user, "domain", "user")?)? })
    }
}

impl Named {
    fn parse(domain: &Map<String, Value>) -> Result<Self, NoLogin> {
        match (optional(domain, "id"), optional(domain, "name")) {
            (Some(id), _) => Ok(Self::Id(id)),
            (None, Some(name)) => Ok(Self::Name(name)),
            (None, None) => Err(missing("id or name", "domain")),
        }
    }
}

impl Scope {
    fn parse(scope: Option<&Value>) -> Result<Self, NoLogin> {
        let scope = match scope {
            None | Some(Value::Null) => return Ok(Self::Unspecified),
            Some(Value::String(text)) if text == "unscoped" => return Ok(Self::Unscoped),
            Some(Value::Object(scope)) => scope,
            Some(_) => return Err(missing("a scope", "auth")),
        };
        if scope.len() != 1 {
            return Err(missing("system, project, domain, OS-TRUST:trust or unscoped", "scope"));
        }
        if scope.contains_key("unscoped") {
            return Ok(Self::Unscoped);
        }
        if scope.contains_key("system") {
            return Ok(Self::System);
        }
        if let Some(domain) = scope.get("domain").and_then(Value::as_object) {
            return Ok(Self::Domain(Named::parse(domain)?));
        }
        let project = object(scope, "project", "scope")?;
        match optional(project, "id") {
            Some(id) => Ok(Self::ProjectId(id)),
            None => Ok(Self::ProjectName {
                name: text(project, "name", "project")?,
                domain: Named::parse(object(project, "domain", "project")?)?,
            }),
        }
    }
}

/// The methods that there are.
pub(super) const METHODS: [&str; 4] = ["password", "token", "totp", "application_credential"];

fn child<'a>(
    value: impl Into<Parent<'a>>,
    name: &str,
    place: &str,
) -> Result<&'a Map<String, Value>, NoLogin> {
    let found = match value.into() {
        Parent::Value(value) => value.get(name),
        Parent::Map(map) => map.get(name),
    };
    found.and_then(Value::as_object).ok_or_else(|| missing(name, place))
}

enum Parent<'a> {
    Value(&'a Value),
    Map(&'a Map<String, Value>),
}

impl<'a> From<&'a Value> for Parent<'a> {
    fn from(value: &'a Value) -> Self {
        Self::Value(value)
    }
}

impl<'a> From<&'a Map<String, Value>> for Parent<'a> {
    fn from(map: &'a Map<String, Value>) -> Self {
        Self::Map(map)
    }
}

fn object<'a>(
    map: &'a Map<String, Value>,
    name: &str,
    place: &str,
) -> Result<&'a Map<String, Value>, NoLogin> {
    child(map, name, place)
}

fn text(map: &Map<String, Value>, name: &str, place: &str) -> Result<String, NoLogin> {
    optional(map, name).ok_or_else(|| missing(name, place))
}

fn optional(map: &Map<String, Value>, name: &str) -> Option<String> {
    map.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn missing(what: &str, place: &str) -> NoLogin {
    NoLogin::Malformed(format!("Expecting to find {what} in {place}."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn login(identity: &Value, scope: Option<Value>) -> Result<Login, NoLogin> {
        let mut auth = json!({ "identity": identity });
        if let Some(scope) = scope {
            auth["scope"] = scope;
        }
        Login::parse(&json!({ "auth": auth }))
    }

    fn by_name() -> Value {
        json!({ "methods": ["password"], "password": { "user": {
            "name": "demo", "domain": { "name": "Default" }, "password": "p" } } })
    }

    #[test]
    fn each_method_is_read() {
        let user = Who::Name { name: "demo".to_owned(), domain: Named::Name("Default".to_owned()) };
        let read = login(&by_name(), None).unwrap();
        assert_eq!(read.proofs, [Proof::Password { user: user.clone(), password: "p".to_owned() }]);
        let several = login(
            &json!({ "methods": ["token", "totp"], "token": { "id": "t" },
                     "totp": { "user": { "id": "u", "passcode": "123456" } } }),
            None,
        );
        assert_eq!(several.unwrap().methods(), ["token", "totp"]);
        let named = login(
            &json!({ "methods": ["application_credential"], "application_credential": {
                "name": "ci", "secret": "s",
                "user": { "name": "demo", "domain": { "name": "Default" } } } }),
            None,
        );
        let credential = Which::Name { name: "ci".to_owned(), user };
        assert_eq!(named.unwrap().proofs, [Proof::Credential { credential, secret: "s".to_owned() }]);
    }

    #[test]
    fn each_scope_is_read() {
        let id = || Named::Id("default".to_owned());
        for (scope, expected) in [
            (json!("unscoped"), Scope::Unscoped),
            (json!({ "unscoped": {} }), Scope::Unscoped),
            (json!({ "system": { "all": true } }), Scope::System),
            (json!({ "domain": { "id": "default" } }), Scope::Domain(id())),
            (json!({ "project": { "id": "p" } }), Scope::ProjectId("p".to_owned())),
            (
                json!({ "project": { "name": "p", "domain": { "id": "default" } } }),
                Scope::ProjectName { name: "p".to_owned(), domain: id() },
            ),
        ] {
            assert_eq!(login(&by_name(), Some(scope)).unwrap().scope, expected);
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        for (body, words) in [
            (json!({}), "auth in request body"),
            (json!([]), "auth in request body"),
            (json!({ "auth": {} }), "identity in auth"),
            (json!({ "auth": { "identity": {} } }), "methods in identity"),
            (json!({ "auth": { "identity": { "methods": ["password"] } } }), "password in identity"),
            (
                json!({ "auth": { "identity": { "methods": ["password"], "password": { "user": { "name": "a" } } } } }),
                "domain in user",
            ),
        ] {
            assert_eq!(Login::parse(&body), Err(NoLogin::Malformed(format!("Expecting to find {words}."))));
        }
        assert_eq!(login(&json!({ "methods": [] }), None), Err(NoLogin::NoProof));
        let magic = login(&json!({ "methods": ["magic"], "magic": {} }), None);
        assert_eq!(magic, Err(NoLogin::UnsupportedMethod));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(text in ".{0,200}", methods in proptest::collection::vec("[a-z_]{1,22}", 0..3)) {
            let _ = Login::parse(&json!({ "auth": { "identity": { "methods": methods, "password": text.clone() }, "scope": text } }));
        }
    }
}
