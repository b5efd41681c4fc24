//! Listeners with settings of their own: pinned to a service, and behind a client secret.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;
use gatestone::clock::Clock;
use gatestone::embedded::people::PROJECTS;
use gatestone::embedded::{Cloud, Fault, Spec};
use gatestone::identity::OnRefused;
use gatestone::proxy::{Access, ListenerSettings};
use gatestone::secret::Secret;
use gatestone::server::ListenAddr;
use serde_json::{Value, json};

use crate::support::http::{Reply, fields};
use crate::support::service::Bytes;
use crate::support::{Keystone, Proxy, Service, ask, config, get};

/// One on a free port.
fn listener(service: Option<&str>, secret: Option<&str>) -> ListenerSettings {
    ListenerSettings {
        addr: ListenAddr::Tcp { addr: ([127, 0, 0, 1], 0).into(), optional: false },
        service: service.map(|service| service.parse().unwrap()),
        client_secret: secret.map(Secret::new),
        access: Access::default(),
    }
}

/// The embedded cloud, and a proxy with a listener for each of these.
async fn cloud(listeners: impl IntoIterator<Item = ListenerSettings>) -> (Cloud, Proxy) {
    let cloud = Cloud::start(Spec::default()).await.unwrap();
    let mut settings = config::password(&cloud.auth_url());
    settings.listeners = listeners.into_iter().collect();
    let proxy = Proxy::with(settings);
    (cloud, proxy)
}

/// A listener with a client secret, whose wall clock goes as the stopped one does; the cloud's tokens live a week.
async fn for_days() -> (Cloud, Proxy) {
    let cloud =
        Cloud::start(Spec { token_lifetime: Duration::from_hours(24 * 7), ..Spec::default() }).await.unwrap();
    let began = tokio::time::Instant::now();
    let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
    let mut settings = config::password(&cloud.auth_url());
    settings.listeners = vec![listener(None, Some(SECRET))];
    let proxy = Proxy::with_clock(settings, Clock::with_wall(move || noon + began.elapsed()));
    (cloud, proxy)
}

/// One request; `extra` are whole lines.
async fn send(addr: SocketAddr, method: &str, path: &str, extra: &str, body: &str) -> Reply {
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {addr}\r\n{extra}Content-Length: {length}\r\n\r\n");
    ask(addr, head + body).await
}

async fn with_token(addr: SocketAddr, path: &str, token: &str) -> Reply {
    send(addr, "GET", path, &format!("X-Auth-Token: {token}\r\n"), "").await
}

fn login(methods: &Value) -> String {
    let names: Vec<&String> = methods.as_object().unwrap().keys().collect();
    let mut identity = methods.clone();
    identity["methods"] = json!(names);
    json!({ "auth": { "identity": identity } }).to_string()
}

fn password(text: &str) -> Value {
    json!({ "password": { "user": { "name": "n", "domain": { "id": "d" }, "password": text } } })
}

async fn log_in(addr: SocketAddr, methods: &Value) -> Reply {
    send(addr, "POST", "/v3/auth/tokens", "", &login(methods)).await
}

