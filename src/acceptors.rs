//! From an address to a worker: where connections come in, as many as there may be.
//!
//! 1. Each goes to the worker with the fewest.
//! 2. Beyond `max_connections`, and where descriptors are used up, its client gets 503 `overloaded` as the answer to its
//!    first request. There is room for [`REFUSED_AT_ONCE`] of them at a time; the next ones wait to be accepted, which the
//!    kernel lets them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{info, warn};

use crate::proxy::{Door, Unwelcome};
use crate::server::{Accepted, Acceptor, REFUSED_AT_ONCE, Spare, are_used_up};
use crate::worker::{Delivery, Worker};

/// How many connections there may be, over all listeners.
#[derive(Clone, Debug)]
pub(crate) struct Capacity {
    most: usize,
    overflow: Arc<Semaphore>,
}

impl Capacity {
    /// So many, and some beyond them to be refused.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, overflow: Arc::new(Semaphore::new(REFUSED_AT_ONCE)) }
    }
}

/// Accepts connections until it is dropped.
pub(crate) async fn accept(
    acceptor: Acceptor,
    door: Arc<Door>,
    workers: Arc<Vec<Worker>>,
    capacity: Capacity,
) {
    let mut trouble = Trouble::default();
    let mut spare = Spare::default();
    loop {
        spare.hold();
        match acceptor.accept().await {
            Ok(accepted) => {
                let open: u64 = workers.iter().map(Worker::open_connections).sum();
                let is_full = open >= capacity.most as u64;
                trouble.full(is_full, capacity.most);
                trouble.accepted();
                let why = is_full.then_some(Unwelcome::Full { most: capacity.most });
                deliver(accepted, &door, &workers, &capacity, why).await;
            }
            Err(error) if are_used_up(&error) && spare.give_up() => {
                trouble.failed(&error);
                if let Ok(accepted) = acceptor.accept().await {
                    deliver(accepted, &door, &workers, &capacity, Some(Unwelcome::NoDescriptors)).await;
                }
            }
            // The next try needs others to close first.
            Err(error) => {
                trouble.failed(&error);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Rules 1 and 2.
async fn deliver(
    accepted: Accepted,
    door: &Arc<Door>,
    workers: &[Worker],
    capacity: &Capacity,
    why: Option<Unwelcome>,
) {
    let refusal = match why {
        // Never closed.
        Some(why) => match Arc::clone(&capacity.overflow).acquire_owned().await {
            Ok(place) => Some((why, place)),
            Err(_) => return,
        },
        None => None,
    };
    let alive = workers.iter().filter(|worker| worker.is_alive());
    if let Some(worker) = alive.min_by_key(|worker| worker.open_connections()) {
        worker.deliver(Delivery { accepted, door: Arc::clone(door), refusal }).await;
    }
}

/// Why a connection is refused whoever it is of, and its place among those.
pub(crate) type Refusal = (Unwelcome, OwnedSemaphorePermit);

/// Tells once when something begins, and when it is over.
#[derive(Debug, Default)]
struct Trouble {
    is_full: bool,
    fails: bool,
}

impl Trouble {
    fn full(&mut self, is_full: bool, most: usize) {
        match (is_full, self.is_full) {
            (true, false) => {
                warn!(most, "the limit max_connections is reached; further connections get 503 overloaded")
            }
            (false, true) => info!("there is room for connections again"),
            (true, true) | (false, false) => {}
        }
        self.is_full = is_full;
    }

    fn failed(&mut self, error: &io::Error) {
        if !self.fails {
            warn!(%error, "connections cannot be accepted; trying again until they can");
        }
        self.fails = true;
    }

    fn accepted(&mut self) {
        if self.fails {
            info!("connections are accepted again");
        }
        self.fails = false;
    }
}

/// Wait before the next look when nothing can be accepted.
const PAUSE: Duration = Duration::from_millis(100);
