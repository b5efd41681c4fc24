//! What will soon stop working, told in good time: in the status, and in the log once a day.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::snapshot::Snapshot;
use crate::clock::Moment;

/// Something that a person should know or do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The catalog came empty; an older one serves.
    CatalogKept,
    /// The user's password ends in so long.
    PasswordEnds(Duration),
    /// The application credential ends in so long.
    CredentialEnds(Duration),
    /// The token ends in so long, and cannot be renewed.
    TokenEnds(Duration),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CatalogKept => f.write_str(
                "the identity service sent an empty catalog; the endpoints of the one before it stay in use",
            ),
            Self::PasswordEnds(left) => {
                write!(
                    f,
                    "the user's password expires {}; change it, and give the new one to this proxy",
                    In(*left)
                )
            }
            Self::CredentialEnds(left) => write!(
                f,
                "the application credential expires {}; make a new one, and give it to this proxy",
                In(*left)
            ),
            Self::TokenEnds(left) => {
                write!(f, "the token cannot be renewed and expires {}; requests fail after that", In(*left))
            }
        }
    }
}

/// A time from now, as people say it.
struct In(Duration);

impl fmt::Display for In {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            0 => f.write_str("now"),
            seconds @ 1..=119 => write!(f, "in {seconds} s"),
            seconds @ 120..=7_199 => write!(f, "in {} min", seconds / 60),
            seconds @ 7_200..=172_799 => write!(f, "in {} h", seconds / 3_600),
            seconds => write!(f, "in {} days", seconds / 86_400),
        }
    }
}

impl Snapshot {
    /// What a person should know at `now`.
    pub fn notices(&self, now: Moment) -> Vec<Notice> {
        let soon = |end: Option<Moment>| Some(end?.remaining(now)).filter(|left| *left < SOON);
        let kept = self.catalog_is_kept.then_some(Notice::CatalogKept);
        let password = soon(self.account.password_end).map(Notice::PasswordEnds);
        let credential = soon(self.account.credential_end).map(Notice::CredentialEnds);
        let token = (!self.account.is_renewable).then(|| Notice::TokenEnds(self.life.expires.remaining(now)));
        [kept, password, credential, token].into_iter().flatten().collect()
    }
}

/// Two weeks: a holiday fits in.
const SOON: Duration = Duration::from_secs(14 * 86_400);

/// Tells notices in the log, each kind once a day.
#[derive(Debug, Default)]
pub(super) struct Teller {
    told: Vec<(std::mem::Discriminant<Notice>, Instant)>,
}

impl Teller {
    pub(super) fn tell(&mut self, snapshot: &Snapshot, now: Moment) {
        self.told.retain(|(_, at)| at.elapsed() < A_DAY);
        for notice in snapshot.notices(now) {
            let kind = std::mem::discriminant(&notice);
            if !self.told.iter().any(|(told, _)| *told == kind) {
                self.told.push((kind, Instant::now()));
                warn!("{notice}");
            }
        }
    }
}

const A_DAY: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_people_say_them() {
        for (seconds, text) in [
            (0, "now"),
            (59, "in 59 s"),
            (600, "in 10 min"),
            (7_200, "in 2 h"),
            (172_799, "in 47 h"),
            (8 * 86_400, "in 8 days"),
        ] {
            assert_eq!(In(Duration::from_secs(seconds)).to_string(), text);
        }
    }
}
