//! `gatestone check`: log in once, show who we are and where everything is, ask
//! each endpoint whether it answers. With a path: where that would go, and why.

use std::io;
use std::time::Duration;

use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio::runtime;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::{Exit, complain, print};
use crate::catalog::EndpointUrl;
use crate::client::{Client, RequestBody, SendError, TlsSettings};
use crate::clock::Clock;
use crate::config::{Config, Mistakes};
use crate::identity::{AuthError, Refresher, Snapshot};
use crate::proxy::{Asked, ListenerSettings, Rules};
use crate::routing::{Pin, Prefix};
use crate::run::check_region;
use crate::users;

mod explain;

/// How long an endpoint may take to answer the probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs the checks of all clouds to their end; the status is that of the first that failed.
pub fn run(configs: Vec<Config>, asked: Option<(&Method, &str)>, as_json: bool) -> io::Result<Exit> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let several = configs.len() > 1;
    let mut outcome = Exit::Success;
    for config in configs {
        if several && !as_json {
            let cloud = config.sources.listener_cloud.as_deref();
            print(format_args!(
                "--- {}",
                cloud.map_or_else(|| "the cloud of the settings".to_owned(), |it| format!("cloud {it}"))
            ))?;
        }
        let exit = runtime.block_on(check(config, asked, as_json))?;
        if outcome == Exit::Success {
            outcome = exit;
        }
    }
    Ok(outcome)
}

/// Mistakes of the settings, for programs.
pub fn tell_mistakes(mistakes: &Mistakes) -> io::Result<()> {
    let each: Vec<Value> =
        mistakes.iter().map(|it| json!({ "place": it.place, "message": it.message })).collect();
    print(format!("{:#}", json!({ "ok": false, "step": "settings", "mistakes": each })))
}

async fn check(config: Config, asked: Option<(&Method, &str)>, as_json: bool) -> io::Result<Exit> {
    let client = match Client::new(&config.client) {
        Ok(client) => client,
        Err(error) => {
            complain(error);
            return Ok(Exit::Failure);
        }
    };
    let snapshot = match Refresher::once(&client, &config.identity, &config.routing, &Clock::system()).await {
        Ok(snapshot) => snapshot,
        Err(error) => return refused(&error, &config, &client, as_json).await,
    };
    if let Err(error) = check_region(&snapshot, config.routing.region.as_ref()) {
        if as_json {
            let (cloud, place) = (&config.sources.cloud, &config.sources.region);
            let settings = json!({ "region": place });
            let report = json!({
                "ok": false, "cloud": cloud, "step": "region", "error": error.to_string(), "settings": settings,
            });
            print(format!("{report:#}"))?;
        }
        complain(error);
        return Ok(Exit::Usage);
    }
    match asked {
        Some((method, path)) => explain_path(&snapshot, &config.proxy.access.rules, method, path, as_json),
        None => {
            let probes = probe_all(&client, &snapshot).await;
            let report = report(&config, &snapshot, &probes);
            print(if as_json { format!("{report:#}") } else { table(&report) })?;
            Ok(Exit::Success)
        }
    }
}

/// Tells why there is no token.
async fn refused(error: &AuthError, config: &Config, client: &Client, as_json: bool) -> io::Result<Exit> {
    let explained = explain::explain(error, config, client).await;
    if as_json {
        print(format!("{:#}", explained.json(error, config)))?;
    }
    complain(explained.text(error, config));
    Ok(if error.is_refusal() { Exit::Refused } else { Exit::Failure })
}

