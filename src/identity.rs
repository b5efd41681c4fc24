//! Everything about the token.

use std::time::Duration;

pub mod credentials;

/// How the token is obtained and kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who we are.
    pub credentials: credentials::Credentials,
    /// How long a request waits for a token when there is none that is valid.
    pub token_wait: Duration,
    /// What to do when Keystone refuses the credentials at start.
    pub on_refused: OnRefused,
}

/// What to do when Keystone refuses the credentials at start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRefused {
    /// End with exit status 77.
    Exit,
    /// Stay up, not ready, and try at most twice more, far apart: supervisors restart into a lockout.
    Wait,
}
