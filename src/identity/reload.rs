//! What the refresher is told when the settings have been read again.

use super::credentials::Credentials;
use crate::client::Client;
use crate::routing::Preferences;

/// Settings in order.
#[derive(Clone, Debug)]
pub struct Reload {
    /// The credentials in them, changed or not.
    pub credentials: Credentials,
    /// Whether a person asked (SIGHUP): then a login is tried even if nothing has changed.
    pub on_request: bool,
    /// What else is new.
    pub changed: Changed,
}

/// What the refresher depends on beside the credentials; none where it is as before.
#[derive(Clone, Debug, Default)]
pub struct Changed {
    /// How Keystone is reached.
    pub client: Option<Client>,
    /// Which endpoints are used.
    pub preferences: Option<Preferences>,
}

/// Settings in order, or in words for people why they are not used.
pub type ReloadOutcome = Result<Reload, String>;
