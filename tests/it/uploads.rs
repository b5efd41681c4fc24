//! Uploads: asked for before they are sent, and sent again where that is right.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::support::Proxy;
use crate::support::by_hand::{Upstream, by_hand, is_silent, send, take};
use crate::support::http::{fields, read_head, read_reply};

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
const CREATED: &[u8] = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
/// Less than the second that an upstream has to ask for a body.
const A_WHILE: Duration = Duration::from_millis(900);
/// The longest body that is sent without being asked for.
const SMALL: usize = 128 * 1024;
const LARGE: usize = SMALL + 1;

/// `length` bytes of which no two parts look alike.
fn bytes(length: usize) -> String {
    (0..).map(|i: u32| format!("{i:07} ")).take(length.div_ceil(8)).collect::<String>()[..length].to_owned()
}

/// A request with a body of `length` bytes; `more` are further lines of its head.
fn request(method: &str, length: usize, more: &str) -> String {
    let body = bytes(length);
    format!(
        "{method} /object-store/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{more}\r\n{body}"
    )
}

/// A client that sends these bytes for as long as they are taken, and reads meanwhile.
async fn client(proxy: &Proxy, bytes: String) -> TcpStream {
    let stream = send(proxy, "").await.into_std().unwrap();
    let mut writer = TcpStream::from_std(stream.try_clone().unwrap()).unwrap();
    // A server that has answered need not take the rest.
    tokio::spawn(async move { _ = writer.write_all(bytes.as_bytes()).await });
    TcpStream::from_std(stream).unwrap()
}

/// The status of the next final response.
async fn status(client: &mut TcpStream) -> u16 {
    read_reply(client, false).await.status
}

/// A GET, after which the connection that it returns is in the proxy's pool.
async fn pooled(upstream: &Upstream, proxy: &Proxy) -> TcpStream {
    let mut client = send(proxy, "GET /object-store/o HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    origin.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    assert_eq!(status(&mut client).await, 200);
    origin
}

#[tokio::test(start_paused = true)]
async fn small_uploads_are_sent_at_once() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let start = Instant::now();
    let mut client = client(&proxy, request("PUT", SMALL, "")).await;
    let mut origin = upstream.accept().await;
    assert_eq!(fields(&read_head(&mut origin).await, "expect"), [""; 0]);
    assert_eq!(take(&mut origin, SMALL).await, bytes(SMALL).as_bytes());
    origin.write_all(CREATED).await.unwrap();
    assert_eq!((status(&mut client).await, start.elapsed()), (201, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_expects_to_be_asked_is_asked_when_the_upstream_asks() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let whole = request("PUT", LARGE, "Expect: 100-Continue\r\n");
    let (head, body) = whole.split_at(whole.len() - LARGE);
    let mut client = send(&proxy, head).await;
    let mut origin = upstream.accept().await;
    assert_eq!(fields(&read_head(&mut origin).await, "expect"), ["100-Continue"], "its own, once");
    assert!(is_silent(&mut client, A_WHILE).await);
    origin.write_all(CONTINUE).await.unwrap();
    assert!(read_head(&mut client).await.starts_with("HTTP/1.1 100 "));
    client.write_all(body.as_bytes()).await.unwrap();
    assert_eq!(take(&mut origin, LARGE).await, body.as_bytes());
    origin.write_all(CREATED).await.unwrap();
    assert_eq!(status(&mut client).await, 201);
}

#[tokio::test(start_paused = true)]
async fn a_small_upload_on_a_stale_connection_is_sent_again_whole() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut stale = pooled(&upstream, &proxy).await;
    let length = 100 * 1024;
    let mut client = client(&proxy, request("PUT", length, "")).await;
    read_head(&mut stale).await;
    take(&mut stale, 10_000).await;
    drop(stale);
    let mut origin = upstream.accept().await;
    let head = read_head(&mut origin).await;
    assert_eq!(fields(&head, "content-length"), [length.to_string()]);
    assert_eq!(take(&mut origin, length).await, bytes(length).as_bytes());
    origin.write_all(CREATED).await.unwrap();
    assert_eq!(status(&mut client).await, 201);
    let metrics = crate::support::get(proxy.addr, "/-/metrics").await;
    let received = format!("gatestone_received_bytes_total {length}\n");
    assert!(metrics.text().contains(&received), "{}", metrics.text());
}

#[tokio::test(start_paused = true)]
async fn an_upload_is_sent_again_while_the_rest_of_it_is_still_to_come() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut stale = pooled(&upstream, &proxy).await;
    let whole = request("PUT", 10, "");
    let (half, rest) = whole.split_at(whole.len() - 5);
    let mut client = send(&proxy, half).await;
    read_head(&mut stale).await;
    take(&mut stale, 5).await;
    drop(stale);
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    assert_eq!(take(&mut origin, 5).await, &bytes(10).as_bytes()[..5]);
    client.write_all(rest.as_bytes()).await.unwrap();
    assert_eq!(take(&mut origin, 5).await, &bytes(10).as_bytes()[5..]);
    origin.write_all(CREATED).await.unwrap();
    assert_eq!(status(&mut client).await, 201);
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_done_is_not_done_again() {
    // (request, what the upstream says before it closes)
    let post = request("POST", 10, "");
    let asked_for = request("PUT", 10, "Expect: 100-continue\r\n");
    for (bytes, said) in [(post, &b""[..]), (asked_for, CONTINUE)] {
        let (upstream, _keystone, proxy) = by_hand().await;
        let mut stale = pooled(&upstream, &proxy).await;
        let mut client = client(&proxy, bytes).await;
        read_head(&mut stale).await;
        stale.write_all(said).await.unwrap();
        take(&mut stale, 10).await;
        drop(stale);
        if !said.is_empty() {
            assert!(read_head(&mut client).await.starts_with("HTTP/1.1 100 "));
        }
        let reply = read_reply(&mut client, false).await;
        assert_eq!((reply.status, reply.reason()), (502, "upstream_closed"));
        assert!(upstream.is_left_alone().await);
    }
}
