//! Keystone: Identity API v3, as far as clients and services ask it.
//!
//! ```text
//! routes    which path does what, and how it says no
//!   login     what a login asks for
//!   state     tokens, revocations, lockout, credentials: functions of the time
//!   describe  what is told, as JSON
//! ```
//!
//! It differs from the real one on purpose in this: a 401 never says what was wrong, as everywhere but in
//! debug mode; tokens are random texts, not Fernet; there is one domain; times have microseconds.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use http::request::Parts;
use http::{Method, Request};
use hyper::body::Incoming;
use jiff::Timestamp;
use serde_json::{Value, json};

mod describe;
mod login;
mod noted;
mod receipts;
mod routes;
mod state;
#[cfg(test)]
mod tests;

use self::login::{Login, Proof, Scope, Who};
use self::noted::Noted;
use self::state::{Held, State};
use super::catalog::{self, Address};
use super::people::{self, User};
use super::service::{Answer, Service};
use super::time::Time;
use super::{Site, Spec};

/// Who a token stands for, as a service learns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The user's id.
    pub user_id: String,
    /// The project's id, if the token is for one.
    pub project_id: Option<String>,
    /// Names of the roles there.
    pub roles: Vec<String>,
}

/// The identity service.
#[derive(Debug)]
pub struct Keystone {
    time: Time,
    state: Mutex<State>,
    noted: Mutex<Noted>,
    sites: OnceLock<Vec<Address>>,
    /// In place of the cloud's own.
    given_catalog: Mutex<Option<Value>>,
}

/// Whether a request is a login.
pub fn is_login(head: &Parts) -> bool {
    head.method == Method::POST && head.uri.path().trim_end_matches('/').ends_with("/v3/auth/tokens")
}

impl Keystone {
    pub(super) fn new(spec: &Spec, time: Time) -> Self {
        Self {
            time,
            state: Mutex::new(State::new(spec.token_lifetime, spec.lockout)),
            noted: Mutex::default(),
            sites: OnceLock::new(),
            given_catalog: Mutex::default(),
        }
    }

    /// Tells where everything is, once that is known.
    pub(super) fn publish(&self, sites: &[Site]) {
        let _ = self.sites.set(sites.iter().map(Address::from).collect());
    }

    /// Where clients log in.
    pub(super) fn auth_url(&self) -> String {
        let sites = self.sites.get().map(Vec::as_slice).unwrap_or_default();
        sites.iter().find_map(Address::auth_url).unwrap_or_default()
    }

    /// Who stands behind a token; nobody if it is unknown, has expired or was revoked.
    pub fn bearer(&self, token: &str) -> Option<Bearer> {
        let state = self.state();
        let issued = state.token(token, self.time.now())?;
        let project_id = match issued.held {
            Held::Project(project) => Some(project.id.to_owned()),
            Held::Nothing | Held::Domain | Held::System => None,
        };
        let roles = describe::role_names(issued).into_iter().map(str::to_owned).collect();
        Some(Bearer { user_id: issued.user.id.to_owned(), project_id, roles })
    }

    /// Whether a service takes this token.
    pub fn is_good(&self, token: &str) -> bool {
        self.bearer(token).is_some()
    }

    /// Life of the tokens from now on.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.state().lifetime = lifetime;
    }

    /// Makes every token that there is worthless.
    pub fn revoke_all(&self) {
        self.state().revoke_all();
    }

    /// Makes one token worthless; false if it was already.
    pub fn revoke(&self, token: &str) -> bool {
        self.state().revoke(token, self.time.now())
    }

    /// Tokens come with this catalog from now on; without one, with the cloud's own again.
    pub fn set_catalog(&self, catalog: Option<Value>) {
        *self.given_catalog.lock().unwrap_or_else(PoisonError::into_inner) = catalog;
    }

    /// Sets the password of the user of this name, which ends that user's tokens. False if there is
    /// nobody of that name.
    pub fn set_password(&self, name: &str, password: &str) -> bool {
        let user = user(name);
        user.map(|user| self.state().set_password(user, password)).is_some()
    }

    /// When the password of the user of this name ends, from now on; it is only told, not enforced.
    pub fn set_password_end(&self, name: &str, end: Timestamp) {
        if let Some(user) = user(name) {
            self.state().password_ends.insert(user.id, end);
        }
    }

    /// When the application credential of this id ends.
    pub fn set_credential_end(&self, id: &str, end: Timestamp) {
        let mut state = self.state();
        let credential = state.credentials.iter_mut().find(|credential| credential.id == id);
        if let Some(credential) = credential {
            credential.expires_at = Some(end);
        }
    }

    /// From now on a token of identity provider `somewhere` (protocol `openid`) is good for so long, and stands for the
    /// first user.
    pub fn trust_bearer(&self, token: &str, lifetime: Duration) {
        self.state().trust(token, lifetime, self.time.now());
    }

    /// A token of the first user for the first project, as a login gives it.
    pub fn issue(&self) -> Option<String> {
        let (user, project) = (&people::USERS[0], &people::PROJECTS[0]);
        let password =
            Proof::Password { user: Who::Id(user.id.to_owned()), password: user.password.to_owned() };
        let login = Login { proofs: vec![password], scope: Scope::ProjectId(project.id.to_owned()) };
        self.state().log_in(&login, None, self.time.now()).ok().map(|(token, _)| token)
    }

    /// How many logins were successful.
    pub fn logins(&self) -> usize {
        self.noted().logins
    }

    /// The last 256 tokens, oldest first.
    pub fn tokens(&self) -> Vec<String> {
        self.noted().tokens.iter().cloned().collect()
    }

    /// The bodies of the last 256 logins, with their passwords: this cloud has no secrets.
    pub fn login_requests(&self) -> Vec<Value> {
        self.noted().requests.iter().cloned().collect()
    }

    /// The last 256 tokens that somebody asked about with this method (`GET`, `HEAD`) or had revoked (`DELETE`).
    pub fn asked_about(&self, method: &Method) -> Vec<String> {
        let noted = self.noted();
        let asked = noted.subjects.iter().filter(|(by, _)| by == method);
        asked.map(|(_, token)| token.clone()).collect()
    }

    /// The cloud's time.
    pub fn now(&self) -> Timestamp {
        self.time.now()
    }

    fn catalog(&self, held: Held) -> Value {
        if let Some(given) = &*self.given_catalog.lock().unwrap_or_else(PoisonError::into_inner) {
            return given.clone();
        }
        let project_id = match held {
            Held::Project(project) => Some(project.id),
            Held::Nothing | Held::Domain | Held::System => None,
        };
        self.sites.get().map_or_else(|| json!([]), |sites| catalog::catalog(sites, project_id))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn user(name: &str) -> Option<&'static User> {
    people::USERS.iter().find(|user| user.name == name)
}

/// Keystone at one of its addresses.
#[derive(Debug)]
pub(super) struct Mount {
    /// The one that there is.
    pub(super) keystone: Arc<Keystone>,
    /// What stands before `/v3`.
    pub(super) root: &'static str,
}

impl Service for Mount {
    fn answer(&self, request: Request<Incoming>) -> Answer<'_> {
        Box::pin(self.keystone.respond(request, self.root))
    }
}
