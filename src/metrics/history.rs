//! What the counters did of late, for the page: requests, errors and latency of the last ten minutes, and how each
//! service fares.
//!
//! A task beside the workers reads the counters at each [`TICK`]; requests know nothing of it. All that is kept is
//! bounded, by time and by the number of labels.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::histogram::{BOUNDS, Sums};
use super::{CLASSES, Metrics};
use crate::failure::Reason;

/// How often the counters are looked at.
pub(crate) const TICK: Duration = Duration::from_secs(2);
/// What a sample is of.
pub(crate) const SAMPLE: Duration = Duration::from_secs(TICK.as_secs() * TICKS);
/// And how often where nothing has happened in all the time that is kept, and nobody looks.
pub(crate) const QUIET_TICK: Duration = Duration::from_secs(10);
/// Ticks in it.
const TICKS: u64 = 2;
/// Samples that are kept: ten minutes.
pub(crate) const SAMPLES: usize = 150;
/// A service's figures are of one to two of these.
const WINDOW: Duration = Duration::from_secs(60);

/// What happened in the time of one sample.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sample {
    /// Requests that ended, but for those of this page and its like.
    pub(crate) requests: u64,
    /// Of them, 4xx.
    pub(crate) client_errors: u64,
    /// Of them, 5xx, the service's or ours.
    pub(crate) errors: u64,
    /// To the heads of services' responses, if there were any.
    pub(crate) latency: Option<Latency>,
}

/// To the head of a response, as far as a histogram tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Latency {
    /// Half of them took no longer, in seconds.
    pub(crate) half: f64,
    /// All but a twentieth.
    pub(crate) most: f64,
}

/// How a service fares.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Standing {
    /// Requests of the last one or two minutes.
    pub(crate) requests: u64,
    /// Of them, 5xx.
    pub(crate) errors: u64,
    /// When it was last seen to answer with something better.
    pub(crate) good: Option<Instant>,
    /// When not, and why, where that is known.
    pub(crate) bad: Option<(Instant, Option<Reason>)>,
    /// Of the last minutes in which it was asked.
    pub(crate) latency: Option<Latency>,
}

/// The last ten minutes.
#[derive(Debug, Default)]
pub(crate) struct History {
    ticks: u64,
    ticked: Option<Instant>,
    /// When the last sample ended.
    closed: Option<Instant>,
    /// Ticks since something was counted.
    quiet: u64,
    open: Open,
    samples: VecDeque<Sample>,
    services: Vec<Service>,
    window_since: Option<Instant>,
}

/// A sample under way.
#[derive(Debug, Default)]
struct Open {
    sample: Sample,
    heads: Sums,
}

/// What is known of one label.
#[derive(Clone, Debug, Default)]
struct Service {
    /// At the last tick.
    last: Counts,
    /// At the beginnings of this window and the one before.
    windows: [Counts; 2],
    standing: Standing,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    classes: [u64; CLASSES.len()],
    heads: Sums,
    /// Clients that left before there was one.
    left: u64,
}

impl Counts {
    /// Those of a label; nothing where they are as they were `before`, which costs less to see.
    fn of(workers: &[Arc<Metrics>], label: usize, before: &Self) -> Option<Self> {
        let mut counts = Self::default();
        for worker in workers {
            if let Some(series) = worker.series.get(label).and_then(|series| series.get()) {
                series.heads.add_to(&mut counts.heads);
                counts.left += series.left.load(Ordering::Relaxed);
            }
        }
        // Each request that is counted has a head, or its client left.
        if counts.heads == before.heads && counts.left == before.left {
            return None;
        }
        for worker in workers {
            let Some(series) = worker.series.get(label).and_then(|series| series.get()) else { continue };
            for method in &series.requests {
                for (sum, count) in counts.classes.iter_mut().zip(method) {
                    *sum += count.load(Ordering::Relaxed);
                }
            }
            if label == OURS {
                for (sum, count) in counts.classes.iter_mut().zip(&worker.pages) {
                    // Counted a moment later than the request itself.
                    *sum = sum.saturating_sub(count.load(Ordering::Relaxed));
                }
            }
        }
        Some(counts)
    }

    fn since(&self, before: &Self) -> Self {
        let mut since = *self;
        for (count, before) in since.classes.iter_mut().zip(before.classes) {
            *count = count.saturating_sub(before);
        }
        since.heads.subtract(&before.heads);
        since.left = since.left.saturating_sub(before.left);
        since
    }

