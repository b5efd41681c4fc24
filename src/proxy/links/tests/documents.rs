//! Documents of each service. `TURN` marks a link that is turned, `KEEP` one that is not.

use super::turned;

const DOCUMENTS: &[(&str, &[&str])] = &[
    (
        "identity",
        &[
            r#"{"versions": {"values": [{"id": "v3.14", "links": [{"rel": "self", "href": "TURN/v3/"}]}]}}"#,
            r#"{"version": {"id": "v3.14", "links": [{"rel": "self", "href": "TURN/v3/"}], "media-types": []}}"#,
            r#"{"users": [{"id": "1", "links": {"self": "TURN/v3/users/1"}, "blog": "KEEP/", "extra": {"links": {"self": "KEEP/"}}}],
                "links": {"next": null, "self": "TURN/v3/users", "previous": "TURN/v3/users?page=1"}}"#,
            r#"{"user": {"name": "KEEP/u", "links": {"self": "TURN/v3/users/1", "mine": "KEEP/x"}, "self": "KEEP/", "url": "KEEP/"}}"#,
            r#"{"endpoint": {"id": "1", "url": "KEEP/compute/v2.1", "links": {"self": "TURN/v3/endpoints/1"}}}"#,
            r#"{"endpoints": [{"url": "KEEP/compute/v2.1", "links": {"self": "TURN/v3/endpoints/1"}}], "links": {"self": "TURN/v3/endpoints"}}"#,
            r#"{"token": {"catalog": [{"type": "compute", "endpoints": [{"interface": "public", "url": "TURN/compute/v2.1"}]}], "user": {"url": "KEEP/"}}}"#,
            r#"{"catalog": [{"endpoints": [{"url": "TURN/compute/v2.1"}], "url": "KEEP/"}], "links": {"self": "TURN/v3/auth/catalog"}}"#,
            r#"{"role_assignments": [{"links": {"assignment": "TURN/v3/a", "membership": "TURN/v3/m"}, "role": {"links": {"self": "KEEP/"}}}]}"#,
            r#"{"role_inference": {"prior_role": {"links": {"self": "TURN/1"}}, "implies": [{"links": {"self": "TURN/2"}}]}}"#,
            r#"{"trust": {"roles": [{"links": {"self": "TURN/1"}}], "roles_links": {"self": "TURN/2", "next": null}, "links": {"self": "TURN/3"}}}"#,
            r#"{"project": {"parents": [{"project": {"links": {"self": "TURN/1"}}}], "options": {"links": {"self": "KEEP/"}}}}"#,
        ],
    ),
    (
        "compute",
        &[
            r#"{"versions": [{"id": "v2.1", "links": [{"rel": "self", "href": "TURN/v2.1/"}]}]}"#,
            r#"{"choices": [{"id": "v2.1", "links": [{"rel": "self", "href": "TURN/v2.1/servers"}]}]}"#,
            r#"{"servers": [{"id": "1", "links": [{"rel": "self", "href": "TURN/1"}, {"href": "TURN/2", "rel": "bookmark"}],
                 "metadata": {"self": "KEEP/", "href": "KEEP/", "links": "KEEP/"}, "flavor": {"links": [{"href": "TURN/f"}]}}],
                "servers_links": [{"rel": "next", "href": "TURN/servers?marker=1"}]}"#,
            r#"{"server": {"image": {"id": "i", "links": [{"rel": "bookmark", "href": "TURN/images/i"}]}, "links": [{"href": "TURN/1"}],
                 "metadata": {"links": [{"href": "KEEP/"}]}, "next": "KEEP/", "description": "KEEP/"}}"#,
            r#"{"metadata": {"self": "KEEP/", "href": "KEEP/", "next": "KEEP/", "links": [{"href": "KEEP/"}]}}"#,
            r#"{"remote_console": {"protocol": "vnc", "url": "KEEP/vnc_auto.html", "links": [{"href": "KEEP/"}]}}"#,
            r#"{"console": {"type": "novnc", "url": "KEEP/"}}"#,
            r#"{"instanceActions": [], "links": [{"rel": "next", "href": "TURN/n"}]}"#,
            r#"{"next": "KEEP/", "href": "KEEP/", "links": {"href": "KEEP/", "self": "KEEP/"}}"#,
        ],
    ),
    (
        "image",
        &[
            r#"{"versions": [{"id": "v2.9", "links": [{"rel": "self", "href": "TURN/v2/"}]}]}"#,
            r#"{"images": [{"self": "KEEP/", "file": "KEEP/", "url": "KEEP/", "next": "KEEP/"}], "next": "KEEP/", "first": "KEEP/", "schema": "KEEP/"}"#,
        ],
    ),
    (
        "network",
        &[
            r#"{"networks": [{"description": "KEEP/", "links": [{"href": "KEEP/"}]}], "networks_links": [{"href": "TURN/n", "rel": "next"}, {"href": "TURN/p", "rel": "previous"}]}"#,
            r#"{"resources": [{"name": "network", "links": [{"rel": "self", "href": "TURN/v2.0/networks"}]}]}"#,
        ],
    ),
    (
        "block-storage",
        &[
            r#"{"volumes": [{"links": [{"href": "TURN/1"}], "metadata": {"href": "KEEP/"}}], "volumes_links": [{"href": "TURN/n"}]}"#,
            r#"{"volume": {"links": [{"href": "TURN/1"}], "volume_image_metadata": {"self": "KEEP/"}}}"#,
            r#"{"qos_specs": {"specs": {"href": "KEEP/"}}, "links": [{"href": "TURN/1"}]}"#,
            r#"{"attachment": {"connection_info": {"links": [{"href": "KEEP/"}], "url": "KEEP/"}}}"#,
        ],
    ),
    (
        "placement",
        &[
            r#"{"versions": [{"links": [{"href": "TURN/placement/"}]}]}"#,
            r#"{"resource_providers": [{"links": [{"href": "KEEP/"}]}]}"#,
        ],
    ),
    (
        "orchestration",
        &[
            r#"{"stacks": [{"links": [{"href": "TURN/1"}], "description": "KEEP/"}], "links": [{"rel": "next", "href": "TURN/n"}]}"#,
            r#"{"stack": {"links": [{"href": "TURN/1"}], "parameters": {"links": [{"href": "KEEP/"}], "url": "KEEP/"},
                "outputs": [{"output_value": {"links": [{"href": "KEEP/"}]}, "links": [{"href": "KEEP/"}]}]}}"#,
            r#"{"resources": [{"links": [{"href": "TURN/1", "rel": "self"}, {"href": "TURN/2", "rel": "stack"}], "attributes": {"links": [{"href": "KEEP/"}]}}]}"#,
            r#"{"resource": {"links": [{"href": "TURN/1"}], "attributes": {"links": [{"href": "KEEP/"}], "self": "KEEP/"}}}"#,
            r#"{"events": [{"links": [{"href": "TURN/1"}], "resource_properties": {"links": [{"href": "KEEP/"}]}}]}"#,
            r#"{"resources": {"stack": {"links": [{"href": "KEEP/"}]}}, "outputs": {"links": [{"href": "KEEP/"}]}}"#,
        ],
    ),
    (
        "dns",
        &[
            r#"{"zones": [{"links": {"self": "TURN/1"}, "attributes": {"self": "KEEP/"}}], "links": {"self": "TURN/z", "next": "TURN/n"}}"#,
            r#"{"id": "1", "links": {"self": "TURN/1", "export": "TURN/e"}, "records": ["KEEP/"], "next": "KEEP/"}"#,
        ],
    ),
    (
        "load-balancer",
        &[
            r#"{"listeners": [{"default_tls_container_ref": "KEEP/v1/containers/1", "redirect_url": "KEEP/"}], "listeners_links": [{"rel": "next", "href": "TURN/n"}]}"#,
        ],
    ),
    (
        "baremetal",
        &[
            r#"{"nodes": [{"links": [{"href": "TURN/1"}], "ports": [{"href": "TURN/p"}], "extra": {"links": [{"href": "KEEP/"}]}}], "next": "TURN/n"}"#,
            r#"{"uuid": "1", "links": [{"href": "TURN/1"}], "states": [{"href": "TURN/s"}], "extra": {"links": [{"href": "KEEP/"}], "next": "KEEP/"},
                "driver_info": {"deploy_kernel": "KEEP/", "links": [{"href": "KEEP/"}]}, "instance_info": {"image_source": "KEEP/"}}"#,
            r#"{"default_version": {"links": [{"href": "TURN/v1/"}]}, "versions": [{"links": [{"href": "TURN/v1/"}]}]}"#,
        ],
    ),
    (
        "container-infrastructure-management",
        &[
            r#"{"clusters": [{"links": [{"href": "TURN/1"}], "api_address": "KEEP/"}], "next": "TURN/n"}"#,
            r#"{"links": [{"href": "TURN/1"}], "discovery_url": "KEEP/", "labels": {"links": "KEEP/"}}"#,
            r#"{"id": "v1", "clusters": [{"href": "TURN/clusters", "rel": "self"}]}"#,
        ],
    ),
    (
        "shared-file-system",
        &[
            r#"{"shares": [{"links": [{"href": "TURN/1"}], "export_location": "KEEP/"}], "shares_links": [{"href": "TURN/n"}]}"#,
            r#"{"share": {"links": [{"href": "TURN/1"}], "metadata": {"links": [{"href": "KEEP/"}]}, "export_locations": ["KEEP/"]}}"#,
        ],
    ),
    (
        "database",
        &[
            r#"{"instances": [{"links": [{"href": "TURN/1"}], "flavor": {"links": [{"href": "TURN/f"}]}}], "links": [{"rel": "next", "href": "TURN/n"}]}"#,
            r#"{"datastores": [{"versions": [{"links": [{"href": "TURN/1"}]}]}], "configuration": {"values": {"links": [{"href": "KEEP/"}]}}}"#,
        ],
    ),
    ("workflow", &[r#"{"workflows": [{"definition": "KEEP/", "next": "KEEP/"}], "next": "TURN/n"}"#]),
    (
        "application-container",
        &[
            r#"{"containers": [{"links": [{"href": "TURN/1"}], "environment": {"next": "KEEP/"}}], "next": "TURN/n"}"#,
        ],
    ),
    (
        "resource-optimization",
        &[
            r#"{"audits": [{"links": [{"href": "TURN/1"}], "scope": [{"links": [{"href": "KEEP/"}]}]}], "next": "TURN/n"}"#,
            r#"{"links": [{"href": "TURN/1"}], "scope": [{"links": [{"href": "KEEP/"}], "href": "KEEP/"}], "parameters": {"next": "KEEP/"}}"#,
        ],
    ),
    (
        "key-manager",
        &[
            r#"{"secrets": [{"secret_ref": "KEEP/v1/secrets/1", "links": [{"href": "KEEP/"}]}], "next": "TURN/n", "previous": "TURN/p"}"#,
            r#"{"container_ref": "KEEP/v1/containers/1", "secret_refs": [{"secret_ref": "KEEP/"}], "consumers": [{"URL": "KEEP/"}]}"#,
            r#"{"versions": {"values": [{"links": [{"rel": "self", "href": "TURN/v1/"}]}]}}"#,
        ],
    ),
];

#[test]
fn links_of_each_service_are_turned_and_its_users_data_is_not() {
    for (service, documents) in DOCUMENTS {
        for document in *documents {
            let came = document.replace("TURN", "http://up").replace("KEEP", "http://up");
            let expected = document.replace("TURN", "http://here").replace("KEEP", "http://up");
            assert_eq!(turned(service, &came), expected, "{service}");
            let tight = came.replace([' ', '\n'], "");
            assert_eq!(turned(service, &tight), expected.replace([' ', '\n'], ""), "{service}");
        }
    }
}

#[test]
fn each_service_of_the_table_has_documents_here() {
    assert!(DOCUMENTS.iter().all(|(service, _)| super::rules::of_service(service).is_some()));
    assert_eq!(DOCUMENTS.len(), super::rules::ROWS.len());
}

#[test]
fn links_are_understood_however_they_are_escaped() {
    for (came, expected) in [
        (r#"{"next": "http:\/\/up\/a"}"#, r#"{"next": "http://here/a"}"#),
        (r#"{"next": "\u0068ttp:\u002f\u002Fup/\u00e4"}"#, r#"{"next": "http://here/ä"}"#),
        (r#"{"n\u0065xt": "http://up/a"}"#, r#"{"n\u0065xt": "http://here/a"}"#),
        (r#"{"next": "http://up/\"\\\n"}"#, r#"{"next": "http://here/\"\\\n"}"#),
        (r#"{"next": "http://up/😀\ud83d\ude00"}"#, r#"{"next": "http://here/😀😀"}"#),
        (r#"{"next":"http://up"}"#, r#"{"next":"http://here"}"#),
    ] {
        assert_eq!(turned("workflow", came), expected);
    }
}
