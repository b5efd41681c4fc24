//! `Config`: complete and valid settings, from flags, environment, file and defaults.
//!
//! | first | then | then | then | last |
//! |---|---|---|---|---|
//! | flag | `GATESTONE_*` | `OS_*` | `gatestone.toml` | the cloud's entry in `clouds.yaml`, else a default |
//!
//! All mistakes are found in one go and told together ([`Mistakes`]); what is merely
//! odd becomes a warning. Nothing after this module has to validate a setting, and nothing
//! but this module knows a flag, a variable or a file's place.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::catalog::Interface;
use crate::cli::{CloudArgs, ServerArgs};
use crate::routing::ServicePreferences;
use crate::{client, identity, proxy, routing, server};

use self::file::File;
use self::mistakes::close_name;
use self::settings::{Base, Given, NAMES, Placed, Settings};
use self::source::Source;

pub use self::env::{Environment, ProcessEnvironment};
pub use self::mistakes::{Mistake, Mistakes};
pub use self::places::Places;
pub use self::values::duration;

mod clouds;
mod draft;
mod env;
mod file;
mod listen;
mod login;
mod mistakes;
mod openstack_env;
mod places;
mod secret_file;
mod services;
mod settings;
mod source;
#[cfg(test)]
mod tests;
mod values;
mod yaml;

/// Everything `run` needs, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The token.
    pub identity: identity::Settings,
    /// Endpoints.
    pub routing: routing::Preferences,
    /// Upstreams.
    pub client: client::Settings,
    /// The door.
    pub proxy: proxy::Settings,
    /// Listeners.
    pub server: server::Settings,
    /// Logs.
    pub log: LogSettings,
    /// Runtimes, one a core unless set.
    pub workers: usize,
    /// Where things were written, for messages.
    pub sources: Sources,
    /// Things to tell the user at start that are no mistakes, one sentence each.
    pub warnings: Vec<String>,
}

/// What is logged, and how. All logs go to standard error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// Text or JSON.
    pub format: LogFormat,
    /// A level (`error`, `warn`, `info`, `debug`, `trace`).
    pub level: tracing::Level,
    /// One record a request.
    pub access_log: bool,
}

/// Shape of a log record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Where settings were written, in words for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// The credentials: "cloud `ovh` in /home/u/.config/openstack/clouds.yaml".
    pub credentials: String,
    /// The region, if one is set: "OS_REGION_NAME".
    pub region: Option<String>,
    /// Files that were read: ours, `clouds.yaml`, `secure.yaml`.
    pub files: Vec<PathBuf>,
}

impl Config {
    /// Puts everything together.
    ///
    /// # Errors
    ///
    /// All mistakes of all sources.
    pub fn load(
        cloud: &CloudArgs,
        server: &ServerArgs,
        env: &dyn Environment,
        places: &Places,
    ) -> Result<Self, Mistakes> {
        let (mut warnings, mut mistakes) = (Vec::new(), Mistakes::default());
        let Own { settings, file, cloud_in_file } = own(cloud, server, env, places, &mut mistakes);
        let source = source::choose(&settings, cloud_in_file, env, places, &mut warnings, &mut mistakes);
        let credentials = source
            .as_ref()
            .and_then(|source| login::credentials(&source.draft, &mut warnings, &mut mistakes));
        let services = services(env, &file, source.as_ref(), &mut mistakes);
        let tls = tls(&settings, source.as_ref(), &mut warnings, &mut mistakes);
        let hints = openstack_env::misspelt(env).into_iter().chain(misspelt(env));
        let (Some(source), Some(credentials), true) = (source, credentials, mistakes.is_empty()) else {
            hints.for_each(|hint| mistakes.add(hint));
            return Err(mistakes);
        };
        warnings.extend(hints);
        let (region, interfaces) = endpoints(&settings, &source);
        let sources = Sources {
            credentials: source.words,
            region: region.as_ref().map(|region| region.place.clone()),
            files: file.path.into_iter().chain(source.files).collect(),
        };
        Ok(Self {
            identity: identity::Settings {
                credentials,
                token_wait: settings.token_wait.unwrap_or(TOKEN_WAIT),
                on_refused: settings.on_refused.unwrap_or(identity::OnRefused::Exit),
            },
            routing: routing::Preferences { region: region.map(|region| region.value), interfaces, services },
            client: client::Settings {
                connect_timeout: settings.connect_timeout.unwrap_or(CONNECT_TIMEOUT),
                response_timeout: settings.response_timeout.unwrap_or(RESPONSE_TIMEOUT),
                idle_timeout: settings.upstream_idle_timeout.unwrap_or(UPSTREAM_IDLE_TIMEOUT),
                tls,
                proxy: proxies(&settings, env),
                resolve: settings.resolve.unwrap_or_default(),
            },
            proxy: proxy::Settings {
                allowed_hosts: settings.allowed_hosts.unwrap_or_default(),
                allow_minting: settings.allow_minting.unwrap_or_default(),
            },
            server: server::Settings {
                listen: settings.listen.unwrap_or_else(listen::default),
                max_connections: settings.max_connections.unwrap_or(MAX_CONNECTIONS),
                idle_timeout: settings.idle_timeout.unwrap_or(IDLE_TIMEOUT),
                shutdown_timeout: settings.shutdown_timeout.unwrap_or(SHUTDOWN_TIMEOUT),
            },
            log: LogSettings {
                format: settings.log_format.unwrap_or(LogFormat::Text),
                level: settings.log_level.unwrap_or(tracing::Level::INFO),
                access_log: settings.access_log.unwrap_or_default(),
            },
            workers: settings.workers.unwrap_or_else(cores),
            sources,
            warnings,
        })
    }
}

