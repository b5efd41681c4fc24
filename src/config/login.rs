//! From what a user wrote about a login to [`Credentials`] that are complete and valid.
//!
//! 1. The kind of login is `auth_type`, or else what the other keys fit ([`kind`]).
//! 2. `domain_*` stands for the domains of user and project where those are missing
//!    (`openstack/config/loader.py:_handle_domain_id`), then `default_domain_*` does.
//! 3. One scope at most; application credentials take none.
//! 4. What else the user can prove is kept for a Keystone that wants it too.

use crate::catalog::EndpointUrl;
use crate::identity::credentials::{
    ApplicationCredential, Credentials, Domain, Method, Passcode, Project, Scope, User,
};
use crate::secret::Secret;

use self::kind::{Factor, Kind};
use super::draft::{Draft, Origin};
use super::mistakes::Mistakes;

mod federation;
mod kind;
mod seed;
mod standalone;

/// Checks a draft; without mistakes there are credentials.
pub(super) fn credentials(
    draft: &Draft,
    warnings: &mut Vec<String>,
    mistakes: &mut Mistakes,
) -> Option<Credentials> {
    let mut reader = Reader { draft, warnings, mistakes };
    let kind = reader.kind();
    if let Some(Kind::Standalone(fixed)) = kind {
        return reader.standalone(fixed);
    }
    let auth_url = reader.auth_url();
    let method = kind.as_ref().and_then(|kind| reader.method(kind));
    // What is wrong with the user has been said.
    let spare = kind.as_ref().filter(|_| method.is_some()).map(|kind| reader.spare(kind)).unwrap_or_default();
    let scope = kind.and_then(|kind| reader.scope(&kind));
    Some(Credentials { auth_url: Some(auth_url?), method: method?, spare, scope: scope? })
}

/// Which secrets a login of this draft lacks, so that they can be looked for.
pub(super) fn missing_secrets(draft: &Draft) -> Vec<&'static str> {
    let groups = Kind::of(draft).map(|kind| kind.secrets()).unwrap_or_default();
    groups.into_iter().filter(|group| !group.iter().any(|key| draft.has(key))).flatten().copied().collect()
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
        let kind = Kind::of(self.draft);
        kind.map_err(|(key, message)| self.mistakes.at(self.draft.place(key), message)).ok()
    }

    fn method(&mut self, kind: &Kind) -> Option<Method> {
        match kind {
            Kind::Oidc(oidc) => return self.federated(*oidc),
            Kind::OAuth2 => return self.oauth2(),
            Kind::Standalone(_) => return None,
            Kind::One(_) | Kind::Multifactor(_) => {}
        }
        // All of them, so that all mistakes are found.
        let factors: Vec<Option<Method>> = kind.factors().iter().map(|factor| self.factor(*factor)).collect();
        let mut factors: Vec<Method> = factors.into_iter().collect::<Option<_>>()?;
        if factors.len() == 1 { factors.pop() } else { Some(Method::Multifactor(factors)) }
    }

    fn factor(&mut self, factor: Factor) -> Option<Method> {
        match factor {
            Factor::Password => {
                let user = self.user("a password login");
                let password = self.secret("password");
                Some(Method::Password { user: user?, password: password? })
            }
            Factor::Token => Some(Method::Token(self.secret("token")?)),
            Factor::ApplicationCredential => {
                let credential = self.application_credential();
                let secret = self.secret("application_credential_secret");
                Some(Method::ApplicationCredential { credential: credential?, secret: secret? })
            }
            Factor::Totp => {
                let user = self.user("a login by one-time passcode");
                let passcode = self.passcode();
                Some(Method::Totp { user: user?, passcode: passcode? })
            }
        }
    }

    /// Rule 4: what renews itself.
    fn spare(&mut self, kind: &Kind) -> Vec<Method> {
        let has = |factor| kind.factors().contains(&factor);
        let mut spare = Vec::new();
        if !has(Factor::Totp) && has(Factor::Password) && self.draft.has("totp_secret") {
            spare.extend(self.factor(Factor::Totp));
        }
        if has(Factor::Totp) && !has(Factor::Password) && self.draft.has("password") {
            spare.extend(self.factor(Factor::Password));
        }
        spare
    }

    fn passcode(&mut self) -> Option<Passcode> {
        let (has_code, has_seed) = (self.draft.has("passcode"), self.draft.has("totp_secret"));
        let (code, seed) = (self.draft.name("passcode"), self.draft.name("totp_secret"));
        if has_seed {
            // A code that is left over from an hour ago is worth nothing beside it.
            let placed = self.draft.secrets.get("totp_secret")?;
            let read = seed::read(&placed.value);
            return read.map_err(|why| self.mistakes.at(&placed.place, why)).ok().map(Passcode::Seed);
        }
        if !has_code {
            self.wrong(format!(
                "a login by one-time passcode wants {seed} (the seed that an authenticator has, in base32), or {code} for \
                 one login that is not renewed"
            ));
            return None;
        }
        Some(Passcode::Given(self.secret("passcode")?))
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
        if found.is_none() && !self.draft.unusable.contains(key) {
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

    fn scope(&mut self, kind: &Kind) -> Option<Scope> {
        let targets = ["project_id", "project_name", "system_scope", "trust_id", "domain_id", "domain_name"];
        let asked: Vec<&str> = targets.into_iter().filter(|key| self.draft.has(key)).collect();
        if kind.factors().contains(&Factor::ApplicationCredential) || *kind == Kind::OAuth2 {
            return self.no_scope(&asked);
        }
        // A domain beside another scope is that of user and project.
        let exclusive: Vec<&str> = asked
            .iter()
            .copied()
            .filter(|key| !key.starts_with("domain_"))
            .filter(|key| *key != "project_name" || !self.draft.has("project_id"))
            .collect();
        if let [first, .., last] = exclusive[..] {
            self.mistakes.at(
                self.draft.place(last),
                format!(
                    "a token is valid for one of a project, a trust and the system; {} is set too",
                    self.draft.name(first)
                ),
            );
            return None;
        }
        match exclusive.first().copied().zip(exclusive.first().and_then(|key| self.draft.text(key))) {
            Some(("project_id", id)) => Some(Scope::Project(Project::Id(id.to_owned()))),
            Some(("project_name", name)) => {
                let domain = self.domain_of("project_name", "project_domain_id", "project_domain_name")?;
                Some(Scope::Project(Project::Name { name: name.to_owned(), domain }))
            }
            Some(("trust_id", id)) => Some(Scope::Trust(id.to_owned())),
            Some((_, "all")) => Some(Scope::System),
            Some((key, scope)) => {
                self.mistakes
                    .at(self.draft.place(key), format!("`{scope}` is no system scope; there is `all`"));
                None
            }
            None => match self.domain("domain_id", "domain_name") {
                Some(domain) => Some(Scope::Domain(domain)),
                None => {
                    let (id, name) = (self.draft.name("project_id"), self.draft.name("project_name"));
                    self.warnings.push(format!(
                        "no project is named ({id} or {name}): the token is for the user's default project if there is one, else for none"
                    ));
                    Some(Scope::Unspecified)
                }
            },
        }
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
