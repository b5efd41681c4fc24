//! What passes: of late, and last.

use serde_json::{Value, json};

use super::{Admin, Viewer};
use crate::metrics::history::SAMPLE;

/// Requests that the page shows.
const SHOWN: usize = 16;

impl Admin {
    /// The last few seconds.
    pub(super) fn traffic(&self) -> Value {
        let last = self.history().samples().last().copied().unwrap_or_default();
        let rate = |count: u64| count as f64 / SAMPLE.as_secs_f64();
        json!({
            "seconds": SAMPLE.as_secs(),
            "requests_per_second": rate(last.requests),
            "client_errors_per_second": rate(last.client_errors),
            "errors_per_second": rate(last.errors),
            "head_seconds": last.latency.map(|latency| json!({ "p50": latency.half, "p95": latency.most })),
            "in_flight": self.workers.iter().map(|worker| worker.in_flight()).sum::<u64>(),
            "connections": self.workers.iter().map(|worker| worker.open_connections()).sum::<u64>(),
        })
    }

    /// The last requests that the viewer may see, the last first.
    pub(super) fn last_requests(&self, viewer: &Viewer) -> Vec<Value> {
        let mut all = Vec::new();
        for worker in &self.workers {
            worker.recent().add_to(&mut all, |request| {
                request.door == viewer.door && viewer.user.is_none_or(|user| request.user == user)
            });
        }
        all.sort_by_key(|request| std::cmp::Reverse((request.at, request.number)));
        let now = self.now().monotonic;
        let snapshot = self.cell.current();
        let labels = snapshot.as_ref().map(|snapshot| snapshot.routes.labels().all()).unwrap_or_default();
        let shown = all.iter().take(SHOWN).map(|request| {
            let label = labels.get(request.label);
            let user = request.name.as_deref().map(ToOwned::to_owned);
            json!({
                "method": request.method.as_str(),
                "path": request.path,
                "status": request.status.as_u16(),
                "reason": request.reason.map(crate::failure::Reason::as_str),
                "service": label.map(|label| label.service.as_str()),
                "region": label.map(|label| label.region.as_str()),
                "user": user.or_else(|| request.user.id().map(|id| format!("uid {id}"))),
                "seconds_ago": now.saturating_duration_since(request.at).as_secs(),
                "head_seconds": request.to_head.as_secs_f64(),
                "seconds": request.end.map(|end| end.elapsed.as_secs_f64()),
                "whole": request.end.map(|end| end.is_whole),
            })
        });
        shown.collect()
    }
}
