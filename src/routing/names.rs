//! Which names stand for which services.
//!
//! In this order, the first that claims a name keeps it: our own names; names from the user's file; exact
//! catalog types; official types and aliases of them; names of projects; names of services in the catalog.
//!
//! Which types may stand for a name is keystoneauth's rule (`ServiceTypes.is_match`): the exact type, or
//! else the official type for an alias, or an alias for the official type, in the authority's order. An
//! alias never stands for a different alias, and an alias that implies a version (`volumev3`) takes no
//! endpoint of another.

use std::collections::HashSet;

use super::Preferences;
use crate::catalog::{Catalog, Endpoint, service_types};
use crate::routing::route::major_version;

/// Names that lead to no service of the catalog.
pub(super) const OURS: [&str; 3] = ["-", "auth", "s3"];

/// Names of Keystone at the auth URL; what follows `v3` keeps it.
pub(super) const KEYSTONES: [&str; 2] = ["identity", "v3"];

/// Keystone's at the auth URL too, for clients that stopped there; but whatever else claims it keeps it: a tool that was
/// made for a bare Neutron asks for `/v2.0/networks`.
pub(super) const LEGACY_KEYSTONE: &str = "v2.0";

/// What a name stands for in the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Selector {
    /// Catalog types, the better ones first.
    pub(super) types: Vec<String>,
    /// Only services of this name.
    pub(super) service_name: Option<String>,
    /// The version that the name implies and the type that needs not show it.
    implied: Option<(u32, String)>,
    /// Key of the service's settings.
    pub(super) settings_key: String,
}

impl Selector {
    /// The services that may stand for a type or alias, of those there are.
    pub(super) fn of_type(name: &str, present: &[&str], preferences: &Preferences) -> Self {
        let official = service_types::official(name);
        let known = official.map(service_types::all_types).unwrap_or_default();
        let mut types: Vec<&str> =
            present.iter().copied().filter(|found| service_types::is_match(name, found)).collect();
        types.sort_by_key(|found| {
            let rank = || known.iter().position(|it| it == found).unwrap_or(known.len());
            if *found == name { None } else { Some(rank()) }
        });
        Self {
            types: types.into_iter().map(str::to_owned).collect(),
            service_name: None,
            implied: service_types::implied_version(name).map(|version| (version, name.to_owned())),
            settings_key: settings_key(name, preferences),
        }
    }

    fn of_service_name(name: &str, catalog: &Catalog, preferences: &Preferences) -> Self {
        let mut types: Vec<String> = Vec::new();
        for endpoint in catalog.endpoints.iter().filter(|it| it.service_name.as_deref() == Some(name)) {
            if !types.contains(&endpoint.service_type) {
                types.push(endpoint.service_type.clone());
            }
        }
        let settings_key = types.first().map(|first| settings_key(first, preferences)).unwrap_or_default();
        Self { types, service_name: Some(name.to_owned()), implied: None, settings_key }
    }

    /// Whether an endpoint of the right type may stand for the name.
    pub(super) fn accepts(&self, endpoint: &Endpoint) -> bool {
        let has_name = self.service_name.is_none() || self.service_name == endpoint.service_name;
        has_name && self.accepts_version(&endpoint.service_type, major_version(&endpoint.url))
    }

    /// Whether an endpoint of this type and major version agrees with the version implied.
    pub(super) fn accepts_version(&self, service_type: &str, major: Option<u32>) -> bool {
        match (&self.implied, major) {
            (Some((implied, exact)), Some(major)) => exact == service_type || *implied == major,
            _ => true,
        }
    }
}

/// Every name with what it stands for, without our own and Keystone's; and what the user should know.
pub(super) fn all(catalog: &Catalog, preferences: &Preferences) -> (Vec<(String, Selector)>, Vec<String>) {
    let mut names = Names { taken: HashSet::new(), all: Vec::new() };
    let mut warnings = Vec::new();
    let types = present_types(catalog, preferences);
    let of_type = |name: &str| Selector::of_type(name, &types, preferences);

    for (key, settings) in &preferences.services {
        for name in &settings.names {
            let selector = of_type(key);
            if selector.types.is_empty() {
                warnings.push(format!("the name `{name}` leads nowhere: the catalog has no service `{key}`"));
            } else if !names.add(name, || selector) {
                warnings
                    .push(format!("the name `{name}` of service `{key}` is taken or cannot stand in a path"));
            }
        }
    }
    for name in &types {
        names.add(name, || of_type(name));
    }
    let officials = || types.iter().filter_map(|name| service_types::official(name));
    for name in officials().flat_map(service_types::all_types) {
        names.add(name, || of_type(name));
    }
    for official in officials() {
        for project in service_types::projects(official) {
            names.add(project, || of_type(official));
        }
    }
    for name in catalog.endpoints.iter().filter_map(|endpoint| endpoint.service_name.as_deref()) {
        names.add(name, || Selector::of_service_name(name, catalog, preferences));
    }
    (names.all, warnings)
}

/// The key of a service's settings: the name itself if there are such, else the official type.
pub(super) fn settings_key(name: &str, preferences: &Preferences) -> String {
    if preferences.services.contains_key(name) {
        return name.to_owned();
    }
    service_types::official(name).unwrap_or(name).to_owned()
}

/// The catalog's types in its order, then those that exist by an override alone, then Keystone.
pub(super) fn present_types<'a>(catalog: &'a Catalog, preferences: &'a Preferences) -> Vec<&'a str> {
    let overridden = preferences.services.iter().filter(|(_, it)| it.endpoint_override.is_some());
    let mut seen = HashSet::new();
    let catalog = catalog.endpoints.iter().map(|endpoint| endpoint.service_type.as_str());
    let all = catalog.chain(overridden.map(|(key, _)| key.as_str())).chain(["identity"]);
    all.filter(|name| seen.insert(*name)).collect()
}

/// Names as they are claimed.
struct Names {
    taken: HashSet<String>,
    all: Vec<(String, Selector)>,
}

impl Names {
    /// Claims a name; `false` if it is taken, cannot stand in a path or stands for nothing.
    fn add(&mut self, name: &str, selector: impl FnOnce() -> Selector) -> bool {
        let is_ours = OURS.contains(&name) || KEYSTONES.contains(&name);
        if is_ours || self.taken.contains(name) || !can_be_prefix(name) {
            return false;
        }
        let selector = selector();
        let stands_for_something = !selector.types.is_empty();
        if stands_for_something {
            self.taken.insert(name.to_owned());
            self.all.push((name.to_owned(), selector));
        }
        stands_for_something
    }
}

/// Whether a name is written the same in every URL: unreserved characters only (RFC 3986 section 2.3).
pub(super) fn can_be_prefix(name: &str) -> bool {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    !matches!(name, "" | "." | "..") && name.bytes().all(is_unreserved)
}
