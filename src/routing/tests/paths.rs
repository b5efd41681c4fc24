//! The seven rules, the law of published addresses, and hostile paths.

use proptest::prelude::*;

use super::*;

#[test]
fn requests_are_placed_as_the_contracts_table_says() {
    for (service_type, endpoint, requests) in [
        (
            "compute",
            "/v2.1",
            &[
                ("/compute/servers", "/v2.1/servers", 7),
                ("/compute/v2.1/servers", "/v2.1/servers", 6),
                ("/compute/v2/servers", "/v2/servers", 6),
                ("/compute/v2.1", "/v2.1", 6),
                ("/compute/", "/", 5),
                ("/compute", "/", 5),
                ("/compute?x=1", "/?x=1", 5),
                ("/compute//", "/v2.1//", 7),
                ("/compute/v2.x/servers", "/v2.1/v2.x/servers", 7),
            ][..],
        ),
        (
            "compute",
            "/v2.1/P",
            &[("/compute/servers", "/v2.1/P/servers", 7), ("/compute/v2.1/servers", "/v2.1/servers", 6)],
        ),
        (
            "compute",
            "/compute/v2.1",
            &[("/compute/v2.1/servers", "/compute/v2.1/servers", 6), ("/compute/", "/compute/", 5)],
        ),
        (
            "volumev3",
            "/volume/v3/P",
            &[
                ("/block-storage/volumes", "/volume/v3/P/volumes", 7),
                ("/volumev3/v3/P/volumes", "/volume/v3/P/volumes", 6),
                ("/volumev3/", "/volume/", 5),
            ],
        ),
        (
            "placement",
            "/placement",
            &[
                ("/placement/resource_providers", "/placement/resource_providers", 1),
                ("/placement", "/placement", 1),
                ("/placement/v1/x", "/placement/v1/x", 1),
            ],
        ),
        ("image", "/", &[("/image/v2/images", "/v2/images", 1), ("/image", "/", 1), ("/image?a", "/?a", 1)]),
        (
            "object-store",
            "/v1/AUTH_p",
            &[
                ("/object-store/photos/a.jpg", "/v1/AUTH_p/photos/a.jpg", 4),
                ("/object-store", "/v1/AUTH_p", 4),
                ("/object-store/", "/v1/AUTH_p/", 4),
                ("/object-store/v1/AUTH_b/c", "/v1/AUTH_b/c", 3),
                ("/object-store/info", "/info", 2),
                ("/object-store/info?swiftinfo_sig=1", "/info?swiftinfo_sig=1", 2),
                ("/object-store/info/", "/v1/AUTH_p/info/", 4),
                ("/object-store/v1/x", "/v1/AUTH_p/v1/x", 4),
                ("/object-store/v1", "/v1/AUTH_p/v1", 4),
                ("/object-store/info/o", "/v1/AUTH_p/info/o", 4),
                ("/object-store/v2/AUTH_b", "/v1/AUTH_p/v2/AUTH_b", 4),
            ],
        ),
        (
            "object-store",
            "/v1/p",
            &[("/object-store/v1/p/c", "/v1/p/c", 3), ("/object-store/v1/pq/c", "/v1/p/v1/pq/c", 4)],
        ),
        (
            "object-store",
            "/swift/v1",
            &[
                ("/object-store/photos/a", "/swift/v1/photos/a", 4),
                ("/object-store/info", "/swift/info", 2),
                ("/object-store/v1/a", "/swift/v1/v1/a", 4),
            ],
        ),
        (
            "object-store",
            "/swift/v1/AUTH_p",
            &[("/object-store/v1/AUTH_p/c", "/swift/v1/AUTH_p/c", 3), ("/swift/c", "/swift/v1/AUTH_p/c", 4)],
        ),
        ("orchestration", "/v1/P", &[("/orchestration/stacks", "/v1/P/stacks", 7)]),
        ("network", "/v2.0/", &[("/network/v2.0/networks", "/v2.0/networks", 6)]),
        ("compute", "/v1/compute/v2.1/P", &[("/compute/servers", "/v1/compute/v2.1/P/servers", 7)]),
    ] {
        let table = single(service_type, &format!("http://h{endpoint}"));
        for (request, expected, rule) in requests {
            let target = table.resolve(request).unwrap();
            assert_eq!(target.path_and_query.as_str(), *expected, "{endpoint} {request}");
            assert_eq!(target.rule.number(), *rule, "{endpoint} {request}");
        }
    }
}

