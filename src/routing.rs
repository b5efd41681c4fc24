//! From a request's path to an upstream URL, and from a link back to a path here.
//!
//! A [`RouteTable`] is built once for each snapshot and never changes. Building it takes every decision
//! (which names, `names`; which endpoint, `choice`), so that a request costs one lookup and one
//! allocation:
//!
//! ```text
//! /{name}@{region}/rest?query
//!    names: name ─► entry ─► route in that region, or why there is none
//!    path: the seven rules place rest below the route's endpoint
//!    climb: no reading of rest steps above it
//! ```
//!
//! Everything here is a function of values: no sockets, no clock, no environment.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use http::uri::PathAndQuery;
use percent_encoding::percent_decode_str;

use crate::catalog::{Interface, Region, Skipped};
use crate::metrics::Labels;

mod build;
mod choice;
mod climb;
mod expand;
pub(crate) mod lenient;
mod links;
mod names;
mod no_route;
mod path;
mod pin;
mod prefixes;
mod published;
mod route;
mod sharing;

pub use build::Build;
pub use links::is_https_twin;
pub use no_route::NoRoute;
pub use path::PathRule;
pub use pin::InvalidPin;
pub use pin::Pin;
pub(crate) use pin::is_ours;
pub use prefixes::Prefix;
pub use route::Route;

/// What the user asked for about endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// The listener's region; `None` takes the first in catalog order, once.
    pub region: Option<Region>,
    /// Interfaces in order of preference; never empty after [`Preferences::default`] is filled in.
    pub interfaces: Vec<Interface>,
    /// Per service, keyed by official service type with `-` (`object-store`), or by the
    /// catalog type the user wrote if it is none of the official ones.
    pub services: BTreeMap<String, ServicePreferences>,
}

/// What the user asked for about one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServicePreferences {
    /// Its own region, before the listener's.
    pub region: Option<Region>,
    /// Its own interfaces, before the listener's; empty for none.
    pub interfaces: Vec<Interface>,
    /// A URL to use in place of the catalog's; may hold `%(project_id)s`,
    /// `%(tenant_id)s`, `$(project_id)s`, expanded for each token.
    pub endpoint_override: Option<String>,
    /// More prefixes for it, before the catalog's types.
    pub names: Vec<String>,
    /// Allow a plain `http` endpoint although the auth URL is `https`.
    pub allow_http: bool,
    /// Whether a 403 may mean that the token is no longer good, as Ceph's object gateway says it.
    pub retry_on_403: bool,
}

/// All the ways there are from a first segment to an endpoint. Immutable; see [`Build`].
#[derive(Clone, Debug)]
pub struct RouteTable {
    region: Option<Region>,
    routes: Vec<Route>,
    entries: Vec<build::Entry>,
    names: HashMap<Box<str>, build::Name>,
    /// Catalog types, and services that exist by an override alone, in that order, with their entries.
    types: Vec<(String, usize)>,
    prefixes: Vec<Prefix>,
    regions: Vec<Region>,
    warnings: Vec<String>,
    skipped: Vec<Skipped>,
    project_scoped: bool,
    memory: choice::Memory,
    labels: Labels,
}

/// Where one request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The endpoint.
    pub route: &'a Route,
    /// Path and query at the endpoint's host.
    pub path_and_query: PathAndQuery,
    /// The rule that placed the path.
    pub rule: PathRule,
    /// The request's own first segment as written, with its region; empty where the service stands at the root.
    pub prefix: &'a str,
    /// What the listener is pinned to, if it is.
    pub pin: Option<&'a Pin>,
    /// Whether everyone reads the path as it is written ([`lenient::is_plain`]).
    pub(crate) is_plain: bool,
}

impl Target<'_> {
    /// Whether some server on the way may read the path as one of a Keystone: everywhere but in an object store, whose
    /// objects may be called anything, and there if a step back is in the path, however it is written.
    pub fn may_lead_to_keystone(&self) -> bool {
        self.route.may_lead_to_keystone
            || !self.is_plain && lenient::has_step_back(self.path_and_query.path())
    }

    /// The path at the endpoint's host as it will be sent, below the endpoint's root.
    pub fn below_root(&self) -> &str {
        let path = self.path_and_query.path();
        path.strip_prefix(self.route.root()).unwrap_or(path)
    }
}

