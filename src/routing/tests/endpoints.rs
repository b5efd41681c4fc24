//! Which of a service's endpoints is taken.

use super::names::overridden;
use super::*;

fn urls(table: &RouteTable) -> Vec<String> {
    table.prefixes().iter().skip(1).map(|prefix| prefix.url.to_string()).collect()
}

#[test]
fn the_listeners_region_and_public_are_taken_unless_a_service_has_its_own() {
    let rows = [
        ("compute", "", "internal", "GRA11", "http://internal/v2"),
        ("compute", "", "public", "BHS5", "http://bhs5/v2"),
        ("compute", "", "public", "GRA11", "http://gra11/v2"),
        ("object-store", "", "public", "BHS", "http://bhs/v1"),
        ("object-store", "", "internal", "GRA", "http://gra-internal/v1"),
        ("object-store", "", "public", "GRA", "http://gra/v1"),
    ];
    let own = |interfaces: &[Interface]| ServicePreferences {
        region: Some(Region("GRA".to_owned())),
        interfaces: interfaces.to_vec(),
        ..Default::default()
    };
    let table = Setup::new(&rows).region("GRA11").service("object-store", own(&[])).build();
    assert_eq!(urls(&table), ["http://gra11/v2", "http://gra/v1"]);
    assert_eq!(table.warnings(), [""; 0]);
    let table =
        Setup::new(&rows).region("GRA11").service("object-store", own(&[Interface::Internal])).build();
    assert_eq!(urls(&table), ["http://gra11/v2", "http://gra-internal/v1"]);
    assert_upstreams(
        &table,
        &[
            ("/compute@BHS5/servers", "http://bhs5/v2/servers"),
            ("/compute%40BHS5/servers", "http://bhs5/v2/servers"),
            ("/compute@%42HS5", "http://bhs5/"),
        ],
    );
    assert_eq!(table.resolve("/compute%40BHS5/x").unwrap().prefix, "compute%40BHS5");
}

#[test]
fn a_service_that_is_elsewhere_is_refused_with_where_it_is_and_how_to_get_there() {
    let rows = [
        ("compute", "", "public", "GRA11", "http://gra11/v2"),
        ("object-store", "", "public", "GRA", "http://gra/v1"),
        ("dns", "", "internal", "GRA11", "http://dns"),
    ];
    let table = Setup::new(&rows).region("GRA11").build();
    assert_eq!(
        table.resolve("/object-store/c").unwrap_err().to_string(),
        "object-store has no endpoint in region GRA11, only in GRA; ask for /object-store@GRA, or set \
         `region = \"GRA\"` under [service.object-store] (`object_store_region_name` in clouds.yaml)"
    );
    assert_eq!(
        table.resolve("/dns/c").unwrap_err().to_string(),
        "dns in region GRA11 has no endpoint for interface public, only for internal; set \
         `interface = \"internal\"` under [service.dns], or OS_INTERFACE for all services"
    );
    let Err(NoRoute::RegionMissing { region, regions, .. }) = table.resolve("/compute@N%6f/x") else {
        panic!("there is no region No");
    };
    assert_eq!((region.as_str(), regions), ("No", vec![Region("GRA11".to_owned())]));
    assert!(matches!(table.resolve("/compute@/x"), Err(NoRoute::RegionMissing { .. })));
    assert_eq!(table.unreachable().len(), 2);
}

#[test]
fn interfaces_are_tried_in_order_and_no_other_one_is() {
    let rows = [
        ("compute", "", "public", "R", "http://public"),
        ("compute", "", "internal", "R", "http://internal"),
        ("image", "", "public", "R", "http://image"),
        ("dns", "", "admin", "R", "http://dns"),
    ];
    let mut setup = Setup::new(&rows);
    setup.preferences.interfaces = vec![Interface::Internal, Interface::Public];
    let table = setup.build();
    assert_eq!(urls(&table), ["http://internal", "http://image"]);
    assert!(matches!(table.resolve("/dns/x"), Err(NoRoute::InterfaceMissing { .. })));
}

#[test]
fn endpoints_for_any_region_come_after_exact_ones() {
    let rows = [
        ("compute", "", "public", "", "http://any"),
        ("compute", "", "public", "A", "http://a"),
        ("image", "", "public", "", "http://image"),
    ];
    let table = Setup::new(&rows).region("A").build();
    assert_upstreams(
        &table,
        &[
            ("/compute/x", "http://a/x"),
            ("/compute@B/x", "http://any/x"),
            ("/image/x", "http://image/x"),
            ("/image@A/x", "http://image/x"),
        ],
    );
    assert!(matches!(table.resolve("/image@/x"), Err(NoRoute::RegionMissing { .. })));
    let table = Setup::new(&rows).region("B").build();
    assert_eq!(urls(&table), ["http://any", "http://image"]);
    assert_eq!(table.resolve("/compute/x").unwrap().route.region_label(), "*");
}

