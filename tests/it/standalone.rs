//! Services that have no Keystone: one endpoint for all, or overrides.

use std::time::Duration;

use gatestone::config::Config;
use gatestone::identity::credentials::{FixedProof, Method, Scope, Standalone};
use gatestone::secret::Secret;
use tokio::time::sleep;

use crate::support::{Proxy, Service, ask, config, get, http::fields};

fn settings(endpoint: Option<&Service>, proof: FixedProof) -> Config {
    let mut settings = config::password("http://unused");
    let endpoint = endpoint.map(|service| format!("http://{}", service.addr).parse().unwrap());
    settings.identity.credentials.auth_url = None;
    settings.identity.credentials.method = Method::Standalone(Box::new(Standalone { endpoint, proof }));
    settings.identity.credentials.scope = Scope::Unspecified;
    settings
}

/// What a service is shown.
fn shown(service: &Service) -> (Vec<String>, Vec<String>) {
    let head = service.heads().pop().unwrap();
    let all = |name| fields(&head, name).iter().map(|it| (*it).to_owned()).collect();
    (all("x-auth-token"), all("authorization"))
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_proof_reaches_the_service_and_no_other() {
    let basic = FixedProof::Basic { username: "Aladdin".to_owned(), password: Secret::new("open sesame") };
    for (proof, token, authorization) in [
        (FixedProof::None, &["notused"][..], &[][..]),
        (basic, &[], &["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="]),
        (FixedProof::Token(Secret::new("ADMIN")), &["ADMIN"], &[]),
    ] {
        let service = Service::echo().await;
        let proxy = Proxy::with(settings(Some(&service), proof));
        let request = "GET /baremetal/v1/nodes HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: mine\r\n\
                       Authorization: Basic bWluZTptaW5l\r\n\r\n";
        let reply = ask(proxy.addr, request).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let (tokens, authorizations) = shown(&service);
        assert_eq!(
            (tokens.as_slice(), authorizations.as_slice()),
            (
                &token.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()[..],
                &authorization.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()[..],
            )
        );
        assert!(service.heads()[0].starts_with("GET /v1/nodes "), "{}", service.heads()[0]);
        // A week later it is as good.
        sleep(Duration::from_secs(7 * 86_400)).await;
        assert_eq!(get(proxy.addr, "/ironic/v1/nodes").await.status, 200);
        assert_eq!(get(proxy.addr, "/-/readyz").await.status, 200);
    }
}

#[tokio::test(start_paused = true)]
async fn an_override_comes_before_the_endpoint_of_all() {
    let (all, one) = (Service::echo().await, Service::echo().await);
    let mut settings = settings(Some(&all), FixedProof::None);
    let url = format!("http://{}/volume", one.addr);
    settings.routing.services.entry("block-storage".to_owned()).or_default().endpoint_override = Some(url);
    let proxy = Proxy::with(settings);
    assert_eq!(get(proxy.addr, "/block-storage/v3").await.status, 200);
    assert_eq!(get(proxy.addr, "/compute/v2.1").await.status, 200);
    assert_eq!((one.heads().len(), all.heads().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn there_is_no_keystone_to_log_in_at() {
    let service = Service::echo().await;
    let proxy = Proxy::with(settings(Some(&service), FixedProof::None));
    for path in ["/v3/auth/tokens", "/identity/v3/users", "/v3"] {
        let reply = get(proxy.addr, path).await;
        assert_eq!((reply.status, reply.reason()), (404, "no_such_service"), "{path}");
        assert!(reply.text().contains("there is no Keystone behind this proxy"), "{}", reply.text());
    }
    assert!(service.heads().is_empty());
    let page = get(proxy.addr, "/").await;
    assert_eq!(page.status, 200);
    assert!(!page.text().contains("OS_PROJECT_ID"), "{}", page.text());
}
