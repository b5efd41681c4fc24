//! Stock tools, and the variables that lead each of them to a proxy without any secret.
//!
//! 1. What each tool reads is noted beside its variables, with the source.
//! 2. User and password are made up, since the proxy asks for none; project, region and the like are what it
//!    holds, for tools and scripts that name them.
//! 3. What would take a tool elsewhere is *in its way*: `gatestone env` unsets it.
//! 4. What holds a login is *hidden* from a command that `gatestone exec` starts, whatever it is for.
//!
//! Pure: the environment is handed in, and nothing is sent.

use std::net::SocketAddr;

use clap::ValueEnum;
use serde_json::{Value, json};

use self::names::{LOGIN, is_preference};

mod hidden;
mod names;

pub use self::hidden::is_hidden;

/// A tool that can be led to a proxy by its environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tool {
    /// The `openstack` command, openstacksdk, gophercloud, Ansible: Keystone v3
    Openstack,
    /// The `swift` command: Swift v1
    Swift,
    /// rclone, as the remote `gatestone:`
    Rclone,
    /// restic, for repositories `swift:CONTAINER:/PATH`
    Restic,
    /// duplicity, for targets `swift://CONTAINER`
    Duplicity,
    /// Terraform's provider for OpenStack: Keystone v3
    Terraform,
    /// Anything that takes a URL: `GATESTONE_URL`
    Curl,
}

/// Names and values of variables.
pub type Variables = Vec<(String, String)>;

/// What a running proxy holds, as its `/-/status` tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    user: Option<String>,
    user_domain: Option<String>,
    scope: Scope,
    region: Option<String>,
    /// Where it is not the one that all tools choose by themselves.
    interface: Option<String>,
    /// Services with a region of their own.
    own_regions: Vec<(String, String)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Scope {
    Project {
        id: String,
        name: Option<String>,
        domain: Option<String>,
    },
    Domain(String),
    System,
    #[default]
    None,
}

impl Held {
    /// Reads `/-/status`; what it does not tell stays out.
    pub fn from_status(status: &Value) -> Self {
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let (user, scope) = (&status["holder"]["user"], &status["holder"]["scope"]);
        let region = text(&status["region"]);
        let services = status["services"].as_array().map(Vec::as_slice).unwrap_or_default();
        let services = services.iter().filter(|service| service["type"] != "identity");
        let mut interfaces = services.clone().filter_map(|service| text(&service["interface"]));
        let interface = interfaces.next().filter(|first| interfaces.all(|interface| interface == *first));
        let own_regions = services.filter_map(|service| {
            let own = text(&service["region"]).filter(|own| Some(own) != region.as_ref())?;
            Some((text(&service["type"])?, own)).filter(|_| region.is_some())
        });
        Self {
            user: text(&user["name"]),
            user_domain: text(&user["domain"]["name"]),
            scope: match (text(&scope["project"]["id"]), text(&scope["domain"]["id"])) {
                (Some(id), _) => Scope::Project {
                    id,
                    name: text(&scope["project"]["name"]),
                    domain: text(&scope["project"]["domain"]["name"]),
                },
                (None, Some(domain)) => Scope::Domain(domain),
                (None, None) if scope["system"].is_object() => Scope::System,
                (None, None) => Scope::None,
            },
            interface: interface.filter(|interface| interface != "public"),
            own_regions: own_regions.collect(),
            region,
        }
    }

    fn user(&self) -> String {
        self.user.clone().unwrap_or_else(|| USER.to_owned())
    }

    fn user_domain(&self) -> String {
        self.user_domain.clone().unwrap_or_else(|| "Default".to_owned())
    }
}