impl RouteTable {
    /// Where a request for this path and query goes, or why nowhere.
    ///
    /// `/`, `/-/` and what else is answered here is for the caller to look at first.
    pub fn resolve<'a>(&'a self, path_and_query: &'a str) -> Result<Target<'a>, NoRoute> {
        let (path, query) = split_query(path_and_query);
        let below = path.strip_prefix('/').ok_or(NoRoute::Malformed)?;
        let (prefix, rest) = split_before(b'/', below);
        if memchr::memchr(b'#', prefix.as_bytes()).is_some() {
            // Links back would end there.
            return Err(NoRoute::Malformed);
        }
        let (name, region) = split_region(prefix);
        let found = self.names.get(name).ok_or_else(|| self.unknown(name))?;
        let (entry, rest) = match *found {
            build::Name::Ours => return Err(NoRoute::Reserved { name: no_route::shown(name) }),
            build::Name::Service(entry) => (entry, Cow::Borrowed(rest)),
            build::Name::Version(entry) if region.is_none() => (entry, Cow::Borrowed(path)),
            build::Name::Version(entry) => (entry, Cow::Owned(format!("/{name}{rest}"))),
        };
        let route = self.route(entry, region)?;
        Ok(Target { prefix, ..located(route, &rest, query)? })
    }

    /// The same where a service stands at the root: the whole path is its own.
    pub fn resolve_at<'a>(&'a self, pin: &'a Pin, path_and_query: &'a str) -> Result<Target<'a>, NoRoute> {
        let (path, query) = split_query(path_and_query);
        // An absolute-form target may have none (RFC 9112 3.2.1).
        let path = if path.is_empty() { "/" } else { path };
        if !path.starts_with('/') {
            return Err(NoRoute::Malformed);
        }
        let route = self.route_at(pin)?;
        Ok(Target { pin: Some(pin), ..located(route, path, query)? })
    }

    /// The endpoint that stands at the root.
    pub fn route_at(&self, pin: &Pin) -> Result<&Route, NoRoute> {
        let (name, region) = split_region(pin.prefix());
        let found = match self.names.get(name) {
            Some(build::Name::Service(entry)) => self.route(*entry, region),
            Some(build::Name::Ours | build::Name::Version(_)) | None => Err(self.unknown(name)),
        };
        found.map_err(|why| pin.explain(why))
    }

    /// The region of requests that name none: the listener's own, or the one taken by catalog order.
    pub fn region(&self) -> Option<&Region> {
        self.region.as_ref()
    }

    /// Every region of the catalog, in its order.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// Every service that can be reached without naming a region, Keystone first.
    pub fn prefixes(&self) -> &[Prefix] {
        &self.prefixes
    }

    /// How many services those are, Keystone among them.
    pub fn service_count(&self) -> usize {
        self.prefixes.len()
    }

    /// What routes are and were called since the process began, by their numbers.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Every endpoint in use in any region; [`Route::prefix`] leads to it.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// Other endpoints that a request for `route` may lead to, if its host decides by the path: those on the same host
    /// and port whose root is the same or below.
    pub(crate) fn sharing<'a>(&'a self, route: &'a Route) -> impl Iterator<Item = &'a Route> {
        route.sharing.iter().map(|other| &self.routes[*other])
    }

    /// What was decided for the user that they may want otherwise, and how to say so.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Overrides and entries of the catalog that cannot be used.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Services that are there, but that no prefix reaches without naming a region or setting another
    /// interface, by the key of their settings, and why.
    pub fn unreachable(&self) -> Vec<(&str, &NoRoute)> {
        let mut unreachable: Vec<(&str, &NoRoute)> = Vec::new();
        for entry in &self.entries {
            let key = entry.settings_key.as_str();
            let is_listed = unreachable.iter().any(|(listed, _)| *listed == key);
            let is_reached = self.entries.iter().any(|it| it.settings_key == key && it.home.is_ok());
            if let (Err(error), false, false) = (&entry.home, is_listed, is_reached)
                && *error != NoRoute::NoKeystone
            {
                unreachable.push((key, error));
            }
        }
        unreachable
    }

    /// The route of an entry in a region as the request writes it.
    fn route(&self, entry: usize, region: Option<&str>) -> Result<&Route, NoRoute> {
        let entry = &self.entries[entry];
        let route = match region {
            None => entry.home.clone()?,
            Some(written) => match entry.in_written_region(written) {
                Some(route) => route.clone()?,
                None => entry.any_region.filter(|_| !written.is_empty()).ok_or_else(|| {
                    NoRoute::RegionMissing {
                        service: entry.service.clone(),
                        region: no_route::shown(&percent_decode_str(written).decode_utf8_lossy()),
                        regions: entry.exists_in.clone(),
                        settings_key: entry.settings_key.clone(),
                    }
                })?,
            },
        };
        let route = &self.routes[route];
        if route.is_insecure {
            return Err(NoRoute::InsecureEndpoint {
                service: route.service_type.clone(),
                endpoint: route.upstream.clone(),
                settings_key: route.settings_key.clone(),
            });
        }
        Ok(route)
    }

    fn unknown(&self, name: &str) -> NoRoute {
        if !self.project_scoped {
            return NoRoute::NoProjectScope { name: no_route::shown(name) };
        }
        let lower = name.to_lowercase();
        let distance = |known: &str| strsim::damerau_levenshtein(&lower, known);
        // A long name is no slip of a known one, and comparing it would take long.
        let names = self.names.iter().filter(|(known, it)| match it {
            build::Name::Ours => false,
            build::Name::Version(_) => name.len() <= 64 && ***known != *names::LEGACY_KEYSTONE,
            build::Name::Service(_) => name.len() <= 64,
        });
        let nearest = names.map(|(known, _)| (distance(known), known)).min();
        let nearest = nearest.filter(|(distance, known)| *distance <= known.len().div_ceil(3));
        NoRoute::UnknownService {
            name: no_route::shown(name),
            nearest: nearest.map(|(_, known)| known.to_string()),
            prefixes: self.prefixes.iter().filter_map(|prefix| prefix.names.first().cloned()).collect(),
        }
    }
}

