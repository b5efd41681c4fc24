//! From a path to an upstream, over the wire. The rules themselves have their
//! tables beside the code; here is that the wire keeps to them.

use serde_json::json;

use gatestone::identity::credentials::Scope;

use crate::support::{Keystone, Proxy, Service, config, get};

fn target(head: &str) -> &str {
    head.split(' ').nth(1).unwrap()
}

#[tokio::test(start_paused = true)]
async fn bytes_after_the_prefix_reach_the_upstream_unchanged() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    // (asked for, what the upstream sees)
    let table = [
        ("/object-store/photos/a.jpg", "/v1/AUTH_p/photos/a.jpg"),
        ("/object-store", "/v1/AUTH_p"),
        ("/object-store/c//o", "/v1/AUTH_p/c//o"),
        (
            "/object-store/c/%2Fo%2f%20%C3%A4?prefix=%2F&x=a+b",
            "/v1/AUTH_p/c/%2Fo%2f%20%C3%A4?prefix=%2F&x=a+b",
        ),
        ("/object-store?format=json", "/v1/AUTH_p?format=json"),
        ("/object-store/info", "/info"),
        ("/swift/c", "/v1/AUTH_p/c"),
        ("/object-store@R/c", "/v1/AUTH_p/c"),
        ("/object-store%40R/c", "/v1/AUTH_p/c"),
    ];
    for (asked, seen) in table {
        assert_eq!(get(proxy.addr, asked).await.status, 200, "{asked}");
        assert_eq!(target(service.heads().last().unwrap()), seen, "{asked}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_above_the_endpoint_is_refused_and_goes_nowhere() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    for path in [
        "/object-store/../x",
        "/object-store/a/%2e%2e/../x",
        "/object-store/..%2F..%5cx",
        "/object-store/..;/x",
    ] {
        let reply = get(proxy.addr, path).await;
        assert_eq!((reply.status, reply.reason()), (400, "bad_request"), "{path}");
    }
    assert!(service.heads().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_unknown_prefix_names_what_there_is() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["GRA"])).await;
    let proxy = Proxy::start(&keystone);
    let reply = get(proxy.addr, "/objectstore/c").await;
    assert_eq!((reply.status, reply.reason()), (404, "no_such_service"));
    let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("object-store"), "{message}");
    let reply = get(proxy.addr, "/object-store@SBG/c").await;
    assert_eq!((reply.status, reply.reason()), (404, "no_such_region"));
    let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("GRA"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn keystone_itself_is_reached_at_the_auth_url() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("compute", "/v2.1", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    for path in ["/identity/v3/users?x=1", "/identity/users?x=1", "/v3/users?x=1"] {
        get(proxy.addr, path).await;
        assert_eq!(keystone.last_target(), "/v3/users?x=1", "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_region_chosen_once_is_kept_when_the_catalog_changes_its_order() {
    let (first, second) = (Service::echo().await, Service::echo().await);
    let endpoint = |service: &Service, region: &str| json!({ "interface": "public", "region_id": region, "url": format!("http://{}", service.addr) });
    let catalog = |endpoints| json!([{ "type": "image", "name": "glance", "endpoints": endpoints }]);
    let keystone = Keystone::start(catalog(vec![endpoint(&first, "A"), endpoint(&second, "B")])).await;
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/image/v2").await;
    keystone.catalog(catalog(vec![endpoint(&second, "B"), endpoint(&first, "A")]));
    tokio::time::sleep(std::time::Duration::from_secs(3000)).await;
    get(proxy.addr, "/image/v2").await;
    assert_eq!(keystone.logins(), 2);
    assert_eq!((first.heads().len(), second.heads().len()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_region_that_is_nowhere_in_the_catalog_ends_the_start_and_names_those_that_are() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("image", "", &["GRA11", "SBG5"])).await;
    let mut settings = config::password(&keystone.url);
    settings.routing.region = Some(gatestone::catalog::Region("GRA1".to_owned()));
    let message = Proxy::with(settings).ended().await.unwrap_err().to_string();
    for part in ["GRA1 is not", "did you mean GRA11", "SBG5", "OS_REGION_NAME"] {
        assert!(message.contains(part), "{part} is missing in: {message}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_catalog_keystone_still_answers_and_other_prefixes_say_why_not() {
    let keystone = Keystone::start(json!([])).await;
    let mut settings = config::password(&keystone.url);
    settings.identity.credentials.scope = Scope::Unspecified;
    let proxy = Proxy::with(settings);
    assert_eq!(get(proxy.addr, "/identity/v3/auth/projects").await.status, 200);
    let reply = get(proxy.addr, "/compute/servers").await;
    assert_eq!((reply.status, reply.reason()), (404, "no_such_service"));
}

#[tokio::test(start_paused = true)]
async fn what_a_stranger_wrote_into_a_path_cannot_break_a_line() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("compute", "/v2.1", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    let reply = get(proxy.addr, &format!("/compute@%0A2026%20INFO%1b{}/x", "y".repeat(9000))).await;
    assert_eq!(reply.reason(), "no_such_region");
    let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(!message.contains(char::is_control) && message.len() < 500, "{message}");
}
