//! What is answered when there is too much of something.

use std::time::Duration;

use gatestone::config::Config;
use gatestone::proxy::{AllowedUser, AllowedUsers, Rate};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::support::by_hand::{by_hand_with, send};
use crate::support::{Keystone, Proxy, Service, ask, config, get};

async fn cloud(change: impl FnOnce(&mut Config)) -> (Service, Keystone, Proxy) {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let mut settings = config::password(&keystone.url);
    change(&mut settings);
    let proxy = Proxy::with(settings);
    (service, keystone, proxy)
}

const GET: &str = "GET /object-store/c HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// When the proxy sees that a connection is gone is the kernel's affair.
async fn is_served_again(proxy: &Proxy) -> bool {
    for _ in 0..1000 {
        if ask(proxy.addr, GET).await.status == 200 {
            return true;
        }
    }
    false
}

/// A connection that has been served once, so that it is known to be counted.
async fn held(proxy: &Proxy) -> TcpStream {
    let mut stream = TcpStream::connect(proxy.addr).await.unwrap();
    stream.write_all(b"GET /-/livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
    stream
}

#[tokio::test(start_paused = true)]
async fn beyond_the_most_connections_a_client_is_told_at_once_and_served_when_there_is_room() {
    let (service, _keystone, proxy) = cloud(|settings| settings.server.max_connections = 2).await;
    let (one, _two) = (held(&proxy).await, held(&proxy).await);
    let reply = ask(proxy.addr, GET).await;
    assert_eq!((reply.status, reply.reason()), (503, "overloaded"));
    assert_eq!((reply.field("connection"), reply.field("retry-after")), (Some("close"), Some("1")));
    assert!(service.heads().is_empty());
    drop(one);
    assert!(is_served_again(&proxy).await);
}

#[tokio::test(start_paused = true)]
async fn a_user_has_no_more_connections_than_their_own() {
    let (service, _keystone, proxy) =
        cloud(|settings| settings.server.max_connections_per_user = Some(1)).await;
    let one = held(&proxy).await;
    let reply = ask(proxy.addr, GET).await;
    assert_eq!((reply.status, reply.reason()), (503, "overloaded"));
    let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("max_connections_per_user"), "{message}");
    assert!(service.heads().is_empty());
    drop(one);
    assert!(is_served_again(&proxy).await);
}

#[tokio::test(start_paused = true)]
async fn beyond_the_most_requests_a_client_is_told_at_once_and_health_is_answered() {
    let (upstream, _keystone, proxy) = by_hand_with(|settings| settings.server.max_requests = Some(1)).await;
    let mut first = send(&proxy, GET).await;
    let mut at_the_service = upstream.accept().await;
    let reply = ask(proxy.addr, GET).await;
    assert_eq!((reply.status, reply.reason()), (503, "overloaded"));
    assert_eq!(reply.field("retry-after"), Some("1"));
    assert_eq!(get(proxy.addr, "/-/livez").await.status, 200);
    at_the_service.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(first.read(&mut [0; 1024]).await.unwrap() > 0);
    let mut second = send(&proxy, GET).await;
    let mut at_the_service = upstream.accept().await;
    at_the_service.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = [0; 12];
    second.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 204");
}

#[tokio::test(start_paused = true)]
async fn requests_to_a_service_with_a_rate_wait_for_their_turn_within_a_bound() {
    let (service, _keystone, proxy) = cloud(|settings| {
        let (per, wait) = (Duration::from_secs(10), Duration::from_secs(15));
        settings.proxy.rates.insert("object-store".to_owned(), Rate { requests: 2, per, wait });
    })
    .await;
    let start = Instant::now();
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let addr = proxy.addr;
        asking.spawn(async move { (ask(addr, GET).await.status, start.elapsed().as_secs()) });
    }
    let mut seen = asking.join_all().await;
    seen.sort_unstable();
    assert_eq!(seen, [(200, 0), (200, 0), (200, 10), (200, 10), (503, 0)]);
    assert_eq!(service.heads().len(), 4);
    let metrics = get(proxy.addr, "/-/metrics").await;
    assert!(metrics.text().contains("gatestone_requests_paced_total 2"), "{}", metrics.text());
}

#[tokio::test(start_paused = true)]
async fn who_is_refused_does_not_hold_a_connection_for_long() {
    let nobody = AllowedUsers::new(vec![AllowedUser::Ids(4_000_000_000..=4_000_000_000)]);
    let (_service, _keystone, proxy) = cloud(|settings| {
        for listener in &mut settings.listeners {
            listener.access.users = Some(nobody.clone());
            listener.access.allow_root = false;
        }
    })
    .await;
    let mut silent = TcpStream::connect(proxy.addr).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(6), silent.read(&mut [0; 16])).await;
    assert_eq!(ended.unwrap().unwrap(), 0);
}
