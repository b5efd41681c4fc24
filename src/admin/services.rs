//! Every service, where it is, and how it fares, for programs and for the page.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::Viewer;
use crate::catalog::Region;
use crate::clock::Moment;
use crate::identity::Snapshot;
use crate::metrics::history::{History, Latency, Standing};
use crate::page::words;
use crate::routing::{Prefix, Route};

/// Those that the viewer's listener leads to.
pub(super) fn all(snapshot: &Snapshot, viewer: &Viewer, history: &History, now: Moment) -> Value {
    let now = now.monotonic;
    let routes = &snapshot.routes;
    match &viewer.pin {
        None => routes
            .prefixes()
            .iter()
            .map(|prefix| {
                let standing = standing(snapshot, history, &prefix.service_type, prefix.region.as_ref());
                one(prefix, viewer, standing, now)
            })
            .collect(),
        Some(pin) => {
            routes.route_at(pin).into_iter().map(|route| pinned(route, viewer, history, now)).collect()
        }
    }
}

fn one(prefix: &Prefix, viewer: &Viewer, standing: Standing, now: Instant) -> Value {
    let mut value = json!({
        "type": prefix.service_type,
        "prefixes": prefix.names,
        "region": prefix.region.as_ref().map(|region| region.0.as_str()),
        "other_regions": prefix.other_regions.iter().map(|region| region.0.as_str()).collect::<Vec<_>>(),
        "interface": prefix.interface.map(|interface| interface.to_string()),
        "endpoint": prefix.url.to_string(),
        "url": prefix.names.first().map(|name| format!("{}/{name}", viewer.base)),
    });
    tell(&mut value, standing, prefix.is_insecure, now);
    value
}

fn pinned(route: &Route, viewer: &Viewer, history: &History, now: Instant) -> Value {
    let path = Some(route.face_at_root()).filter(|path| !path.is_empty()).unwrap_or("/");
    let mut value = json!({
        "type": route.service_type,
        "prefixes": [],
        "region": route.region.as_ref().map(|region| region.0.as_str()),
        "interface": route.interface.map(|interface| interface.to_string()),
        "endpoint": route.upstream.to_string(),
        "url": format!("{}{path}", viewer.base),
    });
    tell(&mut value, history.standing(route.label.id), route.is_insecure, now);
    value
}

fn standing(snapshot: &Snapshot, history: &History, service: &str, region: Option<&Region>) -> Standing {
    let region = region.map_or("*", |region| &region.0);
    let mut labels = snapshot.routes.labels().all().iter();
    let label = labels.find(|label| label.service == service && label.region == region);
    label.map(|label| history.standing(label.id)).unwrap_or_default()
}

/// How it fares: a word for programs, and one for people.
fn tell(value: &mut Value, standing: Standing, is_insecure: bool, now: Instant) {
    let (state, detail) = if is_insecure {
        ("refused", "not used: its endpoint is plain http, which allow_http allows".to_owned())
    } else {
        fares(standing, now)
    };
    value["state"] = state.into();
    value["detail"] = detail.into();
    value["requests"] = standing.requests.into();
    value["errors"] = standing.errors.into();
    let latency = standing.latency.map(|Latency { half, most }| json!({ "p50": half, "p95": most }));
    value["head_seconds"] = latency.into();
}

fn fares(standing: Standing, now: Instant) -> (&'static str, String) {
    let Standing { requests, errors, good, bad, .. } = standing;
    let ago = |at: Instant| format!("{} ago", words::time(now.saturating_duration_since(at).as_secs()));
    let Some((at, reason)) = bad.filter(|(at, _)| errors > 0 || good.is_none_or(|good| good < *at)) else {
        return match good {
            None => ("idle", "no requests yet".to_owned()),
            Some(_) if requests > 0 => ("ok", "ok".to_owned()),
            Some(good) => ("ok", format!("ok, last asked {}", ago(good))),
        };
    };
    let why = reason.map_or("it answers 5xx", |reason| reason.as_str());
    if good.is_none_or(|good| good < at) {
        ("failing", format!("failing: {why}, {}", ago(at)))
    } else {
        ("unsteady", format!("{errors} of the last {requests} failed: {why}, {}", ago(at)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::failure::Reason;

    #[tokio::test(start_paused = true)]
    async fn a_service_fares_as_its_last_answers_say() {
        let then = Instant::now();
        let later = then + Duration::from_secs(2);
        let now = then + Duration::from_secs(12);
        let base = Standing::default();
        let refused = Some((then, Some(Reason::UpstreamRefused)));
        for (standing, expected) in [
            (base, ("idle", "no requests yet")),
            (Standing { requests: 4, good: Some(then), ..base }, ("ok", "ok")),
            (Standing { good: Some(then), ..base }, ("ok", "ok, last asked 12 s ago")),
            (Standing { bad: refused, ..base }, ("failing", "failing: upstream_refused, 12 s ago")),
            (
                Standing { requests: 2, errors: 2, bad: Some((then, None)), ..base },
                ("failing", "failing: it answers 5xx, 12 s ago"),
            ),
            (
                Standing { requests: 9, errors: 2, good: Some(later), bad: refused, ..base },
                ("unsteady", "2 of the last 9 failed: upstream_refused, 12 s ago"),
            ),
            (Standing { requests: 9, good: Some(later), bad: refused, ..base }, ("ok", "ok")),
        ] {
            let (state, detail) = fares(standing, now);
            assert_eq!((state, detail.as_str()), expected);
        }
    }
}
