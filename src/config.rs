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
use std::time::{Duration, SystemTime};

use crate::access_log::{self, AccessLog, Shape};
use crate::catalog::{Interface, Region};
use crate::cli::{CloudArgs, ServerArgs};
use crate::identity::credentials::{Credentials, Method};
use crate::routing::ServicePreferences;
use crate::{client, identity, proxy, routing, server};

use self::env::Overlay;
use self::file::File;
use self::listeners::Listeners;
use self::own::Own;
use self::settings::{Placed, Settings};
use self::source::Source;

#[cfg(any(test, fuzzing))]
pub(crate) use self::clouds::oracle;
pub use self::env::{Environment, ProcessEnvironment};
pub use self::mistakes::{Mistake, Mistakes};
pub use self::places::Places;

mod access;
mod clouds;
mod command;
mod draft;
mod env;
mod file;
mod listen;
mod listeners;
mod login;
mod mistakes;
mod openrc;
mod openstack_env;
mod other;
mod own;
mod pace;
mod places;
mod rules;
mod secret_file;
mod services;
mod settings;
mod source;
#[cfg(test)]
mod tests;
mod token_files;
mod upstream;
mod values;
mod yaml;

/// Everything `run` needs, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The token.
    pub identity: identity::Settings,
    /// Endpoints.
    pub routing: routing::Preferences,
    /// Upstreams.
    pub client: client::Settings,
    /// The door.
    pub proxy: proxy::Settings,
    /// Where to listen, and what stands there.
    pub listeners: Vec<proxy::ListenerSettings>,
    /// Connections.
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
    /// Where those go.
    pub access_out: access_log::Out,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: tracing::Level::INFO,
            access_log: false,
            access_out: access_log::Out::default(),
        }
    }
}

impl LogSettings {
    /// The access log, if there is one.
    pub(crate) fn access_log(&self) -> Option<AccessLog> {
        let shape = match self.format {
            LogFormat::Text => Shape::Text,
            LogFormat::Json => Shape::Json,
        };
        self.access_log.then(|| AccessLog { shape, out: self.access_out.clone() })
    }
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
    /// Where each of their keys was written: "OS_PASSWORD".
    pub places: BTreeMap<&'static str, String>,
    /// Whether a part of them comes from `credential_command`.
    pub is_by_command: bool,
    /// When that part ends, if it ever does.
    pub expires: Option<SystemTime>,
    /// The cloud that a table of a listener names, if it is for that one.
    pub listener_cloud: Option<String>,
    /// The cloud of `clouds.yaml` that they are of, if they are.
    pub cloud: Option<String>,
    /// The region, if one is set: "OS_REGION_NAME".
    pub region: Option<String>,
    /// Files that were read, each once: ours, `clouds.yaml`, `secure.yaml`, `clouds-public.yaml`, and those
    /// of secrets and certificates.
    pub files: Vec<PathBuf>,
    /// Certificates and keys, and what tells whether they have changed.
    pub certificates: Vec<(PathBuf, u64)>,
}

