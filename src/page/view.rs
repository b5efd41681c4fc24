//! What the page says, in words and lines: made of what `/-/status` says, so that the two cannot differ.

use serde_json::{Value, json};

use super::chart;
use super::words::{count, rate, time, took};
use crate::metrics::history::{SAMPLE, SAMPLES, Sample};
use crate::shell;

/// The view of a status, the samples of the last minutes, and the last requests, newest first.
pub(crate) fn of<'a>(
    status: &Value,
    samples: &(impl ExactSizeIterator<Item = &'a Sample> + Clone),
    requests: &[Value],
) -> Value {
    let services: Vec<Value> = list(&status["services"]).map(service).collect();
    let requests: Vec<Value> = requests.iter().map(request).collect();
    // Where nobody asks the kernel, nobody is known.
    let names_users = requests.iter().any(|request| request["user"] != "");
    json!({
        "version": format!("{} {}", word(&status["version"]), word(&status["commit"])),
        "head": head(status, &services),
        "alerts": alerts(status),
        "who": who(status),
        "token": token(status),
        "charts": charts(samples, status),
        "services": services,
        "has_services": !services.is_empty(),
        "has_no_services": services.is_empty(),
        "projects": list(&status["projects"]).map(project).collect::<Vec<_>>(),
        "has_no_projects": list(&status["projects"]).len() == 0,
        "requests": requests,
        "has_requests": !requests.is_empty(),
        "has_no_requests": requests.is_empty(),
        "names_no_users": !names_users,
        "foot": foot(status),
    })
}

/// What a stranger sees.
pub(crate) fn front(front: &Value, way_in: &str) -> Value {
    let is_ready = front["ready"] == true;
    json!({
        "state": if is_ready { "ok" } else { "bad" },
        "title": if is_ready { "Ready" } else { "Not ready" },
        "reason": front["reason"],
        "is_ready": is_ready,
        "way_in": sentence(&format!("{way_in}, and send the token as X-Auth-Token")),
    })
}

fn head(status: &Value, services: &[Value]) -> Value {
    let failing = services.iter().filter(|service| service["state"] == "bad").count() as u64;
    let warnings = list(&status["warnings"]).len() as u64;
    let (state, title) = match () {
        () if status["ready"] != true => ("bad", "Not ready".to_owned()),
        () if status["login"] != "ok" => ("warn", "Ready, but the next token is in doubt".to_owned()),
        () if failing > 0 => ("warn", format!("Ready, {} failing", count(failing, "service"))),
        () if warnings > 0 => ("warn", format!("Ready, {}", count(warnings, "warning"))),
        () => ("ok", "Ready".to_owned()),
    };
    json!({ "state": state, "title": title })
}

/// In words: what is wrong, and what was decided that somebody may want otherwise.
fn alerts(status: &Value) -> Vec<Value> {
    let mut alerts = Vec::new();
    let mut add = |state, title: &str, text: &str| {
        alerts.push(json!({ "state": state, "title": title, "text": sentence(text) }));
    };
    // What is to be done otherwise stands in the reason itself.
    let then = if status["login_is_retried"] == true {
        ". It is tried again by itself: once the identity service can be reached from here, nothing more is to be done"
    } else {
        ""
    };
    if status["ready"] != true {
        let reason = word(&status["reason"]);
        let text = format!("{reason}; requests wait for a while and then fail{then}");
        add("bad", "No request can be served now.", &text);
    } else if status["login"] != "ok" {
        let left = time(status["token"]["expires_in_seconds"].as_u64().unwrap_or_default());
        let login = word(&status["login"]);
        let text = format!("{login}; requests work until the present token ends, in {left}{then}");
        add("warn", "There is no next token yet.", &text);
    }
    for warning in list(&status["warnings"]) {
        add("warn", "Warning.", word(warning));
    }
    alerts
}

