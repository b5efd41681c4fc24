//! `Way`: how a login's Keystone and services are reached; rule 3.

use std::path::PathBuf;

use tokio::sync::{mpsc, oneshot};

use crate::client::{self, Client, SetupError};
use crate::config::Config;
use crate::identity::Waiting;
use crate::identity::credentials::Credentials;

/// How a login's Keystone and services are reached.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    /// Whose, without the secret.
    pub(super) login: Credentials,
    settings: client::Settings,
    certificates: Vec<(PathBuf, u64)>,
    pub(super) client: Client,
}

/// One that waits for its login.
#[derive(Debug)]
pub(crate) struct NextWay {
    pub(super) way: Way,
    pub(super) waiting: Waiting,
    pub(super) succeeded: mpsc::Receiver<oneshot::Sender<()>>,
}

impl Way {
    /// The one that `config` says.
    pub(crate) fn of(config: &Config, client: Client) -> Self {
        Self {
            login: config.identity.credentials.without_secret(),
            settings: config.client.clone(),
            certificates: config.sources.certificates.clone(),
            client,
        }
    }

    /// The same, with the client of one that is known where that differs by the login alone.
    pub(super) fn read<'a>(
        config: &Config,
        known: impl IntoIterator<Item = &'a Self>,
    ) -> Result<Self, SetupError> {
        let is_as_set =
            |way: &&Self| way.settings == config.client && way.certificates == config.sources.certificates;
        let client = match known.into_iter().find(is_as_set) {
            Some(way) => way.client.clone(),
            None => Client::new(&config.client)?,
        };
        Ok(Self::of(config, client))
    }

    /// Whether they differ by the login alone.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        self.settings == other.settings && self.certificates == other.certificates
    }
}

impl NextWay {
    pub(super) fn new(way: Way) -> Self {
        let (waiting, succeeded) = Waiting::new();
        Self { way, waiting, succeeded }
    }
}
