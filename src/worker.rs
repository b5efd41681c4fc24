//! Workers: one current-thread runtime a core, each with its own connections,
//! its own idle upstream connections and its own counters.
//!
//! A connection stays on one core from accept to close, so that nothing on its
//! way is shared with another core but the snapshot's pointer.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;
use tracing::{error, warn};

use crate::access_log::Gathering;
use crate::client::Client;
use crate::failure::Reason;
use crate::in_force::{Current, InForce};
use crate::metrics::Metrics;
use crate::proxy::{Unwelcome, Visitor};
use crate::server::{Accepted, Activity, Limits, Lookup, Peer, Quota, Share, Transport, serve};
use crate::shutdown::{self, Stop};
use crate::users::Names;

/// How requests are spread over runtimes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// So many threads with a runtime each, for production.
    PerCore(usize),
    /// Everything on the runtime that `run` is called on, for tests: one clock to stop.
    Single,
}

impl Layout {
    /// Workers in it.
    pub fn workers(self) -> usize {
        match self {
            Self::PerCore(workers) => workers.max(1),
            Self::Single => 1,
        }
    }
}

/// A connection on its way to a worker, and the number of the listener it came in at.
pub(crate) type Delivery = (Accepted, usize);

/// The accept loop's end of a worker.
#[derive(Debug)]
pub(crate) struct Worker {
    deliveries: mpsc::Sender<Delivery>,
    metrics: Arc<Metrics>,
    end: WorkerEnd,
}

#[derive(Debug)]
enum WorkerEnd {
    Thread(thread::JoinHandle<()>),
    Task(JoinHandle<()>),
}

/// What all workers are told.
#[derive(Clone, Debug)]
pub(crate) struct Orders {
    /// How to find out whose a connection is.
    pub(crate) lookup: Lookup,
    pub(crate) names: Arc<Names>,
    /// Connections of each user.
    pub(crate) quota: Arc<Quota>,
    /// Places for those who are not let in.
    pub(crate) refused: Arc<Semaphore>,
    pub(crate) drain: Duration,
    pub(crate) stop: watch::Receiver<Stop>,
}

impl Worker {
    pub(crate) fn start(layout: Layout, index: usize, current: Current, orders: Orders) -> io::Result<Self> {
        let metrics = Arc::clone(current.load().proxy.metrics());
        let (deliveries, incoming) = mpsc::channel(QUEUE);
        let work = work(incoming, current, orders);
        let end = match layout {
            Layout::Single => WorkerEnd::Task(tokio::spawn(work)),
            Layout::PerCore(_) => {
                let mut runtime = runtime::Builder::new_current_thread();
                let runtime = runtime.enable_all().on_thread_park(Gathering::write).build()?;
                let thread = thread::Builder::new().name(format!("worker-{index}"));
                WorkerEnd::Thread(thread.spawn(move || {
                    let _gathering = Gathering::begin();
                    // Moved in here, so that it ends first: what it still holds has records to write.
                    let runtime = runtime;
                    runtime.block_on(work);
                })?)
            }
        };
        Ok(Self { deliveries, metrics, end })
    }

    /// Whether it takes connections.
    pub(crate) fn is_alive(&self) -> bool {
        !self.deliveries.is_closed()
    }

    pub(crate) fn open_connections(&self) -> u64 {
        self.metrics.open_connections()
    }

    /// Hands a connection over; it counts from here, so that the next one sees it.
    pub(crate) async fn deliver(&self, delivery: Delivery) {
        self.metrics.connection_opened();
        if self.deliveries.send(delivery).await.is_err() {
            self.metrics.connection_closed();
            error!("a worker is gone; its connections are refused");
        }
    }

    /// Counts one that was not let in for want of room.
    pub(crate) fn turned_away(&self) {
        self.metrics.failed(Reason::Overloaded);
    }

    /// Waits until its connections have ended; the signal to stop has been given before.
    pub(crate) async fn join(self) {
        drop(self.deliveries);
        let clean = match self.end {
            WorkerEnd::Task(task) => task.await.is_ok(),
            WorkerEnd::Thread(thread) => {
                tokio::task::spawn_blocking(|| thread.join().is_ok()).await.unwrap_or(false)
            }
        };
        if !clean {
            error!("a worker ended with a fault");
        }
    }
}

/// Connections that may wait for a busy worker.
const QUEUE: usize = 256;
/// How long who is refused may take to ask for it.
const REFUSED_TIME: Duration = Duration::from_secs(5);
/// How often idle upstream connections are looked through.
pub(crate) const SWEEP: Duration = Duration::from_secs(5);

async fn work(mut incoming: mpsc::Receiver<Delivery>, current: Current, orders: Orders) {
    let mut connections = JoinSet::new();
    let (tell, told) = watch::channel(Stop::No);
    let mut stop = orders.stop.clone();
    let mut sweep = tokio::time::interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            delivery = incoming.recv() => {
                let Some((accepted, listener)) = delivery else { break };
                let connection = connection(accepted, listener, Arc::clone(&current), orders.clone(), told.clone());
                connections.spawn(connection);
            }
            Some(ended) = connections.join_next() => note(ended),
            _ = sweep.tick() => {
                Client::sweep();
                current.load().proxy.metrics().beat();
            }
            () = shutdown::told(&mut stop, Stop::Drain), if *tell.borrow() == Stop::No => {
                tell.send_replace(Stop::Drain);
            }
        }
    }
    tell.send_replace(Stop::Drain);
    tokio::select! {
        () = all(&mut connections) => return,
        () = tokio::time::sleep(orders.drain) => {}
        () = shutdown::told(&mut stop, Stop::Now) => {}
    }
    warn!(connections = connections.len(), "requests were still in flight at the end and are cut");
    tell.send_replace(Stop::Now);
    all(&mut connections).await;
}

