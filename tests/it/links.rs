//! Links of responses lead back to the proxy: in the embedded cloud, and in odd answers of fake services.

use std::net::SocketAddr;

use gatestone::embedded::{Cloud, Spec};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::support::by_hand::{send, take, to_the_end};
use crate::support::http::{fields, read_head};
use crate::support::service::Bytes;
use crate::support::{Keystone, Proxy, Service, ask, config, get};

async fn cloud() -> (Cloud, Proxy) {
    let cloud = Cloud::start(Spec::default()).await.unwrap();
    let proxy = Proxy::with(config::password(&cloud.auth_url()));
    (cloud, proxy)
}

/// The path of a link that leads to the proxy.
fn here(proxy: &Proxy, link: &Value) -> String {
    let link = link.as_str().unwrap_or_else(|| panic!("{link} is no link"));
    let path = link.strip_prefix(&format!("http://{}", proxy.addr));
    path.unwrap_or_else(|| panic!("{link} leads elsewhere")).to_owned()
}

async fn json_of(proxy: &Proxy, path: &str) -> Value {
    let reply = get(proxy.addr, path).await;
    assert!([200, 300].contains(&reply.status), "{path}: {}", reply.head);
    reply.json()
}

#[tokio::test(start_paused = true)]
async fn pages_and_self_links_lead_on_through_the_proxy() {
    let (cloud, proxy) = cloud().await;
    for (prefix, collection, all) in [
        ("compute", "servers", 25_usize),
        ("compute@RegionTwo", "servers", 25),
        ("compute@RegionThree", "servers", 25),
        ("volumev3", "volumes", 9),
        ("network", "ports", 12),
    ] {
        let mut next = Some(format!("/{prefix}/{collection}?limit=4"));
        let (mut ids, mut pages) = (Vec::new(), 0);
        while let Some(path) = next {
            let page = json_of(&proxy, &path).await;
            for entry in page[collection].as_array().unwrap() {
                ids.push(entry["id"].as_str().unwrap().to_owned());
                for link in entry["links"].as_array().into_iter().flatten() {
                    // A bookmark has no version, and no prefix leads to that.
                    if link["rel"] == "self" {
                        let one = json_of(&proxy, &here(&proxy, &link["href"])).await;
                        assert_eq!(one.as_object().unwrap().values().next().unwrap()["id"], entry["id"]);
                    }
                }
            }
            let links = page[format!("{collection}_links")].as_array().cloned().unwrap_or_default();
            let following = links.iter().find(|link| link["rel"] == "next");
            next = following.map(|link| here(&proxy, &link["href"]));
            pages += 1;
        }
        ids.dedup();
        assert_eq!((ids.len(), pages), (all, all.div_ceil(4)), "{prefix}");
    }
    // What the services said was their own.
    let site = cloud.site("compute", "RegionOne").unwrap();
    assert!(site.seen().requests().iter().all(|asked| !asked.target.contains("compute")));
}

