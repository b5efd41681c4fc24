//! Everything that is counted and measured, for a scrape. Names and units follow Prometheus' conventions (base units,
//! `_total` for counters); labels have few values, however many things there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use super::histogram::{Histogram, Sums};
use super::text::{Format, Kind, Page};
use super::{CLASSES, CountedMethod, Label, Metrics, Replay, Series, process};
use crate::failure::Reason;

/// What a scrape shows.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// Every worker's counters.
    pub workers: &'a [Arc<Metrics>],
    /// What their series are called.
    pub labels: &'a [Arc<Label>],
    /// The token.
    pub token: &'a TokenFigures,
    /// When the process started.
    pub started: SystemTime,
    /// Readings of changed settings by outcome.
    pub reloads: [(&'static str, u64); 2],
    /// Whether those that were read last are in force.
    pub settings_are_valid: bool,
    /// As many connections as may be open.
    pub most_connections: u64,
}

/// The figures of the token at the time of a scrape.
#[derive(Clone, Debug, Default)]
pub struct TokenFigures {
    /// Whether requests can be served.
    pub ready: bool,
    /// Snapshots published so far.
    pub generation: u64,
    /// Seconds since the login was sent.
    pub age_seconds: f64,
    /// Seconds that Keystone gave it.
    pub lifetime_seconds: f64,
    /// Seconds until it expires.
    pub left_seconds: f64,
    /// Logins by outcome.
    pub refreshes: [(&'static str, u64); 4],
    /// Logins because a service refused the token.
    pub healings: u64,
    /// Questions to Keystone about refused tokens, by answer.
    pub checks: [(&'static str, u64); 3],
    /// Seconds until the user's password ends, if it ever does.
    pub password_left_seconds: Option<f64>,
    /// Seconds until the application credential ends, if it ever does.
    pub credential_left_seconds: Option<f64>,
}

/// Everything, in the format that is asked for.
pub fn exposition(shown: &Shown<'_>, format: Format) -> String {
    let mut page = Page::new(format);
    page.family("gatestone_build_info", Kind::Gauge, "What runs.");
    page.put(&[("version", env!("CARGO_PKG_VERSION")), ("commit", env!("GATESTONE_COMMIT"))], 1);
    requests(&mut page, shown);
    let sum = |counter: &dyn Fn(&Metrics) -> &AtomicU64| -> u64 {
        shown.workers.iter().map(|worker| counter(worker).load(Ordering::Relaxed)).sum()
    };
    page.family("gatestone_failures_total", Kind::Counter, "Errors that are ours, by reason.");
    for reason in Reason::ALL {
        page.put(&[("reason", reason.as_str())], sum(&|m| &m.failures[reason as usize]));
    }
    let help = "Requests whose token a service refused, by what became of them.";
    page.family("gatestone_replays_total", Kind::Counter, help);
    for outcome in Replay::ALL {
        page.put(&[("outcome", outcome.as_str())], sum(&|m| &m.replays[outcome as usize]));
    }
    let singles: [(&str, Kind, &str, u64); 6] = [
        (
            "gatestone_fields_dropped_total",
            Kind::Counter,
            "Fields of responses whose names could not be passed on.",
            sum(&|m| &m.fields_dropped),
        ),
        (
            "gatestone_requests_paced_total",
            Kind::Counter,
            "Requests that waited for their turn by a service's rate_limit.",
            sum(&|m| &m.paced),
        ),
        ("gatestone_requests_in_flight", Kind::Gauge, "Requests not over yet.", sum(&|m| &m.in_flight)),
        ("gatestone_connections_total", Kind::Counter, "Connections accepted.", sum(&|m| &m.connections)),
        ("gatestone_connections_open", Kind::Gauge, "Connections open now.", sum(&|m| &m.connections_open)),
        (
            "gatestone_connections_max",
            Kind::Gauge,
            "Connections that may be open: max_connections, or what the limit of open files has room for.",
            shown.most_connections,
        ),
    ];
    for (name, kind, help, value) in singles {
        page.single(name, kind, help, value);
    }
    token_figures(&mut page, shown.token);
    page.family("gatestone_reloads_total", Kind::Counter, "Settings read again, by whether they were taken.");
    for (outcome, count) in shown.reloads {
        page.put(&[("outcome", outcome)], count);
    }
    let help = "Whether the settings that were read last are in force.";
    page.single("gatestone_settings_valid", Kind::Gauge, help, u8::from(shown.settings_are_valid));
    process::put(&mut page, shown.started);
    page.end()
}

/// By service and region, as far as there were any.
fn requests(page: &mut Page, shown: &Shown<'_>) {
    let of_all = shown.labels.iter().filter_map(|label| {
        let of_workers = shown.workers.iter().filter_map(|worker| worker.series.get(label.id)?.get());
        let of_workers: Vec<&Series> = of_workers.map(|series| &**series).collect();
        let labels = [("service", label.service.as_str()), ("region", label.region.as_str())];
        (!of_workers.is_empty()).then_some((labels, of_workers))
    });
    let all: Vec<_> = of_all.collect();
    let help = "Requests answered, by service, region, method and class of status; those that we answer are of gatestone.";
    page.family("gatestone_requests_total", Kind::Counter, help);
    for ([service, region], series) in &all {
        for method in CountedMethod::ALL {
            for (i, class) in CLASSES.into_iter().enumerate() {
                let count: u64 = total(series, |series| &series.requests[method as usize][i]);
                if count > 0 {
                    page.put(&[*service, *region, ("method", method.as_str()), ("status", class)], count);
                }
            }
        }
    }
    let histograms: [(_, _, Of<Histogram>); 2] = [
        (
            "gatestone_request_duration_seconds",
            "From a request's head to the last byte of its response.",
            |series| &series.durations,
        ),
        ("gatestone_response_head_seconds", "From a request's head to that of its response.", |series| {
            &series.heads
        }),
    ];
    for (name, help, histogram) in histograms {
        page.family(name, Kind::Histogram, help);
        for ([service, region], series) in &all {
            let mut sums = Sums::default();
            series.iter().for_each(|series| histogram(series).add_to(&mut sums));
            let mut count = 0;
            for (bound, below) in sums.cumulative() {
                page.put_as("_bucket", &[*service, *region, ("le", bound)], below);
                count = below;
            }
            page.put_as("_sum", &[*service, *region], sums.seconds());
            page.put_as("_count", &[*service, *region], count);
        }
    }
    let counters: [(_, _, Of<AtomicU64>); 3] = [
        ("gatestone_received_bytes_total", "Body bytes of requests.", |series| &series.received),
        ("gatestone_sent_bytes_total", "Body bytes of responses.", |series| &series.sent),
        ("gatestone_responses_cut_total", "Responses whose body did not reach its end.", |series| {
            &series.cut
        }),
    ];
    for (name, help, counter) in counters {
        page.family(name, Kind::Counter, help);
        for (labels, series) in &all {
            page.put(labels, total(series, counter));
        }
    }
}

/// A part of a service's counters.
type Of<T> = fn(&Series) -> &T;

fn total(series: &[&Series], counter: impl Fn(&Series) -> &AtomicU64) -> u64 {
    series.iter().map(|series| counter(series).load(Ordering::Relaxed)).sum()
}

fn token_figures(page: &mut Page, token: &TokenFigures) {
    let help = "Logins by outcome, and tokens taken from the cache.";
    page.family("gatestone_token_refreshes_total", Kind::Counter, help);
    for (outcome, count) in token.refreshes {
        page.put(&[("outcome", outcome)], count);
    }
    let help = "Logins because a service refused the token.";
    page.single("gatestone_token_healings_total", Kind::Counter, help, token.healings);
    page.family("gatestone_token_checks_total", Kind::Counter, "Questions about refused tokens, by answer.");
    for (answer, count) in token.checks {
        page.put(&[("answer", answer)], count);
    }
    let ends = [
        (
            "gatestone_password_expires_in_seconds",
            "Time until the user's password ends.",
            token.password_left_seconds,
        ),
        (
            "gatestone_application_credential_expires_in_seconds",
            "Time until the application credential ends.",
            token.credential_left_seconds,
        ),
    ];
    for (name, help, left) in ends {
        if let Some(left) = left {
            page.single(name, Kind::Gauge, help, left);
        }
    }
    let singles = [
        ("gatestone_ready", "Whether a usable token is held.", f64::from(u8::from(token.ready))),
        ("gatestone_token_generation", "Tokens obtained so far.", token.generation as f64),
        ("gatestone_token_age_seconds", "Time since the current token's login.", token.age_seconds),
        ("gatestone_token_lifetime_seconds", "Life that Keystone gave it.", token.lifetime_seconds),
        ("gatestone_token_expires_in_seconds", "Life it has left.", token.left_seconds),
    ];
    for (name, help, value) in singles {
        page.single(name, Kind::Gauge, help, value);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;

    use super::super::Ended;
    use super::*;

    #[test]
    fn workers_are_added_up_by_service_and_buckets_are_cumulative() {
        let workers = [Arc::new(Metrics::default()), Arc::new(Metrics::default())];
        let label = |id, service: &str, region: &str| {
            Arc::new(Label { id, service: service.to_owned(), region: region.to_owned() })
        };
        let labels = [label(0, "gatestone", ""), label(2, "image", "GRA"), label(3, "compute", "GRA")];
        for (worker, label, millis) in [(0, 2, 2), (1, 2, 2), (1, 2, 700), (0, 0, 1)] {
            workers[worker].request_began();
            workers[worker].request_ended(&Ended {
                label,
                method: CountedMethod::Get,
                status: StatusCode::OK,
                reason: None,
                is_page: false,
                to_head: Some(Duration::from_millis(1)),
                elapsed: Duration::from_millis(millis),
                received: 5,
                sent: 10,
                is_whole: true,
            });
        }
        workers[0].failed(Reason::NoSuchService);
        let shown = Shown {
            workers: &workers,
            labels: &labels,
            token: &TokenFigures::default(),
            started: SystemTime::UNIX_EPOCH,
            reloads: [("taken", 1), ("rejected", 0)],
            settings_are_valid: true,
            most_connections: 20,
        };
        let page = exposition(&shown, Format::Prometheus);
        for line in [
            r#"gatestone_requests_total{service="image",region="GRA",method="GET",status="2xx"} 3"#,
            r#"gatestone_requests_total{service="gatestone",region="",method="GET",status="2xx"} 1"#,
            r#"gatestone_request_duration_seconds_bucket{service="image",region="GRA",le="0.0025"} 2"#,
            r#"gatestone_request_duration_seconds_bucket{service="image",region="GRA",le="1.0"} 3"#,
            r#"gatestone_request_duration_seconds_bucket{service="image",region="GRA",le="+Inf"} 3"#,
            r#"gatestone_request_duration_seconds_count{service="image",region="GRA"} 3"#,
            r#"gatestone_response_head_seconds_bucket{service="image",region="GRA",le="0.001"} 3"#,
            r#"gatestone_received_bytes_total{service="image",region="GRA"} 15"#,
            r#"gatestone_sent_bytes_total{service="image",region="GRA"} 30"#,
            "gatestone_requests_in_flight 0",
            "gatestone_connections_max 20",
            r#"gatestone_failures_total{reason="no_such_service"} 1"#,
        ] {
            assert!(page.lines().any(|l| l == line), "{line} is missing in\n{page}");
        }
        assert!(!page.contains("compute"), "{page}");
    }
}
