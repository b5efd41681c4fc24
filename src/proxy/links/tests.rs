//! Links in JSON bodies: where they are found, and that nothing else is touched.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::oracle::{self, pass, turn};
use super::pieces::Pieces;
use super::rules;
use super::scanner::Scanner;
use super::shape::Shapes;
use super::{Turning, ask_plain, is_json, is_plain};
use crate::catalog::{Catalog, EndpointUrl};
use crate::routing::{Build, Preferences, RouteTable};

mod documents;
mod hostile;
mod properties;

fn shapes(service: &str) -> &'static Shapes {
    &rules::of_service(service).unwrap().shapes
}

/// The same as text, whole.
fn turned(service: &str, document: &str) -> String {
    String::from_utf8(pass(shapes(service), &[document.as_bytes()], &mut turn)).unwrap()
}

#[test]
fn only_json_that_is_whole_and_plain_is_looked_into() {
    let headers = |lines: &[(&'static str, &'static str)]| {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse::<HeaderValue>().unwrap());
        }
        headers
    };
    for (value, expected) in [
        ("application/json", true),
        ("Application/JSON; charset=UTF-8", true),
        ("application/json;charset=\"utf-8\"; profile=x", true),
        ("application/problem+json", true),
        ("application/vnd.openstack.orchestration-v1.0+json", true),
        ("application/json; charset=latin-1", false),
        ("application/json-home", false),
        ("application/jsonx", false),
        ("application/octet-stream", false),
        ("text/json", false),
        ("json", false),
        ("application/x+jsön", false),
        ("", false),
    ] {
        assert_eq!(is_json(&headers(&[("content-type", value)])), expected, "{value}");
    }
    let json = ("content-type", "application/json");
    assert!(!is_json(&headers(&[])) && !is_json(&headers(&[json, json])));
    for (line, expected) in [
        (("content-encoding", "identity"), true),
        (("content-encoding", "gzip"), false),
        (("content-range", "bytes 0-1/2"), false),
        (("cache-control", "no-store, No-Transform"), false),
        (("cache-control", "no-store"), true),
    ] {
        assert_eq!(is_plain(&headers(&[line])), expected, "{line:?}");
    }
}

#[test]
fn fields_that_would_lie_about_a_turned_body_go() {
    let table = table();
    let target = table.resolve("/compute/servers").unwrap();
    let lines = [
        ("content-type", "application/json"),
        ("content-length", "5"),
        ("accept-ranges", "bytes"),
        ("digest", "sha-256=x"),
        ("content-digest", "sha-256=:x:"),
        ("repr-digest", "sha-256=:x:"),
        ("content-md5", "x"),
        ("etag", "\"abc\""),
        ("x-openstack-request-id", "req-1"),
    ];
    let mut response = http::Response::builder();
    for (name, value) in lines {
        response = response.header(name, value);
    }
    let (mut head, ()) = response.body(()).unwrap().into_parts();
    Turning::of(&head, &target).unwrap().loosen(&mut head.headers);
    let mut left: Vec<_> = head.headers.iter().map(|(n, v)| (n.as_str(), v.to_str().unwrap())).collect();
    left.sort_unstable();
    let expected =
        [("content-type", "application/json"), ("etag", "W/\"abc\""), ("x-openstack-request-id", "req-1")];
    assert_eq!(left, expected);
    Turning::of(&head, &target).unwrap().loosen(&mut head.headers);
    assert_eq!(head.headers["etag"], "W/\"abc\"");
    for status in [204, 206] {
        head.status = http::StatusCode::from_u16(status).unwrap();
        assert!(Turning::of(&head, &target).is_none(), "{status}");
    }
}

#[test]
fn a_304_is_loosened_as_the_200_that_it_stands_for() {
    let table = table();
    let target = |path| table.resolve(path).unwrap();
    for (path, content_type, expected) in [
        ("/compute/servers", None, true),
        ("/compute/servers", Some("application/json"), true),
        ("/compute/servers", Some("text/plain"), false),
        ("/object-store/c/o", None, false),
        ("/image/v2/images/i/file", None, false),
    ] {
        let mut response =
            http::Response::builder().status(304).header("etag", "\"e\"").header("content-md5", "x");
        if let Some(content_type) = content_type {
            response = response.header("content-type", content_type);
        }
        let (mut head, ()) = response.body(()).unwrap().into_parts();
        let turning = Turning::of(&head, &target(path));
        assert_eq!(turning.is_some(), expected, "{path} {content_type:?}");
        if let Some(turning) = turning {
            turning.loosen(&mut head.headers);
            assert_eq!(
                (&head.headers["etag"], head.headers.get("content-md5")),
                (&"W/\"e\"".parse().unwrap(), None)
            );
        }
    }
}

