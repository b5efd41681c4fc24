//! Tests of `keystone_v3`.

use http::Request;
use serde_json::json;

use super::*;
use crate::catalog::{Catalog, EndpointUrl};
use crate::clock::Clock;
use crate::face::Admission;
use crate::face::local_tokens::LocalTokens;
use crate::face::request::Granted;
use crate::routing::{Build, Preferences, RouteTable};

fn routes(auth_url: &str) -> RouteTable {
    let endpoint = |url: &str| json!([{ "interface": "public", "region_id": "R", "url": url }]);
    let catalog = json!([
        { "type": "identity", "name": "keystone", "endpoints": endpoint("http://inside:5000/v3") },
        { "type": "compute", "name": "nova", "endpoints": endpoint("http://h/compute/v2.1") },
        { "type": "image", "name": "glance", "endpoints": endpoint("http://h") },
        { "type": "object-store", "name": "swift", "endpoints": endpoint("http://h/v1/AUTH_p") },
    ]);
    RouteTable::build(Build {
        catalog: &Catalog::from_wire(serde_json::from_value(catalog).unwrap()),
        auth_url: Some(&auth_url.parse::<EndpointUrl>().unwrap()),
        preferences: &Preferences::default(),
        project_id: Some("p"),
        user_id: Some("u"),
        project_scoped: true,
        previous: None,
    })
}

const REAL: &str = "gAAAAAreal-token-of-keystone";

/// What a request asks, in a word; `-` if it is none of ours.
fn asked(routes: &RouteTable, method: &str, path: &str, fields: &[(&str, &str)]) -> String {
    let tokens = LocalTokens::default();
    let (local, _) = tokens
        .issue(vec!["password".to_owned()], Granted::Held, Admission::default(), Clock::system().now())
        .unwrap();
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in fields {
        request = request.header(*name, if *value == "LOCAL" { local.to_str().unwrap() } else { *value });
    }
    let (head, ()) = request.body(()).unwrap().into_parts();
    let Ok(target) = routes.resolve(path) else { return "no route".to_owned() };
    let now = Clock::system().now();
    let asked = recognise(&head, &target, Some(&HeaderValue::from_static(REAL)), |it| tokens.find(it, now));
    let Some(asked) = asked else { return "-".to_owned() };
    let text = format!("{asked:?}");
    let word = text.split([' ', '(']).next().unwrap();
    if text.contains("with_catalog: false") { format!("{word} nocatalog") } else { word.to_owned() }
}

#[test]
fn every_prefix_of_keystone_has_the_same_face() {
    for auth_url in ["http://k:5000/v3", "http://k:5000", "http://k/identity", "http://k/v1/identity/v3/"] {
        let routes = routes(auth_url);
        for prefix in ["/identity", "/keystone", "/identity@R", "/keystone%40R"] {
            for root in ["/v3", ""] {
                let ask = |method: &str, path: &str| {
                    asked(&routes, method, &format!("{prefix}{root}{path}"), &[("X-Subject-Token", "LOCAL")])
                };
                assert_eq!(ask("POST", "/auth/tokens"), "LogIn", "{prefix}{root}");
                assert_eq!(ask("DELETE", "/auth/tokens"), "Revoke", "{prefix}{root}");
            }
            assert_eq!(asked(&routes, "GET", prefix, &[]), "Versions");
            assert_eq!(asked(&routes, "GET", &format!("{prefix}/"), &[]), "Versions");
            assert_eq!(asked(&routes, "GET", &format!("{prefix}/v3"), &[]), "Version");
        }
        for prefix in ["/v3", "/v3@R"] {
            assert_eq!(asked(&routes, "POST", &format!("{prefix}/auth/tokens"), &[]), "LogIn");
            assert_eq!(asked(&routes, "HEAD", prefix, &[]), "Version");
            assert_eq!(asked(&routes, "GET", &format!("{prefix}/"), &[]), "Version");
        }
        assert_eq!(asked(&routes, "POST", "/compute/v3/auth/tokens", &[]), "-");
        assert_eq!(asked(&routes, "POST", "/image/v3/auth/tokens", &[]), "-");
    }
}

#[test]
fn no_spelling_leads_around_the_face() {
    let routes = routes("http://k:5000/v3");
    for path in [
        "/v3/auth/tokens/",
        "/v3//auth//tokens",
        "/v3/./auth/tokens/.",
        "/v3/x/../auth/tokens",
        "/v3/auth/%74okens",
        "/v3/auth/%2574okens",
        "/v3/auth%2Ftokens",
        "/v3%2Fauth%2Ftokens",
        "/v3/auth%5ctokens",
        "/v3/auth;x=y/tokens;z",
        "/v3/auth/tokens%3Fx",
        "/v3/auth/tokens%00",
        "/v3/AUTH/Tokens",
        "/v3/auth/tokens?x=/y",
        "/identity//v3/auth/tokens",
        "/identity/%76%33/auth/tokens",
        "/identity/auth/tokens",
        "/identity//auth/tokens",
        "/identity/./v3/auth/tokens",
    ] {
        let expected = if path.starts_with("/v3%2F") {
            "no route"
        } else if path.starts_with("/identity//v3")
            || path.contains("/%76")
            || path.starts_with("/identity/./")
        {
            // Kept below `/v3`, where there is nothing of this name; `minting` refuses it.
            "-"
        } else {
            "LogIn"
        };
        assert_eq!(asked(&routes, "POST", path, &[]), expected, "{path}");
    }
}

