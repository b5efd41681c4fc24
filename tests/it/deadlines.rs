//! How long things may last: waits end, bodies that move never do, and nobody is blamed for the other's silence.

use std::time::Duration;

use gatestone::body::read_limited;
use gatestone::client::{BodyError, Client, RequestBody};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use crate::support::by_hand::{by_hand, by_hand_with, send, to_the_end};
use crate::support::config;
use crate::support::http::{read_head, read_reply};

const GET: &str = "GET /object-store/o HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// The head of an upload of this length.
fn put(length: usize) -> String {
    format!("PUT /object-store/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n")
}

/// What has come before, now.
async fn in_the_meantime(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = vec![0; 1 << 16];
    let read = tokio::time::timeout(Duration::from_millis(1), stream.read(&mut bytes)).await;
    bytes.truncate(read.map_or(0, |read| read.unwrap()));
    bytes
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_stops_in_the_middle_of_a_body_is_cut_after_the_body_timeout() {
    for framing in
        ["Content-Length: 8\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "\r\nhalf"]
    {
        let (upstream, _keystone, proxy) = by_hand().await;
        let mut client = send(&proxy, GET).await;
        let mut origin = upstream.accept().await;
        read_head(&mut origin).await;
        // Whatever came before does not count.
        sleep(Duration::from_secs(500)).await;
        let start = Instant::now();
        origin.write_all(format!("HTTP/1.1 200 OK\r\n{framing}").as_bytes()).await.unwrap();
        let (seen, end) = to_the_end(&mut client).await;
        assert!(String::from_utf8(seen).unwrap().starts_with("HTTP/1.1 200 OK\r\n"), "{framing:?}");
        assert!(end.is_err(), "{framing:?}: it should be seen as cut");
        assert_eq!(start.elapsed().as_secs(), 300, "{framing:?}");
        assert_eq!(origin.read(&mut [0]).await.unwrap(), 0, "{framing:?}: the upstream is still held");
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_that_move_now_and_then_are_never_cut() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut client = send(&proxy, &put(20)).await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    for _ in 0..20 {
        sleep(Duration::from_secs(299)).await;
        client.write_all(b"x").await.unwrap();
        assert_eq!(origin.read_u8().await.unwrap(), b'x');
    }
    // The wait for the head begins with the last byte of the request.
    sleep(Duration::from_secs(599)).await;
    origin.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n").await.unwrap();
    for _ in 0..20 {
        sleep(Duration::from_secs(299)).await;
        origin.write_all(b"y").await.unwrap();
    }
    assert_eq!(read_reply(&mut client, false).await.text(), "y".repeat(20));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stops_in_the_middle_of_its_upload_gets_a_408_and_the_upstream_sees_a_cut() {
    // (framing and first half, the same as the upstream gets it)
    let table = [
        ("Content-Length: 8\r\n\r\nhalf", "half"),
        ("Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "4\r\nhalf\r\n"),
        ("Content-Length: 8\r\n\r\n", ""),
        ("Content-Length: 8\r\nExpect: 100-continue\r\n\r\n", ""),
    ];
    for (framing, half) in table {
        let (upstream, _keystone, proxy) = by_hand().await;
        let head = "PUT /object-store/o HTTP/1.1\r\nHost: localhost\r\n";
        let mut client = send(&proxy, &format!("{head}{framing}")).await;
        let mut origin = upstream.accept().await;
        let head = read_head(&mut origin).await;
        // The client's expectation, or ours for a body of unknown length.
        if head.to_lowercase().contains("expect: ") {
            origin.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
        }
        if framing.contains("Expect") {
            assert!(read_head(&mut client).await.starts_with("HTTP/1.1 100 "));
        }
        let start = Instant::now();
        let reply = read_reply(&mut client, false).await;
        assert_eq!((reply.status, reply.reason()), (408, "request_timeout"), "{framing:?}");
        assert_eq!(start.elapsed().as_secs(), 300, "{framing:?}");
        assert_eq!(reply.field("connection"), Some("close"));
        assert!(reply.text().contains("body_timeout"), "{}", reply.text());
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        let (seen, _) = to_the_end(&mut origin).await;
        assert_eq!(String::from_utf8(seen).unwrap(), half, "{framing:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_takes_nothing_of_an_upload_is_the_one_that_is_late() {
    let (upstream, _keystone, proxy) = by_hand_with(|settings| {
        settings.client.body_timeout = Duration::from_secs(7);
    })
    .await;
    let length = 64 << 20;
    let client = send(&proxy, &put(length)).await;
    let mut origin = upstream.accept().await;
    // Ours is asked for, since it is long.
    assert!(read_head(&mut origin).await.contains("100-continue"));
    origin.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
    let start = Instant::now();
    let (mut reading, mut writing) = client.into_split();
    let sending = tokio::spawn(async move { writing.write_all(&vec![b'x'; length]).await });
    let mut head = [0; 12];
    reading.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 504");
    assert!((600..602).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    drop(reading);
    let _ = sending.await;
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_a_head_counts_from_the_last_byte_of_the_request() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut client = send(&proxy, &put(8)).await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    sleep(Duration::from_secs(200)).await;
    client.write_all(b"half").await.unwrap();
    sleep(Duration::from_secs(250)).await;
    client.write_all(b"half").await.unwrap();
    let start = Instant::now();
    let reply = read_reply(&mut client, false).await;
    assert_eq!((reply.status, reply.reason()), (504, "upstream_timeout"));
    assert_eq!(start.elapsed().as_secs(), 600);
}

#[tokio::test(start_paused = true)]
async fn a_response_that_began_early_waits_for_the_rest_of_the_upload() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut client = send(&proxy, &put(4)).await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    origin.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n").await.unwrap();
    read_head(&mut client).await;
    for _ in 0..4 {
        sleep(Duration::from_secs(200)).await;
        client.write_all(b"x").await.unwrap();
        assert_eq!(in_the_meantime(&mut origin).await, b"x");
    }
    sleep(Duration::from_secs(200)).await;
    origin.write_all(b"done").await.unwrap();
    let mut body = [0; 4];
    client.read_exact(&mut body).await.unwrap();
    assert_eq!(&body, b"done");
}

/// A response whose first half has come, and the upstream that has sent it.
async fn half_a_response() -> (gatestone::client::ResponseBody, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let client = Client::new(&config::password("http://127.0.0.1:1/v3").client).unwrap();
    let sending = tokio::spawn(async move {
        client.send(&url, http::Request::new(RequestBody::Empty)).await.unwrap().into_body()
    });
    let (mut origin, _) = listener.accept().await.unwrap();
    read_head(&mut origin).await;
    origin.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf").await.unwrap();
    let mut body = sending.await.unwrap();
    let frame = next_frame(&mut body).await.unwrap();
    assert_eq!(frame, "half");
    (body, origin)
}

async fn next_frame(body: &mut gatestone::client::ResponseBody) -> Result<bytes::Bytes, BodyError> {
    use http_body_util::BodyExt;
    Ok(body.frame().await.unwrap()?.into_data().unwrap())
}

#[tokio::test(start_paused = true)]
async fn the_time_in_which_nobody_reads_a_response_is_not_its_upstreams_silence() {
    let (mut body, mut origin) = half_a_response().await;
    // The client is slow: nobody asks for the next piece.
    sleep(Duration::from_secs(1000)).await;
    tokio::spawn(async move {
        sleep(Duration::from_secs(299)).await;
        origin.write_all(b"rest").await.unwrap();
        std::future::pending::<()>().await;
    });
    assert_eq!(read_limited(body, 100).await.unwrap(), "rest");

    (body, origin) = half_a_response().await;
    sleep(Duration::from_secs(1000)).await;
    let start = Instant::now();
    assert!(matches!(next_frame(&mut body).await, Err(BodyError::Silent(_))));
    assert_eq!(start.elapsed().as_secs(), 300);
    drop(origin);
}