    fn all(&self) -> u64 {
        self.classes.iter().sum()
    }
}

impl History {
    /// Looks at the counters of so many labels.
    pub(crate) fn tick(&mut self, workers: &[Arc<Metrics>], labels: usize, now: Instant) {
        self.ticks += 1;
        self.ticked = Some(now);
        self.quiet += 1;
        self.services.resize_with(labels.max(self.services.len()), Service::default);
        let turns = self.window_since.is_none_or(|since| now.duration_since(since) >= WINDOW);
        if turns {
            self.window_since = Some(now);
        }
        for (label, service) in self.services.iter_mut().enumerate() {
            let Some(counts) = Counts::of(workers, label, &service.last) else {
                if turns {
                    service.turn();
                }
                continue;
            };
            let since = counts.since(&service.last);
            let [_, ok, moved, client_errors, errors] = since.classes;
            if since.all() > 0 {
                self.quiet = 0;
            }
            self.open.sample.requests += since.all();
            self.open.sample.client_errors += client_errors;
            self.open.sample.errors += errors;
            if label != OURS {
                self.open.heads.add(&since.heads);
            }
            let standing = &mut service.standing;
            // Of a service that clients left before it answered nothing is known.
            if ok + moved + client_errors > since.left {
                standing.good = Some(now);
            }
            if errors > 0 {
                standing.bad = Some((now, trouble(workers, label)));
            }
            service.last = counts;
            if turns {
                service.turn();
            } else {
                service.tell();
            }
        }
        if self.ticks.is_multiple_of(TICKS) {
            self.close_sample(now);
        }
    }

    /// The sample under way is one more; several like it where the clock has ticked more slowly.
    fn close_sample(&mut self, now: Instant) {
        let Open { sample, heads } = std::mem::take(&mut self.open);
        let since = self.closed.replace(now).map_or(SAMPLE, |closed| now.duration_since(closed));
        let places = ((since.as_secs_f64() / SAMPLE.as_secs_f64()).round() as u64).clamp(1, SAMPLES as u64);
        let part = |count: u64, i: u64| count * (i + 1) / places - count * i / places;
        for i in 0..places {
            if self.samples.len() == SAMPLES {
                self.samples.pop_front();
            }
            self.samples.push_back(Sample {
                requests: part(sample.requests, i),
                client_errors: part(sample.client_errors, i),
                errors: part(sample.errors, i),
                latency: Latency::of(&heads),
            });
        }
    }

    /// Whether the last tick is a tick ago.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.ticked.is_none_or(|ticked| now.duration_since(ticked) >= TICK)
    }

    /// Whether nothing was counted in all the time that is kept.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet > SAMPLES as u64 * TICKS
    }

    /// The samples so far, the last one last.
    pub(crate) fn samples(&self) -> impl ExactSizeIterator<Item = &Sample> + Clone {
        self.samples.iter()
    }

    /// How the service of a label fares.
    pub(crate) fn standing(&self, label: usize) -> Standing {
        self.services.get(label).map(|service| service.standing).unwrap_or_default()
    }
}

impl Service {
    /// A window ends and another begins.
    fn turn(&mut self) {
        self.windows = [self.windows[1], self.last];
        self.tell();
    }

    /// The figures of the windows.
    fn tell(&mut self) {
        let window = self.last.since(&self.windows[0]);
        let standing = &mut self.standing;
        (standing.requests, standing.errors) = (window.all(), window.classes[4]);
        standing.latency = Latency::of(&window.heads).or(standing.latency);
    }
}

/// Why we last answered in a service's stead, told once.
fn trouble(workers: &[Arc<Metrics>], label: usize) -> Option<Reason> {
    let of_workers = workers.iter().filter_map(|worker| worker.series.get(label)?.get());
    let codes = of_workers.map(|series| series.trouble.swap(0, Ordering::Relaxed));
    // Every worker's is taken.
    let code = codes.fold(0, |last, code| if code == 0 { last } else { code });
    Reason::ALL.get(usize::from(code).checked_sub(1)?).copied()
}

impl Latency {
    /// Within a bucket they are taken to be spread evenly.
    fn of(heads: &Sums) -> Option<Self> {
        let count: u64 = heads.buckets.iter().sum();
        let at = |part: f64| {
            let mut left = count as f64 * part;
            let mut below = 0.0;
            for (&in_it, bound) in heads.buckets.iter().zip(BOUNDS.map(|(micros, _)| micros as f64 / 1e6)) {
                if left <= in_it as f64 {
                    return below + (bound - below) * left / (in_it as f64).max(1.0);
                }
                left -= in_it as f64;
                below = bound;
            }
            below
        };
        (count > 0).then(|| Self { half: at(0.5), most: at(0.95) })
    }
}

