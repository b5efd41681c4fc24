//! Both clocks, read together.
//!
//! A token's deadline is kept on the monotonic and on the wall clock: the
//! monotonic one may stand still while a laptop sleeps, the wall clock may be
//! stepped. Whichever says "over" first is believed (design 4). Tests stop the
//! monotonic clock with tokio and bring a wall clock of their own.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// A reading of both clocks, or a point in time on both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Never stepped; may stand still during suspend.
    pub monotonic: Instant,
    /// Goes on during suspend; may be stepped.
    pub wall: SystemTime,
}

impl Moment {
    /// This moment, `later` on both clocks.
    pub fn plus(self, later: Duration) -> Self {
        Self { monotonic: self.monotonic + later, wall: self.wall + later }
    }

    /// Time left from `now` until this moment, on the clock that says less; zero once either has reached it.
    pub fn remaining(self, now: Self) -> Duration {
        let monotonic = self.monotonic.saturating_duration_since(now.monotonic);
        let wall = self.wall.duration_since(now.wall).unwrap_or(Duration::ZERO);
        monotonic.min(wall)
    }

    /// Seconds since 1970 on the wall clock.
    pub fn unix_seconds(self) -> u64 {
        self.wall.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    /// Whether either clock has reached this moment.
    pub fn is_over(self, now: Self) -> bool {
        now.monotonic >= self.monotonic || now.wall >= self.wall
    }
}

/// Where the time comes from.
#[derive(Clone)]
pub struct Clock {
    wall: Option<Arc<dyn Fn() -> SystemTime + Send + Sync>>,
}

impl Clock {
    /// The machine's own clocks.
    pub fn system() -> Self {
        Self { wall: None }
    }

    /// Tokio's monotonic clock, which tests can stop, and a wall clock of the caller's.
    pub fn with_wall(wall: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { wall: Some(Arc::new(wall)) }
    }

    /// Reads both clocks.
    pub fn now(&self) -> Moment {
        let wall = self.wall.as_ref().map_or_else(SystemTime::now, |wall| wall());
        Moment { monotonic: Instant::now(), wall }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("wall", &self.wall.as_ref().map(|_| "given")).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_moment_is_over_when_either_clock_says_so() {
        let start = Clock::system().now();
        let deadline = start.plus(Duration::from_secs(100));
        let slept = Moment { monotonic: start.monotonic, wall: start.wall + Duration::from_secs(100) };
        let stepped_back = Moment {
            monotonic: start.monotonic + Duration::from_secs(100),
            wall: start.wall - Duration::from_secs(9_000),
        };
        let before = start.plus(Duration::from_secs(99));
        assert!(!deadline.is_over(before));
        assert!(deadline.is_over(slept));
        assert!(deadline.is_over(stepped_back));
        assert_eq!(deadline.remaining(before), Duration::from_secs(1));
        assert_eq!(deadline.remaining(slept), Duration::ZERO);
        assert_eq!(deadline.remaining(stepped_back), Duration::ZERO);
    }
}
