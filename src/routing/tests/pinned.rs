//! A service at a listener's root.

use proptest::prelude::*;

use super::*;

const BASE: &str = "http://127.0.0.1:5051";

fn pin(text: &str) -> Pin {
    text.parse().unwrap()
}

fn upstream(table: &RouteTable, at: &str, path: &str) -> String {
    match table.resolve_at(&pin(at), path) {
        Ok(target) => {
            assert_eq!(target.prefix, "");
            format!("{}{}", target.route.upstream.authority, target.path_and_query)
        }
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn the_whole_path_is_placed_by_the_seven_rules() {
    let table = Setup { auth_url: "http://h/identity", ..Setup::new(&DEVSTACK) }.build();
    for (at, path, expected) in [
        ("object-store", "/", "h:8080/v1/AUTH_p/"),
        ("object-store", "/photos/a.jpg?x=%2F", "h:8080/v1/AUTH_p/photos/a.jpg?x=%2F"),
        (
            "swift",
            "/v1/AUTH_p/c/o?temp_url_sig=a&temp_url_expires=1",
            "h:8080/v1/AUTH_p/c/o?temp_url_sig=a&temp_url_expires=1",
        ),
        ("object-store@One", "/v1/AUTH_b/c//%41", "h:8080/v1/AUTH_b/c//%41"),
        ("object-store", "/info", "h:8080/info"),
        ("object-store", "/object-store/c", "h:8080/v1/AUTH_p/object-store/c"),
        ("object-store", "/auth/v1.0", "h:8080/v1/AUTH_p/auth/v1.0"),
        ("object-store", "/identity/v3", "h:8080/v1/AUTH_p/identity/v3"),
        ("compute", "/", "h/compute/"),
        ("compute", "/servers", "h/compute/v2.1/servers"),
        ("compute", "/v2.1/servers", "h/compute/v2.1/servers"),
        ("placement", "/resource_providers", "h/placement/resource_providers"),
        ("identity", "/", "h/identity/"),
        ("identity", "/v3/auth/tokens", "h/identity/v3/auth/tokens"),
        ("keystone", "/users", "h/identity/v3/users"),
    ] {
        assert_eq!(upstream(&table, at, path), expected, "{at} {path}");
    }
    for path in ["/../x", "/%2e%2e/x", "/c/..%2F..%2Fx", "/v1/AUTH_p/../x", "/v1/AUTH_b%2f..%2f..%2fv3"] {
        assert_eq!(table.resolve_at(&pin("object-store"), path).unwrap_err(), NoRoute::ClimbsOut, "{path}");
    }
    let compute = pin("compute");
    assert_eq!(table.resolve_at(&compute, "?x=1").unwrap().path_and_query, "/compute/?x=1");
    for path in ["*", "x"] {
        assert_eq!(table.resolve_at(&pin("compute"), path).unwrap_err(), NoRoute::Malformed, "{path}");
    }
}

#[test]
fn a_pin_that_leads_nowhere_says_what_to_correct() {
    let table = Setup::new(&DEVSTACK).build();
    for (at, parts) in [
        ("object-stor", ["pinned to `object-stor`", "the nearest is /object-store", "correct `service`"]),
        ("compute@Two", ["pinned to `compute@Two`", "region Two, only in One", "correct `region`"]),
    ] {
        let error = upstream(&table, at, "/x");
        for part in parts {
            assert!(error.contains(part), "{part} in {error}");
        }
    }
    let unscoped = Setup { project_scoped: false, ..Setup::new(&[]) }.build();
    assert!(upstream(&unscoped, "compute", "/x").contains("OS_PROJECT_ID"));
}

#[test]
fn links_of_the_service_lead_to_the_root_and_others_stay() {
    let table = Setup { auth_url: "http://h/identity", ..Setup::new(&DEVSTACK) }.build();
    for (at, link, expected) in [
        ("object-store", "http://h:8080/v1/AUTH_p", Some("BASE/v1/AUTH_p")),
        ("object-store", "http://h:8080/v1/AUTH_p/c/o?x=%2F#f", Some("BASE/v1/AUTH_p/c/o?x=%2F#f")),
        ("object-store", "/v1/AUTH_q/c", Some("/v1/AUTH_q/c")),
        ("object-store", "http://h:8080/info", Some("BASE/info")),
        ("object-store", "http://h:8080/healthcheck", None),
        ("object-store", "http://h/image/v2/images", None),
        ("compute@One", "http://h/compute/v2.1/servers/1", Some("BASE/v2.1/servers/1")),
        ("compute", "https://h:443/compute/", Some("BASE/")),
        ("compute", "/compute/v2.1", Some("/v2.1")),
        ("compute", "http://h/compute", None),
        ("compute", "http://h/placement/x", None),
        ("placement", "http://h/placement/x", Some("BASE/x")),
        // What would be ours here.
        ("placement", "http://h/placement/-/status", None),
        ("placement", "http://h/placement/-", None),
        ("placement", "http://h/placement/-x", Some("BASE/-x")),
        ("identity", "http://h/identity/v3/users/1", Some("BASE/v3/users/1")),
    ] {
        let pin = pin(at);
        let target = table.resolve_at(&pin, "/x").unwrap();
        let seen = table.turn_back(&target, link, BASE).map(|link| link.replace(BASE, "BASE"));
        assert_eq!(seen.as_deref(), expected, "{at} {link}");
    }
}

proptest! {
    #[test]
    fn what_is_published_at_the_root_and_any_suffix_leads_to_the_same_suffix_of_the_endpoint(
        service in 0_usize..DEVSTACK.len(),
        suffix in "(/(v[0-9]|v2\\.1|AUTH_p|info|[a-z%20;é-]{1,4}|)){0,4}(\\?[a-z=&/?]{0,6})?",
    ) {
        let table = Setup { auth_url: "http://h/identity", ..Setup::new(&DEVSTACK) }.build();
        let pin = pin(DEVSTACK[service].0);
        let route = table.resolve_at(&pin, "/x").unwrap().route;
        let request = format!("{}{suffix}", route.face_at_root());
        prop_assume!(request.starts_with('/'));
        let target = table.resolve_at(&pin, &request).unwrap();
        let expected = format!("{}{suffix}", route.upstream.path);
        prop_assert_eq!(target.path_and_query.as_str(), expected, "{}", request);
        // And back: the link to it is the request, unless it is ours or would lead elsewhere.
        let link = format!("http://{}{}", route.upstream.authority, target.path_and_query);
        if let Some(back) = table.turn_back(&target, &link, BASE) {
            let path = back.strip_prefix(BASE).unwrap();
            prop_assert!(!is_ours(split_query(path).0));
            let again = table.resolve_at(&pin, path).unwrap();
            prop_assert_eq!(again.path_and_query, target.path_and_query);
        } else {
            prop_assert!(is_ours(split_query(&request).0), "{} stays", link);
        }
    }
}