/// The label of what we answer ourselves.
const OURS: usize = 0;

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::super::{CountedMethod, Ended};
    use super::*;

    fn ended(label: usize, status: StatusCode, millis: u64) -> Ended {
        Ended {
            label,
            method: CountedMethod::Get,
            status,
            reason: None,
            is_page: false,
            to_head: Some(Duration::from_millis(millis)),
            elapsed: Duration::from_millis(millis),
            received: 0,
            sent: 0,
            is_whole: true,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn samples_are_of_what_was_counted_since_the_last_and_ten_minutes_are_kept() {
        let workers = [Arc::new(Metrics::default()), Arc::new(Metrics::default())];
        let mut history = History::default();
        history.tick(&workers, 3, Instant::now());
        for (worker, status) in [(0, 200), (1, 200), (1, 404), (0, 502)] {
            workers[worker].request_began();
            workers[worker].request_ended(&ended(2, StatusCode::from_u16(status).unwrap(), 4));
        }
        workers[0].request_began();
        workers[0].request_ended(&Ended { is_page: true, ..ended(0, StatusCode::OK, 4) });
        history.tick(&workers, 3, Instant::now());
        let sample = *history.samples().last().unwrap();
        assert_eq!((sample.requests, sample.client_errors, sample.errors), (4, 1, 1));
        let latency = sample.latency.unwrap();
        assert!(latency.half > 0.0025 && latency.most < 0.005, "{latency:?}");
        for _ in 0..1000 {
            history.tick(&workers, 3, Instant::now());
        }
        assert_eq!(history.samples().len(), SAMPLES);
        assert_eq!(history.samples().last(), Some(&Sample::default()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_while_the_clock_ticked_slowly_is_spread_over_that_time() {
        let workers = [Arc::new(Metrics::default())];
        let mut history = History::default();
        for _ in 0..2 {
            history.tick(&workers, 3, Instant::now());
        }
        for _ in 0..10 {
            workers[0].request_began();
            workers[0].request_ended(&ended(2, StatusCode::OK, 4));
        }
        for _ in 0..2 {
            tokio::time::advance(Duration::from_secs(8)).await;
            history.tick(&workers, 3, Instant::now());
        }
        let requests: Vec<u64> = history.samples().map(|sample| sample.requests).collect();
        assert_eq!(requests, [0, 2, 3, 2, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_is_known_by_its_last_minutes_and_its_last_trouble() {
        let workers = [Arc::new(Metrics::default())];
        let mut history = History::default();
        history.tick(&workers, 3, Instant::now());
        assert_eq!(history.standing(2), Standing::default());
        let failed = Ended { reason: Some(Reason::UpstreamRefused), ..ended(2, StatusCode::BAD_GATEWAY, 1) };
        workers[0].request_began();
        workers[0].request_ended(&failed);
        history.tick(&workers, 3, Instant::now());
        let failing = history.standing(2);
        assert_eq!((failing.requests, failing.errors, failing.good), (1, 1, None));
        assert_eq!(failing.bad, Some((Instant::now(), Some(Reason::UpstreamRefused))));
        tokio::time::advance(Duration::from_secs(130)).await;
        workers[0].request_began();
        workers[0].request_ended(&ended(2, StatusCode::OK, 1));
        for _ in 0..2 {
            history.tick(&workers, 3, Instant::now());
            tokio::time::advance(Duration::from_secs(61)).await;
        }
        let well = history.standing(2);
        assert!(well.good > well.bad.map(|(at, _)| at), "{well:?}");
        history.tick(&workers, 3, Instant::now());
        history.tick(&workers, 3, Instant::now() + Duration::from_secs(61));
        let quiet = history.standing(2);
        assert_eq!((quiet.requests, quiet.errors), (0, 0));
        assert!(quiet.latency.is_some(), "what was seen last stays");
    }

    #[test]
    fn latency_is_read_off_the_buckets() {
        let mut heads = Sums::default();
        assert_eq!(Latency::of(&heads), None);
        heads.buckets[0] = 100;
        assert_eq!(Latency::of(&heads), Some(Latency { half: 0.0005, most: 0.000_95 }));
        heads.buckets[BOUNDS.len()] = 100;
        assert_eq!(Latency::of(&heads).unwrap().most, 300.0);
    }
}
