//! Tests of `catalog`.

use super::*;
use crate::catalog::{Catalog, EndpointUrl};
use crate::routing::{Build, Preferences, ServicePreferences};

const BASE: &str = "http://127.0.0.1:5050";

fn service(service_type: &str, name: &str, endpoints: &[(&str, &str, &str)]) -> Value {
    let endpoints: Vec<Value> = endpoints
        .iter()
        .map(|(interface, region, url)| json!({ "interface": interface, "region_id": region, "url": url }))
        .collect();
    json!({ "type": service_type, "name": name, "endpoints": endpoints })
}

fn shown(catalog: &Value, preferences: &Preferences) -> (Vec<Value>, RouteTable) {
    let catalog = Catalog::from_wire(serde_json::from_value(catalog.clone()).unwrap());
    let routes = RouteTable::build(Build {
        catalog: &catalog,
        auth_url: Some(&"http://keystone:5000/v3".parse::<EndpointUrl>().unwrap()),
        preferences,
        project_id: Some("p"),
        user_id: Some("u"),
        project_scoped: true,
        previous: None,
    });
    let services = list(&catalog.endpoints, &routes, Here { base: BASE, is_root: false });
    (services.into_iter().map(Service::into_value).collect(), routes)
}

/// Type, interface, region and URL of every endpoint.
fn rows(services: &[Value]) -> Vec<(String, String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("null").replace(BASE, "");
    let rows = services.iter().flat_map(|service| {
        service["endpoints"].as_array().unwrap().iter().map(move |it| {
            assert_eq!(it["region"], it["region_id"]);
            (text(&service["type"]), text(&it["interface"]), text(&it["region"]), text(&it["url"]))
        })
    });
    rows.collect()
}

fn assert_rows(services: &[Value], expected: &[(&str, &str, &str, &str)]) {
    let seen = rows(services);
    let seen: Vec<_> = seen.iter().map(|(a, b, c, d)| (&**a, &**b, &**c, &**d)).collect();
    assert_eq!(seen, expected);
}

#[test]
fn every_interface_and_region_is_listed_at_an_address_that_leads_here() {
    let catalog = json!([
        service(
            "identity",
            "keystone",
            &[("public", "A", "http://keystone:5000"), ("admin", "A", "http://inside:35357/v2.0")],
        ),
        service(
            "object-store",
            "swift",
            &[
                ("public", "A", "http://a:8080/v1/AUTH_p"),
                ("internal", "A", "http://inside:8080/v1/AUTH_p"),
                ("admin", "A", "http://a:8080/v1"),
                ("public", "B", "http://b:8080/v1/AUTH_p"),
                ("internal", "B", "http://inside-b:8080/v1/AUTH_p"),
            ],
        ),
        service("volumev3", "cinderv3", &[("public", "A", "http://a:8776/v3/p")]),
    ]);
    let preferences = Preferences { interfaces: vec![Interface::Internal], ..Default::default() };
    let (services, _) = shown(&catalog, &preferences);
    // Cinder has no internal endpoint, so nothing leads to it.
    assert_rows(
        &services,
        &[
            ("identity", "public", "A", "/identity/v3"),
            ("identity", "admin", "A", "/identity/v3"),
            ("object-store", "public", "A", "/object-store/v1/AUTH_p"),
            ("object-store", "internal", "A", "/object-store/v1/AUTH_p"),
            ("object-store", "admin", "A", "/object-store/v1/AUTH_p"),
            ("object-store", "public", "B", "/object-store@B/v1/AUTH_p"),
            ("object-store", "internal", "B", "/object-store@B/v1/AUTH_p"),
        ],
    );
    let (services, _) = shown(&catalog, &Preferences::default());
    assert_eq!(rows(&services).last().unwrap().3, "/block-storage/v3/p");
    assert_eq!(services[1]["name"], "swift");
}

#[test]
fn what_serves_any_region_is_listed_in_each_and_its_own_comes_first() {
    let catalog = json!([
        service("identity", "", &[("public", "*", "http://keystone:5000/v3")]),
        service("compute", "", &[("public", "A", "http://a/v2.1"), ("public", "B", "http://b/v2.1")]),
        service("image", "", &[("public", "", "http://any:9292"), ("public", "B", "http://b:9292")]),
    ]);
    let (services, _) = shown(&catalog, &Preferences::default());
    assert_rows(
        &services,
        &[
            ("identity", "public", "A", "/identity/v3"),
            ("identity", "public", "B", "/identity/v3"),
            ("compute", "public", "A", "/compute/v2.1"),
            ("compute", "public", "B", "/compute@B/v2.1"),
            ("image", "public", "A", "/image"),
            ("image", "public", "B", "/image@B"),
        ],
    );
    let alone = json!([service("image", "", &[("public", "*", "http://any:9292")])]);
    let (services, _) = shown(&alone, &Preferences::default());
    assert_eq!(rows(&services)[0], ("image".into(), "public".into(), "null".into(), "/image".into()));
}

#[test]
fn overrides_and_keystone_are_listed_though_the_catalog_lacks_them() {
    let named =
        ServicePreferences { endpoint_override: Some("http://mine:8041".to_owned()), ..Default::default() };
    let preferences = Preferences { services: [("metric".to_owned(), named)].into(), ..Default::default() };
    let catalog = json!([service("compute", "nova", &[("public", "A", "http://a/v2.1")])]);
    let (services, _) = shown(&catalog, &preferences);
    assert_rows(
        &services,
        &[
            ("compute", "public", "A", "/compute/v2.1"),
            ("metric", "public", "A", "/metric"),
            ("metric", "internal", "A", "/metric"),
            ("metric", "admin", "A", "/metric"),
            ("identity", "public", "A", "/identity/v3"),
            ("identity", "internal", "A", "/identity/v3"),
            ("identity", "admin", "A", "/identity/v3"),
        ],
    );
}