#[test]
fn without_a_region_the_first_is_taken_with_a_warning_and_kept_while_it_exists() {
    let a = ("compute", "", "public", "A", "http://a");
    let b = ("compute", "", "public", "B", "http://b");
    let keystone = ("identity", "", "public", "K", "http://k");
    let first = Setup::new(&[keystone, a, b]).build();
    assert_eq!(first.region(), Some(&Region("A".to_owned())));
    assert_eq!(
        first.warnings(),
        [
            "no region is set and the catalog has A, B: A is used; set OS_REGION_NAME (`region_name` in clouds.yaml) or --region"
        ]
    );
    let second = Setup::new(&[b, a]).after(&first).build();
    assert_eq!(urls(&second), ["http://a"]);
    let third = Setup::new(&[b]).after(&second).build();
    assert_eq!(urls(&third), ["http://b"]);
    assert_eq!(third.warnings(), [""; 0]);
    let fourth = Setup::new(&[a, b]).after(&third).build();
    assert_eq!(urls(&fourth), ["http://b"]);
    assert_eq!(urls(&Setup::new(&[a, b]).region("A").after(&third).build()), ["http://a"]);
}

#[test]
fn a_service_that_is_not_in_the_region_taken_has_one_of_its_own() {
    let compute = ("compute", "", "public", "GRA11", "http://gra11");
    let bhs = ("object-store", "", "public", "BHS", "http://bhs");
    let gra = ("object-store", "", "public", "GRA", "http://gra");
    let first = Setup::new(&[compute, bhs, gra]).build();
    assert_eq!(urls(&first), ["http://gra11", "http://bhs"]);
    assert_eq!(first.warnings().len(), 2);
    assert!(first.warnings()[1].contains("[service.object-store]"), "{:?}", first.warnings());
    let second = Setup::new(&[gra, bhs, compute]).after(&first).build();
    assert_eq!(urls(&second), ["http://bhs", "http://gra11"]);
}

#[test]
fn of_several_endpoints_alike_the_first_is_taken_and_kept_and_the_rest_listed() {
    let one = ("compute", "", "public", "R", "http://one");
    let two = ("compute", "", "public", "R", "http://two");
    let first = Setup::new(&[one, two, one]).build();
    assert_eq!(urls(&first), ["http://one"]);
    assert_eq!(first.prefixes()[1].alternatives, ["http://two".parse().unwrap()]);
    assert_eq!(
        first.warnings(),
        ["compute has several public endpoints in region R: http://one is used, not http://two; \
          set `endpoint_override` under [service.compute] to choose"]
    );
    assert_eq!(urls(&Setup::new(&[two, one]).after(&first).build()), ["http://one"]);
    assert_eq!(urls(&Setup::new(&[two]).after(&first).build()), ["http://two"]);
    assert_eq!(Setup::new(&[one, one]).build().warnings(), [""; 0]);
}

#[test]
fn an_override_takes_the_place_of_the_catalogs_endpoint_in_the_region_set() {
    let rows = [
        ("volumev3", "cinderv3", "public", "A", "http://a/v3/p"),
        ("volumev3", "cinderv3", "public", "B", "http://b/v3/p"),
        ("volumev2", "cinderv2", "public", "A", "http://a/v2/p"),
    ];
    let table = Setup::new(&rows)
        .region("A")
        .service("block-storage", overridden("http://o/v3/%(tenant_id)s/"))
        .service("dns", overridden("http://dns/$(user_id)s"))
        .build();
    assert_upstreams(
        &table,
        &[
            ("/block-storage/x", "http://o/v3/p/x"),
            ("/volumev3/x", "http://o/v3/p/x"),
            ("/volumev3@A/x", "http://o/v3/p/x"),
            ("/cinderv3/x", "http://o/v3/p/x"),
            ("/cinder@B/x", "http://b/v3/p/x"),
            // The override is of another version than this name implies.
            ("/volumev2/x", "http://a/v2/p/x"),
            ("/designate/x", "http://dns/u/x"),
        ],
    );
    assert!(table.prefixes().iter().any(|prefix| prefix.is_override && prefix.names[0] == "block-storage"));
    assert_upstreams(&table, &[("/dns@A/x", "http://dns/u/x")]);
    assert_eq!(
        table.resolve("/dns@B/x").unwrap_err().to_string(),
        "dns has no endpoint in region B; ask for it without a region"
    );
}

