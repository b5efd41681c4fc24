//! `Snapshot`: the token and all that came with it, immutable.
//!
//! Token, expiry, catalog and routes change together, so they are one value. A
//! request loads it once and cannot see half of a change.
//!
//! The deadline is the time at which the login was *sent* plus the lifetime that
//! Keystone states (`expires_at` - `issued_at`). Keystone's time is never compared
//! with ours, so a wrong clock does no harm. The token is refreshed at two thirds
//! of its life, give or take 5 %, and never later than 120 s before its end if it
//! lives longer than 6 minutes (keystoneauth considers 120 s too little to start
//! with: `identity/base.py`, `MIN_TOKEN_LIFE_SECONDS`).

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::protocol::{Named, NamedProject, NamedUser};
use crate::catalog::Catalog;
use crate::clock::Moment;
use crate::routing::RouteTable;

/// One token and what it is good for.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Counts tokens, from 1; the same while the token is.
    pub generation: u64,
    /// The token.
    pub token: Token,
    /// How long it lives.
    pub life: Life,
    /// Whose it is and what it is scoped to.
    pub holder: Holder,
    /// The endpoints listed with it.
    pub catalog: Catalog,
    /// Where each path goes.
    pub routes: RouteTable,
    /// What else is known of the account.
    pub account: Account,
    /// Whether `catalog` is an older one, since the last one came empty.
    pub catalog_is_kept: bool,
    /// The login on Keystone's clock and on ours.
    pub(super) anchor: Anchor,
}

/// What is known of the account beside its token.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Projects that the user may choose from, where the token is for none.
    pub projects: Vec<NamedProject>,
    /// When the password ends, if it ever does.
    pub password_end: Option<Moment>,
    /// When the application credential ends, if it ever does.
    pub credential_end: Option<Moment>,
    /// Whether a new login gives a new lifetime.
    pub is_renewable: bool,
}

/// One instant on Keystone's clock and on ours, so that no time of one is compared with the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Anchor {
    /// When the login was sent.
    pub(super) sent: Moment,
    /// When Keystone says that it issued the token, if it does.
    pub(super) issued: Option<Timestamp>,
}

impl Anchor {
    /// A time of Keystone's on our clocks; one before the login counts as the login.
    pub(super) fn ours(self, time: Timestamp) -> Option<Moment> {
        let ahead = Duration::try_from(time.duration_since(self.issued?)).unwrap_or(Duration::ZERO);
        Some(self.sent.plus(ahead.min(FURTHEST)))
    }
}

/// Nobody looks further ahead, and clocks cannot show it.
const FURTHEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// An auth token, ready to be sent. Marked sensitive, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// Empty if there is none.
    value: HeaderValue,
    is_secret: bool,
    authorization: Option<HeaderValue>,
}

impl Token {
    /// Takes the value of `X-Subject-Token`, into memory that is wiped when the last reference to it is gone.
    pub(super) fn new(value: HeaderValue) -> Self {
        let wiped = Bytes::from_owner(Zeroizing::new(value.as_bytes().to_vec()));
        let mut value = HeaderValue::from_maybe_shared(wiped).unwrap_or(value);
        value.set_sensitive(true);
        Self { value, is_secret: true, authorization: None }
    }

    #[cfg(test)]
    pub(crate) fn of_test(value: &'static str) -> Self {
        Self::new(HeaderValue::from_static(value))
    }

    /// The same with a field `Authorization` beside it, marked sensitive.
    pub(super) fn with_authorization(self, authorization: HeaderValue) -> Self {
        Self { authorization: Some(authorization), ..self }
    }

    /// A field `Authorization`, marked sensitive, and no token.
    pub(super) fn of_authorization(authorization: HeaderValue) -> Self {
        Self::of_no_worth("").with_authorization(authorization)
    }

    /// What everyone may know.
    pub(super) fn of_no_worth(value: &'static str) -> Self {
        Self { is_secret: false, ..Self::new(HeaderValue::from_static(value)) }
    }

    /// The token, if nobody else may know it.
    pub fn secret(&self) -> Option<&HeaderValue> {
        Some(&self.value).filter(|_| self.is_secret)
    }

    /// The value for `X-Auth-Token`; empty where there is only one for `Authorization`.
    pub fn header(&self) -> &HeaderValue {
        &self.value
    }

    /// The value for `Authorization`, where services want one too.
    pub fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// From when to when a token is good, and when to get the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// When the login was sent.
    pub start: Moment,
    /// `expires_at` - `issued_at`.
    pub lifetime: Duration,
    /// When to log in again.
    pub refresh_at: Moment,
    /// Not to be sent any more from here on.
    pub expires: Moment,
}

