//! Why a request's path leads nowhere, with the facts that help its user on.

use super::prefixes::with_region;
use crate::catalog::{EndpointUrl, Interface, Region};

/// Why a request's path leads nowhere. Messages name what to do next and never show a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoute {
    /// The first segment names nothing here.
    #[error("there is no service `{name}` here{}{}", nearest_is(nearest.as_deref()), prefixes_are(prefixes))]
    UnknownService {
        /// The first segment as written, without the region.
        name: String,
        /// The prefix that looks most like it.
        nearest: Option<String>,
        /// Every service's prefix.
        prefixes: Vec<String>,
    },
    /// The service has no endpoint in the region.
    #[error("{service} has no endpoint in region {region}{}", region_hint(service, settings_key, regions))]
    RegionMissing {
        /// The service.
        service: String,
        /// The region asked for.
        region: String,
        /// Where it does exist.
        regions: Vec<Region>,
        /// Its key among the settings of services.
        settings_key: String,
    },
    /// The service has endpoints, but none for the interfaces that are set.
    #[error(
        "{service}{} has no endpoint for interface {}, only for {}; \
         set `interface = \"{}\"` under [service.{settings_key}], or OS_INTERFACE for all services",
        in_region(region.as_ref()), join(wanted, " or "), join(existing, ", "), join(&existing[..existing.len().min(1)], "")
    )]
    InterfaceMissing {
        /// The service.
        service: String,
        /// The region asked for.
        region: Option<Region>,
        /// The interfaces that are set.
        wanted: Vec<Interface>,
        /// The interfaces that there are.
        existing: Vec<Interface>,
        /// Its key among the settings of services.
        settings_key: String,
    },
    /// The service that the listener is pinned to is not in the catalog.
    #[error(
        "this listener is pinned to `{pin}`, which is not in the catalog{}{}; correct `service` of the listener",
        nearest_is(nearest.as_deref()), prefixes_are(services)
    )]
    PinnedUnknown {
        /// As it is set.
        pin: String,
        /// The prefix that looks most like it.
        nearest: Option<String>,
        /// Every service's prefix.
        services: Vec<String>,
    },
    /// The service that the listener is pinned to has no endpoint in the region.
    #[error(
        "this listener is pinned to `{pin}`, which has no endpoint in region {region}{}; correct `region` of the \
         listener, or `region` under [service.{settings_key}]",
        only_in(regions)
    )]
    PinnedRegionMissing {
        /// As it is set.
        pin: String,
        /// The region that is meant.
        region: String,
        /// Where the service does exist.
        regions: Vec<Region>,
        /// Its key among the settings of services.
        settings_key: String,
    },
    /// The services that there are have no Keystone.
    #[error(
        "there is no Keystone behind this proxy, so nobody can log in here; use the services' prefixes without a login \
         (auth_type none)"
    )]
    NoKeystone,
    /// The token is for no project, so the catalog does not hold the service.
    #[error(
        "the token is for no project, so there is no `{name}` here; set OS_PROJECT_ID, or OS_PROJECT_NAME \
         with OS_PROJECT_DOMAIN_NAME (`project_id` or `project_name` in clouds.yaml)"
    )]
    NoProjectScope {
        /// The first segment as written, without the region.
        name: String,
    },
    /// One of our own prefixes, at which nothing of the cloud is.
    #[error("no service of the cloud is at /{name}; the page at / lists what is where")]
    Reserved {
        /// The prefix.
        name: String,
    },
    /// The override that the user set for the service cannot be used.
    #[error("the endpoint override of {settings_key} cannot be used: {reason}; correct it or take it out")]
    OverrideUnusable {
        /// The service's key among the settings of services.
        settings_key: String,
        /// Why.
        reason: String,
    },
    /// The path steps above the endpoint in some reading.
    #[error("the path steps above its endpoint; send it without `..`, also in its encoded forms")]
    ClimbsOut,
    /// The request's target is no path, or has a character that a path cannot have, or is too long.
    #[error("the request's path cannot be forwarded; percent-encode it, and keep it below 64 KiB")]
    Malformed,
    /// The endpoint is `http` though the auth URL is `https`.
    #[error(
        "the endpoint {endpoint} of {service} is plain http while the auth URL is https, so the token \
         would travel in the clear; set an https `endpoint_override` or `allow_http = true` under [service.{settings_key}]"
    )]
    InsecureEndpoint {
        /// The service.
        service: String,
        /// Its endpoint.
        endpoint: EndpointUrl,
        /// Its key among the settings of services.
        settings_key: String,
    },
}

fn nearest_is(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!("; the nearest is /{nearest}")).unwrap_or_default()
}

fn prefixes_are(prefixes: &[String]) -> String {
    if prefixes.is_empty() {
        return "; the catalog is empty, so check the project and its roles".into();
    }
    format!("; there are {}", join_with(prefixes.iter().map(|prefix| format!("/{prefix}")), ", "))
}

fn region_hint(service: &str, settings_key: &str, regions: &[Region]) -> String {
    let Some(first) = regions.first() else {
        return "; ask for it without a region".into();
    };
    format!(
        ", only in {}; ask for /{}, or set `region = \"{first}\"` under [service.{settings_key}] \
         (`{}_region_name` in clouds.yaml)",
        join(regions, ", "),
        with_region(service, &first.0),
        settings_key.replace('-', "_")
    )
}

fn only_in(regions: &[Region]) -> String {
    if regions.is_empty() { String::new() } else { format!(", only in {}", join(regions, ", ")) }
}

fn in_region(region: Option<&Region>) -> String {
    region.map(|region| format!(" in region {region}")).unwrap_or_default()
}

/// What a stranger wrote, fit for a message and a log: escaped, and cut where it gets long.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(LONGEST_SHOWN_CHARS).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST_SHOWN_CHARS).is_some() {
        shown.push_str("..");
    }
    shown
}

/// Longer than any service or region is called.
const LONGEST_SHOWN_CHARS: usize = 80;

/// Items with a separator between them.
pub(super) fn join<T: ToString>(items: &[T], separator: &str) -> String {
    join_with(items.iter().map(T::to_string), separator)
}

fn join_with(items: impl Iterator<Item = String>, separator: &str) -> String {
    items.collect::<Vec<_>>().join(separator)
}