/// A token for the listener's secret.
async fn token(addr: SocketAddr, secret: &str) -> String {
    let reply = log_in(addr, &password(secret)).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.field("x-subject-token").unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_pinned_object_store_stands_at_the_root() {
    let (_cloud, proxy) = cloud([listener(Some("object-store"), None), listener(None, None)]).await;
    let (at, beside) = (proxy.addr, proxy.addrs[1]);
    let account = format!("/v1/AUTH_{}", PROJECTS[0].id);
    assert_eq!(send(at, "PUT", "/photos", "", "").await.status, 201);
    assert_eq!(send(at, "PUT", "/photos/a%20b", "", "hello").await.status, 201);
    for path in ["/photos/a%20b".to_owned(), format!("{account}/photos/a%20b")] {
        let reply = get(at, &path).await;
        assert_eq!((reply.status, reply.text()), (200, "hello"), "{path}");
    }
    for path in ["/", "/?format=plain", &account] {
        assert_eq!(get(at, path).await.text(), "photos\n", "{path}");
    }
    assert!(get(at, "/info").await.json().get("tempurl").is_some());
    assert_eq!(get(at, "/photos?prefix=a").await.text(), "a b\n");
    // What is a prefix elsewhere is a container here.
    assert_eq!(send(at, "PUT", "/object-store", "", "").await.status, 201);
    assert_eq!(get(beside, "/object-store/").await.text(), "object-store\nphotos\n");
    for path in ["/v3", "/identity/v3", "/auth/v1.0"] {
        let reply = get(at, path).await;
        assert_eq!((reply.status, reply.reason()), (404, ""), "{path}");
    }
    for path in ["/-/livez", "/-/readyz", "/-/status", "/-/metrics"] {
        assert_eq!(get(at, path).await.status, 200, "{path}");
    }
    assert_eq!(get(at, "/-").await.reason(), "no_such_service");
    let status = get(at, "/-/status").await.json();
    assert_eq!(
        status["listeners"][0],
        json!({
            "address": format!("http://{at}"), "service": "object-store", "region": null, "client_secret": false,
        })
    );
}

#[tokio::test(start_paused = true)]
async fn only_a_v1_login_is_not_the_services_and_leads_to_the_root() {
    let pins = ["object-store", "object-store@RegionThree", "compute"];
    let (_cloud, proxy) = cloud(pins.map(|pin| listener(Some(pin), None))).await;
    let [at, ceph, compute] = proxy.addrs[..] else { panic!() };
    let account = format!("/v1/AUTH_{}", PROJECTS[0].id);
    for field in ["X-Auth-User: a:b\r\n", "X-Storage-User: a:b\r\n"] {
        for at in [at, ceph] {
            let reply = send(at, "GET", "/auth/v1.0", field, "").await;
            assert_eq!((reply.status, reply.reason()), (200, ""), "{field}");
            let url = reply.field("x-storage-url").unwrap().to_owned();
            assert_eq!(url, format!("http://{at}{account}"));
            let path = url.strip_prefix(&format!("http://{at}")).unwrap();
            let token = reply.field("x-auth-token").unwrap();
            let reply =
                send(at, "PUT", &format!("{path}/c"), &format!("X-Auth-Token: {token}\r\n"), "").await;
            assert!(matches!(reply.status, 201 | 202), "{}", reply.status);
            assert_eq!(get(at, "/").await.text(), "c\n");
        }
        for (method, path) in
            [("PUT", "/auth/v1.0"), ("GET", "/auth/v1.0/x"), ("GET", "/auth"), ("GET", "/auth/v1")]
        {
            assert_eq!(send(at, method, path, field, "").await.reason(), "", "{method} {path}");
        }
        let reply = send(compute, "GET", "/auth/v1.0", field, "").await;
        assert_eq!((reply.status, reply.reason()), (404, "no_such_service"));
        assert!(reply.text().contains("pinned to compute"), "{}", reply.text());
    }
    assert_eq!(get(at, "/auth/v1.0").await.reason(), "");
}

#[tokio::test(start_paused = true)]
async fn older_logins_need_the_client_secret_too() {
    let (_cloud, proxy) =
        cloud([listener(None, Some(SECRET)), listener(Some("object-store"), Some(SECRET))]).await;
    for (at, path, files) in [
        (proxy.addr, "/auth/v1.0", "/object-store"),
        (proxy.addr, "/auth@RegionTwo", "/object-store"),
        (proxy.addrs[1], "/auth/v1.0", "/"),
    ] {
        for field in ["X-Auth-Key", "X-Storage-Pass"] {
            let fields = |key: &str| format!("X-Auth-User: any\r\n{field}: {key}\r\n");
            let reply = send(at, "GET", path, &fields(SECRET), "").await;
            assert_eq!(reply.status, 200, "{path}");
            let token = reply.field("x-storage-token").unwrap();
            assert!(with_token(at, files, token).await.status < 300, "{path}");
            for wrong in ["wrong", ""] {
                let reply = send(at, "GET", path, &fields(wrong), "").await;
                assert_eq!((reply.status, reply.reason()), (401, "client_refused"), "{path}");
                assert_eq!(reply.field("x-storage-url"), None);
            }
        }
    }
    // Nor is it told what regions there are.
    for path in ["/auth@Nowhere/v1.0", "/auth/x"] {
        assert_eq!(get(proxy.addr, path).await.reason(), "client_refused");
    }
    for (credentials, right) in [
        (json!({ "passwordCredentials": { "username": "any", "password": SECRET } }), true),
        (json!({ "token": { "id": SECRET } }), true),
        (json!({ "passwordCredentials": { "username": SECRET, "password": "x" } }), false),
        (json!({ "passwordCredentials": {}, "tenantId": SECRET }), false),
    ] {
        let body = json!({ "auth": credentials }).to_string();
        let reply = send(proxy.addr, "POST", "/v2.0/tokens", "", &body).await;
        assert_eq!(reply.status, if right { 200 } else { 401 }, "{body}");
        if right {
            let token = reply.json()["access"]["token"]["id"].as_str().unwrap().to_owned();
            assert_eq!(with_token(proxy.addr, "/object-store", &token).await.status, 204);
        }
    }
    assert_eq!(get(proxy.addr, "/v2.0").await.status, 200);
    assert_eq!(get(proxy.addr, "/v2.0/tenants").await.reason(), "client_refused");
}

#[tokio::test(start_paused = true)]
async fn a_url_that_a_client_has_signed_stays_valid_at_a_pinned_listener() {
    let (_cloud, proxy) = cloud([listener(Some("object-store"), None)]).await;
    let at = proxy.addr;
    let path = format!("/v1/AUTH_{}/c/o", PROJECTS[0].id);
    assert_eq!(send(at, "POST", "/", "X-Account-Meta-Temp-URL-Key: key\r\n", "").await.status, 204);
    assert_eq!(send(at, "PUT", "/c", "", "").await.status, 201);
    assert_eq!(send(at, "PUT", "/c/o", "", "signed").await.status, 201);
    let signed = |method: &str, path: &str, key: &str| {
        let message = format!("{method}\n{EXPIRES}\n{path}");
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), message.as_bytes());
        let signature: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{path}?temp_url_sig={signature}&temp_url_expires={EXPIRES}")
    };
    let reply = get(at, &signed("GET", &path, "key")).await;
    assert_eq!((reply.status, reply.text()), (200, "signed"));
    // The signature counts: our token adds nothing to it.
    for wrong in [signed("GET", &path, "other"), signed("PUT", &path, "key")] {
        let reply = get(at, &wrong).await;
        assert_eq!((reply.status, reply.reason()), (401, ""), "{wrong}");
    }
    let upload = signed("PUT", &path, "key");
    assert_eq!(send(at, "PUT", &upload, "", "anew").await.status, 201);
    assert_eq!(get(at, "/c/o").await.text(), "anew");
}

