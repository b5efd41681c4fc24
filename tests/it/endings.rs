//! Ends that come early: heads that are none, clients that end their side or leave, uploads that nobody wants.

use std::sync::Arc;
use std::time::Duration;

use gatestone::access_log::Out;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::by_hand::{Upstream, by_hand, by_hand_with, is_silent, send, take, to_the_end};
use crate::support::http::{Reply, fields, read_head, read_reply};
use crate::support::{Keystone, Proxy, Service, ask, get};

const GET: &str = "GET /object-store/o HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn a_head_that_is_not_http_is_refused_as_everything_else_is() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    let long = "x".repeat(70_000);
    for (head, status, reason) in [
        ("GET /object-store/o HTTP/1.1\r\nHost: localhost\r\nA : b\r\n\r\n".to_owned(), 400, "bad_request"),
        ("GET /object-store/o HTTP/1.1\r\nHost: localhost\r\nA: b\r\n c\r\n\r\n".to_owned(), 400, "bad_request"),
        ("GET  /object-store/o HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 400, "bad_request"),
        (
            "PUT /object-store/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy"
                .to_owned(),
            400,
            "bad_request",
        ),
        (format!("GET /object-store/o HTTP/1.1\r\nHost: localhost\r\nA: {long}\r\n\r\n"), 431, "header_too_large"),
    ] {
        let reply = ask(proxy.addr, &head).await;
        assert_eq!((reply.status, reply.reason()), (status, reason), "{head:.60}");
        assert_eq!(reply.json()["error"]["code"], status);
        assert_eq!(reply.field("connection"), Some("close"));
    }
    assert!(service.heads().is_empty());
    let metrics = ask(proxy.addr, "GET /-/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let line = "gatestone_failures_total{reason=\"bad_request\"} 4";
    assert!(metrics.text().contains(line), "{}", metrics.text());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_ended_its_side_gets_its_answer() {
    for request in [
        GET.to_owned(),
        "PUT /object-store/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi".to_owned(),
        "PUT /object-store/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
            .to_owned(),
    ] {
        let (upstream, _keystone, proxy) = by_hand().await;
        let mut client = send(&proxy, &request).await;
        client.shutdown().await.unwrap();
        let mut origin = upstream.accept().await;
        read_head(&mut origin).await;
        assert!(is_silent(&mut client, Duration::from_secs(20)).await, "{request}");
        origin.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n").await.unwrap();
        assert!(read_head(&mut client).await.starts_with("HTTP/1.1 200"));
        assert!(is_silent(&mut client, Duration::from_secs(20)).await, "{request}");
        origin.write_all(b"done").await.unwrap();
        let (rest, ended) = to_the_end(&mut client).await;
        assert_eq!(rest, b"done");
        ended.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_client_asked_for_is_dropped_when_it_leaves() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let client = send(&proxy, GET).await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    drop(client);
    let (rest, _) = to_the_end(&mut origin).await;
    assert!(rest.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_early_is_no_failure_of_the_service() {
    let lines = Arc::default();
    let out = Out::Memory(Arc::clone(&lines));
    let (upstream, _keystone, proxy) =
        by_hand_with(|config| (config.log.access_log, config.log.access_out) = (true, out)).await;
    let client = send(&proxy, GET).await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    drop(client);
    to_the_end(&mut origin).await.1.unwrap();
    let metrics = get(proxy.addr, "/-/metrics").await;
    let of_service = "service=\"object-store\",region=\"R\"";
    for line in [
        format!("gatestone_requests_total{{{of_service},method=\"GET\",status=\"4xx\"}} 1"),
        format!("gatestone_responses_cut_total{{{of_service}}} 1"),
        // No head came, in whatever time.
        format!("gatestone_response_head_seconds_count{{{of_service}}} 0"),
    ] {
        assert!(metrics.text().lines().any(|it| it == line), "{line} in {}", metrics.text());
    }
    tokio::time::sleep(Duration::from_secs(11)).await;
    let service = &get(proxy.addr, "/-/status").await.json()["services"][0];
    assert_eq!((&service["state"], &service["errors"]), (&"idle".into(), &0.into()), "{service}");
    let lines = String::from_utf8(lines.lock().unwrap().clone()).unwrap();
    let record = lines.lines().find(|line| line.contains("object-store")).unwrap();
    assert!(record.contains("status=499") && !record.contains("head_ms"), "{record}");
}

#[tokio::test(start_paused = true)]
async fn a_pipelined_request_is_not_lost_while_the_first_waits() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut client = send(&proxy, GET).await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    client.write_all(b"GET /object-store/second HTTP/1.1\r\nHost: loc").await.unwrap();
    assert!(is_silent(&mut client, Duration::from_secs(1)).await);
    client.write_all(b"alhost\r\n\r\n").await.unwrap();
    client.shutdown().await.unwrap();
    origin.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none").await.unwrap();
    assert_eq!(read_reply(&mut client, false).await.text(), "one");
    assert!(read_head(&mut origin).await.contains("/second "));
    origin.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo").await.unwrap();
    assert_eq!(read_reply(&mut client, false).await.text(), "two");
}

#[tokio::test(start_paused = true)]
async fn a_refused_upload_is_read_on_for_a_while_so_that_the_refusal_arrives() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    let mut client = TcpStream::connect(proxy.addr).await.unwrap();
    let head = "PUT /nowhere/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8000000\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    // A client that looks at nothing before it has sent everything.
    client.write_all(&vec![0; 8_000_000]).await.unwrap();
    let reply = read_reply(&mut client, false).await;
    assert_eq!((reply.status, reply.reason()), (404, "no_such_service"));
    to_the_end(&mut client).await.1.unwrap();
}

/// An upload of which the origin has had something when it answers with `answer`.
async fn answered_early(answer: &str, how: impl AsyncFnOnce(TcpStream)) -> (Reply, TcpStream) {
    let (upstream, _keystone, proxy) = by_hand().await;
    let head = "PUT /object-store/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\n\r\n";
    let mut client = send(&proxy, head).await;
    let mut origin = upstream.accept().await;
    let asked = read_head(&mut origin).await;
    if fields(&asked, "expect") == ["100-continue"] {
        origin.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
    }
    client.write_all(&[0; 100_000]).await.unwrap();
    take(&mut origin, 50_000).await;
    origin.write_all(answer.as_bytes()).await.unwrap();
    how(origin).await;
    let reply = read_reply(&mut client, false).await;
    (reply, client)
}

const TOO_LARGE: &str = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n\r\nquota";

#[tokio::test(start_paused = true)]
async fn an_early_answer_arrives_whatever_the_upstream_does_then() {
    let reads_on = async |mut origin: TcpStream| {
        tokio::spawn(async move { tokio::io::copy(&mut origin, &mut tokio::io::sink()).await });
    };
    let reads_no_more = async |origin: TcpStream| {
        tokio::spawn(async move {
            std::future::pending::<()>().await;
            drop(origin);
        });
    };
    let closes = async |origin: TcpStream| drop(origin);
    for (reply, client) in [
        answered_early(TOO_LARGE, reads_on).await,
        answered_early(TOO_LARGE, reads_no_more).await,
        // Bytes that nobody has read make this a reset.
        answered_early(TOO_LARGE, closes).await,
    ] {
        let mut client = client;
        assert_eq!((reply.status, reply.text()), (413, "quota"));
        assert_eq!(reply.field("connection"), Some("close"));
        // It may still be read, or not; nothing more comes of it.
        let _ = client.write_all(&[0; 1_000_000]).await;
        let (rest, _) = to_the_end(&mut client).await;
        assert!(rest.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_was_refused_is_seen_as_cut_by_the_upstream() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let head = "PUT /object-store/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut client = send(&proxy, head).await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    origin.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
    client.write_all(b"5\r\nfirst\r\n").await.unwrap();
    take(&mut origin, 10).await;
    origin.write_all(TOO_LARGE.as_bytes()).await.unwrap();
    assert_eq!(read_reply(&mut client, false).await.status, 413);
    client.write_all(b"5\r\nother\r\n0\r\n\r\n").await.unwrap();
    let (rest, _) = to_the_end(&mut origin).await;
    assert!(!rest.ends_with(b"0\r\n\r\n"), "{}", String::from_utf8_lossy(&rest));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sends_on_behind_an_early_answer_is_neither_idle_nor_slow_with_a_head() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let head = "PUT /object-store/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000\r\n\r\n";
    let mut client = send(&proxy, head).await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    origin.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    assert_eq!(read_reply(&mut client, false).await.status, 201);
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_secs(40)).await;
        client.write_all(&[b'x'; 100]).await.unwrap();
        take(&mut origin, 100).await;
    }
    client.write_all(GET.as_bytes()).await.unwrap();
    // The one before has grown too old meanwhile.
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    origin.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    assert_eq!(read_reply(&mut client, false).await.status, 200);
}

/// An upload that stands still, since the upstream has asked for it and takes nothing.
async fn stalled(proxy: &Proxy, upstream: &Upstream) -> (TcpStream, TcpStream) {
    let head = "PUT /object-store/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut client = send(proxy, head).await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    origin.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
    let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
    while tokio::time::timeout(Duration::from_secs(5), client.write_all(&chunk)).await.is_ok() {}
    (client, origin)
}

#[tokio::test(start_paused = true)]
async fn an_upload_whose_client_left_while_the_upstream_takes_nothing_is_dropped() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let (client, _origin) = stalled(&proxy, &upstream).await;
    let open = async || {
        let metrics = ask(proxy.addr, "GET /-/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        let line = metrics
            .text()
            .lines()
            .find(|line| line.starts_with("gatestone_connections_open "))
            .unwrap()
            .to_owned();
        line.rsplit(' ').next().unwrap().parse::<u32>().unwrap()
    };
    assert_eq!(open().await, 2, "the upload, and who asks");
    client.set_zero_linger().unwrap();
    drop(client);
    let start = tokio::time::Instant::now();
    while open().await > 1 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_upload_is_refused_by_an_upstream_that_takes_nothing_is_let_go() {
    let elsewhere = "HTTP/1.1 307 Temporary Redirect\r\nLocation: /else\r\nContent-Length: 0\r\n\r\n";
    for (answer, status) in [(TOO_LARGE, 413), (elsewhere, 307), ("", 504)] {
        let (upstream, _keystone, proxy) = by_hand().await;
        let (mut client, mut origin) = stalled(&proxy, &upstream).await;
        origin.write_all(answer.as_bytes()).await.unwrap();
        let reply = read_reply(&mut client, false).await;
        assert_eq!((reply.status, reply.field("connection")), (status, Some("close")));
        let start = tokio::time::Instant::now();
        let _ = to_the_end(&mut client).await;
        assert!(start.elapsed().as_secs() < 30, "{status}: {:?}", start.elapsed());
    }
}
