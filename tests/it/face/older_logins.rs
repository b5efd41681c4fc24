//! Logins by Swift v1 and Keystone v2.0, for clients that stopped there.

use gatestone::embedded::people::{PROJECTS, USERS};
use gatestone::identity::credentials::Scope;
use http::Method;
use serde_json::{Value, json};

use super::{LOGIN, about, cloud, log_in_v2, send};
use crate::support::{Fault, Proxy, ask, config, get};

#[tokio::test(start_paused = true)]
async fn a_login_by_swift_v1_gives_the_address_of_the_account_and_a_local_token() {
    let (service, keystone, proxy) = cloud(|_| {}).await;
    let base = format!("http://{}", proxy.addr);
    let mut tokens = std::collections::HashSet::new();
    for (path, here) in [
        ("/auth/v1.0", "/object-store/v1/AUTH_p1"),
        ("/auth", "/object-store/v1/AUTH_p1"),
        ("/auth/auth", "/object-store/v1/AUTH_p1"),
        ("/auth/v1/any/auth", "/object-store/v1/AUTH_p1"),
        ("/auth@R/v1.0", "/object-store/v1/AUTH_p1"),
        ("/auth@S/v1.0", "/object-store@S/v1/AUTH_p1"),
        ("/auth%40%53/v1.0", "/object-store@S/v1/AUTH_p1"),
    ] {
        for lines in [
            "X-Auth-User: acme:nobody\r\nX-Auth-Key: none\r\n",
            "X-Storage-User: nobody\r\nX-Storage-Pass: none\r\n",
            "X-Auth-User: hubic\r\nX-Auth-Key: \r\n",
            "",
        ] {
            let reply = send(proxy.addr, "GET", path, lines, "").await;
            let storage_url = format!("{base}{here}");
            assert_eq!(
                (reply.status, reply.field("x-storage-url")),
                (200, Some(storage_url.as_str())),
                "{path}"
            );
            let token = reply.field("x-auth-token").unwrap();
            assert!(token.starts_with("gatestone-local-"));
            assert_eq!(reply.field("x-storage-token"), Some(token));
            assert_eq!(reply.field("x-auth-token-expires"), Some("86400"));
            assert_eq!((reply.field("cache-control"), reply.body.len()), (Some("no-store"), 0));
            assert!(tokens.insert(token.to_owned()), "a token of its own for each login");
        }
    }
    let token = tokens.iter().next().unwrap();
    assert_eq!(about(proxy.addr, "GET", token).await.json()["token"]["project"]["name"], "demo");
    let lines = format!("X-Auth-Token: {token}\r\n");
    assert_eq!(send(proxy.addr, "GET", "/object-store@S/v1/AUTH_p1/c/o", &lines, "").await.status, 200);
    let head = service.heads().pop().unwrap();
    assert!(head.starts_with("GET /v1/AUTH_p1/c/o ") && head.contains(&keystone.token(1)), "{head}");
    assert!(!head.contains(token.as_str()), "{head}");
    assert_eq!(keystone.logins(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_login_by_swift_v1_is_a_get_and_needs_an_object_store() {
    let (_service, keystone, proxy) = cloud(|_| {}).await;
    for method in ["HEAD", "POST", "PUT", "DELETE"] {
        let reply = send(proxy.addr, method, "/auth/v1.0", "", "").await;
        assert_eq!(
            (reply.status, reply.field("allow"), reply.field("x-auth-token")),
            (405, Some("GET"), None)
        );
    }
    for (path, reason, words) in [
        ("/auth@T/v1.0", "no_such_region", "object-store has no endpoint in region T, only in R, S"),
        ("/auth/v2.0/tokens", "no_such_service", "/auth/v1.0"),
    ] {
        let reply = send(proxy.addr, "GET", path, "", "").await;
        assert_eq!((reply.status, reply.reason()), (404, reason), "{path}");
        let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(words), "{message}");
    }
    keystone.catalog(json!([{ "type": "image", "name": "glance", "endpoints": [
        { "interface": "public", "region_id": "R", "region": "R", "url": "http://127.0.0.1:1" }] }]));
    let without = Proxy::start(&keystone);
    let reply = get(without.addr, "/auth/v1.0").await;
    assert_eq!((reply.status, reply.reason()), (404, "no_such_service"));
    assert!(reply.text().contains("there are /identity, /image"), "{}", reply.text());

    let mut settings = config::password(&keystone.url);
    settings.identity.credentials.scope = Scope::Unspecified;
    let unscoped = Proxy::with(settings);
    let reply = get(unscoped.addr, "/auth/v1.0").await;
    assert_eq!((reply.status, reply.reason()), (404, "no_such_service"));
    assert!(reply.text().contains("set OS_PROJECT_ID"), "{}", reply.text());
}

#[tokio::test(start_paused = true)]
async fn old_clients_without_a_host_log_in_and_an_outage_is_no_401() {
    let (_service, keystone, proxy) = cloud(|_| {}).await;
    for (head, host) in [
        ("GET /auth/v1.0 HTTP/1.0\r\n\r\n".to_owned(), proxy.addr.to_string()),
        ("GET /auth/v1.0 HTTP/1.0\r\nHost: localhost:7\r\n\r\n".to_owned(), "localhost:7".to_owned()),
        (
            "GET http://localhost/auth/v1.0 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
            "localhost".to_owned(),
        ),
    ] {
        let reply = ask(proxy.addr, &head).await;
        let expected = format!("http://{host}/object-store/v1/AUTH_p1");
        assert_eq!((reply.status, reply.field("x-storage-url")), (200, Some(expected.as_str())), "{head}");
    }
    keystone.always(Fault::Status(500, &[]));
    let proxy = Proxy::start(&keystone);
    for path in ["/auth/v1.0", "/v2.0/tenants"] {
        let reply = get(proxy.addr, path).await;
        assert_eq!((reply.status, reply.reason()), (503, "identity_unreachable"), "{path}");
        assert!(reply.field("retry-after").is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_by_v2_shows_the_held_project_and_a_catalog_that_leads_here() {
    let (_service, keystone, proxy) = cloud(|_| {}).await;
    let base = format!("http://{}", proxy.addr);
    let password = json!({ "username": "nobody", "password": "none" });
    for (path, auth) in [
        ("/v2.0/tokens", json!({ "passwordCredentials": password })),
        ("/identity/v2.0/tokens", json!({ "passwordCredentials": password, "tenantName": "DEMO" })),
        ("/keystone/v2.0/tokens", json!({ "token": { "id": "any" }, "tenantId": PROJECTS[0].id })),
        (
            "/identity@S/v2.0/tokens/",
            json!({ "apiAccessKeyCredentials": { "accessKey": "a", "secretKey": "b" } }),
        ),
    ] {
        let reply = log_in_v2(proxy.addr, path, auth).await;
        assert_eq!(
            (reply.status, reply.field("vary")),
            (200, Some("X-Auth-Token")),
            "{path}: {}",
            reply.text()
        );
        let access = &reply.json()["access"];
        let token = &access["token"];
        assert!(token["id"].as_str().unwrap().starts_with("gatestone-local-"));
        let tenant = json!({ "id": PROJECTS[0].id, "name": "demo", "description": null, "enabled": true });
        assert_eq!(token["tenant"], tenant);
        assert_eq!(token["expires"].as_str().unwrap().len(), "2018-01-15T22:14:05Z".len());
        let roles = json!([{ "name": "member" }, { "name": "reader" }]);
        assert_eq!(
            access["user"],
            json!({ "id": USERS[0].id, "name": "demo", "username": "demo", "roles": roles, "roles_links": [] })
        );
        assert_eq!(access["metadata"]["roles"].as_array().unwrap().len(), 2);
        let rows: Vec<String> = access["serviceCatalog"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|service| {
                let text = |value: &Value| value.as_str().unwrap().replace(&base, "");
                service["endpoints"].as_array().unwrap().iter().map(move |it| {
                    assert!(it["publicURL"] == it["internalURL"] && it["internalURL"] == it["adminURL"]);
                    format!("{} {} {}", text(&service["type"]), text(&it["region"]), text(&it["publicURL"]))
                })
            })
            .collect();
        assert_eq!(
            rows,
            [
                "object-store R /object-store/v1/AUTH_p1",
                "object-store S /object-store@S/v1/AUTH_p1",
                "volumev3 R /block-storage/v3/p1",
                "identity R /identity/v3",
                "identity S /identity@S/v3",
            ]
        );
    }
    assert_eq!(keystone.logins(), 1);
}

#[tokio::test(start_paused = true)]
async fn v2_gives_no_other_tenant_and_knows_its_tokens_and_its_version() {
    let (service, keystone, proxy) = cloud(|settings| settings.log.access_log = true).await;
    for auth in [
        json!({ "passwordCredentials": {}, "tenantName": "another" }),
        json!({ "passwordCredentials": {}, "tenantId": "demo" }),
        json!({ "token": {}, "trust_id": "t" }),
    ] {
        let reply = log_in_v2(proxy.addr, "/v2.0/tokens", auth).await;
        assert_eq!((reply.status, reply.reason()), (401, "wrong_scope"));
        assert!(reply.text().contains("project demo"), "{}", reply.text());
    }
    for body in ["", "{", "{\"auth\":{}}", LOGIN] {
        let reply = send(proxy.addr, "POST", "/v2.0/tokens", "", body).await;
        assert_eq!((reply.status, reply.reason()), (400, "bad_request"), "{body}");
    }
    let reply = log_in_v2(proxy.addr, "/v2.0/tokens", json!({ "passwordCredentials": {} })).await;
    let id = reply.json()["access"]["token"]["id"].as_str().unwrap().to_owned();
    for prefix in ["/v2.0", "/identity/v2.0"] {
        let shown = get(proxy.addr, &format!("{prefix}/tokens/{id}")).await;
        assert_eq!((shown.status, shown.json()), (200, reply.json()), "{prefix}");
        let head = send(proxy.addr, "HEAD", &format!("{prefix}/tokens/{id}"), "", "").await;
        assert_eq!((head.status, head.field("content-length")), (200, shown.field("content-length")));
        let tenants = get(proxy.addr, &format!("{prefix}/tenants")).await.json();
        assert_eq!(tenants["tenants"][0]["id"], PROJECTS[0].id);
        assert_eq!(
            (tenants["tenants"].as_array().unwrap().len(), &tenants["tenants_links"]),
            (1, &json!([]))
        );
        for slash in ["", "/"] {
            let version = get(proxy.addr, &format!("{prefix}{slash}")).await;
            let here = json!({ "rel": "self", "href": format!("http://{}{prefix}/", proxy.addr) });
            assert_eq!((version.status, &version.json()["version"]["links"][0]), (200, &here));
        }
    }
    // Both faces know it, and each may end it.
    assert_eq!(about(proxy.addr, "GET", &id).await.json()["token"]["project"]["name"], "demo");
    assert_eq!(send(proxy.addr, "DELETE", &format!("/v2.0/tokens/{id}"), "", "").await.status, 204);
    assert!(keystone.asked(&Method::DELETE).is_empty());
    assert_eq!(get(proxy.addr, &format!("/v2.0/tokens/{id}")).await.field("vary"), Some("X-Auth-Token"));
    // The real one is nobody's to know, and no other way of v2 leads to a token.
    let real = keystone.token(1);
    for method in ["GET", "HEAD", "DELETE"] {
        assert_eq!(send(proxy.addr, method, &format!("/v2.0/tokens/{real}"), "", "").await.status, 404);
    }
    assert!(keystone.takes(&real));
    for path in ["/v2.0/tokens/x", "/v2.0/x/tokens", "/identity/v2/tokens", "/v2.0/ec2tokens"] {
        let reply = log_in_v2(proxy.addr, path, json!({ "passwordCredentials": {} })).await;
        assert_eq!((reply.status, reply.reason()), (403, "mints_credential"), "{path}");
    }
    // Who can choose shall take v3.
    for path in ["/", "/identity/"] {
        assert!(!get(proxy.addr, path).await.text().contains("v2.0"));
    }
    assert!(service.heads().is_empty());
}

#[tokio::test(start_paused = true)]
async fn v2_shows_no_scope_but_a_projects() {
    let (_service, keystone, _) = cloud(|_| {}).await;
    let mut settings = config::password(&keystone.url);
    settings.identity.credentials.scope = Scope::Unspecified;
    let proxy = Proxy::with(settings);
    let reply = log_in_v2(proxy.addr, "/v2.0/tokens", json!({ "passwordCredentials": {} })).await;
    let access = &reply.json()["access"];
    assert_eq!(
        (reply.status, access["token"].get("tenant"), &access["serviceCatalog"]),
        (200, None, &json!([]))
    );
    assert_eq!(access["user"]["roles"], json!([]));
    assert_eq!(get(proxy.addr, "/v2.0/tenants").await.json()["tenants"], json!([]));
    let auth = json!({ "passwordCredentials": {}, "tenantId": PROJECTS[0].id });
    assert_eq!(log_in_v2(proxy.addr, "/v2.0/tokens", auth).await.reason(), "wrong_scope");
}
