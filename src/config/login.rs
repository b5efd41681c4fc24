//! From what a user wrote about a login to [`Credentials`] that are complete and valid.
//!
//! 1. The kind of login is `auth_type`, or else what the other keys fit.
//! 2. `domain_*` stands for the domains of user and project where those are missing
//!    (`openstack/config/loader.py:_handle_domain_id`), then `default_domain_*` does.
//! 3. Exactly one scope; application credentials take none.

use crate::catalog::EndpointUrl;
use crate::identity::credentials::{
    ApplicationCredential, Credentials, Domain, Method, Project, Scope, User,
};
use crate::secret::Secret;

use super::draft::{Draft, Origin};
use super::mistakes::{Mistakes, did_you_mean};

/// Checks a draft; without mistakes there are credentials.
pub(super) fn credentials(
    draft: &Draft,
    warnings: &mut Vec<String>,
    mistakes: &mut Mistakes,
) -> Option<Credentials> {
    let mut reader = Reader { draft, warnings, mistakes };
    let auth_url = reader.auth_url();
    let kind = reader.kind();
    reader.unsupported();
    let method = kind.and_then(|kind| reader.method(kind));
    let scope = kind.and_then(|kind| reader.scope(kind));
    Some(Credentials { auth_url: auth_url?, method: method?, scope: scope? })
}

/// Which secret a login of this draft uses, so that one that is missing can be looked for.
pub(super) fn secret_of(draft: &Draft) -> Option<&'static str> {
    match kind_of(draft) {
        Ok(Kind::Password) => Some("password"),
        Ok(Kind::Token) => Some("token"),
        Ok(Kind::ApplicationCredential) => Some("application_credential_secret"),
        Err(_) => None,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Password,
    Token,
    ApplicationCredential,
}

struct Reader<'a> {
    draft: &'a Draft,
    warnings: &'a mut Vec<String>,
    mistakes: &'a mut Mistakes,
}

