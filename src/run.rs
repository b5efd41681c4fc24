//! `Gatestone`: the proxy as a whole, from bound listeners to the last connection.
//!
//! [`Gatestone::bind`] takes the addresses, so that a caller knows the ports before
//! anything runs; [`Gatestone::run`] ends when the caller's future does. Tests own both.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::acceptors::{Capacity, accept};
use crate::admin::{Admin, Listening};
use crate::catalog::Region;
use crate::client::{Client, SetupError};
use crate::clock::Clock;
use crate::config::Config;
use crate::face::Face;
use crate::identity::{AuthError, IdentityMetrics, Phase, Refresher, Snapshot, SnapshotCell};
use crate::in_force::{Current, Lasting, Made};
use crate::metrics::Metrics;
use crate::proxy::{Door, InvalidAllowedHost, ListenerSettings};
use crate::reloading::{AtStart, Expected, Place, Reloading, Reread, Way};
use crate::server::{
    BindError, BoundAddr, ListenAddr, Listener, Lookup, Quota, REFUSED_AT_ONCE, room_for_connections,
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
    /// An inherited socket that other machines can reach.
    #[error(
        "the inherited socket {addr} would hand the rights of your cloud account to everyone who can reach it; name the networks \
         that may with allow_remote, such as [\"10.0.0.0/8\"], or have its unit listen on 127.0.0.1, [::1] or a path"
    )]
    Reachable {
        /// Where it listens.
        addr: SocketAddr,
    },
    /// An inherited socket whose file anyone on this machine can open.
    #[error(
        "the inherited socket {} is open to every user of this machine, by the mode of its file; set SocketMode=0600 in its unit, \
         or 0660 and SocketGroup=, or name who may use it: allow_users = [\"any\"] for everybody", .path.display()
    )]
    OpenToAll {
        /// Its file.
        path: PathBuf,
    },
    /// The file of a Unix socket is open to more than new settings mean.
    #[error(
        "the file of {} has mode {mode:04o} until the next start, and without allow_users whoever can open it would be let in, where \
         the settings mean {meant:04o}; keep allow_users, or start the program anew", .path.display()
    )]
    LeftOpen {
        /// The socket.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// That of the settings.
        meant: u32,
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
    listeners: Vec<Bound>,
    lookup: Lookup,
    cell: Arc<SnapshotCell>,
    counters: Vec<Arc<Metrics>>,
    quit: Arc<Notify>,
}

/// A listener that is bound, by what of the settings led to it.
#[derive(Debug)]
struct Bound {
    listener: Listener,
    door: Arc<Door>,
    listening: Listening,
    /// The position of its settings among those of listeners.
    number: usize,
}

impl Gatestone {
    /// Takes all addresses and reads all certificates; sends nothing.
    pub fn bind(config: Config, clock: Clock) -> Result<Self, RunError> {
        let client = Client::new(&config.client)?;
        let mut listeners = Vec::new();
        for (number, own) in config.listeners.iter().enumerate() {
            for listener in Listener::bind(&own.addr, own.access.socket_permissions())? {
                let addr = listener.addr().clone();
                let door = Arc::new(door(own, &addr)?);
                let listening = Listening::new(addr, own);
                listeners.push(Bound { listener, door, listening, number });
            }
        }
        if listeners.is_empty() {
            return Err(RunError::NoListener);
        }
        let lookup = lookup(&listeners)?;
        let cell = Arc::new(SnapshotCell::new(clock));
        Ok(Self { config, client, listeners, lookup, cell, counters: Vec::new(), quit: Arc::default() })
    }

    /// Where it listens.
    pub fn addresses(&self) -> Vec<BoundAddr> {
        self.listeners.iter().map(|bound| bound.listener.addr().clone()).collect()
    }

    /// Where the token will be, for whoever wants to follow it.
    pub fn cell(&self) -> Arc<SnapshotCell> {
        Arc::clone(&self.cell)
    }

    /// What its workers count, so many as it is going to run with.
    pub fn counters(&mut self, layout: Layout) -> Vec<Arc<Metrics>> {
        self.counters.resize_with(layout.workers(), Arc::default);
        self.counters.clone()
    }

    /// Whoever uses the proxy asks for its end, where that is allowed.
    pub fn quit(&self) -> Arc<Notify> {
        Arc::clone(&self.quit)
    }