/// Where a request for `path` would go, and what the rules say of it; nothing is sent there.
fn explain_path(
    snapshot: &Snapshot,
    rules: &Rules,
    method: &Method,
    path: &str,
    as_json: bool,
) -> io::Result<Exit> {
    let target = match snapshot.routes.resolve(path) {
        Ok(target) => target,
        Err(error) => {
            complain(error);
            return Ok(Exit::Failure);
        }
    };
    let route = target.route;
    let EndpointUrl { scheme, authority, .. } = &route.upstream;
    let url = format!("{scheme}://{authority}{}", target.path_and_query);
    let interface = route.interface.map(|interface| interface.to_string());
    let verdict = rules.check(&Asked {
        method,
        headers: &HeaderMap::new(),
        target: &target,
        routes: &snapshot.routes,
        project: snapshot.holder.project_id(),
        user: Some(users::own_id()),
        is_upgrade: false,
    });
    let (is_allowed, why) = match &verdict {
        Ok(Some(rule)) => (true, format!("{method} is allowed by {rule}")),
        Ok(None) => (true, format!("{method} is allowed, no rule is against it")),
        Err(denied) => (false, denied.to_string()),
    };
    let report = json!({
        "path": path,
        "url": url,
        "service_type": route.service_type,
        "region": route.region.as_ref().map(|region| region.0.as_str()),
        "interface": interface,
        "endpoint": route.upstream.to_string(),
        "rule": target.rule.number(),
        "rule_text": target.rule.to_string(),
        "method": method.as_str(),
        "allowed": is_allowed,
        "access": why,
    });
    if as_json {
        print(format!("{report:#}"))?;
    } else {
        print(url)?;
        print(format_args!("  service    {}", route.service_type))?;
        print(format_args!("  region     {}", route.region_label()))?;
        print(format_args!("  interface  {}", interface.as_deref().unwrap_or("-")))?;
        print(format_args!("  endpoint   {}", route.upstream))?;
        print(format_args!("  rule       {}: {}", target.rule.number(), target.rule))?;
        print(format_args!("  access     {why}"))?;
    }
    Ok(Exit::Success)
}

/// What an endpoint answered, in order of the prefixes.
async fn probe_all(client: &Client, snapshot: &Snapshot) -> Vec<String> {
    let prefixes = snapshot.routes.prefixes();
    let mut answers = vec!["no answer".to_owned(); prefixes.len()];
    let mut probes = JoinSet::new();
    for (i, prefix) in prefixes.iter().enumerate() {
        match request(snapshot, prefix) {
            Some(request) => {
                let (client, url) = (client.clone(), prefix.url.clone());
                probes.spawn(async move { (i, probe(&client, &url, request).await) });
            }
            None => "not asked: plain http while the auth URL is https".clone_into(&mut answers[i]),
        }
    }
    while let Some(Ok((i, answer))) = probes.join_next().await {
        answers[i] = answer;
    }
    answers
}

/// A GET of the endpoint itself, as a client's first request would be.
fn request(snapshot: &Snapshot, prefix: &Prefix) -> Option<Request<RequestBody>> {
    if prefix.is_insecure {
        return None;
    }
    let path = if prefix.url.path.is_empty() { "/" } else { &prefix.url.path };
    let token = &snapshot.token;
    let fields = [
        Some((HeaderName::from_static("x-auth-token"), token.header()))
            .filter(|(_, value)| !value.is_empty()),
        token.authorization().map(|value| (AUTHORIZATION, value)),
    ];
    let mut request =
        Request::builder().method(Method::GET).uri(path).header(HOST, prefix.url.authority.as_str());
    for (name, value) in fields.into_iter().flatten() {
        request = request.header(name, value.clone());
    }
    request.body(RequestBody::Empty).ok()
}

async fn probe(client: &Client, url: &EndpointUrl, request: Request<RequestBody>) -> String {
    let start = Instant::now();
    match timeout(PROBE_TIMEOUT, client.send(url, request)).await {
        Err(_) => format!("no answer within {} s", PROBE_TIMEOUT.as_secs()),
        Ok(Err(error)) => failure(&error),
        Ok(Ok(response)) => {
            let millis = start.elapsed().as_millis();
            let note = match response.status() {
                StatusCode::UNAUTHORIZED => ", refuses the token",
                status if status.is_server_error() => ", the service is not well",
                _ => "",
            };
            format!("{} in {millis} ms{note}", response.status().as_u16())
        }
    }
}

