//! Swift's timestamps: hundred-thousandths of a second since 1970.

use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// A moment, as Swift notes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp(i64);

const PER_SECOND: i64 = 100_000;

impl Stamp {
    /// Whole seconds, rounded up: what `Last-Modified` and conditions use.
    pub(super) fn seconds_up(self) -> i64 {
        self.0.div_euclid(PER_SECOND) + i64::from(self.0.rem_euclid(PER_SECOND) != 0)
    }

    /// Whole seconds that have passed.
    pub(super) fn seconds(self) -> i64 {
        self.0.div_euclid(PER_SECOND)
    }

    /// As `Last-Modified` has it.
    pub(super) fn http_date(self) -> String {
        http_date(self.seconds_up())
    }

    /// As listings have it: `2026-11-24T03:06:51.123450`.
    pub(super) fn iso(self) -> String {
        iso(self.seconds(), self.0.rem_euclid(PER_SECOND) * 10)
    }

    /// As manifests have it: whole seconds, rounded up, since they are made from `Last-Modified`.
    pub(super) fn iso_up(self) -> String {
        iso(self.seconds_up(), 0)
    }
}

fn iso(seconds: i64, micros: i64) -> String {
    let whole = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH).to_string();
    format!("{}.{micros:06}", whole.trim_end_matches('Z'))
}

/// A date in a field.
pub(super) fn http_date(seconds: i64) -> String {
    let seconds = u64::try_from(seconds).unwrap_or(0).min(LAST_SECOND);
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// The end of the year 9999, beyond which dates in fields have no form.
const LAST_SECOND: u64 = 253_402_300_799;

impl From<Timestamp> for Stamp {
    fn from(time: Timestamp) -> Self {
        Self(time.as_microsecond().div_euclid(10))
    }
}

/// As `X-Timestamp` has it.
impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:010}.{:05}", self.seconds(), self.0.rem_euclid(PER_SECOND))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_four_forms() {
        let stamp = Stamp::from(Timestamp::from_microsecond(1_700_000_000_123_459).unwrap());
        assert_eq!(stamp.to_string(), "1700000000.12345");
        assert_eq!(stamp.iso(), "2023-11-14T22:13:20.123450");
        assert_eq!(stamp.iso_up(), "2023-11-14T22:13:21.000000");
        assert_eq!(stamp.http_date(), "Tue, 14 Nov 2023 22:13:21 GMT");
        assert_eq!(http_date(i64::MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
    }
}
