//! Field names as they came: their letter case, and bytes above ASCII in them.

use std::time::Duration;

use tokio::io::AsyncWriteExt;

use crate::support::by_hand::{by_hand, send, take};
use crate::support::http::{read_head, read_reply};
use crate::support::service::Bytes;
use crate::support::{Keystone, Proxy, Service, ask, config};

#[tokio::test(start_paused = true)]
async fn letter_case_is_kept_both_ways_unless_it_is_set_otherwise() {
    let service = Service::start(|_, _| {
        Bytes::Keep(
            "HTTP/1.1 200 OK\r\nX-oBjEcT-Meta-COLOUR: 1\r\nETag: e\r\nContent-Length: 0\r\n\r\n".to_owned(),
        )
    })
    .await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let request = "GET /object-store/o HTTP/1.1\r\nhOsT: localhost\r\nX-FoO: 1\r\n\r\n";
    let reply = ask(Proxy::start(&keystone).addr, request).await;
    assert!(reply.head.contains("\r\nX-oBjEcT-Meta-COLOUR: 1\r\n"), "{}", reply.head);
    assert!(reply.head.contains("\r\nETag: e\r\n"), "{}", reply.head);
    let head = service.heads().remove(0);
    for line in ["\r\nhOsT: ", "\r\nX-FoO: 1\r\n", "\r\nX-Auth-Token: ", "\r\nVia: "] {
        assert!(head.contains(line), "{line:?} in {head}");
    }
    let mut settings = config::password(&keystone.url);
    settings.client.preserve_header_case = false;
    settings.server.preserve_header_case = false;
    let reply = ask(Proxy::with(settings).addr, request).await;
    assert!(reply.head.contains("\r\nx-object-meta-colour: 1\r\n"), "{}", reply.head);
    assert!(service.heads()[1].contains("\r\nx-foo: 1\r\n"));
}

#[tokio::test(start_paused = true)]
async fn letters_are_those_of_the_own_head_behind_pipelined_requests_and_answers_of_ours() {
    let service = Service::start(|head, _| {
        let name = head.lines().find_map(|line| line.split_once(": pass").map(|(name, _)| name.to_owned()));
        let name = name.unwrap_or_default();
        Bytes::Keep(format!("HTTP/1.1 200 OK\r\n{name}: back\r\neTaG: \"e\"\r\nContent-Length: 2\r\n\r\nok"))
    })
    .await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    let mut client = tokio::net::TcpStream::connect(proxy.addr).await.unwrap();
    let get =
        |path: &str, name: &str| format!("GET /{path} HTTP/1.1\r\nHost: localhost\r\n{name}: pass\r\n\r\n");
    let all =
        [get("object-store/a", "x-LOW"), get("-/livez", "X-Ours"), get("object-store/b", "X-pIPed")].concat();
    client.write_all(all.as_bytes()).await.unwrap();
    let first = read_reply(&mut client, false).await.head;
    assert!(first.contains("\r\nx-LOW: back\r\neTaG: \"e\"\r\n"), "{first}");
    let ours = read_reply(&mut client, false).await.head;
    assert!(ours.contains("\r\nContent-Length: ") && !ours.contains("\r\nc"), "{ours}");
    let last = read_reply(&mut client, false).await.head;
    // Where its head began was not looked for.
    assert!(last.contains("\r\nX-Piped: back\r\neTaG: \"e\"\r\n"), "{last}");
    // It is known again once the connection has rested, also behind the empty line that old clients put after a body.
    let post = "POST /object-store/c HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nok\r\n";
    client.write_all(post.as_bytes()).await.unwrap();
    read_reply(&mut client, false).await;
    tokio::time::sleep(Duration::from_secs(100)).await;
    client.write_all(get("object-store/d", "x-AGAIN").as_bytes()).await.unwrap();
    let again = read_reply(&mut client, false).await.head;
    assert!(again.contains("\r\nx-AGAIN: back\r\n"), "{again}");
}