fn failure(error: &SendError) -> String {
    match error {
        SendError::Connect(error) => error.to_string(),
        SendError::Closed(_)
        | SendError::Malformed(_)
        | SendError::Coding
        | SendError::RequestCut(_)
        | SendError::ClientSilent(_)
        | SendError::BodySpent
        | SendError::TimedOut(_) => error.to_string(),
    }
}

fn report(config: &Config, snapshot: &Snapshot, probes: &[String]) -> Value {
    let holder = &snapshot.holder;
    let routes = &snapshot.routes;
    let services: Vec<Value> = routes
        .prefixes()
        .iter()
        .zip(probes)
        .map(|(prefix, answer)| {
            json!({
                "prefixes": prefix.names,
                "type": prefix.service_type,
                "region": prefix.region.as_ref().map(|region| region.0.as_str()),
                "interface": prefix.interface.map(|interface| interface.to_string()),
                "endpoint": prefix.url.to_string(),
                "other_regions": prefix.other_regions.iter().map(|r| r.0.as_str()).collect::<Vec<_>>(),
                "alternatives": prefix.alternatives.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "override": prefix.is_override,
                "answer": answer,
            })
        })
        .collect();
    let unreachable: Vec<String> =
        routes.unreachable().into_iter().map(|(_, error)| error.to_string()).collect();
    let skipped: Vec<String> = routes
        .skipped()
        .iter()
        .map(|entry| {
            let name = entry.service_type.as_deref().unwrap_or("a service without type");
            let url = entry.url.as_deref().unwrap_or("no URL");
            format!("{name}, {url}: {}", entry.reason)
        })
        .collect();
    let now = Clock::system().now();
    let notices: Vec<String> = snapshot.notices(now).iter().map(ToString::to_string).collect();
    let projects: Vec<String> = snapshot
        .account
        .projects
        .iter()
        .map(|project| format!("{}, OS_PROJECT_ID={}", project.name, project.id))
        .collect();
    json!({
        "ok": true,
        "version": env!("CARGO_PKG_VERSION"),
        "cloud": config.sources.cloud,
        "credentials": config.sources.credentials,
        "auth_url": config.identity.credentials.auth_url.as_ref().map(ToString::to_string),
        "tls": tls(&config.client.tls),
        "user": holder.user.name,
        "user_domain": holder.user.domain.as_ref().map(|domain| domain.name.as_str()),
        "scope": holder.scope.to_string(),
        "roles": holder.roles.iter().map(|role| role.name.as_str()).collect::<Vec<_>>(),
        "token_lifetime_seconds": snapshot.life.lifetime.as_secs(),
        "password_expires_at": holder.user.password_expires_at,
        "region": routes.region().map(|region| region.0.as_str()),
        "region_from": config.sources.region,
        "regions": routes.regions().iter().map(|region| region.0.as_str()).collect::<Vec<_>>(),
        "services": services,
        "listeners": listeners(config, snapshot),
        "unreachable": unreachable,
        "skipped": skipped,
        "projects": projects,
        "warnings": config.warnings.iter().chain(routes.warnings()).chain(&notices).collect::<Vec<_>>(),
    })
}

fn tls(settings: &TlsSettings) -> Value {
    let certificate = settings.client_certificate.as_ref();
    json!({
        "cacert": settings.cacert,
        "cert": certificate.map(|it| &it.cert),
        "key": certificate.map(|it| &it.key),
        "insecure": settings.insecure,
    })
}

