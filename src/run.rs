//! `Gatestone`: the proxy as a whole, from bound listeners to the last connection.
//!
//! [`Gatestone::bind`] takes the addresses, so that a caller knows the ports before
//! anything runs; [`Gatestone::run`] ends when the caller's future does. Tests own both.

use std::io;
use std::pin::pin;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::acceptors::{Capacity, accept};
use crate::admin::{Admin, Listening};
use crate::catalog::Region;
use crate::client::{Client, SetupError};
use crate::clock::Clock;
use crate::config::Config;
use crate::face::Face;
use crate::identity::{AuthError, IdentityMetrics, Phase, Refresher, ReloadOutcome, Snapshot, SnapshotCell};
use crate::metrics::Metrics;
use crate::proxy::{Door, InvalidAllowedHost, Paces, Places, Proxy, ProxyParts};
use crate::server::{
    BindError, BoundAddr, Limits, Listener, Lookup, Quota, REFUSED_AT_ONCE, room_for_connections,
};
use crate::shutdown::{self, Stop};
use crate::users;
use crate::worker::{Layout, Orders, Worker};

/// Why the proxy did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// An address.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Certificates or proxies.
    #[error(transparent)]
    Client(#[from] SetupError),
    /// A name in `allowed_hosts`.
    #[error(transparent)]
    AllowedHost(#[from] InvalidAllowedHost),
    /// None of the addresses exists on this machine.
    #[error("none of the addresses to listen on exists on this machine; choose one with --listen")]
    NoListener,
    /// The kernel does not say whose a connection over TCP is, and a listener lets in some users only.
    #[error(
        "the system does not say which user is at the other end of a connection (neither by socket diagnostics nor in \
         /proc/net/tcp), so {addr} cannot be kept from other users of this machine; listen on unix:/path, or let in \
         everyone who can connect: allow_users = [\"any\"]"
    )]
    NoUsers {
        /// The listener's address.
        addr: BoundAddr,
    },
    /// Keystone refuses the credentials, or its certificate is not trusted, at start.
    #[error("{0}")]
    NoLogin(Arc<AuthError>),
    /// The region that was asked for is in no endpoint of the catalog.
    #[error("region {asked} is not in the catalog; {}set region (OS_REGION_NAME, --region) to one of: {}", suggest(.nearest.as_deref()), .known.join(", "))]
    UnknownRegion {
        /// As configured.
        asked: String,
        /// What the catalog has.
        known: Vec<String>,
        /// The one that looks most like it.
        nearest: Option<String>,
    },
    /// The system has no more threads, descriptors or the like.
    #[error("the system does not let us run: {0}")]
    System(#[from] io::Error),
}

fn suggest(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("did you mean {name}? "))
}

/// Tells that requests are served now.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Where.
    pub listeners: Vec<Listening>,
    /// As whom, and with which routes.
    pub snapshot: Arc<Snapshot>,
}

/// A proxy that holds its addresses and has not begun to answer.
#[derive(Debug)]
pub struct Gatestone {
    config: Config,
    client: Client,
    listeners: Vec<(Listener, Arc<Door>, Listening)>,
    lookup: Lookup,
    cell: Arc<SnapshotCell>,
}

impl Gatestone {
    /// Takes all addresses and reads all certificates; sends nothing.
    pub fn bind(config: Config, clock: Clock) -> Result<Self, RunError> {
        let client = Client::new(&config.client)?;
        let mut listeners = Vec::new();
        for own in &config.listeners {
            let Some(listener) = Listener::bind(&own.addr, own.access.socket_permissions())? else {
                continue;
            };
            let addr = listener.addr().clone();
            let door = Door::new(own, &addr)?;
            let (service, wants_secret) = (own.service.clone(), own.client_secret.is_some());
            listeners.push((listener, Arc::new(door), Listening { addr, service, wants_secret }));
        }
        if listeners.is_empty() {
            return Err(RunError::NoListener);
        }
        let lookup = lookup(&listeners)?;
        let cell = Arc::new(SnapshotCell::new(clock));
        Ok(Self { config, client, listeners, lookup, cell })
    }

    /// Where it listens.
    pub fn addresses(&self) -> Vec<BoundAddr> {
        self.listeners.iter().map(|(listener, ..)| listener.addr().clone()).collect()
    }