#[test]
fn keystone_is_at_the_auth_url_with_or_without_its_version() {
    for (auth_url, root) in [
        ("http://h/identity", "http://h/identity"),
        ("http://h/identity/v3", "http://h/identity"),
        ("http://h:5000", "http://h:5000"),
        ("http://h:5000/v3/", "http://h:5000"),
        ("http://h:5000/v2.0", "http://h:5000"),
        ("http://h/v3/keystone", "http://h/v3/keystone"),
    ] {
        let rows = [("identity", "keystone", "public", "R", "http://elsewhere:5000/v3")];
        let table = Setup { auth_url, ..Setup::new(&rows) }.build();
        for (request, path) in [
            ("/identity/v3/users", "/v3/users"),
            ("/identity/users", "/v3/users"),
            ("/identity", "/"),
            ("/identity/", "/"),
            ("/v3/users?a=b", "/v3/users?a=b"),
            ("/v3", "/v3"),
            ("/v3/", "/v3/"),
            ("/v2.0/users?a=b", "/v2.0/users?a=b"),
            ("/v2.0", "/v2.0"),
            ("/identity/v2.0/users", "/v2.0/users"),
            ("/keystone/v3/users", "/v3/users"),
        ] {
            assert_eq!(upstream(&table, request), format!("{root}{path}"), "{auth_url} {request}");
            assert!(table.resolve(request).unwrap().route.is_identity);
        }
        for (request, expected) in [
            ("/identity@R/users", "http://elsewhere:5000/v3/users"),
            ("/v3@R/users", "http://elsewhere:5000/v3/users"),
            ("/v2.0%40R/users", "http://elsewhere:5000/v2.0/users"),
        ] {
            assert_eq!(upstream(&table, request), expected);
            assert!(table.resolve(request).unwrap().route.is_identity);
        }
    }
}

#[test]
fn bytes_after_the_prefix_are_kept() {
    let table = single("object-store", "http://h/v1/AUTH_p");
    for rest in
        ["/a%2Fb//c", "/%7e~%7E", "/ü/%C3%BC", "/a;b=c", "/a+b%20c?x=%2F&y=//?z", "/a\\b", "/%zz", "/@x"]
    {
        let request = format!("/object-store{rest}");
        let target = table.resolve(&request).unwrap();
        assert_eq!(target.path_and_query.as_str(), format!("/v1/AUTH_p{rest}"));
    }
}

#[test]
fn steps_above_the_base_are_refused() {
    let table = Setup::new(&DEVSTACK).build();
    for path in [
        "/object-store/../x",
        "/object-store/c/..%2F..%2Fx",
        "/object-store/%2e%2e/AUTH_other",
        "/object-store/v1/AUTH_x/../../v3/users",
        "/object-store/v1/AUTH_x/c/../../AUTH_y",
        "/object-store/v1/AUTH_x%2f..%2F..%2Fv3/users",
        "/object-store/v1/AUTH_x%5c..%5c../v3",
        // What ends the account for one server is a part of its name for another.
        "/object-store/v1/AUTH_x%2Fb/../KEY_q/c",
        // And who takes `\\` for `/`, as browsers do, need not decode before.
        "/object-store/a%5Cb/..\\..\\x",
        "/object-store/a\\b/..%5C..%5Cx",
        "/compute/v2.1/../../identity",
        "/compute/..",
        "/compute/%2E./x",
        "/compute/..;x/y",
        "/compute/..%5Cx",
        "/placement/../identity/v3/users",
        "/v3/../../x",
        "/identity@One/../x",
    ] {
        assert_eq!(table.resolve(path).unwrap_err(), NoRoute::ClimbsOut, "{path}");
    }
    for path in
        ["/object-store/c/../d", "/compute/v2.1/../v2/servers", "/compute/%252e%252e/x", "/compute?x=/../.."]
    {
        assert!(table.resolve(path).is_ok(), "{path}");
    }
}

