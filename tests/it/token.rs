//! The token's life: obtained once, refreshed in time, waited for, given up.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use gatestone::clock::Clock;
use gatestone::identity::OnRefused;
use gatestone::identity::credentials::Method;
use gatestone::run::RunError;
use gatestone::secret::Secret;
use gatestone::shutdown::Stop;
use serde_json::json;
use tokio::time::{Instant, advance, sleep};

use crate::support::service::Bytes;
use crate::support::{Fault, Keystone, Proxy, Service, ask, config, get, http::fields};

async fn cloud() -> (Service, Keystone) {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p1", &["R"])).await;
    (service, keystone)
}

/// Tokens that the service has been shown, in order, without repetitions in a row.
fn tokens(service: &Service) -> Vec<String> {
    let mut tokens: Vec<String> = service
        .heads()
        .iter()
        .map(|head| match fields(head, "x-auth-token")[..] {
            [token] => token.to_owned(),
            ref other => panic!("not one token: {other:?}"),
        })
        .collect();
    tokens.dedup();
    tokens
}

#[tokio::test(start_paused = true)]
async fn a_thousand_requests_need_one_login() {
    let (service, keystone) = cloud().await;
    let proxy = Proxy::start(&keystone);
    for _ in 0..1000 {
        assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    }
    assert_eq!(keystone.logins(), 1);
    assert_eq!(tokens(&service), [keystone.token(1)]);
    let auth = &keystone.bodies()[0]["auth"];
    assert_eq!(auth["identity"]["password"]["user"]["password"], "correct horse");
    assert_eq!(auth["scope"]["project"]["name"], "demo");
}

#[tokio::test(start_paused = true)]
async fn the_token_is_refreshed_at_two_thirds_of_its_life_without_a_request() {
    let (service, keystone) = cloud().await;
    keystone.lifetime(Duration::from_secs(3600));
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/object-store/c").await;
    // A day of hours, and not one request in it.
    sleep(Duration::from_secs(24 * 3600)).await;
    let logins = keystone.logins() as f64;
    let expected = 24.0 * 3600.0 / (3600.0 * 2.0 / 3.0);
    assert!((logins - 1.0 - expected).abs() <= 2.0, "{logins} logins, expected about {expected}");
    get(proxy.addr, "/object-store/c").await;
    assert_eq!(tokens(&service).last(), keystone.tokens().last());
}

#[tokio::test(start_paused = true)]
async fn requests_before_the_first_token_wait_for_it() {
    let (_service, keystone) = cloud().await;
    keystone.next([Fault::Slow(Duration::from_secs(8))]);
    let proxy = Proxy::start(&keystone);
    let start = Instant::now();
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    assert_eq!(start.elapsed().as_secs(), 8);
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_a_token_is_bounded_and_ends_in_503() {
    let (service, keystone) = cloud().await;
    keystone.always(Fault::Status(503, &[]));
    let proxy = Proxy::start(&keystone);
    let start = Instant::now();
    let reply = get(proxy.addr, "/object-store/c").await;
    assert_eq!((reply.status, reply.reason()), (503, "identity_unreachable"));
    assert!(reply.field("retry-after").is_some());
    assert_eq!(start.elapsed().as_secs(), 10);
    assert_eq!(service.connections(), 0);
    // It comes back by itself.
    keystone.always(Fault::Works);
    sleep(Duration::from_secs(16)).await;
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn the_old_token_serves_while_it_is_valid_and_never_longer() {
    let (service, keystone) = cloud().await;
    keystone.lifetime(Duration::from_secs(600));
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/object-store/c").await;
    keystone.always(Fault::Status(500, &[]));
    sleep(Duration::from_secs(590)).await;
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    sleep(Duration::from_secs(10)).await;
    let reply = get(proxy.addr, "/object-store/c").await;
    assert_eq!((reply.status, reply.reason()), (503, "identity_unreachable"));
    assert_eq!(service.heads().len(), 2);
    assert!(keystone.logins() > 10, "it must have been tried again and again");
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_is_not_sent_after_the_wall_clock_has_moved_on_in_sleep() {
    let (service, keystone) = cloud().await;
    let wall = Arc::new(Mutex::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000)));
    let read = Arc::clone(&wall);
    let clock = Clock::with_wall(move || *read.lock().unwrap());
    let proxy = Proxy::with_clock(config::password(&keystone.url), clock);
    get(proxy.addr, "/object-store/c").await;
    // The laptop slept for a day: the monotonic clock stood still.
    *wall.lock().unwrap() += Duration::from_secs(86_400);
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    assert_eq!(tokens(&service), [keystone.token(1), keystone.token(2)]);
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_is_set_back_does_no_harm() {
    let (_service, keystone) = cloud().await;
    let wall = Arc::new(Mutex::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000)));
    let read = Arc::clone(&wall);
    let proxy =
        Proxy::with_clock(config::password(&keystone.url), Clock::with_wall(move || *read.lock().unwrap()));
    get(proxy.addr, "/object-store/c").await;
    *wall.lock().unwrap() -= Duration::from_secs(500_000);
    sleep(Duration::from_secs(2700)).await;
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    assert_eq!(keystone.logins(), 2);
}

#[tokio::test(start_paused = true)]
async fn wrong_credentials_at_start_end_the_program_after_one_try() {
    let (_service, keystone) = cloud().await;
    keystone.always(Fault::Status(401, &[]));
    let proxy = Proxy::start(&keystone);
    let Err(RunError::NoLogin(error)) = proxy.ended().await else { panic!("it must not go on") };
    assert_eq!(keystone.logins(), 1);
    let message = error.to_string();
    for part in ["user demo of domain id default", &keystone.url, "401"] {
        assert!(message.contains(part), "{part} is missing in: {message}");
    }
    assert!(!message.contains("correct horse"));
}