    /// Where the token will be, for whoever wants to follow it.
    pub fn cell(&self) -> Arc<SnapshotCell> {
        Arc::clone(&self.cell)
    }

    /// Serves until `stop` says otherwise; then lets requests in flight finish, within a bound.
    /// `reloads` brings settings that were read again; `on_ready` is called once, when the first token
    /// is there.
    pub async fn run(
        self,
        layout: Layout,
        mut stop: watch::Receiver<Stop>,
        reloads: mpsc::Receiver<ReloadOutcome>,
        on_ready: impl FnOnce(&Ready),
    ) -> Result<(), RunError> {
        let Self { config, client, listeners, lookup, cell } = self;
        let listening: Vec<Listening> = listeners.iter().map(|(.., listening)| listening.clone()).collect();
        let logins = Arc::new(IdentityMetrics::default());
        let counters: Vec<Arc<Metrics>> = (0..layout.workers()).map(|_| Arc::default()).collect();
        let admin = Arc::new(Admin::new(
            Arc::clone(&cell),
            Arc::clone(&logins),
            counters.clone(),
            listening.clone(),
            config.warnings.clone(),
        ));
        let parts = ProxyParts {
            cell: Arc::clone(&cell),
            client: client.clone(),
            admin: Arc::clone(&admin),
            face: Arc::new(Face::new(cell.clock().clone())),
            token_wait: config.identity.token_wait,
            tunnel_timeout: config.server.tunnel_timeout,
            allow_minting: config.proxy.allow_minting,
            retry_on_401: config.proxy.retry_on_401,
            access_log: config.log.access_log().map(Arc::new),
            places: config.server.max_requests.map(Places::new),
            paces: Paces::new(config.proxy.rates.clone()),
        };
        let (tell, told) = watch::channel(Stop::No);
        let orders = Orders {
            limits: Limits {
                idle: config.server.idle_timeout,
                head: config.server.request_head_timeout,
                body: config.server.body_timeout,
                preserve_header_case: config.server.preserve_header_case,
            },
            lookup,
            names: Arc::default(),
            quota: Arc::new(Quota::new(config.server.max_connections_per_user)),
            refused: Arc::new(Semaphore::new(REFUSED_AT_ONCE)),
            drain: config.server.shutdown_timeout,
            stop: told,
        };
        let workers = counters
            .into_iter()
            .enumerate()
            .map(|(i, metrics)| Worker::start(layout, i, Proxy::new(parts.clone(), metrics), orders.clone()))
            .collect::<Result<Vec<_>, _>>()?;
        let workers = Arc::new(workers);
        let mut acceptors = JoinSet::new();
        let capacity = Capacity::new(most_connections(config.server.max_connections));
        for (listener, door, _) in listeners {
            let acceptor = listener.into_acceptor()?;
            acceptors.spawn(accept(acceptor, door, Arc::clone(&workers), capacity.clone()));
        }
        acceptors.spawn(Arc::clone(&admin).follow());
        let region = config.routing.region.clone();
        let of_rules = regions_of_rules(&config);
        let mut refresher =
            Refresher::new(client, config.identity, config.routing, Arc::clone(&cell), logins, reloads);
        let outcome = {
            // One run to the last connection: what is in flight may outlive the token.
            let mut refreshing = pin!(refresher.run());
            let outcome = tokio::select! {
                refusal = &mut refreshing => Err(RunError::NoLogin(refusal)),
                unusable = until_unusable(&cell, region.as_ref(), &of_rules, listening, on_ready) => Err(unusable),
                () = shutdown::told(&mut stop, Stop::Drain) => Ok(()),
            };
            info!("stopping; requests in flight may finish");
            admin.stop();
            tell.send_replace(Stop::Drain);
            acceptors.shutdown().await;
            let mut workers = pin!(join(workers));
            tokio::select! {
                () = &mut workers => {}
                () = cut_short(&mut stop, &tell) => workers.await,
                _ = &mut refreshing, if outcome.is_ok() => workers.await,
            }
            outcome
        };
        tokio::select! {
            () = refresher.end() => {}
            () = shutdown::told(&mut stop, Stop::Now) => {}
        }
        outcome
    }
}

