//! Names with several addresses, connections that grow old or cannot be trusted any more.

use std::net::IpAddr;
use std::time::Duration;

use gatestone::client::Resolve;
use gatestone::config::Config;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use crate::support::by_hand::{self, Upstream, by_hand_with, send, to_the_end};
use crate::support::http::{read_head, read_reply};
use crate::support::service::Bytes;
use crate::support::{Keystone, Proxy, Service, config, get};

/// Where nothing listens, and a connection is refused.
const REFUSED: &str = "127.0.0.9";

/// An address at which connections are neither accepted nor refused: its queue is full.
struct BlackHole {
    _listener: TcpListener,
    _waiting: TcpStream,
}

impl BlackHole {
    async fn at(ip: &str, port: u16) -> std::io::Result<Self> {
        let ip: IpAddr = ip.parse().unwrap();
        let socket = if ip.is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() }?;
        socket.bind((ip, port).into())?;
        let listener = socket.listen(0)?;
        Ok(Self { _waiting: TcpStream::connect((ip, port)).await?, _listener: listener })
    }
}

/// A service at 127.0.0.1 that closes after each answer, with black holes at the same port of other addresses.
async fn service_beside<const N: usize>(ips: [&str; N]) -> (Service, [BlackHole; N]) {
    'port: loop {
        let service =
            Service::start(|_, _| Bytes::Close("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned()))
                .await;
        let mut holes = Vec::new();
        for ip in ips {
            // Some other test may have this port there.
            let Ok(hole) = BlackHole::at(ip, service.addr.port()).await else { continue 'port };
            holes.push(hole);
        }
        return (service, holes.try_into().ok().unwrap());
    }
}

fn catalog(port: u16) -> Value {
    json!([{ "type": "image", "endpoints": [
        { "interface": "public", "region_id": "R", "url": format!("http://glance.internal:{port}") } ] }])
}

fn resolving(keystone: &Keystone, addresses: &[&str]) -> Config {
    let mut settings = config::password(&keystone.url);
    settings.client.resolve = vec![Resolve {
        host: "glance.internal".to_owned(),
        port: None,
        addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
    }];
    settings
}

/// Status, reason and milliseconds of a request.
async fn timed(proxy: &Proxy) -> (u16, String, u128) {
    let start = Instant::now();
    let reply = get(proxy.addr, "/image/v2/images").await;
    (reply.status, reply.reason().to_owned(), start.elapsed().as_millis())
}

#[tokio::test(start_paused = true)]
async fn dead_addresses_before_the_live_one_cost_a_quarter_of_a_second_each_and_only_once() {
    let (service, _holes) = service_beside(["127.0.0.2", "127.0.0.3", "127.0.0.4", "::1"]).await;
    let keystone = Keystone::start(catalog(service.addr.port())).await;
    // (addresses, milliseconds to connect at first)
    let table: [(&[&str], u128); 7] = [
        (&["127.0.0.1"], 0),
        (&["127.0.0.1", "127.0.0.2"], 0),
        (&[REFUSED, "127.0.0.1"], 0),
        (&["127.0.0.2", "127.0.0.1"], 250),
        (&["127.0.0.2", REFUSED, "127.0.0.1"], 250),
        (&["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.1"], 750),
        // RFC 8305 section 4: the families take turns.
        (&["::1", "::1", "::1", "127.0.0.1"], 250),
    ];
    for (addresses, expected) in table {
        let mut settings = resolving(&keystone, addresses);
        // Less than an equal share of it would leave to the last one.
        settings.client.connect_timeout = Duration::from_secs(1);
        let proxy = Proxy::with(settings);
        get(proxy.addr, "/-/readyz").await;
        for (again, expected) in [("", expected), (" again", 0), (" once more", 0)] {
            let (status, _, took) = timed(&proxy).await;
            assert_eq!(status, 200, "{addresses:?}{again}");
            assert!((expected..expected + 10).contains(&took), "{addresses:?}{again}: {took} ms");
        }
        // What is dead may have come back after a minute.
        sleep(Duration::from_secs(61)).await;
        let (_, _, took) = timed(&proxy).await;
        assert!((expected..expected + 10).contains(&took), "{addresses:?} later: {took} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_whose_addresses_are_all_dead_is_told_by_how_they_are() {
    let (service, _holes) = service_beside(["127.0.0.2", "127.0.0.3"]).await;
    let keystone = Keystone::start(catalog(service.addr.port())).await;
    let table: [(&[&str], u16, &str, u128); 4] = [
        (&[REFUSED, "127.0.0.8"], 502, "upstream_refused", 0),
        // No way there at all, and a refusal, which tells more.
        (&["fe80::1", REFUSED], 502, "upstream_refused", 0),
        (&["127.0.0.2", "127.0.0.3"], 504, "upstream_timeout", 10_000),
        (&["127.0.0.2", REFUSED], 504, "upstream_timeout", 10_000),
    ];
    for (addresses, status, reason, expected) in table {
        let proxy = Proxy::with(resolving(&keystone, addresses));
        get(proxy.addr, "/-/readyz").await;
        let (seen, why, took) = timed(&proxy).await;
        assert_eq!((seen, why.as_str()), (status, reason), "{addresses:?}");
        assert!((expected..expected + 10).contains(&took), "{addresses:?}: {took} ms");
    }
    assert_eq!(service.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_leads_elsewhere_is_followed_within_five_minutes() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("image", "", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    for half_minutes in 0..=20 {
        assert_eq!(get(proxy.addr, "/image/v2/images").await.status, 200);
        // Never idle for long, and yet a new one every five minutes.
        assert_eq!(service.connections(), 1 + half_minutes / 10, "after {half_minutes} half minutes");
        sleep(Duration::from_secs(30)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_in_use_when_it_grows_old_serves_to_the_end() {
    let (upstream, _keystone, proxy) = by_hand::by_hand().await;
    let mut client = send(&proxy, "GET /object-store/o HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    origin.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n").await.unwrap();
    for piece in [b"on", b"ly", b"on"] {
        sleep(Duration::from_secs(200)).await;
        origin.write_all(piece).await.unwrap();
    }
    assert_eq!(read_reply(&mut client, false).await.text(), "onlyon");
    // And is closed then, not when it has been idle for long.
    let closed = timeout(Duration::from_secs(1), origin.read(&mut [0])).await;
    assert_eq!(closed.expect("it should be closed").unwrap(), 0);
}

const GET: &str = "GET /object-store/o HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Two connections of the proxy on its shelf, the one that is used next first.
async fn two_idle(upstream: &Upstream, proxy: &Proxy) -> (TcpStream, TcpStream) {
    let mut one = send(proxy, GET).await;
    let mut first = upstream.accept().await;
    let mut two = send(proxy, GET).await;
    let mut second = upstream.accept().await;
    for (client, origin) in [(&mut one, &mut first), (&mut two, &mut second)] {
        read_head(origin).await;
        origin.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        read_reply(client, false).await;
    }
    (second, first)
}

/// What becomes of a request on a pooled connection.
#[derive(Clone, Copy, Debug)]
enum Fate {
    ClosedUnanswered,
    Silent,
    CutInTheBody,
    SilentInTheBody,
    AbandonedByTheClient,
    Answered,
}

#[tokio::test(start_paused = true)]
async fn the_idle_connections_beside_one_that_failed_are_not_trusted() {
    // (what happens, whether the other connection is used again)
    let table = [
        (Fate::ClosedUnanswered, false),
        (Fate::Silent, false),
        (Fate::CutInTheBody, false),
        (Fate::SilentInTheBody, false),
        (Fate::AbandonedByTheClient, true),
        (Fate::Answered, true),
    ];
    for (fate, is_trusted) in table {
        let (upstream, _keystone, proxy) = by_hand_with(|settings| {
            settings.client.response_timeout = Duration::from_secs(20);
        })
        .await;
        let (mut origin, mut other) = two_idle(&upstream, &proxy).await;
        // A POST, since nothing of it may be sent again.
        let post = "POST /object-store/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
        let mut client = send(&proxy, post).await;
        read_head(&mut origin).await;
        let half = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
        match fate {
            Fate::ClosedUnanswered => {
                drop(origin);
                assert_eq!(read_reply(&mut client, false).await.status, 502);
            }
            Fate::Silent => assert_eq!(read_reply(&mut client, false).await.status, 504),
            Fate::CutInTheBody => {
                origin.write_all(half).await.unwrap();
                read_head(&mut client).await;
                drop(origin);
                let _ = to_the_end(&mut client).await;
            }
            Fate::SilentInTheBody => {
                origin.write_all(half).await.unwrap();
                let _ = to_the_end(&mut client).await;
            }
            Fate::AbandonedByTheClient => {
                drop(client);
                assert_eq!(origin.read(&mut [0]).await.unwrap(), 0, "{fate:?}");
            }
            Fate::Answered => {
                origin.write_all(b"HTTP/1.1 503 Nope\r\nContent-Length: 0\r\n\r\n").await.unwrap();
                assert_eq!(read_reply(&mut client, false).await.status, 503);
                drop(origin);
            }
        }
        if !is_trusted {
            // At once, and not when it has been idle for long.
            let closed = timeout(Duration::from_secs(1), other.read(&mut [0])).await;
            assert_eq!(closed.expect("it should be closed").unwrap(), 0, "{fate:?}");
            continue;
        }
        let _client = send(&proxy, GET).await;
        assert!(read_head(&mut other).await.starts_with("GET "), "{fate:?}");
    }
}