/// The year 2100.
const EXPIRES: u64 = 4_102_444_800;

#[tokio::test(start_paused = true)]
async fn other_services_and_regions_can_be_pinned_too() {
    let pins = ["compute", "swift@RegionTwo", "identity", "object-stor", "image@Nowhere"];
    let listeners = pins.map(|pin| listener(Some(pin), None));
    let (_cloud, proxy) = cloud(listeners).await;
    let [compute, objects, identity, misspelt, nowhere] = proxy.addrs[..] else { panic!() };
    let versions = get(compute, "/").await;
    assert!(versions.text().contains("v2.1"), "{}", versions.text());
    let servers = get(compute, "/servers").await;
    assert_eq!(servers.text(), get(compute, "/v2.1/servers").await.text());
    // Links in JSON, too.
    let link = servers.json()["servers"][0]["links"][0]["href"].as_str().unwrap().to_owned();
    let path = link.strip_prefix(&format!("http://{compute}")).unwrap();
    assert!(path.starts_with("/v2.1/servers/") && get(compute, path).await.status == 200, "{link}");

    send(objects, "PUT", "/there", "", "").await;
    assert_eq!(get(objects, "/").await.text(), "there\n");

    for path in ["/", "/v3"] {
        let reply = get(identity, path).await;
        assert!(reply.text().contains(&format!("http://{identity}/v3/")), "{path} {}", reply.text());
    }
    let reply = log_in(identity, &password("any")).await;
    let catalog = &reply.json()["token"]["catalog"];
    let urls: Vec<String> = catalog
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|service| service["endpoints"].as_array().unwrap())
        .map(|endpoint| endpoint["url"].as_str().unwrap().to_owned())
        .collect();
    assert!(!urls.is_empty() && urls.iter().all(|url| *url == format!("http://{identity}/v3")), "{urls:?}");
    assert_eq!(get(identity, "/v3/auth/projects").await.json()["projects"][0]["name"], "demo");
    assert_eq!(
        send(identity, "POST", "/v3/users/u/application_credentials", "", "{}").await.reason(),
        "mints_credential"
    );

    for (at, reason, part) in [
        (misspelt, "no_such_service", "the nearest is /object-store"),
        (nowhere, "no_such_region", "correct `region` of the listener"),
    ] {
        let reply = get(at, "/x").await;
        assert_eq!((reply.status, reply.reason()), (404, reason));
        assert!(reply.text().contains(part), "{}", reply.text());
    }
}

