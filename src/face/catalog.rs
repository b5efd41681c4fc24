//! The held catalog, with addresses of this listener.
//!
//! 1. Services, regions and interfaces are those of the real catalog, in its order; a client that chooses among them by
//!    its own settings finds what it would find there.
//! 2. Every interface of a service in a region has the same address: the one that leads where we send requests, which
//!    the listener's `interface` decides ([`crate::routing`], `published`).
//! 3. What serves any region is listed for each region there is, since clients compare regions exactly.
//! 4. A service that exists by an override alone is listed, for the listener's region and all interfaces; so is
//!    Keystone, should the real catalog lack it.
//! 5. What no prefix leads to is left out, and so is a second endpoint like one that is listed.
//! 6. Ids are made from what an entry says, so that they are the same in every answer.
//! 7. v2.0 has one entry for all interfaces of a service in a region. It has all three addresses, since clients of that
//!    time take for granted that none is missing.
//! 8. Where Keystone stands at the listener's root, it is all that there is: no other service is reached there.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::View;
use super::local_tokens::hex;
use crate::catalog::{Endpoint, Interface, Region};
use crate::routing::{Route, RouteTable};

/// The catalog as in a token, and as `GET /v3/auth/catalog` gives it.
pub(super) fn of(view: View<'_>) -> Vec<Value> {
    of_view(view).into_iter().map(Service::into_value).collect()
}

/// The same as in a token of v2.0.
pub(super) fn of_v2(view: View<'_>) -> Vec<Value> {
    of_view(view).into_iter().map(Service::into_v2).collect()
}

fn of_view(view: View<'_>) -> Vec<Service<'_>> {
    let View { snapshot, base, prefix, .. } = view;
    list(&snapshot.catalog.endpoints, &snapshot.routes, Here { base, is_root: prefix.is_empty() })
}

/// Where the addresses lead.
#[derive(Clone, Copy)]
struct Here<'a> {
    base: &'a str,
    /// Whether Keystone stands at the root.
    is_root: bool,
}

impl Here<'_> {
    /// Rule 8.
    fn url(self, route: &Route) -> Option<String> {
        if self.is_root {
            return route.is_identity.then(|| format!("{}{}", self.base, route.face_at_root()));
        }
        Some(format!("{}{}", self.base, route.face()))
    }
}

fn list<'a>(endpoints: &'a [Endpoint], routes: &'a RouteTable, here: Here<'_>) -> Vec<Service<'a>> {
    let mut services: Vec<Service<'_>> = Vec::new();
    for endpoint in endpoints {
        for region in regions(endpoint, routes) {
            add(&mut services, routes, here, endpoint_of(endpoint, region));
        }
    }
    let is_real = |service_type: &str| endpoints.iter().any(|it| it.service_type == service_type);
    for service_type in routes.types().filter(|it| !is_real(it)) {
        for interface in [Interface::Public, Interface::Internal, Interface::Admin] {
            let place = Place { service_type, name: service_type, interface, region: routes.region() };
            add(&mut services, routes, here, place);
        }
    }
    services
}

/// The regions for which an endpoint is listed; where one has its own, both have the address of that.
fn regions<'a>(endpoint: &'a Endpoint, routes: &'a RouteTable) -> Vec<Option<&'a Region>> {
    if endpoint.region.is_some() || routes.regions().is_empty() {
        return vec![endpoint.region.as_ref()];
    }
    routes.regions().iter().map(Some).collect()
}

/// Where an entry stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    service_type: &'a str,
    name: &'a str,
    interface: Interface,
    region: Option<&'a Region>,
}

fn endpoint_of<'a>(endpoint: &'a Endpoint, region: Option<&'a Region>) -> Place<'a> {
    Place {
        service_type: &endpoint.service_type,
        name: endpoint.service_name.as_deref().unwrap_or_default(),
        interface: endpoint.interface,
        region,
    }
}

/// A service as it is put together.
struct Service<'a> {
    service_type: &'a str,
    name: &'a str,
    endpoints: Vec<Listed<'a>>,
}

/// An endpoint of it.
struct Listed<'a> {
    interface: Interface,
    region: Option<&'a Region>,
    url: String,
}

fn add<'a>(services: &mut Vec<Service<'a>>, routes: &RouteTable, here: Here<'_>, place: Place<'a>) {
    let Place { service_type, name, interface, region } = place;
    let is_there = |it: &Listed<'_>| it.interface == interface && it.region == region;
    let is_listed = |it: &Service<'_>| it.service_type == service_type && it.endpoints.iter().any(is_there);
    if services.iter().any(is_listed) {
        return;
    }
    let Some(url) = routes.published(service_type, region).and_then(|route| here.url(route)) else { return };
    let at = services.iter().position(|it| it.service_type == service_type && it.name == name);
    let at = at.unwrap_or_else(|| {
        services.push(Service { service_type, name, endpoints: Vec::new() });
        services.len() - 1
    });
    services[at].endpoints.push(Listed { interface, region, url });
}

impl Service<'_> {
    fn into_value(self) -> Value {
        let Self { service_type, name, endpoints } = self;
        let entry = |it: Listed<'_>| {
            let interface = it.interface.to_string();
            json!({
                "id": id(&[service_type, name, &interface, it.region_id().unwrap_or_default()]),
                "interface": interface,
                "region_id": it.region_id(),
                "region": it.region_id(),
                "url": it.url,
            })
        };
        json!({
            "endpoints": endpoints.into_iter().map(entry).collect::<Vec<_>>(),
            "id": id(&[service_type, name]),
            "type": service_type,
            "name": name,
        })
    }

    /// Rule 7.
    fn into_v2(self) -> Value {
        let Self { service_type, name, endpoints } = self;
        let mut regions: Vec<Listed<'_>> = Vec::new();
        for endpoint in endpoints {
            if regions.iter().all(|it| it.region != endpoint.region) {
                regions.push(endpoint);
            }
        }
        let entry = |it: Listed<'_>| {
            json!({
                "id": id(&[service_type, name, it.region_id().unwrap_or_default()]),
                "region": it.region_id(),
                "publicURL": it.url,
                "internalURL": it.url,
                "adminURL": it.url,
            })
        };
        json!({
            "endpoints": regions.into_iter().map(entry).collect::<Vec<_>>(),
            "endpoints_links": [],
            "type": service_type,
            "name": name,
        })
    }
}

impl Listed<'_> {
    fn region_id(&self) -> Option<&str> {
        self.region.map(|region| region.0.as_str())
    }
}

/// As long as Keystone's own.
fn id(parts: &[&str]) -> String {
    hex(&digest(&SHA256, parts.join("\0").as_bytes()).as_ref()[..16])
}

#[cfg(test)]
mod tests;
