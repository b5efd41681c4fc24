//! What Keystone knows: tokens, revocations, failed logins, application credentials. Functions of
//! what is asked and of the time; no sockets, no clock.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use aws_lc_rs::rand;
use jiff::{SignedDuration, Timestamp};

use super::login::{Login, Named, Proof, Scope, Which, Who};
use super::receipts::{Receipt, Receipts};
use crate::embedded::people::{self, Project, User};
use crate::totp;

/// A token.
#[derive(Clone, Debug)]
pub(super) struct Issued {
    pub(super) user: &'static User,
    pub(super) methods: Vec<&'static str>,
    pub(super) held: Held,
    pub(super) issued_at: Timestamp,
    pub(super) expires_at: Timestamp,
    /// Its own, and that of the token that it was made from.
    pub(super) audit_ids: Vec<String>,
    /// Id and name of the application credential that it was made from.
    pub(super) credential: Option<(String, String)>,
}

/// What a token is good for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Held {
    Nothing,
    Project(&'static Project),
    Domain,
    System,
}

/// An application credential.
#[derive(Clone, Debug)]
pub(super) struct Credential {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) secret: String,
    pub(super) user: &'static User,
    pub(super) project: &'static Project,
    pub(super) description: Option<String>,
    pub(super) unrestricted: Option<bool>,
    pub(super) expires_at: Option<Timestamp>,
}

/// Why there is no token.
#[derive(Clone, Debug)]
pub(super) enum Refusal {
    /// 401: wrong password, unknown user, locked out, no role there: Keystone does not say which.
    Unauthorized,
    /// 401: a part of a login, and the receipt for it.
    Incomplete(Box<(String, Receipt)>),
    /// 401: application credentials bring their scope.
    ScopedCredential,
    /// 403: a token of an application credential makes no other.
    Delegated,
    /// 404: no such token.
    UnknownToken,
    /// 404: no such application credential.
    UnknownCredential(String),
}

/// Everything that changes.
#[derive(Debug)]
pub(super) struct State {
    pub(super) lifetime: Duration,
    lockout: Option<(u32, Duration)>,
    tokens: HashMap<String, Issued>,
    receipts: Receipts,
    /// Tokens of the identity provider, and when they end.
    bearers: HashMap<String, Timestamp>,
    /// The same, oldest first.
    order: VecDeque<String>,
    passwords: HashMap<&'static str, String>,
    /// When a password ends, by the user's id.
    pub(super) password_ends: HashMap<&'static str, Timestamp>,
    /// Wrong passwords in a row, and the time of the last.
    failures: HashMap<&'static str, (u32, Timestamp)>,
    pub(super) credentials: Vec<Credential>,
}

impl State {
    pub(super) fn new(lifetime: Duration, lockout: Option<(u32, Duration)>) -> Self {
        let (user, project) = (&people::USERS[0], &people::PROJECTS[0]);
        let credentials = people::APPLICATION_CREDENTIALS.iter().map(|credential| Credential {
            id: credential.id.to_owned(),
            name: credential.name.to_owned(),
            secret: credential.secret.to_owned(),
            user,
            project,
            description: None,
            unrestricted: None,
            expires_at: None,
        });
        Self {
            lifetime,
            lockout,
            tokens: HashMap::new(),
            receipts: Receipts::default(),
            bearers: HashMap::new(),
            order: VecDeque::new(),
            passwords: HashMap::new(),
            password_ends: HashMap::new(),
            failures: HashMap::new(),
            credentials: credentials.collect(),
        }
    }

