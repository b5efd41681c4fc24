//! Under which prefix an endpoint is published, and the list of all of them.
//!
//! The official type where it leads to the endpoint, since every client knows it; else a name without a
//! version in it, since gophercloud cuts URLs at the first `v` and digits (`utils.BaseEndpoint`). A service
//! that has only a versioned name (`volumev2` beside `volumev3`) shares the official one if both stand at
//! one root: the version that follows then tells them apart.

use std::iter;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::build::Entry;
use super::route::Route;
use crate::catalog::{EndpointUrl, Interface, Region, service_types};

/// A service as the page at `/`, `check` and the status show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// All the prefixes that lead to it, the one that it is published under first if it is among them.
    pub names: Vec<String>,
    /// The local path at which the endpoint is published; see [`Route::face`].
    pub face: String,
    /// Its type as in the catalog.
    pub service_type: String,
    /// Its region, if the endpoint is for one.
    pub region: Option<Region>,
    /// Its interface; `None` for an override and the auth URL.
    pub interface: Option<Interface>,
    /// Where requests go.
    pub url: EndpointUrl,
    /// Other regions that have the service.
    pub other_regions: Vec<Region>,
    /// Endpoints of the same type, region and interface that are not in use.
    pub alternatives: Vec<EndpointUrl>,
    /// Whether the user set the endpoint in place of the catalog's.
    pub is_override: bool,
    /// Whether requests are refused because it is plain `http`.
    pub is_insecure: bool,
}

/// Gives every route its prefix.
pub(super) fn publish(
    routes: &mut [Route],
    names: &[(String, usize)],
    entries: &[Entry],
    regions: &[Region],
) {
    let prefixes: Vec<String> = (0..routes.len())
        .map(|route| {
            let places = iter::once(None).chain(regions.iter().map(Some));
            let name = places.clone().find_map(|region| {
                let leads_to = |entry: usize| entries[entry].route(region);
                best_name(route, routes, names, leads_to).map(|name| match region {
                    Some(region) => published(name, &region.0),
                    None => name.to_owned(),
                })
            });
            // What no listed region leads to serves any other; `*` is never one.
            let serves_any = || names.iter().find(|(_, entry)| entries[*entry].any_region == Some(route));
            name.or_else(|| serves_any().map(|(name, _)| format!("{name}@*"))).unwrap_or_default()
        })
        .collect();
    for (route, prefix) in routes.iter_mut().zip(prefixes) {
        route.prefix = prefix;
    }
}

/// Every service that can be reached without naming a region, Keystone first, then in catalog order.
pub(super) fn list(routes: &[Route], names: &[(String, usize)], entries: &[Entry]) -> Vec<Prefix> {
    let mut prefixes = Vec::new();
    for (at, route) in routes.iter().enumerate() {
        let leading: Vec<_> =
            names.iter().filter(|(_, entry)| entries[*entry].route(None) == Some(at)).collect();
        let Some((_, entry)) = leading.first() else {
            continue;
        };
        let mut all: Vec<String> = leading.iter().map(|(name, _)| name.clone()).collect();
        // A stable sort: the others keep their order.
        all.sort_by_key(|name| *name != route.prefix);
        let other_regions = entries[*entry].exists_in.iter();
        prefixes.push(Prefix {
            names: all,
            face: route.face(),
            service_type: route.service_type.clone(),
            region: route.region.clone(),
            interface: route.interface,
            url: route.upstream.clone(),
            other_regions: other_regions.filter(|it| Some(*it) != route.region.as_ref()).cloned().collect(),
            alternatives: route.alternatives.clone(),
            is_override: route.is_override,
            is_insecure: route.is_insecure,
        });
    }
    prefixes
}

/// `service@region` as a path segment in which gophercloud finds no version, whatever the region is called.
///
/// It looks for `v` and digits in the whole path, decoded (`openstack/utils/base_endpoint.go`), and goes on with what
/// stands before them: of `/image@dev1` it would make `/image@de`. So such a `v` is encoded twice (`de%25761`): its
/// decoded path then has `%76`, which it encodes again. Who asks for `/image@dev1` gets the same.
pub(super) fn published(name: &str, region: &str) -> String {
    let mut prefix = with_region(name, region);
    while let Some(at) = version_at(&prefix[name.len()..]) {
        prefix.replace_range(name.len() + at..=name.len() + at, "%2576");
    }
    prefix
}

/// `service@region`, as a path segment.
pub(super) fn with_region(name: &str, region: &str) -> String {
    format!("{name}@{}", utf8_percent_encode(region, SEGMENT))
}

fn best_name<'n>(
    route: usize,
    routes: &[Route],
    names: &'n [(String, usize)],
    leads_to: impl Fn(usize) -> Option<usize>,
) -> Option<&'n str> {
    let leading = || names.iter().filter(|(_, entry)| leads_to(*entry) == Some(route)).map(|(name, _)| name);
    let first = leading().next()?;
    let service_type = &routes[route].service_type;
    let official = service_types::official(service_type);
    let same_root = || {
        let (name, entry) = names.iter().find(|(name, _)| Some(name.as_str()) == official)?;
        let other = leads_to(*entry)?;
        share_root(&routes[route], &routes[other]).then_some(name)
    };
    let best = leading()
        .find(|name| Some(name.as_str()) == official)
        .or_else(|| leading().find(|name| *name == service_type && !looks_versioned(name)))
        .or_else(|| leading().find(|name| !looks_versioned(name)))
        .or_else(same_root)
        .unwrap_or(first);
    Some(best)
}

/// Whether a version after the prefix of `other` leads to `route`.
fn share_root(route: &Route, other: &Route) -> bool {
    route.has_version()
        && other.has_version()
        && !other.is_object_store
        && route.upstream.scheme == other.upstream.scheme
        && route.upstream.authority == other.upstream.authority
        && route.root() == other.root()
}

/// Whether gophercloud would take a part of the name for a version (`v[0-9.]+`).
fn looks_versioned(name: &str) -> bool {
    version_at(name).is_some()
}

/// Where such a part begins.
fn version_at(name: &str) -> Option<usize> {
    let is_start = |pair: &[u8]| pair[0] == b'v' && (pair[1].is_ascii_digit() || pair[1] == b'.');
    name.as_bytes().windows(2).position(is_start)
}

/// What is encoded in a region: all but unreserved characters (RFC 3986 section 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