/// Waits for the end of all connections.
async fn all(connections: &mut JoinSet<()>) {
    while let Some(ended) = connections.join_next().await {
        note(ended);
    }
}

fn note(ended: Result<(), tokio::task::JoinError>) {
    if let Err(fault) = ended
        && fault.is_panic()
    {
        error!(%fault, "a connection ended with a fault");
    }
}

/// Counts a connection as closed however it ends.
struct Open(Arc<Metrics>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connection_closed();
    }
}

async fn connection(
    accepted: Accepted,
    listener: usize,
    current: Current,
    orders: Orders,
    stop: watch::Receiver<Stop>,
) {
    let in_force = current.load_full();
    let _open = Open(Arc::clone(in_force.proxy.metrics()));
    // Boxed, so that a connection carries nothing of how it came about.
    let Some(entry) = Box::pin(admit(&accepted, listener, &in_force, orders)).await else { return };
    let Entry { visitor, limits, names, lookup, _share, _refused } = entry;
    let seat = Seat { current, listener, names, lookup, taken: Mutex::new((in_force, Arc::new(visitor))) };
    let failed = match accepted {
        Accepted::Tcp(stream, _) => match tokio::net::TcpStream::from_std(stream) {
            Ok(stream) => return requests(stream, &seat, limits, stop).await,
            Err(error) => error,
        },
        Accepted::Unix(stream) => match tokio::net::UnixStream::from_std(stream) {
            Ok(stream) => return requests(stream, &seat, limits, stop).await,
            Err(error) => error,
        },
    };
    warn!(error = %failed, "a connection could not be taken over");
}

/// A connection's place: who has come in, by the settings in force then.
struct Seat {
    current: Current,
    listener: usize,
    names: Arc<Names>,
    lookup: Lookup,
    taken: Mutex<(Arc<InForce>, Arc<Visitor>)>,
}

impl Seat {
    /// What is in force for the next request, and who asks. Where settings have changed, who was let in before is judged
    /// anew; who was not stays out.
    async fn now(&self) -> (Arc<InForce>, Arc<Visitor>) {
        let (taken, visitor) = self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if Arc::ptr_eq(&self.current.load(), &taken) {
            return (taken, visitor);
        }
        Box::pin(self.take_anew(visitor)).await
    }

    async fn take_anew(&self, visitor: Arc<Visitor>) -> (Arc<InForce>, Arc<Visitor>) {
        let in_force = self.current.load_full();
        let mut visitor = visitor;
        if !visitor.is_refused()
            && let Some(door) = in_force.doors.get(self.listener)
        {
            let shows_users = in_force.proxy.shows_users();
            let needs_users = shows_users || door.needs_users();
            let peer = if needs_users { visitor.peer.asked(self.lookup).await } else { visitor.peer };
            visitor = Arc::new(door.admit(peer, &self.names, shows_users).await);
        }
        let now = (in_force, visitor);
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = now.clone();
        now
    }
}

/// Who has come in, and what they may use.
struct Entry {
    visitor: Visitor,
    limits: Limits,
    names: Arc<Names>,
    lookup: Lookup,
    _share: Option<Share>,
    _refused: Option<OwnedSemaphorePermit>,
}

/// Finds out who it is, and decides about them. Nothing for those who have gone again, or had their chance.
async fn admit(accepted: &Accepted, listener: usize, in_force: &InForce, orders: Orders) -> Option<Entry> {
    let door = in_force.doors.get(listener)?;
    let shows_users = in_force.proxy.shows_users();
    let peer = match accepted {
        Accepted::Tcp(stream, from) => {
            let needs_users = shows_users || door.needs_users() || orders.quota.needs_users();
            let lookup = if needs_users { orders.lookup } else { Lookup::None };
            Peer::of_tcp(stream, *from, lookup).await.ok()?
        }
        Accepted::Unix(stream) => Peer::of_unix(stream),
    };
    let mut visitor = door.admit(peer, &orders.names, shows_users).await;
    let share = orders.quota.take(&visitor.peer);
    if let Err(most) = &share {
        door.turn_away(&mut visitor, Unwelcome::TooMany { most: *most });
    }
    let mut limits = in_force.limits.clone();
    let mut refused = None;
    if visitor.is_refused() {
        limits.hurry(REFUSED_TIME);
        refused = Some(orders.refused.try_acquire_owned().ok()?);
    }
    Some(Entry {
        visitor,
        limits,
        names: orders.names,
        lookup: orders.lookup,
        _share: share.ok(),
        _refused: refused,
    })
}

async fn requests<T: Transport>(transport: T, seat: &Seat, limits: Limits, stop: watch::Receiver<Stop>) {
    let activity = Arc::new(Activity::new(limits.preserve_header_case));
    let refuse = seat.current.load().proxy.refusing_heads();
    serve(transport, Arc::clone(&activity), limits, stop, refuse, |request| {
        let activity = Arc::clone(&activity);
        // Not in the future: before that is polled, hyper may read of the body what would be taken for a head.
        activity.request_began(request.body());
        // Boxed, so that a connection without a request holds no room for one.
        Box::pin(async move {
            let (in_force, visitor) = seat.now().await;
            let InForce { proxy, doors, .. } = &*in_force;
            proxy.handle(request, &doors[seat.listener], &visitor, activity).await
        })
    })
    .await;
    // A tunnel that never began holds the upstream's connection, and `activity` itself.
    drop(activity.after());
}
