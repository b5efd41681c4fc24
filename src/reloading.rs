//! `Reloading`: puts settings that were read again in force, all of them or none.
//!
//! 1. Everything that can fail is tried before anything changes: certificates, doors, the region. What fails keeps the
//!    settings before in force, and says so in status, log and metrics.
//! 2. A listener keeps its socket and its connections. It gets what its address has in the new settings: service, client
//!    secret, who is let in, rules.
//! 3. Connections to upstreams stay unless what they depend on has changed, their certificates' files included.
//! 4. A few settings take effect at the next start alone; which, is told.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::mpsc;
use tracing::{error, info, warn};

use crate::admin::Listening;
use crate::catalog::Region;
use crate::client::Client;
use crate::config::Config;
use crate::identity::{Reload, ReloadOutcome};
use crate::in_force::{Current, Lasting, Made};
use crate::metrics::Metrics;
use crate::proxy::{Door, ListenerSettings};
use crate::run::{RunError, check_region, door};
use crate::server::{BoundAddr, Lookup};

/// Settings that were read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reread {
    /// All of them, or in words for people why they are not used.
    pub outcome: Result<Box<Config>, String>,
    /// Whether a person asked for it, by SIGHUP: then a login is tried even if nothing has changed.
    pub on_request: bool,
}

/// A listener that is bound.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) addr: BoundAddr,
    /// Which of the settings' listeners at start led to it: one may have led to several sockets that were inherited.
    pub(crate) number: usize,
    /// What the settings in force say of it; where they say nothing any more, what those before said.
    pub(crate) own: ListenerSettings,
}

/// What an announcement of the first token depends on.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) region: Option<Region>,
    /// Each rule with each region that it names.
    pub(crate) of_rules: Vec<(String, Region)>,
    pub(crate) listening: Vec<Listening>,
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
    /// What of it differs in the last.
    pub(crate) late: Vec<&'static str>,
    pub(crate) expected: Arc<ArcSwap<Expected>>,
}

/// New settings that have been tried.
struct Tried {
    config: Config,
    client: Option<Client>,
    doors: Arc<[Arc<Door>]>,
    places: Vec<Place>,
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
            told(&reread);
            // Gone when the program ends.
            if self.refresher.send(outcome).await.is_err() {
                return;
            }
        }
        // Nothing is read any more, which is no reason to end.
        std::future::pending().await
    }

    /// Rule 1.
    fn try_out(&self, config: Config) -> Result<Tried, RunError> {
        let is_other_client = config.client != self.config.client
            || config.sources.certificates != self.config.sources.certificates;
        let client = is_other_client.then(|| Client::new(&config.client)).transpose()?;
        let places = matched(&self.places, &config.listeners);
        let mut doors = Vec::new();
        for Place { addr, own, .. } in &places {
            let door = door(own, addr)?;
            if matches!(addr, BoundAddr::Tcp(_)) && door.needs_users() && self.lookup == Lookup::None {
                return Err(RunError::NoUsers { addr: addr.clone() });
            }
            doors.push(Arc::new(door));
        }
        // Another login may bring another catalog.
        let is_same_login = config.identity.credentials.without_secret() == self.config.identity.credentials;
        if let Some(snapshot) = self.lasting.cell.current()
            && config.routing.region != self.config.routing.region
            && is_same_login
        {
            check_region(&snapshot, config.routing.region.as_ref())?;
        }
        Ok(Tried { config, client, doors: doors.into(), places })
    }

    fn put_in_force(&mut self, tried: Tried, on_request: bool) -> Reload {
        let Tried { mut config, client, doors, places } = tried;
        let rest = config.identity.credentials.without_secret();
        let credentials = std::mem::replace(&mut config.identity.credentials, rest);
        let is_other_way = client.is_some();
        if let Some(client) = client {
            info!("connections to services are made anew, since their settings or certificates have changed");
            self.client = client;
        }
        let late = AtStart::of(&config).differences(&self.at_start);
        // Records of requests are in the form of the rest of the log.
        config.log.format = self.config.log.format;
        let made =
            Made::new(&config, &self.lasting, self.client.clone(), doors, Some((&self.config, &self.made)));
        for (current, metrics) in &self.workers {
            current.store(made.for_worker(Arc::clone(metrics)));
        }
        let mut warnings = config.warnings.clone();
        if !late.is_empty() {
            let words =
                format!("these settings have changed and take effect at the next start: {}", late.join(", "));
            if late != self.late {
                warn!("{words}");
            }
            warnings.push(words);
        }
        let listening: Vec<Listening> =
            places.iter().map(|place| Listening::new(place.addr.clone(), &place.own)).collect();
        self.lasting.admin.told(listening.clone(), warnings);
        self.expected.store(Arc::new(Expected::of(&config, listening)));
        let (client, preferences) = (self.client.clone(), config.routing.clone());
        (self.config, self.made, self.places, self.late) = (config, made, places, late);
        Reload { credentials, on_request, client, is_other_way, preferences }
    }
}

