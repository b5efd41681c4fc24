//! Where messages end: what comes in any form that has one meaning leaves in one form (RFC 9112 6).

use crate::support::http::fields;
use crate::support::service::Bytes;
use crate::support::{Keystone, Proxy, Service, ask, get};

async fn in_front_of(service: &Service) -> (Keystone, Proxy) {
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    (keystone, proxy)
}

#[tokio::test(start_paused = true)]
async fn of_length_and_chunks_in_a_response_chunks_count_and_the_connection_is_not_used_again() {
    let service = Service::saying(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    )
    .await;
    let (_keystone, proxy) = in_front_of(&service).await;
    for _ in 0..2 {
        let reply = get(proxy.addr, "/object-store/o").await;
        assert_eq!((reply.status, reply.text()), (200, "hello"));
        assert!(reply.all("content-length").is_empty(), "{}", reply.head);
        assert_eq!(reply.all("transfer-encoding"), ["chunked"]);
    }
    assert_eq!(service.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_response_in_another_transfer_coding_is_refused() {
    for coding in
        ["gzip", "gzip, chunked", "chunked, chunked", "identity", "chunked\r\nTransfer-Encoding: chunked"]
    {
        let service = Service::start(move |_, _| {
            Bytes::Close(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\n\r\n0\r\n\r\n"))
        })
        .await;
        let (_keystone, proxy) = in_front_of(&service).await;
        let reply = get(proxy.addr, "/object-store/o").await;
        assert_eq!((reply.status, reply.reason()), (502, "upstream_closed"), "{coding}");
    }
}

#[tokio::test(start_paused = true)]
async fn options_count_their_stops_and_every_request_names_us_in_via() {
    let service = Service::echo().await;
    let (_keystone, proxy) = in_front_of(&service).await;
    let options = |left: u32| {
        format!(
            "OPTIONS /object-store/c HTTP/1.1\r\nHost: localhost\r\nVia: 1.1 a\r\nMax-Forwards: {left}\r\n\r\n"
        )
    };
    assert_eq!(ask(proxy.addr, options(0)).await.status, 200);
    assert!(service.heads().is_empty());
    assert_eq!(ask(proxy.addr, options(1)).await.status, 200);
    let head = service.heads().remove(0);
    assert_eq!(fields(&head, "max-forwards"), ["0"]);
    assert_eq!(fields(&head, "via"), ["1.1 a", "1.1 gatestone"]);
}

#[tokio::test(start_paused = true)]
async fn trailers_that_the_client_wants_are_asked_for_and_pass() {
    let service = Service::saying(
        "HTTP/1.1 200 OK\r\nTrailer: x-checksum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Checksum: 1\r\nX-Auth-Token: t\r\n\r\n",
    )
    .await;
    let (_keystone, proxy) = in_front_of(&service).await;
    let mut client = tokio::net::TcpStream::connect(proxy.addr).await.unwrap();
    let request =
        "GET /object-store/o HTTP/1.1\r\nHost: localhost\r\nTE: trailers\r\nConnection: close, te\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut client, request.as_bytes()).await.unwrap();
    let (all, _) = crate::support::by_hand::to_the_end(&mut client).await;
    let all = String::from_utf8(all).unwrap().to_lowercase();
    assert!(all.ends_with("\r\n0\r\nx-checksum: 1\r\n\r\n"), "{all}");
    assert_eq!(fields(&service.heads()[0], "te"), ["trailers"]);
    assert_eq!(fields(&service.heads()[0], "connection"), ["te"]);
}
