//! Tests of what is recognised; `tests/it/face.rs` has those of the answers.

use http::Request;

use super::*;
use crate::catalog::{Catalog, EndpointUrl};
use crate::clock::Clock;
use crate::face::Admission;
use crate::face::local_tokens::LocalTokens;
use crate::face::request::Granted;
use crate::routing::{Build, Preferences, RouteTable, ServicePreferences};

fn routes(auth_url: &str, named: &[&str]) -> RouteTable {
    let endpoints = |url: &str| json!([{ "interface": "public", "region_id": "R", "url": url }]);
    let catalog = json!([
        { "type": "identity", "name": "keystone", "endpoints": endpoints("http://inside:5000/v3") },
        { "type": "network", "name": "neutron", "endpoints": endpoints("http://h:9696") },
    ]);
    let names = named.iter().map(|name| (*name).to_owned()).collect();
    let network = ServicePreferences { names, ..ServicePreferences::default() };
    RouteTable::build(Build {
        catalog: &Catalog::from_wire(serde_json::from_value(catalog).unwrap()),
        auth_url: Some(&auth_url.parse::<EndpointUrl>().unwrap()),
        preferences: &Preferences {
            services: [("network".to_owned(), network)].into(),
            ..Preferences::default()
        },
        project_id: Some("p"),
        user_id: Some("u"),
        project_scoped: true,
        previous: None,
    })
}

/// What a request asks, in a word; `-` if it is none of ours. `LOCAL` in the path is a local token.
fn asked(routes: &RouteTable, method: &str, path: &str) -> String {
    let tokens = LocalTokens::default();
    let now = Clock::system().now();
    let (local, _) =
        tokens.issue(vec!["password".to_owned()], Granted::Held, Admission::default(), now).unwrap();
    let path = path.replace("LOCAL", local.to_str().unwrap());
    let (head, ()) = Request::builder().method(method).uri(&*path).body(()).unwrap().into_parts();
    let Ok(target) = routes.resolve(&path) else { return "no route".to_owned() };
    let asked = recognise(&head, &target, |it| tokens.find(it, now));
    let Some(asked) = asked else { return "-".to_owned() };
    format!("{asked:?}").split([' ', '(']).next().unwrap().to_owned()
}

#[test]
fn every_prefix_of_keystone_has_the_same_face() {
    for auth_url in ["http://k:5000/v3", "http://k:5000", "http://k/identity", "http://k:5000/v2.0/"] {
        let routes = routes(auth_url, &[]);
        for prefix in
            ["/v2.0", "/v2.0@R", "/v2.0%40R", "/identity/v2.0", "/keystone/v2.0", "/identity@R/v2.0"]
        {
            for (method, path, expected) in [
                ("GET", "", "Version"),
                ("GET", "/", "Version"),
                ("HEAD", "", "Version"),
                ("POST", "/tokens", "LogIn"),
                ("POST", "/tokens/", "LogIn"),
                ("POST", "//%74okens;x", "LogIn"),
                ("GET", "/tenants", "Tenants"),
                ("GET", "/tokens/LOCAL", "ShowToken"),
                ("HEAD", "/tokens/LOCAL", "ShowToken"),
                ("DELETE", "/tokens/LOCAL", "Revoke"),
                ("GET", "/tokens/another", "-"),
                ("POST", "/tokens/LOCAL", "-"),
                ("GET", "/tokens", "-"),
                ("POST", "/tenants", "-"),
                ("GET", "/users", "-"),
                ("POST", "", "-"),
            ] {
                let path = format!("{prefix}{path}");
                assert_eq!(asked(&routes, method, &path), expected, "{method} {path}, {auth_url}");
            }
        }
        for path in
            ["/v3/v2.0/tokens", "/network/v2.0/tokens", "/identity/v2/tokens", "/identity/v2.1/tokens"]
        {
            assert_eq!(asked(&routes, "POST", path), "-", "{path}");
        }
    }
}

#[test]
fn a_name_of_the_users_comes_before_the_old_one_of_keystone() {
    let routes = routes("http://k:5000/v3", &["v2.0"]);
    assert_eq!(routes.resolve("/v2.0/networks").unwrap().route.service_type, "network");
    assert_eq!(asked(&routes, "POST", "/v2.0/tokens"), "-");
    assert_eq!(asked(&routes, "POST", "/identity/v2.0/tokens"), "LogIn");
}
