use super::*;

fn catalog(json: &str) -> Catalog {
    Catalog::from_wire(serde_json::from_str(json).unwrap())
}

#[test]
fn keystones_catalog_becomes_endpoints_in_its_order() {
    let catalog = catalog(
        r#"[{"type": "compute", "name": "nova", "id": "1", "endpoints": [
                {"id": "2", "interface": "public", "region": "A", "region_id": "A", "url": "http://h/v2.1/"},
                {"id": "3", "interface": "internalURL", "region": "B", "url": "http://i/v2.1"}]},
            {"type": "image", "endpoints": [{"interface": "admin", "region_id": null, "url": "http://g"}]}]"#,
    );
    let seen: Vec<String> = catalog
        .endpoints
        .iter()
        .map(|it| {
            format!("{} {:?} {} {:?} {}", it.service_type, it.service_name, it.interface, it.region, it.url)
        })
        .collect();
    assert_eq!(
        seen,
        [
            r#"compute Some("nova") public Some(Region("A")) http://h/v2.1"#,
            r#"compute Some("nova") internal Some(Region("B")) http://i/v2.1"#,
            "image None admin None http://g",
        ]
    );
    assert_eq!(catalog.skipped, []);
}

#[test]
fn region_id_comes_before_region_and_star_empty_and_null_mean_any() {
    for (fields, expected) in [
        (r#""region_id": "A", "region": "B""#, Some("A")),
        (r#""region_id": null, "region": "B""#, Some("B")),
        (r#""region_id": "", "region": "B""#, Some("B")),
        (r#""region_id": "*", "region": "B""#, None),
        (r#""region": "*""#, None),
        (r#""region": """#, None),
        (r#""region": null"#, None),
        (r#""region": 1"#, Some("1")),
        (r#""id": "x""#, None),
    ] {
        let json = format!(
            r#"[{{"type": "t", "endpoints": [{{"interface": "public", "url": "http://h", {fields}}}]}}]"#
        );
        let region = catalog(&json).endpoints.remove(0).region;
        assert_eq!(region, expected.map(|id| Region(id.to_owned())), "{fields}");
    }
}

#[test]
fn what_cannot_be_used_is_listed_and_costs_nothing_else() {
    let catalog = catalog(
        r#"[5, null, {"name": "untyped", "endpoints": [{"interface": "public", "url": "http://h"}]},
            {"type": "empty"}, {"type": "odd", "endpoints": {"a": 1}},
            {"type": ["list"], "name": 7, "endpoints": null},
            {"type": "compute", "endpoints": [
                {"interface": "public", "region": "A", "url": "http://h/%(tenant_id)s"},
                {"interface": "public", "url": null},
                {"interface": "public", "url": ""},
                {"interface": "shared", "url": "http://h"},
                {"url": "http://h"}, "text",
                {"interface": "public", "url": "http://good"}]}]"#,
    );
    assert_eq!(catalog.endpoints.len(), 1);
    assert_eq!(catalog.endpoints[0].url.to_string(), "http://good");
    let reasons: Vec<&str> = catalog.skipped.iter().map(|it| it.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "a service (without a name) has no type",
            "a service (without a name) has no type",
            "a service (untyped) has no type",
            "a service (7) has no type",
            "the URL has a placeholder that is not filled in",
            "the endpoint has no URL",
            "the URL is empty",
            "`shared` is no interface; use `public`, `internal` or `admin`",
            "the endpoint has no interface",
            "the endpoint has no interface",
        ]
    );
    assert_eq!(catalog.skipped[4].url.as_deref(), Some("http://h/%(tenant_id)s"));
    assert_eq!(catalog.skipped[4].region.as_deref(), Some("A"));
}

#[test]
fn interfaces_are_read_as_keystoneauth_does() {
    for (written, expected) in [
        ("public", Some(Interface::Public)),
        ("internalURL", Some(Interface::Internal)),
        ("adminURL", Some(Interface::Admin)),
        ("Public", None),
        ("publicurl", None),
        ("", None),
    ] {
        assert_eq!(written.parse::<Interface>().ok(), expected, "{written}");
    }
    let message = "shared".parse::<Interface>().unwrap_err().to_string();
    assert_eq!(message, "`shared` is no interface; use `public`, `internal` or `admin`");
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_the_reading_of_a_url(text in "\\PC{0,40}", tail in "[a-z:/@\\[\\]%#?.]{0,20}") {
        let _ = EndpointUrl::parse(&text);
        if let Ok(url) = EndpointUrl::parse(&format!("http://{tail}")) {
            assert_eq!(EndpointUrl::parse(&url.to_string()), Ok(url));
        }
    }
}
