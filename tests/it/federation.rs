//! Logins by an OpenID provider, and what goes on by its refresh token.

use std::time::Duration;

use gatestone::config::Config;
use gatestone::identity::credentials::{
    Challenge, Federation, Flow, Grant, Method, OAuth2Client, OpenId, Scope, TokenKind,
};
use gatestone::run::RunError;
use gatestone::secret::Secret;
use tokio::time::{Instant, sleep};

use crate::support::provider::Provider;
use crate::support::service::Bytes;
use crate::support::{Keystone, Proxy, Service, config, get, http::fields};

const HALF_A_MINUTE: Duration = Duration::from_secs(30);

async fn cloud() -> (Service, Keystone, Provider) {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p1", &["R"])).await;
    let provider = Provider::start(&keystone, HALF_A_MINUTE).await;
    (service, keystone, provider)
}

fn client(provider: &Provider, flow: Flow) -> OpenId {
    OpenId {
        client_id: "us".to_owned(),
        client_secret: None,
        scope: "openid profile".to_owned(),
        discovery_endpoint: None,
        token_endpoint: Some(provider.url("/token").parse().unwrap()),
        token_kind: TokenKind::Access,
        flow,
    }
}

fn settings(keystone: &Keystone, grant: Grant) -> Config {
    let mut settings = config::password(&keystone.url);
    let federation =
        Federation { identity_provider: "somewhere".to_owned(), protocol: "openid".to_owned(), grant };
    settings.identity.credentials.method = Method::Federated(Box::new(federation));
    settings
}

fn start(keystone: &Keystone, openid: OpenId) -> Proxy {
    Proxy::with(settings(keystone, Grant::Provider(Box::new(openid))))
}

fn password() -> Flow {
    Flow::Password { username: "u".to_owned(), password: Secret::new("p&ss wörd+"), passcode: None }
}

