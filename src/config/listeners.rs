//! Listeners: the addresses of `listen`, and `[[listener]]` tables with settings of their own.
//!
//! 1. Where there is neither, it is [`listen::default`]. Tables stand beside `listen`, whatever source that comes from.
//! 2. A client secret is everybody's (`client_secret_file` at the top, `GATESTONE_CLIENT_SECRET`, its `_FILE`, the
//!    service manager's credential `gatestone_client_secret`) unless a table has its own. None of it is an argument.
//! 3. An address belongs to one listener.
//! 4. A table may name a cloud of its own, which then has its own login.
//! 5. An address that other machines can reach needs `allow_remote`, and is warned about all the same.

use std::path::PathBuf;

use crate::catalog::{Region, service_types};
use crate::proxy::{Access, ListenerSettings, Rule};
use crate::routing::Pin;
use crate::secret::Secret;
use crate::server::ListenAddr;

use super::access;
use super::env::Environment;
use super::listen::{self, Opening};
use super::mistakes::{Mistakes, close_name, did_you_mean};
use super::openstack_env;
use super::own::Own;
use super::places::Places;
use super::secret_file;
use super::settings::{self, Base, Given, Placed};

/// A `[[listener]]` table as written.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// File and line.
    place: String,
    listen: Option<Placed<Vec<Opening>>>,
    cloud: Option<Placed<String>>,
    service: Option<Placed<String>>,
    region: Option<Placed<Region>>,
    client_secret_file: Option<Placed<PathBuf>>,
    access: access::Draft,
}

/// What a table may hold, beside [`access::NAMES`].
const KEYS: [&str; 5] = ["listen", "cloud", "service", "region", "client_secret_file"];

impl Table {
    /// An empty one.
    pub(super) fn new(place: String) -> Self {
        Self {
            place,
            listen: None,
            cloud: None,
            service: None,
            region: None,
            client_secret_file: None,
            access: access::Draft::default(),
        }
    }

    /// Sets one of its keys.
    pub(super) fn set(
        &mut self,
        key: &str,
        given: &Given,
        place: &str,
        base: Base<'_>,
    ) -> Result<(), String> {
        fn placed<T>(value: T, place: &str) -> Option<Placed<T>> {
            Some(Placed { value, place: place.to_owned() })
        }
        match key {
            "listen" => self.listen = placed(settings::openings(&given.list()?, base)?, place),
            "cloud" => self.cloud = placed(given.text()?, place),
            "service" => self.service = placed(given.text()?, place),
            "region" => self.region = placed(Region(given.text()?), place),
            "client_secret_file" => {
                self.client_secret_file = placed(base.places.resolve(&given.text()?, base.dir), place);
            }
            "client_secret" => {
                return Err("a secret does not belong here; put it into a file, and name that by \
                            `client_secret_file`"
                    .to_owned());
            }
            name if access::NAMES.contains(&name) => self.access.set(name, given, place)?,
            other => {
                let names = KEYS.into_iter().chain(access::NAMES).chain(["rule"]);
                return Err(format!(
                    "`{other}` is not a setting of a listener{}",
                    did_you_mean(other, names)
                ));
            }
        }
        Ok(())
    }

    /// Sets its `[[listener.rule]]` tables.
    pub(super) fn set_rules(&mut self, rules: Vec<Rule>) {
        self.access.set_rules(rules);
    }

    /// The cloud that it is of, if that is not the one of all others.
    pub(super) fn cloud(&self) -> Option<&Placed<String>> {
        self.cloud.as_ref()
    }

    /// What it is pinned to.
    fn pin(&self, mistakes: &mut Mistakes) -> Option<Pin> {
        let Some(service) = &self.service else {
            if let Some(region) = &self.region {
                mistakes.at(
                    &region.place,
                    "a listener for all services has the region at the top; set `service` too, or ask for \
                     /SERVICE@REGION there",
                );
            }
            return None;
        };
        let region = self.region.as_ref().map(|region| &region.value);
        let pin = match region {
            Some(_) => Pin::new(&service.value, region),
            None => service.value.parse(),
        };
        pin.map_err(|error| mistakes.at(&service.place, error.to_string())).ok()
    }
}

/// An address, and where it was written.
struct Opened {
    place: String,
    cloud: Option<String>,
    opening: Opening,
    secret: Option<Secret>,
    access: Access,
}

/// All listeners, and the files that were read for them.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    pub(super) all: Vec<ListenerSettings>,
    pub(super) files: Vec<PathBuf>,
}