impl Reader<'_> {
    fn auth_url(&mut self) -> Option<EndpointUrl> {
        let Some(text) = self.draft.text("auth_url") else {
            let name = self.draft.name("auth_url");
            self.wrong(format!(
                "{name} is not set; it is Keystone's URL, such as https://cloud.example:5000/v3"
            ));
            return None;
        };
        let place = self.draft.place("auth_url");
        if text.contains('@') {
            // Not quoted: what stands before the `@` may be a password.
            self.mistakes.at(
                place,
                "the URL holds user information (`user@`), which Keystone does not read; remove it",
            );
            return None;
        }
        match text.parse::<EndpointUrl>() {
            Ok(url) if url.path.ends_with("/v2.0") => {
                self.mistakes
                    .at(place, format!("`{text}` is the Identity API v2.0, which is gone; end it in /v3"));
                None
            }
            Ok(url) => Some(url),
            Err(error) => {
                self.mistakes.at(place, format!("`{text}` does not do as Keystone's URL: {error}"));
                None
            }
        }
    }

    fn kind(&mut self) -> Option<Kind> {
        match kind_of(self.draft) {
            Ok(kind) => Some(kind),
            Err(message) => {
                self.mistakes.at(self.draft.place("auth_type"), message);
                None
            }
        }
    }

    fn unsupported(&mut self) {
        if self.draft.has("trust_id") {
            self.mistakes.at(
                self.draft.place("trust_id"),
                "trusts are not supported yet; use an application credential",
            );
        }
    }

    fn method(&mut self, kind: Kind) -> Option<Method> {
        match kind {
            Kind::Password => {
                let user = self.user("a password login");
                let password = self.secret("password");
                Some(Method::Password { user: user?, password: password? })
            }
            Kind::Token => Some(Method::Token(self.secret("token")?)),
            Kind::ApplicationCredential => {
                let credential = self.application_credential();
                let secret = self.secret("application_credential_secret");
                Some(Method::ApplicationCredential { credential: credential?, secret: secret? })
            }
        }
    }

    fn application_credential(&mut self) -> Option<ApplicationCredential> {
        if let Some(id) = self.draft.text("application_credential_id") {
            return Some(ApplicationCredential::Id(id.to_owned()));
        }
        let Some(name) = self.draft.text("application_credential_name") else {
            let (id, name) = (
                self.draft.name("application_credential_id"),
                self.draft.name("application_credential_name"),
            );
            self.wrong(format!("the application credential is missing: set {id}, or {name} and its user"));
            return None;
        };
        let user = self.user("an application credential by name")?;
        Some(ApplicationCredential::Name { name: name.to_owned(), user })
    }

    fn user(&mut self, what: &str) -> Option<User> {
        if let Some(id) = self.draft.text("user_id") {
            return Some(User::Id(id.to_owned()));
        }
        let Some(name) = self.draft.text("username") else {
            let (by_name, by_id) = (self.draft.name("username"), self.draft.name("user_id"));
            let other = if self.draft.has("application_credential_id")
                || self.draft.has("application_credential_secret")
            {
                format!(
                    ", or {} for the application credential",
                    self.draft.example("auth_type", "v3applicationcredential")
                )
            } else {
                String::new()
            };
            self.wrong(format!("{what} wants a user: set {by_name} or {by_id}{other}"));
            return None;
        };
        let domain = self.domain_of("username", "user_domain_id", "user_domain_name")?;
        Some(User::Name { name: name.to_owned(), domain })
    }

    fn secret(&mut self, key: &str) -> Option<Secret> {
        let found = self.draft.secrets.get(key);
        if found.is_none() {
            let name = self.draft.name(key);
            let file = match self.draft.origin {
                Origin::Environment => format!("{name}_FILE"),
                Origin::Cloud { .. } => format!("`{key}_file`, or secure.yaml"),
            };
            self.wrong(format!("{name} is not set, nor is {file}"));
        }
        let found = found?;
        if found.value.expose().ends_with([' ', '\t', '\r', '\n']) {
            self.warnings.push(format!(
                "{} ends in white space or a line end, which is sent as part of it; was the file saved by another system?",
                found.place
            ));
        }
        Some(found.value.clone())
    }

    fn scope(&mut self, kind: Kind) -> Option<Scope> {
        let asked: Vec<&str> = ["project_id", "project_name", "system_scope", "domain_id", "domain_name"]
            .into_iter()
            .filter(|key| self.draft.has(key))
            .collect();
        if kind == Kind::ApplicationCredential {
            return self.no_scope(&asked);
        }
        let project = self.draft.has("project_id") || self.draft.has("project_name");
        if project && let Some(system) = self.draft.texts.get("system_scope") {
            let named =
                self.draft.name(if self.draft.has("project_id") { "project_id" } else { "project_name" });
            self.mistakes.at(
                &system.place,
                format!("a token is valid for the system or for a project, not both; {named} is set too"),
            );
            return None;
        }
        if let Some(id) = self.draft.text("project_id") {
            return Some(Scope::Project(Project::Id(id.to_owned())));
        }
        if let Some(name) = self.draft.text("project_name") {
            let domain = self.domain_of("project_name", "project_domain_id", "project_domain_name")?;
            return Some(Scope::Project(Project::Name { name: name.to_owned(), domain }));
        }
        if let Some(scope) = self.draft.text("system_scope") {
            if scope != "all" {
                self.mistakes.at(
                    self.draft.place("system_scope"),
                    format!("`{scope}` is no system scope; there is `all`"),
                );
                return None;
            }
            return Some(Scope::System);
        }
        if let Some(domain) = self.domain("domain_id", "domain_name") {
            return Some(Scope::Domain(domain));
        }
        let (id, name) = (self.draft.name("project_id"), self.draft.name("project_name"));
        self.warnings.push(format!(
            "no project is named ({id} or {name}): the token is for the user's default project if there is one, else for none"
        ));
        Some(Scope::Unspecified)
    }

    /// An application credential has a project already, and Keystone refuses to be told one.
    /// Variables left over from another openrc are common; in a file it is a mistake.
    fn no_scope(&mut self, asked: &[&str]) -> Option<Scope> {
        // With a credential by name, a domain may be the user's.
        let asked: Vec<&str> = asked
            .iter()
            .copied()
            .filter(|key| !(key.starts_with("domain_") && self.draft.has("application_credential_name")))
            .collect();
        if asked.is_empty() {
            return Some(Scope::Unspecified);
        }
        let names = asked.iter().map(|key| self.draft.name(key)).collect::<Vec<_>>().join(" and ");
        match self.draft.origin {
            Origin::Environment => {
                self.warnings.push(format!(
                    "{names}: ignored, since an application credential is bound to its own project"
                ));
                Some(Scope::Unspecified)
            }
            Origin::Cloud { .. } => {
                self.wrong(format!(
                    "{names}: an application credential is bound to its own project; remove this"
                ));
                None
            }
        }
    }

    /// The domain of a user or project that is given by name.
    fn domain_of(&mut self, what: &str, id: &str, name: &str) -> Option<Domain> {
        let found = self
            .domain(id, name)
            .or_else(|| self.domain("domain_id", "domain_name"))
            .or_else(|| self.domain("default_domain_id", "default_domain_name"));
        if found.is_none() {
            self.wrong(format!(
                "{} is set but neither {} nor {}; on most clouds it is {}",
                self.draft.name(what),
                self.draft.name(id),
                self.draft.name(name),
                self.draft.example(name, "Default"),
            ));
        }
        found
    }

    fn domain(&self, id: &str, name: &str) -> Option<Domain> {
        let by_id = self.draft.text(id).map(|id| Domain::Id(id.to_owned()));
        by_id.or_else(|| self.draft.text(name).map(|name| Domain::Name(name.to_owned())))
    }

    fn wrong(&mut self, message: String) {
        self.draft.mistake(self.mistakes, message);
    }
}

