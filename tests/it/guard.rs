//! The open door: who may ask, and what no one may ask for.

use gatestone::proxy::RequiredField;

use crate::support::{Keystone, Proxy, Service, ask, config};

async fn cloud() -> (Service, Keystone, Proxy) {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    (service, keystone, proxy)
}

#[tokio::test(start_paused = true)]
async fn only_loopback_names_are_served() {
    let (service, _keystone, proxy) = cloud().await;
    // (Host, status)
    let table = [
        ("localhost:5050", 200),
        ("127.0.0.1", 200),
        ("[::1]:5050", 200),
        ("127.0.0.1.evil.example", 403),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("", 400),
        ("a b", 400),
    ];
    for (host, status) in table {
        let reply = ask(proxy.addr, format!("GET /object-store/c HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        assert_eq!(reply.status, status, "{host:?}: {}", reply.text());
    }
    assert_eq!(service.heads().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn requests_that_a_browser_makes_for_another_site_are_refused() {
    let (service, _keystone, proxy) = cloud().await;
    for field in [
        "Origin: http://evil.example",
        "Origin: null",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
    ] {
        let reply = ask(
            proxy.addr,
            format!(
                "POST /object-store/c HTTP/1.1\r\nHost: localhost\r\n{field}\r\nContent-Length: 0\r\n\r\n"
            ),
        )
        .await;
        assert_eq!((reply.status, reply.reason()), (403, "cross_site"), "{field}");
    }
    assert!(service.heads().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_outlives_the_port_cannot_be_had() {
    let (_service, keystone, proxy) = cloud().await;
    for path in [
        "/identity/v3/v3/auth/tokens",
        "/identity//v3/auth/tokens",
        "/identity/%76%33/auth/tokens",
        "/identity/%76%32.0/tokens",
        "/identity//v2.0/tokens",
        "/v2.0/tokens/x",
        "/v3/auth/OS-FEDERATION/saml2",
        "/v3/auth/tokens/x",
        "/identity/v3/users/u/application_credentials",
        "/identity/v3/users/u/credentials/OS-EC2",
        "/v3/OS-TRUST/trusts",
    ] {
        let reply =
            ask(proxy.addr, format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"))
                .await;
        assert_eq!((reply.status, reply.reason()), (403, "mints_credential"), "{path}");
    }
    assert_eq!(keystone.logins(), 1);
}

#[tokio::test(start_paused = true)]
async fn no_other_service_is_a_way_around_the_minting_rule() {
    // Whatever its host is called, there may be a Keystone behind it.
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("compute", "/v2.1", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    let request = "POST /compute/v3/auth/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}";
    let reply = ask(proxy.addr, request).await;
    assert_eq!((reply.status, reply.reason()), (403, "mints_credential"));
    assert!(service.heads().is_empty());
}

#[tokio::test(start_paused = true)]
async fn objects_may_be_called_what_credentials_are_called() {
    let (service, _keystone, proxy) = cloud().await;
    let request =
        "PUT /object-store/tokens/credentials HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(ask(proxy.addr, request).await.status, 200);
    assert_eq!(service.heads().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_object_store_is_no_way_to_the_keystone_beside_it() {
    let (service, _keystone, proxy) = cloud().await;
    for (path, reason) in [
        ("/object-store/v1/AUTH_x/../../v3/users/u/application_credentials", "bad_request"),
        ("/object-store/v1/AUTH_x/%2e%2e/%2e%2e/v3/users/u/credentials/OS-EC2", "bad_request"),
        ("/object-store/%252e%252e/%252e%252e/v3/users/u/application_credentials", "mints_credential"),
        ("/object-store/v1/AUTH_x/%252e%252e/%252e%252e/v3/users/u/credentials/OS-EC2", "mints_credential"),
    ] {
        let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(ask(proxy.addr, head).await.reason(), reason, "{path}");
    }
    assert!(service.heads().is_empty());
}

#[tokio::test(start_paused = true)]
async fn connect_and_trace_are_refused() {
    let (service, _keystone, proxy) = cloud().await;
    for request in [
        "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n",
        "TRACE /object-store/c HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        assert_eq!(ask(proxy.addr, request).await.status, 400, "{request}");
    }
    assert!(service.heads().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_a_browser_opens_is_put_into_a_sandbox_and_nothing_else_is() {
    let (_service, _keystone, proxy) = cloud().await;
    for (fields, is_confined) in [
        ("Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n", true),
        ("Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n", false),
        ("", false),
    ] {
        let request = format!("GET /object-store/c/page HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
        let reply = ask(proxy.addr, request).await;
        assert_eq!(reply.status, 200);
        let policy = reply.field("content-security-policy");
        assert_eq!(policy.is_some_and(|policy| policy.starts_with("sandbox ")), is_confined, "{fields}");
        assert!(!policy.is_some_and(|policy| policy.contains("allow-same-origin")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_required_field_ends_here() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let mut settings = config::password(&keystone.url);
    for listener in &mut settings.listeners {
        let name = http::HeaderName::from_static("x-ours");
        listener.access.required_field = Some(RequiredField { name, value: None });
    }
    let proxy = Proxy::with(settings);
    let reply = ask(proxy.addr, "GET /object-store/c HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!((reply.status, reply.reason()), (403, "field_required"));
    assert!(service.heads().is_empty());
    let reply = ask(proxy.addr, "GET /object-store/c HTTP/1.1\r\nHost: localhost\r\nX-Ours: 1\r\n\r\n").await;
    assert_eq!(reply.status, 200);
    assert!(!service.heads()[0].to_lowercase().contains("x-ours"));
}