/// Where `run` would listen by the settings, and where a pinned listener leads.
fn listeners(config: &Config, snapshot: &Snapshot) -> Vec<Value> {
    let listener = |it: &ListenerSettings| {
        let pin = it.service.as_ref();
        let target = pin.map(|pin| snapshot.routes.resolve_at(pin, "/"));
        let (endpoint, problem) = match target {
            None => (None, None),
            Some(Ok(target)) => (Some(target.route.upstream.to_string()), None),
            Some(Err(error)) => (None, Some(error.to_string())),
        };
        json!({
            "address": it.addr.to_string(),
            "service": pin.map(Pin::service),
            "region": pin.and_then(Pin::region).map(|region| region.0),
            "endpoint": endpoint,
            "problem": problem,
            "client_secret": it.client_secret.is_some(),
        })
    };
    config.listeners.iter().map(listener).collect()
}

/// The report for people.
fn table(report: &Value) -> String {
    let text = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            if items.is_empty() { "-".to_owned() } else { items.join(", ") }
        }
        other => other.to_string(),
    };
    let mut lines: Vec<String> = [
        ("credentials", "credentials"),
        ("auth URL", "auth_url"),
        ("user", "user"),
        ("domain", "user_domain"),
        ("scope", "scope"),
        ("roles", "roles"),
        ("token life, s", "token_lifetime_seconds"),
        ("region", "region"),
        ("all regions", "regions"),
    ]
    .into_iter()
    .map(|(label, key)| format!("{label:<14} {}", text(&report[key])))
    .collect();
    lines.push(String::new());
    let mut rows = vec![["PREFIX", "REGION", "INTERFACE", "ENDPOINT", "ANSWER"].map(str::to_owned)];
    for service in report["services"].as_array().into_iter().flatten() {
        let prefix = format!("/{}", text(&service["prefixes"][0]));
        let keys = ["region", "interface", "endpoint", "answer"].map(|key| text(&service[key]));
        let [region, interface, endpoint, answer] = keys;
        rows.push([prefix, region, interface, endpoint, answer]);
    }
    lines.extend(aligned(&rows));
    lines.extend(report["listeners"].as_array().into_iter().flatten().filter_map(special));
    for (label, key) in [
        ("cannot be reached", "unreachable"),
        ("skipped", "skipped"),
        ("project", "projects"),
        ("warning", "warnings"),
    ] {
        for entry in report[key].as_array().into_iter().flatten() {
            lines.push(format!("{label}: {}", text(entry)));
        }
    }
    lines.join("\n")
}

/// A line about a listener that is not as all are.
fn special(listener: &Value) -> Option<String> {
    let text = |key: &str| listener[key].as_str();
    let pinned = text("service").zip(text("endpoint"));
    let service = pinned.map(|(service, endpoint)| format!("{service} at its root, {endpoint}"));
    let service = service.or_else(|| text("problem").map(str::to_owned));
    let secret = (listener["client_secret"] == true).then(|| "wants a client secret".to_owned());
    let facts: Vec<String> = service.into_iter().chain(secret).collect();
    let address = text("address").unwrap_or_default();
    (!facts.is_empty()).then(|| format!("listener {address}: {}", facts.join("; ")))
}

/// Rows with their columns below each other; the last one has no padding.
fn aligned<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; N]| {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_that_are_special_have_a_line() {
        let at = |service: Value, endpoint: Value, problem: Value, secret: bool| {
            let listener = json!({
                "address": "127.0.0.1:1", "service": service, "endpoint": endpoint, "problem": problem,
                "client_secret": secret,
            });
            special(&listener)
        };
        let none = Value::Null;
        assert_eq!(at(none.clone(), none.clone(), none.clone(), false), None);
        assert_eq!(
            at("image".into(), "http://h".into(), none.clone(), true).unwrap(),
            "listener 127.0.0.1:1: image at its root, http://h; wants a client secret"
        );
        let line = at("imag".into(), none, "this leads nowhere".into(), false).unwrap();
        assert_eq!(line, "listener 127.0.0.1:1: this leads nowhere");
    }

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [["A", "BBB", "C"], ["AAAA", "B", "CC"]].map(|row| row.map(str::to_owned));
        assert_eq!(aligned(&rows), ["A     BBB  C", "AAAA  B    CC"]);
    }
}