#[tokio::test(start_paused = true)]
async fn versions_lead_to_themselves_through_the_proxy() {
    let (_cloud, proxy) = cloud().await;
    for (path, link) in [
        ("/compute/", "/compute/v2.1/"),
        ("/nova/", "/nova/v2.1/"),
        ("/compute@RegionTwo/", "/compute@RegionTwo/v2.1/"),
        ("/compute@RegionThree/", "/compute@RegionThree/v2.1/"),
        ("/network/", "/network/v2.0/"),
        ("/block-storage/", "/block-storage/v3/"),
        ("/volumev3@RegionTwo/", "/volumev3@RegionTwo/v3/"),
        ("/orchestration/", "/orchestration/v1/"),
        ("/image/", "/image/v2/"),
        ("/image@RegionTwo/", "/image@RegionTwo/v2/"),
    ] {
        let versions = json_of(&proxy, path).await;
        let href = &versions["versions"][0]["links"][0]["href"];
        assert_eq!(here(&proxy, href), link);
        if !path.contains("image") {
            let version = json_of(&proxy, link).await;
            assert_eq!(version["version"]["links"][0]["href"], *href);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn links_of_keystone_lead_back_by_the_way_they_were_asked_for() {
    let (_cloud, proxy) = cloud().await;
    for prefix in ["/v3", "/identity/v3", "/keystone/v3"] {
        let user = &gatestone::embedded::people::USERS[0].id;
        let path = format!("{prefix}/users/{user}/projects");
        let list = json_of(&proxy, &path).await;
        assert_eq!(here(&proxy, &list["links"]["self"]), path);
        let project = &list["projects"][0];
        let own = here(&proxy, &project["links"]["self"]);
        assert_eq!(own, format!("{prefix}/projects/{}", project["id"].as_str().unwrap()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stack_is_found_by_its_name_through_the_proxy() {
    let (_cloud, proxy) = cloud().await;
    let found = get(proxy.addr, "/orchestration/stacks/stack-01").await;
    assert_eq!(found.status, 302);
    let path = here(&proxy, &found.field("location").unwrap().into());
    let stack = json_of(&proxy, &path).await;
    assert_eq!(stack["stack"]["stack_name"], "stack-01");
    assert_eq!(here(&proxy, &stack["stack"]["links"][0]["href"]), path);
}

#[tokio::test(start_paused = true)]
async fn what_users_wrote_and_consoles_and_paths_of_images_stay_as_they_are() {
    let (cloud, proxy) = cloud().await;
    let url = format!("http://{}/v2.1/servers", cloud.site("compute", "RegionOne").unwrap().public());
    let metadata = json!({ "self": url, "href": url, "links": [{ "href": url }] });
    let server = json!({ "server": { "name": "n", "metadata": metadata, "next": url } }).to_string();
    let request = format!(
        "POST /compute/servers HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{server}",
        proxy.addr,
        server.len()
    );
    let made = ask(proxy.addr, request).await;
    assert_eq!(made.status, 202);
    here(&proxy, &made.field("location").unwrap().into());
    let server = &made.json()["server"];
    let path = here(&proxy, &server["links"][0]["href"]);
    for server in [server, &json_of(&proxy, &path).await["server"]] {
        assert_eq!((&server["metadata"], &server["next"]), (&metadata, &json!(url)));
    }
    let request = format!(
        "POST {path}/remote-consoles HTTP/1.1\r\nHost: {}\r\nContent-Length: 2\r\n\r\n{{}}",
        proxy.addr
    );
    let console = ask(proxy.addr, request).await.json();
    assert!(console["remote_console"]["url"].as_str().unwrap().starts_with("http://console.invalid:6080/"));
    let images = get(proxy.addr, "/image/v2/images?limit=1").await;
    assert_eq!(images.field("content-length"), Some(&*images.body.len().to_string()));
    let images = images.json();
    assert_eq!(images["first"], "/v2/images?limit=1");
    assert!(images["next"].as_str().unwrap().starts_with("/v2/images?limit=1&marker="));
    assert!(images["images"][0]["self"].as_str().unwrap().starts_with("/v2/images/"));
}

/// A service of this type that answers so; `UP` stands for its own address.
async fn saying(service_type: &str, path: &str, answer: &'static str) -> (Service, Keystone, Proxy) {
    let service = Service::start(move |head, _| {
        let host = format!("http://{}", fields(head, "host")[0]);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let body = body.replace("UP", &host);
        Bytes::Keep(format!("{}\r\n\r\n{body}", head.replace("LENGTH", &body.len().to_string())))
    })
    .await;
    let keystone = Keystone::start(service.catalog(service_type, path, &["R"])).await;
    let proxy = Proxy::start(&keystone);
    (service, keystone, proxy)
}

const PAGE: &str = r#"{"servers": [ ], "servers_links": [{"href": "UP/v2.1/servers?marker=%2F1"}] }"#;

fn page(addr: SocketAddr, is_turned: bool, service: &Service) -> String {
    let base = if is_turned { format!("http://{addr}/compute") } else { format!("http://{}", service.addr) };
    PAGE.replace("UP", &base)
}

#[tokio::test(start_paused = true)]
async fn a_turned_body_has_no_length_and_no_digest_of_another() {
    let (service, _keystone, proxy) = saying(
        "compute",
        "/v2.1",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: LENGTH\r\nETag: \"e\"\r\n\
         Content-MD5: x\r\nAccept-Ranges: bytes\r\nX-Compute-Request-Id: req-1\r\n\r\n\
         {\"servers\": [ ], \"servers_links\": [{\"href\": \"UP/v2.1/servers?marker=%2F1\"}] }",
    )
    .await;
    let reply = get(proxy.addr, "/compute/servers").await;
    assert_eq!(reply.text(), page(proxy.addr, true, &service));
    assert_eq!(reply.field("content-length"), None);
    assert_eq!(reply.field("transfer-encoding"), Some("chunked"));
    assert_eq!(reply.field("etag"), Some("W/\"e\""));
    assert_eq!((reply.field("content-md5"), reply.field("accept-ranges")), (None, None));
    assert_eq!(reply.field("x-compute-request-id"), Some("req-1"));
    // As the client called us, and without chunks for HTTP/1.0.
    let reply = ask(proxy.addr, "GET /compute/servers HTTP/1.0\r\nHost: localhost:5050\r\n\r\n").await;
    assert_eq!((reply.field("content-length"), reply.field("transfer-encoding")), (None, None));
    assert_eq!(reply.text(), PAGE.replace("UP", "http://localhost:5050/compute"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_head_tells_no_length_that_get_would_not_have() {
    let (_service, _keystone, proxy) = saying(
        "compute",
        "/v2.1",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1234\r\nETag: \"e\"\r\n\r\n",
    )
    .await;
    let reply = ask(proxy.addr, "HEAD /compute/servers HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!((reply.status, reply.field("content-length")), (200, None));
    assert_eq!(reply.field("etag"), Some("W/\"e\""));
}

#[tokio::test(start_paused = true)]
async fn a_304_has_the_tag_of_the_200_that_it_stands_for() {
    let typed = "Content-Type: application/json\r\nContent-Length: 7\r\n";
    for (method, lines) in [("GET", ""), ("GET", typed), ("HEAD", ""), ("HEAD", typed)] {
        let answer =
            format!("HTTP/1.1 304 Not Modified\r\n{lines}ETag: \"e\"\r\nContent-MD5: x\r\n\r\n").leak();
        let (service, _keystone, proxy) = saying("compute", "/v2.1", answer).await;
        let request = format!(
            "{method} /compute/servers HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: W/\"e\"\r\n\r\n"
        );
        let reply = ask(proxy.addr, request).await;
        assert_eq!((reply.status, &*reply.body), (304, &b""[..]), "{method}");
        let told = (reply.field("etag"), reply.field("content-md5"));
        assert_eq!(told, (Some("W/\"e\""), None), "{method} {lines}");
        assert_eq!(fields(service.heads().last().unwrap(), "if-none-match"), ["W/\"e\""]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_turned_passes_as_it_came() {
    for (status, lines) in [
        ("200 OK", "Content-Type: application/json\r\nContent-Encoding: gzip"),
        ("206 Partial Content", "Content-Type: application/json\r\nContent-Range: bytes 0-9/99"),
        ("200 OK", "Content-Type: text/plain"),
        ("200 OK", "Content-Type: application/json; charset=utf-16"),
        ("200 OK", "Content-Type: application/json\r\nCache-Control: no-transform"),
        ("200 OK", "X-No-Type: 1"),
    ] {
        let answer = format!(
            "HTTP/1.1 {status}\r\n{lines}\r\nETag: \"e\"\r\nContent-MD5: x\r\nContent-Length: LENGTH\r\n\r\n{PAGE}"
        );
        let (service, _keystone, proxy) = saying("compute", "/v2.1", answer.leak()).await;
        let reply = get(proxy.addr, "/compute/servers").await;
        assert_eq!(reply.text(), page(proxy.addr, false, &service), "{lines}");
        assert_eq!(reply.field("content-length"), Some(&*reply.body.len().to_string()), "{lines}");
        assert_eq!((reply.field("etag"), reply.field("content-md5")), (Some("\"e\""), Some("x")), "{lines}");
    }
    for answer in [
        "HTTP/1.1 204 No Content\r\nContent-Type: application/json\r\nETag: \"e\"\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: \"e\"\r\nContent-Length: 0\r\n\r\n",
    ] {
        let (_service, _keystone, proxy) = saying("compute", "/v2.1", answer).await;
        let reply = get(proxy.addr, "/compute/servers").await;
        assert_eq!(reply.field("etag"), Some("\"e\""), "{answer}");
        assert_eq!(reply.body, b"", "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn objects_and_image_data_are_never_looked_into() {
    for (service_type, endpoint, path) in
        [("object-store", "/v1/AUTH_p", "/object-store/c/o.json"), ("image", "", "/image/v2/images/i/file")]
    {
        let (service, _keystone, proxy) = saying(
            service_type,
            endpoint,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: LENGTH\r\nETag: \"e\"\r\n\
             Accept-Ranges: bytes\r\n\r\n{\"versions\": [{\"links\": [{\"href\": \"UP/v1/AUTH_p/c\"}]}]}",
        )
        .await;
        let reply = ask(
            proxy.addr,
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip;q=0.5, br\r\n\r\n"),
        )
        .await;
        let link = format!("http://{}/v1/AUTH_p/c", service.addr);
        assert_eq!(reply.json()["versions"][0]["links"][0]["href"], link.as_str(), "{path}");
        assert_eq!(reply.field("content-length"), Some(&*reply.body.len().to_string()));
        assert_eq!((reply.field("etag"), reply.field("accept-ranges")), (Some("\"e\""), Some("bytes")));
        assert_eq!(fields(&service.heads()[0], "accept-encoding"), ["gzip;q=0.5, br"], "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_links_may_be_turned_no_encoding_is_asked_for() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("compute", "/v2.1", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    for (lines, expected) in [
        ("Accept-Encoding: gzip, deflate\r\nAccept-Encoding: br\r\n", &["identity"][..]),
        ("accept-encoding: *\r\n", &["identity"]),
        ("", &[]),
    ] {
        ask(proxy.addr, format!("GET /compute/servers HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n")).await;
        assert_eq!(fields(service.heads().last().unwrap(), "accept-encoding"), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_the_proxy_made_weak_serves_if_match() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("compute", "/v2.1", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    let request = "PUT /compute/servers/1 HTTP/1.1\r\nHost: localhost\r\nIf-Match: W/\"e\", \"f\"\r\n\
                   Content-Length: 0\r\n\r\n";
    ask(proxy.addr, request).await;
    assert_eq!(fields(service.heads().last().unwrap(), "if-match"), ["\"e\", \"f\""]);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_a_path_stays_a_path() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: LENGTH\r\n\r\n\
                  {\"servers_links\": [{\"href\": \"/v2.1/servers?marker=1\"}, {\"href\": \"UP/v2.1/servers\"}]}";
    let (_service, _keystone, proxy) = saying("compute", "/v2.1", answer).await;
    let links = get(proxy.addr, "/compute/servers").await.json();
    assert_eq!(links["servers_links"][0]["href"], "/v2.1/servers?marker=1");
    assert_eq!(here(&proxy, &links["servers_links"][1]["href"]), "/compute/v2.1/servers");
}

#[tokio::test(start_paused = true)]
async fn trailers_of_a_turned_body_pass_and_its_digest_does_not() {
    let (_service, _keystone, proxy) = saying(
        "compute",
        "/v2.1",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTrailer: X-Sum, Content-Digest\r\n\
         Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Sum: 1\r\nContent-Digest: sha-256=:x:\r\n\r\n",
    )
    .await;
    let request =
        "GET /compute/servers HTTP/1.1\r\nHost: localhost\r\nTE: trailers\r\nConnection: close\r\n\r\n";
    let (all, end) = to_the_end(&mut send(&proxy, request).await).await;
    end.unwrap();
    let all = String::from_utf8(all).unwrap().to_lowercase();
    let (_, body) = all.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "2\r\n{}\r\n0\r\nx-sum: 1\r\n\r\n");
}

#[tokio::test(start_paused = true)]
async fn a_body_flows_as_it_comes_and_only_an_open_link_is_held() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = upstream.local_addr().unwrap();
    let url = format!("http://{addr}/v2.1");
    let catalog = json!([{ "type": "compute", "endpoints": [
        { "interface": "public", "region_id": "R", "url": url } ] }]);
    let keystone = Keystone::start(catalog).await;
    let proxy = Proxy::start(&keystone);
    let begin = async || {
        let mut client = send(&proxy, "GET /compute/servers HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        let (mut origin, _) = upstream.accept().await.unwrap();
        origin.set_nodelay(true).unwrap();
        read_head(&mut origin).await;
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n";
        let first = format!("{head}{{\"servers\": [], \"servers_links\": [{{\"href\": \"http://{addr}/v2");
        origin.write_all(first.as_bytes()).await.unwrap();
        let head = read_head(&mut client).await;
        assert_eq!(fields(&head, "transfer-encoding"), ["chunked"]);
        let expected = "2B\r\n{\"servers\": [], \"servers_links\": [{\"href\": \r\n";
        assert_eq!(take(&mut client, expected.len()).await, expected.as_bytes());
        (client, origin)
    };
    let (mut client, mut origin) = begin().await;
    origin.write_all(b".1/x\", \"a\": ").await.unwrap();
    let expected = "28\r\n\"http://localhost/compute/v2.1/x\", \"a\": \r\n";
    assert_eq!(take(&mut client, expected.len()).await, expected.as_bytes());
    // Cut in the middle of a link: what was good comes, then the break.
    drop(origin);
    let (rest, _) = to_the_end(&mut client).await;
    assert!(!rest.ends_with(b"0\r\n\r\n"), "{rest:?}");
    let (mut client, origin) = begin().await;
    drop(origin);
    let (rest, _) = to_the_end(&mut client).await;
    let held = format!("\"http://{addr}/v2");
    assert!(rest.is_empty() || rest.ends_with(format!("{held}\r\n").as_bytes()), "{rest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_large_list_is_turned_whole() {
    let service = Service::start(|head, _| {
        let host = fields(head, "host")[0].to_owned();
        let server = |n: usize| {
            json!({ "id": n, "metadata": { "note": "x".repeat(n % 700), "self": format!("http://{host}/v2.1") },
                    "links": [{ "rel": "self", "href": format!("http://{host}/v2.1/servers/{n}") }] })
        };
        let body = json!({ "servers": (0..4000).map(server).collect::<Vec<_>>() }).to_string();
        Bytes::Keep(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    })
    .await;
    let keystone = Keystone::start(service.catalog("compute", "/v2.1", &["R"])).await;
    let proxy = Proxy::start(&keystone);
    let list = get(proxy.addr, "/compute/servers/detail").await.json();
    for (n, server) in list["servers"].as_array().unwrap().iter().enumerate() {
        let link = server["links"][0]["href"].as_str().unwrap();
        assert_eq!(link, format!("http://{}/compute/v2.1/servers/{n}", proxy.addr));
        assert_eq!(server["metadata"]["self"], format!("http://{}/v2.1", service.addr));
    }
    assert_eq!(list["servers"].as_array().unwrap().len(), 4000);
}
