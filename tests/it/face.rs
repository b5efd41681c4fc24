//! The local faces of Keystone and Swift: a stock client logs in without credentials, and leaves with nothing that counts elsewhere.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use gatestone::access_log::Out;
use gatestone::clock::Clock;
use gatestone::config::Config;
use gatestone::embedded::people::{PROJECTS, ROLES, USERS};
use gatestone::identity::credentials::Scope;
use http::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::http::{Reply, read_head, read_reply};
use crate::support::{Fault, Keystone, Proxy, Service, ask, config, get};

mod older_logins;

/// Two services in two regions; the token held is for project p1, named demo.
async fn cloud(change: impl FnOnce(&mut Config)) -> (Service, Keystone, Proxy) {
    let service = Service::echo().await;
    let endpoints = |path: &str, regions: &[&str]| -> Value {
        let url = format!("http://{}{path}", service.addr);
        let all = regions.iter().flat_map(|region| {
            let url = url.clone();
            ["public", "internal"].map(move |interface| json!({ "interface": interface, "region_id": region, "region": region, "url": url }))
        });
        all.collect()
    };
    let keystone = Keystone::start(json!([
        { "type": "object-store", "name": "swift", "endpoints": endpoints("/v1/AUTH_p1", &["R", "S"]) },
        { "type": "volumev3", "name": "cinder", "endpoints": endpoints("/v3/p1", &["R"]) },
        { "type": "identity", "name": "keystone", "endpoints": endpoints("/v3", &["R", "S"]) },
    ]))
    .await;
    let mut settings = config::password(&keystone.url);
    change(&mut settings);
    let proxy = Proxy::with(settings);
    (service, keystone, proxy)
}

/// One request; `extra` are whole lines.
async fn send(addr: SocketAddr, method: &str, path: &str, extra: &str, body: &str) -> Reply {
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {addr}\r\n{extra}Content-Length: {length}\r\n\r\n");
    ask(addr, head + body).await
}

async fn log_in(addr: SocketAddr, path: &str, scope: Option<Value>) -> Reply {
    let user = json!({ "name": "nobody", "domain": { "name": "Nowhere" }, "password": "none" });
    let mut auth = json!({ "identity": { "methods": ["password"], "password": { "user": user } } });
    if let Some(scope) = scope {
        auth["scope"] = scope;
    }
    send(addr, "POST", path, "", &json!({ "auth": auth }).to_string()).await
}

async fn log_in_v2(addr: SocketAddr, path: &str, auth: Value) -> Reply {
    send(addr, "POST", path, "", &json!({ "auth": auth }).to_string()).await
}

fn role(name: &str) -> Value {
    let id = ROLES.iter().find(|(role, _)| *role == name).unwrap().1;
    json!({ "id": id, "name": name })
}

fn subject(reply: &Reply) -> String {
    reply.field("x-subject-token").unwrap().to_owned()
}

async fn about(addr: SocketAddr, method: &str, token: &str) -> Reply {
    send(addr, method, "/v3/auth/tokens", &format!("X-Subject-Token: {token}\r\n"), "").await
}

