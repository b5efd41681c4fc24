//! What must hold of routes, whatever the catalog and whatever is asked for.
//!
//! The seven rules, the readings of a path and the parts of a URL are written here a second time, straight from the
//! contract and with nothing of the code that is judged.

use crate::catalog::{Catalog, Endpoint, EndpointUrl, Interface, Region};

use super::{Build, NoRoute, Pin, Preferences, Route, RouteTable, ServicePreferences, Target, is_https_twin};

/// Reads a catalog and requests, and checks each request as such, as a suffix of every published address, as a link
/// of every other's answer and at a listener of its own.
///
/// A line `TYPE REGION URL` is an endpoint (`-` for no region), `auth URL` the auth URL, `region R` the listener's,
/// `override TYPE URL` an override. An empty line ends them; every other line is a request.
pub(crate) fn routes(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let table = table(lines.by_ref().take_while(|line| !line.is_empty()).take(MOST_SERVICES));
    let requests: Vec<&str> = lines.take(MOST_REQUESTS).collect();
    for request in &requests {
        placed(&table, request);
        for route in table.routes() {
            published(&table, route, request);
        }
        for (service_type, _) in table.types.iter().take(MOST_PINS) {
            if let Ok(pin) = Pin::new(service_type, None) {
                pinned(&table, &pin, request, &requests);
            }
        }
    }
    for (asked, link) in requests.iter().zip(requests.iter().cycle().skip(1)) {
        if let Ok(target) = table.resolve(asked) {
            turned(&table, &target, link);
        }
    }
}

fn table<'a>(lines: impl Iterator<Item = &'a str>) -> RouteTable {
    let mut endpoints = Vec::new();
    let mut preferences = Preferences { interfaces: vec![Interface::Public], ..Preferences::default() };
    let mut auth_url = EndpointUrl::parse("http://keystone:5000/v3");
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["auth", url] => auth_url = EndpointUrl::parse(url).or(auth_url),
            ["region", region] => preferences.region = Some(Region(region.to_owned())),
            ["override", service_type, url] => {
                let service =
                    ServicePreferences { endpoint_override: Some(url.to_owned()), ..Default::default() };
                preferences.services.insert(service_type.to_owned(), service);
            }
            [service_type, region, url] if !service_type.is_empty() => {
                let Ok(url) = EndpointUrl::parse(url) else { continue };
                endpoints.push(Endpoint {
                    service_type: service_type.to_owned(),
                    service_name: None,
                    interface: Interface::Public,
                    region: (!matches!(region, "" | "-" | "*")).then(|| Region(region.to_owned())),
                    url,
                });
            }
            _ => {}
        }
    }
    let Ok(auth_url) = auth_url else { panic!("the default is a URL") };
    RouteTable::build(Build {
        catalog: &Catalog { endpoints, skipped: Vec::new() },
        auth_url: Some(&auth_url),
        preferences: &preferences,
        project_id: Some("p"),
        user_id: Some("u"),
        project_scoped: true,
        previous: None,
    })
}

/// A request goes where the rules say, byte for byte, and never above the endpoint.
pub(super) fn placed(table: &RouteTable, request: &str) {
    let (path, query) = split(request, "?");
    match table.resolve(request) {
        Ok(target) => {
            let after = &path[1 + target.prefix.len()..];
            let name = target.prefix.split(['@', '%']).next().unwrap_or_default();
            let rest =
                if matches!(name, "v3" | "v2.0") && target.route.is_identity && !is_service(table, name) {
                    format!("/{name}{after}")
                } else {
                    after.to_owned()
                };
            holds(&target, &rest, query, request);
        }
        Err(NoRoute::Malformed) => assert!(cannot_be_sent(request), "{request:?} can be sent"),
        Err(NoRoute::ClimbsOut) => {
            // Of which part is unknown here; an account's end is a bound of its own.
            let below = path.get(1..).and_then(|below| below.find('/')).map_or("", |at| &path[at + 1..]);
            let climbs = climbs(below, 0) || climbs(path, 0) || climbs(below, 2);
            assert!(climbs, "{request:?} climbs in no reading");
        }
        Err(_) => {}
    }
}

/// The same where the service stands at the root; and links of its answers.
fn pinned(table: &RouteTable, pin: &Pin, request: &str, links: &[&str]) {
    let Ok(target) = table.resolve_at(pin, request) else { return };
    let (path, query) = split(request, "?");
    holds(&target, if path.is_empty() { "/" } else { path }, query, request);
    let face = target.route.face_at_root();
    for suffix in links.iter().filter(|suffix| is_suffix(suffix)) {
        let asked = format!("{face}{suffix}");
        if asked.starts_with('/') {
            law(target.route, table.resolve_at(pin, &asked), suffix, &asked);
        }
    }
    for link in links {
        turned(table, &target, link);
    }
}

