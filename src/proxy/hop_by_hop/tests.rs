//! Tests of `hop_by_hop`.

use proptest::prelude::*;

use super::*;

fn map(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
    }
    headers
}

fn names(headers: &HeaderMap) -> Vec<&str> {
    let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    names
}

fn request(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = map(fields);
    strip_request(&mut headers);
    headers
}

fn response(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = map(fields);
    strip_response(&mut headers, &HeaderValue::from_static("our-token"));
    headers
}

// Rules 1 and 2

#[test]
fn nominated_fields_of_all_connection_lines_go_both_ways() {
    let fields = [
        ("connection", "X-One, close"),
        ("x-one", "1"),
        ("x-two", "2"),
        ("x-three", "3"),
        ("x-stays", "4"),
        ("Connection", "x-Two"),
        ("connection", ",,  x-three\t,"),
        ("x-one", "again"),
    ];
    assert_eq!(names(&request(&fields)), ["x-stays"]);
    assert_eq!(names(&response(&fields)), ["x-stays"]);
}

#[test]
fn an_odd_byte_does_not_end_the_reading() {
    for connection in ["\u{fc}, x-a", "a=b, x-a", "\"x\", x-a", "x a, x-a", "(c), x-a", "x-a, \u{fc}", "x-a;"]
    {
        let headers = request(&[("connection", connection), ("x-a", "1"), ("accept", "*/*")]);
        let expected: &[&str] = if connection == "x-a;" { &["accept", "x-a"] } else { &["accept"] };
        assert_eq!(names(&headers), expected, "{connection}");
    }
}

#[test]
fn host_and_length_cannot_be_named_away() {
    let fields = [("host", "h"), ("content-length", "3"), ("connection", "host, Content-Length, connection")];
    assert_eq!(names(&request(&fields)), ["content-length", "host"]);
    assert_eq!(names(&response(&fields)), ["content-length", "host"]);
}