#[test]
fn ids_are_the_same_each_time_and_differ_between_entries() {
    let catalog = json!([
        service("compute", "nova", &[("public", "A", "http://a/v2.1"), ("admin", "A", "http://a/v2.1")]),
        service(
            "compute",
            "other",
            &[("public", "A", "http://other/v2.1"), ("public", "B", "http://other/v2.1")]
        ),
    ]);
    let (services, _) = shown(&catalog, &Preferences::default());
    assert_eq!(services, shown(&catalog, &Preferences::default()).0);
    let endpoints = services.iter().flat_map(|service| service["endpoints"].as_array().unwrap());
    let ids = services.iter().chain(endpoints).map(|it| it["id"].as_str().unwrap());
    let ids: std::collections::BTreeSet<&str> = ids.collect();
    // Two services and Keystone; of the second, the endpoint in A is like one that is listed.
    assert_eq!(ids.len(), 3 + 2 + 1 + 3);
    assert!(ids.iter().all(|id| id.len() == 32));
}

proptest::proptest! {
    #[test]
    fn every_address_leads_to_the_endpoint_it_stands_for(
        endpoints in proptest::collection::vec((0..5_usize, 0..3_usize, 0..3_usize, 0..6_usize), 1..8),
        set in proptest::option::of(0..2_usize),
        suffix in "(/v3|/v2\\.1|/AUTH_p|/x|/y%2Fz){0,3}",
    ) {
        let regions = ["A", "B 2", "*"];
        let paths = ["", "/v2.1", "/v3/p", "/compute/v2.1", "/v1/AUTH_p", "/placement"];
        let types = ["compute", "volumev3", "volumev2", "object-store", "dns"];
        let interfaces = ["public", "internal", "admin"];
        let services: Vec<Value> = endpoints
            .iter()
            .map(|(of, interface, region, path)| {
                let url = format!("http://{interface}{region}.{}{}", types[*of], paths[*path]);
                service(types[*of], "", &[(interfaces[*interface], regions[*region], &url)])
            })
            .collect();
        let region = set.map(|set| Region(regions[set].to_owned()));
        let (shown, routes) = shown(&services.into(), &Preferences { region, ..Default::default() });
        for (service_type, _, region, url) in rows(&shown) {
            let region = (region != "null").then_some(Region(region));
            let route = routes.published(&service_type, region.as_ref()).unwrap();
            let target = routes.resolve(&format!("{url}{suffix}")).map(|target| {
                (target.route.upstream.clone(), target.path_and_query.to_string())
            });
            let (upstream, path) = target.unwrap();
            proptest::prop_assert_eq!(&upstream, &route.upstream);
            let expected = format!("{}{suffix}", route.upstream.path);
            proptest::prop_assert_eq!(path, if expected.is_empty() { "/".to_owned() } else { expected });
            // And to no other service or region.
            let is_own = upstream.host().ends_with(&service_type) || service_type == "identity";
            proptest::prop_assert!(is_own, "{} {}", service_type, upstream);
        }
    }
}

#[test]
fn v2_has_one_entry_for_each_region_with_an_address_for_each_interface() {
    let catalog = json!([
        service(
            "object-store",
            "swift",
            &[
                ("internal", "A", "http://inside:8080/v1/AUTH_p"),
                ("public", "A", "http://a:8080/v1/AUTH_p"),
                ("public", "dev1", "http://b:8080/v1/AUTH_p"),
            ],
        ),
        service("image", "glance", &[("admin", "A", "http://a:9292")]),
    ]);
    let catalog = Catalog::from_wire(serde_json::from_value(catalog).unwrap());
    let routes = RouteTable::build(Build {
        catalog: &catalog,
        auth_url: Some(&"http://keystone:5000/v3".parse::<EndpointUrl>().unwrap()),
        preferences: &Preferences::default(),
        project_id: Some("p"),
        user_id: Some("u"),
        project_scoped: true,
        previous: None,
    });
    let services: Vec<Value> = list(&catalog.endpoints, &routes, Here { base: BASE, is_root: false })
        .into_iter()
        .map(Service::into_v2)
        .collect();
    let rows: Vec<[String; 3]> = services
        .iter()
        .flat_map(|service| {
            assert_eq!(service["endpoints_links"], json!([]));
            service["endpoints"].as_array().unwrap().iter().map(|it| {
                assert!(it["publicURL"] == it["internalURL"] && it["publicURL"] == it["adminURL"]);
                [&service["type"], &it["region"], &it["publicURL"]]
                    .map(|text| text.as_str().unwrap_or("null").replace(BASE, ""))
            })
        })
        .collect();
    let expected = [
        ["object-store", "A", "/object-store/v1/AUTH_p"],
        ["object-store", "dev1", "/object-store@de%25761/v1/AUTH_p"],
        // Only admin has it, and public is asked: no prefix leads there.
        ["identity", "A", "/identity/v3"],
    ];
    assert_eq!(rows, expected.map(|row| row.map(str::to_owned)));
    let ids: std::collections::HashSet<String> = services
        .iter()
        .flat_map(|it| it["endpoints"].as_array().unwrap())
        .map(|it| it["id"].to_string())
        .collect();
    assert_eq!(ids.len(), rows.len());
}