impl Tool {
    /// What leads it to the proxy at `url`.
    pub fn variables(self, url: &str, held: &Held) -> Variables {
        match self {
            Self::Openstack | Self::Terraform => keystone(url, held),
            // python-swiftclient, `shell.py`: of ST_AUTH_VERSION, OS_AUTH_VERSION and OS_IDENTITY_API_VERSION the
            // first that is set counts.
            Self::Swift => {
                named(&[("ST_AUTH_VERSION", "1.0")]).into_iter().chain(swift_v1("ST_", url)).collect()
            }
            // restic, `internal/backend/swift/config.go`: `OS_*` would win, and is in the way.
            Self::Restic => swift_v1("ST_", url),
            // rclone, `docs/content/docs.md`: a remote needs no file, its settings are RCLONE_CONFIG_NAME_KEY.
            Self::Rclone => {
                let settings = named(&[
                    ("RCLONE_CONFIG_GATESTONE_TYPE", "swift"),
                    ("RCLONE_CONFIG_GATESTONE_ENV_AUTH", "false"),
                    ("RCLONE_CONFIG_GATESTONE_AUTH_VERSION", "1"),
                ]);
                settings.into_iter().chain(swift_v1("RCLONE_CONFIG_GATESTONE_", url)).collect()
            }
            Self::Duplicity => duplicity(url, held),
            Self::Curl => named(&[(URL, url)]),
        }
    }

    /// Names that are in its way, whether or not they are set here.
    pub fn usually_in_the_way(self) -> Vec<&'static str> {
        match self {
            Self::Openstack | Self::Terraform | Self::Restic => {
                LOGIN.into_iter().filter(|name| self.is_in_the_way(name)).collect()
            }
            Self::Swift => names::SWIFT_IN_THE_WAY.to_vec(),
            Self::Rclone => names::RCLONE_IN_THE_WAY.to_vec(),
            Self::Duplicity => names::DUPLICITY_IN_THE_WAY.to_vec(),
            Self::Curl => Vec::new(),
        }
    }

    /// Whether a variable that is set would take it elsewhere.
    pub fn is_in_the_way(self, name: &str) -> bool {
        match self {
            Self::Openstack | Self::Terraform | Self::Restic => {
                name.starts_with("OS_") && !is_preference(name) && !name.starts_with("OS_CLIENT_")
            }
            Self::Swift => names::SWIFT_IN_THE_WAY.contains(&name),
            Self::Rclone => name.starts_with("RCLONE_SWIFT_") || name.starts_with("RCLONE_CONFIG_GATESTONE_"),
            Self::Duplicity => names::DUPLICITY_IN_THE_WAY.contains(&name),
            Self::Curl => false,
        }
    }
}

/// duplicity, `backends/swiftbackend.py`: by v1 it hands no login to the part of it that asks for the sizes of what it
/// has stored, so that each is asked for in vain, five times; v3 wants a project.
fn duplicity(url: &str, held: &Held) -> Variables {
    let Scope::Project { name: Some(project), domain: Some(domain), .. } = &held.scope else {
        return named(&[
            ("SWIFT_AUTHURL", &v1(url)),
            ("SWIFT_USERNAME", USER),
            ("SWIFT_PASSWORD", PASSWORD),
            ("SWIFT_AUTHVERSION", "1"),
        ]);
    };
    let own = held.own_regions.iter().find(|(service, _)| service == "object-store");
    let region = own.map(|(_, region)| region).or(held.region.as_ref());
    let region = region.map(|region| ("SWIFT_REGIONNAME".to_owned(), region.clone()));
    let login = named(&[
        ("SWIFT_AUTHURL", &format!("{url}/v3")),
        ("SWIFT_USERNAME", &held.user()),
        ("SWIFT_PASSWORD", PASSWORD),
        ("SWIFT_AUTHVERSION", "3"),
        ("SWIFT_USER_DOMAIN_NAME", &held.user_domain()),
        ("SWIFT_PROJECT_NAME", project),
        ("SWIFT_PROJECT_DOMAIN_NAME", domain),
    ]);
    login.into_iter().chain(region).collect()
}

/// What leads all of them to the proxy, as far as they go together: `swift` with `-V 3` takes `ST_AUTH` for
/// Keystone's address (python-swiftclient, `shell.py:process_options`), so it and restic get `OS_*` alone.
pub fn together(url: &str, held: &Held) -> Variables {
    [Tool::Openstack, Tool::Rclone, Tool::Duplicity]
        .into_iter()
        .flat_map(|tool| tool.variables(url, held))
        .collect()
}