#[tokio::test(start_paused = true)]
async fn an_hour_of_short_tokens_needs_one_login_at_the_provider() {
    let (_service, keystone, provider) = cloud().await;
    keystone.lifetime(HALF_A_MINUTE);
    let proxy = start(&keystone, client(&provider, password()));
    for _ in 0..360 {
        assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
        sleep(Duration::from_secs(10)).await;
    }
    assert_eq!(provider.grants("password"), 1);
    let refreshed = provider.grants("refresh_token");
    assert!((150..=250).contains(&refreshed), "{refreshed}");
    // Each was used once.
    let mut used: Vec<String> =
        provider.state().forms.iter().filter_map(|(_, form)| form.get("refresh_token").cloned()).collect();
    let all = used.len();
    used.sort();
    used.dedup();
    assert_eq!(used.len(), all);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_that_ends_before_the_token_is_used_in_time() {
    let (_service, keystone, provider) = cloud().await;
    keystone.lifetime(Duration::from_secs(8 * 3600));
    provider.state().refresh_lifetime = Some(1800);
    let proxy = start(&keystone, client(&provider, password()));
    for _ in 0..48 {
        assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
        sleep(Duration::from_secs(1800)).await;
    }
    assert_eq!(provider.grants("password"), 1);
}

#[tokio::test(start_paused = true)]
async fn when_the_refresh_token_is_gone_the_login_is_made_anew() {
    let (_service, keystone, provider) = cloud().await;
    keystone.lifetime(HALF_A_MINUTE);
    let proxy = start(&keystone, client(&provider, password()));
    get(proxy.addr, "/object-store/c").await;
    provider.state().refresh_token = None;
    sleep(HALF_A_MINUTE).await;
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    assert_eq!(provider.grants("password"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_without_the_token_that_is_wanted_is_as_good_as_none() {
    let (_service, keystone, provider) = cloud().await;
    keystone.lifetime(HALF_A_MINUTE);
    provider.state().forgets_id_token = true;
    let by_id_token = OpenId { token_kind: TokenKind::Id, ..client(&provider, password()) };
    let proxy = start(&keystone, by_id_token);
    for _ in 0..10 {
        assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
        sleep(Duration::from_secs(10)).await;
    }
    assert!(provider.grants("password") > 3);
}

#[tokio::test(start_paused = true)]
async fn a_device_is_asked_for_anew_once_its_refresh_token_is_gone() {
    let (_service, keystone, provider) = cloud().await;
    keystone.lifetime(Duration::from_secs(600));
    let flow = Flow::Device { endpoint: Some(provider.url("/device").parse().unwrap()), challenge: None };
    let mut settings = settings(&keystone, Grant::Provider(Box::new(client(&provider, flow))));
    settings.identity.token_wait = Duration::from_secs(600);
    let proxy = Proxy::with(settings);
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    // Nobody is there for more than the minute that other logins have.
    provider.state().refresh_token = None;
    provider.state().pending = vec!["authorization_pending"; 30];
    sleep(Duration::from_secs(605)).await;
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    let begun = provider.state().forms.iter().filter(|(target, _)| target == "/device").count();
    assert_eq!(begun, 2);
}

#[tokio::test(start_paused = true)]
async fn a_client_says_who_it_is_as_it_can() {
    let (_service, keystone, provider) = cloud().await;
    let flow = || Flow::ClientCredentials;
    let without = start(&keystone, client(&provider, flow()));
    assert_eq!(get(without.addr, "/object-store/c").await.status, 200);
    let with_secret = OpenId { client_secret: Some(Secret::new("s")), ..client(&provider, flow()) };
    let proxy = start(&keystone, with_secret);
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    let state = provider.state();
    assert_eq!(state.authorizations, ["Basic dXM6cw=="]);
    let ids: Vec<bool> = state.forms.iter().map(|(_, form)| form.contains_key("client_id")).collect();
    assert_eq!(ids.iter().filter(|has_id| **has_id).count(), 1, "{ids:?}");
    assert!(state.forms.iter().all(|(_, form)| form["scope"] == "openid profile"));
}

#[tokio::test(start_paused = true)]
async fn a_person_enters_the_code_while_we_wait() {
    let (_service, keystone, provider) = cloud().await;
    keystone.lifetime(HALF_A_MINUTE);
    provider.state().pending = vec!["authorization_pending", "slow_down", "authorization_pending"];
    let device = OpenId {
        discovery_endpoint: Some(provider.url("/.well-known/openid-configuration").parse().unwrap()),
        token_endpoint: None,
        ..client(&provider, Flow::Device { endpoint: None, challenge: Some(Challenge::S256) })
    };
    let start_of_it = Instant::now();
    let mut settings = settings(&keystone, Grant::Provider(Box::new(device)));
    settings.identity.token_wait = Duration::from_secs(120);
    let proxy = Proxy::with(settings);
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    // 5, 5, 10 and 10 s (RFC 8628 section 3.5).
    let waited = start_of_it.elapsed().as_secs();
    assert!((30..=31).contains(&waited), "{waited}");
    for _ in 0..60 {
        sleep(Duration::from_secs(10)).await;
        assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    }
    let state = provider.state();
    let begun: Vec<_> = state.forms.iter().filter(|(target, _)| target == "/device").collect();
    assert_eq!(begun.len(), 1);
    assert_eq!(
        (begun[0].1["code_challenge_method"].as_str(), begun[0].1["code_challenge"].len()),
        ("S256", 43)
    );
    let verifiers = state.forms.iter().filter(|(_, form)| form.contains_key("code_verifier")).count();
    assert_eq!(verifiers, 4);
}

#[tokio::test(start_paused = true)]
async fn a_code_that_nobody_enters_ends_the_wait() {
    let (_service, keystone, provider) = cloud().await;
    provider.state().pending = vec!["authorization_pending"; 1000];
    let flow = Flow::Device { endpoint: Some(provider.url("/device").parse().unwrap()), challenge: None };
    let proxy = start(&keystone, client(&provider, flow));
    let Err(RunError::NoLogin(error)) = proxy.ended().await else { panic!("it goes on") };
    assert!(error.to_string().contains("nobody entered the code in time"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_provider_is_one_of_the_credentials() {
    let (_service, keystone, provider) = cloud().await;
    let wrong = Flow::Password { username: "u".to_owned(), password: Secret::new("hunter2"), passcode: None };
    let Err(RunError::NoLogin(error)) = start(&keystone, client(&provider, wrong)).ended().await else {
        panic!("it goes on")
    };
    let text = error.to_string();
    assert!(
        text.contains("refused user u of identity provider somewhere: invalid_grant (because)"),
        "{text}"
    );
    assert!(!text.contains("hunter2"));

    // A provider that Keystone does not know.
    let mut settings = settings(&keystone, Grant::Provider(Box::new(client(&provider, password()))));
    if let Method::Federated(federation) = &mut settings.identity.credentials.method {
        federation.identity_provider = "elsewhere".to_owned();
    }
    let Err(RunError::NoLogin(error)) = Proxy::with(settings).ended().await else { panic!("it goes on") };
    assert!(error.to_string().contains("knows no identity provider `elsewhere`"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_access_token_that_was_given_is_used_as_it_is() {
    let (_service, keystone, _provider) = cloud().await;
    keystone.inside().trust_bearer("given", HALF_A_MINUTE);
    let proxy = Proxy::with(settings(&keystone, Grant::AccessToken(Secret::new("given"))));
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    sleep(Duration::from_secs(3601)).await;
    let reply = get(proxy.addr, "/object-store/c").await;
    assert_eq!((reply.status, reply.reason()), (503, "credentials_refused"));
}

#[tokio::test(start_paused = true)]
async fn without_a_scope_the_first_token_is_the_last() {
    let (_service, keystone, provider) = cloud().await;
    let mut settings = settings(&keystone, Grant::Provider(Box::new(client(&provider, password()))));
    settings.identity.credentials.scope = Scope::Unspecified;
    let proxy = Proxy::with(settings);
    assert_eq!(get(proxy.addr, "/identity/v3/auth/projects").await.status, 200);
    assert!(keystone.bodies().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_the_provider_is_one_of_the_identity_service() {
    let (_service, keystone, provider) = cloud().await;
    keystone.lifetime(HALF_A_MINUTE);
    let broken = Service::saying("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n").await;
    let mut openid = client(&provider, password());
    openid.token_endpoint = Some(format!("http://{}/token", broken.addr).parse().unwrap());
    let proxy = start(&keystone, openid);
    let reply = get(proxy.addr, "/object-store/c").await;
    assert_eq!((reply.status, reply.reason()), (503, "identity_unreachable"));
}

#[tokio::test(start_paused = true)]
async fn a_client_of_keystones_own_shows_services_a_bearer_token_too() {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p1", &["R"])).await;
    let known = &gatestone::embedded::people::APPLICATION_CREDENTIALS[0];
    let tokens = Service::start(|head, body| {
        assert!(fields(head, "authorization")[0].starts_with("Basic "));
        assert_eq!(body, b"grant%5Ftype=client%5Fcredentials");
        let answer = r#"{"access_token": "bearer-1", "expires_in": 60, "token_type": "Bearer"}"#;
        Bytes::Keep(format!("HTTP/1.1 200 X\r\nContent-Length: {}\r\n\r\n{answer}", answer.len()))
    })
    .await;
    let mut settings = config::password(&keystone.url);
    settings.identity.credentials.method = Method::OAuth2(Box::new(OAuth2Client {
        endpoint: format!("http://{}/v3/OS-OAUTH2/token", tokens.addr).parse().unwrap(),
        client_id: known.id.to_owned(),
        client_secret: Secret::new(known.secret),
    }));
    settings.identity.credentials.scope = Scope::Unspecified;
    let proxy = Proxy::with(settings);
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    // It ends before Keystone's own token does.
    sleep(Duration::from_secs(61)).await;
    assert_eq!(get(proxy.addr, "/object-store/c").await.status, 200);
    for head in service.heads() {
        assert_eq!(fields(&head, "authorization"), ["Bearer bearer-1"]);
        assert_eq!(fields(&head, "x-auth-token").len(), 1);
    }
    assert_eq!(keystone.logins(), 2);
}
