//! The page: who gets it, what it may do, what it shows and what it does not, and its events.

use std::net::SocketAddr;
use std::time::Duration;

use gatestone::proxy::ListenerSettings;
use gatestone::secret::Secret;
use gatestone::server::ListenAddr;
use gatestone::shutdown::Stop;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;

use crate::support::http::{Reply, read_chunk, read_head};
use crate::support::{Fault, Keystone, Proxy, Service, ask, config, get};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async fn open(addr: SocketAddr, path: &str) -> Reply {
    ask(addr, format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nAccept: {BROWSER}\r\n\r\n")).await
}

async fn view(addr: SocketAddr) -> Value {
    get(addr, "/-/status?page").await.json()
}

/// A listener of our own choosing.
fn listener(service: Option<&str>, client_secret: Option<&str>) -> ListenerSettings {
    ListenerSettings {
        service: service.map(|service| service.parse().unwrap()),
        client_secret: client_secret.map(Secret::new),
        ..ListenAddr::Tcp { addr: ([127, 0, 0, 1], 0).into(), optional: false }.into()
    }
}

#[tokio::test(start_paused = true)]
async fn browsers_get_the_page_and_all_others_json() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("image", "", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/image/v2").await;
    for path in ["/", "/-/"] {
        let page = open(proxy.addr, path).await;
        assert_eq!((page.status, page.field("content-type")), (200, Some("text/html; charset=utf-8")));
        assert_eq!((page.field("vary"), page.field("cache-control")), (Some("Accept"), Some("no-store")));
        for text in ["/image", "curl http://127.0.0.1", "demo", "<th role=\"columnheader\"", "Token 1"] {
            assert!(page.text().contains(text), "{text} is not in {}", page.text());
        }
        for accept in ["*/*", "application/json", "application/json, text/plain, */*"] {
            let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nAccept: {accept}\r\n\r\n", proxy.addr);
            let reply = ask(proxy.addr, request).await;
            assert_eq!((reply.json()["ready"].as_bool(), reply.field("vary")), (Some(true), Some("Accept")));
            assert!(reply.json()["versions"]["values"].is_array(), "{accept}");
        }
        assert!(get(proxy.addr, path).await.json()["services"].is_array());
    }
    let head =
        ask(proxy.addr, format!("HEAD / HTTP/1.1\r\nHost: {}\r\nAccept: {BROWSER}\r\n\r\n", proxy.addr))
            .await;
    assert_eq!((head.status, head.field("content-type")), (200, Some("text/html; charset=utf-8")));
}

#[tokio::test(start_paused = true)]
async fn the_page_may_run_its_own_script_alone_and_its_own_requests_pass_the_guard() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("image", "", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    let page = open(proxy.addr, "/").await;
    let policy = page.field("content-security-policy").unwrap();
    for part in [
        "default-src 'none'",
        "script-src 'sha256-",
        "style-src 'sha256-",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
    ] {
        assert!(policy.contains(part), "{part} is not in {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("script-src 'self'"), "{policy}");
    assert_eq!(page.field("x-content-type-options"), Some("nosniff"));
    for (site, expected) in [("same-origin", 200), ("cross-site", 403), ("same-site", 403)] {
        for path in ["/-/status?page", "/-/icon.svg"] {
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: {}\r\nSec-Fetch-Site: {site}\r\nSec-Fetch-Mode: cors\r\n\r\n",
                proxy.addr
            );
            assert_eq!(ask(proxy.addr, request).await.status, expected, "{path}, {site}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_catalog_or_a_client_calls_things_stays_text() {
    let service = Service::echo().await;
    let hostile = "<script>alert(1)</script>";
    let keystone = Keystone::start(serde_json::json!([
        { "type": "image", "endpoints": [
            { "interface": "public", "region_id": hostile, "url": format!("http://{}", service.addr) } ] },
        { "type": "x\"><img src=x onerror=alert(1)>", "endpoints": [
            { "interface": "public", "region_id": "'\"><u>", "url": format!("http://{}", service.addr) } ] },
    ]))
    .await;
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/image/%3Cscript%3E").await;
    get(proxy.addr, "/image/'onload='x").await;
    let page = open(proxy.addr, "/").await;
    let text = page.text();
    assert!(text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{text}");
    assert!(text.contains("/image/&#39;onload=&#39;x"), "{text}");
    assert!(!text.contains(hostile) && !text.contains("<img") && !text.contains("\"><u>"), "{text}");
    assert_eq!(text.matches("<script").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_in_it() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("image", "", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/image/v2?temp_url_sig=signed-with-a-key").await;
    get(proxy.addr, "/identity/v2.0/tokens/somebodys-token").await;
    let mut all = open(proxy.addr, "/").await.text().to_owned();
    all.push_str(&view(proxy.addr).await.to_string());
    assert!(all.contains("/image/v2") && all.contains("/v2.0/tokens/.."), "{all}");
    for secret in [keystone.token(1).as_str(), "correct horse", "signed-with", "somebodys-token"] {
        assert!(!all.contains(secret), "{secret}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stranger_sees_how_to_log_in_and_no_more() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("image", "", &["R"])).await;
    let mut settings = config::password(&keystone.url);
    settings.listeners = vec![listener(None, Some("open sesame")), listener(None, None)];
    let proxy = Proxy::with(settings);
    get(proxy.addrs[1], "/image/v2").await;
    for path in ["/", "/-/"] {
        let page = open(proxy.addr, path).await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains(&format!("log in at http://{}/v3", proxy.addr).replace("log", "Log")));
        for hidden in ["demo", "/image", "open sesame", "<script", "RegionOne", &keystone.url] {
            assert!(!page.text().contains(hidden), "{hidden} in {}", page.text());
        }
        let json = get(proxy.addr, path).await;
        assert!(json.json()["services"].is_null() && json.json()["ready"] == true, "{}", json.text());
    }
    for path in ["/-/status", "/-/status?page", "/-/events"] {
        assert_eq!(get(proxy.addr, path).await.status, 401, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_a_service_stands_at_the_root_the_page_is_below_and_about_that_service() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let mut settings = config::password(&keystone.url);
    settings.listeners = vec![listener(Some("object-store"), None), listener(None, None)];
    let proxy = Proxy::with(settings);
    get(proxy.addrs[1], "/object-store/elsewhere").await;
    let before = service.heads().len();
    let root = open(proxy.addr, "/").await;
    assert_eq!(service.heads().len(), before + 1, "the service's own: {}", root.text());
    let page = open(proxy.addr, "/-/").await;
    let line = format!("curl http://{}/v1/AUTH_p", proxy.addr);
    assert!(page.text().contains(&line) && !page.text().contains("/identity"), "{}", page.text());
    let requests = view(proxy.addr).await["requests"].clone();
    let paths: Vec<&str> =
        requests.as_array().unwrap().iter().map(|it| it["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/"], "what passed at the other listener is not shown");
}

#[tokio::test(start_paused = true)]
async fn it_tells_what_passed_and_how_services_fare() {
    let service = Service::echo().await;
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut catalog = service.catalog("image", "", &["R"]);
    catalog.as_array_mut().unwrap().push(serde_json::json!({ "type": "compute", "endpoints": [
        { "interface": "public", "region_id": "R", "url": format!("http://{gone}/v2.1") } ] }));
    let keystone = Keystone::start(catalog).await;
    let proxy = Proxy::start(&keystone);
    for path in ["/image/v2", "/compute/servers", "/nothing"] {
        get(proxy.addr, path).await;
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let status = get(proxy.addr, "/-/status").await.json();
    let fares = |service_type: &str| {
        let all = status["services"].as_array().unwrap();
        let it = all.iter().find(|it| it["type"] == service_type).unwrap();
        (it["state"].as_str().unwrap().to_owned(), it["detail"].as_str().unwrap().to_owned())
    };
    assert_eq!(fares("image"), ("ok".to_owned(), "ok".to_owned()));
    assert_eq!(fares("identity"), ("idle".to_owned(), "no requests yet".to_owned()));
    let (state, detail) = fares("compute");
    assert!(state == "failing" && detail.starts_with("failing: upstream_refused, "), "{detail}");
    assert_eq!(status["traffic"]["seconds"], 4);
    let page = view(proxy.addr).await;
    assert_eq!(page["head"]["title"], "Ready, 1 service failing");
    let requests = page["requests"].as_array().unwrap();
    let shown: Vec<_> =
        requests.iter().map(|it| (it["path"].as_str().unwrap(), it["status"].as_u64().unwrap())).collect();
    assert_eq!(shown, [("/nothing", 404), ("/compute/servers", 502), ("/image/v2", 200)]);
    assert_eq!(
        (&requests[1]["note"], &requests[0]["note"]),
        (&"upstream_refused".into(), &"no_such_service".into())
    );
    let mut most = 0;
    for i in 0..300 {
        get(proxy.addr, &format!("/image/{i}")).await;
        most = most.max(view(proxy.addr).await["requests"].as_array().unwrap().len());
    }
    assert_eq!(most, 16);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let line = view(proxy.addr).await["charts"]["requests"]["line"].as_str().unwrap().len();
    assert!(line < 150 * 10, "{line} bytes of a line");
}

#[tokio::test(start_paused = true)]
async fn it_says_what_is_wrong_while_keystone_is_away() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("image", "", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/image/v2").await;
    keystone.always(Fault::Status(503, &[]));
    tokio::time::sleep(Duration::from_secs(3000)).await;
    let doubtful = view(proxy.addr).await;
    assert_eq!(doubtful["head"]["state"], "warn");
    assert!(
        doubtful["alerts"][0]["text"]
            .as_str()
            .unwrap()
            .contains("requests work until the present token ends")
    );
    tokio::time::sleep(Duration::from_secs(700)).await;
    let page = open(proxy.addr, "/").await;
    assert!(page.text().contains("No request can be served now.") && page.text().contains("Not ready"));
}

/// A stream of events, past its head.
async fn events(addr: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    begin(&mut stream, addr).await;
    stream
}

async fn begin(stream: &mut TcpStream, addr: SocketAddr) {
    let request = format!("GET /-/events HTTP/1.1\r\nHost: {addr}\r\nAccept: text/event-stream\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let head = read_head(stream).await.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200") && head.contains("content-type: text/event-stream"), "{head}");
    assert!(
        head.contains("cache-control: no-store") && head.contains("transfer-encoding: chunked"),
        "{head}"
    );
}

/// One chunk of it.
async fn chunk(stream: &mut TcpStream) -> String {
    String::from_utf8(read_chunk(stream).await).unwrap()
}

fn data(event: &str) -> Value {
    let line = event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    assert!(event.ends_with("\n\n"), "{event}");
    serde_json::from_str(line).unwrap()
}

#[tokio::test(start_paused = true)]
async fn events_tell_at_once_then_every_two_seconds_and_of_each_new_token() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("image", "", &["R"])).await;
    keystone.lifetime(Duration::from_secs(240));
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/image/v2").await;
    let mut stream = events(proxy.addr).await;
    let first = chunk(&mut stream).await;
    assert!(first.starts_with("retry: 2000\n"), "{first}");
    assert_eq!(data(&first)["token"]["generation"], 1);
    let start = Instant::now();
    for _ in 0..5 {
        data(&chunk(&mut stream).await);
    }
    let took = start.elapsed().as_secs_f64();
    assert!((8.0..=10.5).contains(&took), "{took}");
    let mut generation = 1;
    while generation == 1 {
        generation = data(&chunk(&mut stream).await)["token"]["generation"].as_u64().unwrap();
    }
    // Two thirds of its life, give or take 5 % of that.
    assert!((145..=172).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    // Whoever goes on looking comes again, and is judged anew.
    while !chunk(&mut stream).await.is_empty() {}
    assert!((299..=305).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_watches_at_a_listener_that_has_changed_has_to_come_again() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("image", "", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/image/v2").await;
    let mut stream = events(proxy.addr).await;
    // Something else is none of the listener's business: the last requests stay, too.
    let mut config = config::password(&keystone.url);
    config.proxy.retry_on_401 = false;
    proxy.reread(config.clone()).await;
    for _ in 0..5 {
        assert_eq!(data(&chunk(&mut stream).await)["requests"].as_array().unwrap().len(), 1);
    }
    config.listeners[0].client_secret = Some("sixteen or more characters".to_owned().into());
    proxy.reread(config).await;
    let start = Instant::now();
    while !chunk(&mut stream).await.is_empty() {}
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn so_many_may_watch_and_who_watches_is_no_traffic() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("image", "", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/image/v2").await;
    let mut streams = Vec::new();
    for _ in 0..16 {
        let mut stream = events(proxy.addr).await;
        chunk(&mut stream).await;
        streams.push(stream);
    }
    let refused = get(proxy.addr, "/-/events").await;
    assert_eq!((refused.status, refused.reason()), (503, "overloaded"));
    assert_eq!(refused.field("retry-after"), Some("30"));
    let metrics = get(proxy.addr, "/-/metrics").await.text().to_owned();
    let figure = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse::<u64>().unwrap()
    };
    // This one.
    assert_eq!(figure("gatestone_requests_in_flight "), 1);
    assert_eq!(figure("gatestone_request_duration_seconds_count{service=\"gatestone\",region=\"\"} "), 1);
    let head = format!("HEAD /-/events HTTP/1.1\r\nHost: {}\r\n\r\n", proxy.addr);
    assert_eq!(ask(proxy.addr, head).await.status, 200);
    streams.pop();
    tokio::time::sleep(Duration::from_secs(5)).await;
    chunk(&mut events(proxy.addr).await).await;
    let status = view(proxy.addr).await;
    assert_eq!(status["requests"].as_array().unwrap().len(), 1, "{}", status["requests"]);
}

#[tokio::test(start_paused = true)]
async fn who_watches_keeps_nothing_from_ending() {
    let service = Service::echo().await;
    // Each event is as long as this is.
    let many = (0..200).map(|i| {
        let url = format!("http://{}/{}", service.addr, "long".repeat(40));
        serde_json::json!({ "type": format!("service-{i}"), "endpoints": [
            { "interface": "public", "region_id": "R", "url": url } ] })
    });
    let keystone = Keystone::start(many.collect()).await;
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/service-1").await;
    let mut reading = events(proxy.addr).await;
    chunk(&mut reading).await;
    // Reads nothing, for longer than buffers have room.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stuck = socket.connect(proxy.addr).await.unwrap();
    begin(&mut stuck, proxy.addr).await;
    let (until, mut bytes) = (Instant::now() + Duration::from_secs(290), 0);
    while Instant::now() < until {
        bytes += chunk(&mut reading).await.len();
    }
    assert!(bytes > 8 << 20, "{bytes} bytes may have had room");
    let start = Instant::now();
    proxy.tell(Stop::Drain);
    let mut rest = Vec::new();
    reading.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "{:?}", String::from_utf8_lossy(&rest));
    // As long as any idle connection stays.
    assert!(start.elapsed() <= Duration::from_millis(300), "{:?}", start.elapsed());
    proxy.ended().await.unwrap();
    assert!(start.elapsed() <= Duration::from_secs(2), "{:?}", start.elapsed());
    drop(stuck);
}