/// Loopback is not to be asked for through the user's HTTP proxy; `get` reads the environment.
pub fn past_http_proxies(addr: SocketAddr, get: impl Fn(&str) -> Option<String>) -> Variables {
    if !["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"].iter().any(|name| get(name).is_some()) {
        return Vec::new();
    }
    let host = addr.ip().to_string();
    // Programs read one or the other, or both and prefer one.
    let both = [("no_proxy", "NO_PROXY"), ("NO_PROXY", "no_proxy")];
    let extended = both.into_iter().filter_map(|(name, other)| {
        let own = get(name);
        let list = own.clone().or_else(|| get(other)).unwrap_or_default();
        let covers = |it: &str| it.trim() == "*" || it.trim() == host;
        let value = if list.split(',').any(covers) {
            list
        } else if list.trim().is_empty() {
            host.clone()
        } else {
            format!("{list},{host}")
        };
        (own.as_ref() != Some(&value)).then(|| (name.to_owned(), value))
    });
    extended.collect()
}

/// A `clouds.yaml` in which the proxy goes by all of `names`, as JSON, which YAML contains.
pub fn clouds_yaml(names: &[&str], url: &str, held: &Held) -> String {
    let mut auth = json!({
        "auth_url": format!("{url}/v3"),
        "username": held.user(),
        "password": PASSWORD,
        "user_domain_name": held.user_domain(),
    });
    match &held.scope {
        Scope::Project { id, .. } => auth["project_id"] = id.as_str().into(),
        Scope::Domain(id) => auth["domain_id"] = id.as_str().into(),
        Scope::System => auth["system_scope"] = "all".into(),
        Scope::None => {}
    }
    let mut cloud = json!({ "auth": auth, "identity_api_version": "3" });
    if let Some(region) = &held.region {
        cloud["region_name"] = region.as_str().into();
    }
    if let Some(interface) = &held.interface {
        cloud["interface"] = interface.as_str().into();
    }
    for (service, region) in &held.own_regions {
        cloud[format!("{}_region_name", service.replace('-', "_"))] = region.as_str().into();
    }
    let clouds: serde_json::Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), cloud.clone())).collect();
    format!("{:#}\n", json!({ "clouds": clouds }))
}

/// As the openrc file of a dashboard (Horizon, `openrc.sh.template`), which all clients can read; the names of
/// domains are for restic, which knows no ids.
fn keystone(url: &str, held: &Held) -> Variables {
    let mut variables = named(&[
        ("OS_AUTH_URL", &format!("{url}/v3")),
        ("OS_IDENTITY_API_VERSION", "3"),
        ("OS_AUTH_TYPE", "password"),
        ("OS_USERNAME", &held.user()),
        ("OS_PASSWORD", PASSWORD),
        ("OS_USER_DOMAIN_NAME", &held.user_domain()),
    ]);
    let mut add = |name: &str, value: &str| variables.push((name.to_owned(), value.to_owned()));
    match &held.scope {
        Scope::Project { id, name, domain } => {
            add("OS_PROJECT_ID", id);
            // Without its domain a name means nothing.
            if let (Some(name), Some(domain)) = (name, domain) {
                add("OS_PROJECT_NAME", name);
                add("OS_PROJECT_DOMAIN_NAME", domain);
            }
        }
        Scope::Domain(id) => add("OS_DOMAIN_ID", id),
        Scope::System => add("OS_SYSTEM_SCOPE", "all"),
        Scope::None => {}
    }
    if let Some(region) = &held.region {
        add("OS_REGION_NAME", region);
    }
    if let Some(interface) = &held.interface {
        add("OS_INTERFACE", interface);
    }
    for (service, region) in &held.own_regions {
        let is_plain = service.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if is_plain {
            add(&format!("OS_{}_REGION_NAME", service.replace('-', "_").to_uppercase()), region);
        }
    }
    variables
}

fn swift_v1(prefix: &str, url: &str) -> Variables {
    [("AUTH", v1(url)), ("USER", USER.to_owned()), ("KEY", PASSWORD.to_owned())]
        .map(|(name, value)| (format!("{prefix}{name}"), value))
        .to_vec()
}

fn v1(url: &str) -> String {
    format!("{url}/auth/v1.0")
}

fn named(pairs: &[(&str, &str)]) -> Variables {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Where the proxy is, for whoever takes a URL.
pub const URL: &str = "GATESTONE_URL";

/// Of tools that must name one.
const USER: &str = "gatestone";

/// No tool goes without one; it says to people that it is none.
const PASSWORD: &str = "unused";

#[cfg(test)]
mod tests;
