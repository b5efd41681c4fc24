//! What we say of ourselves, as JSON: `/` and `/-/status`.

use std::time::Duration;

use serde_json::{Value, json};

use super::holder::{holder, projects};
use super::{Admin, Listening, Viewer, services};
use crate::clock::Moment;
use crate::face;
use crate::identity::{Phase, Snapshot};
use crate::shell;

impl Admin {
    /// `/`: the prefixes there are, and lines to try.
    pub(super) fn overview(&self, viewer: &Viewer) -> Value {
        let Some(snapshot) = self.cell.current() else { return self.front(viewer) };
        let base = &viewer.base;
        let services = services::all(&snapshot, viewer, &self.history(), self.now());
        let try_it: Vec<String> = snapshot
            .routes
            .prefixes()
            .iter()
            .filter_map(|service| service.names.first())
            .map(|prefix| format!("curl {}", shell::word(&format!("{base}/{prefix}"))))
            .collect();
        json!({
            "gatestone": env!("CARGO_PKG_VERSION"),
            "ready": self.not_ready().is_none(),
            "reason": self.not_ready(),
            "token": self.token(&snapshot),
            "holder": holder(&snapshot),
            "projects": projects(&snapshot),
            "services": services,
            "try": try_it,
            "versions": face::versions(base),
            "status": format!("{base}/-/status"),
            "metrics": format!("{base}/-/metrics"),
        })
    }

    /// `/`, as far as it says nothing of the cloud.
    pub(super) fn front(&self, viewer: &Viewer) -> Value {
        let (base, is_stranger) = (&viewer.base, viewer.is_stranger());
        json!({
            "gatestone": env!("CARGO_PKG_VERSION"),
            "ready": self.not_ready().is_none(),
            "reason": self.not_ready_for(is_stranger),
            "versions": face::versions(base),
            "status": format!("{base}/-/status"),
        })
    }

    /// `/-/status`.
    pub(super) fn status(&self, viewer: &Viewer) -> Value {
        self.look();
        let now = self.now();
        let (phase, told) = (self.cell.phase(), self.told.load());
        let mut status = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "commit": env!("GATESTONE_COMMIT"),
            "ready": self.not_ready().is_none(),
            "reason": self.not_ready(),
            "uptime_seconds": now.monotonic.duration_since(self.started.monotonic).as_secs(),
            "listen": told.listeners.iter().map(|it| it.addr.to_string()).collect::<Vec<_>>(),
            "listeners": told.listeners.iter().map(Listening::to_json).collect::<Vec<_>>(),
            "login": phase_text(&phase),
            "login_is_retried": matches!(phase, Phase::Starting | Phase::Failing(_)),
            "traffic": self.traffic(),
        });
        let mut warnings = told.warnings.clone();
        if let Some(snapshot) = self.cell.current() {
            warnings.extend_from_slice(snapshot.routes.warnings());
            status["token"] = self.token(&snapshot);
            warnings.extend(snapshot.notices(now).iter().map(ToString::to_string));
            status["holder"] = holder(&snapshot);
            status["projects"] = projects(&snapshot);
            status["region"] = snapshot.routes.region().map(|region| region.0.as_str()).into();
            status["regions"] = snapshot.routes.regions().iter().map(|region| region.0.clone()).collect();
            status["services"] = services::all(&snapshot, viewer, &self.history(), now);
            let keystone = snapshot.routes.routes().iter().find(|route| route.is_identity);
            status["identity"] = keystone.map(|route| route.upstream.to_string()).into();
        }
        warnings.extend(self.cell.reload_problem().map(|problem| problem.to_string()));
        status["warnings"] = warnings.into();
        status
    }

    fn token(&self, snapshot: &Snapshot) -> Value {
        let now = self.cell.clock().now();
        let (life, renewable) = (snapshot.life, snapshot.account.is_renewable);
        let left = |end: Option<Moment>| Some(end?.remaining(now).as_secs());
        json!({
            "generation": snapshot.generation,
            "age_seconds": age(snapshot, now).as_secs(),
            "lifetime_seconds": life.lifetime.as_secs(),
            "expires_in_seconds": life.expires.remaining(now).as_secs(),
            "refresh_in_seconds": renewable.then(|| life.refresh_at.remaining(now).as_secs()),
            "renewable": renewable,
            "password_expires_in_seconds": left(snapshot.account.password_end),
            "application_credential_expires_in_seconds": left(snapshot.account.credential_end),
        })
    }
}

pub(super) fn age(snapshot: &Snapshot, now: Moment) -> Duration {
    now.monotonic.saturating_duration_since(snapshot.life.start.monotonic)
}

fn phase_text(phase: &Phase) -> String {
    match phase {
        Phase::Starting => "the first login is under way".to_owned(),
        Phase::Fresh => "ok".to_owned(),
        Phase::Failing(error) | Phase::Refused(error) => error.to_string(),
        Phase::SpentToken => "the token that was given has expired and cannot be renewed".to_owned(),
    }
}
