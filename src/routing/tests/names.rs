//! Which first segments lead to which service.

use super::*;

fn named(names: &[&str]) -> ServicePreferences {
    ServicePreferences { names: names.iter().map(|name| (*name).to_owned()).collect(), ..Default::default() }
}

#[test]
fn types_aliases_projects_and_service_names_lead_to_a_service() {
    let rows = [
        ("volumev3", "cinder-v3", "public", "R", "http://h:1/v3/p"),
        ("volumev2", "cinder-v2", "public", "R", "http://h:2/v2/p"),
        ("compute", "Nova", "public", "R", "http://h:3/v2.1"),
        ("compute_legacy", "", "public", "R", "http://h:4/v2"),
        ("metric", "", "public", "R", "http://h:5"),
        ("weird type", "über", "public", "R", "http://h:6"),
    ];
    let table = Setup::new(&rows).build();
    for (name, port) in [
        ("volumev3", "1"),
        ("volumev2", "2"),
        ("block-storage", "1"),
        ("cinder", "1"),
        ("cinder-v2", "2"),
        ("cinder-v3", "1"),
        ("compute", "3"),
        ("nova", "3"),
        ("Nova", "3"),
        ("compute_legacy", "4"),
        ("gnocchi", "5"),
    ] {
        assert_eq!(upstream(&table, &format!("/{name}/v9")), format!("http://h:{port}/v9"), "{name}");
    }
    for name in
        ["volume", "block-store", "volumev1", "network", "weird type", "weird%20type", "Compute", "nov"]
    {
        assert!(
            matches!(table.resolve(&format!("/{name}/x")), Err(NoRoute::UnknownService { .. })),
            "{name}"
        );
    }
}

#[test]
fn an_alias_stands_for_the_official_type_unless_its_version_differs() {
    let table = single("block-storage", "http://h/v3/p");
    assert_upstreams(
        &table,
        &[("/volumev3/volumes", "http://h/v3/p/volumes"), ("/volume/volumes", "http://h/v3/p/volumes")],
    );
    assert!(matches!(
        table.resolve("/volumev2/volumes"),
        Err(NoRoute::InterfaceMissing { .. } | NoRoute::UnknownService { .. })
    ));
    assert_upstreams(&single("block-storage", "http://h"), &[("/volumev2/v2/x", "http://h/v2/x")]);
    // An exact type is believed, whatever its URL says.
    assert_upstreams(&single("volumev2", "http://h/v3/p"), &[("/volumev2/x", "http://h/v3/p/x")]);
}

#[test]
fn the_exact_type_wins_over_the_official_one_and_its_aliases() {
    let rows = [
        ("volumev2", "", "public", "R", "http://h:2/v2"),
        ("volumev3", "", "public", "R", "http://h:3/v3"),
        ("block-storage", "", "public", "R", "http://h:1/v3"),
    ];
    let table = Setup::new(&rows).build();
    assert_upstreams(
        &table,
        &[
            ("/block-storage/x", "http://h:1/v3/x"),
            ("/volumev3/x", "http://h:3/v3/x"),
            ("/volumev2/x", "http://h:2/v2/x"),
            ("/volume/x", "http://h:1/v3/x"),
            ("/cinder/x", "http://h:1/v3/x"),
        ],
    );
}

#[test]
fn another_type_of_the_service_serves_a_region_that_lacks_the_better_one() {
    let rows =
        [("volumev3", "", "public", "A", "http://a/v3"), ("volumev2", "", "public", "B", "http://b/v2")];
    let table = Setup::new(&rows).region("A").build();
    assert_upstreams(
        &table,
        &[("/block-storage/x", "http://a/v3/x"), ("/block-storage@B/x", "http://b/v2/x")],
    );
    assert!(matches!(table.resolve("/volumev3@B/x"), Err(NoRoute::RegionMissing { .. })));
}

#[test]
fn services_of_one_type_are_told_apart_by_their_names() {
    let rows = [
        ("volumev3", "fast", "public", "R", "http://fast/v3"),
        ("volumev3", "slow", "public", "R", "http://slow/v3"),
    ];
    let table = Setup::new(&rows).build();
    assert_upstreams(
        &table,
        &[
            ("/volumev3/x", "http://fast/v3/x"),
            ("/fast/x", "http://fast/v3/x"),
            ("/slow/x", "http://slow/v3/x"),
        ],
    );
}

#[test]
fn our_own_names_are_never_the_clouds() {
    let rows =
        [("s3", "auth", "public", "R", "http://s3"), ("identity", "-", "public", "R", "http://elsewhere")];
    let table = Setup::new(&rows).service("s3", named(&["v3", "auth", "mine"])).build();
    for path in ["/s3/bucket", "/auth/v1.0", "/auth@R/v1.0", "/-/livez"] {
        assert!(matches!(table.resolve(path), Err(NoRoute::Reserved { .. })), "{path}");
    }
    let message = table.resolve("/auth/v1.0").unwrap_err().to_string();
    assert_eq!(message, "no service of the cloud is at /auth; the page at / lists what is where");
    assert_upstreams(&table, &[("/v3/users", "http://keystone:5000/v3/users"), ("/mine/x", "http://s3/x")]);
    assert_eq!(table.warnings().len(), 2, "{:?}", table.warnings());
}

