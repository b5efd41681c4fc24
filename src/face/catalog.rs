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
//! 6. Where Keystone stands at the listener's root, it is all that there is: no other service is reached there.
//! 7. Ids are made from what an entry says, so that they are the same in every answer.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::View;
use super::local_tokens::hex;
use crate::catalog::{Endpoint, Interface, Region};
use crate::routing::{Route, RouteTable};

/// The catalog as in a token, and as `GET /v3/auth/catalog` gives it.
pub(super) fn of(view: View<'_>) -> Vec<Value> {
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
    /// Rule 6.
    fn url(self, route: &Route) -> Option<String> {
        match self.is_root {
            false => Some(format!("{}{}", self.base, route.face())),
            true => route.is_identity.then(|| format!("{}{}", self.base, route.face_at_root())),
        }
    }
}

fn list(endpoints: &[Endpoint], routes: &RouteTable, here: Here<'_>) -> Vec<Value> {
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
    services.into_iter().map(Service::into_value).collect()
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
    places: Vec<(Interface, Option<&'a Region>)>,
    endpoints: Vec<Value>,
}

fn add<'a>(services: &mut Vec<Service<'a>>, routes: &RouteTable, here: Here<'_>, place: Place<'a>) {
    let Place { service_type, name, interface, region } = place;
    let is_listed =
        |it: &Service<'_>| it.service_type == service_type && it.places.contains(&(interface, region));
    if services.iter().any(is_listed) {
        return;
    }
    let Some(url) = routes.published(service_type, region).and_then(|route| here.url(route)) else { return };
    let region_id = region.map(|region| region.0.as_str());
    let interface_name = interface.to_string();
    let entry = json!({
        "id": id(&[service_type, name, &interface_name, region_id.unwrap_or_default()]),
        "interface": interface_name,
        "region_id": region_id,
        "region": region_id,
        "url": url,
    });
    let at = services.iter().position(|it| it.service_type == service_type && it.name == name);
    let at = at.unwrap_or_else(|| {
        services.push(Service { service_type, name, places: Vec::new(), endpoints: Vec::new() });
        services.len() - 1
    });
    services[at].places.push((interface, region));
    services[at].endpoints.push(entry);
}

impl Service<'_> {
    fn into_value(self) -> Value {
        json!({
            "endpoints": self.endpoints,
            "id": id(&[self.service_type, self.name]),
            "type": self.service_type,
            "name": self.name,
        })
    }
}

/// As long as Keystone's own.
fn id(parts: &[&str]) -> String {
    hex(&digest(&SHA256, parts.join("\0").as_bytes()).as_ref()[..16])
}

#[cfg(test)]
mod tests;