/// Rule 2: each listener with what its address has in the new settings; of those that share an address, port 0 that is,
/// in their order.
fn matched(places: &[Place], listeners: &[ListenerSettings]) -> Vec<Place> {
    let mut used: Vec<(usize, usize)> = Vec::new();
    let mut matched = places.to_vec();
    for place in &mut matched {
        let known = used.iter().find(|(number, _)| *number == place.number).map(|(_, at)| *at);
        let is_free = |at: &usize| used.iter().all(|(_, taken)| taken != at);
        let found = known.or_else(|| {
            (0..listeners.len()).filter(is_free).find(|at| listeners[*at].addr.is_at(&place.own.addr))
        });
        if let Some(at) = found {
            used.push((place.number, at));
            place.own = listeners[at].clone();
        }
    }
    matched
}

impl Expected {
    pub(crate) fn of(config: &Config, listening: Vec<Listening>) -> Self {
        let mut of_rules = Vec::new();
        for (rule, region) in config.listeners.iter().flat_map(|listener| listener.access.rules.regions()) {
            let named = (rule.to_owned(), Region(region.to_owned()));
            if !of_rules.contains(&named) {
                of_rules.push(named);
            }
        }
        Self { region: config.routing.region.clone(), of_rules, listening }
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
            ("on_refused", format!("{:?}", config.identity.on_refused)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::ListenAddr;

    fn listener(port: u16, optional: bool, secret: &str) -> ListenerSettings {
        let addr = ListenAddr::Tcp { addr: ([127, 0, 0, 1], port).into(), optional };
        ListenerSettings { client_secret: Some(secret.to_owned().into()), ..addr.into() }
    }

    fn places(listeners: &[ListenerSettings]) -> Vec<Place> {
        let place = |(number, own): (usize, &ListenerSettings)| Place {
            addr: BoundAddr::Tcp(([127, 0, 0, 1], 1000 + number as u16).into()),
            number,
            own: own.clone(),
        };
        listeners.iter().enumerate().map(place).collect()
    }

    fn secrets(places: &[Place]) -> Vec<&str> {
        places.iter().map(|place| place.own.client_secret.as_ref().unwrap().expose()).collect()
    }

    #[test]
    fn a_listener_that_is_gone_from_the_settings_keeps_its_number_and_what_it_had() {
        let before = places(&[listener(1, false, "a"), listener(2, false, "b"), listener(3, false, "c")]);
        let mut now = before;
        for round in ["d", "e"] {
            now = matched(&now, &[listener(3, false, round), listener(1, false, "a")]);
            assert_eq!(secrets(&now), ["a", "b", round]);
        }
    }

    #[test]
    fn whether_an_address_may_be_missing_makes_it_no_other() {
        let now = matched(&places(&[listener(1, true, "a")]), &[listener(1, false, "b")]);
        assert_eq!(secrets(&now), ["b"]);
    }

    #[test]
    fn several_free_ports_keep_their_order() {
        let before = places(&[listener(0, false, "a"), listener(0, false, "b")]);
        let now = matched(&before, &[listener(0, false, "c"), listener(0, false, "d")]);
        assert_eq!(secrets(&now), ["c", "d"]);
        assert_eq!(secrets(&matched(&before, &[listener(0, false, "c")])), ["c", "b"]);
    }

    #[test]
    fn sockets_of_one_name_are_of_one_listener() {
        let own = listener(1, false, "a");
        let mut both = places(&[own.clone(), own]);
        both[1].number = 0;
        assert_eq!(secrets(&matched(&both, &[listener(1, false, "b")])), ["b", "b"]);
    }
}
