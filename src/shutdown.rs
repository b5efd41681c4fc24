//! How the program is told to stop: SIGINT or SIGTERM once, to finish what is in
//! flight; twice, to end at once.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// What the parts of the program are told, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Go on.
    #[default]
    No,
    /// Take nothing new; finish what is in flight, within a bound.
    Drain,
    /// End at once.
    Now,
}

/// Ends when `stop` says `what` or more, or when nobody is left who could say so.
pub async fn told(stop: &mut watch::Receiver<Stop>, what: Stop) {
    // An error means that the sender is gone, which is a stop as well.
    let _ = stop.wait_for(|stop| *stop >= what).await;
}

/// Both signals, caught from the moment this is made.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Starts catching. Call it within a runtime.
    pub fn catch() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Passes on the first signal as [`Stop::Drain`] and the second as [`Stop::Now`].
    pub async fn tell(mut self, stop: watch::Sender<Stop>) {
        for what in [Stop::Drain, Stop::Now] {
            self.next().await;
            // The end may have come about in another way meanwhile.
            stop.send_replace(what);
        }
        std::future::pending().await
    }

    /// Waits for the next of either.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
