//! `Plan`: when the next login is due, and what may bring it forward.

use std::time::Duration;

use tokio::time::Instant;

use crate::clock::Moment;

/// The time of the next login.
#[derive(Debug)]
pub(super) struct Plan {
    /// `None` for never.
    login_at: Option<Moment>,
    /// Whether a refused token may bring it forward: not while Keystone is down or refuses us.
    may_hurry: bool,
    /// Whether a refused token has brought it forward.
    is_healing: bool,
    last_login: Option<Instant>,
    last_healing: Option<Instant>,
}

impl Plan {
    /// The first login, at once.
    pub(super) fn new(now: Moment) -> Self {
        Self {
            login_at: Some(now),
            may_hurry: false,
            is_healing: false,
            last_login: None,
            last_healing: None,
        }
    }

    /// Time left until the next login; `None` if there is to be none.
    pub(super) fn left(&self, now: Moment) -> Option<Duration> {
        let left = self.login_at?.remaining(now);
        // A wall clock that is set ahead makes nobody refuse more tokens.
        Some(if self.is_healing { left.max(self.healing_wait()) } else { left })
    }

    /// Whether the time has come.
    pub(super) fn is_due(&self, now: Moment) -> bool {
        self.left(now) == Some(Duration::ZERO)
    }

    /// A login is about to be sent; tells whether it is for a token that was refused.
    pub(super) fn begin(&mut self) -> bool {
        let now = Instant::now();
        self.last_login = Some(now);
        if self.is_healing {
            self.last_healing = Some(now);
        }
        std::mem::take(&mut self.is_healing)
    }

    /// The login was not needed after all: Keystone had no part in it.
    pub(super) fn spared(&mut self) {
        self.last_healing = None;
    }

    /// All is well until `refresh_at`.
    pub(super) fn rest(&mut self, refresh_at: Moment, now: Moment) {
        self.login_at = Some(later(refresh_at, now, self.next_allowed(now)));
        (self.may_hurry, self.is_healing) = (true, false);
    }

    /// The last login failed; nothing brings the next one forward, `None` for none at all.
    pub(super) fn retry(&mut self, at: Option<Moment>, now: Moment) {
        self.login_at = at.map(|at| later(at, now, self.next_allowed(now)));
        (self.may_hurry, self.is_healing) = (false, false);
    }

    /// A person asks, or the credentials have changed: at once.
    pub(super) fn ask(&mut self, now: Moment) {
        self.login_at = Some(self.next_allowed(now));
    }

    /// A service refused the token. False if no login can follow now.
    pub(super) fn hurry(&mut self, now: Moment) -> bool {
        let is_allowed = self.may_hurry && self.healing_wait().is_zero();
        if is_allowed && !self.is_due(now) {
            self.login_at = Some(self.next_allowed(now));
            self.is_healing = true;
        }
        is_allowed
    }

    /// The token is dead: as soon as a refusal may cause a login, or when one is due anyway.
    pub(super) fn replace(&mut self, now: Moment) {
        let soonest = later(self.next_allowed(now), now, now.plus(self.healing_wait()));
        let is_sooner = self.login_at.is_none_or(|at| soonest.remaining(now) < at.remaining(now));
        if self.may_hurry && is_sooner {
            self.login_at = Some(soonest);
            self.is_healing = true;
        }
    }

    fn healing_wait(&self) -> Duration {
        self.last_healing.map_or(Duration::ZERO, |at| BETWEEN_HEALINGS.saturating_sub(at.elapsed()))
    }

    fn next_allowed(&self, now: Moment) -> Moment {
        let wait = self.last_login.map_or(Duration::ZERO, |at| BETWEEN_LOGINS.saturating_sub(at.elapsed()));
        now.plus(wait)
    }
}

/// The one that is further from `now`.
fn later(one: Moment, now: Moment, other: Moment) -> Moment {
    if one.remaining(now) >= other.remaining(now) { one } else { other }
}

/// However short tokens live, providers limit logins (60 a minute at one of the largest).
const BETWEEN_LOGINS: Duration = Duration::from_secs(1);
/// Whatever services refuse, Keystone gets no more logins for it than this.
const BETWEEN_HEALINGS: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::clock::Clock;

    fn now() -> Moment {
        Clock::with_wall(|| std::time::UNIX_EPOCH).now()
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// A plan after a login a minute ago, with the next in an hour.
    async fn resting() -> Plan {
        let mut plan = Plan::new(now());
        assert!(plan.is_due(now()) && !plan.begin());
        plan.rest(now().plus(seconds(3600)), now());
        advance(seconds(60)).await;
        plan
    }

    #[tokio::test(start_paused = true)]
    async fn refused_tokens_cause_a_login_in_30_seconds() {
        let mut plan = resting().await;
        assert!(plan.hurry(now()) && plan.is_due(now()) && plan.begin());
        plan.rest(now().plus(seconds(3600)), now());
        advance(seconds(29)).await;
        assert!(!plan.hurry(now()) && !plan.is_due(now()));
        plan.replace(now());
        assert_eq!(plan.left(now()), Some(seconds(1)));
        advance(seconds(1)).await;
        assert!(plan.begin());
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_that_is_due_anyway_is_not_counted() {
        let mut plan = resting().await;
        assert!(plan.hurry(now()) && plan.begin());
        plan.rest(now().plus(seconds(7)), now());
        plan.replace(now());
        assert_eq!(plan.left(now()), Some(seconds(7)));
        advance(seconds(7)).await;
        assert!(!plan.begin());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_hurried_while_keystone_is_down() {
        let mut plan = resting().await;
        plan.begin();
        plan.retry(Some(now().plus(seconds(15))), now());
        assert!(!plan.hurry(now()));
        plan.replace(now());
        assert_eq!(plan.left(now()), Some(seconds(15)));
        plan.retry(None, now());
        plan.replace(now());
        assert_eq!(plan.left(now()), None);
        plan.ask(now());
        assert_eq!(plan.left(now()), Some(seconds(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn logins_are_a_second_apart_whatever_asks_for_them() {
        let mut plan = Plan::new(now());
        plan.begin();
        plan.rest(now(), now());
        assert_eq!(plan.left(now()), Some(seconds(1)));
        plan.rest(now().plus(seconds(100)), now());
        assert!(plan.hurry(now()));
        assert_eq!(plan.left(now()), Some(seconds(1)));
    }
}
