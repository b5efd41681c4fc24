//! A cloud beside the one of the settings: one that a `[[listener]]` table names.
//!
//! All about it stands in `clouds.yaml`. What is set at the top or in variables about a login, endpoints and certificates
//! is of the other cloud, and a secret or an endpoint of one must never serve the other.

use crate::cli::{CloudArgs, ServerArgs};

use super::env::{Environment, Overlay};
use super::listeners;
use super::mistakes::Mistakes;
use super::own::Own;
use super::places::Places;

/// The names of all clouds that have listeners; none is the one of the settings.
pub(super) fn clouds(
    cloud: &CloudArgs,
    server: &ServerArgs,
    env: &dyn Environment,
    places: &Places,
) -> Vec<Option<String>> {
    // Told by whoever reads them next.
    let own = Own::load(cloud, server, env, places, &mut Mistakes::default());
    listeners::clouds(&own).into_iter().map(|cloud| cloud.map(|cloud| cloud.value)).collect()
}

/// Without a login: of OpenStack's variables only those that name files are left.
pub(super) fn environment(env: &dyn Environment) -> Overlay<'_> {
    let of_openstack =
        env.names().into_iter().filter(|name| name.starts_with("OS_") && !KEPT.contains(&name.as_str()));
    Overlay { under: env, set: of_openstack.map(|name| (name, None)).collect() }
}

const KEPT: [&str; 3] = ["OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE", "OS_CLOUD_NAME"];

/// Leaves of our own settings what is not about a cloud.
pub(super) fn keep(own: &mut Own, name: &str, mistakes: &mut Mistakes) {
    let named = own.file.listeners.iter().find_map(|table| table.cloud().filter(|cloud| cloud.value == name));
    if named.is_none() {
        // Its listener would be left with whichever cloud there is.
        mistakes.add(format!(
            "no [[listener]] names the cloud `{name}` any more; its listener stays as it was until the next start"
        ));
    }
    own.settings.cloud = named.cloned();
    own.cloud_in_file = true;
    let settings = &mut own.settings;
    (settings.region, settings.interface, settings.credential_command) = (None, None, None);
    (settings.token_cache, settings.token_file) = (None, None);
    (settings.cacert, settings.cert, settings.key, settings.insecure) = (None, None, None, None);
    own.file.services.clear();
    own.file.rates.clear();
}
