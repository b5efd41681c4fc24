//! Tests of the whole table; those of its parts stand beside them.

use super::*;
use crate::catalog::{Catalog, Endpoint, EndpointUrl};

mod endpoints;
mod links;
mod names;
mod paths;
mod pinned;

/// Type, name, interface, region (empty for any), URL.
type Row<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str);

fn catalog(rows: &[Row<'_>]) -> Catalog {
    let endpoints = rows.iter().map(|(service_type, name, interface, region, url)| Endpoint {
        service_type: (*service_type).to_owned(),
        service_name: (!name.is_empty()).then(|| (*name).to_owned()),
        interface: interface.parse().unwrap(),
        region: (!region.is_empty()).then(|| Region((*region).to_owned())),
        url: url.parse().unwrap(),
    });
    Catalog { endpoints: endpoints.collect(), skipped: Vec::new() }
}

/// What a test may want to differ.
struct Setup<'a> {
    catalog: Catalog,
    auth_url: &'a str,
    preferences: Preferences,
    project_id: Option<&'a str>,
    project_scoped: bool,
    previous: Option<&'a RouteTable>,
}

impl<'a> Setup<'a> {
    fn new(rows: &[Row<'_>]) -> Self {
        Self {
            catalog: catalog(rows),
            auth_url: "http://keystone:5000/v3",
            preferences: Preferences::default(),
            project_id: Some("p"),
            project_scoped: true,
            previous: None,
        }
    }

    fn region(mut self, region: &str) -> Self {
        self.preferences.region = Some(Region(region.to_owned()));
        self
    }

    fn service(mut self, key: &str, service: ServicePreferences) -> Self {
        self.preferences.services.insert(key.to_owned(), service);
        self
    }

    fn after(mut self, previous: &'a RouteTable) -> Self {
        self.previous = Some(previous);
        self
    }

    fn build(self) -> RouteTable {
        RouteTable::build(Build {
            catalog: &self.catalog,
            auth_url: Some(&self.auth_url.parse::<EndpointUrl>().unwrap()),
            preferences: &self.preferences,
            project_id: self.project_id,
            user_id: Some("u"),
            project_scoped: self.project_scoped,
            previous: self.previous,
        })
    }
}

/// A catalog with one endpoint.
fn single(service_type: &str, url: &str) -> RouteTable {
    Setup::new(&[(service_type, "", "public", "R", url)]).build()
}

/// Where a request goes: scheme, authority, path and query.
fn upstream(table: &RouteTable, path: &str) -> String {
    match table.resolve(path) {
        Ok(target) => format!(
            "{}://{}{}",
            target.route.upstream.scheme, target.route.upstream.authority, target.path_and_query
        ),
        Err(error) => format!("error: {error}"),
    }
}

fn assert_upstreams(table: &RouteTable, expected: &[(&str, &str)]) {
    for (path, expected) in expected {
        assert_eq!(upstream(table, path), *expected, "{path}");
    }
}

/// A cloud of the usual kind, all services on one host.
const DEVSTACK: [Row<'static>; 9] = [
    ("identity", "keystone", "public", "One", "http://h/identity"),
    ("compute", "nova", "public", "One", "http://h/compute/v2.1"),
    ("compute_legacy", "nova_legacy", "public", "One", "http://h/compute/v2/p"),
    ("block-storage", "cinder", "public", "One", "http://h/volume/v3/p"),
    ("volumev3", "cinderv3", "public", "One", "http://h/volume/v3/p"),
    ("placement", "placement", "public", "One", "http://h/placement"),
    ("image", "glance", "public", "One", "http://h/image"),
    ("network", "neutron", "public", "One", "http://h:9696/networking"),
    ("object-store", "swift", "public", "One", "http://h:8080/v1/AUTH_p"),
];
