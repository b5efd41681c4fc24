//! Which login it is: the choice between `OS_*` variables and a cloud of `clouds.yaml`.
//!
//! 1. A cloud named by `--cloud`, `GATESTONE_CLOUD` or `OS_CLOUD`.
//! 2. The login of the `OS_*` variables. openstacksdk takes them as soon as any variable is set
//!    that is not a selector; we want one that says who or where, so that a lone `OS_CACERT`
//!    does not hide the only cloud.
//! 3. A cloud named in our own file.
//! 4. The only cloud of `clouds.yaml`.

use std::path::PathBuf;

use super::clouds::Clouds;
use super::clouds::cloud::Cloud;
use super::draft::Draft;
use super::env::Environment;
use super::login;
use super::mistakes::Mistakes;
use super::openstack_env;
use super::places::Places;
use super::settings::{Placed, Settings};

/// The login, and what else its source says.
#[derive(Debug)]
pub(super) struct Source {
    /// As written.
    pub(super) draft: Draft,
    /// The rest of a cloud's entry.
    pub(super) cloud: Option<Cloud>,
    /// In words, for people.
    pub(super) words: String,
    /// The files that were read.
    pub(super) files: Vec<PathBuf>,
}

/// Chooses; `None` after a mistake.
pub(super) fn choose(
    settings: &Settings,
    in_file: bool,
    env: &dyn Environment,
    places: &Places,
    warnings: &mut Vec<String>,
    mistakes: &mut Mistakes,
) -> Option<Source> {
    let mut aside = Mistakes::default();
    let draft = openstack_env::draft(env, places, &mut aside);
    let variables_first = draft.is_login() && (in_file || settings.cloud.is_none());
    if variables_first || (draft.is_login() && names_environment(settings, env)) {
        if let Some(cloud) = settings.cloud.as_ref().filter(|_| in_file) {
            warnings.push(format!(
                "{}: cloud `{}` is not used, since OS_* variables hold a login, which comes first",
                cloud.place, cloud.value
            ));
        }
        mistakes.extend(aside);
        return Some(environment(draft));
    }
    let clouds = Clouds::load(env, places, mistakes);
    let environments = name_of_environment(env);
    if clouds.names().contains(&environments.as_str()) {
        mistakes.add(format!(
            "{} has a cloud `{environments}`, which is the name of the login in OS_* variables; rename it, or set \
             OS_CLOUD_NAME to another",
            clouds.place()
        ));
    }
    if clouds.keeps_tokens && settings.token_cache.is_none() {
        warnings.push(format!(
            "{}: `cache` with `auth: true` has openstacksdk keep tokens in the keyring; here token_cache names a file for \
             that, and none is set",
            clouds.place()
        ));
    }
    let found = of_clouds(&clouds, settings, &draft, aside, env, places, warnings, mistakes);
    for sentence in clouds.unreadable {
        if found.is_none() { mistakes.add(sentence) } else { warnings.push(sentence) }
    }
    found
}

#[expect(clippy::too_many_arguments, reason = "one step of `choose`, which has them all")]
fn of_clouds(
    clouds: &Clouds,
    settings: &Settings,
    draft: &Draft,
    aside: Mistakes,
    env: &dyn Environment,
    places: &Places,
    warnings: &mut Vec<String>,
    mistakes: &mut Mistakes,
) -> Option<Source> {
    let only = |name: &str| Placed { value: name.to_owned(), place: clouds.place() };
    let Some(name) = settings.cloud.clone().or_else(|| clouds.only().map(only)) else {
        let names = clouds.names();
        if !names.is_empty() {
            let place = if env.get("OS_CLIENT_CONFIG_FILE").is_some() { "OS_CLIENT_CONFIG_FILE" } else { "" };
            mistakes.at(
                place,
                format!(
                    "no cloud is chosen, and {} holds several; use `--cloud` or OS_CLOUD with one of {}",
                    clouds.place(),
                    names.join(", ")
                ),
            );
        } else if mistakes.is_empty()
            && draft.texts.is_empty()
            && draft.secrets.is_empty()
            && aside.is_empty()
        {
            mistakes.add(NOTHING);
        } else if mistakes.is_empty() {
            // A few variables and no cloud: what is missing is told by those who check the login.
            mistakes.extend(aside);
            return Some(environment(draft.clone()));
        }
        return None;
    };
    let mut cloud = clouds.cloud(&name, settings.region.as_ref(), places, warnings, mistakes)?;
    let mut words = cloud.draft.to_string();
    for variable in fill_secrets(&mut cloud.draft, draft) {
        words = format!("{words}, with the secret from {variable}");
    }
    let left: Vec<&str> = draft.texts.values().map(|placed| placed.place.as_str()).collect();
    if !left.is_empty() {
        warnings.push(format!("{}: ignored, since the login is {}", left.join(", "), cloud.draft));
    }
    let files = clouds.files.iter().chain(&clouds.public_file).chain(cloud.draft.secret_files.values());
    let files = files.cloned().collect();
    Some(Source { draft: cloud.draft.clone(), cloud: Some(cloud), words, files })
}

/// A cloud without its secrets takes those of the environment, as `openstack --os-cloud` does.
fn fill_secrets(draft: &mut Draft, environment: &Draft) -> Vec<String> {
    let mut filled = Vec::new();
    for key in login::missing_secrets(draft) {
        let Some(secret) = environment.secrets.get(key) else { continue };
        draft.secrets.insert(key, secret.clone());
        draft.secret_files.extend(environment.secret_files.get(key).map(|file| (key, file.clone())));
        filled.push(secret.place.clone());
    }
    filled
}

fn environment(draft: Draft) -> Source {
    let places: Vec<&str> = draft.texts.values().map(|placed| placed.place.as_str()).collect();
    let secrets: Vec<&str> = draft.secrets.values().map(|placed| placed.place.as_str()).collect();
    let words = format!("the environment ({})", [places, secrets].concat().join(", "));
    let files = draft.secret_files.values().cloned().collect();
    Source { draft, cloud: None, words, files }
}

/// openstacksdk calls the login of the variables a cloud, too.
fn names_environment(settings: &Settings, env: &dyn Environment) -> bool {
    settings.cloud.as_ref().is_some_and(|cloud| cloud.value == name_of_environment(env))
}

fn name_of_environment(env: &dyn Environment) -> String {
    env.get("OS_CLOUD_NAME").unwrap_or_else(|| "envvars".to_owned())
}

const NOTHING: &str = "no cloud is configured; there are three ways:
- source the openrc file of your cloud, which sets OS_AUTH_URL, OS_USERNAME, OS_PASSWORD and so on
- name a cloud of clouds.yaml (here, in ~/.config/openstack or in /etc/openstack) with `--cloud NAME` or OS_CLOUD
- write `cloud = \"NAME\"` into ~/.config/gatestone/gatestone.toml";
