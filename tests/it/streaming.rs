//! Bodies: they flow as they come, both ways, and a cut one is seen as cut.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::by_hand::{by_hand, send, to_the_end};
use crate::support::http::{fields, read_head};
use crate::support::{Keystone, Proxy, Service, ask};

#[tokio::test(start_paused = true)]
async fn a_download_flows_as_it_comes() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut client = send(&proxy, "GET /object-store/o HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    origin.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst").await.unwrap();
    let head = read_head(&mut client).await;
    assert_eq!(fields(&head, "content-length"), ["10"]);
    let mut half = [0; 5];
    client.read_exact(&mut half).await.unwrap();
    assert_eq!(&half, b"first");
    origin.write_all(b"other").await.unwrap();
    client.read_exact(&mut half).await.unwrap();
    assert_eq!(&half, b"other");
}

#[tokio::test(start_paused = true)]
async fn an_upload_flows_as_it_comes() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let head = "PUT /object-store/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut client = send(&proxy, &format!("{head}5\r\nfirst\r\n")).await;
    let mut origin = upstream.accept().await;
    let head = read_head(&mut origin).await;
    assert_eq!(fields(&head, "transfer-encoding"), ["chunked"]);
    assert_eq!(fields(&head, "content-length"), [""; 0]);
    let mut chunk = [0; 10];
    origin.read_exact(&mut chunk).await.unwrap();
    assert_eq!(&chunk, b"5\r\nfirst\r\n");
    client.write_all(b"0\r\n\r\n").await.unwrap();
    let mut end = [0; 5];
    origin.read_exact(&mut end).await.unwrap();
    assert_eq!(&end, b"0\r\n\r\n");
}

#[tokio::test(start_paused = true)]
async fn a_chunked_body_of_a_get_is_not_lost() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    let reply = ask(
        proxy.addr,
        "GET /object-store/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    )
    .await;
    assert_eq!(reply.status, 200);
    assert_eq!(service.bodies(), [b"2\r\nhi\r\n0\r\n\r\n"]);
}

#[tokio::test(start_paused = true)]
async fn lengths_travel_as_they_are() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    for (method, body) in [("PUT", "hello"), ("POST", ""), ("PUT", ""), ("DELETE", "x"), ("COPY", "")] {
        let length = body.len();
        ask(
            proxy.addr,
            format!("{method} /object-store/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}"),
        )
        .await;
        let head = service.heads().last().unwrap().clone();
        assert_eq!(fields(&head, "content-length"), [length.to_string()], "{method} {body}: {head}");
        assert_eq!(service.bodies().last().unwrap(), body.as_bytes());
    }
}

#[tokio::test(start_paused = true)]
async fn the_length_in_an_answer_to_head_is_the_objects() {
    let service =
        Service::saying("HTTP/1.1 200 OK\r\nContent-Length: 5368709120\r\nETag: \"e\"\r\n\r\n").await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    let reply = ask(proxy.addr, "HEAD /object-store/o HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(reply.field("content-length"), Some("5368709120"));
}

#[tokio::test(start_paused = true)]
async fn a_body_cut_short_upstream_is_seen_as_cut_by_the_client() {
    // (what the upstream sends before it closes, what the client sees of framing and body)
    let table = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "content-length: 100", "half"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            "transfer-encoding: chunked",
            "4\r\nhalf\r\n",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
            "transfer-encoding: chunked",
            "4\r\nhalf\r\n",
        ),
    ];
    for (bytes, framing, seen) in table {
        let (upstream, _keystone, proxy) = by_hand().await;
        let mut client = send(&proxy, "GET /object-store/o HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        let mut origin = upstream.accept().await;
        read_head(&mut origin).await;
        origin.write_all(bytes.as_bytes()).await.unwrap();
        let head = read_head(&mut client).await;
        assert!(head.starts_with("HTTP/1.1 200 ") && head.to_lowercase().contains(framing), "{head}");
        let mut body = vec![0; seen.len()];
        client.read_exact(&mut body).await.unwrap();
        assert_eq!(body, seen.as_bytes());
        drop(origin);
        let (rest, end) = to_the_end(&mut client).await;
        assert_eq!(rest, b"", "nothing may be made up");
        assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    }
}