#[test]
fn methods_and_parameters_decide_what_is_asked() {
    let routes = routes("http://k:5000/v3");
    for (method, path, expected) in [
        ("POST", "/v3/auth/tokens?nocatalog", "LogIn nocatalog"),
        ("POST", "/v3/auth/tokens?a&nocatalog=&b", "LogIn nocatalog"),
        ("POST", "/v3/auth/tokens?nocatalogue", "LogIn"),
        ("GET", "/v3/auth/tokens", "ShowToken"),
        ("HEAD", "/v3/auth/tokens", "ShowToken"),
        ("GET", "/v3/auth/tokens?nocatalog", "ShowToken nocatalog"),
        ("DELETE", "/v3/auth/tokens", "Revoke"),
        ("PUT", "/v3/auth/tokens", "-"),
        ("PATCH", "/v3/auth/tokens", "-"),
        ("OPTIONS", "/v3/auth/tokens", "-"),
        ("GET", "/v3/auth/catalog", "Catalog"),
        ("HEAD", "/v3/auth/projects", "Projects"),
        ("GET", "/v3/auth/domains/", "Domains"),
        ("GET", "/v3/auth/system", "System"),
        ("POST", "/v3/auth/projects", "-"),
        ("GET", "/v3/auth", "-"),
        ("GET", "/v3/projects", "-"),
        ("GET", "/v3/OS-FEDERATION/projects", "-"),
        ("POST", "/v3/auth/OS-FEDERATION/saml2", "-"),
        ("POST", "/v3/auth/tokens/OS-PKI/revoked", "-"),
        ("POST", "/v3/v3/auth/tokens", "-"),
        ("POST", "/identity/v2.0/tokens", "-"),
        ("POST", "/identity/v3.14/auth/tokens", "-"),
        ("PUT", "/v3", "-"),
        ("POST", "/identity/", "-"),
    ] {
        assert_eq!(
            asked(&routes, method, path, &[("x-subject-token", "LOCAL")]),
            expected,
            "{method} {path}"
        );
    }
    for other in ["", "LOCALx", "gatestone-local-00", "another"] {
        assert_eq!(asked(&routes, "GET", "/v3/auth/tokens", &[("x-subject-token", other)]), "-", "{other}");
    }
    assert_eq!(asked(&routes, "GET", "/v3/auth/tokens", &[]), "-");
}

#[test]
fn the_real_token_cannot_be_named_anywhere_that_may_lead_to_a_keystone() {
    let routes = routes("http://k:5000/v3");
    let joined = format!("x, {REAL}");
    for (method, path) in [
        ("GET", "/v3/auth/tokens"),
        ("HEAD", "/identity/auth/tokens"),
        ("DELETE", "/keystone/v3/auth/tokens"),
        ("DELETE", "/v3/auth/%2574okens"),
        ("DELETE", "/image/identity/v3/auth/tokens"),
        ("GET", "/compute/v3/auth/tokens"),
        ("POST", "/v3/auth/tokens"),
        ("GET", "/v3/users"),
    ] {
        for fields in [
            &[("X-Subject-Token", REAL)][..],
            &[("X-Subject-Token", joined.as_str())],
            &[("X-Subject-Token", "LOCAL"), ("X-Subject-Token", REAL)],
        ] {
            assert_eq!(asked(&routes, method, path, fields), "HeldToken", "{method} {path}");
        }
    }
    for path in [
        format!("/identity/v2.0/tokens/{REAL}"),
        format!("/image/v2.0/tokens/{}/endpoints", REAL.replace('r', "%72")),
    ] {
        assert_eq!(asked(&routes, "DELETE", &path, &[]), "HeldToken", "{path}");
    }
    // An object may be called anything.
    assert_eq!(asked(&routes, "GET", &format!("/object-store/c/{REAL}"), &[]), "-");
}

#[test]
fn json_home_is_keystones_own() {
    let routes = routes("http://k:5000/v3");
    for (accept, expected) in [
        ("application/json", "Versions"),
        ("*/*", "Versions"),
        ("text/html", "Versions"),
        ("application/json-home, */*", "Versions"),
        ("application/json-home;q=0.5, application/json", "Versions"),
        ("application/json-home", "-"),
        ("application/json-home, application/json;q=0.5", "-"),
        ("application/json-home, text/html", "-"),
        ("application/json-home;q=x", "-"),
    ] {
        assert_eq!(asked(&routes, "GET", "/identity/", &[("accept", accept)]), expected, "{accept}");
    }
}