#[test]
fn what_is_no_path_is_refused() {
    let table = Setup::new(&DEVSTACK).build();
    for path in [
        "",
        "*",
        "?x",
        "compute",
        "/compute/a b",
        "/compute/\u{7f}",
        "/compute/a#b",
        "/compute?a#b",
        "/compute@X#a/b",
    ] {
        assert_eq!(table.resolve(path).unwrap_err(), NoRoute::Malformed, "{path:?}");
    }
    let long = format!("/compute/{}", "x".repeat(70_000));
    assert_eq!(table.resolve(&long).unwrap_err(), NoRoute::Malformed);
    for path in [
        "/",
        "//",
        "//compute/servers",
        "/?x",
        "/comput/x",
        "/../compute",
        "/compute%2Fservers",
        "/@One/x",
        "/ü",
    ] {
        assert!(matches!(table.resolve(path), Err(NoRoute::UnknownService { .. })), "{path}");
    }
}

#[test]
fn the_host_header_leaves_the_default_port_out() {
    for (url, host) in [
        ("http://h:80/v2", "h"),
        ("https://h:443/v2", "h"),
        ("https://h:80/v2", "h:80"),
        ("http://[::1]:8774/v2", "[::1]:8774"),
        ("http://[::1]:80/v2", "[::1]"),
    ] {
        assert_eq!(single("compute", url).resolve("/compute").unwrap().route.host, host);
    }
}

/// Paths of endpoints, with every kind of root, version and tail.
fn endpoint_path() -> impl Strategy<Value = String> {
    let segment = "(v1|v2\\.1|v3|info|AUTH_p|AUTH_|p|_|compute|a%20b|x;y|V2|v2x|[a-z]{1,4})";
    let segments = proptest::collection::vec(segment, 0..4);
    segments.prop_map(|segments| segments.iter().map(|segment| format!("/{segment}")).collect())
}

/// What clients put behind an endpoint.
fn suffix() -> impl Strategy<Value = String> {
    let segment = "(v1|v2\\.1|v3|info|AUTH_p|AUTH_q|p||\\.|c%2Fd|%252e|ü|[a-z~;=+@]{1,4})";
    let segments = proptest::collection::vec(segment, 0..5);
    (segments, "(\\?[a-z=&/?%.]{0,8})?").prop_map(|(segments, query)| {
        segments.iter().map(|segment| format!("/{segment}")).collect::<String>() + &query
    })
}

fn service_type() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("compute"),
        Just("object-store"),
        Just("volumev2"),
        Just("volumev3"),
        Just("placement"),
        Just("sharev2"),
        Just("unknown-type"),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_published_address_and_any_suffix_lead_to_that_suffix_of_the_endpoint(
        endpoints in proptest::collection::vec((service_type(), 0..2_u8, endpoint_path(), 0..3_u8), 1..5),
        suffix in suffix(),
    ) {
        let rows: Vec<(&str, String, String)> = endpoints
            .into_iter()
            .map(|(service_type, host, path, region)| {
                let region = ["One", "Two v2", ""][usize::from(region)];
                (service_type, region.to_owned(), format!("http://h{host}{path}"))
            })
            .collect();
        let rows: Vec<Row<'_>> =
            rows.iter().map(|(it, region, url)| (*it, "", "public", region.as_str(), url.as_str())).collect();
        let table = Setup::new(&rows).build();
        for route in table.routes() {
            oracle::published(&table, route, &suffix);
        }
    }

    #[test]
    fn no_path_breaks_the_table(
        name in "(compute|object-store|identity|v3|v2\\.0|volumev3|placement|-|auth|x)?",
        region in "(@|%40|%4)?(One|O%6ee|%)?",
        rest in "(/|\\.|%2e|%2F|%5c|;|\\?|#|\\\\|v3|v2\\.1|AUTH_|info|%|a|ü|\\PC){0,12}",
    ) {
        let table = Setup::new(&DEVSTACK).build();
        let request = format!("/{name}{region}{rest}");
        oracle::placed(&table, &request);
        oracle::placed(&table, &rest);
    }
}
