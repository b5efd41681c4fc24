//! Official service types, their aliases and the projects behind them.
//!
//! The table is the OpenStack Service Types Authority's, version 2024-05-08T19:22:13, as published in the
//! Python package os-service-types 1.9.0 (`os_service_types/data/service-types.json`, Apache-2.0), kept
//! byte for byte in `service-types.json`. Added are two types that it lacks and that catalogs have.
//!
//! `_` counts as `-` in names, as in os-service-types.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// The official type that a type or an alias stands for: `block-storage` for `volumev3`.
pub fn official(name: &str) -> Option<&'static str> {
    let name = normalized(name);
    let table = &*TABLE;
    if let Some((official, _)) = table.types.get_key_value(name.as_ref()) {
        return Some(official);
    }
    table.reverse.get(name.as_ref()).map(String::as_str)
}

/// All official types, sorted.
pub fn officials() -> Vec<&'static str> {
    let mut officials: Vec<_> = TABLE.types.keys().map(String::as_str).collect();
    officials.sort_unstable();
    officials
}

/// An official type and its aliases, the official one first, then in the authority's order; empty for
/// a type that is not an official one.
pub fn all_types(official: &str) -> &'static [String] {
    TABLE.types.get(official).map_or(&[], Vec::as_slice)
}

/// The official type of a project: `compute` for `nova`.
pub fn of_project(project: &str) -> Option<&'static str> {
    TABLE.projects.get(project).map(|service| service.service_type.as_str())
}

/// The projects whose official type is this one, sorted: `nova` for `compute`.
pub fn projects(official: &str) -> Vec<&'static str> {
    let of_type = TABLE.projects.iter().filter(|(_, service)| service.service_type == official);
    let mut projects: Vec<_> = of_type.map(|(project, _)| project.as_str()).collect();
    projects.sort_unstable();
    projects
}

/// Whether a type found in a catalog may stand for the one requested: the same; or the official type
/// for one of its aliases; or an alias for its official type. An alias is never taken for another.
pub fn is_match(requested: &str, found: &str) -> bool {
    requested == found
        || all_types(&normalized(found)).iter().any(|alias| alias == requested)
        || official(found) == Some(requested)
}

/// A type's name as the authority writes it, with `-` for `_`.
pub fn normalized(name: &str) -> Cow<'_, str> {
    if name.contains('_') { Cow::Owned(name.replace('_', "-")) } else { Cow::Borrowed(name) }
}

/// The major version that an alias implies: 3 for `volumev3`, `None` for `volume`.
pub fn implied_version(name: &str) -> Option<u32> {
    let (stem, digits) = name.rsplit_once('v')?;
    if stem.is_empty() || digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// The parts of the file that we use.
#[derive(Default, Deserialize)]
struct Table {
    /// Official type to itself and its aliases.
    #[serde(rename = "all_types_by_service_type")]
    types: HashMap<String, Vec<String>>,
    /// Alias to official type.
    reverse: HashMap<String, String>,
    /// Project to its main service.
    #[serde(rename = "primary_service_by_project")]
    projects: HashMap<String, Service>,
}

#[derive(Deserialize)]
struct Service {
    service_type: String,
}

/// Types that Heat and Gnocchi register without being in the authority, and their projects.
const SEEN_IN_CATALOGS: [(&str, &str); 2] = [("cloudformation", "heat-cfn"), ("metric", "gnocchi")];

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    // A test proves that the file parses.
    let mut table: Table = serde_json::from_str(include_str!("service-types.json")).unwrap_or_default();
    for (service_type, project) in SEEN_IN_CATALOGS {
        table.types.insert(service_type.to_owned(), vec![service_type.to_owned()]);
        table.projects.insert(project.to_owned(), Service { service_type: service_type.to_owned() });
    }
    table
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authoritys_table_is_read() {
        assert_eq!(TABLE.types.len(), 45 + SEEN_IN_CATALOGS.len());
        assert_eq!(all_types("compute"), ["compute"]);
        let block_storage = ["block-storage", "volumev3", "volumev2", "volume", "block-store"];
        assert_eq!(all_types("block-storage"), block_storage);
        assert!(all_types("volumev3").is_empty());
    }

    #[test]
    fn names_lead_to_their_official_type() {
        for (name, expected) in [
            ("compute", Some("compute")),
            ("volumev2", Some("block-storage")),
            ("block_storage", Some("block-storage")),
            ("application_deployment", Some("application-deployment")),
            ("metric", Some("metric")),
            ("nova", None),
            ("Compute", None),
            ("", None),
        ] {
            assert_eq!(official(name), expected, "{name}");
        }
    }

    #[test]
    fn projects_lead_to_their_official_type() {
        assert_eq!(of_project("swift"), Some("object-store"));
        assert_eq!(of_project("heat-cfn"), Some("cloudformation"));
        assert_eq!(of_project("object-store"), None);
        assert_eq!(projects("network"), ["neutron", "neutron-lib"]);
        assert_eq!(projects("nothing"), [""; 0]);
    }

    #[test]
    fn an_alias_and_its_official_type_match_and_two_aliases_do_not() {
        for (requested, found, expected) in [
            ("compute", "compute", true),
            ("unknown", "unknown", true),
            ("block-storage", "volumev3", true),
            ("volumev3", "block-storage", true),
            ("volumev3", "block_storage", true),
            ("block-storage", "block_storage", true),
            ("volumev2", "volumev3", false),
            ("volume", "volumev3", false),
            ("compute", "network", false),
        ] {
            assert_eq!(is_match(requested, found), expected, "{requested} {found}");
        }
    }

    #[test]
    fn versions_are_implied_by_aliases_that_end_in_one() {
        for (name, expected) in [
            ("volumev3", Some(3)),
            ("sharev2", Some(2)),
            ("volume", None),
            ("v3", None),
            ("v", None),
            ("dev", None),
            ("xv99999999999", None),
        ] {
            assert_eq!(implied_version(name), expected, "{name}");
        }
    }
}
