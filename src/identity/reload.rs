//! What the refresher is told when the settings have been read again.

use super::credentials::Credentials;

/// Settings in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reload {
    /// The credentials in them, changed or not.
    pub credentials: Credentials,
    /// Whether a person asked (SIGHUP): then a login is tried even if nothing has changed.
    pub on_request: bool,
}

/// Settings in order, or in words for people why they are not used.
pub type ReloadOutcome = Result<Reload, String>;
