//! Links of responses, turned back.

use proptest::prelude::*;

use super::*;

const BASE: &str = "http://127.0.0.1:5050";

fn turned(table: &RouteTable, request: &str, link: &str) -> Option<String> {
    let target = table.resolve(request).unwrap();
    table.turn_back(&target, link, BASE).map(|link| link.replace(BASE, "BASE"))
}

#[test]
fn links_to_endpoints_lead_back_here() {
    let table = Setup { auth_url: "http://h/identity", ..Setup::new(&DEVSTACK) }.build();
    for (request, link, expected) in [
        ("/compute/servers", "http://h/compute/v2.1/servers/1", Some("BASE/compute/v2.1/servers/1")),
        ("/nova/servers", "http://h/compute/v2.1/servers?a=%2F#f?", Some("BASE/nova/v2.1/servers?a=%2F#f?")),
        ("/compute@One/servers", "http://h/compute/v2.1", Some("BASE/compute@One/v2.1")),
        ("/compute%40One/x", "http://h/compute/v2.1", Some("BASE/compute%40One/v2.1")),
        ("/compute/x", "https://H:443/compute/", Some("BASE/compute/")),
        ("/compute/x", "/compute/v2.1/x?y", Some("/compute/v2.1/x?y")),
        ("/compute/x", "/placement/x", Some("/placement/x")),
        ("/compute/x", "http://h/image/v2/images", Some("BASE/image/v2/images")),
        ("/compute/x", "http://h/volume/v3/p/volumes", Some("BASE/block-storage/v3/p/volumes")),
        ("/compute/x", "http://h/identity/v3/users", Some("BASE/identity/v3/users")),
        ("/v3/users", "http://h/identity/v3/users/1", Some("BASE/v3/users/1")),
        ("/v3@One/users", "http://h/identity/v3/users/1", Some("BASE/v3@One/users/1")),
        ("/v3/users", "http://h/identity/", Some("BASE/identity/")),
        ("/object-store/c", "/v1/AUTH_p/c/o", Some("/object-store/v1/AUTH_p/c/o")),
        ("/object-store/c", "http://h:8080/info", Some("BASE/object-store/info")),
        // Other accounts can be named, and other things cannot.
        ("/object-store/c", "/v1/AUTH_q/c", Some("/object-store/v1/AUTH_q/c")),
        ("/object-store/c", "/v1/KEY_q/c", None),
        ("/object-store/c", "/healthcheck", None),
        ("/compute/x", "http://h/dashboard", None),
        ("/compute/x", "http://h/computer/v2.1", None),
        ("/compute/x", "http://h:8774/compute/v2.1", None),
        ("/compute/x", "http://other/compute/v2.1", None),
        ("/compute/x", "http://user@h/compute/v2.1", None),
        ("/compute/x", "http://h/compute", None),
        ("/compute/x", "http://h/compute/v2.1/../../x", None),
        ("/compute/x", "http://h/compute/v2.1/a b", None),
        ("/compute/x", "//h/compute/v2.1", None),
        ("/compute/x", "v2.1/x", None),
        ("/compute/x", "ftp://h/compute/v2.1", None),
        ("/compute/x", "", None),
        ("/compute/x", "http://", None),
    ] {
        assert_eq!(turned(&table, request, link).as_deref(), expected, "{request} {link}");
    }
}

#[test]
fn services_without_a_path_are_told_apart_by_their_ports() {
    let rows = [
        ("image", "", "public", "R", "http://h:9292"),
        ("network", "", "public", "R", "http://h:9696/v2.0"),
        ("object-store", "", "public", "R", "http://h:8080/swift/v1"),
    ];
    let table = Setup::new(&rows).build();
    for (request, link, expected) in [
        ("/image/v2/images", "http://h:9292", Some("BASE/image/")),
        ("/image/v2/images", "http://h:9292?x", Some("BASE/image/?x")),
        ("/image/v2/images", "//h:9292/v2/images", None),
        ("/image/v2/images", "/v2/images?marker=1", Some("/image/v2/images?marker=1")),
        ("/image/v2/images", "http://h:9696/v2.0/networks", Some("BASE/network/v2.0/networks")),
        ("/network", "http://h:9696", Some("BASE/network/")),
        ("/network", "http://h:9696/other", None),
        // Ceph without an account in its URL.
        ("/object-store/c", "http://h:8080/swift/v1/c/o", Some("BASE/object-store/c/o")),
        ("/object-store/c", "http://h:8080/swift/info", Some("BASE/object-store/info")),
        ("/object-store/c", "http://h:8080/swift/v1/info", None),
    ] {
        assert_eq!(turned(&table, request, link).as_deref(), expected, "{request} {link}");
    }
}