impl Config {
    /// Puts everything together, for the cloud of the settings.
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
        Self::load_one(None, cloud, server, env, places)
    }

    /// As [`load`](Self::load), for each cloud that has a listener: the one of the settings, and those that tables of
    /// listeners name.
    ///
    /// # Errors
    ///
    /// All mistakes of all clouds.
    pub fn load_all(
        cloud: &CloudArgs,
        server: &ServerArgs,
        env: &dyn Environment,
        places: &Places,
    ) -> Result<Vec<Self>, Mistakes> {
        let (mut configs, mut mistakes) = (Vec::new(), Mistakes::default());
        for of in other::clouds(cloud, server, env, places) {
            match Self::load_one(of.as_deref(), cloud, server, env, places) {
                Ok(config) => configs.push(config),
                Err(more) => mistakes.extend(more),
            }
        }
        if mistakes.is_empty() { Ok(configs) } else { Err(mistakes) }
    }

    /// As [`load`](Self::load), for the cloud `of` that a table of a listener names.
    ///
    /// # Errors
    ///
    /// All mistakes of all sources.
    pub fn load_one(
        of: Option<&str>,
        cloud: &CloudArgs,
        server: &ServerArgs,
        env: &dyn Environment,
        places: &Places,
    ) -> Result<Self, Mistakes> {
        let (mut warnings, mut mistakes) = (Vec::new(), Mistakes::default());
        let without_login = of.map(|_| other::environment(env));
        let env = without_login.as_ref().map_or(env, |it| it as &dyn Environment);
        let openrc = openrc_file(cloud, env, places).filter(|_| of.is_none());
        let sourced = openrc.as_ref().map(|path| openrc::source(path, env, &mut mistakes));
        let env = sourced.as_ref().map_or(env, |sourced| sourced as &dyn Environment);
        let mut own = Own::load(cloud, server, env, places, &mut mistakes);
        if let Some(name) = of {
            other::keep(&mut own, name, &mut mistakes);
        }
        let listeners = Listeners::load(&own, of, env, places, &mut warnings, &mut mistakes);
        let is_one_of_several = listeners::clouds(&own).len() > 1;
        let Own { settings, file, cloud_in_file } = own;
        let printed = settings.credential_command.as_ref().map(|command| {
            let printed = command::run(&command.value);
            printed.unwrap_or_else(|why| {
                mistakes.at(&command.place, why);
                command::Printed::default()
            })
        });
        let overlay = printed.as_ref().map(|printed| Overlay { under: env, set: printed.over(env) });
        let env = overlay.as_ref().map_or(env, |overlay| overlay as &dyn Environment);
        let source = source::choose(&settings, cloud_in_file, env, places, &mut warnings, &mut mistakes);
        let credentials = source
            .as_ref()
            .and_then(|source| login::credentials(&source.draft, &mut warnings, &mut mistakes));
        let services = services(env, &file, source.as_ref(), &mut mistakes);
        if let Some(credentials) = &credentials
            && !has_endpoints(credentials, &services)
        {
            mistakes.add(NO_ENDPOINT);
        }
        let tls = upstream::tls(&settings, source.as_ref(), &mut warnings, &mut mistakes);
        let certificates = upstream::certificates(&tls);
        let files = files(&file, openrc.as_ref(), source.as_ref(), &listeners, &certificates);
        token_files::check(&settings, &files, &mut mistakes);
        let hints = openstack_env::misspelt(env).into_iter().chain(own::misspelt(env));
        let (Some(source), Some(credentials), true) = (source, credentials, mistakes.is_empty()) else {
            hints.for_each(|hint| mistakes.add(hint));
            return Err(mistakes);
        };
        warnings.extend(hints);
        let default = Self::of(credentials);
        let (region, interfaces) = endpoints(&settings, &source);
        let proxy = upstream::proxies(&settings, env);
        let sources = Sources {
            listener_cloud: of.map(str::to_owned),
            is_by_command: printed.is_some(),
            expires: printed.and_then(|printed| printed.expires),
            cloud: source.draft.cloud().map(str::to_owned),
            places: source.draft.places(),
            credentials: match &openrc {
                Some(path) => format!("{}, after {}", source.words, path.display()),
                None => source.words,
            },
            region: region.as_ref().map(|region| region.place.clone()),
            files,
            certificates,
        };
        Ok(Self {
            identity: identity::Settings {
                credentials: default.identity.credentials,
                token_wait: settings.token_wait.unwrap_or(default.identity.token_wait),
                on_refused: settings.on_refused.unwrap_or(match is_one_of_several {
                    // The others go on, and this one when its credentials are mended.
                    true => identity::OnRefused::Wait,
                    false => default.identity.on_refused,
                }),
                token_cache: settings.token_cache.map(|path| path.value),
                token_file: settings.token_file.map(|path| path.value),
                revoke_on_exit: settings.revoke_on_exit.is_some_and(|revoke| revoke.value),
            },
            routing: routing::Preferences {
                region: region.map(|region| region.value),
                interfaces: interfaces.unwrap_or(default.routing.interfaces),
                services,
            },
            client: client::Settings {
                connect_timeout: settings.connect_timeout.unwrap_or(default.client.connect_timeout),
                response_timeout: settings.response_timeout.unwrap_or(default.client.response_timeout),
                body_timeout: settings.body_timeout.unwrap_or(default.client.body_timeout),
                preserve_header_case: settings
                    .preserve_header_case
                    .unwrap_or(default.client.preserve_header_case),
                idle_timeout: settings.upstream_idle_timeout.unwrap_or(default.client.idle_timeout),
                tls,
                proxy,
                resolve: settings.resolve.unwrap_or_default(),
            },
            proxy: proxy::Settings {
                access: settings.access.finish(),
                allow_minting: settings.allow_minting.unwrap_or(default.proxy.allow_minting),
                retry_on_401: settings.retry_on_401.unwrap_or(default.proxy.retry_on_401),
                rates: file.rates,
            },
            listeners: listeners.all,
            server: server::Settings {
                max_connections: settings.max_connections.unwrap_or(default.server.max_connections),
                max_connections_per_user: settings.max_connections_per_user,
                max_requests: settings.max_requests,
                idle_timeout: settings.idle_timeout.unwrap_or(default.server.idle_timeout),
                request_head_timeout: settings
                    .request_head_timeout
                    .unwrap_or(default.server.request_head_timeout),
                body_timeout: settings.body_timeout.unwrap_or(default.server.body_timeout),
                tunnel_timeout: settings.tunnel_timeout.unwrap_or(default.server.tunnel_timeout),
                preserve_header_case: settings
                    .preserve_header_case
                    .unwrap_or(default.server.preserve_header_case),
                shutdown_timeout: settings.shutdown_timeout.unwrap_or(default.server.shutdown_timeout),
                exit_when_idle: settings.exit_when_idle,
                allow_quit: settings.allow_quit.unwrap_or(default.server.allow_quit),
            },
            log: LogSettings {
                format: settings.log_format.unwrap_or(default.log.format),
                level: settings.log_level.unwrap_or(default.log.level),
                access_log: settings.access_log.unwrap_or(default.log.access_log),
                access_out: access_log::Out::default(),
            },
            workers: settings.workers.unwrap_or(default.workers),
            sources,
            warnings,
        })
    }

    /// As [`load`](Self::load), for a proxy that serves one command and ends with it: a free port for itself, and
    /// nothing to say as long as all is well.
    ///
    /// # Errors
    ///
    /// All mistakes of all sources.
    pub fn load_private(cloud: &CloudArgs, env: &dyn Environment, places: &Places) -> Result<Self, Mistakes> {
        let mut cloud = cloud.clone();
        let is_quiet = cloud.log_level.is_none() && env.get("GATESTONE_LOG_LEVEL").is_none();
        if is_quiet {
            cloud.log_level = Some("warn".to_owned());
        }
        let mut config = Self::load(&cloud, &ServerArgs::default(), env, places)?;
        // The file is that of a proxy that stays, as a rule; the standard error here is the command's.
        config.log.access_log &= !is_quiet;
        let mut access = config.proxy.access.clone();
        // Whom a proxy that stays lets in is its own affair, and the command is ours; but `any` is also said where
        // the kernel does not tell.
        access.users = access.users.filter(proxy::AllowedUsers::is_any);
        access.networks = Vec::new();
        // Stock tools send no field of ours.
        access.required_field = None;
        config.listeners = listen::private()
            .into_iter()
            .map(|addr| proxy::ListenerSettings { access: access.clone(), ..addr.into() })
            .collect();
        config.server.shutdown_timeout = PRIVATE_SHUTDOWN_TIMEOUT;
        // It ends with its command.
        (config.server.exit_when_idle, config.server.allow_quit) = (None, false);
        config.server.max_connections = config.server.max_connections.min(PRIVATE_MAX_CONNECTIONS);
        config.identity.on_refused = identity::OnRefused::Exit;
        // That file is of the proxy that stays.
        config.identity.token_file = None;
        Ok(config)
    }

    /// The same for messages about it, which may be kept: without the secret of the login.
    #[must_use]
    pub fn without_secret(&self) -> Self {
        let mut config = self.clone();
        config.identity.credentials = config.identity.credentials.without_secret();
        config
    }

    /// These credentials, and the default of everything else.
    pub fn of(credentials: Credentials) -> Self {
        Self {
            identity: identity::Settings {
                credentials,
                token_wait: TOKEN_WAIT,
                on_refused: identity::OnRefused::Exit,
                token_cache: None,
                token_file: None,
                revoke_on_exit: false,
            },
            routing: routing::Preferences {
                interfaces: vec![Interface::Public],
                ..routing::Preferences::default()
            },
            client: client::Settings {
                connect_timeout: CONNECT_TIMEOUT,
                response_timeout: RESPONSE_TIMEOUT,
                body_timeout: BODY_TIMEOUT,
                preserve_header_case: true,
                idle_timeout: UPSTREAM_IDLE_TIMEOUT,
                tls: client::TlsSettings::default(),
                proxy: client::ProxySettings::default(),
                resolve: Vec::new(),
            },
            proxy: proxy::Settings::default(),
            listeners: listen::default().into_iter().map(|opening| opening.addr.into()).collect(),
            server: server::Settings {
                max_connections: MAX_CONNECTIONS,
                max_connections_per_user: None,
                max_requests: None,
                idle_timeout: IDLE_TIMEOUT,
                request_head_timeout: REQUEST_HEAD_TIMEOUT,
                body_timeout: BODY_TIMEOUT,
                tunnel_timeout: TUNNEL_TIMEOUT,
                preserve_header_case: true,
                shutdown_timeout: SHUTDOWN_TIMEOUT,
                exit_when_idle: None,
                allow_quit: false,
            },
            log: LogSettings::default(),
            workers: cores(),
            sources: Sources::default(),
            warnings: Vec::new(),
        }
    }
}

