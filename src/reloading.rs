//! `Reloading`: puts settings that were read again in force, all of them or none.
//!
//! 1. Everything that can fail is tried before anything changes: certificates, doors, the region. What fails keeps the
//!    settings before in force, and says so in status, log and metrics.
//! 2. A listener keeps its socket and its connections. It gets what its address has in the new settings: service, client
//!    secret, who is let in, rules.
//! 3. Connections to upstreams stay unless what they depend on has changed, their certificates' files included. Where the
//!    login is another as well, what is new of them waits until that has succeeded: a token goes nowhere by the rules of
//!    another cloud.
//! 4. A few settings take effect at the next start alone; which, is told.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::mpsc;
use tracing::{error, info, warn};

mod place;
mod way;

pub(crate) use place::Place;
pub(crate) use way::{NextWay, Way};

use place::{matched, stays_shut};

use crate::admin::Listening;
use crate::catalog::Region;
use crate::config::Config;
use crate::identity::{Reload, ReloadOutcome};
use crate::in_force::{Current, Lasting, Made};
use crate::metrics::Metrics;
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
    /// Without a bound, since it waits for us at times; files are read every two seconds at most.
    pub(crate) refresher: mpsc::UnboundedSender<ReloadOutcome>,
    /// In force, without the login.
    pub(crate) config: Config,
    pub(crate) made: Made,
    /// Of the login that serves.
    pub(crate) way: Way,
    /// Of the one that is still being tried.
    pub(crate) next_way: Option<NextWay>,
    /// What the first settings say that stays until the next start.
    pub(crate) at_start: AtStart,
    /// What of it differs in the last.
    pub(crate) late: Vec<&'static str>,
    pub(crate) expected: Arc<ArcSwap<Expected>>,
}

/// New settings that have been tried.
struct Tried {
    config: Config,
    way: Way,
    places: Vec<Place>,
}

impl Reloading {
    /// Takes what comes until nobody reads settings any more.
    pub(crate) async fn run(mut self, mut rereads: mpsc::Receiver<Reread>, told: impl Fn(&Reread)) {
        while let Some(mut reread) = self.next(&mut rereads).await {
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
            if self.refresher.send(outcome).is_err() {
                return;
            }
        }
        // Nothing is read any more, which is no reason to end.
        std::future::pending().await
    }

    /// What is read next; meanwhile, a changed login may succeed.
    async fn next(&mut self, rereads: &mut mpsc::Receiver<Reread>) -> Option<Reread> {
        loop {
            let succeeded = async {
                match &mut self.next_way {
                    Some(next) => next.succeeded.recv().await,
                    None => std::future::pending().await,
                }
            };
            let done = tokio::select! {
                reread = rereads.recv() => return reread,
                done = succeeded => done,
            };
            if let Some(NextWay { way, .. }) = self.next_way.take() {
                self.way = way;
                self.make(&self.config.clone());
            }
            // Nobody minds if it is not waited for any more.
            done.map(|done| done.send(()));
        }
    }

    /// Rule 1.
    fn try_out(&self, config: Config) -> Result<Tried, RunError> {
        let known = [&self.way].into_iter().chain(self.next_way.as_ref().map(|next| &next.way));
        let way = Way::read(&config, known)?;
        let mut places = matched(&self.places, &config.listeners);
        for (place, before) in places.iter_mut().zip(&self.places) {
            if place.own == before.own {
                continue;
            }
            stays_shut(place, &before.own)?;
            let door = door(&place.own, &place.addr)?;
            if matches!(place.addr, BoundAddr::Tcp(_)) && door.needs_users() && self.lookup == Lookup::None {
                return Err(RunError::NoUsers { addr: place.addr.clone() });
            }
            place.door = Arc::new(door);
        }
        // Another login may bring another catalog.
        if let Some(snapshot) = self.lasting.cell.current()
            && config.routing.region != self.config.routing.region
            && way.login == self.way.login
        {
            check_region(&snapshot, config.routing.region.as_ref())?;
        }
        Ok(Tried { config, way, places })
    }

    /// Makes what requests depend on anew, for all workers.
    fn make(&mut self, before: &Config) {
        let doors = self.places.iter().map(|place| Arc::clone(&place.door)).collect();
        let client = self.way.client.clone();
        self.made = Made::new(&self.config, &self.lasting, client, doors, Some((before, &self.made)));
        for (current, metrics) in &self.workers {
            current.store(self.made.for_worker(Arc::clone(metrics)));
        }
    }

    fn put_in_force(&mut self, tried: Tried, on_request: bool) -> Reload {
        let Tried { mut config, way, places } = tried;
        let rest = config.identity.credentials.without_secret();
        let credentials = std::mem::replace(&mut config.identity.credentials, rest);
        // Records of requests are in the form of the rest of the log.
        config.log.format = self.config.log.format;
        let is_other_way = !way.is_as(&self.way);
        let client = way.client.clone();
        self.next_way = None;
        if way.login == self.way.login {
            if is_other_way {
                info!(
                    "connections to services are made anew, since their settings or certificates have changed"
                );
            }
            self.way = way;
        } else {
            self.next_way = Some(NextWay::new(way));
        }
        let late = AtStart::of(&config).differences(&self.at_start);
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
        let preferences = config.routing.clone();
        let before = std::mem::replace(&mut self.config, config);
        (self.places, self.late) = (places, late);
        self.make(&before);
        let doors = self.places.iter().map(|place| place.door.number()).collect();
        self.lasting.admin.told(listening.clone(), doors, warnings);
        self.expected.store(Arc::new(Expected::of(&self.config, listening)));
        let waiting = self.next_way.as_ref().map(|next| next.waiting.clone());
        Reload { credentials, on_request, client, is_other_way, preferences, waiting }
    }
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
