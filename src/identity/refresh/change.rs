//! What the refresher does with settings that were read again: rule 6.

use std::sync::Arc;

use tracing::{info, warn};

use super::{Refresher, until_login};
use crate::identity::candidate::Candidate;
use crate::identity::cell::Phase;
use crate::identity::error::AuthError;
use crate::identity::issuer::Issuer;
use crate::identity::keeper::Trust;
use crate::identity::snapshot::Snapshot;
use crate::identity::{Reload, ReloadOutcome};
use crate::routing::Preferences;

/// Why settings that were read again are not in use.
#[derive(Debug, Default)]
pub(super) struct Problems {
    /// They have mistakes.
    of_settings: Option<String>,
    /// Their login has not succeeded.
    of_login: Option<String>,
}

impl Problems {
    fn all(&self) -> Option<String> {
        match (&self.of_settings, &self.of_login) {
            (Some(one), Some(other)) => Some(format!("{one}; {other}")),
            (one, other) => one.as_ref().or(other.as_ref()).cloned(),
        }
    }
}

impl<I: Issuer> Refresher<I> {
    /// The settings have been read again.
    pub(super) fn reload(&mut self, outcome: ReloadOutcome) {
        let Reload { credentials, on_request, client, is_other_way, preferences, waiting } = match outcome {
            Ok(reload) => reload,
            Err(problem) => {
                self.problems.of_settings = Some(problem);
                return self.cell.report_reload(self.problems.all());
            }
        };
        let now = self.clock.now();
        self.problems.of_settings = None;
        if credentials != *self.issuer.credentials() {
            // All that is new waits for the login, so that the token before it goes nowhere else.
            let known = self.candidate.take().filter(|candidate| candidate.is_for(&credentials));
            self.candidate = Some(match known.filter(|_| !on_request) {
                Some(known) => known.by(client, preferences, waiting),
                None => {
                    info!("the credentials have changed; logging in with the new ones");
                    Candidate::new(self.issuer.with(credentials).through(client), preferences, waiting, now)
                }
            });
            self.problems.of_login = self.candidate.as_ref().and_then(Candidate::problem);
            return self.cell.report_reload(self.problems.all());
        }
        // What was refused is not tried again if it comes back.
        let had_candidate = self.candidate.is_some();
        self.candidate = self.candidate.take().filter(Candidate::was_refused);
        self.problems.of_login = None;
        self.cell.report_reload(self.problems.all());
        // Also where it is no other one: the way may have changed together with credentials that are gone again.
        self.issuer = Arc::new(self.issuer.through(client));
        // What has failed may have failed for want of it. A refusal is an answer.
        let has_failed = matches!(self.cell.phase(), Phase::Starting | Phase::Failing(_));
        if has_failed && (is_other_way || had_candidate) {
            self.plan.ask(now);
        }
        self.prefer(preferences);
        if on_request {
            self.refusals = 0;
            self.is_asked_for = true;
            self.plan.ask(now);
        }
    }

    /// Other endpoints are used from now on, with the same token.
    fn prefer(&mut self, preferences: Preferences) {
        if preferences == self.preferences {
            return;
        }
        self.preferences = preferences;
        if let Some(current) = self.cell.current() {
            let mut snapshot = Snapshot::clone(&current);
            snapshot.routes = self.routes(&snapshot.catalog, &snapshot.holder);
            for warning in snapshot.routes.warnings() {
                warn!("{warning}");
            }
            self.cell.publish(snapshot);
            self.cell.nudge();
        }
    }

    /// A login with changed credentials, beside those in use.
    pub(super) async fn try_candidate(&mut self) {
        let Self { candidate: Some(candidate), keeper, plan, clock, cell, .. } = self else { return };
        let outcome = tokio::select! {
            outcome = keeper.obtain(&candidate.issuer, None, Trust::IfGood) => outcome,
            // Whoever serves comes first; where nobody does, neither is interrupted, since a person may be at work.
            () = until_login(plan, clock, cell), if cell.valid().is_some() => {
                return candidate.interrupted(clock.now());
            }
            () = cell.complaints.heard() => {
                candidate.interrupted(clock.now());
                return self.hear().await;
            }
        };
        match outcome {
            Ok((login, origin)) if !login.sent.plus(login.lifetime).is_over(self.clock.now()) => {
                if let Some(waiting) = candidate.waiting.take()
                    && !waiting.tell().await
                {
                    info!("the changed credentials have changed once more; their login is not used");
                    self.candidate = None;
                    return;
                }
                info!("the changed credentials are in use");
                self.issuer = Arc::clone(&candidate.issuer);
                self.preferences.clone_from(&candidate.preferences);
                self.candidate = None;
                self.problems.of_login = None;
                self.cell.report_reload(self.problems.all());
                self.obtained(login, origin).await;
            }
            outcome => {
                let failure =
                    outcome.err().unwrap_or(AuthError::AlreadyExpired { url: candidate.issuer.url() });
                let is_refusal = failure.is_refusal();
                let problem =
                    format!("the changed credentials are not in use, those before them are: {failure}");
                warn!("{problem}");
                candidate.failed(&failure, &problem, self.clock.now());
                if is_refusal {
                    self.metrics.refused()
                } else {
                    self.metrics.failed()
                }
                self.problems.of_login = Some(problem);
                self.cell.report_reload(self.problems.all());
            }
        }
    }
}
