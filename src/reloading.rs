//! `Reloading`: puts settings that were read again in force, all of them or none.
//!
//! 1. Everything that can fail is tried before anything changes: certificates, doors, the region. What fails keeps the
//!    settings before in force, and says so in status, log and metrics.
//! 2. A listener keeps its socket and its connections. It gets what its address has in the new settings: service, client
//!    secret, who is let in, rules.
//! 3. Connections to upstreams stay unless what they depend on has changed, their certificates' files included.
//! 4. A few settings take effect at the next start alone ([`Lasting`](crate::in_force::Lasting) depends on them): which,
//!    is told.

use std::sync::Arc;

use tokio::sync::mpsc;
use tracing::{error, info, warn};

use crate::admin::Listening;
use crate::client::Client;
use crate::config::Config;
use crate::identity::{Changed, Reload, ReloadOutcome};
use crate::in_force::{Current, Lasting, Made};
use crate::metrics::Metrics;
use crate::proxy::Door;
use crate::run::{RunError, check_region, door};
use crate::server::{BoundAddr, ListenAddr, Lookup};

/// Settings that were read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reread {
    /// All of them, or in words for people why they are not used.
    pub outcome: Result<Box<Config>, String>,
    /// Whether a person asked for it, by SIGHUP: then a login is tried even if nothing has changed.
    pub on_request: bool,
}

/// A listener, by what the settings call it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) setting: ListenAddr,
    pub(crate) addr: BoundAddr,
}

/// What is in force, and who has to be told of something else.
#[derive(Debug)]
pub(crate) struct Reloading {
    pub(crate) lasting: Lasting,
    pub(crate) places: Vec<Place>,
    pub(crate) lookup: Lookup,
    pub(crate) workers: Vec<(Current, Arc<Metrics>)>,
    pub(crate) refresher: mpsc::Sender<ReloadOutcome>,
    /// In force, without the login.
    pub(crate) config: Config,
    pub(crate) client: Client,
    pub(crate) made: Made,
    /// What the first settings say that stays until the next start.
    pub(crate) at_start: AtStart,
}

/// New settings that have been tried.
struct Tried {
    config: Config,
    client: Option<Client>,
    doors: Arc<[Arc<Door>]>,
    listening: Vec<Listening>,
}

impl Reloading {
    /// Takes what comes until nobody reads settings any more.
    pub(crate) async fn run(mut self, mut rereads: mpsc::Receiver<Reread>, told: impl Fn(&Reread)) {
        while let Some(mut reread) = rereads.recv().await {
            let tried = match std::mem::replace(&mut reread.outcome, Err(String::new())) {
                Ok(config) => self.try_out(*config).map_err(|error| {
                    let problem = error.to_string();
                    error!("the new settings are not used, those before stay in force: {problem}");
                    problem
                }),
                Err(problem) => Err(problem),
            };
            self.lasting.admin.reloaded(tried.is_ok());
            let outcome = tried.map(|tried| self.put_in_force(tried, reread.on_request));
            reread.outcome = match &outcome {
                Ok(_) => Ok(Box::new(self.config.clone())),
                Err(problem) => Err(problem.clone()),
            };
            // Gone when the program ends.
            if self.refresher.send(outcome).await.is_err() {
                return;
            }
            told(&reread);
        }
        // Nothing is read any more, which is no reason to end.
        std::future::pending().await
    }

    /// Rule 1.
    fn try_out(&self, config: Config) -> Result<Tried, RunError> {
        let is_other_client = config.client != self.config.client
            || config.sources.certificates != self.config.sources.certificates;
        let client = is_other_client.then(|| Client::new(&config.client)).transpose()?;
        let mut doors = Vec::new();
        let mut listening = Vec::new();
        for Place { setting, addr } in &self.places {
            let own = config.listeners.iter().find(|own| own.addr == *setting);
            // Rule 4: what has no place in the new settings stays as it is until the next start.
            let own = own.or_else(|| self.config.listeners.iter().find(|own| own.addr == *setting));
            let Some(own) = own else { continue };
            let door = door(own, addr)?;
            if matches!(addr, BoundAddr::Tcp(_)) && door.needs_users() && self.lookup == Lookup::None {
                return Err(RunError::NoUsers { addr: addr.clone() });
            }
            listening.push(Listening::new(addr.clone(), own));
            doors.push(Arc::new(door));
        }
        if let Some(snapshot) = self.lasting.cell.current()
            && config.routing.region != self.config.routing.region
        {
            check_region(&snapshot, config.routing.region.as_ref())?;
        }
        Ok(Tried { config, client, doors: doors.into(), listening })
    }

    fn put_in_force(&mut self, tried: Tried, on_request: bool) -> Reload {
        let Tried { mut config, client, doors, listening } = tried;
        let rest = config.identity.credentials.without_secret();
        let credentials = std::mem::replace(&mut config.identity.credentials, rest);
        let changed = Changed {
            client: client.clone(),
            preferences: (config.routing != self.config.routing).then(|| config.routing.clone()),
        };
        if let Some(client) = client {
            info!("connections to services are made anew, since their settings or certificates have changed");
            self.client = client;
        }
        let made =
            Made::new(&config, &self.lasting, self.client.clone(), doors, Some((&self.config, &self.made)));
        for (current, metrics) in &self.workers {
            current.store(made.for_worker(Arc::clone(metrics)));
        }
        let mut warnings = config.warnings.clone();
        let late = AtStart::of(&config).differences(&self.at_start);
        if !late.is_empty() {
            let late =
                format!("these settings have changed and take effect at the next start: {}", late.join(", "));
            if AtStart::of(&config) != AtStart::of(&self.config) {
                warn!("{late}");
            }
            warnings.push(late);
        }
        self.lasting.admin.told(listening, warnings);
        (self.config, self.made) = (config, made);
        Reload { credentials, on_request, changed }
    }
}

/// What takes effect at the next start, as words to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AtStart(Vec<(&'static str, String)>);

impl AtStart {
    pub(crate) fn of(config: &Config) -> Self {
        let listeners = &config.listeners;
        let permissions = |config: &Config| {
            config.listeners.iter().map(|it| it.access.socket_permissions()).collect::<Vec<_>>()
        };
        Self(vec![
            ("listen", listeners.iter().map(|it| it.addr.to_string()).collect::<Vec<_>>().join(" ")),
            ("socket_mode, socket_group", format!("{:?}", permissions(config))),
            ("workers", config.workers.to_string()),
            ("max_connections", config.server.max_connections.to_string()),
            ("max_connections_per_user", format!("{:?}", config.server.max_connections_per_user)),
            ("shutdown_timeout", format!("{:?}", config.server.shutdown_timeout)),
            ("exit_when_idle", format!("{:?}", config.server.exit_when_idle)),
            ("allow_quit", config.server.allow_quit.to_string()),
            ("token_cache", format!("{:?}", config.identity.token_cache)),
            ("token_file", format!("{:?}", config.identity.token_file)),
            ("revoke_on_exit", config.identity.revoke_on_exit.to_string()),
            ("log_format", format!("{:?}", config.log.format)),
        ])
    }

    /// What differs from `other`, by name.
    fn differences(&self, other: &Self) -> Vec<&'static str> {
        let pairs = self.0.iter().zip(&other.0);
        pairs.filter(|(one, other)| one != other).map(|((name, _), _)| *name).collect()
    }
}
