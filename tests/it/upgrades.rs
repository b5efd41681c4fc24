//! WebSocket passes; nothing else is upgraded to.

use std::time::Duration;

use gatestone::shutdown::Stop;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::by_hand::{by_hand, send, take, to_the_end};
use crate::support::http::{fields, read_head, read_reply};

const ASK: &str = "GET /object-store/console HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n";
const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\
    Sec-WebSocket-Accept: y\r\nX-Auth-Token: t\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn a_websocket_passes_with_what_came_early_and_with_its_ends_in_order() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut client = send(&proxy, &format!("{ASK}from the client, early")).await;
    let mut origin = upstream.accept().await;
    let head = read_head(&mut origin).await;
    assert_eq!(fields(&head, "connection"), ["upgrade"]);
    assert_eq!(fields(&head, "upgrade"), ["websocket"]);
    assert_eq!(fields(&head, "sec-websocket-key"), ["x"]);
    origin.write_all(format!("{SWITCH}from the origin, early").as_bytes()).await.unwrap();
    let head = read_head(&mut client).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert_eq!(fields(&head, "upgrade"), ["websocket"]);
    assert_eq!(fields(&head, "sec-websocket-accept"), ["y"]);
    assert!(fields(&head, "x-auth-token").is_empty());
    assert_eq!(take(&mut client, 22).await, b"from the origin, early");
    assert_eq!(take(&mut origin, 22).await, b"from the client, early");
    let large = vec![b'x'; 1_000_000];
    let sending = tokio::spawn(async move {
        client.write_all(&vec![b'x'; 1_000_000]).await.unwrap();
        client.shutdown().await.unwrap();
        client
    });
    let (came, ended) = to_the_end(&mut origin).await;
    assert!(came == large);
    ended.unwrap();
    let mut client = sending.await.unwrap();
    origin.write_all(b"last words").await.unwrap();
    drop(origin);
    assert_eq!(to_the_end(&mut client).await.0, b"last words");
}

#[tokio::test(start_paused = true)]
async fn a_refused_upgrade_leaves_an_ordinary_connection() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut client = send(&proxy, ASK).await;
    let mut origin = upstream.accept().await;
    for _ in 0..2 {
        read_head(&mut origin).await;
        origin.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").await.unwrap();
        let reply = read_reply(&mut client, false).await;
        assert_eq!((reply.status, reply.text()), (403, "no"));
        client.write_all(ASK.as_bytes()).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn other_protocols_are_not_asked_for() {
    for (protocol, version) in
        [("h2c", "1.1"), ("websocket, h2c", "1.1"), ("TLS/1.0", "1.1"), ("websocket", "1.0")]
    {
        let (upstream, _keystone, proxy) = by_hand().await;
        let request = ASK.replace("Upgrade: websocket", &format!("Upgrade: {protocol}\r\nHTTP2-Settings: x"));
        let mut client = send(&proxy, &request.replace("HTTP/1.1", &format!("HTTP/{version}"))).await;
        let mut origin = upstream.accept().await;
        let head = read_head(&mut origin).await;
        for gone in ["upgrade", "connection", "http2-settings"] {
            assert!(fields(&head, gone).is_empty(), "{protocol}: {head}");
        }
        origin.write_all(SWITCH.as_bytes()).await.unwrap();
        let reply = read_reply(&mut client, false).await;
        assert_eq!((reply.status, reply.reason()), (502, "upstream_closed"), "{protocol}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_switch_to_another_protocol_than_asked_for_is_an_error() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut client = send(&proxy, ASK).await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    origin.write_all(SWITCH.replace("WebSocket\r", "h2c\r").as_bytes()).await.unwrap();
    let reply = read_reply(&mut client, false).await;
    assert_eq!((reply.status, reply.reason()), (502, "upstream_closed"));
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_goes_on_while_we_are_to_stop_and_ends_at_the_bound() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut client = send(&proxy, ASK).await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    origin.write_all(SWITCH.as_bytes()).await.unwrap();
    read_head(&mut client).await;
    proxy.tell(Stop::Drain);
    tokio::time::sleep(Duration::from_secs(10)).await;
    client.write_all(b"still here").await.unwrap();
    assert_eq!(take(&mut origin, 10).await, b"still here");
    proxy.ended().await.unwrap();
    assert_eq!(origin.read(&mut [0; 8]).await.unwrap_or(0), 0);
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_through_which_nothing_passes_ends() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut client = send(&proxy, ASK).await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    origin.write_all(SWITCH.as_bytes()).await.unwrap();
    read_head(&mut client).await;
    let start = tokio::time::Instant::now();
    assert!(to_the_end(&mut origin).await.0.is_empty());
    assert_eq!(start.elapsed().as_secs(), 3600);
    assert!(to_the_end(&mut client).await.0.is_empty());
}
