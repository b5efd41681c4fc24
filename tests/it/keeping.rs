//! Tokens over restarts and in files, tokens taken back, and credentials that change.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use gatestone::config::Config;
use gatestone::embedded::people::USERS;
use gatestone::identity::OnRefused;
use gatestone::identity::credentials::{Domain, Method, User};
use gatestone::secret::Secret;
use gatestone::shutdown::Stop;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::support::{Fault, Keystone, Proxy, Service, config, get, http::fields};

async fn cloud() -> (Service, Keystone) {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p1", &["R"])).await;
    (service, keystone)
}

fn cached(keystone: &Keystone, folder: &TempDir) -> Config {
    let mut config = config::password(&keystone.url);
    config.identity.token_cache = Some(folder.path().join("token.json"));
    config
}

fn last_token(service: &Service) -> String {
    fields(service.heads().last().unwrap(), "x-auth-token")[0].to_owned()
}

async fn stop(proxy: Proxy) {
    proxy.tell(Stop::Drain);
    proxy.ended().await.unwrap();
}

/// A request through a proxy that is started for it and stopped after it.
async fn once(config: Config) -> u16 {
    let proxy = Proxy::with(config);
    let status = get(proxy.addr, "/object-store/c").await.status;
    stop(proxy).await;
    status
}

