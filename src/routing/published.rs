//! Which endpoint a catalog that leads here shows for a service and a region.
//!
//! 1. A service is known by its catalog type, whatever other names lead to it.
//! 2. In the listener's region, and where no region is asked for, it is what a prefix without a region leads to: also an
//!    override, and for Keystone the auth URL.
//! 3. In any other region it is that region's endpoint, at `/{service}@{region}`. Keystone stays at the auth URL where
//!    that region has the same one, or none that can be used.
//! 4. The interface is the one that is set: whichever of them a client asks for, requests go there.

use super::route::Route;
use super::{NoRoute, RouteTable};
use crate::catalog::Region;

impl RouteTable {
    /// Every type that the catalog has, then those that exist by an override alone; Keystone's is always among them.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.types.iter().map(|(service_type, _)| service_type.as_str())
    }

    /// The route to show for a type in a region, or in none; [`Route::face`] is the path here that leads to it.
    pub fn published(&self, service_type: &str, region: Option<&Region>) -> Option<&Route> {
        let (_, entry) = self.types.iter().find(|(it, _)| it == service_type)?;
        let entry = &self.entries[*entry];
        let home = entry.home.as_ref().ok().copied();
        let is_here = self.region.as_ref().is_none_or(|here| region.is_none_or(|region| region == here));
        // An endpoint that stands for regions of its own is found among them.
        let is_placed = entry.regions.iter().any(|(_, route)| route.as_ref().ok().copied() == home);
        let there = match region {
            None => home,
            Some(_) if is_here && !is_placed => home,
            Some(region) => entry.route(Some(region)),
        };
        let keystone = home.filter(|home| self.routes[*home].is_identity);
        let same =
            |route: usize| keystone.filter(|it| self.routes[*it].upstream == self.routes[route].upstream);
        let found = there.map(|route| same(route).unwrap_or(route)).or(keystone)?;
        Some(&self.routes[found]).filter(|route| !route.prefix.is_empty())
    }

    /// The route of a type in a region as a request writes it, or why there is none; with a region as by
    /// `/{type}@{region}`, but no name of the user's stands in its way.
    pub fn of_type(&self, service_type: &str, region: Option<&str>) -> Result<&Route, NoRoute> {
        let known = self.types.iter().find(|(it, _)| it == service_type);
        let (_, entry) = known.ok_or_else(|| self.unknown(service_type))?;
        let route = self.route(*entry, region)?;
        if route.prefix.is_empty() { Err(self.unknown(service_type)) } else { Ok(route) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::catalog::{Catalog, EndpointUrl, Region};
    use crate::routing::{Build, Preferences, RouteTable, ServicePreferences};

    fn table(catalog: &serde_json::Value, region: Option<&str>, overrides: &[(&str, &str)]) -> RouteTable {
        let catalog = Catalog::from_wire(serde_json::from_value(catalog.clone()).unwrap());
        let services: BTreeMap<_, _> = overrides
            .iter()
            .map(|(key, url)| {
                let endpoint_override = Some((*url).to_owned());
                ((*key).to_owned(), ServicePreferences { endpoint_override, ..Default::default() })
            })
            .collect();
        let region = region.map(|region| Region(region.to_owned()));
        RouteTable::build(Build {
            catalog: &catalog,
            auth_url: Some(&"http://keystone:5000/v3".parse::<EndpointUrl>().unwrap()),
            preferences: &Preferences { region, services, ..Default::default() },
            project_id: Some("p"),
            user_id: Some("u"),
            project_scoped: true,
            previous: None,
        })
    }

    fn service(service_type: &str, endpoints: &[(&str, &str)]) -> serde_json::Value {
        let endpoints: Vec<_> = endpoints
            .iter()
            .map(
                |(region, url)| serde_json::json!({ "interface": "public", "region_id": region, "url": url }),
            )
            .collect();
        serde_json::json!({ "type": service_type, "endpoints": endpoints })
    }

    #[test]
    fn each_type_and_region_has_the_address_that_leads_to_it() {
        let catalog = serde_json::json!([
            service(
                "identity",
                &[("A", "http://inside:5000/v3"), ("B", "http://keystone:5000"), ("C", "http://c:5000")]
            ),
            service("compute", &[("A", "http://a:8774/v2.1"), ("B", "http://b:8774/v2.1")]),
            service("volumev3", &[("A", "http://a:8776/v3/p")]),
            service("volumev2", &[("A", "http://a:8776/v2/p")]),
            service("network", &[("*", "http://any:9696")]),
            service("object-store", &[("B", "http://b:8080/v1/AUTH_p")]),
            service("dns", &[("A", "http://a:9001"), ("B", "http://b:9001")]),
        ]);
        let overrides = [("dns", "http://mine:9001"), ("metric", "http://mine:8041")];
        for set in [Some("A"), None] {
            let table = table(&catalog, set, &overrides);
            for (service_type, region, face) in [
                ("identity", Some("A"), Some("/identity/v3")),
                ("identity", Some("B"), Some("/identity/v3")),
                ("identity", Some("C"), Some("/identity@C/v3")),
                ("identity", Some("D"), Some("/identity/v3")),
                ("compute", None, Some("/compute/v2.1")),
                ("compute", Some("A"), Some("/compute/v2.1")),
                ("compute", Some("B"), Some("/compute@B/v2.1")),
                ("compute", Some("C"), None),
                ("volumev3", Some("A"), Some("/block-storage/v3/p")),
                ("volumev2", Some("A"), Some("/block-storage/v2/p")),
                ("network", Some("A"), Some("/network")),
                ("network", Some("B"), Some("/network")),
                ("dns", Some("A"), Some("/dns")),
                ("dns", Some("B"), Some("/dns@B")),
                ("metric", None, Some("/metric")),
                ("metric", Some("A"), Some("/metric")),
                ("nothing", None, None),
            ] {
                let region = region.map(|region| Region(region.to_owned()));
                let route = table.published(service_type, region.as_ref());
                let seen = route.map(crate::routing::Route::face);
                assert_eq!(seen.as_deref(), face, "{service_type} in {region:?}, {set:?} is set");
            }
            let types: Vec<_> = table.types().collect();
            assert_eq!(types.first(), Some(&"identity"));
            assert!(types.contains(&"metric"));
        }
    }

    #[test]
    fn a_type_is_found_in_a_region_as_it_is_written() {
        let catalog = serde_json::json!([
            service("object-store", &[("A", "http://a:8080/v1/AUTH_p"), ("dev1", "http://b:8080/swift/v1")]),
            service("compute", &[("A", "http://a:8774/v2.1")]),
        ]);
        let overrides = [("object-store", "http://mine:8080/v1/AUTH_p")];
        for (overrides, home) in
            [(&[][..], "http://a:8080/v1/AUTH_p"), (&overrides[..], "http://mine:8080/v1/AUTH_p")]
        {
            let table = table(&catalog, Some("A"), overrides);
            for (region, expected) in [
                (None, Ok(home)),
                (Some("A"), Ok(home)),
                (Some("%41"), Ok(home)),
                (Some("dev1"), Ok("http://b:8080/swift/v1")),
                (Some("de%761"), Ok("http://b:8080/swift/v1")),
                (Some("de%25761"), Ok("http://b:8080/swift/v1")),
                (Some("C"), Err("object-store has no endpoint in region C, only in A, dev1")),
                (Some(""), Err("object-store has no endpoint in region ")),
            ] {
                match (table.of_type("object-store", region), expected) {
                    (Ok(route), Ok(url)) => assert_eq!(route.upstream.to_string(), url, "{region:?}"),
                    (Err(error), Err(start)) => {
                        assert!(error.to_string().starts_with(start), "{region:?}: {error}");
                    }
                    (seen, expected) => panic!("{region:?}: {seen:?}, not {expected:?}"),
                }
            }
            let error = table.of_type("image", None).unwrap_err().to_string();
            assert!(error.starts_with("there is no service `image` here"), "{error}");
        }
    }

    #[test]
    fn a_name_of_the_users_takes_nothing_out_of_the_catalog() {
        let catalog = serde_json::json!([
            service("compute", &[("A", "http://a:8774/v2.1")]),
            service("image", &[("A", "http://a:9292")]),
        ]);
        let catalog = Catalog::from_wire(serde_json::from_value(catalog).unwrap());
        let named = ServicePreferences { names: vec!["image".to_owned()], ..Default::default() };
        let preferences =
            Preferences { services: [("compute".to_owned(), named)].into(), ..Default::default() };
        let table = RouteTable::build(Build {
            catalog: &catalog,
            auth_url: Some(&"http://keystone:5000/v3".parse::<EndpointUrl>().unwrap()),
            preferences: &preferences,
            project_id: None,
            user_id: None,
            project_scoped: true,
            previous: None,
        });
        let here = |service_type| table.published(service_type, None).unwrap().upstream.to_string();
        assert_eq!(here("compute"), "http://a:8774/v2.1");
        assert_eq!(here("image"), "http://a:9292");
        assert_eq!(table.of_type("image", None).unwrap().upstream.to_string(), "http://a:9292");
    }
}
