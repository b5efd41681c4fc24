//! TLS towards upstreams, with the other side of it played by the test.

use std::sync::Arc;

use gatestone::client::{Resolve, TlsSettings};
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, ProtocolVersion, ServerConfig, ServerConnection};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::support::by_hand::{send, take, to_the_end};
use crate::support::http::{read_head, read_reply};
use crate::support::tls::Authority;
use crate::support::{Keystone, Proxy, config};

/// An image service over TLS whose connections the test plays itself.
struct Upstream {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Upstream {
    async fn accept(&self) -> TlsStream<TcpStream> {
        self.acceptor.accept(self.accept_tcp().await).await.unwrap()
    }

    async fn accept_tcp(&self) -> TcpStream {
        let (stream, _) = self.listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }
}

/// A proxy in front of such an upstream, which it knows by `host`.
async fn in_front_of(host: &str, authority: &Authority, config: ServerConfig) -> (Upstream, Keystone, Proxy) {
    let ip = if host == "[::1]" { "[::1]" } else { "127.0.0.1" };
    let listener = TcpListener::bind(format!("{ip}:0")).await.unwrap();
    let at = listener.local_addr().unwrap();
    let keystone = Keystone::start(json!([{ "type": "image", "endpoints": [
        { "interface": "public", "region_id": "R", "url": format!("https://{host}:{}", at.port()) } ] }]))
    .await;
    let mut settings = config::password(&keystone.url);
    settings.client.tls = TlsSettings { cacert: Some(authority.file()), ..TlsSettings::default() };
    settings.client.resolve = vec![Resolve { host: host.to_owned(), port: None, addresses: vec![at.ip()] }];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    (Upstream { listener, acceptor }, keystone, Proxy::with(settings))
}

const GET: &str = "GET /image/v2/images HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Answers one request and ends the connection; tells what was agreed on.
async fn answer(mut origin: TlsStream<TcpStream>) -> ServerConnection {
    read_head(&mut origin).await;
    origin.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    origin.shutdown().await.unwrap();
    // Until the proxy ends it too.
    let _ = origin.read_to_end(&mut Vec::new()).await;
    origin.into_inner().1
}

#[tokio::test(start_paused = true)]
async fn both_versions_serve_and_are_resumed_and_agree_on_http_1_1_for_the_name() {
    let authority = Authority::new();
    for (version, told) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        let mut config = authority.server_config("glance.internal", false, &[version]);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let (upstream, _keystone, proxy) = in_front_of("glance.internal", &authority, config).await;
        for handshake in [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed] {
            let mut client = send(&proxy, GET).await;
            let agreed = answer(upstream.accept().await).await;
            assert_eq!(read_reply(&mut client, false).await.text(), "ok");
            assert_eq!(agreed.protocol_version(), Some(told));
            assert_eq!(agreed.handshake_kind(), Some(handshake), "{told:?}");
            assert_eq!(agreed.server_name(), Some("glance.internal"));
            assert_eq!(agreed.alpn_protocol(), Some(&b"http/1.1"[..]));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_is_checked_against_the_certificate_and_sent_as_no_name() {
    let authority = Authority::new();
    for (host, certificate, is_its_own) in [
        ("127.0.0.1", "127.0.0.1", true),
        ("[::1]", "::1", true),
        ("127.0.0.1", "127.0.0.2", false),
        ("[::1]", "::2", false),
        ("127.0.0.1", "localhost", false),
    ] {
        assert!(ServerName::try_from(certificate).is_ok());
        let config = authority.server_config(certificate, false, rustls::DEFAULT_VERSIONS);
        let (upstream, _keystone, proxy) = in_front_of(host, &authority, config).await;
        let mut client = send(&proxy, GET).await;
        let stream = upstream.accept_tcp().await;
        if is_its_own {
            let agreed = answer(upstream.acceptor.accept(stream).await.unwrap()).await;
            assert_eq!(read_reply(&mut client, false).await.status, 200, "{host}");
            // RFC 6066 section 3.
            assert_eq!(agreed.server_name(), None, "{host}");
        } else {
            let _ = upstream.acceptor.accept(stream).await;
            assert_eq!(
                read_reply(&mut client, false).await.reason(),
                "upstream_tls",
                "{host}, {certificate}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_speaks_no_http_1_1_is_refused() {
    let authority = Authority::new();
    let mut config = authority.server_config("glance.internal", false, rustls::DEFAULT_VERSIONS);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let (upstream, _keystone, proxy) = in_front_of("glance.internal", &authority, config).await;
    let mut client = send(&proxy, GET).await;
    let refused = upstream.acceptor.accept(upstream.accept_tcp().await).await;
    assert!(refused.is_err());
    assert_eq!(read_reply(&mut client, false).await.reason(), "upstream_tls");
}

/// The first record of the connection: RFC 8446 section 5.1.
async fn read_record(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let head = take(stream, 5).await;
    let length = u16::from_be_bytes([head[3], head[4]]);
    (head[0], take(stream, length.into()).await)
}

#[tokio::test(start_paused = true)]
async fn versions_before_1_2_are_neither_offered_nor_accepted() {
    let authority = Authority::new();
    for version in [[3, 0], [3, 1], [3, 2]] {
        let config = authority.server_config("glance.internal", false, rustls::DEFAULT_VERSIONS);
        let (upstream, _keystone, proxy) = in_front_of("glance.internal", &authority, config).await;
        let mut client = send(&proxy, GET).await;
        let mut origin = upstream.accept_tcp().await;
        let (kind, hello) = read_record(&mut origin).await;
        assert_eq!(kind, 22, "a handshake");
        // RFC 8446 section 4.2.1: supported_versions (43), 5 bytes: 4 of list, with 1.3 and 1.2.
        let offered = [0, 43, 0, 5, 4, 3, 4, 3, 3];
        assert!(hello.windows(offered.len()).any(|part| part == offered), "{hello:?}");
        // RFC 5246 section 7.4.1.3, with this version: random, no session,
        // TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, no compression.
        let mut body = version.to_vec();
        body.extend([7; 32]);
        body.extend([0, 0xc0, 0x13, 0]);
        let mut record = vec![22, 3, 1, 0, 4 + body.len() as u8, 2, 0, 0, body.len() as u8];
        record.extend(body);
        origin.write_all(&record).await.unwrap();
        let (kind, alert) = read_record(&mut origin).await;
        // A fatal alert, protocol_version.
        assert_eq!((kind, alert.as_slice()), (21, &[2, 70][..]), "{version:?}");
        assert_eq!(read_reply(&mut client, false).await.reason(), "upstream_tls");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_without_a_word_is_cut_unless_the_body_is_whole() {
    let authority = Authority::new();
    // (response, whether TLS ends with close_notify, whether it is whole)
    let table = [
        ("Content-Length: 4\r\n\r\nhalf", true, true),
        ("Content-Length: 4\r\n\r\nhalf", false, true),
        ("Content-Length: 8\r\n\r\nhalf", true, false),
        ("Content-Length: 8\r\n\r\nhalf", false, false),
        ("Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n\r\n", false, true),
        ("Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", true, false),
        ("Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", false, false),
        // RFC 9112 section 9.8: without the word, anybody on the way may have ended it.
        ("\r\nhalf", true, true),
        ("\r\nhalf", false, false),
    ];
    for version in [&TLS12, &TLS13] {
        for (response, has_word, is_whole) in table {
            let case = format!("{:?}, {response:?}, {has_word}", version.version);
            let config = authority.server_config("glance.internal", false, &[version]);
            let (upstream, _keystone, proxy) = in_front_of("glance.internal", &authority, config).await;
            let mut client = send(&proxy, &GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")).await;
            let mut origin = upstream.accept().await;
            read_head(&mut origin).await;
            origin.write_all(format!("HTTP/1.1 200 OK\r\n{response}").as_bytes()).await.unwrap();
            origin.flush().await.unwrap();
            if has_word {
                origin.shutdown().await.unwrap();
            } else {
                origin.into_inner().0.shutdown().await.unwrap();
            }
            let (seen, end) = to_the_end(&mut client).await;
            let seen = String::from_utf8(seen).unwrap();
            assert!(seen.starts_with("HTTP/1.1 200 OK\r\n"), "{case}: {seen}");
            let is_complete = if seen.contains("chunked") {
                seen.ends_with("half\r\n0\r\n\r\n")
            } else {
                seen.contains("Content-Length: 4\r\n") && seen.ends_with("\r\n\r\nhalf")
            };
            assert_eq!((is_complete, end.is_ok()), (is_whole, is_whole), "{case}: {seen}");
        }
    }
}