#[tokio::test(start_paused = true)]
async fn any_user_and_password_get_a_local_token_with_the_real_user_project_and_roles() {
    let (_service, keystone, proxy) = cloud(|_| {}).await;
    for path in
        ["/v3/auth/tokens", "/identity/v3/auth/tokens", "/identity/auth/tokens", "/keystone/v3/auth/tokens"]
    {
        let reply = log_in(proxy.addr, path, None).await;
        assert_eq!((reply.status, reply.field("vary")), (201, Some("X-Auth-Token")), "{path}");
        assert!(subject(&reply).starts_with("gatestone-local-"));
        let token = &reply.json()["token"];
        assert_eq!(token["methods"], json!(["password"]));
        let domain = json!({ "id": "default", "name": "Default" });
        let user =
            json!({ "id": USERS[0].id, "name": "demo", "domain": domain, "password_expires_at": null });
        assert_eq!(token["user"], user);
        assert_eq!(token["project"], json!({ "id": PROJECTS[0].id, "name": "demo", "domain": domain }));
        assert_eq!(token["is_domain"], false);
        assert_eq!(token["roles"], json!(["member", "reader"].map(role)));
        assert_eq!(token["audit_ids"].as_array().unwrap().len(), 1);
    }
    assert_eq!(keystone.logins(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_catalog_leads_here_for_every_region_and_interface() {
    let (service, keystone, proxy) = cloud(|_| {}).await;
    let reply = log_in(proxy.addr, "/v3/auth/tokens", None).await;
    let base = format!("http://{}", proxy.addr);
    let mut seen = Vec::new();
    for service in reply.json()["token"]["catalog"].as_array().unwrap() {
        for endpoint in service["endpoints"].as_array().unwrap() {
            let text = |name: &str| endpoint[name].as_str().unwrap().to_owned();
            let path = text("url").strip_prefix(&base).unwrap().to_owned();
            seen.push(format!(
                "{} {} {} {path}",
                service["type"].as_str().unwrap(),
                text("region"),
                text("interface")
            ));
        }
    }
    assert_eq!(
        seen,
        [
            "object-store R public /object-store/v1/AUTH_p1",
            "object-store R internal /object-store/v1/AUTH_p1",
            "object-store S public /object-store@S/v1/AUTH_p1",
            "object-store S internal /object-store@S/v1/AUTH_p1",
            "volumev3 R public /block-storage/v3/p1",
            "volumev3 R internal /block-storage/v3/p1",
            "identity R public /identity/v3",
            "identity R internal /identity/v3",
            "identity S public /identity@S/v3",
            "identity S internal /identity@S/v3",
        ]
    );
    let listed = get(proxy.addr, "/v3/auth/catalog").await.json();
    assert_eq!(listed["catalog"], reply.json()["token"]["catalog"]);
    assert_eq!(listed["links"]["self"], format!("{base}/v3/auth/catalog"));
    let token = subject(&reply);
    let request = format!(
        "GET /block-storage/v3/p1/volumes HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: {token}\r\n\r\n"
    );
    assert_eq!(ask(proxy.addr, request).await.status, 200);
    let head = service.heads().pop().unwrap();
    assert!(head.starts_with("GET /v3/p1/volumes ") && head.contains(&keystone.token(1)), "{head}");
    assert!(!head.contains(&token), "{head}");
    let reply = send(proxy.addr, "POST", "/v3/auth/tokens?nocatalog", "", LOGIN).await;
    assert_eq!(reply.json()["token"].get("catalog"), None);
    // The address is the one the client used.
    let request = format!("GET /v3/auth/catalog HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", proxy.addr.port());
    let catalog = ask(proxy.addr, request).await.text().to_owned();
    assert!(
        catalog.contains(&format!("http://localhost:{}/object-store/v1", proxy.addr.port())),
        "{catalog}"
    );
}

const LOGIN: &str = "{\"auth\":{\"identity\":{\"methods\":[\"totp\",\"password\"]}}}";

#[tokio::test(start_paused = true)]
async fn only_the_held_scope_and_none_are_granted() {
    let (_service, keystone, proxy) = cloud(|_| {}).await;
    let path = "/v3/auth/tokens";
    for scope in [
        json!({ "project": { "id": PROJECTS[0].id } }),
        json!({ "project": { "name": "DEMO", "domain": { "name": "default" } } }),
    ] {
        let reply = log_in(proxy.addr, path, Some(scope)).await;
        assert_eq!((reply.status, &reply.json()["token"]["project"]["id"]), (201, &json!(PROJECTS[0].id)));
    }
    for scope in [json!("unscoped"), json!({ "unscoped": {} })] {
        let reply = log_in(proxy.addr, path, Some(scope)).await;
        assert_eq!(reply.status, 201);
        let shown = about(proxy.addr, "GET", &subject(&reply)).await;
        for token in [&reply.json()["token"], &shown.json()["token"]] {
            for absent in ["project", "roles", "catalog", "is_domain", "domain", "system"] {
                assert_eq!(token.get(absent), None, "{absent}");
            }
            assert_eq!(token["user"]["id"], USERS[0].id);
        }
    }
    for scope in [
        json!({ "project": { "id": "p2" } }),
        json!({ "domain": { "id": "default" } }),
        json!({ "system": { "all": true } }),
        json!({ "OS-TRUST:trust": { "id": "t" } }),
    ] {
        let reply = log_in(proxy.addr, path, Some(scope)).await;
        assert_eq!((reply.status, reply.reason()), (401, "wrong_scope"));
        assert!(
            reply.json()["error"]["message"]
                .as_str()
                .unwrap()
                .contains(&format!("project demo (id {})", PROJECTS[0].id))
        );
        assert_eq!(reply.field("x-subject-token"), None);
    }
    assert_eq!(keystone.logins(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_local_token_is_shown_for_24_hours_by_the_wall_clock_or_until_it_is_taken_back() {
    let (_service, keystone, _) = cloud(|_| {}).await;
    // A clock that goes on with tokio's, from Keystone's point of view at a wrong time.
    let began = tokio::time::Instant::now();
    let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
    let clock = Clock::with_wall(move || noon + began.elapsed());
    keystone.lifetime(Duration::from_secs(7 * 86_400));
    let proxy = Proxy::with_clock(config::password(&keystone.url), clock);
    let reply = log_in(proxy.addr, "/v3/auth/tokens", None).await;
    let token = &reply.json()["token"];
    let times = [&token["issued_at"], &token["expires_at"]].map(|time| time.as_str().unwrap().to_owned());
    let at = |time: &str| time.parse::<jiff::Timestamp>().unwrap().as_second() - 2_000_000_000;
    assert!((0..5).contains(&at(&times[0])) && at(&times[1]) - at(&times[0]) == 86_400, "{times:?}");
    assert!(times.iter().all(|time| time.len() == "2018-01-15T22:14:05.000000Z".len()), "{times:?}");

    let (first, second) = (subject(&reply), subject(&log_in(proxy.addr, "/v3/auth/tokens", None).await));
    let shown = about(proxy.addr, "GET", &first).await;
    assert_eq!((shown.status, shown.field("x-subject-token")), (200, Some(first.as_str())));
    assert_eq!(shown.json(), reply.json());
    let head = about(proxy.addr, "HEAD", &first).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.field("content-length"), shown.field("content-length"));

    assert_eq!(about(proxy.addr, "DELETE", &second).await.status, 204);
    assert!(keystone.asked(&Method::GET).is_empty() && keystone.asked(&Method::DELETE).is_empty());
    // From here on it is for Keystone to say that there is no such token.
    about(proxy.addr, "GET", &second).await;
    assert_eq!(keystone.asked(&Method::GET), [second]);
    tokio::time::sleep(Duration::from_secs(86_399)).await;
    assert_eq!(about(proxy.addr, "GET", &first).await.field("vary"), Some("X-Auth-Token"));
    assert_eq!(keystone.asked(&Method::GET).len(), 1);
    tokio::time::sleep(Duration::from_secs(2)).await;
    about(proxy.addr, "GET", &first).await;
    assert_eq!(keystone.asked(&Method::GET).pop(), Some(first));
}

#[tokio::test(start_paused = true)]
async fn the_real_token_is_neither_known_nor_revoked() {
    let (service, keystone, proxy) = cloud(|settings| settings.proxy.allow_minting = true).await;
    log_in(proxy.addr, "/v3/auth/tokens", None).await;
    let real = keystone.token(1);
    for path in [
        "/v3/auth/tokens",
        "/identity/v3//auth/tokens/",
        "/identity/%76%33/auth/tokens",
        "/keystone/auth/%2574okens",
        "/identity@S/v3/auth/tokens",
        "/volumev3/v3/auth/tokens",
    ] {
        for method in ["GET", "HEAD", "DELETE"] {
            for lines in [
                format!("X-Subject-Token: {real}\r\n"),
                format!("X-Subject-Token: x\r\nx-subject-token:{real} \r\n"),
                format!("X-Subject-Token: x,{real}\r\n"),
            ] {
                let reply = send(proxy.addr, method, path, &lines, "").await;
                assert_eq!((reply.status, reply.reason()), (404, ""), "{method} {path}");
                if method == "GET" {
                    let error = &reply.json()["error"];
                    assert_eq!((&error["code"], &error["title"]), (&json!(404), &json!("Not Found")));
                }
            }
        }
    }
    let old = send(proxy.addr, "DELETE", &format!("/identity/v2.0/tokens/{real}"), "", "").await;
    assert_eq!(old.status, 404);
    assert!(keystone.asked(&Method::DELETE).is_empty() && service.heads().is_empty());
    assert!(keystone.takes(&real));
    // Another's token is for Keystone to judge.
    let other = keystone.inside().issue().unwrap();
    assert_eq!(about(proxy.addr, "DELETE", &other).await.status, 204);
    assert_eq!(keystone.asked(&Method::DELETE), [other]);
}

#[tokio::test(start_paused = true)]
async fn no_answer_of_the_face_has_the_real_token_in_it() {
    let (_service, keystone, proxy) = cloud(|settings| settings.proxy.allow_minting = true).await;
    log_in(proxy.addr, "/v3/auth/tokens", None).await;
    let real = keystone.token(1);
    let with_token = &format!("X-Auth-Token: x\r\nX-Subject-Token: {real}\r\n");
    let mut replies = vec![log_in(proxy.addr, "/v3/auth/tokens", None).await];
    replies.push(log_in(proxy.addr, "/v3/auth/tokens", Some(json!({ "system": { "all": true } }))).await);
    let body = json!({ "auth": { "identity": { "methods": ["token"], "token": { "id": real } } } });
    replies.push(send(proxy.addr, "POST", "/v3/auth/tokens", "", &body.to_string()).await);
    replies.push(send(proxy.addr, "POST", "/v3/auth/tokens", "Openstack-Auth-Receipt: r\r\n", LOGIN).await);
    for path in
        ["/identity", "/v3", "/v3/auth/catalog", "/v3/auth/projects", "/v3/auth/domains", "/v3/auth/system"]
    {
        replies.push(get(proxy.addr, path).await);
        for method in ["GET", "HEAD", "DELETE"] {
            replies.push(send(proxy.addr, method, path, with_token, "").await);
        }
    }
    let mine = subject(&replies[0]);
    for method in ["GET", "HEAD", "DELETE"] {
        replies.push(about(proxy.addr, method, &real).await);
        replies.push(about(proxy.addr, method, &mine).await);
    }
    for reply in &replies {
        let text = format!("{}{}", reply.head, reply.text());
        assert!(!text.contains(&real), "{text}");
    }
    let distinct: std::collections::HashSet<_> =
        replies.iter().flat_map(|it| it.all("x-subject-token")).collect();
    assert_eq!(distinct.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn version_documents_are_ours_and_lead_here() {
    let (_service, keystone, proxy) = cloud(|_| {}).await;
    let base = format!("http://{}", proxy.addr);
    for (path, here) in [
        ("/identity", "/identity/v3/"),
        ("/identity/", "/identity/v3/"),
        ("/keystone/", "/keystone/v3/"),
        ("/identity@S", "/identity@S/v3/"),
    ] {
        let here = format!("{base}{here}");
        let reply = get(proxy.addr, path).await;
        assert_eq!((reply.status, reply.field("location")), (300, Some(here.as_str())), "{path}");
        let version = &reply.json()["versions"]["values"][0];
        assert_eq!(
            (&version["status"], &version["links"][0]),
            (&json!("stable"), &json!({ "rel": "self", "href": here }))
        );
        assert!(version["id"].as_str().unwrap().starts_with("v3."));
        assert_eq!(version["media-types"][0]["base"], "application/json");
    }
    for (path, here) in [
        ("/v3", "/v3/"),
        ("/v3/", "/v3/"),
        ("/identity/v3", "/identity/v3/"),
        ("/identity/v3//", "/identity/v3/"),
        ("/v3@S", "/v3@S/"),
    ] {
        let reply = get(proxy.addr, path).await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.json()["version"]["links"][0]["href"], format!("{base}{here}"), "{path}");
        let head = send(proxy.addr, "HEAD", path, "", "").await;
        assert_eq!((head.status, head.field("content-length")), (200, reply.field("content-length")));
    }
    // Who was given the listener's address alone.
    let root = get(proxy.addr, "/").await;
    assert_eq!(root.json()["versions"]["values"][0]["links"][0]["href"], format!("{base}/v3/"));
    let home = send(proxy.addr, "GET", "/v3", "Accept: application/json-home\r\n", "").await.json();
    assert!(home["resources"].is_object() && keystone.last_target() == "/v3", "Keystone answers: {home}");
    assert_eq!(keystone.logins(), 1);
}

#[tokio::test(start_paused = true)]
async fn scopes_are_listed_as_held() {
    let (_service, keystone, proxy) = cloud(|_| {}).await;
    let projects = get(proxy.addr, "/v3/auth/projects").await.json();
    assert_eq!(projects["projects"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&projects["projects"][0]["id"], &projects["projects"][0]["domain_id"]),
        (&json!(PROJECTS[0].id), &json!("default"))
    );
    assert_eq!(projects["links"]["next"], Value::Null);
    assert_eq!(get(proxy.addr, "/identity/v3/auth/domains").await.json()["domains"], json!([]));
    assert_eq!(get(proxy.addr, "/identity/auth/system").await.json()["system"], json!([]));

    let mut settings = config::password(&keystone.url);
    settings.identity.credentials.scope = Scope::Unspecified;
    let proxy = Proxy::with(settings);
    let reply = log_in(proxy.addr, "/v3/auth/tokens", None).await;
    assert_eq!((reply.status, reply.json()["token"].get("project")), (201, None));
    // Who holds none looks there for one to hold.
    let projects = get(proxy.addr, "/v3/auth/projects").await.json();
    assert_eq!(projects["projects"][1]["id"], PROJECTS[1].id);
    let reply =
        log_in(proxy.addr, "/v3/auth/tokens", Some(json!({ "project": { "id": PROJECTS[0].id } }))).await;
    assert_eq!(reply.reason(), "wrong_scope");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_login_is_refused_before_it_costs_anything() {
    let (_service, _keystone, proxy) = cloud(|_| {}).await;
    for body in ["", "{", "[]", "{}", "{\"auth\":{\"identity\":{}}}", &format!("{LOGIN}x")] {
        let reply = send(proxy.addr, "POST", "/v3/auth/tokens", "", body).await;
        assert_eq!((reply.status, reply.reason()), (400, "bad_request"), "{body}");
    }
    let large = " ".repeat(64 * 1024);
    assert_eq!(send(proxy.addr, "POST", "/v3/auth/tokens", "", &large[..60_000]).await.status, 400);
    let reply = send(proxy.addr, "POST", "/v3/auth/tokens", "", &(large.clone() + "x")).await;
    assert_eq!((reply.status, reply.reason()), (413, "body_too_large"));
    let chunks = format!("10001\r\n{large}x\r\n0\r\n\r\n");
    let head = "POST /v3/auth/tokens HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    let reply = ask(proxy.addr, head.to_owned() + &chunks).await;
    assert_eq!((reply.status, reply.reason()), (413, "body_too_large"));
    // Announced, and never sent: nothing asks for it.
    let head = "POST /v3/auth/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n";
    assert_eq!(ask(proxy.addr, head).await.status, 413);
    // Begun, and never ended.
    let head = "POST /v3/auth/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{";
    assert_eq!(ask(proxy.addr, head).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_expects_100_gets_it_and_the_connection_serves_on() {
    let (service, _keystone, proxy) = cloud(|_| {}).await;
    let mut stream = TcpStream::connect(proxy.addr).await.unwrap();
    let length = LOGIN.len();
    let head = format!(
        "POST /v3/auth/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 100"));
    stream.write_all(LOGIN.as_bytes()).await.unwrap();
    let reply = read_reply(&mut stream, false).await;
    assert_eq!((reply.status, &reply.json()["token"]["methods"]), (201, &json!(["totp", "password"])));
    stream.write_all(b"GET /object-store/c HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    assert_eq!(read_reply(&mut stream, false).await.status, 200);
    assert_eq!(service.heads().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_and_one_logins_are_one_of_keystone_and_leave_ten_thousand() {
    let (_service, keystone, proxy) = cloud(|_| {}).await;
    let mut stream = TcpStream::connect(proxy.addr).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let head = format!(
        "POST /v3/auth/tokens?nocatalog HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{LOGIN}",
        LOGIN.len()
    );
    let mut subjects = Vec::new();
    for _ in 0..10_001 {
        stream.write_all(head.as_bytes()).await.unwrap();
        subjects.push(subject(&read_reply(&mut stream, false).await));
    }
    assert_eq!(keystone.logins(), 1);
    assert_eq!(about(proxy.addr, "GET", &subjects[1]).await.field("vary"), Some("X-Auth-Token"));
    assert_eq!(about(proxy.addr, "GET", &subjects[10_000]).await.status, 200);
    assert!(keystone.asked(&Method::GET).is_empty());
    about(proxy.addr, "GET", &subjects[0]).await;
    assert_eq!(keystone.asked(&Method::GET), [subjects[0].clone()]);
}

#[tokio::test(start_paused = true)]
async fn without_a_token_a_login_waits_and_then_gets_an_outage_not_a_401() {
    let (_service, keystone, _) = cloud(|_| {}).await;
    keystone.always(Fault::Status(500, &[]));
    let proxy = Proxy::start(&keystone);
    let reply = log_in(proxy.addr, "/v3/auth/tokens", None).await;
    assert_eq!((reply.status, reply.reason()), (503, "identity_unreachable"));
    assert!(reply.field("retry-after").is_some());
    keystone.always(Fault::Works);
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(log_in(proxy.addr, "/v3/auth/tokens", None).await.status, 201);
    // The face needs no Keystone as long as the token is good.
    keystone.always(Fault::Status(500, &[]));
    assert_eq!(log_in(proxy.addr, "/v3/auth/tokens", None).await.status, 201);
    assert_eq!(get(proxy.addr, "/v3").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn what_a_login_says_is_in_no_log() {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (_service, keystone, proxy) = cloud(|settings| {
        settings.log.access_log = true;
        settings.log.access_out = Out::Memory(Arc::clone(&lines.0));
    })
    .await;
    let user = json!({ "id": "x", "password": "my-own-secret" });
    let body = json!({ "auth": { "identity": { "methods": ["password"], "password": { "user": user } } } });
    let reply = send(proxy.addr, "POST", "/v3/auth/tokens", "", &body.to_string()).await;
    about(proxy.addr, "GET", &subject(&reply)).await;
    send(proxy.addr, "POST", "/v3/auth/tokens", "", "{\"my-own-secret").await;
    send(proxy.addr, "GET", "/auth@S/v1.0", "X-Auth-User: x\r\nX-Auth-Key: my-own-secret\r\n", "").await;
    let credentials = json!({ "username": "x", "password": "my-own-secret" });
    let reply = log_in_v2(proxy.addr, "/v2.0/tokens", json!({ "passwordCredentials": credentials })).await;
    let id = reply.json()["access"]["token"]["id"].as_str().unwrap().to_owned();
    for token in [&id, &keystone.token(1)] {
        get(proxy.addr, &format!("/identity/v2.0/tokens/{token}")).await;
    }
    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for line in ["/v3/auth/tokens", "/identity/v2.0/tokens/..", "/auth@S/v1.0"] {
        assert!(logged.contains(line), "{line} in {logged}");
    }
    for secret in ["my-own-secret", "gatestone-local-", &keystone.token(1)] {
        assert!(!logged.contains(secret), "{logged}");
    }
}