fn who(status: &Value) -> Value {
    let holder = &status["holder"];
    let (user, scope) = (&holder["user"], &holder["scope"]);
    let (kind, name, of) = match () {
        () if scope["project"].is_object() => ("Project", &scope["project"], &scope["project"]["domain"]),
        () if scope["domain"].is_object() => ("Domain", &scope["domain"], &Value::Null),
        () if scope["system"].is_object() => ("Scope", &Value::Null, &Value::Null),
        () => ("Project", &Value::Null, &Value::Null),
    };
    let scope = match () {
        () if scope["system"].is_object() => "the whole system".to_owned(),
        () if name.is_null() => "none".to_owned(),
        () => named(name),
    };
    let roles: Vec<&str> = list(&holder["roles"]).map(word).collect();
    let other_regions = list(&status["regions"]).filter(|it| **it != status["region"]).map(word);
    let other_regions: Vec<&str> = other_regions.collect();
    let is_known = holder.is_object();
    let or_dash = |text: String| if text.is_empty() { "not known yet".to_owned() } else { text };
    json!({
        "user": or_dash(named(user)),
        "user_note": note(&[named(&user["domain"]), roles.join(", ")]),
        "scope_kind": kind,
        "scope": if is_known { scope } else { "not known yet".to_owned() },
        "scope_note": note(&[named(of)]),
        "region": or_dash(word(&status["region"]).to_owned()),
        "region_note": if other_regions.is_empty() { String::new() } else { format!("also {}", other_regions.join(", ")) },
        "cloud": or_dash(word(&status["identity"]).to_owned()),
    })
}

fn named(thing: &Value) -> String {
    let name = word(&thing["name"]);
    if name.is_empty() { word(&thing["id"]).to_owned() } else { name.to_owned() }
}

fn note(parts: &[String]) -> String {
    parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" · ")
}

/// The ring fills as the token ages, to where it is renewed and begins anew.
fn token(status: &Value) -> Value {
    let token = &status["token"];
    let seconds = |name: &str| token[name].as_u64();
    let (Some(age), Some(lifetime), Some(left)) =
        (seconds("age_seconds"), seconds("lifetime_seconds"), seconds("expires_in_seconds"))
    else {
        return json!({
            "state": "bad", "dash": "0 100", "mark": "rotate(0 60 60)", "has_no_mark": true, "left": "none",
            "unit": "no token", "next": "The first login has not succeeded yet.", "facts": "",
            "said": "There is no token.", "generation": 0,
        });
    };
    let of_life = |part: u64| (part as f64 / lifetime.max(1) as f64).clamp(0.0, 1.0);
    let refresh = seconds("refresh_in_seconds");
    let is_usable = status["ready"] == true && left > 0;
    let (state, next) = match refresh {
        _ if left == 0 => ("bad", "It has expired.".to_owned()),
        _ if !is_usable => ("bad", "It is not in use any more.".to_owned()),
        _ if status["login"] != "ok" => ("warn", "The next one is being tried for.".to_owned()),
        Some(0) => ("ok", "It is being renewed.".to_owned()),
        Some(seconds) => ("ok", format!("Renewed by itself in {}.", time(seconds))),
        None => ("warn", "It cannot be renewed: give a new one before it ends.".to_owned()),
    };
    let (number, unit) = time_in_one_unit(left);
    let generation = seconds("generation").unwrap_or_default();
    let mark = of_life(age + refresh.unwrap_or_default());
    json!({
        "state": state,
        "dash": format!("{:.2} 100", of_life(age) * 100.0),
        "mark": format!("rotate({:.1} 60 60)", mark * 360.0),
        "has_no_mark": refresh.is_none() || state == "bad",
        "left": number,
        "unit": unit,
        "next": next,
        "facts": format!("Token {generation}, {} old, good for {} in all", time(age), time(lifetime)),
        "said": format!("Token {generation} is {} old and ends in {}.", time(age), time(left)),
        "generation": generation,
    })
}

/// A number and what it is of, for where there is little room.
fn time_in_one_unit(seconds: u64) -> (u64, &'static str) {
    match seconds {
        0..120 => (seconds, "s left"),
        120..7_200 => (seconds / 60, "min left"),
        7_200..172_800 => (seconds / 3600, "h left"),
        _ => (seconds / 86_400, "days left"),
    }
}

fn service(service: &Value) -> Value {
    let prefixes: Vec<&str> = list(&service["prefixes"]).map(word).collect();
    let also = prefixes.iter().skip(1).map(|name| format!("/{name}"));
    let others = list(&service["other_regions"]).map(|region| format!("@{}", word(region)));
    let also: Vec<String> = also.chain(others).collect();
    let prefix = prefixes.first().map_or_else(|| "/".to_owned(), |prefix| format!("/{prefix}"));
    let heads = &service["head_seconds"];
    let curl = format!("curl {}", shell::word(word(&service["url"])));
    let state = match word(&service["state"]) {
        "ok" => "ok",
        "idle" => "idle",
        "unsteady" => "warn",
        _ => "bad",
    };
    json!({
        "prefix": prefix,
        "also": if also.is_empty() { String::new() } else { format!("also {}", also.join(" ")) },
        "has_no_also": also.is_empty(),
        "type": word(&service["type"]),
        "endpoint": word(&service["endpoint"]),
        "place": note(&[word(&service["region"]).to_owned(), word(&service["interface"]).to_owned()]),
        "state": state,
        "detail": word(&service["detail"]),
        "half": heads["p50"].as_f64().map_or_else(|| "–".to_owned(), took),
        "most": heads["p95"].as_f64().map_or_else(String::new, |most| format!("95 % within {}", took(most))),
        "curl": curl,
        "copy": format!("Copy {curl}"),
    })
}

