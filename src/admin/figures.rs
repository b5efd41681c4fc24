//! `/-/metrics`: what is counted, and the token's figures.

use std::sync::atomic::Ordering;

use super::Admin;
use super::status::age;
use crate::clock::Moment;
use crate::metrics::{Format, Labels, Shown, TokenFigures, exposition};

impl Admin {
    /// `/-/metrics`.
    pub(super) fn metrics(&self, format: Format) -> String {
        let snapshot = self.cell.current();
        let labels = snapshot.map_or_else(Labels::default, |snapshot| snapshot.routes.labels().clone());
        let shown = Shown {
            workers: &self.workers,
            labels: labels.all(),
            token: &self.token_figures(),
            started: self.started.wall,
            reloads: [
                ("taken", self.reloads.taken.load(Ordering::Relaxed)),
                ("rejected", self.reloads.rejected.load(Ordering::Relaxed)),
            ],
            settings_are_valid: self.cell.reload_problem().is_none(),
            most_connections: self.most_connections,
        };
        exposition(&shown, format)
    }

    fn token_figures(&self) -> TokenFigures {
        let ready = self.not_ready().is_none();
        let figures = TokenFigures {
            ready,
            refreshes: self.logins.counts(),
            healings: self.logins.healings(),
            checks: self.logins.checks(),
            ..TokenFigures::default()
        };
        let Some(snapshot) = self.cell.current() else { return figures };
        let now = self.cell.clock().now();
        let left = |end: Option<Moment>| Some(end?.remaining(now).as_secs_f64());
        TokenFigures {
            generation: snapshot.generation,
            age_seconds: age(&snapshot, now).as_secs_f64(),
            lifetime_seconds: snapshot.life.lifetime.as_secs_f64(),
            left_seconds: snapshot.life.expires.remaining(now).as_secs_f64(),
            password_left_seconds: left(snapshot.account.password_end),
            credential_left_seconds: left(snapshot.account.credential_end),
            ..figures
        }
    }
}
