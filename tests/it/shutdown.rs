//! The graceful end.

use std::time::Duration;

use gatestone::shutdown::Stop;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::support::http::{fields, read_head, read_reply};
use crate::support::{Keystone, Proxy, Service};

#[tokio::test(start_paused = true)]
async fn a_download_in_flight_is_finished_and_idle_connections_are_closed_in_a_moment() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/AUTH_p", upstream.local_addr().unwrap());
    let keystone = Keystone::start(serde_json::json!([{ "type": "object-store", "endpoints": [
        { "interface": "public", "region_id": "R", "url": url } ] }]))
    .await;
    let proxy = Proxy::start(&keystone);
    let addr = proxy.addr;
    let mut idle = TcpStream::connect(addr).await.unwrap();
    idle.write_all(b"GET /-/livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    read_reply(&mut idle, false).await;
    let mut busy = TcpStream::connect(addr).await.unwrap();
    busy.write_all(b"GET /object-store/o HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let (mut origin, _) = upstream.accept().await.unwrap();
    read_head(&mut origin).await;
    origin.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf").await.unwrap();
    read_head(&mut busy).await;

    proxy.tell(Stop::Drain);
    let start = Instant::now();
    assert_eq!(idle.read(&mut [0; 16]).await.unwrap(), 0);
    assert!(start.elapsed() < Duration::from_secs(1));
    assert!(TcpStream::connect(addr).await.is_err(), "nothing new is accepted");
    origin.write_all(b"rest").await.unwrap();
    let mut body = Vec::new();
    busy.read_to_end(&mut body).await.unwrap();
    assert_eq!(body, b"halfrest");
    proxy.ended().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_on_its_way_when_told_to_stop_is_answered_and_is_the_last() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    // One that hyper holds, and one that has come to rest.
    let mut clients = Vec::new();
    for pause in [5, 0] {
        let mut client = TcpStream::connect(proxy.addr).await.unwrap();
        client.write_all(b"GET /object-store/o HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        assert_eq!(read_reply(&mut client, false).await.status, 200);
        tokio::time::sleep(Duration::from_secs(pause)).await;
        clients.push(client);
    }
    proxy.tell(Stop::Drain);
    tokio::time::sleep(Duration::from_millis(100)).await;
    for (client, path) in clients.iter_mut().zip(["/object-store/o", "/-/livez"]) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let reply = read_reply(client, false).await;
        assert_eq!((reply.status, fields(&reply.head, "connection")), (200, vec!["close"]));
        assert_eq!(client.read(&mut [0; 16]).await.unwrap(), 0);
    }
    proxy.ended().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_end_is_bounded() {
    let service = Service::saying("").await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    let mut stuck = TcpStream::connect(proxy.addr).await.unwrap();
    stuck.write_all(b"GET /object-store/o HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut half = TcpStream::connect(proxy.addr).await.unwrap();
    half.write_all(b"GET /object-store/o HTTP/1.1\r\nHo").await.unwrap();
    while service.heads().is_empty() {
        tokio::task::yield_now().await;
    }
    let start = Instant::now();
    proxy.tell(Stop::Drain);
    proxy.ended().await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_whole_request_is_closed_after_the_idle_limit_and_half_a_head_sooner() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    let livez = "GET /-/livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (bytes, limit) in [("", 300), ("GET / HT", 30), (livez, 300)] {
        let mut client = TcpStream::connect(proxy.addr).await.unwrap();
        client.write_all(bytes.as_bytes()).await.unwrap();
        let start = Instant::now();
        let mut all = Vec::new();
        // A reset is an end as well.
        let _ = client.read_to_end(&mut all).await;
        assert_eq!(start.elapsed().as_secs(), limit, "{bytes:?}");
    }
    let mut client = TcpStream::connect(proxy.addr).await.unwrap();
    client.write_all(livez.as_bytes()).await.unwrap();
    read_reply(&mut client, false).await;
    tokio::time::sleep(Duration::from_secs(290)).await;
    client.write_all(b"GET").await.unwrap();
    let start = Instant::now();
    let _ = client.read_to_end(&mut Vec::new()).await;
    assert_eq!(start.elapsed().as_secs(), 30, "half a head, on a connection that has been idle");
}

#[tokio::test(start_paused = true)]
async fn a_head_in_drips_ends_also_behind_a_body_that_nobody_wanted() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    let mut client = TcpStream::connect(proxy.addr).await.unwrap();
    client
        .write_all(b"GET /-/livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi")
        .await
        .unwrap();
    assert_eq!(read_reply(&mut client, false).await.status, 200);
    let start = Instant::now();
    while client.write_all(b"G").await.is_ok() && start.elapsed().as_secs() < 3600 {
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    assert!(start.elapsed().as_secs() <= 60, "{:?}", start.elapsed());
}

/// A download of `length` bytes that has been asked for, and its upstream's connection.
async fn download(version: &str, length: usize) -> (Proxy, TcpStream, TcpStream) {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/AUTH_p", upstream.local_addr().unwrap());
    let keystone = Keystone::start(serde_json::json!([{ "type": "object-store", "endpoints": [
        { "interface": "public", "region_id": "R", "url": url } ] }]))
    .await;
    let proxy = Proxy::start(&keystone);
    let mut client = TcpStream::connect(proxy.addr).await.unwrap();
    let request = format!("GET /object-store/o HTTP/{version}\r\nHost: localhost\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    let (mut origin, _) = upstream.accept().await.unwrap();
    read_head(&mut origin).await;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
    origin.write_all(head.as_bytes()).await.unwrap();
    read_head(&mut client).await;
    (proxy, client, origin)
}

#[tokio::test(start_paused = true)]
async fn what_is_cut_at_the_end_is_seen_as_cut_also_by_an_http_1_0_client() {
    let (proxy, mut client, mut origin) = download("1.0", 100).await;
    origin.write_all(b"half").await.unwrap();
    let start = Instant::now();
    proxy.tell(Stop::Drain);
    let mut body = Vec::new();
    let end = client.read_to_end(&mut body).await;
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(start.elapsed().as_secs(), 30);
    proxy.ended().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_second_word_ends_it_at_once() {
    let (proxy, mut client, _origin) = download("1.1", 100).await;
    let start = Instant::now();
    proxy.tell(Stop::Drain);
    tokio::time::sleep(Duration::from_secs(3)).await;
    proxy.tell(Stop::Now);
    assert!(client.read(&mut [0; 16]).await.is_err());
    proxy.ended().await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 3);
}