#[test]
fn a_tag_that_was_made_weak_is_strong_again_in_if_match() {
    let table = table();
    for (path, line, expected) in [
        ("/compute/servers/1", "W/\"a\"", "\"a\""),
        ("/compute/servers/1", "W/\"a\", \"b\",W/\"c,W/\",\t\"W/\"", "\"a\", \"b\",\"c,W/\",\t\"W/\""),
        ("/compute/servers/1", "*", "*"),
        ("/compute/servers/1", "W/, \"open W/", "W/, \"open W/"),
        ("/object-store/c/o", "W/\"a\"", "W/\"a\""),
        ("/image/v2/images/i", "W/\"a\"", "W/\"a\""),
    ] {
        let mut headers = HeaderMap::new();
        for _ in 0..2 {
            headers.append("if-match", line.parse().unwrap());
        }
        headers.append("if-none-match", HeaderValue::from_static("W/\"a\""));
        ask_plain(&mut headers, &table.resolve(path).unwrap());
        assert!(headers.get_all("if-match").iter().eq([expected, expected]), "{path} {line}: {headers:?}");
        assert_eq!(headers["if-none-match"], "W/\"a\"");
    }
}

#[test]
fn objects_image_data_and_what_nobody_knows_are_let_alone() {
    let table = table();
    for (request, expected) in [
        ("/compute/servers", true),
        ("/image", true),
        ("/image/v2/", true),
        ("/image/v2/images", false),
        ("/image/v2/images/i/file", false),
        ("/object-store/c/o.json", false),
        ("/object-store", false),
        ("/orchestration/v1/p/stacks/s/i", true),
        ("/orchestration/v1/p/stacks/s/i/template", false),
        ("/orchestration/v1/p/stacks/s/i/resources/r/metadata", false),
        ("/orchestration/v1/p/stacks/s/i/resources/resources/metadata", false),
        ("/orchestration/v1/p/stacks/s/i/resources/metadata", true),
        ("/orchestration/v1/p/stacks/s/i/resources/template/", true),
        ("/orchestration/v1/p/stacks/s/i/environment", false),
        ("/orchestration/v1/p/stacks/s/i/files", false),
        ("/metric", true),
        ("/metric/v1/", true),
        ("/metric/v1/resource", false),
        ("/metric/bucket/versions.json", false),
    ] {
        let target = table.resolve(request).unwrap();
        assert_eq!(rules::find(&target).is_some(), expected, "{request}");
    }
}

#[test]
fn a_directory_is_learnt_only_where_no_name_in_it_is_special() {
    let table = table_of("ab");
    let target = table.resolve("/compute/servers").unwrap();
    let turned = |link: &str| table.turn_back(&target, link, "http://here");
    for (directory, name, another) in [
        // The root of another endpoint.
        ("http://up:9292/", "cd", "placement"),
        // An account, or what would be an object of the own one.
        ("http://up:8080/v1/", "AUTH_cd", "cd"),
    ] {
        let (one, other) = (format!("{directory}{name}"), format!("{directory}{another}"));
        assert!(!table.turns_directory_of(&one) && !table.turns_directory_of(&other), "{directory}");
        let follows = turned(&one).map(|turned| turned.replace(name, another));
        assert_ne!(follows, turned(&other), "{directory}");
    }
    for link in ["http://up/compute/v2.1/servers/cd", "http://up/compute/servers/cd", "http://elsewhere/x/cd"]
    {
        assert!(table.turns_directory_of(link), "{link}");
    }
    for link in ["http://up/compute/v2.1/servers/cd?a=b", "/compute/v2.1/cd", "http://up/x#y", "cd"] {
        assert!(!table.turns_directory_of(link), "{link}");
    }
}

fn table() -> RouteTable {
    table_of("p")
}

/// For a project of this id.
fn table_of(project: &str) -> RouteTable {
    let services = [
        ("compute", "http://up/compute/v2.1"),
        ("image", "http://up:9292"),
        ("volumev3", "http://up/volume/v3/p"),
        ("network", "http://up:9696/v2.0"),
        ("object-store", "http://up:8080/v1/AUTH_p"),
        ("orchestration", "http://up/heat/v1/p"),
        ("metric", "http://up:8041"),
        ("placement", "http://up:9292/placement"),
    ];
    let services = services.map(|(service_type, url)| {
        let owner = if url.ends_with('p') { project } else { "" };
        let url = format!("{}{owner}", url.trim_end_matches('p'));
        json!({ "type": service_type, "endpoints": [{ "interface": "public", "region": "R", "url": url }] })
    });
    let catalog = Catalog::from_wire(serde_json::from_value(json!(services)).unwrap());
    RouteTable::build(Build {
        catalog: &catalog,
        auth_url: Some(&"http://up/identity/v3".parse::<EndpointUrl>().unwrap()),
        preferences: &Preferences::default(),
        project_id: Some(project),
        user_id: Some("u"),
        project_scoped: true,
        previous: None,
    })
}