#[tokio::test(start_paused = true)]
async fn wrong_credentials_with_wait_are_tried_three_times_in_all() {
    let (_service, keystone) = cloud().await;
    keystone.always(Fault::Status(401, &[]));
    let mut settings = config::password(&keystone.url);
    settings.identity.on_refused = OnRefused::Wait;
    let proxy = Proxy::with(settings);
    let start = Instant::now();
    let reply = get(proxy.addr, "/object-store/c").await;
    assert_eq!((reply.status, reply.reason()), (503, "credentials_refused"));
    assert!(start.elapsed() < Duration::from_secs(1), "waiting is of no use here");
    sleep(Duration::from_secs(7 * 86_400)).await;
    assert_eq!(keystone.logins(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_password_changed_under_us_serves_to_the_end_of_the_token_and_never_locks_the_account() {
    let (_service, keystone) = cloud().await;
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/object-store/c").await;
    keystone.always(Fault::Status(401, &[]));
    sleep(Duration::from_secs(3500)).await;
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    sleep(Duration::from_secs(86_400)).await;
    assert_eq!(get(proxy.addr, "/object-store/c").await.reason(), "credentials_refused");
    assert_eq!(keystone.logins(), 1 + 3);
}

#[tokio::test(start_paused = true)]
async fn retry_after_of_keystone_is_honoured() {
    let (_service, keystone) = cloud().await;
    keystone.next([Fault::Status(429, &["Retry-After: 90"])]);
    let proxy = Proxy::start(&keystone);
    sleep(Duration::from_secs(89)).await;
    assert_eq!(keystone.logins(), 1);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(keystone.logins(), 2);
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn whatever_keystone_answers_is_survived() {
    const NONSENSE: [&str; 7] = [
        "",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 201 Created\r\nX-Subject-Token: t\r\nContent-Length: 400\r\n\r\n{\"token\":",
        "HTTP/1.1 201 Created\r\nX-Subject-Token: t\r\nContent-Length: 8\r\n\r\n[1,2,3,4",
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
    ];
    let service = Service::echo().await;
    let token = json!({ "token": {
        "user": { "id": "u", "name": "demo" }, "project": { "id": "p", "name": "demo" },
        "issued_at": "2014-05-13T16:53:20Z", "expires_at": "2014-05-13T17:53:20Z",
        "catalog": service.catalog("object-store", "/v1/AUTH_p1", &["R"]),
    }})
    .to_string();
    let asked = AtomicUsize::new(0);
    let keystone = Service::start(move |_, _| match NONSENSE.get(asked.fetch_add(1, Ordering::Relaxed)) {
        Some(nonsense) => Bytes::Close((*nonsense).to_owned()),
        None => Bytes::Keep(format!(
            "HTTP/1.1 201 Created\r\nX-Subject-Token: t\r\nContent-Length: {}\r\n\r\n{token}",
            token.len()
        )),
    })
    .await;
    let proxy = Proxy::with(config::password(&format!("http://{}/v3", keystone.addr)));
    sleep(Duration::from_secs(120)).await;
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    assert_eq!(keystone.heads().len(), NONSENSE.len() + 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_given_to_us_is_not_renewed_and_its_end_is_told() {
    let (_service, keystone) = cloud().await;
    let mut settings = config::password(&keystone.url);
    settings.identity.credentials.method = Method::Token(Secret::new(keystone.inside().issue().unwrap()));
    let proxy = Proxy::with(settings);
    get(proxy.addr, "/object-store/c").await;
    sleep(Duration::from_secs(3599)).await;
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    advance(Duration::from_secs(2)).await;
    let reply = get(proxy.addr, "/object-store/c").await;
    assert_eq!((reply.status, reply.reason()), (503, "credentials_refused"));
    assert_eq!(keystone.logins(), 1);
}

#[tokio::test(start_paused = true)]
async fn however_short_tokens_live_logins_are_a_second_apart() {
    let (_service, keystone) = cloud().await;
    for lifetime in [1, 100, 1000] {
        keystone.lifetime(Duration::from_millis(lifetime));
        let before = keystone.logins();
        let proxy = Proxy::start(&keystone);
        sleep(Duration::from_secs(60)).await;
        let logins = keystone.logins() - before;
        assert!(logins <= 61, "{logins} logins in a minute with tokens of {lifetime} ms");
        proxy.tell(Stop::Now);
        proxy.ended().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_and_a_keystone_that_hangs_is_an_outage_of_keystone() {
    let (_service, keystone) = cloud().await;
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/object-store/c").await;
    keystone.always(Fault::Slow(Duration::from_secs(50)));
    sleep(Duration::from_secs(2000)).await;
    advance(Duration::from_secs(1700)).await;
    let reply = get(proxy.addr, "/object-store/c").await;
    assert_eq!((reply.status, reply.reason()), (503, "identity_unreachable"));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_refused_with_its_body_unread_says_that_the_connection_ends() {
    let (_service, keystone) = cloud().await;
    keystone.always(Fault::Status(503, &[]));
    let proxy = Proxy::start(&keystone);
    let head = "PUT /object-store/c/o HTTP/1.1\r\nHost: localhost\r\n";
    for framing in ["Content-Length: 300000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"] {
        let reply = ask(proxy.addr, format!("{head}{framing}")).await;
        assert_eq!((reply.status, reply.field("connection")), (503, Some("close")));
    }
    assert_eq!(get(proxy.addr, "/object-store/c").await.field("connection"), None);
}