/// Where a running proxy listens, for `health`: its flag, else what the settings say.
///
/// # Errors
///
/// The mistakes of the flag, the environment and our file; no login is needed.
pub fn health_addresses(
    listen: Option<&str>,
    env: &dyn Environment,
    places: &Places,
) -> Result<Vec<server::ListenAddr>, Mistakes> {
    let mut mistakes = Mistakes::default();
    let server = ServerArgs { listen: listen.map(str::to_owned).into_iter().collect(), ..ServerArgs::default() };
    let own = own(&CloudArgs::default(), &server, env, places, &mut mistakes);
    if mistakes.is_empty() { Ok(own.settings.listen.unwrap_or_else(listen::default)) } else { Err(mistakes) }
}

/// Our own settings from all their sources.
struct Own {
    settings: Settings,
    file: File,
    /// Whether the cloud is named in the file and nowhere before it.
    cloud_in_file: bool,
}

fn own(
    cloud: &CloudArgs,
    server: &ServerArgs,
    env: &dyn Environment,
    places: &Places,
    mistakes: &mut Mistakes,
) -> Own {
    let mut settings = Settings::default();
    let from_env = || Some((env.get("GATESTONE_CONFIG")?, "GATESTONE_CONFIG"));
    let explicit = cloud.config.as_ref().map(|path| (path.display().to_string(), "--config")).or_else(from_env);
    let explicit = explicit.map(|(path, place)| (places.resolve(&path, places.working()), place));
    let file = file::load(explicit.as_ref().map(|(path, place)| (path.as_path(), *place)), places, &mut settings, mistakes);
    let in_file = settings.cloud.clone();
    openstack_env::settings(env, places, &mut settings, mistakes);
    let base = Base { places, dir: places.working() };
    for name in NAMES {
        let variable = variable(name);
        if let Some(value) = env.get(&variable) {
            settings.set(name, &Given::Text(value), &variable, base, mistakes);
        }
    }
    for (name, flag, given) in flags(cloud, server) {
        settings.set(name, &given, flag, base, mistakes);
    }
    let cloud_in_file = in_file.is_some() && settings.cloud == in_file;
    Own { settings, file, cloud_in_file }
}

fn flags(cloud: &CloudArgs, server: &ServerArgs) -> Vec<(&'static str, &'static str, Given)> {
    let text = |text: &Option<String>| text.clone().map(Given::Text);
    let listen = (!server.listen.is_empty()).then(|| Given::List(server.listen.clone()));
    let flags = [
        ("cloud", "--cloud", text(&cloud.cloud)),
        ("region", "--region", text(&cloud.region)),
        ("interface", "--interface", text(&cloud.interface)),
        ("log_format", "--log-format", text(&cloud.log_format)),
        ("log_level", "--log-level", text(&cloud.log_level)),
        ("listen", "--listen", listen),
        ("access_log", "--access-log", server.access_log.then_some(Given::Switch(true))),
        ("on_refused", "--on-refused", text(&server.on_refused)),
        ("workers", "--workers", server.workers.map(|count| Given::Text(count.to_string()))),
        ("shutdown_timeout", "--shutdown-timeout", text(&server.shutdown_timeout)),
    ];
    flags.into_iter().filter_map(|(name, flag, given)| Some((name, flag, given?))).collect()
}

fn variable(name: &str) -> String {
    format!("GATESTONE_{}", name.to_uppercase())
}

/// A sentence for each `GATESTONE_*` variable that looks like a slip of the finger. Others are
/// left alone: Kubernetes makes `GATESTONE_SERVICE_HOST` and `GATESTONE_PORT` of a service's name.
fn misspelt(env: &dyn Environment) -> Vec<String> {
    let known: Vec<String> = NAMES.into_iter().chain(["config"]).map(variable).collect();
    let ours = env.names().into_iter().filter(|name| name.starts_with("GATESTONE_") && !known.contains(name));
    let hint = |name: String| {
        let close = close_name(&name, known.iter().map(String::as_str))?;
        Some(format!("{name} is not a setting of Gatestone; did you mean {close}?"))
    };
    let mut hints: Vec<String> =
        ours.filter(|name| !name.starts_with("GATESTONE_PORT")).filter_map(hint).collect();
    hints.sort();
    hints
}

