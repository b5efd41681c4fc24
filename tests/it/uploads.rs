//! Uploads: asked for before they are sent, and sent again where that is right.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::support::Proxy;
use crate::support::by_hand::{Upstream, by_hand, is_silent, send, take, to_the_end};
use crate::support::http::{fields, read_head, read_reply};

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
const CREATED: &[u8] = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
/// Less than the second that an upstream has to ask for a body.
const A_WHILE: Duration = Duration::from_millis(900);
/// The longest body that is sent without being asked for.
const SMALL: usize = 128 * 1024;
const LARGE: usize = SMALL + 1;

/// A short body whose length nobody knows beforehand.
const CHUNKED: &str = "PUT /object-store/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\
                       5\r\nhello\r\n0\r\n\r\n";

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
async fn the_upstream_is_asked_first_about_large_uploads_and_those_of_unknown_length() {
    let large = request("PUT", LARGE, "");
    let of_http_1_0 = large.replace("HTTP/1.1", "HTTP/1.0");
    for (bytes_sent, body) in [
        (large, bytes(LARGE)),
        (CHUNKED.to_owned(), "5\r\nhello\r\n0\r\n\r\n".to_owned()),
        (of_http_1_0, bytes(LARGE)),
    ] {
        let (upstream, _keystone, proxy) = by_hand().await;
        let mut client = client(&proxy, bytes_sent).await;
        let mut origin = upstream.accept().await;
        let head = read_head(&mut origin).await;
        assert_eq!(fields(&head, "expect"), ["100-continue"]);
        assert!(is_silent(&mut origin, A_WHILE).await, "nothing may travel before the 100");
        origin.write_all(CONTINUE).await.unwrap();
        assert_eq!(String::from_utf8(take(&mut origin, body.len()).await).unwrap(), body);
        origin.write_all(CREATED).await.unwrap();
        // The client, which expected nothing, is told of no 100.
        assert_eq!(status(&mut client).await, 201);
        // The connection is as good as new.
        let _next = send(&proxy, "GET /object-store/o HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        read_head(&mut origin).await;
    }
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
async fn a_refusal_arrives_whole_before_a_byte_of_the_body_has_travelled() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let whole = request("PUT", LARGE, "");
    let mut client = send(&proxy, &whole[..whole.len() - LARGE]).await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    origin.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 6\r\n\r\nsor").await.unwrap();
    assert!(read_head(&mut client).await.starts_with("HTTP/1.1 413 "));
    assert!(
        is_silent(&mut origin, A_WHILE * 100).await,
        "nor after the wait, nor an end that cuts the answer"
    );
    origin.write_all(b"ry!").await.unwrap();
    assert_eq!(take(&mut client, 6).await, b"sorry!");
    let (rest, _) = to_the_end(&mut origin).await;
    assert_eq!(rest, b"", "and the connection is not used again");
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_never_asks_costs_one_wait_in_ten_minutes() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut origin = None;
    for (minutes, expects, wait) in [(0, true, 1), (0, false, 0), (9, false, 0), (2, true, 1), (9, false, 0)]
    {
        tokio::time::sleep(Duration::from_secs(minutes * 60)).await;
        let start = Instant::now();
        let mut client = client(&proxy, request("PUT", LARGE, "")).await;
        // Idle connections are kept for a minute.
        let mut connection = match origin.take() {
            Some(connection) if minutes == 0 => connection,
            _ => upstream.accept().await,
        };
        let head = read_head(&mut connection).await;
        assert_eq!(fields(&head, "expect").len(), usize::from(expects), "{minutes}");
        assert_eq!(take(&mut connection, LARGE).await, bytes(LARGE).as_bytes());
        connection.write_all(CREATED).await.unwrap();
        assert_eq!(status(&mut client).await, 201);
        assert_eq!(start.elapsed().as_secs(), wait, "{minutes}");
        origin = Some(connection);
    }
}

#[tokio::test(start_paused = true)]
async fn an_expectation_of_the_clients_own_is_passed_on_to_an_upstream_that_never_asks() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut origin = None;
    for more in ["", "Expect: 100-continue\r\n"] {
        let mut client = client(&proxy, request("PUT", LARGE, more)).await;
        let mut connection = match origin.take() {
            Some(connection) => connection,
            None => upstream.accept().await,
        };
        assert_eq!(fields(&read_head(&mut connection).await, "expect"), ["100-continue"]);
        assert!(is_silent(&mut connection, A_WHILE).await, "it still has its time to ask");
        take(&mut connection, LARGE).await;
        connection.write_all(CREATED).await.unwrap();
        if !more.is_empty() {
            assert!(read_head(&mut client).await.starts_with("HTTP/1.1 100 "));
        }
        assert_eq!(status(&mut client).await, 201);
        origin = Some(connection);
    }
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_is_merely_slow_is_asked_again() {
    // (what it says when the wait is over, what it says then)
    let refused = b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    for (late, end, code) in [(CONTINUE, CREATED, 201), (b"", refused, 403)] {
        let (upstream, _keystone, proxy) = by_hand().await;
        let mut first = client(&proxy, request("PUT", LARGE, "")).await;
        let mut origin = upstream.accept().await;
        read_head(&mut origin).await;
        take(&mut origin, LARGE).await;
        origin.write_all(late).await.unwrap();
        origin.write_all(end).await.unwrap();
        assert_eq!(status(&mut first).await, code);
        drop(origin);
        let _second = client(&proxy, request("PUT", LARGE, "")).await;
        let head = read_head(&mut upstream.accept().await).await;
        assert_eq!(fields(&head, "expect"), ["100-continue"], "{code}");
    }
}

const FAILED: &[u8] = b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 5\r\n\r\nnever";

/// Has the proxy learnt that this upstream does not know `Expect`; gives the connection that it now has.
async fn taught(upstream: &Upstream, proxy: &Proxy) -> TcpStream {
    let mut client = client(proxy, request("POST", LARGE, "")).await;
    let mut refusing = upstream.accept().await;
    assert_eq!(fields(&read_head(&mut refusing).await, "expect"), ["100-continue"]);
    refusing.write_all(FAILED).await.unwrap();
    let mut origin = upstream.accept().await;
    assert_eq!(fields(&read_head(&mut origin).await, "expect"), [""; 0]);
    assert_eq!(take(&mut origin, LARGE).await, bytes(LARGE).as_bytes());
    let (rest, _) = to_the_end(&mut refusing).await;
    assert_eq!(rest, b"", "the one that refused got nothing");
    origin.write_all(CREATED).await.unwrap();
    assert_eq!(status(&mut client).await, 201);
    origin
}

#[tokio::test(start_paused = true)]
async fn a_417_to_our_expectation_is_answered_by_leaving_it_out() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let start = Instant::now();
    let mut origin = taught(&upstream, &proxy).await;
    let _next = client(&proxy, request("PUT", LARGE, "")).await;
    assert_eq!(fields(&read_head(&mut origin).await, "expect"), [""; 0], "and it is remembered");
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_417_to_the_clients_own_expectation_is_the_clients() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let whole = request("PUT", LARGE, "Expect: 100-continue\r\n");
    let mut client = send(&proxy, &whole[..whole.len() - LARGE]).await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    origin.write_all(FAILED).await.unwrap();
    let reply = read_reply(&mut client, false).await;
    assert_eq!((reply.status, reply.text()), (417, "never"));
    assert!(upstream.is_left_alone().await);
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
    assert_eq!(crate::support::received_bytes(proxy.addr).await, length as u64);
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
async fn an_upload_that_has_passed_is_not_sent_again() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut stale = taught(&upstream, &proxy).await;
    let mut client = client(&proxy, request("PUT", 200 * 1024, "")).await;
    assert_eq!(fields(&read_head(&mut stale).await, "expect"), [""; 0]);
    take(&mut stale, LARGE).await;
    drop(stale);
    let reply = read_reply(&mut client, false).await;
    assert_eq!((reply.status, reply.reason()), (502, "upstream_closed"));
    assert!(upstream.is_left_alone().await);
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_done_is_not_done_again() {
    // (request, what the upstream says before it closes)
    let post = request("POST", 10, "");
    for (bytes, said) in [(post, &b""[..]), (CHUNKED.to_owned(), CONTINUE)] {
        let (upstream, _keystone, proxy) = by_hand().await;
        let mut stale = pooled(&upstream, &proxy).await;
        let mut client = client(&proxy, bytes).await;
        read_head(&mut stale).await;
        stale.write_all(said).await.unwrap();
        take(&mut stale, 10).await;
        drop(stale);
        let reply = read_reply(&mut client, false).await;
        assert_eq!((reply.status, reply.reason()), (502, "upstream_closed"));
        assert!(upstream.is_left_alone().await);
    }
}