    /// Serves until `stop` says otherwise; then lets requests in flight finish, within a bound.
    /// `rereads` brings settings that were read again, and `on_reload` learns what came of each; `on_ready` is called once,
    /// when the first token is there.
    pub async fn run(
        mut self,
        layout: Layout,
        mut stop: watch::Receiver<Stop>,
        rereads: mpsc::Receiver<Reread>,
        on_ready: impl FnOnce(&Ready),
        on_reload: impl Fn(&Reread),
    ) -> Result<(), RunError> {
        let counters = self.counters(layout);
        let Self { config, client, listeners, lookup, cell, quit, .. } = self;
        let listening: Vec<Listening> = listeners.iter().map(|bound| bound.listening.clone()).collect();
        let logins = Arc::new(IdentityMetrics::default());
        let most_connections = most_connections(config.server.max_connections);
        let admin = Arc::new(Admin::new(
            Arc::clone(&cell),
            Arc::clone(&logins),
            counters.clone(),
            most_connections,
            config.server.allow_quit.then_some(quit),
        ));
        let doors = listeners.iter().map(|bound| bound.door.number()).collect();
        admin.told(listening.clone(), doors, config.warnings.clone());
        let face = Arc::new(Face::new(cell.clock().clone()));
        let lasting = Lasting { cell: Arc::clone(&cell), admin: Arc::clone(&admin), face };
        let doors: Arc<[Arc<Door>]> = listeners.iter().map(|bound| Arc::clone(&bound.door)).collect();
        let made = Made::new(&config, &lasting, client.clone(), doors, None);
        let (tell, told) = watch::channel(Stop::No);
        let orders = Orders {
            lookup,
            names: Arc::default(),
            quota: Arc::new(Quota::new(config.server.max_connections_per_user)),
            refused: Arc::new(Semaphore::new(REFUSED_AT_ONCE)),
            drain: config.server.shutdown_timeout,
            stop: told.clone(),
        };
        let (mut workers, mut currents) = (Vec::new(), Vec::new());
        for (i, metrics) in counters.into_iter().enumerate() {
            let current: Current = Arc::new(ArcSwap::new(made.for_worker(Arc::clone(&metrics))));
            workers.push(Worker::start(layout, i, Arc::clone(&current), orders.clone())?);
            currents.push((current, metrics));
        }
        let workers = Arc::new(workers);
        let mut acceptors = JoinSet::new();
        let capacity = Capacity::new(most_connections);
        let mut places = Vec::new();
        for (i, Bound { listener, door, listening, number }) in listeners.into_iter().enumerate() {
            let own = config.listeners[number].clone();
            places.push(Place { addr: listening.addr, number, own, door });
            let acceptor = listener.into_acceptor()?;
            acceptors.spawn(accept(acceptor, i, Arc::clone(&workers), capacity.clone(), told.clone()));
        }
        // Until this returns.
        let mut following = JoinSet::new();
        following.spawn(Arc::clone(&admin).follow());
        let expected = Arc::new(ArcSwap::from_pointee(Expected::of(&config, listening)));
        let (refresh, reloads) = mpsc::unbounded_channel();
        let reloading = Reloading {
            lasting,
            places,
            lookup,
            workers: currents,
            refresher: refresh,
            config: config.without_secret(),
            made,
            way: Way::of(&config, client.clone()),
            next_way: None,
            at_start: AtStart::of(&config),
            late: Vec::new(),
            expected: Arc::clone(&expected),
        };
        let mut refresher =
            Refresher::new(client, config.identity, config.routing, Arc::clone(&cell), logins, reloads);
        let outcome = {
            // One run to the last connection: what is in flight may outlive the token.
            let mut refreshing = pin!(refresher.run());
            let mut reloading = pin!(reloading.run(rereads, on_reload));
            let outcome = tokio::select! {
                refusal = &mut refreshing => Err(RunError::NoLogin(refusal)),
                unusable = until_unusable(&cell, &expected, on_ready) => Err(unusable),
                () = shutdown::told(&mut stop, Stop::Drain) => Ok(()),
                () = &mut reloading => Ok(()),
            };
            info!("stopping; requests in flight may finish");
            admin.stop();
            tell.send_replace(Stop::Drain);
            while acceptors.join_next().await.is_some() {}
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

/// The door of a listener that is bound at `addr`.
pub(crate) fn door(own: &ListenerSettings, addr: &BoundAddr) -> Result<Door, RunError> {
    if let BoundAddr::Tcp(addr) = addr
        && !addr.ip().is_loopback()
        && own.access.networks.is_empty()
    {
        return Err(RunError::Reachable { addr: *addr });
    }
    if let (ListenAddr::Inherited(_), BoundAddr::Unix(path), None) = (&own.addr, addr, &own.access.users)
        && std::fs::metadata(path).is_ok_and(|file| file.mode() & 0o007 != 0)
    {
        return Err(RunError::OpenToAll { path: path.clone() });
    }
    Ok(Door::new(own, addr)?)
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
fn lookup(listeners: &[Bound]) -> Result<Lookup, RunError> {
    let needs_it =
        listeners.iter().find(|it| matches!(it.listener.addr(), BoundAddr::Tcp(_)) && it.door.needs_users());
    match (Lookup::choose(), needs_it) {
        (Lookup::None, Some(it)) => Err(RunError::NoUsers { addr: it.listener.addr().clone() }),
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
    expected: &ArcSwap<Expected>,
    on_ready: impl FnOnce(&Ready),
) -> RunError {
    let mut state = cell.watch();
    let first = state.wait_for(|state| matches!(state.phase, Phase::Fresh)).await.is_ok();
    if let Some(snapshot) = cell.current().filter(|_| first) {
        // As the settings say by now.
        let Expected { region, of_rules, listening: listeners } = Expected::clone(&expected.load());
        if let Err(unknown) = check_region(&snapshot, region.as_ref()) {
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
