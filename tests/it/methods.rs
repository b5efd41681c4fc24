//! Ways to prove who one is, each against a Keystone that wants just that.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gatestone::clock::Clock;
use gatestone::config::Config;
use gatestone::embedded::people::USERS;
use gatestone::identity::OnRefused;
use gatestone::identity::credentials::{Method, Passcode, User};
use gatestone::run::RunError;
use gatestone::secret::Secret;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::{Keystone, Proxy, Service, config, get};

async fn cloud() -> (Service, Keystone) {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p1", &["R"])).await;
    (service, keystone)
}

fn user(index: usize) -> User {
    User::Id(USERS[index].id.to_owned())
}

fn password(index: usize) -> Method {
    Method::Password { user: user(index), password: Secret::new(USERS[index].password) }
}

fn totp(index: usize) -> Method {
    Method::Totp { user: user(index), passcode: Passcode::Seed(Secret::new(USERS[index].totp_seed.unwrap())) }
}

fn settings(keystone: &Keystone, method: Method, spare: Vec<Method>) -> Config {
    let mut settings = config::password(&keystone.url);
    settings.identity.credentials.method = method;
    settings.identity.credentials.spare = spare;
    settings
}

/// A proxy on a machine whose clock goes as Keystone's does.
fn start(keystone: &Keystone, settings: Config) -> Proxy {
    let (start, began) = (wall(keystone), Instant::now());
    Proxy::with_clock(settings, Clock::with_wall(move || start + began.elapsed()))
}

fn wall(keystone: &Keystone) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(keystone.inside().now().as_nanosecond().try_into().unwrap())
}

/// The methods of each login, in order.
fn methods(keystone: &Keystone) -> Vec<Value> {
    keystone.bodies().iter().map(|body| body["auth"]["identity"]["methods"].clone()).collect()
}

const TIMED: usize = 2;
const GUARDED: usize = 4;

#[tokio::test(start_paused = true)]
async fn a_passcode_is_made_anew_for_each_login() {
    let (_service, keystone) = cloud().await;
    let proxy = start(&keystone, settings(&keystone, totp(TIMED), Vec::new()));
    for _ in 0..24 {
        assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
        sleep(Duration::from_secs(3600)).await;
    }
    let bodies = keystone.bodies();
    let mut codes: Vec<&Value> =
        bodies.iter().map(|body| &body["auth"]["identity"]["totp"]["user"]["passcode"]).collect();
    codes.dedup();
    assert!(codes.len() > 20, "{codes:?}");
}

#[tokio::test(start_paused = true)]
async fn several_factors_go_in_one_login() {
    let (_service, keystone) = cloud().await;
    let both = Method::Multifactor(vec![password(GUARDED), totp(GUARDED)]);
    let proxy = start(&keystone, settings(&keystone, both, Vec::new()));
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    assert_eq!(methods(&keystone), [json!(["password", "totp"])]);
}

#[tokio::test(start_paused = true)]
async fn a_second_factor_goes_with_the_receipt_where_keystone_wants_it() {
    let (_service, keystone) = cloud().await;
    for (first, second) in [(password as fn(usize) -> Method, totp as fn(usize) -> Method), (totp, password)]
    {
        let before = keystone.bodies().len();
        let (one, other) = (first(GUARDED), second(GUARDED));
        let names = [one.name(), other.name()];
        let proxy = start(&keystone, settings(&keystone, one, vec![other]));
        assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
        assert_eq!(methods(&keystone)[before..], names.map(|name| json!([name])));
        // The scope is repeated, or the token would have none (`authenticate-v3.inc`, "Multi-Step Authentication").
        assert!(keystone.bodies().iter().all(|body| body["auth"]["scope"]["project"].is_object()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_factor_that_nobody_wants_is_not_shown() {
    let (_service, keystone) = cloud().await;
    let proxy = start(&keystone, settings(&keystone, password(TIMED), vec![totp(TIMED)]));
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    assert_eq!(methods(&keystone), [json!(["password"])]);
}

#[tokio::test(start_paused = true)]
async fn who_lacks_a_factor_is_told_which() {
    let (_service, keystone) = cloud().await;
    let mut settings = settings(&keystone, password(GUARDED), Vec::new());
    settings.identity.on_refused = OnRefused::Exit;
    let proxy = start(&keystone, settings);
    let Err(RunError::NoLogin(error)) = proxy.ended().await else { panic!("it goes on") };
    let error = Arc::try_unwrap(error).map_or_else(|error| error.to_string(), |error| error.to_string());
    assert!(error.contains("wants more than password of user id"), "{error}");
    assert!(error.contains("password and totp") && error.contains("OS_TOTP_SECRET"), "{error}");
    assert_eq!(keystone.bodies().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_code_that_was_given_is_used_once() {
    let (_service, keystone) = cloud().await;
    let first = start(&keystone, settings(&keystone, totp(TIMED), Vec::new()));
    assert_eq!(get(first.addr, "/object-store/c").await.status, 200);
    let code =
        keystone.bodies()[0]["auth"]["identity"]["totp"]["user"]["passcode"].as_str().unwrap().to_owned();
    let given = Method::Totp { user: user(TIMED), passcode: Passcode::Given(Secret::new(code)) };
    let proxy = start(&keystone, settings(&keystone, given, Vec::new()));
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    let before = keystone.bodies().len();
    sleep(Duration::from_secs(3601)).await;
    let reply = get(proxy.addr, "/object-store/c").await;
    assert_eq!((reply.status, reply.reason()), (503, "credentials_refused"));
    // The first proxy's own.
    assert!(keystone.bodies().len() - before <= 2);
    let text = keystone.bodies().len();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(keystone.bodies().len(), text);
}