#[tokio::test(start_paused = true)]
async fn metadata_names_in_utf_8_pass_both_ways_on_connections_that_are_used_again() {
    let service = Service::start(|head, _| {
        let line = head.lines().find(|line| line.starts_with("X-Object-Meta-")).unwrap();
        let body = if head.starts_with("HEAD ") { "" } else { "ok" };
        Bytes::Keep(format!(
            "HTTP/1.1 200 OK\r\n{line}\r\nX-Other-Größe: ä\r\nContent-Length: 2\r\n\r\n{body}"
        ))
    })
    .await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    let mut client = tokio::net::TcpStream::connect(proxy.addr).await.unwrap();
    let line = "X-Object-Meta-Größe: ä";
    for (method, framing, body) in [
        ("GET", "", ""),
        ("HEAD", "", ""),
        ("PUT", "Content-Length: 5\r\n", "h\u{e9}llo"),
        ("PUT", "Transfer-Encoding: chunked\r\n", "2\r\n\u{e9}\r\n0\r\n\r\n"),
        ("POST", "Content-Length: 0\r\n", ""),
    ] {
        let framing = framing.replace('5', &body.len().to_string());
        let request =
            format!("{method} /object-store/o HTTP/1.1\r\nHost: localhost\r\n{line}\r\n{framing}\r\n{body}");
        client.write_all(request.as_bytes()).await.unwrap();
        let reply = read_reply(&mut client, method == "HEAD").await;
        assert_eq!(reply.status, 200, "{method} {framing}");
        assert!(reply.head.contains(&format!("\r\n{line}\r\n")), "{method}: {}", reply.head);
        assert!(reply.head.contains("\r\nX-Other-Größe: ä\r\n"), "{method}: {}", reply.head);
        assert!(service.heads().last().unwrap().contains(&format!("\r\n{line}\r\n")));
    }
}

#[tokio::test(start_paused = true)]
async fn other_names_above_ascii_are_refused_in_requests() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    for name in
        [&b"Content-Length\xc3\xa9"[..], b"\xffTransfer-Encoding", b"X-Object-Meta-\xff", b"X-\xc3\xa9"]
    {
        let request = [b"GET /object-store/o HTTP/1.1\r\nHost: localhost\r\n", name, b": 1\r\n\r\n"].concat();
        let reply = ask(proxy.addr, request).await;
        assert_eq!((reply.status, reply.reason()), (400, "bad_request"), "{}", String::from_utf8_lossy(name));
    }
    assert!(service.heads().is_empty());
}

#[tokio::test(start_paused = true)]
async fn names_in_responses_pass_whatever_bytes_they_have() {
    let (upstream, _keystone, proxy) = by_hand().await;
    let mut client = send(&proxy, "GET /object-store/o HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut origin = upstream.accept().await;
    read_head(&mut origin).await;
    let head =
        b"HTTP/1.1 200 OK\r\nX-\xff: 1\r\nTransfer-Encoding\xc3\xa9: chunked\r\nX-~~: 2\r\nX-\xc3\xa9: 3\r\n\
        X_\xc3\xa9: 4\r\nContent-Length: 4\r\n\r\n";
    // In two pieces, the cut within a name.
    origin.write_all(&head[..20]).await.unwrap();
    tokio::task::yield_now().await;
    origin.write_all(&head[20..]).await.unwrap();
    origin.write_all(b"\xc3\xa9:\n").await.unwrap();
    let head = read_head(&mut client).await;
    for line in
        ["X-\u{fffd}: 1", "X_é: 4", "Transfer-Encodingé: chunked", "X-~~: 2", "X-é: 3", "Content-Length: 4"]
    {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} in {head}");
    }
    assert_eq!(take(&mut client, 4).await, b"\xc3\xa9:\n", "bodies are nobody's business");
}

#[tokio::test(start_paused = true)]
async fn a_path_that_looks_like_a_name_is_left_alone_behind_pipelined_requests() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    let mut client = tokio::net::TcpStream::connect(proxy.addr).await.unwrap();
    let get = |path: &str| format!("GET /object-store/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    // The second one ends within a character of its path.
    let both = [get("one"), get("é:")].concat().into_bytes();
    let cut = both.len() - 36;
    client.write_all(&both[..cut]).await.unwrap();
    read_reply(&mut client, false).await;
    client.write_all(&both[cut..]).await.unwrap();
    read_reply(&mut client, false).await;
    assert!(service.heads()[1].starts_with("GET /v1/AUTH_p/é: HTTP/1.1\r\n"), "{}", service.heads()[1]);
}

#[tokio::test(start_paused = true)]
async fn names_of_one_request_are_not_taken_for_those_of_the_next() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    let mut client = tokio::net::TcpStream::connect(proxy.addr).await.unwrap();
    for (path, name) in [("-/livez", "X-Object-Meta-é"), ("object-store/o", "X-Object-Meta-~~")] {
        let request = format!("GET /{path} HTTP/1.1\r\nHost: localhost\r\n{name}: 1\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(read_reply(&mut client, false).await.status, 200);
    }
    assert!(service.heads()[0].contains("\r\nX-Object-Meta-~~: 1\r\n"), "{}", service.heads()[0]);
}
