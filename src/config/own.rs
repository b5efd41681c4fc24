//! Our own settings, gathered: `gatestone.toml`, the `OS_*` variables that mean the same,
//! `GATESTONE_*` variables, flags.

use crate::cli::{CloudArgs, ServerArgs};

use super::env::Environment;
use super::file::{self, File};
use super::mistakes::{Mistakes, close_name};
use super::openstack_env;
use super::places::Places;
use super::settings::{Base, Given, NAMES, Settings};

/// Our own settings from all their sources.
#[derive(Debug)]
pub(super) struct Own {
    /// The pile.
    pub(super) settings: Settings,
    /// What else our file holds.
    pub(super) file: File,
    /// Whether the cloud is named in the file and nowhere before it.
    pub(super) cloud_in_file: bool,
}

impl Own {
    /// Reads them from the lowest to the highest.
    pub(super) fn load(
        cloud: &CloudArgs,
        server: &ServerArgs,
        env: &dyn Environment,
        places: &Places,
        mistakes: &mut Mistakes,
    ) -> Self {
        let mut settings = Settings::default();
        let from_env = || Some((env.get("GATESTONE_CONFIG")?, "GATESTONE_CONFIG"));
        let explicit =
            cloud.config.as_ref().map(|path| (path.display().to_string(), "--config")).or_else(from_env);
        let explicit = explicit.map(|(path, place)| (places.resolve(&path, places.working()), place));
        let file = file::load(
            explicit.as_ref().map(|(path, place)| (path.as_path(), *place)),
            places,
            &mut settings,
            mistakes,
        );
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
        Self { settings, file, cloud_in_file }
    }
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
        ("read_only", "--read-only", server.read_only.then_some(Given::Switch(true))),
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
pub(super) fn misspelt(env: &dyn Environment) -> Vec<String> {
    // `GATESTONE_URL` is what `gatestone env` and `exec` set for others.
    let known: Vec<String> = NAMES
        .into_iter()
        .chain(["config", "client_secret", "openrc", "url", "socket"])
        .map(variable)
        .collect();
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