impl Life {
    /// `jitter` is in `-1.0..=1.0` and moves the refresh by up to 5 % of the lifetime.
    pub fn new(start: Moment, lifetime: Duration, jitter: f64) -> Self {
        let mut refresh_after = lifetime.mul_f64(2.0 / 3.0 + 0.05 * jitter.clamp(-1.0, 1.0));
        if lifetime > LONG_LIFE {
            refresh_after = refresh_after.min(lifetime - LEAST_LIFE_LEFT);
        }
        Self { start, lifetime, refresh_at: start.plus(refresh_after), expires: start.plus(lifetime) }
    }

    /// The same with a refresh in time for what ends after `within`.
    #[must_use]
    pub(super) fn refreshed_within(self, within: Option<Duration>, jitter: f64) -> Self {
        let Some(within) = within.filter(|within| *within < self.lifetime) else { return self };
        let Self { refresh_at, .. } = Self::new(self.start, within, jitter);
        let is_sooner = refresh_at.remaining(self.start) < self.refresh_at.remaining(self.start);
        if is_sooner { Self { refresh_at, ..self } } else { self }
    }
}

/// A token that lives longer than this is never left with less than [`LEAST_LIFE_LEFT`].
const LONG_LIFE: Duration = Duration::from_secs(360);
/// Life left at which clients and services begin to call a token stale.
const LEAST_LIFE_LEFT: Duration = Duration::from_secs(120);

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The user.
    pub user: NamedUser,
    /// What the token is valid for.
    pub scope: HeldScope,
    /// The roles it carries there.
    pub roles: Vec<Named>,
    /// The application credential it was made from, if it was.
    pub credential_id: Option<String>,
}

impl Holder {
    /// Whether a login for this user and scope is another of the same kind.
    pub(super) fn is_same(&self, user: &NamedUser, scope: &HeldScope) -> bool {
        let is_same_scope = match (&self.scope, scope) {
            (HeldScope::Project(held), HeldScope::Project(project)) => held.id == project.id,
            (HeldScope::Domain(held), HeldScope::Domain(domain)) => held.id == domain.id,
            (HeldScope::System, HeldScope::System)
            | (HeldScope::Unscoped, HeldScope::Unscoped)
            | (HeldScope::Standalone, HeldScope::Standalone) => true,
            _ => false,
        };
        is_same_scope && self.user.id == user.id
    }

    /// The id of the project, if it is one.
    pub(crate) fn project_id(&self) -> Option<&str> {
        match &self.scope {
            HeldScope::Project(project) => Some(&project.id),
            HeldScope::Domain(_) | HeldScope::System | HeldScope::Unscoped | HeldScope::Standalone => None,
        }
    }
}

/// What a token turned out to be valid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeldScope {
    /// A project.
    Project(NamedProject),
    /// A domain.
    Domain(Named),
    /// The whole system.
    System,
    /// Nothing: good for Keystone alone.
    Unscoped,
    /// Services that have no Keystone.
    Standalone,
}

impl HeldScope {
    /// The project's id, for endpoint overrides and routes.
    pub fn project_id(&self) -> Option<&str> {
        match self {
            Self::Project(project) => Some(&project.id),
            Self::Domain(_) | Self::System | Self::Unscoped | Self::Standalone => None,
        }
    }
}

impl fmt::Display for HeldScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Project(project) => write!(f, "project {}", project.name),
            Self::Domain(domain) => write!(f, "domain {}", domain.name),
            Self::System => f.write_str("the whole system"),
            Self::Unscoped => f.write_str("no scope"),
            Self::Standalone => f.write_str("services without Keystone"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[tokio::test(start_paused = true)]
    async fn a_token_is_refreshed_at_two_thirds_but_never_too_late() {
        let start = Clock::system().now();
        let after = |lifetime: u64, jitter: f64| {
            let life = Life::new(start, Duration::from_secs(lifetime), jitter);
            life.refresh_at.remaining(start).as_secs_f64().round()
        };
        // (lifetime in s, jitter, seconds until the refresh)
        let table = [
            (10, 0.0, 7.0),
            (20, 1.0, 14.0),
            (360, 1.0, 258.0),
            (361, 1.0, 241.0),
            (3600, 0.0, 2400.0),
            (3600, -1.0, 2220.0),
            (3600, 1.0, 2580.0),
            (86_400, 0.0, 57_600.0),
        ];
        for (lifetime, jitter, expected) in table {
            assert_eq!(after(lifetime, jitter), expected, "lifetime {lifetime} s, jitter {jitter}");
        }
    }

    #[test]
    fn a_token_is_never_printed() {
        let token = Token::new(HeaderValue::from_static("gAAAA-secret"));
        assert_eq!(format!("{token:?} {:?}", token.header()), "[redacted] Sensitive");
    }
}