/// Where a running proxy listens, for `health` and `env`: their flag alone, else all that the settings say.
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
    let server =
        ServerArgs { listen: listen.map(str::to_owned).into_iter().collect(), ..ServerArgs::default() };
    let mut own = Own::load(&CloudArgs::default(), &server, env, places, &mut mistakes);
    if listen.is_some() {
        own.file.listeners.clear();
    }
    if mistakes.is_empty() { Ok(listeners::addresses(&own)) } else { Err(mistakes) }
}

/// Region and interfaces of the listener.
fn endpoints(settings: &Settings, source: &Source) -> (Option<Placed<Region>>, Option<Vec<Interface>>) {
    let cloud = source.cloud.as_ref();
    let of_cloud = || Some(Placed { value: cloud?.region.clone()?, place: source.draft.to_string() });
    let region = settings.region.clone().or_else(of_cloud);
    let interfaces = settings.interface.clone().or_else(|| cloud?.interfaces.clone());
    (region, interfaces)
}

/// The openrc file to read before the environment, if one is named.
fn openrc_file(cloud: &CloudArgs, env: &dyn Environment, places: &Places) -> Option<PathBuf> {
    let flag = cloud.openrc.as_ref().map(|path| path.display().to_string());
    let path = flag.or_else(|| env.get("GATESTONE_OPENRC"))?;
    Some(places.resolve(&path, places.working()))
}

