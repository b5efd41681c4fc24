//! Settings for tests: a password login, a free port, defaults for the rest.

use std::time::Duration;

use gatestone::catalog::Interface;
use gatestone::config::{Config, LogFormat, LogSettings};
use gatestone::identity::credentials::{Credentials, Domain, Method, Project, Scope, User};
use gatestone::identity::{self, OnRefused};
use gatestone::secret::Secret;
use gatestone::server::ListenAddr;
use gatestone::{client, proxy, routing, server};

/// What `OS_USERNAME=demo OS_PASSWORD=...` and a project make of themselves.
pub(crate) fn password(auth_url: &str) -> Config {
    let default = || Domain::Id("default".to_owned());
    Config {
        identity: identity::Settings {
            credentials: Credentials {
                auth_url: auth_url.parse().unwrap(),
                method: Method::Password {
                    user: User::Name { name: "demo".to_owned(), domain: default() },
                    password: Secret::new("correct horse"),
                },
                scope: Scope::Project(Project::Name { name: "demo".to_owned(), domain: default() }),
            },
            token_wait: Duration::from_secs(10),
            on_refused: OnRefused::Exit,
            token_cache: None,
            token_file: None,
            revoke_on_exit: false,
        },
        routing: routing::Preferences { interfaces: vec![Interface::Public], ..Default::default() },
        client: client::Settings {
            connect_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(600),
            idle_timeout: Duration::from_secs(60),
            tls: client::TlsSettings { insecure: true, ..Default::default() },
            proxy: client::ProxySettings::default(),
            resolve: Vec::new(),
        },
        proxy: proxy::Settings::default(),
        server: server::Settings {
            listen: vec![ListenAddr::Tcp { addr: ([127, 0, 0, 1], 0).into(), optional: false }],
            max_connections: 1000,
            idle_timeout: Duration::from_secs(300),
            shutdown_timeout: Duration::from_secs(30),
        },
        log: LogSettings { format: LogFormat::Text, level: tracing::Level::INFO, access_log: false },
        workers: 1,
        sources: gatestone::config::Sources::default(),
        warnings: Vec::new(),
    }
}