fn project(project: &Value) -> Value {
    json!({ "name": named(project), "set": word(&project["set"]) })
}

fn request(request: &Value) -> Value {
    let status = request["status"].as_u64().unwrap_or_default();
    let reason = word(&request["reason"]);
    let (time_taken, end) = match request["seconds"].as_f64() {
        Some(seconds) if request["whole"] == true => (took(seconds), String::new()),
        Some(seconds) => (took(seconds), "cut".to_owned()),
        None => (took(request["head_seconds"].as_f64().unwrap_or_default()), "under way".to_owned()),
    };
    let service = word(&request["service"]);
    json!({
        "method": word(&request["method"]),
        "path": word(&request["path"]),
        "status": status,
        "state": match status { 500.. => "bad", 400.. => "warn", _ => "ok" },
        "note": note(&[reason.to_owned(), end]),
        "took": time_taken,
        "service": if service == "gatestone" { "" } else { service },
        "region": word(&request["region"]),
        "user": word(&request["user"]),
        "ago": format!("{} ago", time(request["seconds_ago"].as_u64().unwrap_or_default())),
    })
}

fn charts<'a>(samples: &(impl ExactSizeIterator<Item = &'a Sample> + Clone), status: &Value) -> Value {
    let seconds = SAMPLE.as_secs_f64();
    let rates = |of: fn(&Sample) -> u64| samples.clone().map(move |sample| of(sample) as f64 / seconds);
    let (all, client, ours) = (rates(|it| it.requests), rates(|it| it.client_errors), rates(|it| it.errors));
    let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    let (most_all, most_client, most_ours) =
        (most(&mut all.clone()), most(&mut client.clone()), most(&mut ours.clone()));
    let half = samples.clone().map(|sample| Some(sample.latency?.half));
    let high = samples.clone().map(|sample| Some(sample.latency?.most));
    let most_high = most(&mut high.clone().flatten());
    let (top_all, top_errors) = (chart::top(most_all, 1.0), chart::top(most_client.max(most_ours), 1.0));
    let top_high = chart::top(most_high, 0.01);
    let last = samples.clone().last().copied().unwrap_or_default();
    let sum = |of: fn(&Sample) -> u64| samples.clone().map(of).sum::<u64>();
    let (client_sum, our_sum) = (sum(|it| it.client_errors), sum(|it| it.errors));
    let now = rate(last.requests as f64 / seconds);
    let latency = last.latency.map_or_else(|| "–".to_owned(), |it| took(it.half));
    let in_flight = status["traffic"]["in_flight"].as_u64().unwrap_or_default();
    json!({
        "requests": {
            "now": now,
            "note": format!("most {}, {in_flight} in flight", rate(most_all)),
            "top": rate(top_all),
            "area": chart::area(all.clone(), SAMPLES, top_all),
            "line": chart::line(all.map(Some), SAMPLES, top_all),
            "said": format!("Requests a second, the last ten minutes: {now} now, {} at most.", rate(most_all)),
        },
        "errors": {
            "now": our_sum,
            "state": if our_sum > 0 { "bad" } else if client_sum > 0 { "warn" } else { "ok" },
            "note": format!("5xx, and {client_sum} with 4xx"),
            "top": rate(top_errors),
            "client": chart::bars(client, SAMPLES, top_errors),
            "ours": chart::bars(ours, SAMPLES, top_errors),
            "said": format!("Errors, the last ten minutes: {our_sum} with status 5xx, {client_sum} with 4xx."),
        },
        "latency": {
            "now": latency,
            "note": last.latency.map_or_else(|| "to the response's head".to_owned(), |it| format!("95 % within {}", took(it.most))),
            "top": took(top_high),
            "half": chart::line(half, SAMPLES, top_high),
            "most": chart::line(high, SAMPLES, top_high),
            "said": format!("Time to the head of a response, the last ten minutes: {latency} now, {} at most.", took(most_high)),
        },
    })
}