    /// A new token, or why there is none. A receipt stands for what was proven before.
    pub(super) fn log_in(
        &mut self,
        login: &Login,
        receipt: Option<&str>,
        now: Timestamp,
    ) -> Result<(String, Issued), Refusal> {
        let before = receipt.and_then(|id| self.receipts.get(id, now)).cloned();
        let mut user: Option<&'static User> = before.as_ref().map(|receipt| receipt.user);
        let (mut parent, mut credential) = (None, None);
        for proof in &login.proofs {
            let proven = match proof {
                Proof::Password { user, password } => self.by_password(user, password, now)?,
                Proof::Totp { user, passcode } => by_code(user, passcode, now)?,
                Proof::Token(token) => {
                    let issued = self.token(token, now).ok_or(Refusal::UnknownToken)?.clone();
                    if issued.credential.is_some() {
                        return Err(Refusal::Delegated);
                    }
                    let user = issued.user;
                    parent = Some(issued);
                    user
                }
                Proof::Credential { credential: which, secret } => {
                    let found = self.credential(which)?;
                    if found.secret != *secret || found.expires_at.is_some_and(|end| end <= now) {
                        return Err(Refusal::Unauthorized);
                    }
                    let user = found.user;
                    credential = Some(((found.id.clone(), found.name.clone()), found.project));
                    user
                }
            };
            if user.is_some_and(|user| user.id != proven.id) {
                return Err(Refusal::Unauthorized);
            }
            user = Some(proven);
        }
        let user = user.ok_or(Refusal::Unauthorized)?;
        let mut methods = before.map(|receipt| receipt.methods).unwrap_or_default();
        methods.extend(login.methods());
        if credential.is_none()
            && parent.is_none()
            && let Some(given) = self.receipts.give(user, &methods, now)
        {
            return Err(Refusal::Incomplete(Box::new(given)));
        }
        let held = match (&credential, &login.scope) {
            (Some((_, project)), Scope::Unspecified) => Held::Project(project),
            (Some(_), _) => return Err(Refusal::ScopedCredential),
            (None, scope) => scoped(user, scope)?,
        };
        let mut audit_ids = vec![random_text(22)];
        let mut expires_at = later(now, self.lifetime);
        if let Some(parent) = parent {
            // keystone/auth/plugins/token.py: the new token ends with the old one.
            expires_at = parent.expires_at;
            methods.splice(0..0, parent.methods);
            methods.dedup();
            audit_ids.extend(parent.audit_ids.into_iter().next_back());
        }
        let credential = credential.map(|(names, _)| names);
        let issued = Issued { user, methods, held, issued_at: now, expires_at, audit_ids, credential };
        let token = format!("gAAAAAB{}", random_text(176));
        self.keep(token.clone(), issued.clone(), now);
        Ok((token, issued))
    }

    /// From now on a token of the provider's is good for so long.
    pub(super) fn trust(&mut self, bearer: &str, lifetime: Duration, now: Timestamp) {
        self.bearers.retain(|_, end| *end > now);
        self.bearers.insert(bearer.to_owned(), later(now, lifetime));
    }

    /// A token without scope, of the user that all of the provider's are mapped to.
    pub(super) fn federated(&mut self, bearer: &str, now: Timestamp) -> Result<(String, Issued), Refusal> {
        if self.bearers.get(bearer).is_none_or(|end| *end <= now) {
            return Err(Refusal::Unauthorized);
        }
        let issued = Issued {
            user: &people::USERS[0],
            methods: vec!["openid"],
            held: Held::Nothing,
            issued_at: now,
            expires_at: later(now, self.lifetime),
            audit_ids: vec![random_text(22)],
            credential: None,
        };
        let token = format!("gAAAAAB{}", random_text(176));
        self.keep(token.clone(), issued.clone(), now);
        Ok((token, issued))
    }

    /// The token, if it is known, has not expired and was not revoked.
    pub(super) fn token(&self, token: &str, now: Timestamp) -> Option<&Issued> {
        self.tokens.get(token).filter(|issued| now < issued.expires_at)
    }

    /// Takes a token away; false if it was not good anyway.
    pub(super) fn revoke(&mut self, token: &str, now: Timestamp) -> bool {
        let was_good = self.token(token, now).is_some();
        self.tokens.remove(token);
        was_good
    }

    pub(super) fn revoke_all(&mut self) {
        self.tokens.clear();
        self.order.clear();
    }

    /// Sets a user's password, which ends the user's tokens.
    pub(super) fn set_password(&mut self, user: &'static User, password: &str) {
        self.passwords.insert(user.id, password.to_owned());
        self.tokens.retain(|_, issued| issued.user.id != user.id);
    }

    pub(super) fn has_password(&self, user: &User, password: &str) -> bool {
        self.passwords.get(user.id).map_or(user.password, String::as_str) == password
    }

    fn credential(&self, which: &Which) -> Result<&Credential, Refusal> {
        let found = match which {
            Which::Id(id) => self.credentials.iter().find(|credential| credential.id == *id),
            Which::Name { name, user } => {
                let user = find(user).ok_or(Refusal::Unauthorized)?;
                let is_it =
                    |credential: &&Credential| credential.user.id == user.id && credential.name == *name;
                self.credentials.iter().find(is_it)
            }
        };
        found.ok_or_else(|| {
            let (Which::Id(name) | Which::Name { name, .. }) = which;
            Refusal::UnknownCredential(name.clone())
        })
    }