impl Listeners {
    /// Puts those together that are of a cloud: the one that a table names, or else the one of all others.
    pub(super) fn load(
        own: &Own,
        of: Option<&str>,
        env: &dyn Environment,
        places: &Places,
        warnings: &mut Vec<String>,
        mistakes: &mut Mistakes,
    ) -> Self {
        let mut files = Vec::new();
        let everybodys = everybodys_secret(own, env, places, &mut files, mistakes);
        let mut opened: Vec<Opened> = Vec::new();
        if let Some(Placed { value, place }) = plain(own) {
            opened.extend(value.into_iter().map(|opening| Opened {
                place: place.clone(),
                cloud: None,
                opening,
                secret: everybodys.clone(),
                access: own.settings.access.clone().finish(),
            }));
        }
        for table in &own.file.listeners {
            let secret = match &table.client_secret_file {
                Some(file) => read_secret(file, &mut files, mistakes),
                None => everybodys.clone(),
            };
            let pin = table.pin(mistakes);
            let access = table.access.or(&own.settings.access).finish();
            let Some(listen) = &table.listen else {
                mistakes.at(&table.place, "it has no `listen`; name its address, such as \"127.0.0.1:5051\"");
                continue;
            };
            for opening in &listen.value {
                if opening.pin.is_some() {
                    mistakes.at(&listen.place, "a table names its service by `service`, not in its address");
                }
                let opening = Opening { addr: opening.addr.clone(), pin: pin.clone() };
                let (place, secret, access) = (listen.place.clone(), secret.clone(), access.clone());
                let cloud = table.cloud.as_ref().map(|cloud| cloud.value.clone());
                opened.push(Opened { place, cloud, opening, secret, access });
            }
        }
        check_distinct(&opened, mistakes);
        opened.retain(|it| it.cloud.as_deref() == of);
        check_reach(&opened, warnings, mistakes);
        warnings.extend(odd(&opened, own));
        let all =
            opened.into_iter().map(|Opened { opening: Opening { addr, pin }, secret, access, .. }| {
                ListenerSettings { addr, service: pin, client_secret: secret, access }
            });
        Self { all: all.collect(), files }
    }
}

/// The clouds that have listeners; none is the one that no table names.
pub(super) fn clouds(own: &Own) -> Vec<Option<Placed<String>>> {
    let mut clouds: Vec<Option<Placed<String>>> = plain(own).map(|_| None).into_iter().collect();
    for table in &own.file.listeners {
        let is_known = clouds
            .iter()
            .any(|known| known.as_ref().map(|known| &known.value) == table.cloud().map(|cloud| &cloud.value));
        if !is_known {
            clouds.push(table.cloud().cloned());
        }
    }
    clouds
}

/// Every address, for whoever only wants to knock; those for all services first. No secret is read.
pub(super) fn addresses(own: &Own) -> Vec<ListenAddr> {
    let plain = plain(own).map(|listen| listen.value).unwrap_or_default();
    let mut all: Vec<(bool, ListenAddr)> =
        plain.into_iter().map(|opening| (opening.pin.is_some(), opening.addr)).collect();
    for table in &own.file.listeners {
        let openings = table.listen.iter().flat_map(|listen| &listen.value);
        all.extend(openings.map(|opening| (table.service.is_some(), opening.addr.clone())));
    }
    all.sort_by_key(|(is_pinned, _)| *is_pinned);
    all.into_iter().map(|(_, addr)| addr).collect()
}

/// Rule 1.
fn plain(own: &Own) -> Option<Placed<Vec<Opening>>> {
    let default = || Placed { value: listen::default(), place: "the default of listen".to_owned() };
    own.settings.listen.clone().or_else(|| own.file.listeners.is_empty().then(default))
}

/// Rule 2.
fn everybodys_secret(
    own: &Own,
    env: &dyn Environment,
    places: &Places,
    files: &mut Vec<PathBuf>,
    mistakes: &mut Mistakes,
) -> Option<Secret> {
    match openstack_env::secret(env, &["GATESTONE_CLIENT_SECRET"], places, mistakes) {
        Some((secret, file)) => {
            files.extend(file);
            long_enough(secret, mistakes)
        }
        None => read_secret(own.settings.client_secret_file.as_ref()?, files, mistakes),
    }
}

fn read_secret(file: &Placed<PathBuf>, files: &mut Vec<PathBuf>, mistakes: &mut Mistakes) -> Option<Secret> {
    files.push(file.value.clone());
    let read = secret_file::read(&file.value).map_err(|message| mistakes.at(&file.place, message)).ok()?;
    long_enough(Placed { value: read, place: file.place.clone() }, mistakes)
}

