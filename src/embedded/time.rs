//! The cloud's clock: the wall clock as it was at the start, carried on by tokio's, so that tests can
//! stop it, and put forward or back by a skew.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// The cloud's clock.
#[derive(Clone, Debug)]
pub struct Time {
    base: Timestamp,
    start: Instant,
}

impl Time {
    /// A clock that is `skew_seconds` ahead of the machine's.
    pub fn new(skew_seconds: i64) -> Self {
        let skew = SignedDuration::from_secs(skew_seconds);
        let now = Timestamp::now();
        Self { base: now.checked_add(skew).unwrap_or(now), start: Instant::now() }
    }

    /// The time of now.
    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.start.elapsed()).unwrap_or(SignedDuration::MAX);
        self.base.checked_add(passed).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_clouds_time_goes_with_tokios() {
        let time = Time::new(-3600);
        let before = time.now();
        assert!(before < Timestamp::now() - SignedDuration::from_mins(59));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(time.now().duration_since(before), SignedDuration::from_secs(5));
    }
}