fn kind_of(draft: &Draft) -> Result<Kind, String> {
    let Some(auth_type) = draft.text("auth_type") else {
        let has = |keys: &[&str]| keys.iter().any(|key| draft.has(key));
        return Ok(if has(&["application_credential_id", "application_credential_name"]) {
            Kind::ApplicationCredential
        } else if !has(&["username", "user_id"]) && has(&["token"]) {
            Kind::Token
        } else {
            Kind::Password
        });
    };
    match auth_type {
        "password" | "v3password" => Ok(Kind::Password),
        "token" | "v3token" => Ok(Kind::Token),
        "v3applicationcredential" => Ok(Kind::ApplicationCredential),
        "v2password" | "v2token" => {
            Err(format!("`{auth_type}` is for the Identity API v2.0, which is gone; there are {SUPPORTED}"))
        }
        other if LATER.contains(&other) => {
            Err(format!("the authentication type `{other}` is not supported yet; there are {SUPPORTED}"))
        }
        other => {
            let names = ["password", "v3password", "token", "v3token", "v3applicationcredential"];
            Err(format!(
                "`{other}` is not an authentication type; there are {SUPPORTED}{}",
                did_you_mean(other, names)
            ))
        }
    }
}

const SUPPORTED: &str = "`password`, `token` and `v3applicationcredential`";

/// keystoneauth's other plugins (`pyproject.toml`, `keystoneauth1.plugin`), and openstacksdk's alias.
const LATER: [&str; 19] = [
    "none",
    "http_basic",
    "admin_token",
    "token_endpoint",
    "v3oidcclientcredentials",
    "v3oidcpassword",
    "v3oidcdeviceauthz",
    "v3oidcauthcode",
    "v3oidcaccesstoken",
    "v3oauth1",
    "v3kerberos",
    "v3totp",
    "v3fedkerb",
    "v3tokenlessauth",
    "v3adfspassword",
    "v3samlpassword",
    "v3multifactor",
    "v3oauth2clientcredential",
    "v3oauth2mtlsclientcredential",
];
