//! Per-service preferences from `clouds.yaml` keys and `OS_*` variables:
//! `<service type with _>_region_name`, `_interface`, `_endpoint_override`.
//!
//! A service is looked up by its official type, then by its aliases
//! (`openstack/config/cloud_region.py:_get_config`), so `block_storage_region_name`
//! wins over `volumev3_region_name`.

use std::collections::BTreeMap;

use crate::catalog::{EndpointUrl, Region, service_types};
use crate::routing::ServicePreferences;

use super::mistakes::Mistakes;
use super::values;

/// One setting of a service, as found.
#[derive(Clone, Debug)]
pub(super) struct ServiceSetting {
    service: String,
    kind: Kind,
    value: String,
    place: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Region,
    Interface,
    Override,
}

impl ServiceSetting {
    /// Reads a key such as `object_store_region_name`; `None` if it is about no service.
    pub(super) fn new(key: &str, value: &str, place: &str) -> Option<Self> {
        let (service, kind) = split(key)?;
        Some(Self { service: service.to_owned(), kind, value: value.to_owned(), place: place.to_owned() })
    }
}

/// The official type of a service that a user named by type, alias or setting's prefix.
pub(super) fn official(name: &str) -> String {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let official = service_types::official(&name).or_else(|| service_types::of_project(&name));
    official.map_or(name, str::to_owned)
}

/// Checks an endpoint override, which may hold placeholders for the token's project.
pub(super) fn check_override(text: &str) -> Result<(), String> {
    let sample = PLACEHOLDERS.iter().fold(text.to_owned(), |text, name| {
        text.replace(&format!("%({name})s"), "x").replace(&format!("$({name})s"), "x")
    });
    if sample.contains("%(") || sample.contains("$(") {
        return Err(format!(
            "an endpoint override can hold `%(project_id)s`, `%(tenant_id)s`, `%(user_id)s` and no other placeholder: `{text}`"
        ));
    }
    sample
        .parse::<EndpointUrl>()
        .map(|_| ())
        .map_err(|error| format!("the endpoint override is no good: {error}"))
}

/// Fills what is still unset in `services` from `settings`.
pub(super) fn fill(
    services: &mut BTreeMap<String, ServicePreferences>,
    settings: &[ServiceSetting],
    mistakes: &mut Mistakes,
) {
    let (officials, aliases): (Vec<_>, Vec<_>) =
        settings.iter().partition(|setting| official(&setting.service) == setting.service.replace('_', "-"));
    for setting in officials.into_iter().chain(aliases) {
        let service = services.entry(official(&setting.service)).or_default();
        if let Err(message) = fill_one(service, setting) {
            mistakes.at(&setting.place, message);
        }
    }
}

fn fill_one(service: &mut ServicePreferences, setting: &ServiceSetting) -> Result<(), String> {
    match setting.kind {
        Kind::Region if service.region.is_none() => {
            service.region = Some(Region(setting.value.trim().to_owned()))
        }
        Kind::Interface if service.interfaces.is_empty() => {
            service.interfaces = values::interfaces(&values::list(&setting.value))?;
        }
        Kind::Override if service.endpoint_override.is_none() => {
            let text = setting.value.trim();
            check_override(text)?;
            service.endpoint_override = Some(text.to_owned());
        }
        Kind::Region | Kind::Interface | Kind::Override => {}
    }
    Ok(())
}

fn split(key: &str) -> Option<(&str, Kind)> {
    let suffixes = [
        ("_endpoint_override", Kind::Override),
        ("_endpoint_type", Kind::Interface),
        ("_interface", Kind::Interface),
        ("_region_name", Kind::Region),
        // The older spelling of an override.
        ("_endpoint", Kind::Override),
    ];
    if NOT_SERVICES.contains(&key) {
        return None;
    }
    let found = suffixes.iter().find_map(|(suffix, kind)| Some((key.strip_suffix(suffix)?, *kind)));
    found.filter(|(service, _)| !service.is_empty())
}

/// What is expanded in an override for each token.
const PLACEHOLDERS: [&str; 3] = ["project_id", "tenant_id", "user_id"];

/// Options of auth plugins that only look like a service's.
const NOT_SERVICES: [&str; 6] = [
    "access_token_endpoint",
    "device_authorization_endpoint",
    "discovery_endpoint",
    "identity_provider_endpoint",
    "oauth2_endpoint",
    "service_provider_endpoint",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(settings: &[(&str, &str)]) -> (BTreeMap<String, ServicePreferences>, Mistakes) {
        let settings: Vec<_> =
            settings.iter().filter_map(|(key, value)| ServiceSetting::new(key, value, key)).collect();
        let (mut services, mut mistakes) = (BTreeMap::new(), Mistakes::default());
        fill(&mut services, &settings, &mut mistakes);
        (services, mistakes)
    }

    #[test]
    fn keys_of_services_become_preferences_by_official_type() {
        let (services, mistakes) = filled(&[
            ("object_store_region_name", "GRA"),
            ("volumev3_interface", "internal"),
            ("compute_endpoint_type", "adminURL"),
            ("image_endpoint_override", "https://i.example/v2/%(project_id)s"),
            ("region_name", "X"),
            ("interface", "public"),
            ("oauth2_endpoint", "https://x"),
        ]);
        assert!(mistakes.is_empty(), "{mistakes}");
        assert_eq!(services["object-store"].region, Some(Region("GRA".to_owned())));
        assert_eq!(services["block-storage"].interfaces.len(), 1);
        assert_eq!(services["compute"].interfaces.len(), 1);
        assert!(services["image"].endpoint_override.is_some());
        assert_eq!(services.len(), 4);
    }

    #[test]
    fn the_official_name_wins_over_an_alias() {
        let (services, _) = filled(&[("volumev3_region_name", "A"), ("block_storage_region_name", "B")]);
        assert_eq!(services["block-storage"].region, Some(Region("B".to_owned())));
    }

    #[test]
    fn overrides_are_checked() {
        for (text, fine) in [
            ("https://h/v1/AUTH_%(tenant_id)s", true),
            ("http://h:8080/$(project_id)s", true),
            ("h:8080", false),
            ("https://h/%(project_name)s", false),
            ("ftp://h/", false),
        ] {
            assert_eq!(check_override(text).is_ok(), fine, "{text}");
        }
    }
}
