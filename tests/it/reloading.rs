//! Settings that change while the proxy runs: in force at once, for connections that are open too, or not at all.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use gatestone::catalog::Region;
use gatestone::client::TlsSettings;
use gatestone::config::Config;
use gatestone::identity::credentials::Method;
use gatestone::proxy::{Access, AllowedUser, AllowedUsers, ListenerSettings, Rules};
use gatestone::routing::Pin;
use gatestone::secret::Secret;
use gatestone::server::ListenAddr;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::support::http::read_reply;
use crate::support::{Fault, Keystone, Proxy, Service, config, get};

async fn cloud() -> (Service, Keystone) {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["GRA", "SBG"])).await;
    (service, keystone)
}

/// One request on a connection that stays.
async fn ask_on(client: &mut TcpStream, method: &str, path: &str) -> u16 {
    let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    read_reply(client, method == "HEAD").await.status
}

fn changed(keystone: &Keystone, change: impl FnOnce(&mut Config)) -> Config {
    let mut config = config::password(&keystone.url);
    change(&mut config);
    config
}

/// Settled once the refresher has taken it, too.
async fn reread(proxy: &Proxy, config: Config) {
    proxy.reread(config).await;
    sleep(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn rules_hold_for_connections_that_are_open() {
    let (_service, keystone) = cloud().await;
    let proxy = Proxy::start(&keystone);
    let mut client = TcpStream::connect(proxy.addr).await.unwrap();
    assert_eq!(ask_on(&mut client, "PUT", "/object-store/c").await, 200);
    let read_only = changed(&keystone, |config| {
        for listener in &mut config.listeners {
            listener.access.rules = Rules::new(true, Vec::new(), &[]);
        }
    });
    reread(&proxy, read_only).await;
    assert_eq!(ask_on(&mut client, "PUT", "/object-store/c").await, 403);
    assert_eq!(ask_on(&mut client, "GET", "/object-store/c").await, 200, "on the same connection");
    reread(&proxy, config::password(&keystone.url)).await;
    assert_eq!(ask_on(&mut client, "PUT", "/object-store/c").await, 200);
    assert_eq!(keystone.logins(), 1);
}

#[tokio::test(start_paused = true)]
async fn another_region_is_used_at_once_and_an_unknown_one_never() {
    let (_service, keystone) = cloud().await;
    let proxy = Proxy::start(&keystone);
    let region =
        |name: &str| changed(&keystone, |config| config.routing.region = Some(Region(name.to_owned())));
    let shown = || async { get(proxy.addr, "/-/status").await.json()["region"].clone() };
    get(proxy.addr, "/object-store/c").await;
    assert_eq!(shown().await, "GRA");
    reread(&proxy, region("SBG")).await;
    assert_eq!(shown().await, "SBG");
    reread(&proxy, region("nowhere")).await;
    assert_eq!(shown().await, "SBG");
    let status = get(proxy.addr, "/-/status").await.json();
    assert!(status["warnings"].to_string().contains("region nowhere is not in the catalog"), "{status}");
    let metrics = get(proxy.addr, "/-/metrics").await;
    for line in [
        "gatestone_settings_valid 0",
        "gatestone_reloads_total{outcome=\"taken\"} 1",
        "gatestone_reloads_total{outcome=\"rejected\"} 1",
    ] {
        assert!(metrics.text().lines().any(|it| it == line), "{line} in {}", metrics.text());
    }
    reread(&proxy, region("GRA")).await;
    assert!(get(proxy.addr, "/-/metrics").await.text().contains("gatestone_settings_valid 1\n"));
    assert_eq!((shown().await, keystone.logins()), ("GRA".into(), 1));
}

#[tokio::test(start_paused = true)]
async fn a_listeners_service_and_secret_change_without_its_port() {
    let (_service, keystone) = cloud().await;
    let proxy = Proxy::start(&keystone);
    assert_eq!(get(proxy.addr, "/c").await.status, 404);
    let pinned = changed(&keystone, |config| {
        config.listeners[0].service = Some(Pin::new("object-store", None).unwrap());
    });
    reread(&proxy, pinned).await;
    assert_eq!(get(proxy.addr, "/c").await.status, 200);
    assert_eq!(get(proxy.addr, "/-/status").await.json()["listeners"][0]["service"], "object-store");
    let secret = changed(&keystone, |config| {
        config.listeners[0].client_secret = Some("sixteen or more characters".to_owned().into());
    });
    reread(&proxy, secret).await;
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_cannot_be_read_keeps_the_settings_before() {
    let (_service, keystone) = cloud().await;
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/object-store/c").await;
    let broken = changed(&keystone, |config| {
        config.client.tls = TlsSettings { cacert: Some("/nowhere/ca.pem".into()), ..TlsSettings::default() };
        for listener in &mut config.listeners {
            listener.access.rules = Rules::new(true, Vec::new(), &[]);
        }
    });
    reread(&proxy, broken).await;
    let status = get(proxy.addr, "/-/status").await.json();
    assert!(status["warnings"].to_string().contains("/nowhere/ca.pem"), "{status}");
    let mut client = TcpStream::connect(proxy.addr).await.unwrap();
    assert_eq!(ask_on(&mut client, "PUT", "/object-store/c").await, 200, "all of them or none");
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_the_next_start_is_told() {
    let (_service, keystone) = cloud().await;
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/object-store/c").await;
    let moved = changed(&keystone, |config| {
        config.listeners[0].addr = ListenAddr::Tcp { addr: ([127, 0, 0, 1], 1).into(), optional: false };
        config.workers += 1;
    });
    reread(&proxy, moved).await;
    let warnings = get(proxy.addr, "/-/status").await.json()["warnings"].to_string();
    assert!(warnings.contains("take effect at the next start: listen, workers"), "{warnings}");
    reread(&proxy, config::password(&keystone.url)).await;
    let warnings = get(proxy.addr, "/-/status").await.json()["warnings"].to_string();
    assert!(!warnings.contains("next start"), "{warnings}");
}

#[tokio::test(start_paused = true)]
async fn an_access_log_begins_and_ends() {
    let (_service, keystone) = cloud().await;
    let lines = Arc::default();
    let out = gatestone::access_log::Out::Memory(Arc::clone(&lines));
    let proxy = Proxy::start(&keystone);
    let with = |is_on| {
        changed(&keystone, |config| {
            (config.log.access_log, config.log.access_out) = (is_on, out.clone());
        })
    };
    let mut client = TcpStream::connect(proxy.addr).await.unwrap();
    for (is_on, expected) in [(false, 0), (true, 1), (false, 1)] {
        reread(&proxy, with(is_on)).await;
        assert_eq!(ask_on(&mut client, "GET", "/object-store/c").await, 200);
        let lines = String::from_utf8(lines.lock().unwrap().clone()).unwrap();
        assert_eq!(lines.lines().count(), expected, "{lines}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_cloud_gets_no_token_of_the_one_before() {
    let (service, keystone) = cloud().await;
    let (other_service, other) = cloud().await;
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/object-store/c").await;
    // Another cloud, whose login fails, with an endpoint of its own and a region that the first does not have.
    other.always(Fault::Status(401, &[]));
    let moved = |region: &str| {
        let mut config = config::password(&other.url);
        config.routing.region = Some(Region(region.to_owned()));
        let preferences = config.routing.services.entry("object-store".to_owned()).or_default();
        preferences.endpoint_override = Some(format!("http://{}/v1/AUTH_x", other_service.addr));
        config
    };
    reread(&proxy, moved("SBG")).await;
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    assert!(other_service.heads().is_empty(), "a token is sent to a cloud that did not give it");
    assert_eq!(service.heads().len(), 2);
    other.always(Fault::Works);
    proxy.asked_to_reread(moved("SBG")).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    assert_eq!((service.heads().len(), other_service.heads().len()), (2, 1));
}

/// A way on which nothing is reached.
fn astray(config: &mut Config) {
    config.client.proxy.http = "http://127.0.0.1:1".to_owned();
}

#[tokio::test(start_paused = true)]
async fn a_way_that_came_with_another_login_waits_for_it() {
    let (_service, keystone) = cloud().await;
    let (_other_service, other) = cloud().await;
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/object-store/c").await;
    let moved = |change: fn(&mut Config)| {
        let mut config = config::password(&other.url);
        change(&mut config);
        config
    };
    reread(&proxy, moved(astray)).await;
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200, "as before");
    // What else changes meanwhile does not bring it about.
    let read_only = |config: &mut Config| {
        astray(config);
        config.listeners[0].access.rules = Rules::new(true, Vec::new(), &[]);
    };
    reread(&proxy, moved(read_only)).await;
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200, "as before");
    // A way that leads there, and something to know it by.
    let slow = |config: &mut Config| config.client.response_timeout = Duration::from_secs(7);
    other.always(Fault::Status(503, &[]));
    reread(&proxy, moved(slow)).await;
    other.always(Fault::Works);
    sleep(Duration::from_secs(90)).await;
    assert_eq!((keystone.logins(), get(proxy.addr, "/object-store/c").await.status), (1, 200));
    assert!(other.logins() > 0);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_succeeds_too_late_is_not_used() {
    let (service, keystone) = cloud().await;
    let (other_service, other) = cloud().await;
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/object-store/c").await;
    other.always(Fault::Slow(Duration::from_secs(10)));
    let mut moved = config::password(&other.url);
    moved.client.response_timeout = Duration::from_secs(700);
    reread(&proxy, moved).await;
    // Thought better of while it is under way; and the first cloud has trouble when it comes.
    keystone.always(Fault::Status(503, &[]));
    reread(&proxy, config::password(&keystone.url)).await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(other.logins(), 1);
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    assert_eq!((service.heads().len(), other_service.heads().len()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_way_that_came_with_a_wrong_password_is_taken_with_the_right_one() {
    let (_service, keystone) = cloud().await;
    keystone.lifetime(Duration::from_secs(600));
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/object-store/c").await;
    let wrong = changed(&keystone, |config| {
        astray(config);
        if let Method::Password { password, .. } = &mut config.identity.credentials.method {
            *password = Secret::new("wrong");
        }
    });
    reread(&proxy, wrong).await;
    reread(&proxy, changed(&keystone, astray)).await;
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 502);
    // The next login would succeed the other way.
    sleep(Duration::from_secs(590)).await;
    assert_eq!(keystone.logins(), 1);
    reread(&proxy, config::password(&keystone.url)).await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!((get(proxy.addr, "/object-store/c").await.status, keystone.logins()), (200, 2));
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_is_open_to_all_is_not_left_to_them() {
    let (_service, keystone) = cloud().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let with = |users: Option<AllowedUsers>| {
        changed(&keystone, |config| {
            let addr = ListenAddr::Unix(path.clone());
            let access = Access { users, ..Access::default() };
            config.listeners.push(ListenerSettings { access, ..addr.into() });
        })
    };
    let everybody = || AllowedUsers::new(vec![AllowedUser::Myself, AllowedUser::Ids(7..=7)]);
    let proxy = Proxy::with(with(Some(everybody())));
    get(proxy.addr, "/object-store/c").await;
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o666);
    reread(&proxy, with(None)).await;
    let status = get(proxy.addr, "/-/status").await.json();
    assert!(status["warnings"].to_string().contains("has mode 0666 until the next start"), "{status}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    reread(&proxy, with(None)).await;
    let status = get(proxy.addr, "/-/status").await.json();
    assert!(!status["warnings"].to_string().contains("has mode"), "{status}");
}

#[tokio::test(start_paused = true)]
async fn mistakes_are_told_until_they_are_mended_whatever_becomes_of_a_login() {
    let (_service, keystone) = cloud().await;
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/object-store/c").await;
    keystone.next([Fault::Status(503, &[])]);
    let other = changed(&keystone, |config| {
        config.identity.credentials.method = Method::Token(Secret::new(keystone.token(1)));
    });
    reread(&proxy, other).await;
    proxy.could_not_reread("gatestone.toml:1: no").await;
    sleep(Duration::from_secs(60)).await;
    let warnings = || async { get(proxy.addr, "/-/status").await.json()["warnings"].to_string() };
    assert!(warnings().await.contains("gatestone.toml:1: no"), "{}", warnings().await);
    reread(&proxy, config::password(&keystone.url)).await;
    assert!(!warnings().await.contains("gatestone.toml:1: no"), "{}", warnings().await);
}

#[tokio::test(start_paused = true)]
async fn a_listener_with_rules_does_not_end_the_program() {
    let (_service, keystone) = cloud().await;
    for (allow_quit, read_only, expected) in [(false, false, 403), (true, true, 403), (true, false, 200)] {
        let proxy = Proxy::with(changed(&keystone, |config| {
            config.server.allow_quit = allow_quit;
            config.listeners[0].access.rules = Rules::new(read_only, Vec::new(), &[]);
        }));
        let mut client = TcpStream::connect(proxy.addr).await.unwrap();
        assert_eq!(ask_on(&mut client, "POST", "/-/quit").await, expected, "{allow_quit} {read_only}");
        if allow_quit && !read_only {
            assert_eq!(ask_on(&mut client, "GET", "/-/quit").await, 400);
        }
    }
}