/// As many connections as are set, or as the limit of open files has room for.
fn most_connections(set: usize) -> usize {
    let room = room_for_connections();
    if room < set {
        let message = format!(
            "the limit of open files has room for {room} connections, not for max_connections = {set}; raise it \
             (LimitNOFILE= in a systemd unit, ulimit -n) if they are too few"
        );
        if room < FEW { warn!("{message}") } else { info!("{message}") }
    }
    room.min(set)
}

/// Fewer than this may be fewer than one user's tools open.
const FEW: usize = 200;

/// The way to find out whose a connection is; an error if there is none and a listener needs one.
fn lookup(listeners: &[(Listener, Arc<Door>, Listening)]) -> Result<Lookup, RunError> {
    let needs_it = listeners
        .iter()
        .find(|(listener, door, _)| matches!(listener.addr(), BoundAddr::Tcp(_)) && door.needs_users());
    match (Lookup::choose(), needs_it) {
        (Lookup::None, Some((listener, ..))) => Err(RunError::NoUsers { addr: listener.addr().clone() }),
        (lookup, _) => {
            if needs_it.is_some() && users::are_mapped() {
                warn!(
                    "this is a user namespace: users that it does not have all look like the same one (65534), so \
                     name none of that id in allow_users"
                );
            }
            if lookup.is_slow() {
                warn!(
                    "socket diagnostics do not work here; users are looked up in /proc/net/tcp, which takes longer"
                );
            }
            Ok(lookup)
        }
    }
}

/// Waits for the order to end at once, and passes it on to the workers.
async fn cut_short(stop: &mut watch::Receiver<Stop>, tell: &watch::Sender<Stop>) {
    shutdown::told(stop, Stop::Now).await;
    warn!("told to end at once; requests in flight are cut");
    tell.send_replace(Stop::Now);
}

/// Announces the first snapshot; returns only if it cannot be what the user meant.
async fn until_unusable(
    cell: &SnapshotCell,
    region: Option<&Region>,
    of_rules: &[(String, Region)],
    listeners: Vec<Listening>,
    on_ready: impl FnOnce(&Ready),
) -> RunError {
    let mut state = cell.watch();
    let first = state.wait_for(|state| matches!(state.phase, Phase::Fresh)).await.is_ok();
    if let Some(snapshot) = cell.current().filter(|_| first) {
        if let Err(unknown) = check_region(&snapshot, region) {
            return unknown;
        }
        let regions = snapshot.routes.regions();
        for (rule, region) in of_rules.iter().filter(|(_, region)| !regions.contains(region)) {
            warn!(
                "{rule} is about region {}, which is not in the catalog; regions are written letter by letter",
                region.0
            );
        }
        for listening in &listeners {
            let Some(pin) = &listening.service else { continue };
            if let Err(error) = snapshot.routes.resolve_at(pin, "/") {
                warn!(listener = %listening.addr, "{error}");
            }
        }
        on_ready(&Ready { listeners, snapshot });
    }
    std::future::pending().await
}

/// Each rule with each region that it names.
fn regions_of_rules(config: &Config) -> Vec<(String, Region)> {
    let mut all = Vec::new();
    for (rule, region) in config.listeners.iter().flat_map(|listener| listener.access.rules.regions()) {
        let named = (rule.to_owned(), Region(region.to_owned()));
        if !all.contains(&named) {
            all.push(named);
        }
    }
    all
}

/// A region that no endpoint has is a mistake at start; later it may be an outage.
pub fn check_region(snapshot: &Snapshot, region: Option<&Region>) -> Result<(), RunError> {
    let known = snapshot.routes.regions();
    match region {
        Some(asked) if !known.is_empty() && !known.contains(asked) => {
            let names: Vec<String> = known.iter().map(|region| region.0.clone()).collect();
            let likeness = |name: &&String| (strsim::jaro_winkler(name, &asked.0) * 1000.0) as u32;
            let nearest = names.iter().max_by_key(likeness).filter(|name| likeness(name) > 700).cloned();
            Err(RunError::UnknownRegion { asked: asked.0.clone(), known: names, nearest })
        }
        _ => Ok(()),
    }
}

/// Waits for all workers, to whom nothing is delivered any more. At the same time: each begins
/// to count its bound once it is told so.
async fn join(workers: Arc<Vec<Worker>>) {
    let mut ends: JoinSet<()> = Arc::into_inner(workers).into_iter().flatten().map(Worker::join).collect();
    while ends.join_next().await.is_some() {}
}