    fn by_password(&mut self, user: &Who, password: &str, now: Timestamp) -> Result<&'static User, Refusal> {
        let user = find(user).ok_or(Refusal::Unauthorized)?;
        if self.is_locked(user, now) {
            return Err(Refusal::Unauthorized);
        }
        if self.has_password(user, password) {
            self.failures.remove(user.id);
            return Ok(user);
        }
        let failures = self.failures.entry(user.id).or_insert((0, now));
        *failures = (failures.0 + 1, now);
        Err(Refusal::Unauthorized)
    }

    /// Keystone's `lockout_failure_attempts` and `lockout_duration`.
    fn is_locked(&mut self, user: &User, now: Timestamp) -> bool {
        let Some((attempts, duration)) = self.lockout else { return false };
        match self.failures.get(user.id) {
            Some((failed, last)) if *failed >= attempts => {
                let is_over = now >= later(*last, duration);
                if is_over {
                    self.failures.remove(user.id);
                }
                !is_over
            }
            _ => false,
        }
    }

    /// Bounded: those that have expired go first, then the oldest.
    fn keep(&mut self, token: String, issued: Issued, now: Timestamp) {
        if self.tokens.len() >= MOST_TOKENS {
            self.tokens.retain(|_, issued| now < issued.expires_at);
        }
        if self.order.len() >= 2 * MOST_TOKENS {
            self.order.retain(|token| self.tokens.contains_key(token));
        }
        while self.tokens.len() >= MOST_TOKENS
            && let Some(oldest) = self.order.pop_front()
        {
            self.tokens.remove(&oldest);
        }
        self.order.push_back(token.clone());
        self.tokens.insert(token, issued);
    }
}

/// What a user may have of a scope.
fn scoped(user: &'static User, scope: &Scope) -> Result<Held, Refusal> {
    let project = match scope {
        Scope::Unspecified | Scope::Unscoped => return Ok(Held::Nothing),
        Scope::System if user.is_admin => return Ok(Held::System),
        Scope::Domain(domain) if user.is_admin && is_domain(domain) => return Ok(Held::Domain),
        Scope::System | Scope::Domain(_) => return Err(Refusal::Unauthorized),
        Scope::ProjectId(id) => people::PROJECTS.iter().find(|project| project.id == *id),
        Scope::ProjectName { name, domain } => {
            let is_it = |project: &&Project| project.name.eq_ignore_ascii_case(name) && is_domain(domain);
            people::PROJECTS.iter().find(is_it)
        }
    };
    let project = project.filter(|project| !user.roles_on(project).is_empty());
    project.map(Held::Project).ok_or(Refusal::Unauthorized)
}

/// Keystone takes the code of the step before too (`totp.included_previous_windows`), and any more than once.
fn by_code(user: &Who, code: &str, now: Timestamp) -> Result<&'static User, Refusal> {
    let user = find(user).ok_or(Refusal::Unauthorized)?;
    let seed = user.totp_seed.ok_or(Refusal::Unauthorized)?;
    let step = totp::step(now.as_second().unsigned_abs());
    let fits = [step, step.saturating_sub(1)]
        .into_iter()
        .any(|step| totp::code(seed, step).is_some_and(|it| *it == code));
    if fits { Ok(user) } else { Err(Refusal::Unauthorized) }
}

fn find(who: &Who) -> Option<&'static User> {
    people::USERS.iter().find(|user| match who {
        Who::Id(id) => user.id == id,
        // As in MySQL, which most clouds have: without regard to case.
        Who::Name { name, domain } => user.name.eq_ignore_ascii_case(name) && is_domain(domain),
    })
}

fn is_domain(domain: &Named) -> bool {
    match domain {
        Named::Id(id) => id == people::DOMAIN.0,
        Named::Name(name) => name.eq_ignore_ascii_case(people::DOMAIN.1),
    }
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Letters, digits, `-` and `_`, as in a Fernet token.
pub(super) fn random_text(length: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    random(length).into_iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])).collect()
}

/// An id as Keystone makes them: 32 hexadecimal digits.
pub(super) fn random_id() -> String {
    random(16).into_iter().map(|byte| format!("{byte:02x}")).collect()
}

fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    if rand::fill(&mut bytes).is_err() {
        // Without the system's randomness: nothing here needs to be secret.
        bytes.fill_with(|| fastrand::u8(..));
    }
    bytes
}

/// Tokens that are kept.
const MOST_TOKENS: usize = 20_000;
