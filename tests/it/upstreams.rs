//! The ways to an upstream: TLS, `resolve`, HTTP proxies, and which it may be at all.

use std::net::SocketAddr;

use gatestone::client::{ClientCertificate, Resolve, TlsSettings};
use gatestone::config::Config;
use gatestone::run::RunError;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::support::http::read_head;
use crate::support::tls::Authority;
use crate::support::{Keystone, Proxy, Service, config, get};

fn catalog(url: &str) -> Value {
    json!([{ "type": "image", "endpoints": [
        { "interface": "public", "region_id": "R", "url": url } ] }])
}

fn address(keystone: &Keystone) -> SocketAddr {
    keystone.url.trim_start_matches("http://").trim_end_matches("/v3").parse().unwrap()
}

fn trusting(auth_url: &str, authority: &Authority) -> Config {
    let mut settings = config::password(auth_url);
    settings.client.tls = TlsSettings { cacert: Some(authority.file()), ..TlsSettings::default() };
    settings
}

#[tokio::test(start_paused = true)]
async fn a_private_authority_is_trusted_when_it_is_named() {
    let (service, authority) = (Service::echo().await, Authority::new());
    let image = authority.in_front_of(service.addr, "127.0.0.1", false).await;
    let keystone = Keystone::start(catalog(&format!("https://{image}"))).await;
    let identity = authority.in_front_of(address(&keystone), "127.0.0.1", false).await;
    let proxy = Proxy::with(trusting(&format!("https://{identity}/v3"), &authority));
    assert_eq!(get(proxy.addr, "/image/v2/images").await.status, 200);
    assert_eq!(service.heads().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_upstream_of_an_unknown_authority_or_of_another_name_is_refused_before_it_sees_the_token() {
    let (service, known, unknown) = (Service::echo().await, Authority::new(), Authority::new());
    for (authority, name) in [(&unknown, "127.0.0.1"), (&known, "other.example")] {
        let image = authority.in_front_of(service.addr, name, false).await;
        let keystone = Keystone::start(catalog(&format!("https://{image}"))).await;
        let proxy = Proxy::with(trusting(&keystone.url, &known));
        let reply = get(proxy.addr, "/image/v2/images").await;
        assert_eq!((reply.status, reply.reason()), (502, "upstream_tls"), "{name}");
        assert!(reply.text().contains("OS_CACERT"), "{}", reply.text());
    }
    assert_eq!(service.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_keystone_that_is_not_trusted_ends_the_start_and_names_the_setting() {
    let (known, unknown) = (Authority::new(), Authority::new());
    let keystone = Keystone::start(json!([])).await;
    let identity = unknown.in_front_of(address(&keystone), "127.0.0.1", false).await;
    let proxy = Proxy::with(trusting(&format!("https://{identity}/v3"), &known));
    let Err(RunError::NoLogin(error)) = proxy.ended().await else { panic!("it must not go on") };
    assert!(error.to_string().contains("OS_CACERT"), "{error}");
    assert_eq!(keystone.logins(), 0, "the password must not have been sent");
}

#[tokio::test(start_paused = true)]
async fn insecure_takes_any_certificate() {
    let (service, authority) = (Service::echo().await, Authority::new());
    let image = authority.in_front_of(service.addr, "other.example", false).await;
    let keystone = Keystone::start(catalog(&format!("https://{image}"))).await;
    let proxy = Proxy::start(&keystone);
    assert_eq!(get(proxy.addr, "/image/v2/images").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn our_own_certificate_is_shown_to_those_who_ask() {
    let (service, authority) = (Service::echo().await, Authority::new());
    let image = authority.in_front_of(service.addr, "127.0.0.1", true).await;
    let keystone = Keystone::start(catalog(&format!("https://{image}"))).await;
    let without = Proxy::with(trusting(&keystone.url, &authority));
    assert_eq!(get(without.addr, "/image/v2/images").await.status, 502);
    let mut settings = trusting(&keystone.url, &authority);
    let both = authority.client_file();
    settings.client.tls.client_certificate = Some(ClientCertificate { cert: both.clone(), key: both });
    let with = Proxy::with(settings);
    assert_eq!(get(with.addr, "/image/v2/images").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_plain_endpoint_is_refused_while_the_auth_url_is_https_unless_it_is_allowed() {
    let (service, authority) = (Service::echo().await, Authority::new());
    let keystone = Keystone::start(catalog(&format!("http://{}", service.addr))).await;
    let identity = authority.in_front_of(address(&keystone), "127.0.0.1", false).await;
    let mut settings = trusting(&format!("https://{identity}/v3"), &authority);
    let refusing = Proxy::with(settings.clone());
    let reply = get(refusing.addr, "/image/v2/images").await;
    assert_eq!((reply.status, reply.reason()), (502, "insecure_endpoint"));
    assert!(reply.text().contains("allow_http"), "{}", reply.text());
    assert_eq!(service.connections(), 0);
    settings.routing.services.entry("image".to_owned()).or_default().allow_http = true;
    let allowing = Proxy::with(settings);
    assert_eq!(get(allowing.addr, "/image/v2/images").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn resolve_stands_in_for_dns_and_the_name_stays_the_certificates() {
    let (service, authority) = (Service::echo().await, Authority::new());
    let image = authority.in_front_of(service.addr, "glance.internal", false).await;
    let port = image.port();
    let keystone = Keystone::start(catalog(&format!("https://glance.internal:{port}"))).await;
    let mut settings = trusting(&keystone.url, &authority);
    settings.client.resolve = vec![
        Resolve { host: "glance.internal".to_owned(), port: Some(1), addresses: vec![[192, 0, 2, 1].into()] },
        Resolve { host: "glance.internal".to_owned(), port: Some(port), addresses: vec![image.ip()] },
    ];
    let proxy = Proxy::with(settings);
    assert_eq!(get(proxy.addr, "/image/v2/images").await.status, 200);
    assert!(service.heads()[0].contains(&format!("glance.internal:{port}")));
}

/// An HTTP proxy that lets everyone through to `upstream`, whatever they ask for; it
/// tells the heads that it got.
async fn tunnel(upstream: SocketAddr) -> (SocketAddr, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (tell, heads) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut inside, _)) = listener.accept().await {
            inside.set_nodelay(true).unwrap();
            let tell = tell.clone();
            tokio::spawn(async move {
                tell.send(read_head(&mut inside).await).unwrap();
                inside.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.unwrap();
                let mut outside = TcpStream::connect(upstream).await.unwrap();
                outside.set_nodelay(true).unwrap();
                // How it ends is for the two sides to judge.
                let _ = tokio::io::copy_bidirectional(&mut inside, &mut outside).await;
            });
        }
    });
    (addr, heads)
}

#[tokio::test(start_paused = true)]
async fn https_proxy_and_no_proxy_are_honoured() {
    let (service, authority) = (Service::echo().await, Authority::new());
    let image = authority.in_front_of(service.addr, "glance.example", false).await;
    let (http_proxy, mut heads) = tunnel(image).await;
    let keystone = Keystone::start(catalog("https://glance.example")).await;
    let mut settings = trusting(&keystone.url, &authority);
    settings.client.proxy.https = format!("http://user:word@{http_proxy}");
    let proxy = Proxy::with(settings.clone());
    assert_eq!(get(proxy.addr, "/image/v2/images").await.status, 200);
    let head = heads.recv().await.unwrap();
    assert!(head.starts_with("CONNECT glance.example:443 HTTP/1.1\r\n"), "{head}");
    assert!(head.to_lowercase().contains("proxy-authorization: basic"), "{head}");
    assert!(!head.contains(&keystone.token(1)), "the proxy is no place for the token");

    settings.client.proxy.no = "glance.example".to_owned();
    settings.client.resolve =
        vec![Resolve { host: "glance.example".to_owned(), port: None, addresses: vec![image.ip()] }];
    let direct = Proxy::with(settings);
    // Nothing listens at port 443 of the address it resolves to.
    assert_eq!(get(direct.addr, "/image/v2/images").await.status, 502);
    assert!(heads.try_recv().is_err(), "the proxy was asked all the same");
}
