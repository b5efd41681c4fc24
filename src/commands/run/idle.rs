//! `exit_when_idle`: the end once nobody has asked for anything of the cloud for so long.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::metrics::Metrics;

/// Returns once no request is in flight and none went to a service for `quiet`. What we answer ourselves, probes and
/// scrapes above all, keeps nobody up; an open connection does not either. Refused credentials do (`is_refused`): the next
/// start would try them again, and each start some more, until the account is locked.
pub(super) async fn idle(workers: Vec<Arc<Metrics>>, is_refused: impl Fn() -> bool, quiet: Duration) {
    let count = || workers.iter().map(|worker| worker.forwarded()).sum::<u64>();
    let (mut last, mut since) = (count(), Instant::now());
    loop {
        sleep((quiet / 10).clamp(SHORTEST_LOOK, LONGEST_LOOK)).await;
        let (now, busy) = (count(), workers.iter().any(|worker| worker.in_flight() > 0));
        if busy || now != last || is_refused() {
            (last, since) = (now, Instant::now());
        } else if since.elapsed() >= quiet {
            return;
        }
    }
}

/// Between two looks.
const SHORTEST_LOOK: Duration = Duration::from_millis(20);
const LONGEST_LOOK: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use http::StatusCode;

    use super::*;
    use crate::metrics::{CountedMethod, Ended};

    fn ended(label: usize) -> Ended {
        Ended {
            label,
            method: CountedMethod::Get,
            status: StatusCode::OK,
            to_head: Some(Duration::ZERO),
            elapsed: Duration::ZERO,
            received: 0,
            sent: 0,
            is_whole: true,
            is_page: false,
            reason: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn requests_of_the_cloud_and_a_refusal_keep_it_up_and_probes_do_not() {
        let worker = Arc::new(Metrics::default());
        let start = Instant::now();
        let refused = Arc::new(AtomicBool::new(false));
        let followed = Arc::clone(&refused);
        let is_refused = move || followed.load(Ordering::Relaxed);
        let idle = tokio::spawn(idle(vec![Arc::clone(&worker)], is_refused, Duration::from_secs(60)));
        sleep(Duration::from_secs(30)).await;
        worker.request_began();
        sleep(Duration::from_secs(100)).await;
        worker.request_ended(&ended(2));
        sleep(Duration::from_secs(40)).await;
        worker.request_began();
        worker.request_ended(&ended(0));
        refused.store(true, Ordering::Relaxed);
        sleep(Duration::from_secs(1000)).await;
        assert!(!idle.is_finished());
        refused.store(false, Ordering::Relaxed);
        idle.await.unwrap();
        // By the last look before that.
        assert_eq!(start.elapsed().as_secs(), 1229);
    }
}
