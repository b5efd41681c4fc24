use http::Request;

use super::*;

fn guard(allowed_hosts: &[&str]) -> Guard {
    let allowed_hosts = allowed_hosts.iter().map(|&host| host.to_owned()).collect();
    Guard::new(&Access { allowed_hosts, ..Access::default() }).unwrap()
}

fn tcp(address: &str) -> Option<SocketAddr> {
    Some(address.parse().unwrap())
}

/// A head from its first line and fields, `GET /x HTTP/1.1` being the shape of the first.
fn head(line: &str, fields: &[(&str, &str)]) -> Parts {
    let mut words = line.split(' ');
    let mut request = Request::builder().method(words.next().unwrap()).uri(words.next().unwrap());
    request = request.version(match words.next() {
        Some("HTTP/1.0") => Version::HTTP_10,
        _ => Version::HTTP_11,
    });
    for (name, value) in fields {
        request = request.header(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    request.body(()).unwrap().into_parts().0
}

fn check(line: &str, fields: &[(&str, &str)]) -> Result<(), Rejection> {
    guard(&["gate.example", "other.example:8080", "[fd00::5]"])
        .check(&head(line, fields), tcp("127.0.0.1:5050"))
        .map(|Admitted { .. }| ())
}

const LOCAL: (&str, &str) = ("host", "localhost:5050");

#[test]
fn a_plain_request_of_a_local_client_passes() {
    assert_eq!(check("GET /compute/servers HTTP/1.1", &[LOCAL, ("accept", "*/*")]), Ok(()));
    assert_eq!(check("COPY /object-store/a/b HTTP/1.1", &[LOCAL]), Ok(()));
    assert_eq!(check("OPTIONS /object-store/a HTTP/1.1", &[LOCAL]), Ok(()));
}

// Rule 1

#[test]
fn other_forms_and_methods_are_refused() {
    for (line, expected) in [
        ("CONNECT a.example:443 HTTP/1.1", Rejection::Connect),
        ("TRACE / HTTP/1.1", Rejection::Method(Excerpt::new("TRACE"))),
        ("get / HTTP/1.1", Rejection::Method(Excerpt::new("get"))),
        ("tRACE / HTTP/1.1", Rejection::Method(Excerpt::new("tRACE"))),
        ("Post / HTTP/1.1", Rejection::Method(Excerpt::new("Post"))),
        ("GET localhost:5050 HTTP/1.1", Rejection::TargetForm),
        ("GET foo HTTP/1.1", Rejection::TargetForm),
        ("OPTIONS * HTTP/1.1", Rejection::Asterisk),
        ("GET * HTTP/1.1", Rejection::Asterisk),
    ] {
        assert_eq!(check(line, &[LOCAL]), Err(expected), "{line}");
    }
}

// Rule 2

#[test]
fn chunked_alone_is_the_only_transfer_encoding() {
    for value in ["chunked", "Chunked"] {
        assert_eq!(check("PUT /x HTTP/1.1", &[LOCAL, ("transfer-encoding", value)]), Ok(()));
    }
    for value in ["gzip, chunked", "deflate,gzip ,Chunked"] {
        let refused = check("PUT /x HTTP/1.1", &[LOCAL, ("transfer-encoding", value)]);
        assert_eq!(refused, Err(Rejection::Coding(Excerpt::new(value))), "{value}");
    }
    for value in [
        "chunked, chunked",
        "identity, chunked",
        ", chunked",
        "gzip",
        "identity",
        "chunked;q=1",
        "chunked,",
        "",
        "x",
    ] {
        let refused = check("PUT /x HTTP/1.1", &[LOCAL, ("transfer-encoding", value)]);
        assert_eq!(refused, Err(Rejection::TransferEncoding), "{value}");
    }
    let chunked = ("transfer-encoding", "chunked");
    for (line, fields) in [
        ("PUT /x HTTP/1.1", [LOCAL, chunked, chunked]),
        ("PUT /x HTTP/1.1", [LOCAL, chunked, ("content-length", "3")]),
        ("PUT /x HTTP/1.0", [LOCAL, chunked, ("accept", "*/*")]),
    ] {
        assert_eq!(check(line, &fields), Err(Rejection::TransferEncoding), "{line} {fields:?}");
    }
}

// Rule 3

#[test]
fn only_100_continue_can_be_expected() {
    for value in ["100-continue", "100-Continue"] {
        assert_eq!(check("PUT /x HTTP/1.1", &[LOCAL, ("expect", value)]), Ok(()));
    }
    for fields in [
        &[LOCAL, ("expect", "200-ok")][..],
        &[LOCAL, ("expect", "")],
        &[LOCAL, ("expect", "100-continue, x")],
        &[LOCAL, ("expect", "100-continue"), ("expect", "x")],
        &[LOCAL, ("expect", "x"), ("expect", "100-continue")],
    ] {
        assert!(matches!(check("PUT /x HTTP/1.1", fields), Err(Rejection::Expectation(_))), "{fields:?}");
    }
}

// Rule 4

#[test]
fn host_is_required_in_http_1_1_but_not_in_http_1_0() {
    assert_eq!(check("GET / HTTP/1.1", &[]), Err(Rejection::MissingHost));
    assert_eq!(check("GET / HTTP/1.0", &[]), Ok(()));
    assert!(matches!(
        check("GET / HTTP/1.0", &[("host", "evil.example")]),
        Err(Rejection::HostNotAllowed(_))
    ));
}

#[test]
fn two_hosts_are_refused_even_if_alike() {
    assert_eq!(check("GET / HTTP/1.1", &[LOCAL, LOCAL]), Err(Rejection::SeveralHosts));
    assert_eq!(check("GET / HTTP/1.0", &[LOCAL, LOCAL]), Err(Rejection::SeveralHosts));
}

#[test]
fn loopback_names_pass_with_any_port() {
    for host in
        ["localhost", "LOCALHOST:5050", "localhost:32768", "127.0.0.1", "127.8.9.10:1", "[::1]:5050", "[::1]"]
    {
        assert_eq!(check("GET / HTTP/1.1", &[("host", host)]), Ok(()), "{host}");
    }
}

#[test]
fn host_of_another_site_is_refused() {
    for host in [
        "evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1.nip.io:5050",
        "localhost.evil.example",
        "evil.localhost",
        "localhost.",
        "127.0.0.1.",
        "127.1",
        "2130706433",
        "0.0.0.0:5050",
        "[::]:5050",
        "10.0.0.1:5050",
        "gate.example.",
        "gate.example.evil.example",
        "agate.example",
        "other.example",
        "other.example:80",
    ] {
        let refused = check("GET / HTTP/1.1", &[("host", host)]);
        assert_eq!(refused, Err(Rejection::HostNotAllowed(Excerpt::new(host))), "{host}");
    }
}

#[test]
fn malformed_hosts_are_refused() {
    for host in [
        "",
        "a b",
        "u@localhost",
        "localhost/",
        "localhost:",
        "localhost:5050x",
        "::1",
        "localhost,localhost",
    ] {
        let refused = check("GET / HTTP/1.1", &[("host", host)]);
        assert_eq!(refused, Err(Rejection::MalformedHost(Excerpt::new(host))), "{host}");
    }
}

#[test]
fn listed_hosts_pass_with_any_port_or_the_one_listed() {
    for host in [
        "gate.example",
        "GATE.example:1",
        "other.example:8080",
        "[fd00::5]:99",
        "[FD00:0::5]",
        "Other.Example:8080",
    ] {
        assert_eq!(check("GET / HTTP/1.1", &[("host", host)]), Ok(()), "{host}");
    }
}

#[test]
fn the_address_of_the_listener_passes_with_its_own_port() {
    let guard = guard(&[]);
    let host = |host| guard.check(&head("GET / HTTP/1.1", &[("host", host)]), tcp("192.0.2.7:5050"));
    assert_eq!(host("192.0.2.7:5050"), Ok(Admitted { is_navigation: false }));
    assert!(matches!(host("192.0.2.7:5051"), Err(Rejection::HostNotAllowed(_))));
    assert!(matches!(host("192.0.2.7"), Err(Rejection::HostNotAllowed(_))));
    assert!(matches!(host("192.0.2.8:5050"), Err(Rejection::HostNotAllowed(_))));
}

#[test]
fn any_well_formed_host_passes_on_a_unix_socket() {
    let guard = guard(&[]);
    for host in ["localhost", "x", "evil.example:80"] {
        let checked = guard.check(&head("GET / HTTP/1.1", &[("host", host)]), None);
        assert_eq!(checked, Ok(Admitted { is_navigation: false }), "{host}");
    }
    assert!(guard.check(&head("GET / HTTP/1.1", &[("host", "a b")]), None).is_err());
    assert!(guard.check(&head("GET / HTTP/1.1", &[]), None).is_err());
}

#[test]
fn a_list_with_something_else_than_hosts_is_refused() {
    for entry in ["http://gate.example", "gate.example/", "*.example", "", "a b", "fd00::5", "10.0.0.0/8"] {
        let allowed_hosts = vec!["ok.example".to_owned(), entry.to_owned()];
        let access = Access { allowed_hosts, ..Access::default() };
        assert!(Guard::new(&access).is_err(), "{entry}");
    }
}

// Rule 5

#[test]
fn absolute_form_passes_if_it_agrees_with_host() {
    for (line, host) in [
        ("GET http://localhost:5050/x HTTP/1.1", "localhost:5050"),
        ("GET http://LOCALHOST:5050/x HTTP/1.1", "localhost:5050"),
        ("GET http://localhost/x HTTP/1.1", "localhost:80"),
        ("GET HTTP://gate.example/x HTTP/1.1", "gate.example"),
    ] {
        assert_eq!(check(line, &[("host", host)]), Ok(()), "{line}");
    }
    assert_eq!(check("GET http://localhost:5050/x HTTP/1.0", &[]), Ok(()));
}

#[test]
fn absolute_form_of_another_kind_is_refused() {
    for (line, expected) in [
        ("GET http://127.0.0.1:5050/x HTTP/1.1", Rejection::TargetNotHost),
        ("GET http://localhost/x HTTP/1.1", Rejection::TargetNotHost),
        ("GET http://evil.example/x HTTP/1.1", Rejection::TargetNotHost),
        ("GET https://localhost:5050/x HTTP/1.1", Rejection::TargetScheme),
        ("GET ftp://localhost:5050/x HTTP/1.1", Rejection::TargetScheme),
        ("GET http://u@localhost:5050/x HTTP/1.1", Rejection::TargetAuthority),
        ("GET http://u:p@localhost:5050/x HTTP/1.1", Rejection::TargetAuthority),
    ] {
        assert_eq!(check(line, &[LOCAL]), Err(expected), "{line}");
    }
    let refused = check("GET http://evil.example/x HTTP/1.0", &[]);
    assert_eq!(refused, Err(Rejection::HostNotAllowed(Excerpt::new("evil.example"))));
    let refused = check("GET http://evil.example/x HTTP/1.1", &[("host", "evil.example")]);
    assert_eq!(refused, Err(Rejection::HostNotAllowed(Excerpt::new("evil.example"))));
}

// Rule 6

#[test]
fn requests_of_other_pages_are_refused() {
    for site in ["same-origin", "none"] {
        assert_eq!(check("GET / HTTP/1.1", &[LOCAL, ("sec-fetch-site", site)]), Ok(()), "{site}");
    }
    for site in ["cross-site", "same-site", "", "None", "same-origin, none", "whatever"] {
        let refused = check("GET / HTTP/1.1", &[LOCAL, ("sec-fetch-site", site)]);
        assert_eq!(refused, Err(Rejection::CrossSite(Excerpt::new(site))), "{site}");
    }
}

#[test]
fn a_link_from_another_page_is_refused() {
    let fields = [LOCAL, ("sec-fetch-mode", "navigate"), ("sec-fetch-site", "cross-site")];
    assert!(matches!(check("GET / HTTP/1.1", &fields), Err(Rejection::CrossSite(_))));
}

#[test]
fn several_fetch_sites_are_refused() {
    let fields = [LOCAL, ("sec-fetch-site", "none"), ("sec-fetch-site", "none")];
    assert!(matches!(check("GET / HTTP/1.1", &fields), Err(Rejection::CrossSite(_))));
}

// Rule 7

#[test]
fn the_own_origin_passes() {
    for (host, origin) in [
        ("localhost:5050", "http://localhost:5050"),
        ("LOCALHOST:5050", "http://localhost:5050"),
        ("localhost", "http://localhost"),
        ("localhost:80", "http://localhost"),
        ("[::1]:5050", "http://[::1]:5050"),
    ] {
        assert_eq!(
            check("POST / HTTP/1.1", &[("host", host), ("origin", origin)]),
            Ok(()),
            "{host} {origin}"
        );
    }
}

#[test]
fn foreign_origins_are_refused() {
    for origin in [
        "null",
        "",
        "http://evil.example",
        "https://localhost:5050",
        "http://localhost",
        "http://localhost:5051",
        "http://127.0.0.1:5050",
        "http://localhost:5050/",
        "http://localhost:5050@evil.example",
        "http://localhost:5050 http://evil.example",
        "http://localhost:5050.evil.example",
        "localhost:5050",
        "file://",
        "moz-extension://x",
    ] {
        let refused = check("POST / HTTP/1.1", &[LOCAL, ("origin", origin)]);
        assert_eq!(refused, Err(Rejection::ForeignOrigin(Excerpt::new(origin))), "{origin}");
    }
}

#[test]
fn several_origins_are_refused_even_if_alike() {
    let own = ("origin", "http://localhost:5050");
    assert!(matches!(check("GET / HTTP/1.1", &[LOCAL, own, own]), Err(Rejection::ForeignOrigin(_))));
}

#[test]
fn an_origin_without_host_is_refused() {
    let own = ("origin", "http://localhost:5050");
    assert!(matches!(check("GET / HTTP/1.0", &[own]), Err(Rejection::ForeignOrigin(_))));
    assert_eq!(check("GET http://localhost:5050/ HTTP/1.0", &[own]), Ok(()));
}

#[test]
fn a_preflight_of_a_foreign_page_is_refused() {
    let fields = [LOCAL, ("access-control-request-method", "PUT"), ("origin", "http://evil.example")];
    assert!(matches!(check("OPTIONS /object-store/c/o HTTP/1.1", &fields), Err(Rejection::ForeignOrigin(_))));
}

#[test]
fn messages_hold_no_control_characters_and_name_the_setting() {
    let refused = check("GET / HTTP/1.1", &[("host", "evil.example:1")]).unwrap_err().to_string();
    assert!(refused.ends_with("allowed_hosts = [\"evil.example:1\"]"), "{refused}");
    let refused = check("GET / HTTP/1.1", &[("host", "a\tb\u{85}")]).unwrap_err().to_string();
    assert!(!refused.chars().any(char::is_control), "{refused:?}");
}

// Rules 8 and 9

#[test]
fn nothing_here_becomes_a_service_worker() {
    let worker = [LOCAL, ("service-worker", "script"), ("sec-fetch-site", "same-origin")];
    assert_eq!(check("GET /object-store/c/sw.js HTTP/1.1", &worker), Err(Rejection::ServiceWorker));
}

#[test]
fn a_required_field_must_be_there_with_its_value_but_for_probes() {
    let field = |value: Option<&'static str>| RequiredField {
        name: HeaderName::from_static("x-ours"),
        value: value.map(HeaderValue::from_static),
    };
    let check = |required: RequiredField, line: &str, fields: &[(&str, &str)]| {
        let access = Access { required_field: Some(required), ..Access::default() };
        Guard::new(&access).unwrap().check(&head(line, fields), tcp("127.0.0.1:5050")).is_ok()
    };
    for line in [
        "GET /compute/x HTTP/1.1",
        "GET / HTTP/1.1",
        "GET /-/status HTTP/1.1",
        "POST /v3/auth/tokens HTTP/1.1",
    ] {
        assert!(!check(field(None), line, &[LOCAL]), "{line}");
        assert!(check(field(None), line, &[LOCAL, ("x-ours", "")]), "{line}");
        assert!(!check(field(Some("true")), line, &[LOCAL, ("x-ours", "false")]), "{line}");
        assert!(check(field(Some("true")), line, &[LOCAL, ("x-ours", "true")]), "{line}");
    }
    assert!(check(field(None), "GET /-/livez HTTP/1.1", &[LOCAL]));
    assert!(check(field(None), "GET /-/readyz HTTP/1.1", &[LOCAL]));
}