/// Design 3, the seven rules and what is said of bytes.
fn holds(target: &Target<'_>, rest: &str, query: &str, request: &str) {
    let sent = target.path_and_query.as_str();
    let (rule, path) = by_the_rules(&target.route.upstream.path, target.route.is_object_store, rest);
    assert_eq!(target.rule.number(), rule, "{request:?} at {}", target.route.upstream);
    assert_eq!(sent, format!("{path}{query}"), "{request:?} at {}", target.route.upstream);
    // A version and an account are as much a floor as the base is.
    assert!(!climbs(rest, if rule == 3 { 2 } else { 0 }), "{request:?} climbs to {sent}");
    assert!(!sent.contains('#'), "{request:?} has a fragment in it");
}

/// The law: whatever follows a published address leads to the same at the endpoint.
pub(crate) fn published(table: &RouteTable, route: &Route, suffix: &str) {
    // Of two regions that are published alike (`v1` and `%761`) one is lost.
    let alike =
        table.routes.iter().filter(|other| other.prefix == route.prefix && other.region != route.region);
    if !is_suffix(suffix) || route.prefix.is_empty() || alike.count() > 0 {
        return;
    }
    let asked = format!("{}{suffix}", route.face());
    law(route, table.resolve(&asked), suffix, &asked);
}

fn law(route: &Route, resolved: Result<Target<'_>, NoRoute>, suffix: &str, asked: &str) {
    // `/info` of an object store without an account is the service's own.
    let is_info = route.is_object_store && route.face_at_root().is_empty() && route.has_version();
    if is_info && split(suffix, "?").0 == "/info" {
        return;
    }
    match resolved {
        Ok(target) => {
            let expected = format!("{}{suffix}", route.upstream.path);
            let expected = if expected.starts_with('/') { expected } else { format!("/{expected}") };
            let seen = (&target.route.upstream.authority, target.path_and_query.as_str());
            assert_eq!(seen, (&route.upstream.authority, expected.as_str()), "{asked:?}");
        }
        Err(NoRoute::ClimbsOut) => {
            let (suffix, _) = split(suffix, "?");
            let below = format!("{}{suffix}", route.face_at_root());
            assert!(climbs(&below, 0) || climbs(&below, 2), "{asked:?} climbs in no reading");
        }
        Err(NoRoute::Malformed) => assert!(cannot_be_sent(asked), "{asked:?} can be sent"),
        Err(NoRoute::InsecureEndpoint { .. }) => assert!(route.is_insecure, "{asked:?}"),
        Err(other) => panic!("{asked:?} is published, but {other}"),
    }
}

/// A link that is turned leads forward to the URL that it was.
pub(super) fn turned(table: &RouteTable, target: &Target<'_>, link: &str) {
    const BASE: &str = "http://127.0.0.1:5050";
    let _ = is_https_twin(target, link);
    let Some(turned) = table.turn_back(target, link, BASE) else { return };
    let is_path = link.starts_with('/');
    let (origin, rest) = if is_path {
        (target.route.upstream.to_string(), link)
    } else {
        let start = link.find("://").map_or(0, |at| at + 3);
        let end = link[start..].find(['/', '?', '#']).map_or(link.len(), |at| start + at);
        (link[..end].to_owned(), &link[end..])
    };
    let here = if is_path { Some(turned.as_str()) } else { turned.strip_prefix(BASE) };
    let Some(here) = here.filter(|here| here.starts_with('/')) else {
        panic!("{link:?} is turned to {turned:?}, which is not here")
    };
    let (url, fragment) = split(rest, "#");
    let (here, fragment_here) = split(here, "#");
    assert_eq!(fragment_here, fragment, "{link:?}");
    let forward = match target.pin {
        Some(pin) => table.resolve_at(pin, here),
        None => table.resolve(here),
    };
    let Ok(forward) = forward else { panic!("{link:?} is turned to {turned:?}, which leads nowhere") };
    let url = if url.starts_with('/') { url.to_owned() } else { format!("/{url}") };
    assert_eq!(forward.path_and_query.as_str(), url, "{link:?} is turned to {turned:?}");
    let Ok(origin) = origin.parse::<EndpointUrl>() else { panic!("{link:?} has no origin, but is turned") };
    let default = |url: &EndpointUrl| if url.is_https() { 443 } else { 80 };
    let ports = [&origin, &forward.route.upstream].map(|url| {
        let port = url.authority.port_u16().unwrap_or_else(|| default(url));
        (port, port == default(url))
    });
    let [(port, is_default), (port_here, is_default_here)] = ports;
    assert!(port == port_here || is_default && is_default_here, "{link:?} is turned to {turned:?}");
    assert!(origin.host().eq_ignore_ascii_case(forward.route.upstream.host()), "{link:?}, {turned:?}");
    assert!(target.pin.is_none() || !matches!(split(here, "?").0.split('/').nth(1), Some("-")), "{turned:?}");
}