/// Without a Keystone there is no catalog, so that somebody has to say where services are.
fn has_endpoints(credentials: &Credentials, services: &BTreeMap<String, ServicePreferences>) -> bool {
    match &credentials.method {
        Method::Standalone(standalone) => {
            standalone.endpoint.is_some()
                || services.values().any(|service| service.endpoint_override.is_some())
        }
        _ => true,
    }
}

const NO_ENDPOINT: &str = "without a Keystone, somebody has to say where the services are: set OS_ENDPOINT (`endpoint` \
                           below `auth`), or an endpoint override for each service";

/// Every file that was read, once.
fn files(
    file: &File,
    openrc: Option<&PathBuf>,
    source: Option<&Source>,
    listeners: &Listeners,
    certificates: &[(PathBuf, u64)],
) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let of_source = source.into_iter().flat_map(|source| &source.files);
    let certificates = certificates.iter().map(|(path, _)| path);
    for path in file.path.iter().chain(openrc).chain(of_source).chain(&listeners.files).chain(certificates) {
        if !files.contains(path) {
            files.push(path.clone());
        }
    }
    files
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
        service.retry_on_403 = written.retry_on_403;
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

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A login takes a fraction of a second; who waits longer than this is better told to come back.
const TOKEN_WAIT: Duration = Duration::from_secs(10);

/// Name look-up, TCP with three lost packets, and TLS fit in; an unreachable cloud is noticed soon.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What the OpenStack clients themselves wait at most, so that we never give up before them.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(600);

/// Silence in the middle of a body, of either side. Swift's proxy and common load balancers give up after
/// one minute; a pipe into an upload may pause, and a slow disk stall, for several.
const BODY_TIMEOUT: Duration = Duration::from_secs(300);
/// Consoles are left open over lunch, and tell each other nothing meanwhile.
const TUNNEL_TIMEOUT: Duration = Duration::from_secs(3600);

/// A head is sent in one go; 64 KiB of it take two seconds even at modem speed through a tunnel.
const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Just below the minute after which Swift's proxy and common load balancers close an idle
/// connection: whoever closes first spares the other a request into the void.
const UPSTREAM_IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// Tools keep a connection between the steps of a job; on loopback an open one costs next to nothing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// What Kubernetes grants a pod between SIGTERM and SIGKILL.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);

/// Within the soft limit of open files, which the command inherits and so is left as it is.
const PRIVATE_MAX_CONNECTIONS: usize = 500;

/// Who waited for the command does not want to wait for what it left behind.
const PRIVATE_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// Far above what the users of one machine open; the limit of open files may allow fewer.
const MAX_CONNECTIONS: usize = 20_000;