/// Region and interfaces of the listener.
fn endpoints(settings: &Settings, source: &Source) -> (Option<Placed<crate::catalog::Region>>, Vec<Interface>) {
    let cloud = source.cloud.as_ref();
    let of_cloud = || Some(Placed { value: cloud?.region.clone()?, place: source.draft.to_string() });
    let region = settings.region.clone().or_else(of_cloud);
    let interfaces = settings.interface.clone().or_else(|| cloud?.interfaces.clone());
    (region, interfaces.unwrap_or_else(|| vec![Interface::Public]))
}

/// Per service and setting: variables, then our file, then the cloud's entry.
fn services(
    env: &dyn Environment,
    file: &File,
    source: Option<&Source>,
    mistakes: &mut Mistakes,
) -> BTreeMap<String, ServicePreferences> {
    let mut services = BTreeMap::new();
    services::fill(&mut services, &openstack_env::services(env), mistakes);
    for (name, written) in &file.services {
        let service = services.entry(name.clone()).or_default();
        service.names.clone_from(&written.names);
        service.allow_http = written.allow_http;
        if service.region.is_none() {
            service.region.clone_from(&written.region);
        }
        if service.interfaces.is_empty() {
            service.interfaces.clone_from(&written.interfaces);
        }
        if service.endpoint_override.is_none() {
            service.endpoint_override.clone_from(&written.endpoint_override);
        }
    }
    if let Some(cloud) = source.and_then(|source| source.cloud.as_ref()) {
        services::fill(&mut services, &cloud.services, mistakes);
    }
    services
}

fn tls(
    settings: &Settings,
    source: Option<&Source>,
    warnings: &mut Vec<String>,
    mistakes: &mut Mistakes,
) -> client::TlsSettings {
    let cloud = source.and_then(|source| source.cloud.as_ref());
    let cacert = settings.cacert.as_ref().or_else(|| cloud?.cacert.as_ref());
    // A certificate and its key belong together, so they are taken from one source.
    let (cert, key) = match (&settings.cert, &settings.key) {
        (None, None) => (cloud.and_then(|cloud| cloud.cert.as_ref()), cloud.and_then(|cloud| cloud.key.as_ref())),
        (cert, key) => (cert.as_ref(), key.as_ref()),
    };
    for path in [cacert, cert, key].into_iter().flatten() {
        if let Err(error) = std::fs::File::open(&path.value) {
            mistakes.at(&path.place, format!("cannot read {}: {error}", path.value.display()));
        }
    }
    if let (None, Some(key)) = (cert, key) {
        mistakes.at(&key.place, "a private key is set, but no certificate that it belongs to");
    }
    let insecure = settings.insecure.as_ref().or_else(|| cloud?.insecure.as_ref()).filter(|insecure| insecure.value);
    if let Some(insecure) = insecure {
        warnings.push(format!(
            "{}: certificates are NOT verified; whoever stands between here and the cloud can take the password and every token",
            insecure.place
        ));
    }
    client::TlsSettings {
        cacert: cacert.map(|path| path.value.clone()),
        client_certificate: cert.map(|cert| client::ClientCertificate {
            cert: cert.value.clone(),
            key: key.map_or_else(|| cert.value.clone(), |key| key.value.clone()),
        }),
        insecure: insecure.is_some(),
    }
}

/// What our settings say comes first here: `HTTPS_PROXY` and its relatives are everybody's, not
/// ours. An empty text in the file turns a proxy of the environment off, `ALL_PROXY` too, which
/// therefore is resolved here.
fn proxies(settings: &Settings, env: &dyn Environment) -> client::ProxySettings {
    let first = |names: &[&str]| names.iter().find_map(|name| env.get(name)).unwrap_or_default();
    let all = &["all_proxy", "ALL_PROXY"];
    client::ProxySettings {
        https: settings
            .https_proxy
            .clone()
            .unwrap_or_else(|| first(&[&["https_proxy", "HTTPS_PROXY"][..], all].concat())),
        // As curl, lower-case only: in CGI programs the other name is a client's `Proxy` header.
        http: settings.http_proxy.clone().unwrap_or_else(|| first(&[&["http_proxy"][..], all].concat())),
        all: String::new(),
        no: settings.no_proxy.clone().unwrap_or_else(|| first(&["no_proxy", "NO_PROXY"])),
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A login takes a fraction of a second; who waits longer than this is better told to come back.
const TOKEN_WAIT: Duration = Duration::from_secs(10);

/// Name look-up, TCP with three lost packets, and TLS fit in; an unreachable cloud is noticed soon.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What the OpenStack clients themselves wait at most, so that we never give up before them.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(600);

/// Just below the minute after which Swift's proxy and common load balancers close an idle
/// connection: whoever closes first spares the other a request into the void.
const UPSTREAM_IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// Tools keep a connection between the steps of a job; on loopback an open one costs next to nothing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// What Kubernetes grants a pod between SIGTERM and SIGKILL.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);

/// Two file descriptors a connection: within the usual hard limit of open files, and far above
/// what the users of one machine open.
const MAX_CONNECTIONS: usize = 10_000;
