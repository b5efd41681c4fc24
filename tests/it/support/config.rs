//! Settings for tests: a password login, a free port, defaults for the rest.

use gatestone::client::TlsSettings;
use gatestone::config::Config;
use gatestone::identity::credentials::{Credentials, Domain, Method, Project, Scope, User};
use gatestone::secret::Secret;
use gatestone::server::ListenAddr;

/// What `OS_USERNAME=demo OS_PASSWORD=...` and a project make of themselves.
pub(crate) fn password(auth_url: &str) -> Config {
    let default = || Domain::Id("default".to_owned());
    let mut config = Config::of(Credentials {
        auth_url: Some(auth_url.parse().unwrap()),
        method: Method::Password {
            user: User::Name { name: "demo".to_owned(), domain: default() },
            password: Secret::new("correct horse"),
        },
        spare: Vec::new(),
        scope: Scope::Project(Project::Name { name: "demo".to_owned(), domain: default() }),
    });
    config.listeners = vec![ListenAddr::Tcp { addr: ([127, 0, 0, 1], 0).into(), optional: false }.into()];
    config.server.max_connections = 1000;
    config.client.idle_timeout = std::time::Duration::from_secs(60);
    // Reading the system's certificates takes a while, and few tests need any.
    config.client.tls = TlsSettings { insecure: true, ..TlsSettings::default() };
    config.workers = 1;
    config
}
