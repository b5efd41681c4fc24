//! What the refresher is told when the settings have been read again.

use tokio::sync::{mpsc, oneshot};

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
    /// Who waits for the login with these credentials, where it is another than the one in use.
    pub waiting: Option<Waiting>,
}

/// Somebody who has to do something just before changed credentials are used.
#[derive(Clone, Debug)]
pub struct Waiting(mpsc::Sender<oneshot::Sender<()>>);

impl Waiting {
    /// With the place where the word arrives. Who gets it answers when all is done.
    pub(crate) fn new() -> (Self, mpsc::Receiver<oneshot::Sender<()>>) {
        let (tell, told) = mpsc::channel(1);
        (Self(tell), told)
    }

    /// The login has succeeded. Whether who waits has done what there is to do; nobody waits any more where other settings
    /// have come meanwhile, which the refresher has not read yet.
    pub(super) async fn tell(self) -> bool {
        let (done, is_done) = oneshot::channel();
        self.0.send(done).await.is_ok() && is_done.await.is_ok()
    }
}

/// Settings in order, or in words for people why they are not used.
pub type ReloadOutcome = Result<Reload, String>;
