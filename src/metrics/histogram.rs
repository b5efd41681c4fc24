//! How long something took, by Prometheus' kind of histogram.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the buckets, in microseconds and as they are written, in seconds: from an
/// object in the next rack to an upload of minutes.
pub(super) const BOUNDS: [(u64, &str); 14] = [
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1.0"),
    (2_500_000, "2.5"),
    (10_000_000, "10.0"),
    (60_000_000, "60.0"),
    (300_000_000, "300.0"),
];

/// Counts by bucket, each alone; the last is for what is above all bounds.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// What several workers' histograms add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// As above.
    pub(super) buckets: [u64; BOUNDS.len() + 1],
    /// In all.
    pub(super) micros: u64,
}

impl Histogram {
    pub(super) fn observe(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|(bound, _)| micros <= *bound).unwrap_or(BOUNDS.len());
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(super) fn add_to(&self, sums: &mut Sums) {
        for (sum, bucket) in sums.buckets.iter_mut().zip(&self.buckets) {
            *sum += bucket.load(Ordering::Relaxed);
        }
        sums.micros += self.micros.load(Ordering::Relaxed);
    }
}

impl Sums {
    pub(super) fn add(&mut self, other: &Self) {
        for (sum, more) in self.buckets.iter_mut().zip(other.buckets) {
            *sum += more;
        }
        self.micros += other.micros;
    }

    pub(super) fn subtract(&mut self, other: &Self) {
        for (sum, less) in self.buckets.iter_mut().zip(other.buckets) {
            *sum = sum.saturating_sub(less);
        }
        self.micros = self.micros.saturating_sub(other.micros);
    }

    /// Upper bounds as they are written, with how many are at most that; the last is all.
    pub(super) fn cumulative(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let bounds = BOUNDS.iter().map(|(_, written)| *written).chain(["+Inf"]);
        bounds.zip(self.buckets).scan(0, |below, (bound, count)| {
            *below += count;
            Some((bound, *below))
        })
    }

    pub(super) fn seconds(&self) -> f64 {
        Duration::from_micros(self.micros).as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let histogram = Histogram::default();
        for micros in [0, 1_000, 1_001, 300_000_000, 300_000_001] {
            histogram.observe(Duration::from_micros(micros));
        }
        let mut sums = Sums::default();
        histogram.add_to(&mut sums);
        let written: Vec<_> = sums
            .cumulative()
            .filter(|(bound, _)| ["0.001", "0.0025", "300.0", "+Inf"].contains(bound))
            .collect();
        assert_eq!(written, [("0.001", 2), ("0.0025", 3), ("300.0", 4), ("+Inf", 5)]);
        assert!((sums.seconds() - 600.002_002).abs() < 1e-9);
    }

    #[test]
    fn bounds_are_written_as_they_are() {
        for (micros, written) in BOUNDS {
            assert!(
                (written.parse::<f64>().unwrap() - Duration::from_micros(micros).as_secs_f64()).abs() < 1e-12
            );
        }
    }
}