#[tokio::test(start_paused = true)]
async fn an_http_1_0_client_sees_a_cut_body_as_a_reset() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut client = send(&proxy, "GET /object-store/o HTTP/1.0\r\nHost: localhost\r\n\r\n").await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    origin.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n").await.unwrap();
    let head = read_head(&mut client).await;
    assert!(head.starts_with("HTTP/1.0 200"), "{head}");
    drop(origin);
    let (_, end) = to_the_end(&mut client).await;
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test(start_paused = true)]
async fn an_upload_cut_short_is_seen_as_cut_by_the_upstream() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let client = send(
        &proxy,
        "PUT /object-store/o HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    )
    .await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    let mut chunk = [0; 9];
    origin.read_exact(&mut chunk).await.unwrap();
    drop(client);
    let (rest, _) = to_the_end(&mut origin).await;
    assert_eq!(rest, b"", "no last chunk may be made up");
}

const PUT_EXPECTING: &str =
    "PUT /object-store/o HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn the_100_is_the_upstreams_and_brings_the_body() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut client = send(&proxy, PUT_EXPECTING).await;
    let mut origin = upstream.accept().await;
    let head = read_head(&mut origin).await;
    assert_eq!(fields(&head, "expect"), ["100-continue"]);
    assert_eq!(fields(&head, "content-length"), ["5"]);
    origin.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
    assert!(read_head(&mut client).await.starts_with("HTTP/1.1 100 "));
    client.write_all(b"hello").await.unwrap();
    let mut body = [0; 5];
    origin.read_exact(&mut body).await.unwrap();
    assert_eq!(&body, b"hello");
    origin.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    assert!(read_head(&mut client).await.starts_with("HTTP/1.1 201 "));
    // The connection is as good as new.
    client.write_all(b"GET /object-store/o HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    read_head(&mut origin).await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_arrives_whole_and_no_body_is_asked_for() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut client = send(&proxy, PUT_EXPECTING).await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    origin.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nsor").await.unwrap();
    assert!(read_head(&mut client).await.starts_with("HTTP/1.1 403 "));
    origin.write_all(b"ry!").await.unwrap();
    let (body, _) = to_the_end(&mut client).await;
    assert_eq!(body, b"sorry!");
    let (rest, _) = to_the_end(&mut origin).await;
    assert_eq!(rest, b"");
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_knows_no_100_gets_the_body_after_a_second() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let start = tokio::time::Instant::now();
    let mut client = send(&proxy, PUT_EXPECTING).await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    assert!(read_head(&mut client).await.starts_with("HTTP/1.1 100 "));
    assert_eq!(start.elapsed().as_secs(), 1);
    client.write_all(b"hello").await.unwrap();
    let mut body = [0; 5];
    origin.read_exact(&mut body).await.unwrap();
    assert_eq!(&body, b"hello");
}

#[tokio::test(start_paused = true)]
async fn trailers_carry_no_credential_in_either_direction() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let names = "X-Auth-Token, X-Service-Token, X_Auth_Token, X-Roles, X-Checksum";
    let trailers = "X-Auth-Token: mine\r\nX-Service-Token: mine\r\nX_Auth_Token: mine\r\nX-Roles: mine\r\nX-Checksum: 1\r\n";
    let mut client = send(
        &proxy,
        &format!(
            "PUT /object-store/o HTTP/1.1\r\nHost: localhost\r\nTE: trailers\r\nTrailer: {names}\r\n\
             Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n{trailers}\r\n"
        ),
    )
    .await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    let body = read_head(&mut origin).await;
    assert!(!body.contains("mine"), "{body}");
    assert_eq!(fields(&body, "x-checksum"), ["1"]);
    origin
        .write_all(
            format!(
                "HTTP/1.1 200 OK\r\nTrailer: {names}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n{trailers}\r\n"
            )
            .as_bytes(),
        )
        .await
        .unwrap();
    read_head(&mut client).await;
    let body = read_head(&mut client).await;
    assert!(!body.contains("mine"), "{body}");
    assert_eq!(fields(&body, "x-checksum"), ["1"]);
}

#[tokio::test(start_paused = true)]
async fn an_upload_not_asked_for_yet_survives_a_stale_connection() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut first = send(&proxy, "GET /object-store/o HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut stale = upstream.accept().await;
    read_head(&mut stale).await;
    stale.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    read_head(&mut first).await;
    let mut client = send(&proxy, PUT_EXPECTING).await;
    read_head(&mut stale).await;
    drop(stale);
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    origin.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
    assert!(read_head(&mut client).await.starts_with("HTTP/1.1 100 "));
    client.write_all(b"hello").await.unwrap();
    let mut body = [0; 5];
    origin.read_exact(&mut body).await.unwrap();
    origin.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    assert!(read_head(&mut client).await.starts_with("HTTP/1.1 201 "));
    assert_eq!(crate::support::received_bytes(proxy.addr).await, 5);
}
