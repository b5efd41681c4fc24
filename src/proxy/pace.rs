//! `Pace`: no more requests to a service than its provider takes, in any window of time.
//!
//! Each request gets the first moment at which the one that was `requests` before it is `per` old: so there are never
//! more than so many in any window of that length, and up to so many may go at once. A moment further away than the
//! bound is not waited for.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::overload::Overload;
use crate::metrics::Metrics;

/// How often a service may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// So many requests, at most [`Rate::MOST`].
    pub requests: usize,
    /// In so long.
    pub per: Duration,
    /// How long a request may wait for its turn.
    pub wait: Duration,
}

impl Rate {
    /// Each of them is remembered for a while.
    pub const MOST: usize = 100_000;
}

/// The paces of all services that have one, by the key of their settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paces(Arc<[(String, Pace)]>);

impl Paces {
    pub(crate) fn new(rates: impl IntoIterator<Item = (String, Rate)>) -> Self {
        let paces = rates.into_iter().map(|(service, rate)| (service, Pace::new(rate)));
        Self(paces.collect())
    }

    /// Waits for a request's turn.
    ///
    /// # Errors
    ///
    /// It would take too long.
    pub(super) async fn turn(&self, service: &str, metrics: &Metrics) -> Result<(), Overload> {
        // Few have one.
        let Some((_, pace)) = self.0.iter().find(|(name, _)| name == service) else { return Ok(()) };
        let now = Instant::now();
        let turn = pace.next(now).map_err(|away| {
            let service = service.to_owned();
            Overload::Turns { service, rate: pace.rate, away }
        })?;
        if turn > now {
            metrics.paced();
            Box::pin(sleep_until(turn)).await;
        }
        Ok(())
    }
}

/// One service's.
#[derive(Debug)]
struct Pace {
    rate: Rate,
    /// The last turns, the oldest first.
    turns: Mutex<VecDeque<Instant>>,
}

impl Pace {
    fn new(rate: Rate) -> Self {
        Self { rate, turns: Mutex::default() }
    }

    /// The moment of one more request, or how far away it would be.
    fn next(&self, now: Instant) -> Result<Instant, Duration> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = match turns.front() {
            Some(oldest) if turns.len() >= self.rate.requests => now.max(*oldest + self.rate.per),
            Some(_) | None => now,
        };
        // Others may have been given a later one.
        let turn = turns.back().map_or(turn, |last| turn.max(*last));
        let away = turn - now;
        if away > self.rate.wait {
            return Err(away);
        }
        if turns.len() >= self.rate.requests {
            turns.pop_front();
        }
        turns.push_back(turn);
        Ok(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(requests: usize, per: u64, wait: u64) -> Pace {
        let (per, wait) = (Duration::from_secs(per), Duration::from_secs(wait));
        Pace::new(Rate { requests, per, wait })
    }

    #[test]
    fn as_many_as_may_go_at_once_and_the_next_when_the_first_is_old_enough() {
        let pace = pace(3, 10, 60);
        let now = Instant::now();
        let seconds = |turn: Result<Instant, Duration>| (turn.unwrap() - now).as_secs();
        let turns: Vec<u64> = (0..8).map(|_| seconds(pace.next(now))).collect();
        assert_eq!(turns, [0, 0, 0, 10, 10, 10, 20, 20]);
        assert_eq!(seconds(pace.next(now + Duration::from_secs(25))), 25);
    }

    #[test]
    fn a_turn_too_far_away_is_refused_and_costs_nobody_theirs() {
        let pace = pace(1, 10, 10);
        let now = Instant::now();
        assert!(pace.next(now).is_ok() && pace.next(now).is_ok());
        assert_eq!(pace.next(now), Err(Duration::from_secs(20)));
        assert_eq!(pace.next(now), Err(Duration::from_secs(20)));
        assert!(pace.next(now + Duration::from_secs(10)).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn there_are_never_more_in_any_window(
            requests in 1_usize..6,
            gaps in proptest::collection::vec(0_u64..5, 1..60),
        ) {
            let pace = pace(requests, 7, 20);
            let mut now = Instant::now();
            let mut turns = Vec::new();
            for gap in gaps {
                now += Duration::from_secs(gap);
                turns.extend(pace.next(now).ok());
            }
            for (i, first) in turns.iter().enumerate() {
                let within = turns[i..].iter().filter(|turn| **turn - *first < Duration::from_secs(7)).count();
                proptest::prop_assert!(within <= requests);
            }
            proptest::prop_assert!(turns.is_sorted());
        }
    }
}
