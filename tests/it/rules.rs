//! Rules as requests meet them; what they cover is tested beside them (`src/proxy/rules/tests.rs`).

use gatestone::proxy::{RuleSet, Rules};

use crate::support::{Keystone, Proxy, Service, ask, config};

async fn cloud(rules: Rules) -> (Service, Keystone, Proxy) {
    in_front_of(Service::echo().await, rules).await
}

async fn in_front_of(service: Service, rules: Rules) -> (Service, Keystone, Proxy) {
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let mut settings = config::password(&keystone.url);
    for listener in &mut settings.listeners {
        listener.access.rules = rules.clone();
    }
    let proxy = Proxy::with(settings);
    (service, keystone, proxy)
}

#[tokio::test(start_paused = true)]
async fn what_a_rule_denies_reaches_nobody_and_the_answer_names_it() {
    let (service, _keystone, proxy) = cloud(Rules::new(false, Vec::new(), &[RuleSet::NoDeletes])).await;
    let reply = ask(proxy.addr, "DELETE /object-store/c/o HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!((reply.status, reply.reason()), (403, "rule_denied"));
    let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("the rule set no-deletes denies DELETE in object-store;"), "{message}");
    assert!(service.heads().is_empty());
    assert_eq!(
        ask(proxy.addr, "GET /object-store/c/o HTTP/1.1\r\nHost: localhost\r\n\r\n").await.status,
        200
    );
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_written_clients_still_log_in_and_learn_no_key() {
    let (service, _keystone, proxy) = cloud(Rules::new(true, Vec::new(), &[])).await;
    let login = "{\"auth\":{\"identity\":{\"methods\":[\"password\"],\"password\":{\"user\":{\"name\":\"x\",\
                 \"password\":\"x\",\"domain\":{\"id\":\"default\"}}}}}}";
    let request = format!(
        "POST /v3/auth/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{login}",
        login.len()
    );
    assert_eq!(ask(proxy.addr, request).await.status, 201);
    let put = "PUT /object-store/c HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(ask(proxy.addr, put).await.reason(), "rule_denied");
    assert!(service.heads().is_empty());
}

#[tokio::test(start_paused = true)]
async fn keys_for_temporary_urls_are_hidden_where_nothing_is_written() {
    for (rules, hides) in [(Rules::default(), false), (Rules::new(true, Vec::new(), &[]), true)] {
        let service = Service::saying(
            "HTTP/1.1 204 No Content\r\nX-Account-Meta-Temp-URL-Key: k\r\nX-Container-Meta-Temp-Url-Key-2: k\r\n\
             X-Account-Meta-Other: k\r\n\r\n",
        )
        .await;
        let (_service, _keystone, proxy) = in_front_of(service, rules).await;
        let reply =
            ask(proxy.addr, "HEAD /object-store HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                .await;
        let names =
            ["x-account-meta-temp-url-key", "x-container-meta-temp-url-key-2", "x-account-meta-other"];
        assert_eq!(names.map(|name| reply.field(name).is_some()), [!hides, !hides, true]);
    }
}
