//! What comes before an answer: 100, 103 and their like, each in its turn.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use crate::support::by_hand::{by_hand, is_silent, send, to_the_end};
use crate::support::http::{fields, read_head, read_reply};

const GET: &str = "GET /object-store/o HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn early_hints_arrive_at_once_and_without_what_a_response_loses() {
    let (upstream, keystone, proxy) = by_hand().await;
    let mut client = send(&proxy, GET).await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    let token = keystone.token(1);
    let hints = format!(
        "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nX-Auth-Token: {token}\r\nConnection: x-private\r\n\
         X-Private: 1\r\nContent-Length: 7\r\nStrict-Transport-Security: max-age=1\r\n\r\n"
    );
    origin.write_all(hints.as_bytes()).await.unwrap();
    let head = read_head(&mut client).await;
    assert_eq!(head, "HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n");
    assert!(is_silent(&mut client, Duration::from_secs(5)).await);
    origin
        .write_all(b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        .await
        .unwrap();
    assert!(read_head(&mut client).await.starts_with("HTTP/1.1 102 Processing\r\n"));
    let reply = read_reply(&mut client, false).await;
    assert_eq!((reply.status, reply.text()), (200, "ok"));
}

#[tokio::test(start_paused = true)]
async fn an_http_1_0_client_gets_the_answer_alone() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut client = send(&proxy, "GET /object-store/o HTTP/1.0\r\n\r\n").await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    let answer = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    origin.write_all(answer.as_bytes()).await.unwrap();
    let (all, _) = to_the_end(&mut client).await;
    assert!(all.starts_with(b"HTTP/1.0 200 OK"), "{}", String::from_utf8_lossy(&all));
}

#[tokio::test(start_paused = true)]
async fn interim_responses_of_pipelined_requests_come_in_their_turn() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut client = send(&proxy, &format!("{GET}{GET}")).await;
    let mut origin = upstream.accept().await;
    for (hint, text) in [("a", "one"), ("b", "two")] {
        read_head(&mut origin).await;
        let answer = format!(
            "HTTP/1.1 103 Early Hints\r\nLink: <{hint}>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{text}"
        );
        origin.write_all(answer.as_bytes()).await.unwrap();
    }
    for (hint, text) in [("<a>", "one"), ("<b>", "two")] {
        assert_eq!(fields(&read_head(&mut client).await, "link"), [hint]);
        assert_eq!(read_reply(&mut client, false).await.text(), text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_them_ends_at_a_bound_and_the_answer_comes_all_the_same() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut client = send(&proxy, GET).await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    let mut answer = String::new();
    for i in 0..5000 {
        write!(answer, "HTTP/1.1 102 Processing\r\nX-Count: {i}\r\n\r\n").unwrap();
    }
    answer.push_str("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    origin.write_all(answer.as_bytes()).await.unwrap();
    let mut count = 0;
    let reply = loop {
        let reply = read_reply(&mut client, false).await;
        if reply.status != 102 {
            break reply;
        }
        assert_eq!(reply.field("x-count"), Some(&*count.to_string()));
        count += 1;
    };
    assert_eq!((reply.status, reply.text(), count), (200, "ok", 64));
}
