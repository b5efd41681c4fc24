//! Which user is at the other end: the kernel is asked for real, and all of these tests run as one user.

use gatestone::proxy::{AllowedUser, AllowedUsers};
use tokio::net::TcpStream;

use crate::support::{Keystone, Proxy, Service, ask, config};

/// Whose listeners let in these users and, if that is who we are, not even root.
async fn cloud(users: Option<Vec<AllowedUser>>) -> (Service, Keystone, Proxy) {
    let service = Service::echo().await;
    let keystone = Keystone::start(service.catalog("object-store", "/v1/AUTH_p", &["R"])).await;
    let mut settings = config::password(&keystone.url);
    for listener in &mut settings.listeners {
        listener.access.users = users.clone().map(AllowedUsers::new);
        listener.access.allow_root = users.is_none();
    }
    let proxy = Proxy::with(settings);
    (service, keystone, proxy)
}

const GET: &str = "GET /object-store/c HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Above all ids that a machine has.
const NOBODY: u32 = 4_000_000_000;

#[tokio::test(start_paused = true)]
async fn who_runs_the_proxy_is_let_in() {
    let own = AllowedUser::Ids(gatestone::users::own_id()..=gatestone::users::own_id());
    for users in [None, Some(vec![AllowedUser::Myself]), Some(vec![own]), Some(vec![AllowedUser::Any])] {
        let (service, _keystone, proxy) = cloud(users.clone()).await;
        assert_eq!(ask(proxy.addr, GET).await.status, 200, "{users:?}");
        assert_eq!(service.heads().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_who_is_not_let_in_gets_one_answer_and_nothing_passes() {
    let (service, keystone, proxy) = cloud(Some(vec![AllowedUser::Ids(NOBODY..=NOBODY)])).await;
    for path in ["/object-store/c", "/", "/-/livez", "/-/metrics", "/v3", "/auth/v1.0", "/nothing"] {
        // Followed by another request, which is not answered any more.
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n{GET}");
        let reply = ask(proxy.addr, request).await;
        assert_eq!((reply.status, reply.reason()), (403, "peer_refused"), "{path}");
        assert_eq!(reply.field("connection"), Some("close"), "{path}");
        let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains("allow_users = [\"4000000000\", \""), "{message}");
    }
    assert!(service.heads().is_empty());
    assert!(keystone.asked(&http::Method::GET).is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_and_let_go_of_at_once_reaches_nothing() {
    let (service, _keystone, proxy) = cloud(None).await;
    // There is a token from here on, so that nothing else keeps requests back.
    assert_eq!(ask(proxy.addr, GET).await.status, 200);
    for reset in [false, true] {
        for _ in 0..20 {
            // Made and closed in one go, before the proxy, which is on this thread too, can look.
            let client = std::net::TcpStream::connect(proxy.addr).unwrap();
            std::io::Write::write_all(&mut &client, GET.as_bytes()).unwrap();
            if reset {
                client.set_nonblocking(true).unwrap();
                TcpStream::from_std(client).unwrap().set_zero_linger().unwrap();
            }
        }
        assert_eq!(ask(proxy.addr, GET).await.status, 200);
    }
    assert_eq!(service.heads().len(), 3);
}