#[test]
fn the_requests_own_service_comes_first_and_then_the_longest_root() {
    let rows = [
        ("image", "", "public", "R", "http://h"),
        ("compute", "", "public", "R", "http://h/compute/v2.1"),
        ("placement", "", "public", "R", "http://h/placement"),
    ];
    let table = Setup::new(&rows).build();
    for (request, expected) in
        [("/image/x", "BASE/image/compute/v2.1/servers"), ("/placement/x", "BASE/compute/v2.1/servers")]
    {
        assert_eq!(turned(&table, request, "http://h/compute/v2.1/servers").as_deref(), Some(expected));
    }
}

#[test]
fn a_path_is_turned_to_a_path_and_the_bases_last_slash_does_not_double() {
    let table = Setup::new(&DEVSTACK).build();
    let target = table.resolve("/compute/x").unwrap();
    let turned = table.turn_back(&target, "http://h/compute/v2.1", "http://localhost:1/");
    assert_eq!(turned.as_deref(), Some("http://localhost:1/compute/v2.1"));
}

#[test]
fn a_redirect_to_the_same_url_by_https_is_known() {
    let rows = [
        ("compute", "", "public", "R", "http://h:8774/v2.1"),
        ("image", "", "public", "R", "http://h"),
        ("dns", "", "public", "R", "https://h:9001"),
    ];
    let table = Setup::new(&rows).build();
    for (request, location, expected) in [
        ("/compute/servers?a=b", "https://h:8774/v2.1/servers?a=b", true),
        ("/compute/servers", "HTTPS://H:8774/v2.1/servers#x", true),
        ("/image", "https://h", true),
        ("/image/", "https://h:443/", true),
        ("/compute/servers", "https://h:8774/v2.1/servers/", false),
        ("/compute/servers", "https://h:8774/v2.1/servers?a=b", false),
        ("/compute/servers", "http://h:8774/v2.1/servers", false),
        ("/compute/servers", "https://h/v2.1/servers", false),
        ("/compute/servers", "https://i:8774/v2.1/servers", false),
        ("/compute/servers", "/v2.1/servers", false),
        ("/dns/x", "https://h:9001/x", false),
        ("/compute/servers", "", false),
    ] {
        let target = table.resolve(request).unwrap();
        assert_eq!(is_https_twin(&target, location), expected, "{request} {location}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_turned_link_leads_forward_to_itself(
        request in "/(compute|volumev3|image|object-store|identity|v3|network@One)/",
        host in "(h|h:8080|h:9696|H:80|other)",
        path in "(/(compute|volume|identity|image|v1|AUTH_p|AUTH_|v2\\.1|v3|info|p|\\.\\.|a%2Fb|[a-z]{0,3})){0,5}",
        rest in "(\\?[a-z=/?]{0,5})?(#[a-z/?]{0,5})?",
    ) {
        let table = Setup { auth_url: "http://h/identity", ..Setup::new(&DEVSTACK) }.build();
        let target = table.resolve(&request).unwrap();
        let link = format!("http://{host}{path}{rest}");
        oracle::turned(&table, &target, &link);
    }

    #[test]
    fn what_is_published_turns_back_to_where_it_is_published(index in 0..9_usize, suffix in "(/[a-z0-9%]{1,4}){0,3}") {
        let table = Setup { auth_url: "http://h/identity", ..Setup::new(&DEVSTACK) }.build();
        let route = &table.routes()[index];
        let face = route.face();
        if let Ok(target) = table.resolve(&face) {
            let link = format!("{}{suffix}", route.upstream);
            let expected = format!("{BASE}{face}{suffix}");
            let turned = table.turn_back(&target, &link, BASE).unwrap();
            let forward = |url: &str| upstream(&table, url.strip_prefix(BASE).unwrap());
            prop_assert_eq!(forward(&turned), forward(&expected));
        }
    }

    #[test]
    fn no_link_breaks_the_turning(link in "(http|https|://|h|/|//|\\?|#|@|:|%|\\[|\\]|\\PC){0,8}") {
        let table = Setup::new(&DEVSTACK).build();
        let target = table.resolve("/compute/x").unwrap();
        oracle::turned(&table, &target, &link);
    }
}