/// The rule and the path for what follows the prefix.
fn by_the_rules(endpoint: &str, is_object_store: bool, rest: &str) -> (u8, String) {
    let segments: Vec<&str> = endpoint.split('/').skip(1).collect();
    let version = segments.iter().rposition(|segment| is_version(segment));
    let Some(version) = version.filter(|at| at + 2 >= segments.len()) else {
        return (1, or_slash(format!("{endpoint}{rest}")));
    };
    let root: String = segments[..version].iter().map(|segment| format!("/{segment}")).collect();
    let first = rest.split('/').nth(1).unwrap_or_default();
    if is_object_store {
        if rest == "/info" {
            return (2, format!("{root}{rest}"));
        }
        let named = rest.split('/').nth(2).filter(|_| first == segments[version]);
        let is_account =
            segments.get(version + 1).zip(named).is_some_and(|(own, named)| match own.split_once('_') {
                Some((reseller, _)) => named.starts_with(&format!("{reseller}_")),
                None => named == *own,
            });
        let (rule, base) = if is_account { (3, root.as_str()) } else { (4, endpoint) };
        return (rule, or_slash(format!("{base}{rest}")));
    }
    if rest.trim_end_matches('/').is_empty() && rest.len() < 2 {
        return (5, format!("{root}/"));
    }
    let (rule, base) = if is_version(first) { (6, root.as_str()) } else { (7, endpoint) };
    (rule, or_slash(format!("{base}{rest}")))
}

/// `^v\d+(\.\d+)*$`
fn is_version(segment: &str) -> bool {
    let mut characters = segment.chars();
    let mut before = characters.next().unwrap_or_default();
    if before != 'v' {
        return false;
    }
    for character in characters {
        match character {
            '0'..='9' => {}
            '.' if before.is_ascii_digit() => {}
            _ => return false,
        }
        before = character;
    }
    before.is_ascii_digit()
}

fn or_slash(path: String) -> String {
    if path.is_empty() { "/".to_owned() } else { path }
}

/// Whether some reading of a path steps below the depth where it starts, or, once it has come to `floor`, below that.
/// A reading decodes once, takes some of `%2F`, `\` and `%5C` for separators, and drops `;x`.
fn climbs(path: &str, floor: i32) -> bool {
    let mut bytes: Vec<(u8, bool)> = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push((byte, true));
                rest = &after[2..];
            }
            _ => {
                bytes.push((*first, false));
                rest = after;
            }
        }
    }
    (0_u8..8).any(|reading| {
        let separates = |(byte, is_encoded): &(u8, bool)| match (byte, is_encoded) {
            (b'/', false) => true,
            (b'/', true) => reading & 1 != 0,
            (b'\\', false) => reading & 2 != 0,
            (b'\\', true) => reading & 4 != 0,
            _ => false,
        };
        let (mut depth, mut least) = (0, 0);
        bytes.split(separates).any(|segment| {
            let name: Vec<u8> = segment.iter().map(|(byte, _)| *byte).take_while(|it| *it != b';').collect();
            depth += match name.as_slice() {
                b"" | b"." => 0,
                b".." => -1,
                _ => 1,
            };
            if depth >= floor {
                least = floor;
            }
            depth < least
        })
    })
}

/// Whether the name is a service's own, which then is no version of Keystone's.
fn is_service(table: &RouteTable, name: &str) -> bool {
    matches!(table.names.get(name), Some(super::build::Name::Service(_)))
}

/// Whether a text is no path with a query that a request line may have.
fn cannot_be_sent(request: &str) -> bool {
    let is_sendable = |c: char| !c.is_ascii_control() && !" \"<>`#".contains(c);
    let (path, query) = split(request, "?");
    // Braces and quotes are let through by some; those that nobody lets through are enough here.
    !request.starts_with('/')
        || request.len() > 60_000
        || !path.chars().chain(query.chars()).all(is_sendable)
        || query.contains(['^', '\\', '|', '{', '}', '[', ']'])
        || path.contains(['^', '{', '}', '|'])
}

fn is_suffix(text: &str) -> bool {
    text.is_empty() || text.starts_with(['/', '?'])
}

/// A text and what follows, with the mark.
fn split<'a>(text: &'a str, mark: &str) -> (&'a str, &'a str) {
    text.split_at(text.find(mark).unwrap_or(text.len()))
}

// More are left out: they make a run slow and find nothing else.
const MOST_SERVICES: usize = 12;
const MOST_REQUESTS: usize = 5;
const MOST_PINS: usize = 3;