#[tokio::test(start_paused = true)]
async fn a_kept_token_serves_after_a_restart_without_a_login() {
    let (service, keystone) = cloud().await;
    let folder = TempDir::new().unwrap();
    for _ in 0..20 {
        assert_eq!(once(cached(&keystone, &folder)).await, 200);
    }
    assert_eq!(keystone.logins(), 1);
    assert_eq!(last_token(&service), keystone.token(1));
    // Its own catalog came along, and Keystone was asked about it.
    assert!(!keystone.asked(&http::Method::HEAD).is_empty());
    let mode = std::fs::metadata(folder.path().join("token.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test(start_paused = true)]
async fn a_kept_token_serves_while_keystone_is_down() {
    let (_service, keystone) = cloud().await;
    let folder = TempDir::new().unwrap();
    assert_eq!(once(cached(&keystone, &folder)).await, 200);
    keystone.always(Fault::Status(503, &[]));
    assert_eq!(once(cached(&keystone, &folder)).await, 200);
}

#[tokio::test(start_paused = true)]
async fn a_kept_token_that_was_revoked_meanwhile_is_replaced_by_itself() {
    let (service, keystone) = cloud().await;
    let folder = TempDir::new().unwrap();
    assert_eq!(once(cached(&keystone, &folder)).await, 200);
    keystone.revoke_all();
    let proxy = Proxy::with(cached(&keystone, &folder));
    sleep(Duration::from_secs(5)).await;
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    assert_eq!(last_token(&service), keystone.token(2));
    assert_eq!(keystone.logins(), 2);
}

#[tokio::test(start_paused = true)]
async fn ten_that_start_together_log_in_once() {
    let (_service, keystone) = cloud().await;
    keystone.next([Fault::Slow(Duration::from_secs(2))]);
    let folder = TempDir::new().unwrap();
    let proxies: Vec<Proxy> = (0..10).map(|_| Proxy::with(cached(&keystone, &folder))).collect();
    for proxy in &proxies {
        assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    }
    assert_eq!(keystone.logins(), 1);
    // And one of them refreshes for all.
    sleep(Duration::from_secs(3600)).await;
    for proxy in &proxies {
        assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    }
    assert!(keystone.logins() <= 3, "{} logins", keystone.logins());
}

#[tokio::test(start_paused = true)]
async fn a_token_of_other_credentials_is_not_used() {
    let (_service, keystone) = cloud().await;
    let folder = TempDir::new().unwrap();
    assert_eq!(once(cached(&keystone, &folder)).await, 200);
    let mut other = cached(&keystone, &folder);
    other.identity.credentials.method = somebody_else(USERS[1].password);
    assert_eq!(once(other).await, 200);
    assert_eq!(keystone.logins(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_token_file_has_each_new_token_and_nothing_else() {
    let (_service, keystone) = cloud().await;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("token");
    let mut config = config::password(&keystone.url);
    config.identity.token_file = Some(path.clone());
    let proxy = Proxy::with(config);
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    get(proxy.addr, "/object-store/c").await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(read(&path), keystone.token(1));
    sleep(Duration::from_secs(2700)).await;
    assert_eq!(read(&path), keystone.token(2));
    // Who reads it may go on after us.
    stop(proxy).await;
    assert_eq!(read(&path), keystone.token(2));
}

#[tokio::test(start_paused = true)]
async fn every_token_that_is_still_good_is_revoked_in_the_end() {
    let (_service, keystone) = cloud().await;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("token");
    let mut config = config::password(&keystone.url);
    config.identity.revoke_on_exit = true;
    config.identity.token_file = Some(path.clone());
    let proxy = Proxy::with(config);
    get(proxy.addr, "/object-store/c").await;
    // The first has expired by then, the second and the third have not.
    sleep(Duration::from_secs(2 * 2700)).await;
    stop(proxy).await;
    assert_eq!(keystone.logins(), 3);
    let mut revoked = keystone.asked(&http::Method::DELETE);
    revoked.sort_unstable();
    let mut expected = [keystone.token(2), keystone.token(3)];
    expected.sort_unstable();
    assert_eq!(revoked, expected);
    assert!(!path.exists());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_written_or_revoked_unless_asked_for() {
    let (_service, keystone) = cloud().await;
    assert_eq!(once(config::password(&keystone.url)).await, 200);
    assert!(keystone.asked(&http::Method::DELETE).is_empty());
    assert!(keystone.asked(&http::Method::HEAD).is_empty());
}

fn somebody_else(password: &str) -> Method {
    let domain = Domain::Id("default".to_owned());
    Method::Password {
        user: User::Name { name: USERS[1].name.to_owned(), domain },
        password: Secret::new(password),
    }
}

/// What the watcher sends when the settings have been read again.
fn changed(keystone: &Keystone, password: &str) -> Config {
    let mut config = config::password(&keystone.url);
    config.identity.credentials.method = somebody_else(password);
    config
}

#[tokio::test(start_paused = true)]
async fn changed_credentials_take_effect_with_their_first_token() {
    let (service, keystone) = cloud().await;
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/object-store/c").await;
    keystone.next([Fault::Slow(Duration::from_secs(20))]);
    proxy.reread(changed(&keystone, USERS[1].password)).await;
    sleep(Duration::from_secs(10)).await;
    // No gap: the old token serves until the new one is there.
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    assert_eq!(last_token(&service), keystone.token(1));
    sleep(Duration::from_secs(11)).await;
    get(proxy.addr, "/object-store/c").await;
    assert_eq!(last_token(&service), keystone.token(2));
    let user = &keystone.bodies()[1]["auth"]["identity"]["password"]["user"];
    assert_eq!((&user["name"], &user["password"]), (&USERS[1].name.into(), &USERS[1].password.into()));
    // And they are the ones that refresh.
    sleep(Duration::from_secs(2700)).await;
    assert_eq!(keystone.bodies()[2]["auth"]["identity"]["password"]["user"]["name"], USERS[1].name);
}

#[tokio::test(start_paused = true)]
async fn bad_new_credentials_are_told_and_tried_once_and_the_old_go_on() {
    let (service, keystone) = cloud().await;
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/object-store/c").await;
    for _ in 0..3 {
        proxy.reread(changed(&keystone, "wrong")).await;
        sleep(Duration::from_secs(60)).await;
    }
    assert_eq!(keystone.logins(), 2, "each try counts towards a lockout");
    let warnings = get(proxy.addr, "/-/status").await.json()["warnings"].to_string();
    assert!(warnings.contains("the changed credentials are not in use"), "{warnings}");
    assert!(!warnings.contains("wrong\""));
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    // A person who asks gets another try.
    proxy.asked_to_reread(changed(&keystone, "wrong")).await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(keystone.logins(), 3);
    // The old ones refresh.
    sleep(Duration::from_secs(2700)).await;
    get(proxy.addr, "/object-store/c").await;
    assert_ne!(last_token(&service), keystone.token(1));
    assert_eq!(keystone.bodies().last().unwrap()["auth"]["identity"]["password"]["user"]["name"], "demo");
}

#[tokio::test(start_paused = true)]
async fn settings_that_cannot_be_read_again_are_told_until_they_can() {
    let (_service, keystone) = cloud().await;
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/object-store/c").await;
    proxy.could_not_reread("clouds.yaml:3: no").await;
    sleep(Duration::from_secs(1)).await;
    let status = || async { get(proxy.addr, "/-/status").await.json()["warnings"].to_string() };
    assert!(status().await.contains("clouds.yaml:3: no"));
    proxy.reread(config::password(&keystone.url)).await;
    sleep(Duration::from_secs(1)).await;
    assert!(!status().await.contains("clouds.yaml:3: no"));
    assert_eq!(keystone.logins(), 1);
}

#[tokio::test(start_paused = true)]
async fn correct_credentials_after_refused_ones_serve_again() {
    let (_service, keystone) = cloud().await;
    keystone.always(Fault::Status(401, &[]));
    let mut settings = config::password(&keystone.url);
    settings.identity.on_refused = OnRefused::Wait;
    let proxy = Proxy::with(settings);
    sleep(Duration::from_secs(7 * 86_400)).await;
    assert_eq!(get(proxy.addr, "/object-store/c").await.reason(), "credentials_refused");
    keystone.always(Fault::Works);
    proxy.reread(changed(&keystone, USERS[1].password)).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    assert_eq!(keystone.logins(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_another_process_has_kept_is_asked_about_before_it_heals() {
    let (service, keystone) = cloud().await;
    let folder = TempDir::new().unwrap();
    let proxy = Proxy::with(cached(&keystone, &folder));
    get(proxy.addr, "/object-store/c").await;
    sleep(Duration::from_secs(60)).await;
    // Another process has logged in since, and both tokens are revoked.
    std::fs::remove_file(folder.path().join("token.json")).unwrap();
    let other = Proxy::with(cached(&keystone, &folder));
    get(other.addr, "/object-store/c").await;
    assert_eq!(last_token(&service), keystone.token(2));
    keystone.revoke_all();
    // A person asks, or a service refuses: either way what is kept is not good.
    proxy.asked_to_reread(cached(&keystone, &folder)).await;
    sleep(Duration::from_secs(5)).await;
    get(proxy.addr, "/object-store/c").await;
    assert_eq!(last_token(&service), keystone.token(3));
}

#[tokio::test(start_paused = true)]
async fn new_credentials_that_hang_do_not_stop_the_old_ones() {
    let (service, keystone) = cloud().await;
    keystone.lifetime(Duration::from_secs(300));
    let proxy = Proxy::start(&keystone);
    get(proxy.addr, "/object-store/c").await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut hanging = changed(&keystone, USERS[1].password);
    hanging.identity.credentials.auth_url =
        format!("http://{}/v3", silent.local_addr().unwrap()).parse().ok();
    proxy.reread(hanging).await;
    for _ in 0..60 {
        sleep(Duration::from_secs(30)).await;
        assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    }
    assert_ne!(last_token(&service), keystone.token(1));
}
