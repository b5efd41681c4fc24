//! Refused tokens: replaced by one login for all, and the request sent once more.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use gatestone::shutdown::Stop;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::support::by_hand::{by_hand, send, to_the_end};
use crate::support::http::{fields, read_head, read_reply};
use crate::support::service::Bytes;
use crate::support::{Fault, Keystone, Proxy, Service, ask, config, get};

const KEYSTONES: &str = "WWW-Authenticate: Keystone uri=\"http://127.0.0.1:5000/v3\"\r\n";

/// A service that takes the tokens that its Keystone takes, and refuses others with this status and fields.
async fn refusing(refusal: &'static str) -> (Service, Keystone) {
    let known: Arc<OnceLock<Keystone>> = Arc::default();
    let verifier = Arc::clone(&known);
    let service = Service::start(move |head, body| {
        let token = fields(head, "x-auth-token")[0];
        if !verifier.get().unwrap().takes(token) {
            return Bytes::Keep(format!("HTTP/1.1 {refusal}Content-Length: 2\r\n\r\nno"));
        }
        let echo = json!({ "head": head, "body": String::from_utf8_lossy(body) }).to_string();
        let body = if head.starts_with("HEAD ") { "" } else { &echo };
        Bytes::Keep(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", echo.len()))
    })
    .await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p1", &["R"])).await;
    known.set(keystone.clone()).unwrap();
    (service, keystone)
}

async fn cloud() -> (Service, Keystone) {
    refusing("401 Unauthorized\r\nWWW-Authenticate: Keystone uri=\"http://k\"\r\n").await
}

/// A proxy with its first token, which is then revoked.
async fn revoked(keystone: &Keystone) -> Proxy {
    let proxy = Proxy::start(keystone);
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    sleep(Duration::from_secs(60)).await;
    keystone.revoke_all();
    proxy
}

fn put(length: usize) -> String {
    let body = "x".repeat(length);
    format!("PUT /object-store/c/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}")
}

async fn metric(proxy: &Proxy, line: &str) -> bool {
    get(proxy.addr, "/-/metrics").await.text().lines().any(|it| it == line)
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_is_replaced_and_the_client_sees_nothing() {
    let (service, keystone) = cloud().await;
    let proxy = revoked(&keystone).await;
    for _ in 0..10 {
        assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    }
    assert_eq!(keystone.logins(), 2);
    assert_eq!(service.heads().len(), 1 + 1 + 10);
    assert!(metric(&proxy, "gatestone_replays_total{outcome=\"sent\"} 1").await);
    assert!(metric(&proxy, "gatestone_token_healings_total 1").await);
}

#[tokio::test(start_paused = true)]
async fn bodies_up_to_128_kib_are_sent_again_whole() {
    let (service, keystone) = cloud().await;
    for length in [0, 1, 40_000, 128 * 1024] {
        let proxy = revoked(&keystone).await;
        let reply = ask(proxy.addr, put(length)).await;
        assert_eq!(reply.status, 200, "{length}");
        assert_eq!(reply.json()["body"].as_str().unwrap().len(), length);
        proxy.tell(Stop::Now);
        proxy.ended().await.unwrap();
    }
    let proxy = revoked(&keystone).await;
    let chunked = "PUT /object-store/c/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\
                   5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    let reply = ask(proxy.addr, chunked).await;
    assert_eq!(reply.status, 200);
    assert!(!service.bodies().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_again_is_told_and_the_token_is_replaced_all_the_same() {
    let (_service, keystone) = cloud().await;
    let proxy = Proxy::start(&keystone);
    // This service never says 100: once it is known for that, a long upload streams at once.
    assert_eq!(ask(proxy.addr, put(300_000)).await.status, 200);
    keystone.revoke_all();
    let reply = ask(proxy.addr, put(300_000)).await;
    assert_eq!((reply.status, reply.field("x-gatestone-retry")), (401, Some("not-replayable")));
    assert_eq!(reply.reason(), "");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(keystone.logins(), 2);
    assert_eq!(ask(proxy.addr, put(300_000)).await.status, 200);
    assert!(metric(&proxy, "gatestone_replays_total{outcome=\"not_replayable\"} 1").await);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_is_announced_is_sent_again_and_asked_for_once() {
    let (_service, keystone) = cloud().await;
    let proxy = revoked(&keystone).await;
    let mut client = TcpStream::connect(proxy.addr).await.unwrap();
    client.set_nodelay(true).unwrap();
    // The fake reads the body before it answers: it never says 100. The client is told to go on once.
    let head = "PUT /object-store/c/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    let interim = read_reply(&mut client, false).await;
    assert_eq!(interim.status, 100);
    client.write_all(b"hello").await.unwrap();
    let reply = read_reply(&mut client, false).await;
    assert_eq!((reply.status, &reply.json()["body"]), (200, &"hello".into()));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_always_refuses_gets_its_refusal_through_and_keystone_is_spared() {
    let service = Service::start(|_, _| {
        Bytes::Keep(format!("HTTP/1.1 401 Unauthorized\r\n{KEYSTONES}Content-Length: 2\r\n\r\nno"))
    })
    .await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p1", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    for _ in 0..600 {
        let reply = get(proxy.addr, "/object-store/c").await;
        assert_eq!((reply.status, reply.text()), (401, "no"));
        assert_eq!(reply.field("x-gatestone-retry"), None);
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(keystone.logins(), 2);
    let checks = keystone.asked(&http::Method::HEAD).len();
    assert!((5..=7).contains(&checks), "{checks} checks in a minute");
}

#[tokio::test(start_paused = true)]
async fn refusals_that_are_not_about_the_token_cause_nothing() {
    let service = Service::start(|head, _| {
        let challenge =
            if head.contains("/basic") { "WWW-Authenticate: Basic realm=\"x\"\r\n" } else { KEYSTONES };
        let status = if head.contains("/forbidden") { "403 Forbidden" } else { "401 Unauthorized" };
        Bytes::Keep(format!("HTTP/1.1 {status}\r\n{challenge}Content-Length: 0\r\n\r\n"))
    })
    .await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p1", &["R"])).await;
    let mut settings = config::password(&keystone.url);
    let identity = settings.routing.services.entry("identity".to_owned()).or_default();
    identity.endpoint_override = Some(format!("http://{}/v3", service.addr));
    let proxy = Proxy::with(settings);
    for (path, status) in [
        ("/object-store/c/o?temp_url_sig=da39&temp_url_expires=1", 401),
        ("/object-store/basic", 401),
        ("/object-store/forbidden", 403),
        ("/identity/v3/auth/tokens", 401),
        ("/identity/v3/users/u/password", 401),
    ] {
        assert_eq!(get(proxy.addr, path).await.status, status, "{path}");
    }
    sleep(Duration::from_secs(60)).await;
    assert_eq!((keystone.logins(), keystone.asked(&http::Method::HEAD).len()), (1, 0));
    assert_eq!(service.heads().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_403_heals_where_the_service_is_set_so() {
    let (_service, keystone) = refusing("403 Forbidden\r\n").await;
    let mut settings = config::password(&keystone.url);
    settings.routing.services.entry("object-store".to_owned()).or_default().retry_on_403 = true;
    let proxy = Proxy::with(settings);
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    keystone.revoke_all();
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    assert_eq!((keystone.logins(), keystone.asked(&http::Method::HEAD).len()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn switched_off_a_401_is_passed() {
    let (_service, keystone) = cloud().await;
    let mut settings = config::password(&keystone.url);
    settings.proxy.retry_on_401 = false;
    let proxy = Proxy::with(settings);
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    keystone.revoke_all();
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 401);
    assert_eq!(keystone.logins(), 1);
}

#[tokio::test(start_paused = true)]
async fn while_keystone_is_down_the_refusal_is_an_outage_and_it_heals_with_its_return() {
    let (_service, keystone) = cloud().await;
    let proxy = revoked(&keystone).await;
    keystone.always(Fault::Status(503, &[]));
    let start = Instant::now();
    let reply = get(proxy.addr, "/object-store/c").await;
    assert_eq!((reply.status, reply.reason()), (503, "identity_unreachable"));
    assert!(reply.field("retry-after").is_some());
    assert_eq!(start.elapsed().as_secs(), 10);
    let waiting = tokio::spawn(get_owned(proxy.addr));
    sleep(Duration::from_secs(1)).await;
    keystone.always(Fault::Works);
    assert_eq!(waiting.await.unwrap(), 200);
}

async fn get_owned(addr: std::net::SocketAddr) -> u16 {
    get(addr, "/object-store/c").await.status
}

#[tokio::test(start_paused = true)]
async fn a_client_that_hangs_up_takes_nothing_with_it() {
    let (_service, keystone) = cloud().await;
    let proxy = revoked(&keystone).await;
    keystone.next([Fault::Slow(Duration::from_secs(5))]);
    let mut first = TcpStream::connect(proxy.addr).await.unwrap();
    first.write_all(b"GET /object-store/c HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let second = tokio::spawn(get_owned(proxy.addr));
    sleep(Duration::from_secs(1)).await;
    drop(first);
    assert_eq!(second.await.unwrap(), 200);
    assert_eq!(keystone.logins(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_large_upload_that_is_refused_by_its_head_travels_once() {
    let (upstream, keystone, proxy) = by_hand().await;
    let body = "x".repeat(300_000);
    let head = "PUT /object-store/c/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000\r\n\r\n";
    let mut client = send(&proxy, &format!("{head}{body}")).await;
    let mut first = upstream.accept().await;
    let refused = read_head(&mut first).await;
    assert_eq!(fields(&refused, "x-auth-token"), [keystone.token(1)]);
    first.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    let mut second = upstream.accept().await;
    let again = read_head(&mut second).await;
    assert_eq!(fields(&again, "x-auth-token"), [keystone.token(2)]);
    assert_eq!(fields(&again, "expect"), ["100-continue"]);
    second.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
    let mut received = vec![0; body.len()];
    second.read_exact(&mut received).await.unwrap();
    assert!(received == body.as_bytes());
    second.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    assert_eq!(read_reply(&mut client, false).await.status, 201);
    assert_eq!(keystone.logins(), 2);
    // Nothing of the body went to the first.
    let (rest, _) = to_the_end(&mut first).await;
    assert_eq!(rest, b"");
}