#[tokio::test(start_paused = true)]
async fn links_lead_back_to_the_root_of_a_pinned_listener() {
    let service = Service::start(|head, _| {
        let host = fields(head, "host")[0];
        Bytes::Keep(format!(
            "HTTP/1.1 201 Created\r\nContent-Length: 0\r\nLocation: /v1/AUTH_p1/c/o?x=1\r\n\
             X-Storage-Url: http://{host}/v1/AUTH_p1\r\nContent-Location: http://other.example/v2\r\n\
             Link: <http://{host}/v1/AUTH_p1/c?marker=o>; rel=next, <http://{host}/healthcheck>; rel=up\r\n\r\n"
        ))
    })
    .await;
    let mut catalog = service.catalog("object-store", "/v1/AUTH_p1", &["R"]);
    let image =
        json!({ "interface": "public", "region": "R", "region_id": "R", "url": "http://other.example" });
    catalog.as_array_mut().unwrap().push(json!({ "type": "image", "endpoints": [image] }));
    let keystone = Keystone::start(catalog).await;
    let mut settings = config::password(&keystone.url);
    settings.listeners = vec![listener(Some("object-store"), None), listener(None, None)];
    let proxy = Proxy::with(settings);
    let reply = get(proxy.addr, "/c/o").await;
    let base = format!("http://{}", proxy.addr);
    assert_eq!(reply.status, 201);
    assert_eq!(reply.field("location"), Some("/v1/AUTH_p1/c/o?x=1"));
    assert_eq!(reply.field("x-storage-url").unwrap(), format!("{base}/v1/AUTH_p1"));
    // No path here leads to these.
    assert_eq!(reply.field("content-location"), Some("http://other.example/v2"));
    let up = format!("<http://{}/healthcheck>; rel=up", service.addr);
    assert_eq!(reply.field("link").unwrap(), format!("<{base}/v1/AUTH_p1/c?marker=o>; rel=next, {up}"));
    let reply = get(proxy.addrs[1], "/object-store/c/o").await;
    assert_eq!(reply.field("content-location").unwrap(), format!("http://{}/image/v2", proxy.addrs[1]));
}

const SECRET: &str = "correct horse battery staple";
const OTHER: &str = "another secret of this test";