#[test]
fn names_from_the_users_file_come_before_the_catalogs() {
    let table = Setup::new(&DEVSTACK)
        .service("object-store", named(&["files", "image"]))
        .service("dns", named(&["names"]))
        .build();
    assert_upstreams(
        &table,
        &[
            ("/files/a", "http://h:8080/v1/AUTH_p/a"),
            ("/image/a", "http://h:8080/v1/AUTH_p/a"),
            ("/glance/a", "http://h/image/a"),
        ],
    );
    assert_eq!(table.warnings(), ["the name `names` leads nowhere: the catalog has no service `dns`"]);
}

#[test]
fn an_unknown_service_is_answered_with_the_nearest_and_all_prefixes() {
    let table = Setup::new(&DEVSTACK).build();
    for (name, nearest) in [
        ("objectstore", Some("object-store")),
        ("Compute", Some("compute")),
        ("object_store", Some("object-store")),
        ("swfit", Some("swift")),
        ("zzzzzz", None),
        // Keystone's, and no one who asks for a compute API wants it.
        ("v2.1", None),
        ("", None),
    ] {
        let Err(NoRoute::UnknownService { nearest: found, .. }) = table.resolve(&format!("/{name}/x")) else {
            panic!("{name} was found");
        };
        assert_eq!(found.as_deref(), nearest, "{name}");
    }
    assert_eq!(
        table.resolve("/swfit/x").unwrap_err().to_string(),
        "there is no service `swfit` here; the nearest is /swift; there are /identity, /compute, \
         /compute_legacy, /block-storage, /placement, /image, /network, /object-store"
    );
}

#[test]
fn without_a_project_keystone_and_overrides_work_and_the_rest_says_what_to_set() {
    let setup = Setup { project_scoped: false, project_id: None, ..Setup::new(&[]) };
    let table = setup
        .service("image", overridden("http://glance:9292"))
        .service("object-store", overridden("http://swift/v1/AUTH_%(project_id)s"))
        .build();
    assert_upstreams(
        &table,
        &[
            ("/identity/users", "http://keystone:5000/v3/users"),
            ("/image/v2/images", "http://glance:9292/v2/images"),
        ],
    );
    for name in ["compute", "anything", "object-store"] {
        let error = table.resolve(&format!("/{name}/x")).unwrap_err();
        assert_eq!(error, NoRoute::NoProjectScope { name: name.to_owned() });
        assert!(error.to_string().contains("OS_PROJECT_ID"), "{error}");
    }
    assert_eq!(table.service_count(), 2);
    assert_eq!(table.skipped().len(), 1);
}

pub(super) fn overridden(url: &str) -> ServicePreferences {
    ServicePreferences { endpoint_override: Some(url.to_owned()), ..Default::default() }
}

#[test]
fn prefixes_are_listed_with_the_official_one_first() {
    let rows = [
        ("volumev2", "cinderv2", "public", "One", "http://h:8776/v2/p"),
        ("volumev3", "cinderv3", "public", "One", "http://h:8776/v3/p"),
        ("volumev3", "cinderv3", "public", "Two", "http://i:8776/v3/p"),
        ("sharev2", "manilav2", "public", "One", "http://h:8786/v2"),
        ("share", "manila", "public", "One", "http://h:8786/v1/p"),
        ("workflowv2", "mistral", "public", "Two", "http://i:8989/v2"),
    ];
    let table = Setup::new(&rows).region("One").build();
    let listed: Vec<String> =
        table.prefixes().iter().map(|it| format!("{} {}", it.names.join(" "), it.url)).collect();
    assert_eq!(
        listed,
        [
            "identity keystone http://keystone:5000/v3",
            "volumev2 cinderv2 http://h:8776/v2/p",
            "block-storage volumev3 cinder cinderv3 http://h:8776/v3/p",
            "shared-file-system sharev2 manila manilav2 http://h:8786/v2",
            "share http://h:8786/v1/p",
        ]
    );
    assert_eq!(table.prefixes()[2].other_regions, [Region("Two".to_owned())]);
    let faces: Vec<String> = table.routes().iter().map(Route::face).collect();
    assert_eq!(
        faces,
        [
            "/identity/v3",
            // Shares the official prefix, for the version after it leads to the right place.
            "/block-storage/v2/p",
            "/block-storage/v3/p",
            "/block-storage@Two/v3/p",
            "/shared-file-system/v2",
            "/share/v1/p",
            "/workflow@Two/v2",
        ]
    );
    assert_eq!(table.unreachable().len(), 1);
}

#[test]
fn the_official_prefix_is_shared_only_where_a_version_after_it_leads_to_the_right_place() {
    for (url, face) in [
        ("http://h/volume/v2/p", "/block-storage/v2/p"),
        ("http://h/v2/p", "/volumev2/v2/p"),
        ("http://i/volume/v2/p", "/volumev2/v2/p"),
        ("https://h/volume/v2/p", "/volumev2/v2/p"),
        ("http://h/volume", "/volumev2"),
    ] {
        let rows =
            [("volumev3", "", "public", "R", "http://h/volume/v3/p"), ("volumev2", "", "public", "R", url)];
        let table = Setup::new(&rows).build();
        let route = table.resolve("/volumev2/x").unwrap().route;
        assert_eq!(route.face(), face, "{url}");
        assert_eq!(upstream(&table, &format!("{face}/x")), format!("{url}/x"));
    }
}
