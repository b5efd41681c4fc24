//! The service manager's watchdog (`sd_watchdog_enabled`(3)): it hears from us only while each worker gets round to its timers,
//! and starts the program anew once it has not for `WatchdogSec=`. A worker that a call has taken for good serves nobody, and
//! nothing else would notice.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tracing::error;

use crate::metrics::Metrics;
use crate::shutdown::Stop;
use crate::worker::SWEEP;

/// Tells it in time, if there is one. At the end workers go one after the other, which `TimeoutStopSec=` bounds.
pub(super) async fn feed(workers: Vec<Arc<Metrics>>, stop: watch::Receiver<Stop>) {
    let Some(most) = sd_notify::watchdog_enabled() else { return };
    let mut pulse = Pulse::new(workers, most.max(SWEEP * 3));
    loop {
        sleep(most / 3).await;
        let stopped = pulse.stopped();
        if stopped.is_none() || *stop.borrow() != Stop::No {
            // Who cannot be told starts us anew, which is all that can be done.
            let _ = sd_notify::notify(&[NotifyState::Watchdog]);
        } else if let Some(worker) = stopped {
            error!(
                worker,
                "a worker does nothing any more; the service manager is not told that all is well"
            );
        }
    }
}

/// When each worker was last seen to move.
struct Pulse {
    workers: Vec<(Arc<Metrics>, u64, Instant)>,
    most: Duration,
}

impl Pulse {
    fn new(workers: Vec<Arc<Metrics>>, most: Duration) -> Self {
        let now = Instant::now();
        Self { workers: workers.into_iter().map(|worker| (worker, 0, now)).collect(), most }
    }

    /// The first worker that has not moved for too long.
    fn stopped(&mut self) -> Option<usize> {
        let now = Instant::now();
        for (worker, last, since) in &mut self.workers {
            let beats = worker.beats();
            if beats != *last {
                (*last, *since) = (beats, now);
            }
        }
        self.workers.iter().position(|(_, _, since)| now.duration_since(*since) >= self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_worker_that_does_not_move_is_noticed_and_one_that_does_again_is_well() {
        let workers = [Arc::new(Metrics::default()), Arc::new(Metrics::default())];
        let mut pulse = Pulse::new(workers.to_vec(), Duration::from_secs(20));
        for (moves, expected) in [
            ([true, true], None),
            ([true, false], None),
            ([true, false], Some(1)),
            ([true, true], None),
            ([false, true], None),
            ([false, false], Some(0)),
        ] {
            sleep(Duration::from_secs(10)).await;
            for (worker, _) in workers.iter().zip(moves).filter(|(_, moves)| *moves) {
                worker.beat();
            }
            assert_eq!(pulse.stopped(), expected);
        }
    }
}