#[tokio::test(start_paused = true)]
async fn a_client_secret_is_wanted_by_every_login_and_every_request() {
    let (cloud, proxy) = cloud([listener(None, Some(SECRET))]).await;
    let at = proxy.addr;
    // What may be asked by everybody.
    for path in ["/-/livez", "/-/readyz", "/", "/v3", "/v3/", "/v2.0", "/identity", "/identity/v3"] {
        let reply = get(at, path).await;
        assert!(reply.status < 400, "{path} {}", reply.status);
        assert!(!reply.text().contains("demo") && !reply.text().contains("object-store"), "{}", reply.text());
    }
    let challenge = format!("Keystone uri=\"http://{at}/v3\"");
    let guarded = [
        "/-/status",
        "/-/metrics",
        "/-/x",
        "/object-store",
        "/nothing",
        "/v3/auth/catalog",
        "/v3/auth/projects",
        "/v3/users",
        "/image/../x",
        "/auth/v1.0",
        "/object-store@Nowhere",
        "/object-store?temp_url_sig=x",
    ];
    for path in guarded {
        let real = cloud.keystone().tokens().pop().unwrap_or_default();
        for extra in [
            String::new(),
            "X-Auth-Token: x\r\n".into(),
            format!("X-Auth-Token: {real}\r\n"),
            format!("X-Auth-Token: {SECRET}\r\n"),
        ] {
            let reply = send(at, "GET", path, &extra, "").await;
            assert_eq!((reply.status, reply.reason()), (401, "client_refused"), "{path} {extra}");
            assert_eq!(reply.field("www-authenticate"), Some(challenge.as_str()));
            for secret in ["demo", "pinned", "no service", SECRET] {
                assert!(!reply.text().contains(secret), "{}", reply.text());
            }
        }
    }
    let reply = send(at, "DELETE", "/v3/auth/tokens", "X-Subject-Token: x\r\n", "").await;
    assert_eq!(reply.reason(), "client_refused");

    let token = token(at, SECRET).await;
    for extra in ["X-Auth-Token: ", "X-Storage-Token: ", "Authorization: Bearer "] {
        let extra = format!("{extra}{token}\r\n");
        assert_eq!(send(at, "GET", "/object-store", &extra, "").await.status, 204, "{extra}");
        assert_eq!(send(at, "GET", "/-/status", &extra, "").await.status, 200, "{extra}");
        assert!(send(at, "GET", "/", &extra, "").await.json().get("services").is_some());
        assert_eq!(send(at, "GET", "/nothing", &extra, "").await.reason(), "no_such_service");
        assert_eq!(send(at, "GET", "/v3/auth/catalog", &extra, "").await.status, 200);
    }
    let about = format!("X-Auth-Token: {token}\r\nX-Subject-Token: {token}\r\n");
    assert_eq!(send(at, "GET", "/v3/auth/tokens", &about, "").await.status, 200);
    assert_eq!(send(at, "DELETE", "/v3/auth/tokens", &about, "").await.status, 204);
    assert_eq!(with_token(at, "/object-store", &token).await.reason(), "client_refused");
}