fn foot(status: &Value) -> Value {
    let listeners: Vec<String> = list(&status["listeners"])
        .map(|listener| match word(&listener["service"]) {
            "" => word(&listener["address"]).to_owned(),
            service => format!("{} ({service})", word(&listener["address"])),
        })
        .collect();
    json!({
        "version": format!("Gatestone {}", word(&status["version"])),
        "uptime": format!("up {}", time(status["uptime_seconds"].as_u64().unwrap_or_default())),
        "listeners": format!("on {}", listeners.join(", ")),
    })
}

/// With a capital at the beginning and a stop at the end.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

fn list(value: &Value) -> std::slice::Iter<'_, Value> {
    value.as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::history::Latency;

    fn view(status: &Value) -> Value {
        of(status, &[].iter(), &[])
    }

    #[test]
    fn what_is_wrong_is_said_with_what_follows() {
        let fine = json!({ "ready": true, "login": "ok" });
        assert_eq!(view(&fine)["head"], json!({ "state": "ok", "title": "Ready" }));
        assert_eq!(view(&fine)["alerts"], json!([]));
        let down = view(&json!({ "ready": false, "reason": "keystone is away", "login": "x" }));
        assert_eq!(down["head"]["state"], "bad");
        assert_eq!(down["alerts"][0]["text"], "Keystone is away; requests wait for a while and then fail.");
        let retried = view(&json!({ "ready": false, "reason": "x", "login_is_retried": true }));
        assert!(
            retried["alerts"][0]["text"].as_str().unwrap().contains(". It is tried again by itself: once ")
        );
        let doubtful =
            view(&json!({ "ready": true, "login": "it is away", "token": { "expires_in_seconds": 70 } }));
        assert_eq!(doubtful["head"]["state"], "warn");
        assert_eq!(
            doubtful["alerts"][0]["text"],
            "It is away; requests work until the present token ends, in 1 min 10 s."
        );
        let failing = json!({ "ready": true, "login": "ok", "services": [{ "state": "failing" }] });
        assert_eq!(view(&failing)["head"]["title"], "Ready, 1 service failing");
        let warned = json!({ "ready": true, "login": "ok", "warnings": ["a", "b"] });
        assert_eq!(view(&warned)["head"]["title"], "Ready, 2 warnings");
    }

    #[test]
    fn the_ring_fills_with_the_tokens_age() {
        let token = |refresh: Value, left: u64| {
            view(&json!({ "ready": left > 0, "login": "ok", "token": {
                "generation": 3, "age_seconds": 100 - left, "lifetime_seconds": 100, "expires_in_seconds": left,
                "refresh_in_seconds": refresh } }))["token"]
                .clone()
        };
        let young = token(json!(41), 75);
        assert_eq!((&young["dash"], &young["mark"]), (&json!("25.00 100"), &json!("rotate(237.6 60 60)")));
        assert_eq!(young["next"], "Renewed by itself in 41 s.");
        assert_eq!((&young["left"], &young["unit"]), (&json!(75), &json!("s left")));
        assert_eq!(token(Value::Null, 75)["has_no_mark"], true);
        assert_eq!(token(json!(0), 0)["state"], "bad");
        assert_eq!(view(&json!({}))["token"]["state"], "bad");
    }

    #[test]
    fn charts_have_figures_and_words() {
        let latency = Some(Latency { half: 0.002, most: 0.04 });
        let samples = [Sample { requests: 40, client_errors: 4, errors: 0, latency }; 3];
        let charts = of(&json!({}), &samples.iter(), &[])["charts"].clone();
        assert_eq!((&charts["requests"]["now"], &charts["requests"]["top"]), (&json!("10"), &json!("10")));
        assert_eq!(charts["errors"]["state"], "warn");
        assert_eq!(charts["latency"]["note"], "95 % within 40 ms");
    }

    #[test]
    fn a_request_under_way_or_cut_says_so() {
        let request = |more: Value| {
            let mut it = json!({ "method": "GET", "path": "/x", "status": 200, "head_seconds": 0.004 });
            it.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            request(&it)
        };
        assert_eq!(request(json!({}))["note"], "under way");
        assert_eq!(request(json!({ "seconds": 1.5, "whole": false }))["note"], "cut");
        assert_eq!(request(json!({ "seconds": 1.5, "whole": true }))["took"], "1.5 s");
    }
}
