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
    /// How Keystone is reached.
    pub client: Client,
    /// Whether that is another way than before.
    pub is_other_way: bool,
    /// Which endpoints are used.
    pub preferences: Preferences,
}

/// Settings in order, or in words for people why they are not used.
pub type ReloadOutcome = Result<Reload, String>;