#[test]
fn connection_fields_go_unnamed() {
    let fields = [
        ("connection", "keep-alive"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("te", "gzip"),
        ("trailer", "x-checksum"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("http2-settings", "AAMAAABkAAQAAP__"),
        ("proxy-authorization", "Basic eDp5"),
        ("proxy-authenticate", "Basic"),
        ("proxy-authentication-info", "x"),
        ("content-length", "3"),
    ];
    assert_eq!(names(&request(&fields)), ["content-length", "trailer"]);
    assert_eq!(names(&response(&fields)), ["content-length", "trailer"]);
}

// Rule 3

#[test]
fn te_ends_here_whatever_it_says() {
    for fields in [&[("te", "trailers")][..], &[("te", "gzip, trailers"), ("connection", "TE")]] {
        assert_eq!(names(&request(fields)), [""; 0], "{fields:?}");
    }
    assert_eq!(names(&response(&[("te", "trailers")])), [""; 0]);
}

// Rule 4

#[test]
fn credentials_of_the_client_go() {
    for name in [
        "X-Auth-Token",
        "X-Storage-Token",
        "X-Service-Token",
        "X-Auth-User",
        "X-Auth-Key",
        "X-Storage-User",
        "X-Storage-Pass",
        "Authorization",
    ] {
        let underscored = name.replace('-', "_");
        let half = name.replacen('-', "_", 1);
        let fields = [(name, "a"), (name, "b"), (&underscored, "c"), (&half, "d"), ("accept", "*/*")];
        let kept = request(&fields);
        let expected: &[&str] = &["accept"];
        assert_eq!(names(&kept), expected, "{name}");
    }
}

/// All that `_all_auth_headers` of keystonemiddleware 13.0.1 yields.
#[test]
fn identity_fields_of_keystonemiddleware_go() {
    let templates = [
        "Domain-Id",
        "Domain-Name",
        "Project-Id",
        "Project-Name",
        "Project-Domain-Id",
        "Project-Domain-Name",
        "User-Id",
        "User-Name",
        "User-Domain-Id",
        "User-Domain-Name",
        "Roles",
    ];
    let mut all: Vec<String> =
        templates.iter().flat_map(|name| [format!("X-{name}"), format!("X-Service-{name}")]).collect();
    all.extend(
        [
            "X-Service-Catalog",
            "X-Identity-Status",
            "X-Service-Identity-Status",
            "X-Is-Admin-Project",
            "X-Role",
            "X-User",
            "X-Tenant-Id",
            "X-Tenant-Name",
            "X-Tenant",
            "OpenStack-System-Scope",
        ]
        .map(str::to_owned),
    );
    assert_eq!(all.len(), 32);
    let fields: Vec<_> = all.iter().map(|name| (name.as_str(), "x")).collect();
    assert_eq!(names(&request(&fields)), [""; 0]);
    for (name, value) in fields {
        assert_eq!(names(&request(&[(name, value)])), [""; 0], "{name}");
    }
}

#[test]
fn fields_of_openstack_services_stay() {
    for name in [
        "x-subject-token",
        "openstack-auth-receipt",
        "x-auth-receipt",
        "openstack-api-version",
        "x-openstack-nova-api-version",
        "x-openstack-request-id",
        "x-openstack-ironic-api-version",
        "openstack-identity-access-rules",
        "x-container-read",
        "x-container-meta-user",
        "x-object-meta-project-id",
        "x-object-manifest",
        "x-account-meta-temp-url-key",
        "x-account-access-control",
        "x-copy-from",
        "x-copy-from-account",
        "x-fresh-metadata",
        "x-newest",
        "x-detect-content-type",
        "x-delete-after",
        "x-trans-id-extra",
        "x-symlink-target",
        "x-image-meta-name",
        "x-roles-x",
        "x-userid",
        "x-storage-policy",
        "if-none-match",
        "etag",
        "range",
        "destination",
        "cookie",
        "expect",
        "content-type",
        "content-encoding",
        "cache-control",
        "user-agent",
        "x-real-ip",
    ] {
        assert_eq!(names(&request(&[(name, "x")])), [name]);
    }
}

// Rule 5

#[test]
fn every_name_with_an_underscore_goes() {
    let fields = [("x_user_id", "1"), ("x-user_id", "1"), ("accept_", "1"), ("_", "1"), ("host", "h")];
    assert_eq!(names(&request(&fields)), ["host"]);
}

// Rule 6

#[test]
fn forwarding_fields_and_overrides_go() {
    let fields = [
        ("forwarded", "host=evil"),
        ("x-forwarded-for", "1"),
        ("x-forwarded-host", "evil"),
        ("x-forwarded-prefix", "/x"),
        ("x-http-method-override", "POST"),
        ("x-http-method", "POST"),
        ("x-method-override", "POST"),
        ("x-original-url", "/v3/auth/tokens"),
        ("x-original-uri", "/v3/auth/tokens"),
        ("x-rewrite-url", "/v3/auth/tokens"),
    ];
    assert_eq!(names(&request(&fields)), [""; 0]);
}

// Rule 7

#[test]
fn marks_of_browsers_go() {
    let fields = [
        ("origin", "http://localhost:5050"),
        ("referer", "http://localhost:5050/"),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-dest", "empty"),
        ("sec-websocket-key", "x"),
    ];
    assert_eq!(names(&request(&fields)), ["sec-websocket-key"]);
}

#[test]
fn a_referer_travels_unless_it_names_us() {
    for foreign in [
        "http://www.example.com",
        "https://example.com:5050/a?b",
        "http://10.0.0.1/",
        "http://localhost.example.com/",
    ] {
        let headers = request(&[("host", "proxy.example:5050"), ("referer", foreign)]);
        assert_eq!(headers.get("referer").unwrap(), foreign);
    }
    let ours = [
        "http://localhost:5050/",
        "http://LOCALHOST/",
        "http://127.0.0.1:5050/a",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://proxy.example/",
        "http://Proxy.Example:81/x",
        "/page",
        "about:blank",
        "page",
        "",
        "\u{e9}",
    ];
    for referer in ours {
        assert_eq!(
            names(&request(&[("host", "proxy.example:5050"), ("referer", referer)])),
            ["host"],
            "{referer}"
        );
    }
    let both = [("referer", "http://www.example.com/"), ("referer", "http://localhost/")];
    assert_eq!(names(&request(&both)), [""; 0]);
    assert_eq!(names(&request(&both[..1])), ["referer"]);
}

// Rule 8

#[test]
fn tokens_and_promises_about_the_origin_do_not_come_back() {
    let fields = [
        ("x-auth-token", "t"),
        ("x-storage-token", "t"),
        ("x-service-token", "t"),
        ("strict-transport-security", "max-age=1"),
        ("alt-svc", "h3=\":443\""),
        ("x-storage-url", "u"),
        ("set-cookie", "a"),
        ("set-cookie", "b"),
        ("x_odd", "1"),
    ];
    let headers = response(&fields);
    assert_eq!(names(&headers), ["set-cookie", "x-storage-url", "x_odd"]);
    assert_eq!(headers.get_all("set-cookie").iter().count(), 2);
}

#[test]
fn nobody_else_says_what_we_say() {
    let fields = [("x-gatestone-error", "fake"), ("X-Gatestone-Retry", "no"), ("x-gate", "1")];
    assert_eq!(names(&response(&fields)), ["x-gate"]);
    let mut trailers = map(&fields);
    filter_trailers(&mut trailers);
    assert_eq!(names(&trailers), ["x-gate"]);
}

#[test]
fn a_subject_token_goes_only_if_it_is_ours() {
    assert_eq!(names(&response(&[("x-subject-token", "our-token")])), [""; 0]);
    assert_eq!(names(&response(&[("x-subject-token", "other"), ("x-subject-token", "our-token")])), [""; 0]);
    assert_eq!(names(&response(&[("x-subject-token", "other")])), ["x-subject-token"]);
}

// Rule 9

#[test]
fn trailers_keep_nothing_that_belongs_at_the_head() {
    let mut trailers = map(&[
        ("host", "evil"),
        ("x-auth-token", "t"),
        ("x_auth_token", "t"),
        ("x-subject-token", "t"),
        ("content-length", "1"),
        ("content-type", "x"),
        ("transfer-encoding", "chunked"),
        ("trailer", "x"),
        ("te", "trailers"),
        ("set-cookie", "a"),
        ("x-project-id", "1"),
        ("connection", "x-hop"),
        ("x-hop", "1"),
        ("x-checksum", "1"),
        ("etag", "2"),
    ]);
    filter_trailers(&mut trailers);
    assert_eq!(names(&trailers), ["etag", "x-checksum"]);
}

#[test]
fn a_full_note_means_another_pass() {
    let mut headers = HeaderMap::new();
    for number in 0..5 * MOST_NOTED {
        let name = HeaderName::from_bytes(format!("x_{number}").as_bytes()).unwrap();
        headers.insert(name, HeaderValue::from_static("1"));
    }
    headers.insert("accept", HeaderValue::from_static("*/*"));
    strip_request(&mut headers);
    assert_eq!(names(&headers), ["accept"]);
}

proptest! {
    #[test]
    fn nothing_that_ends_here_is_left(
        fields in proptest::collection::vec(
            (
                prop_oneof![
                    "[a-cx_-]{1,4}",
                    Just("connection".to_owned()),
                    Just("x-auth-token".to_owned()),
                    Just("x-service-user-id".to_owned()),
                    Just("te".to_owned()),
                    Just("upgrade".to_owned()),
                ],
                "[a-c, x-]{0,12}",
            ),
            0..40,
        ),
    ) {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        oracle::holds(&map(&fields));
    }
}
