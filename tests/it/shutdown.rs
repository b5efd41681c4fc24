//! The graceful end.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::support::http::{read_head, read_reply};
use crate::support::{Keystone, Proxy, Service};

#[tokio::test(start_paused = true)]
async fn a_download_in_flight_is_finished_and_idle_connections_are_closed_at_once() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/AUTH_p", upstream.local_addr().unwrap());
    let keystone = Keystone::start(serde_json::json!([{ "type": "object-store", "endpoints": [
        { "interface": "public", "region_id": "R", "url": url } ] }]))
    .await;
    let mut proxy = Proxy::start(&keystone);
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

    proxy.signal();
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
async fn the_end_is_bounded() {
    let service = Service::saying("").await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let mut proxy = Proxy::start(&keystone);
    let mut stuck = TcpStream::connect(proxy.addr).await.unwrap();
    stuck.write_all(b"GET /object-store/o HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut half = TcpStream::connect(proxy.addr).await.unwrap();
    half.write_all(b"GET /object-store/o HTTP/1.1\r\nHo").await.unwrap();
    while service.heads().is_empty() {
        tokio::task::yield_now().await;
    }
    let start = Instant::now();
    proxy.signal();
    proxy.ended().await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_whole_request_is_closed_after_the_idle_limit() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    for bytes in ["", "GET / HT", "GET /-/livez HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
        let mut client = TcpStream::connect(proxy.addr).await.unwrap();
        client.write_all(bytes.as_bytes()).await.unwrap();
        let start = Instant::now();
        let mut all = Vec::new();
        // A reset is an end as well.
        let _ = client.read_to_end(&mut all).await;
        assert_eq!(start.elapsed().as_secs(), 300, "{bytes:?}");
    }
}