#[tokio::test(start_paused = true)]
async fn any_method_of_a_login_may_bring_the_client_secret() {
    let (_cloud, proxy) = cloud([listener(None, Some(SECRET))]).await;
    let at = proxy.addr;
    let token = token(at, SECRET).await;
    let totp = |code: &str| json!({ "totp": { "user": { "id": "u", "passcode": code } } });
    let both = json!({ "password": password(SECRET)["password"], "totp": totp("000000")["totp"] });
    for (methods, right) in [
        (json!({ "application_credential": { "id": "a", "secret": SECRET } }), true),
        (json!({ "token": { "id": SECRET } }), true),
        (json!({ "token": { "id": token } }), true),
        (totp(SECRET), true),
        (both, true),
        (password(""), false),
        (password("correct horse battery stapl"), false),
        (password(&token), true),
        (json!({ "application_credential": { "id": SECRET, "secret": "x" } }), false),
        (json!({ "token": { "id": "gatestone-local-x" } }), false),
        (json!({ "token": {} }), false),
        (json!({ "mapped": { "secret": SECRET } }), false),
        (json!({ "password": 1 }), false),
    ] {
        let began = tokio::time::Instant::now();
        let reply = log_in(at, &methods).await;
        if right {
            assert_eq!(reply.status, 201, "{methods}");
            continue;
        }
        assert_eq!((reply.status, reply.reason()), (401, "client_refused"), "{methods}");
        assert_eq!(reply.field("www-authenticate").unwrap(), format!("Keystone uri=\"http://{at}/v3\""));
        assert_eq!(reply.field("x-subject-token"), None);
        assert!(!reply.text().contains("demo") && !reply.text().contains(SECRET), "{}", reply.text());
        assert!(began.elapsed() >= Duration::from_secs(1), "{methods}");
    }
    // A secret under a method that is not named is not looked at.
    let mut identity = password(SECRET);
    identity["methods"] = json!(["token"]);
    let body = json!({ "auth": { "identity": identity } }).to_string();
    assert_eq!(send(at, "POST", "/v3/auth/tokens", "", &body).await.reason(), "client_refused");
    // Another scope is told to those alone who know the secret.
    let scoped = |secret: &str| {
        let scope = json!({ "project": { "id": "p9" } });
        json!({ "auth": { "identity": { "methods": ["password"], "password": password(secret)["password"] }, "scope": scope } })
    };
    for (secret, reason) in [("wrong", "client_refused"), (SECRET, "wrong_scope")] {
        let reply = send(at, "POST", "/v3/auth/tokens", "", &scoped(secret).to_string()).await;
        assert_eq!((reply.status, reply.reason()), (401, reason));
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_opens_the_listeners_that_have_its_secret_and_no_others() {
    let settings = [
        listener(None, Some(SECRET)),
        listener(None, Some(OTHER)),
        listener(None, None),
        listener(Some("object-store"), Some(SECRET)),
        listener(Some("compute"), Some(OTHER)),
    ];
    let (_cloud, proxy) = cloud(settings).await;
    let [one, other, open, objects, compute] = proxy.addrs[..] else { panic!() };
    let keyless = token(open, "anything").await;
    let (first, second) = (token(one, SECRET).await, token(other, OTHER).await);
    for (at, path, opened_by) in [
        (one, "/object-store", &first),
        (objects, "/", &first),
        (other, "/object-store", &second),
        (compute, "/servers", &second),
    ] {
        for token in [&first, &second, &keyless] {
            let reply = with_token(at, path, token).await;
            let reason = if token == opened_by { "" } else { "client_refused" };
            assert_eq!(reply.reason(), reason, "{at} {path}");
        }
    }
    for token in [&first, &second, &keyless] {
        assert_eq!(with_token(open, "/object-store", token).await.status, 204);
    }
    assert_eq!(get(open, "/object-store").await.status, 204);
    for (at, part) in
        [(objects, "/auth/v1.0 with the client secret as the key"), (compute, "another listener")]
    {
        let reply = get(at, "/").await;
        assert!(reply.text().contains(part), "{}", reply.text());
        assert_eq!(reply.field("www-authenticate"), Some("Keystone"));
        assert_eq!((get(at, "/-/livez").await.status, get(at, "/-/status").await.status), (200, 401));
    }
    // An unscoped token has been given for the secret as well.
    let unscoped = json!({ "auth": {
        "identity": { "methods": ["password"], "password": password(SECRET)["password"] }, "scope": "unscoped",
    } });
    let reply = send(one, "POST", "/v3/auth/tokens", "", &unscoped.to_string()).await;
    let token = reply.field("x-subject-token").unwrap();
    assert_eq!(with_token(one, "/object-store", token).await.status, 204);
}

#[tokio::test(start_paused = true)]
async fn a_local_token_that_has_expired_opens_nothing_and_says_where_to_log_in() {
    let (_cloud, proxy) = for_days().await;
    let old = token(proxy.addr, SECRET).await;
    tokio::time::advance(Duration::from_hours(23)).await;
    assert_eq!(with_token(proxy.addr, "/object-store", &old).await.status, 204);
    tokio::time::advance(Duration::from_hours(1)).await;
    let reply = with_token(proxy.addr, "/object-store", &old).await;
    assert_eq!((reply.status, reply.reason()), (401, "client_refused"));
    assert!(reply.field("www-authenticate").unwrap().ends_with("/v3\""));
    let new = token(proxy.addr, SECRET).await;
    assert_eq!(with_token(proxy.addr, "/object-store", &new).await.status, 204);
    // Nor may it be made a new one of.
    assert_eq!(log_in(proxy.addr, &json!({ "token": { "id": old } })).await.reason(), "client_refused");
}

#[tokio::test(start_paused = true)]
async fn a_client_secret_and_local_tokens_never_reach_the_cloud() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p1", &["R"])).await;
    let mut settings = config::password(&keystone.url);
    settings.listeners = vec![listener(None, Some(SECRET))];
    let proxy = Proxy::with(settings);
    let token = token(proxy.addr, SECRET).await;
    for name in ["X-Auth-Token: ", "X-Storage-Token: ", "Authorization: Bearer "] {
        let extra = format!("{name}{token}\r\n");
        assert_eq!(send(proxy.addr, "PUT", "/object-store/c/o", &extra, "body").await.status, 200);
        let head = service.heads().pop().unwrap();
        assert!(!head.contains(&token) && head.contains(&keystone.token(1)), "{head}");
    }
    let refused = send(proxy.addr, "PUT", "/object-store/c/o", "", "body").await;
    assert_eq!((refused.reason(), refused.field("connection")), ("client_refused", Some("close")));
    assert_eq!(service.heads().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_comes_of_a_token_ends_with_it() {
    let (_cloud, proxy) = for_days().await;
    let first = token(proxy.addr, SECRET).await;
    tokio::time::advance(Duration::from_hours(23)).await;
    let second = log_in(proxy.addr, &json!({ "token": { "id": first } })).await;
    let second = second.field("x-subject-token").unwrap();
    assert_eq!(with_token(proxy.addr, "/object-store", second).await.status, 204);
    tokio::time::advance(Duration::from_hours(1)).await;
    assert_eq!(with_token(proxy.addr, "/object-store", second).await.reason(), "client_refused");
}

#[tokio::test(start_paused = true)]
async fn strangers_learn_neither_who_holds_the_token_nor_what_there_is() {
    let cloud = Cloud::start(Spec::default()).await.unwrap();
    let mut settings = config::password(&cloud.auth_url());
    settings.listeners = vec![listener(None, Some(SECRET))];
    let proxy = Proxy::with(settings);
    token(proxy.addr, SECRET).await;
    for path in ["/identity@RegionOne/v3", "/identity@RegionTwo/v3", "/keystone/v3", "/foo/v3", "/compute"] {
        assert_eq!(get(proxy.addr, path).await.reason(), "client_refused", "{path}");
    }
    for path in ["/v3", "/identity/v3", "/identity", "/v2.0"] {
        assert!(get(proxy.addr, path).await.reason().is_empty(), "{path}");
    }

    let cloud = Cloud::start(Spec::default()).await.unwrap();
    cloud.identity().unwrap().faults().always(Fault::Status(401, &[]));
    let mut settings = config::password(&cloud.auth_url());
    settings.listeners = vec![listener(None, Some(SECRET))];
    settings.identity.on_refused = OnRefused::Wait;
    let proxy = Proxy::with(settings);
    for path in ["/compute", "/", "/-/readyz"] {
        let reply = get(proxy.addr, path).await;
        for secret in [cloud.auth_url().as_str(), "demo", "default"] {
            assert!(!reply.text().contains(secret), "{path}: {}", reply.text());
        }
        assert!(reply.text().contains("no token"), "{path}: {}", reply.text());
    }
}