/// Only length keeps a secret from being guessed by whoever can try as often as they like.
fn long_enough(secret: Placed<Secret>, mistakes: &mut Mistakes) -> Option<Secret> {
    if secret.value.expose().chars().count() < LEAST_SECRET_CHARS {
        mistakes.at(
            &secret.place,
            format!(
                "a client secret of less than {LEAST_SECRET_CHARS} characters can be guessed; make one with \
                 `openssl rand -hex 32`"
            ),
        );
        return None;
    }
    Some(secret.value)
}

/// Rule 3.
fn check_distinct(opened: &[Opened], mistakes: &mut Mistakes) {
    for (i, later) in opened.iter().enumerate() {
        let earlier = opened[..i].iter().find(|it| listen::is_same(&it.opening.addr, &later.opening.addr));
        if let Some(earlier) = earlier {
            let which = &later.opening.addr;
            let other = if earlier.place == later.place { "here" } else { &earlier.place };
            mistakes.at(
                &later.place,
                format!("{which} is an address of another listener already ({other}); take another"),
            );
        }
    }
}

/// Rule 4.
fn check_reach(opened: &[Opened], warnings: &mut Vec<String>, mistakes: &mut Mistakes) {
    for it in opened {
        let addr = &it.opening.addr;
        if !listen::is_reachable(addr) {
            continue;
        }
        if it.access.networks.is_empty() {
            mistakes.at(&it.place, listen::refused(&addr.to_string()));
            continue;
        }
        let networks: Vec<String> = it.access.networks.iter().map(ToString::to_string).collect();
        let networks = networks.join(", ");
        let or_not = if it.secret.is_none() { "; set a client secret unless all of them may" } else { "" };
        warnings.push(format!(
            "{}: everyone in {networks} who reaches {addr} has the rights of your cloud account, and what passes is not \
             encrypted{or_not}",
            it.place
        ));
    }
}

/// What is allowed and probably not meant.
fn odd(opened: &[Opened], own: &Own) -> Vec<String> {
    let pins = || opened.iter().filter_map(|it| Some((it, it.opening.pin.as_ref()?)));
    let is_named = |name: &str| own.file.services.values().any(|it| it.names.iter().any(|it| it == name));
    let is_known = |name: &str| {
        service_types::official(name).is_some() || service_types::of_project(name).is_some() || is_named(name)
    };
    let unknown = pins().filter(|(_, pin)| !is_known(pin.service())).filter_map(|(it, pin)| {
        let close = close_name(pin.service(), service_types::officials())?;
        Some(format!(
            "{}: `{}` is no official type of a service; did you mean `{close}`?",
            it.place,
            pin.service()
        ))
    });
    let locked = pins().filter(|(it, pin)| {
        let gives_tokens = |pin: Option<&Pin>| {
            let kind = pin.map(|pin| {
                let name = pin.service();
                service_types::official(name).or_else(|| service_types::of_project(name))
            });
            matches!(kind, None | Some(None | Some("identity" | "object-store")))
        };
        let shares = |other: &&Opened| other.secret == it.secret && gives_tokens(other.opening.pin.as_ref());
        it.secret.is_some() && !gives_tokens(Some(*pin)) && !opened.iter().any(|other| shares(&other))
    });
    let locked = locked.map(|(it, pin)| {
        format!(
            "{}: {pin} wants a token that no listener gives; add one for all services with the same client secret",
            it.place
        )
    });
    let open = opened.iter().filter(|it| {
        let is_socket = matches!(it.opening.addr, ListenAddr::Unix(_));
        is_socket && it.access.users.is_none() && it.access.socket_permissions().mode & 0o007 != 0
    });
    let open = open.map(|it| {
        format!(
            "{}: every user of this machine may open {}; name those who shall in allow_users",
            it.place, it.opening.addr
        )
    });
    let rules =
        opened.iter().flat_map(|it| it.access.rules.services()).filter(|(_, service)| !is_known(service));
    let rules = rules.map(|(label, service)| {
        let close = close_name(service, service_types::officials());
        let hint = close.map_or_else(String::new, |close| format!("; did you mean `{close}`?"));
        format!("{label} is about `{service}`, which is no official type of a service{hint}")
    });
    let mut warnings: Vec<String> = Vec::new();
    for warning in unknown.chain(locked).chain(open).chain(rules) {
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    warnings
}

/// With letters and digits alone, some 80 bits.
const LEAST_SECRET_CHARS: usize = 16;