/// Splits `service@region`, where `@` may be written `%40`.
pub(crate) fn split_region(prefix: &str) -> (&str, Option<&str>) {
    if memchr::memchr2(b'@', b'%', prefix.as_bytes()).is_none() {
        return (prefix, None);
    }
    let at = prefix.find('@').map(|at| (at, 1));
    let encoded = prefix.find("%40").map(|at| (at, 3));
    match at.into_iter().chain(encoded).min() {
        Some((at, length)) => (&prefix[..at], Some(&prefix[at + length..])),
        None => (prefix, None),
    }
}

/// Where a request for this path at a route goes, or why nowhere.
fn located<'a>(route: &'a Route, rest: &str, query: &str) -> Result<Target<'a>, NoRoute> {
    let rule = path::choose(&route.upstream.path, route.layout, route.is_object_store, rest);
    // Where an account is named, with its version, its own is as much of a floor.
    let floor = if rule == PathRule::Account { 2 } else { 0 };
    let is_plain = lenient::is_plain(rest.as_bytes());
    if !is_plain && climb::climbs_out(rest, floor) {
        return Err(NoRoute::ClimbsOut);
    }
    let path_and_query = place(route, rule, rest, query).ok_or(NoRoute::Malformed)?;
    // Both are, and one ends where the other begins with a slash.
    let is_plain = is_plain && route.is_plain;
    debug_assert!(!is_plain || lenient::is_plain(path_and_query.path().as_bytes()));
    Ok(Target { route, path_and_query, rule, prefix: "", pin: None, is_plain })
}

/// Path, and query with its `?`.
fn split_query(path_and_query: &str) -> (&str, &str) {
    split_before(b'?', path_and_query)
}

/// What comes before an ASCII byte, and the rest.
fn split_before(byte: u8, text: &str) -> (&str, &str) {
    text.split_at(memchr::memchr(byte, text.as_bytes()).unwrap_or(text.len()))
}

/// Path and query at the upstream, in one allocation; `None` if they cannot be sent.
fn place(route: &Route, rule: PathRule, rest: &str, query: &str) -> Option<PathAndQuery> {
    let has_fragment = |text: &str| memchr::memchr(b'#', text.as_bytes()).is_some();
    if has_fragment(query) || has_fragment(rest) {
        // It would be cut off silently below.
        return None;
    }
    let base = if rule.starts_at_root() { route.root() } else { &route.upstream.path };
    let rest = if rule == PathRule::Versions || (base.is_empty() && rest.is_empty()) { "/" } else { rest };
    let mut path_and_query = String::with_capacity(base.len() + rest.len() + query.len());
    path_and_query.push_str(base);
    path_and_query.push_str(rest);
    path_and_query.push_str(query);
    PathAndQuery::from_maybe_shared(Bytes::from(path_and_query)).ok()
}

#[cfg(any(test, fuzzing))]
pub(crate) mod oracle;
#[cfg(test)]
mod tests;
