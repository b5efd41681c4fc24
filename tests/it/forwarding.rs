//! What travels and what does not, both ways.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::http::{fields, read_reply};
use crate::support::service::Bytes;
use crate::support::{Keystone, Proxy, Service, ask, get};

async fn in_front_of(service: &Service) -> (Keystone, Proxy) {
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    (keystone, proxy)
}

#[tokio::test(start_paused = true)]
async fn credentials_and_hop_by_hop_fields_of_the_client_do_not_travel() {
    let service = Service::echo().await;
    let (keystone, proxy) = in_front_of(&service).await;
    let request = format!(
        "GET /object-store/c HTTP/1.1\r\nHost: {}\r\n\
         X-Auth-Token: mine\r\nx-auth-token: mine-too\r\nX-Storage-Token: mine\r\nX-Service-Token: mine\r\n\
         Authorization: Basic bWluZQ==\r\nX_Auth_Token: mine\r\n\
         Connection: keep-alive, X-Private, host, x-auth-token\r\nConnection: \"odd\x0b, x-second\r\n\
         X-Private: 1\r\nX-Second: 2\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n\
         TE: gzip\r\nUpgrade: h2c\r\nX-Forwarded-Host: evil\r\n\
         X-Object-Meta-Color: red\r\nX-Object-Meta-Color: blue\r\nAccept: */*\r\n\r\n",
        proxy.addr
    );
    // 0x0b is no legal byte in a field; what is legal and odd is enough here.
    let reply = ask(proxy.addr, request.replace('\x0b', "\"")).await;
    assert_eq!(reply.status, 200);
    let heads = service.heads();
    let head = &heads[0];
    assert!(!head.contains("mine"), "{head}");
    assert_eq!(fields(head, "x-auth-token"), [keystone.token(1)]);
    assert_eq!(fields(head, "host"), [service.addr.to_string()]);
    assert_eq!(fields(head, "x-object-meta-color"), ["red", "blue"]);
    assert_eq!(fields(head, "accept"), ["*/*"]);
    for gone in [
        "x-private",
        "x-second",
        "keep-alive",
        "proxy-connection",
        "te",
        "upgrade",
        "connection",
        "x-forwarded-host",
    ] {
        assert_eq!(fields(head, gone), [""; 0], "{gone} in {head}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_trace_context_travels_as_it_is() {
    let service = Service::echo().await;
    let (_keystone, proxy) = in_front_of(&service).await;
    let own = [
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("tracestate", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        ("baggage", "userId=alice,serverNode=DF%2028"),
        ("x-openstack-request-id", "req-7d6b8e2e-0000-4000-8000-000000000000"),
    ];
    let lines: String = own.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!("GET /object-store/c HTTP/1.1\r\nHost: {}\r\n{lines}\r\n", proxy.addr);
    assert_eq!(ask(proxy.addr, request).await.status, 200);
    for (name, value) in own {
        assert_eq!(fields(&service.heads()[0], name), [value], "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn hop_by_hop_fields_and_tokens_of_the_upstream_do_not_travel_back() {
    let service = Service::start(|head, _| {
        let token = fields(head, "x-auth-token")[0];
        Bytes::Keep(format!(
            "HTTP/1.1 200 OK\r\nConnection: x-private\r\nConnection: x-second\r\nX-Private: 1\r\nX-Second: 2\r\n\
             Keep-Alive: timeout=5\r\nX-Auth-Token: {token}\r\nX-Storage-Token: {token}\r\n\
             X-Subject-Token: {token}\r\nStrict-Transport-Security: max-age=1\r\n\
             X-Trans-Id: tx1\r\nContent-Length: 2\r\n\r\nok"
        ))
    })
    .await;
    let (keystone, proxy) = in_front_of(&service).await;
    let reply = get(proxy.addr, "/object-store/c").await;
    assert_eq!(reply.text(), "ok");
    assert_eq!(reply.field("x-trans-id"), Some("tx1"));
    assert!(!reply.head.contains(&keystone.token(1)), "{}", reply.head);
    for gone in ["x-private", "x-second", "keep-alive", "strict-transport-security"] {
        assert_eq!(reply.field(gone), None, "{gone}");
    }
}

#[tokio::test(start_paused = true)]
async fn several_hundred_fields_pass_both_ways() {
    let service = Service::start(|head, _| {
        let back: String = (0..300).map(|i| format!("X-Object-Meta-K{i}: {i}\r\n")).collect();
        let came =
            head.lines().filter(|line| line.to_ascii_lowercase().starts_with("x-container-meta-")).count();
        Bytes::Keep(format!("HTTP/1.1 200 OK\r\n{back}X-Came: {came}\r\nContent-Length: 0\r\n\r\n"))
    })
    .await;
    let (_keystone, proxy) = in_front_of(&service).await;
    let fields: String = (0..300).map(|i| format!("X-Container-Meta-K{i}: {i}\r\n")).collect();
    let reply =
        ask(proxy.addr, format!("GET /object-store/c HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")).await;
    assert_eq!(reply.field("x-came"), Some("300"));
    assert_eq!(reply.head.to_lowercase().matches("x-object-meta-k").count(), 300);
}

#[tokio::test(start_paused = true)]
async fn a_location_comes_back_as_the_client_can_use_it() {
    let service = Service::start(|head, _| {
        let host = fields(head, "host")[0].to_owned();
        Bytes::Keep(format!(
            "HTTP/1.1 201 Created\r\nLocation: http://{host}/v1/AUTH_p/c/o?x=1\r\n\
             Content-Location: /v1/AUTH_p/c/o\r\nLink: <http://{host}/v1/AUTH_p/c?m=2>; rel=\"next\"\r\n\
             Content-Length: 0\r\n\r\n"
        ))
    })
    .await;
    let (_keystone, proxy) = in_front_of(&service).await;
    let reply = get(proxy.addr, "/object-store/c").await;
    let base = format!("http://{}/object-store/v1/AUTH_p", proxy.addr);
    assert_eq!(reply.field("location"), Some(&*format!("{base}/c/o?x=1")));
    assert!(reply.field("content-location").unwrap().ends_with("/object-store/v1/AUTH_p/c/o"));
    assert_eq!(reply.field("link"), Some(&*format!("<{base}/c?m=2>; rel=\"next\"")));
    // As the client called us.
    let reply = ask(proxy.addr, "GET /object-store/c HTTP/1.1\r\nHost: localhost:5050\r\n\r\n").await;
    assert_eq!(reply.field("location"), Some("http://localhost:5050/object-store/v1/AUTH_p/c/o?x=1"));
}

#[tokio::test(start_paused = true)]
async fn a_foreign_location_stays_as_it_is_and_is_not_followed() {
    let service =
        Service::saying("HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/x\r\nContent-Length: 0\r\n\r\n")
            .await;
    let (_keystone, proxy) = in_front_of(&service).await;
    let reply = get(proxy.addr, "/object-store/c").await;
    assert_eq!((reply.status, reply.field("location")), (302, Some("http://192.0.2.1/x")));
    assert_eq!(service.heads().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_redirect_to_https_alone_is_an_error_that_names_the_setting() {
    let service = Service::start(|head, _| {
        let host = fields(head, "host")[0].to_owned();
        Bytes::Keep(format!(
            "HTTP/1.1 301 Moved\r\nLocation: https://{host}/v1/AUTH_p/c\r\nContent-Length: 0\r\n\r\n"
        ))
    })
    .await;
    let (_keystone, proxy) = in_front_of(&service).await;
    let reply = get(proxy.addr, "/object-store/c").await;
    assert_eq!((reply.status, reply.reason()), (502, "upstream_redirects_to_https"));
    assert!(reply.text().contains("endpoint_override"), "{}", reply.text());
}

#[tokio::test(start_paused = true)]
async fn a_connection_closed_while_idle_is_not_noticed_by_the_client() {
    let service = Service::start(|head, _| {
        // Announces nothing, and closes after each answer.
        let length = if head.starts_with("POST") { 4 } else { 2 };
        Bytes::Close(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{}", "x".repeat(length)))
    })
    .await;
    let (_keystone, proxy) = in_front_of(&service).await;
    let mut stream = TcpStream::connect(proxy.addr).await.unwrap();
    for method in ["GET", "HEAD", "POST", "GET", "PUT", "DELETE"] {
        let request =
            format!("{method} /object-store/c HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(read_reply(&mut stream, method == "HEAD").await.status, 200, "{method}");
    }
    assert_eq!((service.heads().len(), service.connections()), (6, 6));
}

#[tokio::test(start_paused = true)]
async fn a_connection_closed_on_receipt_is_tried_again_for_get_and_never_for_post() {
    let service = Service::start(|head, _| {
        if head.contains("/first") {
            Bytes::Keep("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned())
        } else if head.contains("x-again") {
            Bytes::Close(String::new())
        } else {
            Bytes::Close("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned())
        }
    })
    .await;
    let (_keystone, proxy) = in_front_of(&service).await;
    let once = |method: &str| {
        format!(
            "{method} /object-store/c HTTP/1.1\r\nHost: localhost\r\nx-again: 1\r\nContent-Length: 0\r\n\r\n"
        )
    };
    for (method, tries) in [("GET", 2), ("POST", 1)] {
        get(proxy.addr, "/object-store/first").await;
        let before = service.heads().len();
        let reply = ask(proxy.addr, once(method)).await;
        assert_eq!((reply.status, reply.reason()), (502, "upstream_closed"), "{method}");
        assert_eq!(service.heads().len() - before, tries, "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn upstream_connections_are_used_again() {
    let service = Service::echo().await;
    let (_keystone, proxy) = in_front_of(&service).await;
    for _ in 0..50 {
        get(proxy.addr, "/object-store/c").await;
    }
    assert_eq!((service.heads().len(), service.connections()), (50, 1));
}

#[tokio::test(start_paused = true)]
async fn a_connection_to_an_http_1_0_upstream_is_not_used_again() {
    let service =
        Service::saying("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok").await;
    let (_keystone, proxy) = in_front_of(&service).await;
    for _ in 0..3 {
        let reply = get(proxy.addr, "/object-store/c").await;
        assert!(reply.head.starts_with("HTTP/1.1 200"), "{}", reply.head);
        assert_eq!(reply.text(), "ok");
    }
    assert_eq!(service.connections(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_is_not_there_is_a_502_that_says_so() {
    let service = Service::echo().await;
    // Bound, so that no other test is given the port, and not listening.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let gone = socket.local_addr().unwrap();
    let catalog = serde_json::json!([{ "type": "compute", "endpoints": [
        { "interface": "public", "region_id": "R", "url": format!("http://{gone}/v2.1") } ] }]);
    let keystone = Keystone::start(catalog).await;
    let proxy = Proxy::start(&keystone);
    let reply = get(proxy.addr, "/compute/servers").await;
    assert_eq!((reply.status, reply.reason()), (502, "upstream_refused"));
    assert!(reply.text().contains(&gone.to_string()), "{}", reply.text());
    assert_eq!(service.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_is_silent_is_a_504_after_the_response_timeout() {
    let service = Service::saying("").await;
    let (_keystone, proxy) = in_front_of(&service).await;
    let start = tokio::time::Instant::now();
    let reply = get(proxy.addr, "/object-store/c").await;
    assert_eq!((reply.status, reply.reason()), (504, "upstream_timeout"));
    assert_eq!(start.elapsed().as_secs(), 600);
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_does_not_speak_http_is_a_502() {
    let service = Service::start(|_, _| Bytes::Close("220 smtp.example ESMTP\r\n\r\n".to_owned())).await;
    let (_keystone, proxy) = in_front_of(&service).await;
    let reply = get(proxy.addr, "/object-store/c").await;
    assert_eq!((reply.status, reply.reason()), (502, "upstream_closed"));
}

#[tokio::test(start_paused = true)]
async fn a_switch_of_protocols_that_nobody_asked_for_is_refused() {
    let service =
        Service::saying("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
            .await;
    let (_keystone, proxy) = in_front_of(&service).await;
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 502);
}
