//! What the proxy says of itself.

use std::time::Duration;

use gatestone::embedded::people::{APPLICATION_CREDENTIALS, PROJECTS};
use gatestone::identity::credentials::{ApplicationCredential, Method, Scope};
use gatestone::secret::Secret;
use jiff::SignedDuration;

use crate::support::{Fault, Keystone, Proxy, Service, ask, config, get};

#[tokio::test(start_paused = true)]
async fn it_is_alive_at_once_and_ready_with_the_first_token() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("image", "", &["R"])).await;
    keystone.next([Fault::Slow(Duration::from_secs(5))]);
    let proxy = Proxy::start(&keystone);
    assert_eq!(get(proxy.addr, "/-/livez").await.status, 200);
    assert_eq!(get(proxy.addr, "/-/readyz").await.status, 503);
    get(proxy.addr, "/image/v2").await;
    assert_eq!(get(proxy.addr, "/-/readyz").await.status, 200);
    keystone.always(Fault::Status(500, &[]));
    tokio::time::sleep(Duration::from_secs(3601)).await;
    assert_eq!(get(proxy.addr, "/-/readyz").await.status, 503);
    assert_eq!(get(proxy.addr, "/-/livez").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn the_overview_names_every_prefix_with_its_endpoint() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/object-store").await;
    let page = get(proxy.addr, "/").await.json();
    let services = page["services"].as_array().unwrap();
    let store = services.iter().find(|s| s["type"] == "object-store").unwrap();
    assert_eq!(store["endpoint"], format!("http://{}/v1/AUTH_p", service.addr));
    assert_eq!(store["url"], format!("http://{}/object-store", proxy.addr));
    assert!(store["prefixes"].as_array().unwrap().iter().any(|prefix| prefix == "swift"));
}

#[tokio::test(start_paused = true)]
async fn counters_count_and_no_page_shows_a_secret() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("image", "", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    for _ in 0..3 {
        get(proxy.addr, "/image/v2").await;
    }
    get(proxy.addr, "/nothing").await;
    let metrics = get(proxy.addr, "/-/metrics").await;
    for line in [
        "gatestone_requests_total{service=\"image\",region=\"R\",method=\"GET\",status=\"2xx\"} 3",
        "gatestone_requests_total{service=\"gatestone\",region=\"\",method=\"GET\",status=\"4xx\"} 1",
        "gatestone_response_head_seconds_count{service=\"image\",region=\"R\"} 3",
        "gatestone_failures_total{reason=\"no_such_service\"} 1",
        "gatestone_token_refreshes_total{outcome=\"success\"} 1",
        "gatestone_ready 1",
    ] {
        assert!(metrics.text().lines().any(|l| l == line), "{line} is missing in\n{}", metrics.text());
    }
    for path in ["/", "/-/status", "/-/metrics", "/-/livez", "/-/readyz", "/-/other", "/nothing"] {
        let reply = get(proxy.addr, path).await;
        let all = format!("{}{}", reply.head, reply.text());
        assert!(!all.contains(&keystone.token(1)) && !all.contains("correct horse"), "{path}: {all}");
    }
}

#[tokio::test(start_paused = true)]
async fn our_own_pages_are_read_only() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("image", "", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    for path in ["/", "/-/status"] {
        let request = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(ask(proxy.addr, request).await.status, 400, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_project_the_page_lists_those_to_choose_from() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("image", "", &["R"])).await;
    let mut settings = config::password(&keystone.url);
    settings.identity.credentials.scope = Scope::Unspecified;
    let proxy = Proxy::with(settings);
    assert_eq!(get(proxy.addr, "/identity/v3/auth/projects").await.status, 200);
    let reply = get(proxy.addr, "/image/v2").await;
    assert_eq!((reply.status, reply.reason()), (404, "no_such_service"));
    assert!(reply.text().contains("OS_PROJECT_ID"), "{}", reply.text());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let project = &get(proxy.addr, "/").await.json()["projects"][0];
    let set = format!("OS_PROJECT_ID={}", PROJECTS[0].id);
    assert_eq!((&project["name"], &project["set"]), (&"demo".into(), &set.into()));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_an_application_credential_is_told_ahead() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("image", "", &["R"])).await;
    let known = &APPLICATION_CREDENTIALS[0];
    keystone.inside().set_credential_end(known.id, keystone.inside().now() + SignedDuration::from_hours(60));
    let mut settings = config::password(&keystone.url);
    settings.identity.credentials.method = Method::ApplicationCredential {
        credential: ApplicationCredential::Id(known.id.to_owned()),
        secret: Secret::new(known.secret),
    };
    settings.identity.credentials.scope = Scope::Unspecified;
    let proxy = Proxy::with(settings);
    get(proxy.addr, "/image/v2").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let status = get(proxy.addr, "/-/status").await.json();
    let left = status["token"]["application_credential_expires_in_seconds"].as_u64().unwrap();
    assert!((215_900..=216_000).contains(&left), "{left}");
    let warnings = status["warnings"].to_string();
    assert!(warnings.contains("the application credential expires in 2 days"), "{warnings}");
    let metrics = get(proxy.addr, "/-/metrics").await;
    assert!(
        metrics.text().contains("gatestone_application_credential_expires_in_seconds 2159"),
        "{}",
        metrics.text()
    );
}

#[tokio::test(start_paused = true)]
async fn an_empty_catalog_does_not_take_the_services_away() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("image", "", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    assert_eq!(get(proxy.addr, "/image/v2").await.status, 200);
    keystone.catalog(serde_json::json!([]));
    tokio::time::sleep(Duration::from_secs(2700)).await;
    assert_eq!(get(proxy.addr, "/image/v2").await.status, 200);
    assert_eq!(get(proxy.addr, "/-/readyz").await.status, 200);
    let warnings = get(proxy.addr, "/-/status").await.json()["warnings"].to_string();
    assert!(warnings.contains("empty catalog"), "{warnings}");
}

#[tokio::test(start_paused = true)]
async fn a_catalog_that_changes_is_seen_within_the_hour() {
    let (old, new) = (Service::echo().await, Service::echo().await);
    let keystone = Keystone::start(old.catalog("image", "", &["R"])).await;
    keystone.lifetime(Duration::from_secs(86_400));
    let proxy = Proxy::start(&keystone);
    assert_eq!(get(proxy.addr, "/image/v2").await.status, 200);
    keystone.catalog(new.catalog("image", "", &["R"]));
    tokio::time::sleep(Duration::from_secs(3700)).await;
    assert_eq!(get(proxy.addr, "/image/v2").await.status, 200);
    assert_eq!((old.heads().len(), new.heads().len(), keystone.logins()), (1, 1, 1));
}
