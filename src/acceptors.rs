//! From an address to a worker: where connections come in, as many as there may be.
//!
//! 1. Each goes to the worker with the fewest.
//! 2. Beyond `max_connections`, the client gets 503 `overloaded` and an end, without being asked what it wants. So many
//!    at a time as [`REFUSED_AT_ONCE`]; the next ones wait to be accepted, which the kernel lets them.
//! 3. Where descriptors are used up, the same, one after another: see [`Spare`].

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout};
use tracing::warn;

use crate::proxy::Overload;
use crate::server::{Accepted, Acceptor, REFUSED_AT_ONCE, Spare, are_used_up};
use crate::shutdown::{self, Stop};
use crate::worker::Worker;

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

/// Accepts connections until `stop` says otherwise; what has been accepted then is delivered. What still waits goes to
/// whoever listens next at an inherited socket.
pub(crate) async fn accept(
    acceptor: Acceptor,
    listener: usize,
    workers: Arc<Vec<Worker>>,
    capacity: Capacity,
    mut stop: watch::Receiver<Stop>,
) {
    let mut trouble = Trouble::default();
    let mut spare = Spare::default();
    loop {
        spare.hold();
        let accepted = tokio::select! {
            accepted = acceptor.accept() => accepted,
            () = shutdown::told(&mut stop, Stop::Drain) => return,
        };
        match accepted {
            Ok(accepted) => {
                let open: u64 = workers.iter().map(Worker::open_connections).sum();
                let alive = workers.iter().filter(|worker| worker.is_alive());
                let Some(worker) = alive.min_by_key(|worker| worker.open_connections()) else { continue };
                if open < capacity.most as u64 {
                    worker.deliver((accepted, listener)).await;
                    continue;
                }
                trouble.full(capacity.most);
                // The semaphore is never closed.
                let Ok(place) = Arc::clone(&capacity.overflow).acquire_owned().await else { continue };
                let most = capacity.most;
                worker.turned_away();
                tokio::spawn(async move {
                    turn_away(accepted, Overload::Connections { most }, PATIENCE).await;
                    drop(place);
                });
            }
            Err(error) if are_used_up(&error) && spare.give_up() => {
                trouble.failed(&error);
                if let Ok(accepted) = acceptor.accept().await {
                    workers.iter().take(1).for_each(Worker::turned_away);
                    turn_away(accepted, Overload::Descriptors, HASTE).await;
                }
            }
            // The next try needs others to close first.
            Err(error) => {
                trouble.failed(&error);
                _ = timeout(PAUSE, shutdown::told(&mut stop, Stop::Drain)).await;
            }
        }
    }
}

/// Tells a client why it is not served, and closes.
async fn turn_away(accepted: Accepted, why: Overload, patience: Duration) {
    // What cannot be told is closed all the same.
    let _: io::Result<()> = match accepted {
        Accepted::Tcp(stream, _) => async { tell(TcpStream::from_std(stream)?, why, patience).await }.await,
        Accepted::Unix(stream) => async { tell(UnixStream::from_std(stream)?, why, patience).await }.await,
    };
}

/// What the client has sent is read before, and what it goes on sending for a while: closed with something unread, the
/// kernel would answer with a reset, and the client might lose its answer over it.
async fn tell(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    why: Overload,
    patience: Duration,
) -> io::Result<()> {
    let mut scrap = [0; 4096];
    if timeout(patience, socket.read(&mut scrap)).await.is_ok_and(|read| matches!(read, Ok(0) | Err(_))) {
        return Ok(());
    }
    // Both fit into the socket's buffer.
    socket.write_all(&why.on_the_wire()).await?;
    socket.shutdown().await?;
    while let Ok(Ok(1..)) = timeout(patience, socket.read(&mut scrap)).await {}
    Ok(())
}

/// The same where nobody else can be accepted meanwhile: for what has come already.
const HASTE: Duration = Duration::from_millis(2);
/// How long a client that is turned away may take to begin its request, and to close.
const PATIENCE: Duration = Duration::from_millis(100);

/// Tells the log what is the matter, each at most once in [`QUIET`]: at the limit it comes and goes with every
/// connection.
#[derive(Debug, Default)]
struct Trouble {
    full: Option<Instant>,
    failed: Option<Instant>,
}

impl Trouble {
    fn full(&mut self, most: usize) {
        if is_due(&mut self.full) {
            warn!(most, "the limit max_connections is reached; further connections get 503 overloaded");
        }
    }

    fn failed(&mut self, error: &io::Error) {
        if is_due(&mut self.failed) {
            warn!(%error, "connections cannot be accepted; trying again until they can");
        }
    }
}

fn is_due(last: &mut Option<Instant>) -> bool {
    let is_due = last.is_none_or(|last| last.elapsed() >= QUIET);
    if is_due {
        *last = Some(Instant::now());
    }
    is_due
}

const QUIET: Duration = Duration::from_secs(60);
/// Wait before the next look when nothing can be accepted.
const PAUSE: Duration = Duration::from_millis(100);