#[test]
fn an_override_that_cannot_be_used_does_not_fall_back_to_the_catalog() {
    let table = Setup::new(&DEVSTACK).service("image", overridden("http://h/%(region)s")).build();
    assert_eq!(
        table.resolve("/image/v2").unwrap_err().to_string(),
        "the endpoint override of image cannot be used: `region` is no placeholder; there are project_id, \
         tenant_id and user_id; correct it or take it out"
    );
    assert_eq!(table.skipped()[0].url.as_deref(), Some("http://h/%(region)s"));
    let table = Setup { project_id: None, ..Setup::new(&DEVSTACK) }
        .service("image", overridden("http://h/$(project_id)s"));
    assert!(matches!(table.build().resolve("/image/v2"), Err(NoRoute::OverrideUnusable { .. })));
}

#[test]
fn plain_http_is_refused_while_the_auth_url_is_https_unless_allowed() {
    let rows = [
        ("compute", "", "public", "R", "http://nova:8774/v2.1"),
        ("image", "", "public", "R", "https://glance"),
        ("volumev3", "", "public", "R", "http://cinder/v3"),
        ("identity", "", "public", "R", "http://k"),
    ];
    let allowed = ServicePreferences { allow_http: true, ..Default::default() };
    let setup = Setup { auth_url: "https://k:5000", ..Setup::new(&rows) };
    let table = setup.service("block-storage", allowed).build();
    assert_upstreams(
        &table,
        &[
            ("/image/x", "https://glance/x"),
            ("/volumev3/x", "http://cinder/v3/x"),
            ("/identity/x", "https://k:5000/v3/x"),
        ],
    );
    let error = table.resolve("/compute/servers").unwrap_err();
    assert!(matches!(error, NoRoute::InsecureEndpoint { .. }));
    assert!(error.to_string().contains("`allow_http = true` under [service.compute]"), "{error}");
    assert!(matches!(table.resolve("/identity@R/x"), Err(NoRoute::InsecureEndpoint { .. })));
    assert!(table.prefixes().iter().any(|prefix| prefix.is_insecure));
}

#[test]
fn a_403_counts_as_a_dead_token_only_where_the_user_says_so() {
    let setup = Setup::new(&[
        ("object-store", "", "public", "R", "https://rgw/swift/v1"),
        ("compute", "", "public", "R", "https://nova"),
    ]);
    let preferences = ServicePreferences { retry_on_403: true, ..Default::default() };
    let table = setup.service("object-store", preferences).build();
    for (path, expected) in
        [("/swift/c", true), ("/object-store@R/c", true), ("/compute", false), ("/v3", false)]
    {
        assert_eq!(table.resolve(path).unwrap().route.retry_on_403, expected, "{path}");
    }
}

#[test]
fn what_the_catalog_skipped_is_listed_by_the_table() {
    let mut setup = Setup::new(&DEVSTACK);
    setup.catalog.skipped.push(Skipped { reason: "broken".into(), ..Skipped::default() });
    assert_eq!(setup.build().skipped()[0].reason, "broken");
}

#[test]
fn a_region_that_looks_like_a_version_is_published_so_that_it_does_not() {
    let regions =
        ["dev1", "v2", "prov.x", "env1v2", "dev1/a", "Dev1", "V1", "dev", "1v", "a%2Fv1", "%%76v.1"];
    let rows: Vec<Row<'_>> =
        regions.iter().map(|region| ("image", "", "public", *region, "http://h")).collect();
    let table = Setup::new(&rows).region("elsewhere").build();
    let prefixes: Vec<&str> = table.routes().iter().map(|route| route.prefix.as_str()).collect();
    assert_eq!(
        prefixes,
        [
            "identity",
            "image@de%25761",
            "image@%25762",
            "image@pro%2576.x",
            "image@en%25761%25762",
            "image@de%25761%2Fa",
            "image@De%25761",
            "image@V1",
            "image@dev",
            "image@1v",
            "image@a%252F%25761",
            "image@%25%2576%2576.1",
        ]
    );
    for (region, prefix) in regions.iter().zip(&prefixes[1..]) {
        let plain = region.replace('%', "%25").replace('/', "%2F");
        for path in [format!("/{prefix}/v2"), format!("/image@{plain}/v2"), format!("/image%40{plain}/v2")] {
            let target = table.resolve(&path).unwrap();
            assert_eq!(target.route.region, Some(Region((*region).to_owned())), "{path}");
        }
    }
    // Who is called so comes first.
    let rows = [("image", "", "public", "dev1", "http://a"), ("image", "", "public", "de%761", "http://b")];
    let table = Setup::new(&rows).region("elsewhere").build();
    assert_upstreams(&table, &[("/image@de%25761/", "http://b/"), ("/image@dev1/", "http://a/")]);
}
