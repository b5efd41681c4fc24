//! Everything about the token: credentials in, fresh snapshots out.
//!
//! ```text
//! Credentials ─► Keystone::authenticate  POST /v3/auth/tokens; token in X-Subject-Token, catalog in the body
//!    ─► Snapshot { token, life, holder, catalog, routes, generation }
//!    ─► SnapshotCell ── load ─► every request, no lock, no wait while the token is good
//! Refresher: sleeps until refresh_at ─► authenticate ─► publish; Backoff on failure,
//!    keeping the old snapshot while it is valid.
//! ```
//!
//! Keystone gives a token made from a token the old expiry
//! (`keystone/auth/plugins/token.py`), so refreshing replays the credentials.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

mod candidate;
mod cell;
pub mod credentials;
mod error;
mod federation;
mod heal;
mod issuer;
mod jitter;
mod keeper;
mod keystone;
mod notices;
mod oauth;
#[cfg(any(test, fuzzing))]
pub(crate) mod oracle;
mod plan;
mod private_file;
pub mod probe;
mod protocol;
mod refresh;
mod reload;
mod snapshot;
mod standalone;
pub mod store;
mod survey;
pub mod token_file;

pub use cell::{NoToken, Phase, SnapshotCell, State};
pub use error::{AuthError, LOGIN_TIMEOUT};
pub use heal::{Healed, Refusal};
pub use issuer::{Issuer, Login};
pub use keystone::Keystone;
pub use notices::Notice;
pub use protocol::{Named, NamedProject, NamedUser};
pub use refresh::Refresher;
pub use reload::{Reload, ReloadOutcome, Waiting};
pub use snapshot::{Account, HeldScope, Holder, Life, Snapshot, Token};

/// How the token is obtained and kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Who we are.
    pub credentials: credentials::Credentials,
    /// How long a request waits for a token when there is none that is valid.
    pub token_wait: Duration,
    /// What to do when Keystone refuses the credentials at start.
    pub on_refused: OnRefused,
    /// Where the token is kept over restarts.
    pub token_cache: Option<PathBuf>,
    /// Where the token is written for tools that only read one.
    pub token_file: Option<PathBuf>,
    /// Have Keystone revoke the token when the program ends.
    pub revoke_on_exit: bool,
}

/// What to do when Keystone refuses the credentials at start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRefused {
    /// End with exit status 77.
    Exit,
    /// Stay up, not ready, and try at most twice more, far apart: supervisors restart into a lockout.
    Wait,
}

/// Logins by outcome, and what Keystone said about refused tokens, since the start.
#[derive(Debug, Default)]
pub struct IdentityMetrics {
    succeeded: AtomicU64,
    kept: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
    good: AtomicU64,
    dead: AtomicU64,
    unknown: AtomicU64,
    healings: AtomicU64,
}

impl IdentityMetrics {
    fn succeeded(&self) {
        self.succeeded.fetch_add(1, Ordering::Relaxed);
    }

    fn kept(&self) {
        self.kept.fetch_add(1, Ordering::Relaxed);
    }

    fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    fn checked(&self, standing: &cell::Standing) {
        let counter = match standing {
            cell::Standing::Good => &self.good,
            cell::Standing::Dead => &self.dead,
            cell::Standing::Unknown(_) => &self.unknown,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn healing(&self) {
        self.healings.fetch_add(1, Ordering::Relaxed);
    }

    /// Logins because a service refused the token; each is among [`IdentityMetrics::counts`] as well.
    pub fn healings(&self) -> u64 {
        self.healings.load(Ordering::Relaxed)
    }

    /// Questions about refused tokens: `(answer, count)` in the order in which they are shown.
    pub fn checks(&self) -> [(&'static str, u64); 3] {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [("good", count(&self.good)), ("dead", count(&self.dead)), ("unknown", count(&self.unknown))]
    }

    /// Logins, and tokens taken from the cache instead: `(outcome, count)` in the order in which they are shown.
    pub fn counts(&self) -> [(&'static str, u64); 4] {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("success", count(&self.succeeded)),
            ("failure", count(&self.failed)),
            ("refused", count(&self.refused)),
            ("cached", count(&self.kept)),
        ]
    }
}

#[cfg(test)]
mod tests;
